"""mode append: keyless records, each exactly once, and no cache."""
import json
import os

import pytest

from programs import wait_until
from world import PARTITIONS

MAPPING = {"routes": [{"topic": None, "table": "events", "mode": "append", "columns": [
    {"field": "n", "column": "n", "type": "int"},
    {"field": "what.text", "column": "text", "type": "string", "default": "none"}]}]}


@pytest.fixture
def events(world):
    """A world whose topic is appended to the table events(n, text)."""
    world.sql("CREATE TABLE events (seq BIGINT AUTO_INCREMENT PRIMARY KEY, n INT NOT NULL, "
              "text VARCHAR(20) NOT NULL)")
    mapping = json.loads(json.dumps(MAPPING))
    mapping["routes"][0]["topic"] = world.topic
    path = os.path.join(world.folder, "mapping.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump(mapping, f)
    world.mapping = {"mapping": path}
    return world


def produce(world, numbers, text="x"):
    world.produce([(None, {"n": n, "what": {"text": text}}) for n in numbers])


def numbers(world):
    return sorted(row[0] for row in world.sql("SELECT n FROM events"))


def test_each_record_is_appended_once_through_kills(events):
    produce(events, range(6000))
    for _ in range(3):
        consumer = events.consumer({"batch.records": 20, **events.mapping}, ready=False)
        before = len(numbers(events))
        wait_until(lambda: len(numbers(events)) > before + 200 or events.lag() == 0, 30)
        consumer.kill()
    events.consumer(events.mapping, ready=False)
    events.wait_drained()
    assert numbers(events) == list(range(6000))


def test_a_fence_behind_moves_on_without_rows_for_the_cache(events):
    produce(events, range(300))
    consumer = events.consumer(events.mapping, ready=False)
    events.wait_drained()
    assert consumer.stop() == 0
    for p in range(PARTITIONS):
        name = "writethrough:{%s:%s:%d}" % (events.group, events.topic, p)
        events.redis.hset(name, mapping={"next": "%020d" % 0, "seen": "%020d" % 0})
    consumer = events.consumer(events.mapping, ready=False)
    produce(events, range(300, 400))
    events.wait_drained()
    assert numbers(events) == list(range(400))
    assert not list(events.redis.scan_iter("user:*"))


def test_a_record_that_does_not_fit_is_a_letter_and_a_default_fills_a_gap(events):
    produce(events, range(10))
    produce(events, [77], text="y" * 30)
    events.produce([(None, {"n": 10})])
    events.consumer(events.mapping, ready=False)
    events.wait_drained()
    assert numbers(events) == list(range(11))
    assert events.sql("SELECT text FROM events WHERE n = 10") == [("none",)]
    assert len(events.records(events.dlq)) == 1


def test_two_records_of_one_unique_key_in_one_batch_are_a_row_and_a_letter(events):
    events.sql("ALTER TABLE events ADD UNIQUE KEY once (n)")
    events.produce([(b"k", {"n": n, "what": {"text": "x"}}) for n in (1, 7, 3, 7, 9)])
    events.consumer(events.mapping, ready=False)
    events.wait_drained()
    assert numbers(events) == [1, 3, 7, 9]
    assert len(events.records(events.dlq)) == 1
