"""A partition whose queue went silent although the broker has more is said and started over."""
import os
import re
import signal
import subprocess
import time

import pytest

from programs import ROOT, wait_until

WATCHDOG_S = 3


def produce_users(world, count, age, partition=None):
    world.produce([("u%d" % n, {"id": "u%d" % n, "name": "n", "age": age, "occupation": "o"})
                   for n in range(count)], partition)


def stalls(consumer):
    return [int(p) for p in re.findall(r"event=partition_stalled .*?partition=(\d+)", consumer.text())]


@pytest.fixture
def silent_library(tmp_path):
    made = str(tmp_path / "silent_queue.so")
    subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", made,
                    os.path.join(ROOT, "tests/faults/silent_queue.c"), "-ldl"], check=True)
    return made


def test_a_silent_queue_is_said_and_started_over_each_time(world, silent_library):
    consumer = world.consumer({"watchdog.ms": WATCHDOG_S * 1000, "batch.records": 10}, ready=False, env={
        "LD_PRELOAD": silent_library, "SILENT_AFTER": "40", "SILENT_TIMES": "2"})
    produce_users(world, 3000, age=1, partition=3)
    wait_until(lambda: "silent_queue: partition" in consumer.text(), 30)
    began = time.monotonic()
    wait_until(lambda: len(stalls(consumer)) == 2, 60)
    assert time.monotonic() - began > WATCHDOG_S
    world.wait_drained(30)
    silent = [int(p) for p in re.findall(r"silent_queue: partition (\d+)", consumer.text())]
    assert stalls(consumer) == silent
    rows = world.rows()
    assert len(rows) == 3000 and world.keys() == rows
    status = world.http.get(consumer.url + "/status", timeout=5).json()
    assert "made no progress" in str(status["marks"] if "marks" in status else status)
    assert all(not p["error"] for p in status["partitions"]), status["partitions"]
    assert consumer.stop() == 0


def test_neither_an_idle_partition_nor_one_that_waits_for_its_store_is_started_over(
        private_servers, tmp_path):
    from world import World
    world = World(private_servers.env, tmp_path)
    consumer = world.consumer({"watchdog.ms": 1000})
    produce_users(world, 600, age=1)
    world.wait_drained()
    time.sleep(4)  # idle
    private_servers.own["mysql"].signal(signal.SIGKILL)
    produce_users(world, 600, age=2)
    time.sleep(5)  # the broker has more, and the reason is known
    assert not stalls(consumer), consumer.text()[-3000:]
    private_servers.restart()
    world.wait_drained()
    assert {row[1] for row in world.rows().values()} == {2}
    assert consumer.stop() == 0
    world.close()
