"""make install: where things go, and that what an administrator wrote in /etc stays."""
import os
import subprocess

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PROGRAMS = ("wt-consumer", "wt-ingest", "wt-loadgen", "wt-producer")
# A make around this test would hand its own PREFIX down.
ENV = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL")}


def make(*words):
    done = subprocess.run(["make", "-s", *words], cwd=ROOT, env=ENV, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout


def files(top):
    return {os.path.relpath(os.path.join(d, f), top) for d, _, names in os.walk(top) for f in names}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    top = tmp_path_factory.mktemp("root")
    make("install", "DESTDIR=%s" % top, "PREFIX=/usr", "UNITDIR=/lib/systemd/system")
    return top


def test_everything_is_where_a_system_looks_for_it(installed):
    found = files(installed)
    for name in PROGRAMS:
        assert "usr/bin/" + name in found
        assert "usr/share/man/man1/%s.1" % name in found
        assert "usr/share/bash-completion/completions/" + name in found
    assert {"usr/lib/sysusers.d/writethrough.conf", "lib/systemd/system/wt-producer.service",
            "lib/systemd/system/wt-consumer@.service", "etc/writethrough/producer.properties",
            "etc/writethrough/consumer.properties", "usr/share/writethrough/sql/001_users.sql",
            "usr/share/writethrough/sql/002_writethrough.sql",
            "usr/share/writethrough/prometheus/alerts.yml",
            "usr/share/writethrough/grafana/writethrough.json"} <= found


def test_units_start_what_was_installed_with_files_that_were(installed):
    for unit in ("wt-producer.service", "wt-consumer@.service"):
        text = (installed / "lib/systemd/system" / unit).read_text()
        assert "@PREFIX@" not in text and "@SYSCONFDIR@" not in text
        start = [w for line in text.splitlines() if line.startswith("ExecStart=")
                 for w in line[len("ExecStart="):].split()]
        paths = [w for w in start if w.startswith("/")]
        assert len(paths) == 2 and all((installed / p[1:]).exists() for p in paths)


@pytest.mark.parametrize("program", ("producer", "consumer"))
def test_settings_are_understood_also_when_every_comment_sign_is_taken_away(installed, program,
                                                                           tmp_path):
    given = installed / "etc/writethrough" / (program + ".properties")
    lines = given.read_text().splitlines()
    options = [line[1:] for line in lines if line.startswith("#") and line[1:2].isalpha()]
    every = tmp_path / "every.properties"
    every.write_text("\n".join(options))
    for config, count in ((given, 0), (every, len(options))):
        out = subprocess.run([installed / "usr/bin" / ("wt-" + program), "--config", config,
                              "--print-config"], text=True, stdout=subprocess.PIPE)
        assert out.returncode == 0
        assert out.stdout.count(str(config)) == count
    assert options


def test_what_somebody_wrote_in_etc_stays(tmp_path):
    make("install", "DESTDIR=%s" % tmp_path)
    mine = tmp_path / "etc/writethrough/consumer.properties"
    mine.write_text("topic=orders\n")
    make("install", "DESTDIR=%s" % tmp_path)
    assert mine.read_text() == "topic=orders\n"
    make("uninstall", "DESTDIR=%s" % tmp_path)
    assert files(tmp_path) == {"etc/writethrough/consumer.properties"}


def test_a_strict_umask_and_settings_elsewhere(tmp_path):
    old = os.umask(0o077)
    try:
        make("install", "DESTDIR=%s" % tmp_path, "SYSCONFDIR=/usr/local/etc")
    finally:
        os.umask(old)
    for name in files(tmp_path):
        assert (tmp_path / name).stat().st_mode & 0o444 == 0o444, name
    assert (tmp_path / "usr/local/etc/writethrough/producer.properties").exists()
    unit = (tmp_path / "usr/local/lib/systemd/system/wt-producer.service").read_text()
    assert " --config /usr/local/etc/writethrough/producer.properties\n" in unit
