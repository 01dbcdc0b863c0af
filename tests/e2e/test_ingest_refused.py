"""wt-ingest: what is refused although something looks like a leave to go on. No server."""
import os

import pytest
from programs import run
from test_ingest import ok


@pytest.mark.parametrize("length", [17, 1000000])
@pytest.mark.parametrize("leave", ["bad-rows", "rejects"])
def test_a_long_line_ends_the_run_if_that_was_asked_for(tmp_path, length, leave):
    (tmp_path / "in").write_bytes(b"1\n" + b"x" * length + b"\n2\n")
    done = run("wt-ingest", "lines", str(tmp_path / "in"), options={
        "long-lines": "fail", "max-record-bytes": 16, "to": "csv:%s" % (tmp_path / "out"),
        "header": "false", leave: "skip" if leave == "bad-rows" else tmp_path / "rejects",
        "checkpoint": tmp_path / "ckpt"})
    assert done.returncode == 64 and "in:2: line is longer" in done.stderr
    assert (tmp_path / "out.part").read_bytes() == b"1\n"


def test_a_file_that_turns_kafka_off_and_names_no_output_is_refused(tmp_path):
    path = tmp_path / "run.yaml"
    for no in ("false", "no", "off", "False"):
        path.write_text("producer:\n  message_count: 3\nkafka:\n  enabled: %s\n" % no)
        done = run("wt-ingest", options={"config": path, "kafka.brokers": "127.0.0.1:1"})
        assert done.returncode == 64 and "kafka.enabled" in done.stderr, done.stderr
        ok(options={"config": path, "to": "json:%s" % (tmp_path / "out")})


@pytest.mark.parametrize("yes", ["true", "yes", "on", "YES"])
def test_kafka_is_turned_on_in_any_word_of_yaml(tmp_path, yes):
    path = tmp_path / "run.yaml"
    path.write_text("output:\n  format: csv\n  csv:\n    path: %s\n"
                    "producer:\n  message_count: 3\nkafka:\n  enabled: %s\n" % (
                        tmp_path / "out", yes))
    # a refusal that only a Kafka sink can cause, before it asks a broker
    done = run("wt-ingest", options={"config": path, "transactional": "true",
                                     "checkpoint": tmp_path / "ckpt",
                                     "checkpoint.interval-ms": 60000})
    assert done.returncode == 64 and "transaction.timeout.ms" in done.stderr, done.stderr


def test_a_word_that_is_no_yes_and_no_no_is_refused(tmp_path):
    (tmp_path / "run.yaml").write_text("producer:\n  message_count: 3\nkafka:\n  enabled: maybe\n")
    done = run("wt-ingest", options={"config": tmp_path / "run.yaml"})
    assert done.returncode == 64 and "run.yaml:4): 'maybe' is not true" in done.stderr


def test_two_sinks_in_one_file_are_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    os.symlink(tmp_path, "here")
    (tmp_path / "there").write_text("")
    os.symlink("there", "link")
    for one, other in (("json:a", "csv:a"), ("json:a", "json:./a"), ("json:a", "avro:here/a"),
                       ("json:link", "csv:there"), ("json:-", "csv:-")):
        done = run("wt-ingest", "generate", options={"count": 1, "to": [one, other]})
        assert done.returncode == 64, (one, other)
        assert "option to: %s and %s are the same file" % (other, one) in done.stderr
    ok("generate", options={"count": 1, "to": [
        "json:/dev/null", "csv:/dev/null", "json:a", "csv:b"]})
