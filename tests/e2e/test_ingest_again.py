"""wt-ingest goes on from a checkpoint: which files were read, and how far. No server."""
import os
import signal
import subprocess
import time

import pytest
from programs import Program, run, wait_until
from test_ingest import ok


def test_rows_behind_a_header_that_is_another_are_not_passed_over(tmp_path):
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_text("a,b\n1,2\n")
    second.write_text("b,a\n3,4\n")
    options = {"to": "json:%s" % (tmp_path / "out"), "checkpoint": str(tmp_path / "ckpt")}
    for _ in range(2):
        done = run("wt-ingest", "csv", str(first), str(second), options=options)
        assert done.returncode == 64 and "2.csv:1: the header is not" in done.stderr
    second.write_text("a,b\n3,4\n")
    ok("csv", str(first), str(second), options=options)
    assert (tmp_path / "out").read_text() == '{"a":1,"b":2}\n{"a":3,"b":4}\n'


def test_a_run_that_failed_in_the_first_row_of_a_later_file_sends_nothing_twice(tmp_path):
    first, second = tmp_path / "1.csv", tmp_path / "2.csv"
    first.write_text("a\n1\n2\n")
    second.write_text("a\nx\n3\n")
    options = {"to": "json:%s" % (tmp_path / "out"), "checkpoint": str(tmp_path / "ckpt"),
               "columns": "a:int"}
    done = run("wt-ingest", "csv", str(first), str(second), options=options)
    assert done.returncode == 64 and "2.csv:2:" in done.stderr
    second.write_text("a\n3\n")
    ok("csv", str(first), str(second), options=options)
    assert (tmp_path / "out").read_text() == '{"a":1}\n{"a":2}\n{"a":3}\n'


def test_a_checkpoint_of_another_input_is_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a").write_text("1\n")
    (tmp_path / "b").write_text("2\n")
    with open(b"\xff", "w", encoding="ascii") as f:
        f.write("3\n")
    (tmp_path / "template").write_text('{"id":"seq"}')
    options = {"to": "json:%s" % (tmp_path / "out"), "checkpoint": str(tmp_path / "ckpt")}
    many = ["./" * i + "a" for i in range(400)]
    runs = ((["lines", "a"], {}), (["lines", "b"], {}), (["lines", "a", "b"], {}),
            (["lines", b"\xff"], {}), (["lines", *many], {}), (["lines", *many[1:]], {}),
            (["generate"], {"count": 1}), (["generate"], {"count": 1, "shape": "users"}),
            (["generate"], {"count": 1, "template": "template"}))
    for words, more in runs:
        done = run("wt-ingest", *words, options={**options, **more})
        assert done.returncode == 0 and "already_complete" not in done.stderr, done.stderr
        for others, more_of_others in runs:
            done = run("wt-ingest", *others, options={**options, **more_of_others})
            if (others, more_of_others) == (words, more):
                assert done.returncode == 0 and "already_complete" in done.stderr
            else:
                assert done.returncode == 64 and "belongs to" in done.stderr, (words, others)
        text = (tmp_path / "ckpt").read_text()
        assert len(text) < 2000  # Kafka keeps 4096 bytes of it with a transaction
        (tmp_path / "ckpt").unlink()


def test_a_checkpoint_that_does_not_say_which_input_it_is_of_is_refused(tmp_path):
    (tmp_path / "ckpt").write_text('{"version":1,"source":"lines","to":[],"done":true}')
    done = run("wt-ingest", "lines", "/dev/null", options={
        "to": "json:%s" % (tmp_path / "out"), "checkpoint": str(tmp_path / "ckpt")})
    assert done.returncode == 64 and "earlier version" in done.stderr, done.stderr


def stopped_in(names, tmp_path, monkeypatch, **more):
    """A run that stopped at a bad row of the second file, which then is mended."""
    monkeypatch.chdir(tmp_path)
    for i, name in enumerate(names):
        with open(name, "w", encoding="ascii") as f:
            f.write("a\n%d\n%s\n" % (10 * i, "x" if i == 1 else 10 * i + 1))
    options = {"columns": "a:int", "to": "json:out", "checkpoint": "ckpt", **more}
    done = run("wt-ingest", "csv", "*.csv", options=options)
    assert done.returncode == 64, done.stderr
    with open(names[1], "r+", encoding="ascii") as f:
        f.write("a\n10\n9\n")
    return options


