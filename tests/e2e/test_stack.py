"""The ground that the other tests stand on."""
import pytest
from programs import wait_until


def test_what_goes_into_kafka_can_be_read_back(world):
    places = world.produce([("a", {"id": "a"}), ("b", None), ("a", {"id": "a", "age": 2})])
    assert places[0][0] == places[2][0] and places[2][1] > places[0][1]
    got = {(m.partition(), m.offset()): (m.key(), m.value()) for m in world.records()}
    assert got[places[0]] == (b"a", b'{"id": "a"}')
    assert got[places[1]] == (b"b", None)
    assert world.lag() == 3


def test_each_test_has_empty_stores(world):
    assert world.keys() == {} and world.records() == []
    assert world.sql("SELECT DATABASE()")[0][0].startswith("writethrough_")


def test_a_topic_that_nobody_made_does_not_appear(world):
    with pytest.raises(Exception):
        world.produce([("a", {})], topic=world.topic + "-typo")


def test_commits_are_durable(world):
    assert world.sql("SELECT @@innodb_flush_log_at_trx_commit") == [(1,)]
    assert world.redis.config_get("append*")["appendonly"] == "yes"
    assert world.redis.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_a_server_restarts_with_its_data(private_servers, tmp_path):
    from world import World
    world = World(private_servers.env, tmp_path)
    places = world.produce([("k", {"id": "k"})])
    world.sql("CREATE TABLE kept (n INT)")
    world.sql("INSERT INTO kept VALUES (7)")
    world.redis.set("user:k", "x")
    wait_until(lambda: world.redis.info("persistence")["aof_pending_bio_fsync"] == 0)
    for server in private_servers.own.values():
        assert server.stop() == "stopped"
    before = private_servers.env
    private_servers.restart()
    assert private_servers.env == before
    assert world.sql("SELECT n FROM kept") == [(7,)]
    assert world.redis.get("user:k") == "x"
    assert [(m.partition(), m.offset()) for m in world.records()] == places
    world.close()
