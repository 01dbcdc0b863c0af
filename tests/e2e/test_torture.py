"""The short form of make torture: a fault of each sort, nothing lost, stale, twice or unexplained."""
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
TORTURE = os.path.join(os.path.dirname(HERE), "faults", "torture.py")
# One of each sort; a third member comes and goes all the time, workers follow the lag.
FAULTS = ("kill_at_mysql_after_commit", "kill_at_mysql_before_commit", "kill_at_redis_after_script",
          "kill_at_dlq_after_delivery", "late_mysql", "late_redis", "mysql_lost_commit",
          "redis_lost_exec", "mysql_deadlock", "kill_mysql", "drain_consumer", "redis_flush",
          "redis_loses_fences", "second_member", "workers")


def test_a_fault_of_each_sort_leaves_no_difference():
    done = subprocess.run([sys.executable, TORTURE, "--seed", "1", "--rounds", "1", "--seconds", "180",
                           "--once", "--faults", ",".join(FAULTS)],
                          env=dict(os.environ, WT_BIN="build/debug/bin"), text=True, timeout=900,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    assert done.returncode == 0, done.stdout
    print(done.stdout)
    assert int(re.search(r"1 rounds, (\d+) faults", done.stdout)[1]) > len(FAULTS) - 3, done.stdout
