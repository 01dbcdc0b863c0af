"""SIGTERM while Kafka answers nothing: a drain ends by drain.timeout-ms, whatever is in hand."""
import signal
import time

import pytest

from programs import wait_until
from world import World

DRAIN_S = 3
# What may come on top of the deadline: one question to the brokers that is under way
# (kafka.timeout-ms here 2 s), the status page, and a busy machine.
MORE_S = 7
OPTIONS = {"drain.timeout-ms": DRAIN_S * 1000, "kafka.timeout-ms": 2000, "session.timeout.ms": 45000}


@pytest.fixture
def own_world(own_servers, tmp_path):
    world = World(own_servers.env, tmp_path)
    yield world
    own_servers.own["kafka"].signal(signal.SIGCONT)
    own_servers.restart()
    world.close()


def user(n):
    return "u%d" % n, {"id": "u%d" % n, "name": "n", "age": 1, "occupation": "o"}


def stop_in_time(consumer, code):
    began = time.monotonic()
    consumer.signal(signal.SIGTERM)
    assert consumer.wait(90) in code, consumer.text()[-3000:]
    took = time.monotonic() - began
    assert took < DRAIN_S + MORE_S, "%.1f s\n%s" % (took, consumer.text()[-3000:])


def hold_ledger(world):
    """nothing is applied until the transaction is rolled back"""
    db = world._mysql()
    db.begin()
    db.cursor().execute("SELECT * FROM writethrough_ledger FOR UPDATE")
    return db


def test_nothing_in_hand(own_world, own_servers):
    own_world.produce([user(n) for n in range(100)])
    consumer = own_world.consumer(OPTIONS)
    own_world.wait_drained()
    own_servers.own["kafka"].signal(signal.SIGSTOP)
    stop_in_time(consumer, (0,))


def test_the_broker_dies_with_the_request_to_leave_in_hand(own_world, own_servers):
    own_world.produce([user(n) for n in range(100)])
    consumer = own_world.consumer(OPTIONS)
    own_world.wait_drained()
    own_servers.own["kafka"].signal(signal.SIGSTOP)
    consumer.signal(signal.SIGTERM)
    time.sleep(0.3)
    own_servers.own["kafka"].signal(signal.SIGKILL)
    began = time.monotonic()
    assert consumer.wait(90) == 0
    assert time.monotonic() - began < DRAIN_S + MORE_S


def test_applied_and_not_yet_committed(own_world, own_servers):
    consumer = own_world.consumer(dict(OPTIONS, **{"commit.interval-ms": 60000}))
    own_world.produce([user(n) for n in range(100)])
    wait_until(lambda: len(own_world.keys()) == 100, 30)
    own_servers.own["kafka"].signal(signal.SIGSTOP)
    stop_in_time(consumer, (0,))


def test_a_letter_that_nobody_takes(own_world, own_servers):
    consumer = own_world.consumer(dict(OPTIONS, **{"batch.records": 1, "deadletter.timeout-ms": 60000}))
    own_world.produce([user(0)], partition=0)
    wait_until(lambda: own_world.rows(), 30)
    held = hold_ledger(own_world)
    own_world.produce([user(1), ("bad", "no JSON")], partition=0)
    time.sleep(1)  # both are fetched; the first waits for the lock
    own_servers.own["kafka"].signal(signal.SIGSTOP)
    held.rollback()
    wait_until(lambda: len(own_world.keys()) == 2, 30)
    stop_in_time(consumer, (75,))
    own_servers.own["kafka"].signal(signal.SIGCONT)
    again = own_world.consumer(ready=False)
    # librdkafka 2.8 has not even sent that it leaves: then it is a session timeout
    wait_until(lambda: [m for m in own_world.records(own_world.dlq) if m.value() == b"no JSON"], 90, every=1)
    assert again.stop() == 0


def test_a_row_that_somebody_locks(own_world):
    """not Kafka but MySQL does not answer: what is in hand comes again"""
    consumer = own_world.consumer(OPTIONS)
    own_world.produce([user(0)], partition=0)
    wait_until(lambda: own_world.rows(), 30)
    held = hold_ledger(own_world)
    own_world.produce([user(1)], partition=0)
    # from now on it waits longer for the lock (4 s) than the drain may take
    wait_until(lambda: own_world.sql("SELECT 1 FROM information_schema.PROCESSLIST WHERE DB = %s "
                                     "AND COMMAND <> 'Sleep' AND TIME_MS > 100 AND ID <> "
                                     "CONNECTION_ID()", own_world.env["MYSQL_DATABASE"]), 3)
    stop_in_time(consumer, (75,))
    held.rollback()
    again = own_world.consumer(ready=False)
    own_world.wait_drained(25)  # and not after a session timeout: the group was left
    assert len(own_world.rows()) == 2 and again.stop() == 0