def test_a_file_that_was_renamed_is_found_again(tmp_path, monkeypatch):
    options = stopped_in(("1.csv", "2.csv", "4.csv"), tmp_path, monkeypatch)
    os.rename("2.csv", "3.csv")
    ok("csv", "*.csv", options=options)
    numbers = [int(line[5:-2]) for line in open("out", encoding="ascii")]
    assert numbers == [0, 1, 10, 9, 20, 21]


@pytest.mark.parametrize("renames, why", [
    ([("2.csv", "x"), ("3.csv", "2.csv"), ("x", "3.csv")], "is now 3.csv"),
    ([("2.csv", "4.csv")], "whether 3.csv was read"),
    ([("2.csv", "0.csv")], "whether 1.csv was read"),
    ([("2.csv", "gone")], "not among the files"),
    ([("2.csv", "gone"), ("3.csv", "2.csv")], "not among the files")])
def test_files_whose_new_names_leave_open_what_was_read_are_refused(
        tmp_path, monkeypatch, renames, why):
    options = stopped_in(("1.csv", "2.csv", "3.csv"), tmp_path, monkeypatch)
    for old, new in renames:
        os.rename(old, new)
    done = run("wt-ingest", "csv", "*.csv", options=options)
    assert done.returncode == 74 and why in done.stderr, done.stderr


def follow(tmp_path, until, **more):
    """Follows app.log until the output is so; answers what was said."""
    part, log = tmp_path / "out.part", tmp_path / "log"
    log.write_text("")
    p = Program("wt-ingest", "lines", str(tmp_path / "app.log"), log=str(log), options={
        "to": "csv:%s" % (tmp_path / "out"), "follow": "true", "header": "false",
        "checkpoint": tmp_path / "ckpt", "checkpoint.interval-ms": 50, **more})
    wait_until(lambda: part.exists() and part.read_bytes() == until, what=p.text)
    p.signal(signal.SIGTERM)
    assert p.wait() == 0
    return p.text()


def test_a_followed_file_that_was_cut_while_nobody_read_is_read_from_its_start(tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(b"1\n2\n3\n")
    follow(tmp_path, b"1\n2\n3\n")
    with open(path, "r+b") as f:
        f.truncate(0)
        f.write(b"4\n")
    assert "followed_file_was_cut" in follow(tmp_path, b"1\n2\n3\n4\n")
    with open(path, "ab") as f:
        f.write(b"5\n")
    assert "followed_file_was_cut" not in follow(tmp_path, b"1\n2\n3\n4\n5\n")


def test_a_file_that_came_and_was_rotated_while_nobody_followed_is_named(tmp_path):
    path = tmp_path / "app.log"
    (tmp_path / "app.log.0").write_bytes(b"older\n")
    path.write_bytes(b"1\n")
    follow(tmp_path, b"1\n")
    os.rename(path, tmp_path / "app.log.2")
    time.sleep(0.02)
    (tmp_path / "app.log.1").write_bytes(b"2\n")
    path.write_bytes(b"3\n")
    said = [line for line in follow(tmp_path, b"1\n3\n").splitlines()
            if "rotated_file_is_not_read" in line]
    assert len(said) == 1 and "app.log.1 " in said[0]


def test_rows_of_standard_input_that_are_sent_again_are_gone_on_with(tmp_path):
    options = {"columns": "a:int", "to": "json:%s" % (tmp_path / "out"),
               "checkpoint": tmp_path / "ckpt"}
    for rows, code in ((b"a\n1\nx\n", 64), (b"a\n1\n2\n", 0)):
        (tmp_path / "in").write_bytes(rows)
        with subprocess.Popen(["cat", tmp_path / "in"], stdout=subprocess.PIPE) as cat:
            done = run("wt-ingest", "csv", "-", options=options, stdin=cat.stdout)
        assert done.returncode == code, done.stderr
    assert (tmp_path / "out").read_bytes() == b'{"a":1}\n{"a":2}\n'
