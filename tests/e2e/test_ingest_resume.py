"""wt-ingest that is killed, stopped, or follows a file that turns: where it goes on."""
import json
import os
import random
import signal
import time
import uuid

import pytest

from programs import Program, run, wait_until
from test_ingest import Topic, numbered_lines, ok, topic  # noqa: F401 (fixture)


def json_count(text):
    line = next(x for x in text.splitlines() if "event=stopped" in x)
    return int(line.split("records=")[1].split()[0])


def kill_often(words, options, tmp_path, times, seed, forget=False):
    """Starts the same command again and again, killing it at random moments; then lets it end.
    forget: now and then the checkpoint file is lost as well; the transaction has the position."""
    dice = random.Random(seed)
    kills = 0
    for i in range(times):
        p = Program("wt-ingest", *words, options=options, log=str(tmp_path / ("run%d.log" % i)))
        time.sleep(dice.uniform(0.05, 0.9))
        if not p.running():
            break
        p.kill()
        kills += 1
        if forget and dice.random() < 0.5 and os.path.exists(options["checkpoint"]):
            os.unlink(options["checkpoint"])
    done = ok(*words, options={k: v for k, v in options.items() if k != "rate"})
    return kills, done


def test_a_killed_run_continues_and_misses_nothing(topic, tmp_path):
    path = tmp_path / "in"
    expected = numbered_lines(path, 200000)
    out = tmp_path / "out"
    options = {**topic.options, "to": [topic.to(), "csv:%s" % out], "header": "false",
               "checkpoint": str(tmp_path / "ckpt"), "checkpoint.interval-ms": 50,
               "rate": 25000}
    kills, done = kill_often(["lines", str(path)], options, tmp_path, 10, seed=1)
    assert kills == 10
    values = topic.values()
    assert set(values) == set(expected)
    # what a crash sends again: at most an interval, what was on its way, and a chunk
    assert len(values) <= len(expected) + kills * 40000
    assert out.read_bytes() == path.read_bytes()  # a file is cut back to its checkpoint
    again = run("wt-ingest", "lines", str(path),
                options={k: v for k, v in options.items() if k != "rate"})
    assert again.returncode == 0 and "already_complete" in again.stderr
    assert topic.count() == len(values)


@pytest.mark.parametrize("seed", [11, 12])
def test_a_killed_transactional_run_writes_each_record_once(topic, tmp_path, seed):
    path = tmp_path / "in.csv"
    path.write_text("id,v\n" + "".join("%d,%d\n" % (i, i * 7) for i in range(200000)))
    out = tmp_path / "out"
    options = {**topic.options, "to": [topic.to(), "json:%s" % out], "transactional": "true",
               "checkpoint": str(tmp_path / ("ckpt" + uuid.uuid4().hex)), "key": "id",
               "checkpoint.interval-ms": 100, "rate": 25000}
    kills, _ = kill_often(["csv", str(path)], options, tmp_path, 10, seed, forget=True)
    assert kills == 10
    ids = [json.loads(v)["id"] for v in topic.values()]
    assert len(ids) == 200000 and len(set(ids)) == 200000
    assert [json.loads(x)["id"] for x in open(str(out))] == list(range(200000))


def test_generated_rows_continue_with_the_same_seed(topic, tmp_path):
    options = {**topic.options, "count": 100000, "to": topic.to(), "shape": "message",
               "checkpoint": str(tmp_path / ("ckpt" + uuid.uuid4().hex)),
               "transactional": "true", "checkpoint.interval-ms": 100, "rate": 12000}
    kills, _ = kill_often(["generate"], options, tmp_path, 10, seed=5)
    assert kills == 10
    ids = sorted(json.loads(v)["id"] for v in topic.values())
    assert ids == list(range(ids[0], ids[0] + 100000))


def test_a_broker_that_restarts_in_the_middle_costs_time_not_records(private_servers, tmp_path):
    topic = Topic(private_servers.env["KAFKA_BROKERS"])
    path = tmp_path / "in"
    expected = numbered_lines(path, 200000)
    p = Program("wt-ingest", "lines", str(path), log=str(tmp_path / "log"), options={
        **topic.options, "to": topic.to(), "rate": 50000})
    time.sleep(1.5)
    private_servers.own["kafka"].signal(signal.SIGKILL)
    time.sleep(1)
    private_servers.restart()
    assert p.wait(timeout=60) == 0, p.text()
    assert sorted(topic.values()) == sorted(expected)


def test_follow_survives_rotation_and_truncation(topic, tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(b"1\n2\n")
    out = tmp_path / "out"
    p = Program("wt-ingest", "lines", str(path), log=str(tmp_path / "log"), options={
        **topic.options, "to": [topic.to(), "csv:%s" % out], "follow": "true",
        "header": "false"})
    part = tmp_path / "out.part"

    def grown(count):
        deadline = time.monotonic() + 20
        while not part.exists() or part.read_bytes().count(b"\n") < count:
            assert time.monotonic() < deadline, p.text()
            time.sleep(0.05)

    grown(2)
    with open(path, "ab") as f:
        f.write(b"3\n4")  # half a line is no line yet
    grown(3)
    os.rename(path, tmp_path / "app.log.1")
    with open(tmp_path / "app.log.1", "ab") as f:
        f.write(b"b\n")
    path.write_bytes(b"5\n")
    grown(5)
    path.write_bytes(b"")
    time.sleep(0.6)
    path.write_bytes(b"6\n")
    grown(6)
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    assert out.read_bytes() == b"1\n2\n3\n4b\n5\n6\n"
    assert sorted(topic.values()) == [b"1", b"2", b"3", b"4b", b"5", b"6"]


def test_follow_finds_its_file_again_after_a_rotation_while_it_was_away(tmp_path):
    path, part = tmp_path / "app.log", tmp_path / "out.part"
    options = {"to": "csv:%s" % (tmp_path / "out"), "follow": "true", "header": "false",
               "checkpoint": tmp_path / "ckpt", "checkpoint.interval-ms": 50}

    def follow(lines):
        p = Program("wt-ingest", "lines", str(path), log=str(tmp_path / "log"), options=options)
        wait_until(lambda: part.exists() and part.read_bytes() == lines, what=lines)
        p.signal(signal.SIGTERM)
        assert p.wait() == 0

    path.write_bytes(b"1\n2\n")
    follow(b"1\n2\n")
    with open(path, "ab") as f:
        f.write(b"3\n")
    os.rename(path, tmp_path / "app.log.1")
    path.write_bytes(b"4\n")
    follow(b"1\n2\n3\n4\n")
    with open(path, "ab") as f:
        f.write(b"5\n")
    follow(b"1\n2\n3\n4\n5\n")
    path.unlink()
    path.write_bytes(b"6\n")
    (tmp_path / "app.log.1").unlink()
    os.rename(path, tmp_path / "other")
    path.write_bytes(b"7\n")
    done = run("wt-ingest", "lines", str(path), options=options)
    assert done.returncode == 74 and "is gone" in done.stderr


def test_a_stopped_run_says_that_work_remains(topic, tmp_path):
    path = tmp_path / "in"
    numbered_lines(path, 200000)
    p = Program("wt-ingest", "lines", str(path), log=str(tmp_path / "log"), options={
        **topic.options, "to": topic.to(), "rate": 20000})
    time.sleep(1)
    p.signal(signal.SIGTERM)
    assert p.wait() == 75
    sent = json_count(p.text())
    assert 0 < sent < 200000 and topic.count() == sent
