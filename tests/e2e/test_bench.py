"""The benches themselves: a short form of `make bench`, so that they still run when they are needed,
and a ratio that fell by more than half is noticed (tests/bench/baseline.py)."""
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "bench"))

PARTS = "drain,latency,http"


def test_every_row_comes_out_and_no_ratio_fell_by_half():
    done = subprocess.run(["/usr/bin/python3", os.path.join(ROOT, "tests/bench/bench.py"),
                           "--check", "--only", PARTS], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == 0, done.stdout[-6000:]


def test_a_ratio_that_is_half_of_what_it_was_is_named():
    import baseline
    from measure import Row
    up, down = Row("up", "1/s", ">=1"), Row("down", "s", "<=1")
    up.add(49, 100)
    down.add(201, 100)
    assert len(baseline.fallen([up, down], {"up": 1, "down": 1})) == 2
    up.add(51, 100)
    down.add(199, 100)
    assert baseline.fallen([up, down], {"up": 1, "down": 1}) == []
