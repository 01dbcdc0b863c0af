"""Memory has a bound at any backlog: docs/operations.md says it, this measures it. WT_MEMORY_MIB sets the
backlog (150; by hand 300 to 1024)."""
import json
import os
import signal
import time

import confluent_kafka
import pytest

from programs import wait_until
from world import PARTITIONS, World

MIB = 1 << 20
BACKLOG_MIB = int(os.environ.get("WT_MEMORY_MIB", "150"))
# The heap of a sanitizer build is another one.
BUILT_TO_MEASURE = not any(v in os.environ.get("WT_BIN", "") for v in ("asan", "tsan"))
FETCH, BATCH, RECORD = 8 * MIB, 2 * MIB, 700 << 10
if os.environ.get("WT_MEMORY_DEFAULTS"):  # fetch.bytes and batch.bytes as they come
    FETCH, BATCH = 6 * MIB, 4 * MIB


def bound_bytes(partitions, workers, fetch=FETCH, batch=BATCH, record=RECORD, smallest=400):
    """docs/operations.md, "Memory": change both"""
    answer = min(max(fetch * 5 // 12, MIB), 5 * MIB // 2)
    queues = partitions * 2 * (fetch + max(1, 400 / smallest) * answer)
    return 32 * MIB + queues + fetch + 16 * batch + workers * 10 * (batch + record)


def rss(consumer, field="VmRSS"):
    with open("/proc/%d/status" % consumer.pid, encoding="ascii") as f:
        return [int(line.split()[1]) << 10 for line in f if line.startswith(field + ":")][0]


@pytest.fixture
def documents(private_servers, tmp_path):
    """a world with large records: a text of a key in a column of its own"""
    world = World(private_servers.env, tmp_path)
    world.sql("CREATE TABLE documents (id VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY, doc MEDIUMTEXT NOT NULL)"
              " DEFAULT CHARSET=utf8mb4")
    path = str(tmp_path / "mapping.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"routes": [{"topic": world.topic, "table": "documents", "mode": "upsert", "columns": [
            {"field": "id", "column": "id", "type": "string", "key": True},
            {"field": "doc", "column": "doc", "type": "string"}],
            "cache": {"key": "doc:{id}", "format": "json"}}]}, f)
    world.settings = {"mapping": path, "fetch.bytes": FETCH, "batch.bytes": BATCH, "mysql.io-timeout-ms": 5000}
    world.servers = private_servers
    yield world
    world.servers.restart()
    world.close()


