"""wt-ingest --transactional: what is committed, when, and who may."""
import os
import signal
import uuid

import pytest
from programs import Program, run, wait_until
from test_ingest import ok, topic  # noqa: F401 (fixture)


@pytest.fixture
def options(topic, tmp_path):  # noqa: F811
    return {**topic.options, "to": topic.to(), "transactional": "true",
            "checkpoint": str(tmp_path / ("ckpt" + uuid.uuid4().hex)),
            "checkpoint.interval-ms": 300}


def test_what_came_is_committed_also_when_nothing_follows(topic, options, tmp_path):  # noqa: F811
    path = tmp_path / "app.log"
    path.write_bytes(b"1\n2\n")
    p = Program("wt-ingest", "lines", str(path), log=str(tmp_path / "log"), options={
        **options, "follow": "true"})
    wait_until(lambda: os.path.exists(options["checkpoint"]), what=p.text)
    assert sorted(topic.values()) == [b"1", b"2"]
    p.signal(signal.SIGTERM)
    assert p.wait() == 0


def test_what_came_is_committed_also_while_the_next_record_is_not_due(
        topic, options, tmp_path):  # noqa: F811
    p = Program("wt-ingest", "generate", log=str(tmp_path / "log"), options={
        **options, "rate": 0.25, "count": 3, "checkpoint.interval-ms": 4500})
    wait_until(lambda: os.path.exists(options["checkpoint"]), timeout=7, what=p.text)
    assert len(topic.values()) == 1
    p.kill()


def test_an_interval_in_which_the_broker_ends_the_transaction_is_refused(options):
    done = run("wt-ingest", "generate", options={
        **options, "count": 1, "checkpoint.interval-ms": 60000})
    assert done.returncode == 64 and "transaction.timeout.ms (60000)" in done.stderr, done.stderr


def test_a_transactional_run_that_was_complete_knows_it(topic, options):  # noqa: F811
    ok("generate", options={**options, "count": 10})
    assert "already_complete" in ok("generate", options={**options, "count": 10}).stderr
    assert len(topic.values()) == 10


def test_a_run_that_is_fenced_is_refused(topic, options, tmp_path):  # noqa: F811
    path = tmp_path / "app.log"
    path.write_bytes(b"1\n")
    programs = []
    for name in ("a", "b"):
        log = str(tmp_path / name)
        programs.append(Program("wt-ingest", "lines", str(path), log=log, options={
            **options, "checkpoint": log + ".ckpt", "transactional-id": topic.name,
            "follow": "true"}))
        if name == "a":
            wait_until(lambda: os.path.exists(log + ".ckpt"), what=programs[0].text)
    path.write_bytes(b"1\n2\n")
    wait_until(lambda: b"2" in topic.values(), what=programs[1].text)
    path.write_bytes(b"1\n2\n3\n")
    assert programs[0].wait() == 77, programs[0].text()
    assert "another run uses the same transactional id" in programs[0].text()
    wait_until(lambda: sorted(topic.values()) == [b"1", b"2", b"3"], what=programs[1].text)
    programs[1].signal(signal.SIGTERM)
    assert programs[1].wait() == 0
