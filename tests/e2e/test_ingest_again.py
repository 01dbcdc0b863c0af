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
