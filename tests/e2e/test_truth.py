"""A running consumer against Kafka's own kafka-consumer-groups: /status, /metrics and `wt-consumer
lag` say what it says, whatever was done to worker, log, broker and offsets. Never negative, never 0
when unknown."""
import time

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

import lag_tools
from programs import wait_until
from world import PARTITIONS, World

FROZEN = 3  # the partition whose worker hangs


@pytest.fixture
def world(own_servers, tmp_path):
    made = World(own_servers.env, tmp_path)
    yield made
    made.close()


def user(n):
    return "u%d" % n, {"id": "u%d" % n, "name": "Ada", "age": 36, "occupation": "engineer"}


def fill(world, partition, count):
    world.produce([user(partition * 100000 + n) for n in range(count)], partition=partition)


def status(consumer):
    return requests.get(consumer.url + "/status", timeout=5).json()


def by_status(consumer):
    return {p["partition"]: (p["committed"], p["end"], p["lag"])
            for p in status(consumer)["partitions"]}


def by_metrics(world, consumer):
    """A sample that is not there is unknown."""
    text = requests.get(consumer.url + "/metrics", timeout=5).text
    names = ("kafka_consumergroup_current_offset", "kafka_topic_partition_current_offset",
             "kafka_consumergroup_lag")
    found, total = {p: [None] * 3 for p in range(PARTITIONS)}, None
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name in names and sample.labels["topic"] == world.topic:
                found[int(sample.labels["partition"])][names.index(sample.name)] = int(sample.value)
            if sample.name == "kafka_consumergroup_lag_sum":
                total = sample.value
    lags = [lag for _, _, lag in found.values() if lag is not None]
    assert total is None or total == sum(lags)
    return {p: tuple(values) for p, values in found.items()}


def by_lag(world):
    looked = lag_tools.lag(world.env["KAFKA_BROKERS"], world.group, world.topic)
    return {p["partition"]: (p["committed"], p["end"], p["lag"]) for p in looked["partitions"]}


def agreed(world, consumer=None):
    """The figures that all give, nothing moving; a look may be half a second old."""
    for attempt in range(4):
        told = {p: values for (topic, p), values in lag_tools.truth(
            world.env["KAFKA_BROKERS"], world.group).items() if topic == world.topic}
        seen = {"lag": by_lag(world)}
        if consumer:
            seen.update(status=by_status(consumer), metrics=by_metrics(world, consumer))
        differ = [(who, p, values, told[p]) for who, view in seen.items()
                  for p, values in view.items() if p in told and values != told[p]]
        if told and not differ:
            break
        time.sleep(1)
    assert told and not differ, differ
    for view in seen.values():
        for committed, _, lag in view.values():
            assert lag is None or lag >= 0
            assert committed is not None or lag is None  # unknown is not 0
    return {p: lag for p, (_, _, lag) in told.items()}


def freeze(world):
    """The worker of one partition waits for its row of the ledger."""
    lock = world._mysql()
    lock.begin()
    lock.cursor().execute("SELECT * FROM writethrough_ledger WHERE group_id = %s AND topic = %s "
                          "AND partition_id = %s FOR UPDATE", (world.group, world.topic, FROZEN))
    return lock


def test_one_frozen_worker_and_deleted_records(world, tmp_path):
    consumer = world.consumer()
    for partition in range(PARTITIONS):
        fill(world, partition, 50)
    wait_until(lambda: status(consumer)["total"]["lag"] == 0, 20)
    assert set(agreed(world, consumer).values()) == {0}
    lock = freeze(world)
    try:
        for partition in range(PARTITIONS):
            fill(world, partition, 80)
        frozen = wait_until(lambda: (lambda p: p if p["state"] == "STALL" else None)(
            status(consumer)["partitions"][FROZEN]), 40)
        assert frozen["lag"] == 80 and 5 < frozen["lag_seconds"] < 45
        assert agreed(world, consumer) == {p: 80 if p == FROZEN else 0
                                           for p in range(PARTITIONS)}
        lag_tools.delete_records(world.env["KAFKA_BROKERS"], world.topic, FROZEN, 110, tmp_path)
        assert agreed(world, consumer)[FROZEN] == 80
        wait_until(lambda: status(consumer)["partitions"][FROZEN]["low"] == 110, 10)
    finally:
        lock.close()
    # They were in the worker's hands.
    wait_until(lambda: status(consumer)["total"]["lag"] == 0, 60)
    agreed(world, consumer)


def test_what_is_produced_while_it_is_stopped_and_reset_offsets(world):
    consumer = world.consumer()
    fill(world, FROZEN, 200)
    # not "lag 0": that is also the answer of a look before the records were there
    wait_until(lambda: by_status(consumer)[FROZEN] == (200, 200, 0), 20)
    assert consumer.stop() == 0
    fill(world, FROZEN, 300)
    assert agreed(world)[FROZEN] == 300
    lock = freeze(world)  # so that there is something to compare
    try:
        consumer = world.consumer(ready=False)
        wait_until(lambda: consumer.text().count("status_listening"), 20)
        wait_until(lambda: status(consumer)["partitions"] and
                   status(consumer)["partitions"][FROZEN]["lag"] == 300, 20)
        assert agreed(world, consumer)[FROZEN] == 300
    finally:
        lock.close()
    wait_until(lambda: status(consumer)["total"]["lag"] == 0, 60)
    assert consumer.stop() == 0
    # The group's offsets belong to Kafka; the ledger knows better where to go on.
    lag_tools.reset(world.env["KAFKA_BROKERS"], world.group, world.topic, "--to-earliest")
    assert agreed(world)[FROZEN] == 500
    consumer = world.consumer()
    wait_until(lambda: status(consumer)["total"]["lag"] == 0, 30)
    assert agreed(world, consumer)[FROZEN] == 0
    assert len(world.rows()) == 300


def test_a_broker_that_restarts(own_servers, world):
    consumer = world.consumer()
    fill(world, FROZEN, 100)
    wait_until(lambda: status(consumer)["total"]["lag"] == 0, 20)
    own_servers.own["kafka"].stop()
    try:
        wait_until(lambda: status(consumer)["total"]["lag"] is None, 30)
        ours = status(consumer)
        assert ours["health"]["level"] == "unknown" and ours["total"]["lag_seconds"] is None
        assert {lag for _, _, lag in by_metrics(world, consumer).values()} == {None}
        done = lag_tools.lag(world.env["KAFKA_BROKERS"], world.group, world.topic, check=False)
        assert done.returncode == 69 and done.stdout == ""
    finally:
        own_servers.restart()
    fill(world, FROZEN, 100)
    wait_until(lambda: status(consumer)["total"]["lag"] == 0 and
               status(consumer)["total"]["end"] == 200, 60)
    agreed(world, consumer)
