"""wt-ingest: what is refused although something looks like a leave to go on. No server."""
import pytest
from programs import run


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
