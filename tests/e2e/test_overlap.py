"""One batch may be with Redis while the next one is with MySQL, and never more than that."""
import signal
import time

import pytest
from confluent_kafka import Consumer, TopicPartition

from programs import wait_until
from world import PARTITIONS, World

BATCH = 100
OPTIONS = {"batch.records": BATCH, "commit.interval-ms": 10, "redis.io-timeout-ms": 60000}


@pytest.fixture
def own_world(own_servers, tmp_path):
    world = World(own_servers.env, tmp_path)
    yield world
    own_servers.own["redis"].signal(signal.SIGCONT)
    world.close()


def produce_users(world, count):
    world.produce([("u%d" % n, {"id": "u%d" % n, "name": "n", "age": n % 90, "occupation": "o"})
                   for n in range(count)])


def ledger(world):
    return dict(world.sql("SELECT partition_id, next_offset FROM writethrough_ledger"))


def committed(world):
    consumer = Consumer({"bootstrap.servers": world.env["KAFKA_BROKERS"], "group.id": world.group})
    places = consumer.committed([TopicPartition(world.topic, p) for p in range(PARTITIONS)], 10)
    consumer.close()
    return {place.partition: max(place.offset, 0) for place in places}


@pytest.mark.parametrize("workers", [1, PARTITIONS])
def test_mysql_waits_for_a_redis_that_does_not_answer(own_world, own_servers, workers):
    produce_users(own_world, 60000)
    own_world.consumer(dict(OPTIONS, workers=workers), ready=False)
    wait_until(lambda: sum(ledger(own_world).values()) > 2000, 30)
    own_servers.own["redis"].signal(signal.SIGSTOP)
    time.sleep(1.5)  # what is in hand comes to its end, and the offsets are committed
    stands, told = ledger(own_world), committed(own_world)
    assert sum(stands.values()) < 60000, "too fast for this test"
    ahead = [stands[p] - told[p] for p in stands]
    assert all(0 <= n <= BATCH for n in ahead), ahead
    assert sum(ahead) > 0
    if workers == 1:  # it has one batch on its way, whosever it is
        assert sum(ahead) <= BATCH, ahead
    time.sleep(0.5)
    assert ledger(own_world) == stands
    own_servers.own["redis"].signal(signal.SIGCONT)
    own_world.wait_drained()
    assert own_world.keys() == own_world.rows()
    assert len(own_world.rows()) == 60000


def test_a_redis_that_dies_with_a_batch_is_caught_up(own_world, own_servers):
    """The answer never comes, while the next batch is open in MySQL."""
    produce_users(own_world, 60000)
    consumer = own_world.consumer(dict(OPTIONS, workers=1), ready=False)
    wait_until(lambda: sum(ledger(own_world).values()) > 2000, 30)
    own_servers.own["redis"].signal(signal.SIGSTOP)
    time.sleep(0.5)
    own_world.redis.connection_pool.disconnect()
    own_servers.own["redis"].signal(signal.SIGKILL)
    wait_until(lambda: not own_servers.own["redis"].pid(), 10)
    own_servers.restart()
    own_world.wait_drained()
    rows = own_world.rows()
    assert len(rows) == 60000 and consumer.running()
    wait_until(lambda: own_world.keys() == rows, 60)
