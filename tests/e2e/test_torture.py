"""The short form of make torture: two minutes of faults, nothing lost, stale, twice or unexplained."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TORTURE = os.path.join(os.path.dirname(HERE), "faults", "torture.py")


def test_two_minutes_of_faults_leave_no_difference():
    done = subprocess.run([sys.executable, TORTURE, "--seed", "1", "--minutes", "1.2", "--seconds", "20"],
                          env=dict(os.environ, WT_BIN="build/debug/bin"), text=True, timeout=900,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
