"""The short form of make torture: two minutes of faults, nothing lost, stale, twice or unexplained."""
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TORTURE = os.path.join(os.path.dirname(HERE), "faults", "torture.py")
# One of each sort. redis_flush and redis_loses_fences wait for a rebuild: in the long form.
FAULTS = ("kill_at_mysql_after_commit", "kill_at_mysql_before_commit", "kill_at_redis_after_script",
          "kill_at_dlq_after_delivery", "late_mysql", "late_redis", "mysql_lost_commit",
          "redis_lost_script", "mysql_deadlock", "kill_mysql", "drain_consumer")


def test_two_minutes_of_faults_leave_no_difference():
    done = subprocess.run([sys.executable, TORTURE, "--seed", "1", "--rounds", "1", "--seconds", "70",
                           "--rebuild-seconds", "0", "--faults", ",".join(FAULTS)],
                          env=dict(os.environ, WT_BIN="build/debug/bin"), text=True, timeout=900,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
