"""Records whose Kafka key is not their row's key: two partitions may hold them, and nothing orders them."""
import re

import pytest

from test_deadletters import headers, user


def mismatches(world, consumer):
    text = world.http.get(consumer.url + "/metrics", timeout=5).text
    return int(float(re.search(r"^writethrough_key_mismatches_total (\S+)", text, re.M)[1]))


RECORDS = [("u1", user("u1")), ("other", user("u2")), (None, user("u3")), ("u4", user("u4")), ("x", user("u5"))]


@pytest.mark.parametrize("rule", ["warn", "allow"])
def test_they_are_applied_and_said_once_a_partition(world, rule):
    consumer = world.consumer({"key.mismatch": rule, "batch.records": 1})
    world.produce(RECORDS, partition=1)
    world.wait_drained()
    assert set(world.rows()) == {"u1", "u2", "u3", "u4", "u5"} and world.keys() == world.rows()
    said = re.findall(r"event=key_mismatch .*partition=1 .*", consumer.text())
    assert len(said) == (rule == "warn") and mismatches(world, consumer) == (3 if rule == "warn" else 0)
    assert consumer.stop() == 0


def test_they_become_dead_letters_where_that_is_asked_for(world):
    consumer = world.consumer({"key.mismatch": "deadletter"})
    places = world.produce(RECORDS, partition=1)
    world.wait_drained()
    assert set(world.rows()) == {"u1", "u4"} and world.keys() == world.rows()
    letters = {int(headers(m)["wt.origin.offset"]): headers(m) for m in world.records(world.dlq)}
    assert set(letters) == {places[n][1] for n in (1, 2, 4)}
    assert all(h["wt.error.reason"].startswith("key_mismatch: ") for h in letters.values())
    assert mismatches(world, consumer) == 0 and consumer.stop() == 0


def test_a_catch_up_refreshes_what_was_applied_under_another_rule(world):
    """MySQL took the record under `warn`, the process died before Redis had it"""
    consumer = world.consumer(ready=False)
    world.produce([("u1", user("u1")), ("other", user("u2", age=1))], partition=1)
    world.wait_drained()
    assert consumer.stop() == 0
    fence = "writethrough:{%s:%s:1}" % (world.group, world.topic)
    world.redis.hset(fence, mapping={"next": "%020d" % 1, "seen": "%020d" % 1})
    world.redis.delete("user:u2")
    consumer = world.consumer({"key.mismatch": "deadletter"})
    assert world.keys() == world.rows() and set(world.rows()) == {"u1", "u2"}
    assert consumer.stop() == 0
