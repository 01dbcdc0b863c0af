"""wt-ingest that waits for a pipe, a turn, a line end: it can be stopped. No server."""
import gzip
import json
import os
import signal
import subprocess
import time

import pytest
from programs import Program, binary, clean_environ, run, wait_until
from test_ingest import ok


@pytest.mark.parametrize("words", [["lines"], ["csv"]])
def test_a_named_pipe_is_opened_once(tmp_path, words):
    pipes = [str(tmp_path / name) for name in ("1", "2")]
    writers = []
    for seconds, pipe in zip("10", pipes):
        os.mkfifo(pipe)
        writers.append(subprocess.Popen(
            ["sh", "-c", 'exec >"$0"; sleep $1; printf "a\\n$1\\n"', pipe, seconds]))
    done = ok(*words, *pipes, options={"to": "json:-"})
    assert [writer.wait() for writer in writers] == [0, 0]  # nobody left a pipe half read
    assert len(done.stdout.splitlines()) == (2 if words == ["csv"] else 4)


@pytest.mark.parametrize("words", [["lines"], ["csv"]])
def test_who_waits_for_a_pipe_can_be_stopped(tmp_path, words):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    p = Program("wt-ingest", *words, str(pipe), log=str(tmp_path / "log"), options={
        "to": "json:%s" % (tmp_path / "out")})
    time.sleep(0.5)
    p.signal(signal.SIGTERM)
    assert p.wait(timeout=5) == 75, p.text()


@pytest.mark.parametrize("words", [["lines"], ["csv"]])
def test_a_low_rate_begins_at_once_and_can_be_stopped(tmp_path, words):
    path, ckpt = tmp_path / "in", tmp_path / "ckpt"
    path.write_text("a\n" + "".join("%d\n" % i for i in range(2000)))
    options = {"to": "csv:%s" % (tmp_path / "out"), "checkpoint": ckpt,
               "checkpoint.interval-ms": 50, "header": str(words == ["csv"])}

    p = Program("wt-ingest", *words, str(path), log=str(tmp_path / "log"), options={
        **options, "rate": 20})
    wait_until(ckpt.exists, timeout=5, what=p.text)
    assert 0 < json.loads(ckpt.read_text())["records"] < 200
    p.signal(signal.SIGTERM)
    assert p.wait(timeout=5) == 75, p.text()
    ok(*words, str(path), options=options)
    assert (tmp_path / "out").read_bytes() == path.read_bytes()


def test_a_line_that_never_ends_can_be_stopped(tmp_path):
    with subprocess.Popen(["sh", "-c", "yes | tr -d '\\n'"], stdout=subprocess.PIPE) as endless:
        p = subprocess.Popen([binary("wt-ingest"), "lines", "-", "--long-lines=truncate",
                              "--to=json:%s" % (tmp_path / "out")], stdin=endless.stdout,
                             stderr=subprocess.DEVNULL, env=clean_environ())
        endless.stdout.close()
        time.sleep(0.5)
        p.terminate()
        try:
            assert p.wait(timeout=5) == 75
        finally:
            p.kill()
            p.wait()


def test_a_slow_pipe_is_gone_on_with(tmp_path):
    options = {"to": "json:%s" % (tmp_path / "out"), "checkpoint": tmp_path / "ckpt",
               "long-lines": "reject", "max-record-bytes": 16}
    for last, code in (("much too long a line", 64), ("short", 0)):
        with subprocess.Popen(["sh", "-c", "echo 1; sleep 0.5; echo 2; echo $0", last],
                              stdout=subprocess.PIPE) as slow:
            done = run("wt-ingest", "lines", "-", options=options, stdin=slow.stdout)
        assert done.returncode == code, done.stderr
    assert (tmp_path / "out").read_text() == \
        '{"line":"1"}\n{"line":"2"}\n{"line":"short"}\n'


def test_what_came_before_a_damage_is_delivered_at_its_rate(tmp_path):
    good, bad, out, ckpt = (tmp_path / name for name in ("1", "2.gz", "out", "ckpt"))
    good.write_text("".join("%d\n" % i for i in range(60)))
    bad.write_bytes(gzip.compress(os.urandom(2000))[:1000])
    for _ in range(2):  # the same again: it does not stand still before the damage either
        done = run("wt-ingest", "lines", str(good), str(bad), options={
            "to": "json:%s" % out, "rate": 100, "checkpoint": ckpt,
            "checkpoint.interval-ms": 20}, timeout=20)
        assert done.returncode == 74, done.stderr
        assert json.loads(ckpt.read_text())["records"] >= 60


def test_a_stop_before_a_rows_turn_rejects_it_once(tmp_path):
    path, out, ckpt, rejects = (tmp_path / name for name in ("in", "out", "ckpt", "rejects"))
    path.write_text("n\n" + "".join("%d\n" % i for i in range(40)) + "x\n" + "41\n")
    options = {"to": "json:%s" % out, "checkpoint": ckpt, "rejects": rejects, "columns": "n:int",
               "checkpoint.interval-ms": 20}

    p = Program("wt-ingest", "csv", str(path), log=str(tmp_path / "log"), options={
        **options, "rate": 20})
    wait_until(ckpt.exists, timeout=5, what=p.text)
    p.signal(signal.SIGTERM)
    assert p.wait(timeout=5) == 75, p.text()
    ok("csv", str(path), options=options)
    assert rejects.read_text() == "x\n"
    assert len(out.read_text().splitlines()) == 41