def backlog(world, mib=BACKLOG_MIB):
    """few large and many middling records, as JSON with much to escape"""
    sizes, made, number = (4096, 20000, RECORD - 1000, 1000), 0, 0
    while made < mib * MIB:
        part = []
        while sum(len(value) for _, value in part) < 32 * MIB:
            size = sizes[number % len(sizes)]
            text = ('"line"\n\\' * (size // 10))[:size * 4 // 5]
            part.append(("d%d" % (number % 5000), json.dumps({"id": "d%d" % (number % 5000), "doc": text})))
            number += 1
        world.produce(part)
        made += sum(len(value) for _, value in part)


def highest(consumer, seconds):
    most, deadline = 0, time.monotonic() + seconds
    while time.monotonic() < deadline and consumer.running():
        most = max(most, rss(consumer))
        time.sleep(0.05)
    assert consumer.running(), consumer.text()[-2000:]
    return most


@pytest.mark.skipif(not BUILT_TO_MEASURE, reason="a sanitizer's heap is another one")
@pytest.mark.parametrize("how", ["frozen", "killed"])
def test_memory_stays_within_its_bound_while_mysql_is(documents, how):
    world = documents
    mysql = world.servers.own["mysql"]
    world.produce([("d0", {"id": "d0", "doc": "first"})])
    consumer = world.consumer(world.settings, ready=False)
    world.wait_drained()
    base = rss(consumer)
    mysql.signal(signal.SIGSTOP if how == "frozen" else signal.SIGKILL)
    backlog(world)
    waiting = highest(consumer, 15)
    if how == "frozen":
        mysql.signal(signal.SIGCONT)
    else:
        world.servers.restart()
    wait_until(lambda: world.lag() == 0, 60 + BACKLOG_MIB, "lag 0", every=0.1)
    draining = rss(consumer, "VmHWM")
    print("memory, MiB: %d at rest, %d while MySQL is %s, %d at most, bound %d, backlog %d" % (
        base / MIB, waiting / MIB, how, draining / MIB, bound_bytes(PARTITIONS, PARTITIONS) / MIB, BACKLOG_MIB))
    assert max(waiting, draining) < bound_bytes(PARTITIONS, PARTITIONS)
    assert waiting > base + 2 * FETCH, "the backlog never came: this proves nothing"
    assert consumer.stop() == 0


@pytest.mark.skipif(not BUILT_TO_MEASURE, reason="a sanitizer's heap is another one")
def test_a_partition_that_waits_pins_nothing_of_what_the_others_take(world):
    """a row that somebody locks holds one partition up; its few records lie in the same answers of the
    broker as the others' many"""
    fetch, batch = MIB, 256 << 10

    def user(key, number):
        text = "" if key == "held" else "t" * 220
        return {"id": key, "name": text, "age": number, "occupation": text}
    world.produce([("held", user("held", 0))], partition=0)
    consumer = world.consumer({"fetch.bytes": fetch, "batch.bytes": batch}, ready=False)
    world.wait_drained()
    with world._mysql() as other:
        other.begin()
        other.cursor().execute("SELECT * FROM users WHERE id='held' FOR UPDATE")
        base, last = rss(consumer), 0
        while last * 60 * 500 < 180 * MIB:
            last = produce_over(world, user, last)
        wait_until(lambda: world.lag() <= last, 60, "the others are through")
        most = rss(consumer, "VmHWM")
        other.rollback()
    world.wait_drained()
    print("memory, MiB: %d at rest, %d at most while one waits" % (base / MIB, most / MIB))
    assert most - base < bound_bytes(PARTITIONS, PARTITIONS, fetch, batch, 1000) - 32 * MIB, most / MIB
    rows = world.rows()
    assert rows["held"][1] == last and world.keys() == rows and len(rows) == 601
    assert consumer.stop() == 0


@pytest.mark.skipif(not BUILT_TO_MEASURE, reason="a sanitizer's heap is another one")
def test_many_small_records_stay_within_the_bound(world):
    """a record costs the library more than its few bytes"""
    fetch, batch = 4 * MIB, 256 << 10
    value = '{"id":"k","name":"","age":1,"occupation":""}'
    world.produce([("k", value)], partition=0)
    options = {"fetch.bytes": fetch, "batch.bytes": batch, "batch.records": 1}
    consumer = world.consumer(options, ready=False)
    world.wait_drained()
    out = confluent_kafka.Producer({"bootstrap.servers": world.env["KAFKA_BROKERS"], "linger.ms": 50})
    with world._mysql() as other:
        other.begin()
        other.cursor().execute("SELECT * FROM writethrough_ledger FOR UPDATE")
        for n in range(PARTITIONS * 110000):
            if n % 1000 == 0:
                out.poll(0)
            if n % 50000 == 0:
                out.flush(60)
            out.produce(world.topic, key="k", value=value, partition=n % PARTITIONS)
        assert out.flush(60) == 0
        most = highest(consumer, 5)
        other.rollback()
    print("memory, MiB: %d at most with small records" % (most / MIB))
    assert most < bound_bytes(PARTITIONS, 0, fetch, 0, 0, len(value)), most / MIB  # no batch is in hand
    consumer.kill()


def produce_over(world, user, last):
    """6,000 records to the partitions 1 to 5, and after each 60 of them one for the waiting one"""
    out = confluent_kafka.Producer({"bootstrap.servers": world.env["KAFKA_BROKERS"], "acks": "all", "linger.ms": 5})
    for n in range(6000):
        if n % 60 == 0:
            last += 1
            out.produce(world.topic, key="held", value=json.dumps(user("held", last)), partition=0)
        key = "k%d" % (n % 600)
        out.produce(world.topic, key=key, value=json.dumps(user(key, n)), partition=1 + n % 5)
    assert out.flush(60) == 0
    return last
