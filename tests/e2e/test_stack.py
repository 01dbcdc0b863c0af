"""The ground that the other tests stand on."""
import os
import shutil
import sys

import pytest
from programs import ROOT, wait_until

sys.path.insert(0, os.path.join(ROOT, "stack"))
from wtstack import pipeline, servers  # noqa: E402
from wtstack.daemon import Daemon  # noqa: E402


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


def test_up_starts_over_what_was_built_anew_or_set_otherwise_and_nothing_else(
        private_servers, tmp_path, monkeypatch):
    run, env, said = private_servers.run, dict(private_servers.env), []
    monkeypatch.setenv("WT_BIN", str(tmp_path))
    for name in pipeline.PROGRAMS:
        shutil.copy(os.path.join(ROOT, "build", "bin", name), tmp_path)

    def up():
        del said[:]
        assert pipeline.up(run, env, private=True, say=said.append), said
        return {name: Daemon(run, name).pid() for name in pipeline.PROGRAMS}
    servers.kafka.create_topics(env["KAFKA_BROKERS"], servers.TOPICS)
    servers.mariadb.apply_schema(env, os.path.join(ROOT, "sql"))
    try:
        first, urls = up(), {k: env[k] for k in ("STATUS_URL", "PRODUCER_URL")}
        assert up() == first
        # As a linker does it: another file under the same name.
        program = tmp_path / "wt-producer"
        content = program.read_bytes()
        program.unlink()
        program.write_bytes(content)
        program.chmod(0o755)
        assert up() == first  # the same program, though another file
        program.unlink()
        program.write_bytes(content + b"another")
        program.chmod(0o755)
        second = up()
        assert second["wt-producer"] != first["wt-producer"]
        assert second["wt-consumer"] == first["wt-consumer"]
        assert [s for s in said if "starts over: it was built anew" in s][0].startswith("wt-prod")
        assert urls == {k: env[k] for k in urls}
        with open(os.path.join(run, "wt-consumer.properties"), "a") as f:
            f.write("log.level=debug\n")
        assert up()["wt-consumer"] != second["wt-consumer"]
        assert any("its settings changed" in s for s in said)
    finally:
        pipeline.down(run, say=said.append)


def test_kafka_keeps_its_data_in_a_folder_of_any_name(tmp_path, monkeypatch):
    monkeypatch.setenv("LC_ALL", "C")
    run, ports = str(tmp_path / "für, alle"), servers.runenv.Ports(private=True)
    for _ in range(2):
        kafka = servers.kafka.Kafka(run, servers.JARS)
        try:
            kafka.start(ports.pick(0), ports)
        finally:
            kafka.daemon.stop()
    assert os.path.exists(os.path.join(run, "kafka", "data", "meta.properties"))
