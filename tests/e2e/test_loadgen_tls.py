"""wt-loadgen against https: the certificate is looked at unless one says not to."""
import json
import subprocess

import pytest

from fake_target import FakeTarget
from programs import run


def certificate(folder, name, subject):
    """A self-signed pair: (certificate, key)."""
    pair = str(folder / (name + ".pem")), str(folder / (name + ".key"))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=x",
                    "-addext", "subjectAltName=" + subject, "-out", pair[0], "-keyout", pair[1]],
                   check=True, stderr=subprocess.DEVNULL)
    return pair


@pytest.fixture
def secure(tmp_path):
    pair = certificate(tmp_path, "good", "IP:127.0.0.1,DNS:localhost")
    target = FakeTarget(tls=pair)
    target.ca = pair[0]
    yield target
    target.close()


def load(url, more, code):
    done = run("wt-loadgen", options={"url": url, "quiet": "true", "stages": "1s:100",
                                      "connections": 8, **more})
    assert done.returncode == code, done.stdout + done.stderr
    return done


def test_a_trusted_target_is_loaded_over_tls_with_its_lag(secure, tmp_path):
    report = tmp_path / "r.json"
    load(secure.url + "/write-through", {"tls-ca": secure.ca, "lag.url": secure.url,
                                         "report.json": report}, 0)
    found = json.loads(report.read_text())
    assert found["requests"]["acknowledged"] == len(secure.bodies) == 100
    assert found["requests"]["connects"] == 8, "the connections are kept"
    assert found["lag"]["drained"] and found["account"]["lost"] == 0


def test_a_name_is_looked_for_in_the_certificate_too(secure):
    load(secure.url.replace("127.0.0.1", "localhost"), {"tls-ca": secure.ca}, 0)


def test_an_unknown_authority_is_69_and_says_what_to_do(secure):
    error = load(secure.url, {}, 69).stderr
    assert "not trusted" in error and "tls-ca" in error and "insecure" in error
    assert not secure.bodies


def test_a_certificate_for_somebody_else_is_69(tmp_path):
    pair = certificate(tmp_path, "other", "DNS:example.org")
    target = FakeTarget(tls=pair)
    assert "mismatch" in load(target.url, {"tls-ca": pair[0]}, 69).stderr
    load(target.url, {"insecure": "true"}, 0)
    target.close()


def test_a_server_without_tls_is_69(tmp_path):
    target = FakeTarget()
    assert "TLS" in load(target.url.replace("http:", "https:"), {}, 69).stderr
    target.close()


def test_tls_options_that_make_no_sense_are_64(secure, tmp_path):
    assert "tls-ca" in load(secure.url, {"tls-ca": tmp_path / "none"}, 64).stderr
    load(secure.url, {"tls-ca": secure.ca, "insecure": "true"}, 64)


def test_a_handshake_that_fails_later_has_its_own_class(tmp_path):
    """The certificate changes to one that nobody trusts while the load runs."""
    good = certificate(tmp_path, "good", "IP:127.0.0.1")
    bad = certificate(tmp_path, "bad", "IP:127.0.0.1")
    target = FakeTarget(tls=good, close_after=True)
    target.later(bad)
    report = tmp_path / "r.json"
    load(target.url, {"tls-ca": good[0], "report.json": report, "connections": 1}, 99)
    errors = json.loads(report.read_text())["errors"]
    assert errors["tls"] > 10 and errors["total"] == errors["tls"]
    target.close()
