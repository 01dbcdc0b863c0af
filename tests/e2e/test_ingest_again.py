"""wt-ingest goes on from a checkpoint: which files were read, and how far. No server."""
from programs import run
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
