"""The start of a partition (docs/protocol), case by case, on real parts."""
import json
import signal

import confluent_kafka
import pytest
from confluent_kafka.admin import AdminClient, NewTopic

from programs import wait_until
from world import PARTITIONS


def user(key, **more):
    return {"id": key, "name": "Name of " + key, "age": 1, "occupation": "job", **more}


def produce_users(world, count, start=0, **more):
    world.produce([("u%d" % n, user("u%d" % n, **more)) for n in range(start, start + count)])


def agree(world):
    rows = world.rows()
    assert world.keys() == rows
    return rows


def fence(world, partition):
    return "writethrough:{%s:%s:%d}" % (world.group, world.topic, partition)


def test_killed_in_the_middle_nothing_is_missing_or_old(world):
    produce_users(world, 20000)
    for _ in range(3):
        consumer = world.consumer({"batch.records": 50}, ready=False)
        before = len(world.rows())
        wait_until(lambda: len(world.rows()) > before + 1000 or world.lag() == 0, 30)
        consumer.kill()
    world.consumer(ready=False)
    world.wait_drained()
    assert len(agree(world)) == 20000


def test_a_cache_behind_the_database_is_caught_up_from_the_rows(world):
    produce_users(world, 600)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    # Redis falls back to an older copy: positions and keys of 20 records ago are not there
    places = world.produce([("k%d" % n, user("k%d" % n)) for n in range(60)])
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    first = {}
    for (partition, offset), n in zip(places, range(60)):
        first.setdefault(partition, offset)
        world.redis.delete("user:k%d" % n)
    for partition, offset in first.items():
        world.redis.hset(fence(world, partition), mapping={"next": "%020d" % offset,
                                                           "seen": "%020d" % offset})
    consumer = world.consumer(ready=False)
    wait_until(lambda: all(world.redis.exists("user:k%d" % n) for n in range(60)), 20)
    assert "redis_behind" in consumer.text()
    assert len(agree(world)) == 660


def test_a_database_that_lost_its_last_transactions_is_healed_from_the_log(world):
    produce_users(world, 600)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    backup_rows = world.sql("SELECT * FROM users")
    backup = world.sql("SELECT partition_id, next_offset, last_timestamp, last_digest "
                       "FROM writethrough_ledger")
    produce_users(world, 600, age=2)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    world.sql("DELETE FROM users")
    for row in backup_rows:
        world.sql("INSERT INTO users VALUES (%s, %s, %s, %s)", *row)
    for partition, position, stamp, digest in backup:
        world.sql("UPDATE writethrough_ledger SET next_offset=%s, last_timestamp=%s, "
                  "last_digest=%s WHERE partition_id=%s", position, stamp, digest, partition)
    consumer = world.consumer(ready=False)
    wait_until(lambda: all(age == 2 for _, age, _ in world.rows().values()), 20)
    assert "mysql_behind" in consumer.text()
    produce_users(world, 10, age=3)
    world.wait_drained()
    assert len(agree(world)) == 600


def test_a_lost_fence_is_made_anew_and_marked_for_a_rebuild(world):
    produce_users(world, 100)
    consumer = world.consumer({"cache.rebuild": "off"}, ready=False)
    world.wait_drained()
    world.redis.flushdb()
    for age in (7, 8):  # the first batch meets no fence: its keys are missing, never old
        produce_users(world, 10, age=age)
        world.wait_drained()
    assert world.redis.exists("user:u9")
    assert all(world.redis.hget(fence(world, p), "rebuild")
               for p in range(PARTITIONS) if world.redis.exists(fence(world, p)))
    for key, row in world.keys().items():
        assert row == world.rows()[key]


def append_only(world):
    """options of a consumer that appends keyless records to `notes`, which has no cache"""
    world.sql("CREATE TABLE notes (n BIGINT NOT NULL)")
    path = world.folder + "/mapping.json"
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"routes": [{"topic": world.topic, "table": "notes", "mode": "append",
                               "columns": [{"field": "n", "column": "n", "type": "int"}]}]}, f)
    return {"mapping": path}


def test_an_append_table_whose_fence_is_behind_goes_on_and_appends_nothing_again(world):
    options = append_only(world)
    world.produce([(None, {"n": n}) for n in range(50)], partition=0)
    consumer = world.consumer(options, ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    # died between the two stores
    world.redis.hset(fence(world, 0), mapping={"next": "%020d" % 30, "seen": "%020d" % 30})
    world.consumer(options, ready=False)
    world.produce([(None, {"n": n}) for n in range(50, 60)], partition=0)
    world.wait_drained()
    assert [n for n, in world.sql("SELECT n FROM notes ORDER BY n")] == list(range(60))


def test_a_route_without_a_cache_has_nothing_to_rebuild(world):
    options = append_only(world)
    world.produce([(None, {"n": n}) for n in range(50)])
    consumer = world.consumer(options)
    world.wait_drained()
    fences = [world.redis.hgetall(fence(world, p)) for p in range(PARTITIONS)]
    assert all(one and "rebuild" not in one for one in fences), fences
    assert "rebuild" not in consumer.text()


def test_the_end_of_a_transactional_log_is_lag_0(world):
    producer = confluent_kafka.Producer({"bootstrap.servers": world.env["KAFKA_BROKERS"],
                                         "transactional.id": "t-" + world.group,
                                         "partitioner": "murmur2_random"})
    producer.init_transactions(30)
    world.consumer(ready=False)
    for n in range(3):
        producer.begin_transaction()
        for i in range(30):
            key = "u%d" % i
            producer.produce(world.topic, key=key, value=json.dumps(user(key, age=n)))
        producer.commit_transaction(30)
    world.wait_drained()
    assert all(age == 2 for _, age, _ in agree(world).values())


def recreate_topic(world, records):
    admin = AdminClient({"bootstrap.servers": world.env["KAFKA_BROKERS"]})
    admin.delete_topics([world.topic])[world.topic].result(20)
    wait_until(lambda: world.topic not in admin.list_topics(timeout=10).topics, 20)

    def create():
        try:
            admin.create_topics([NewTopic(world.topic, PARTITIONS, 1)])[world.topic].result(20)
            return True
        except confluent_kafka.KafkaException:
            return False
    wait_until(create, 20)
    produce_users(world, records, age=9)


@pytest.mark.parametrize("records", [100, 3000])
def test_a_topic_created_anew_is_said_and_never_skipped(world, records):
    produce_users(world, 1000)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    recreate_topic(world, records)
    consumer = world.consumer({"stopped.retry-ms": 500}, ready=False)
    wait_until(lambda: "partition_stopped" in consumer.text(), 20)
    assert "wt-consumer reset" in consumer.text()
    assert all(age == 1 for _, age, _ in world.rows().values())
    assert consumer.stop() == 0
    done = world.verb("reset", options={"to": "earliest"})
    assert done.returncode == 0 and "--execute" in done.stdout, done.stderr
    done = world.verb("reset", "--execute", options={"to": "earliest"})
    assert done.returncode == 0, done.stderr
    consumer = world.consumer(ready=False)
    world.wait_drained()
    rows = world.rows()
    assert all(rows["u%d" % n][1] == 9 for n in range(records))


def test_reset_says_what_is_wrong_before_it_asks_a_server(world):
    done = world.verb("reset", options={"to": "yesterday", "mysql.port": 1})
    assert done.returncode == 64 and "option to: 'yesterday'" in done.stderr


def test_reset_is_refused_while_the_group_has_members(world):
    produce_users(world, 50)
    world.consumer(ready=False)
    world.wait_drained()
    done = world.verb("reset", "--execute", options={"to": "earliest"})
    assert done.returncode == 77 and "members" in done.stderr


def test_a_changed_partition_count_is_refused_until_it_is_accepted(world):
    produce_users(world, 100)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    admin = AdminClient({"bootstrap.servers": world.env["KAFKA_BROKERS"]})
    list(admin.create_partitions([confluent_kafka.admin.NewPartitions(world.topic, 8)])
         .values())[0].result(20)
    wait_until(lambda: len(admin.list_topics(world.topic, timeout=10)
                           .topics[world.topic].partitions) == 8, 20)
    done = world.verb("run", timeout=30, options={"status.listen": "off"})
    assert done.returncode == 77 and "partition" in done.stderr, done.stderr
    done = world.verb("reset", "--execute", options={"accept-partitions": 8})
    assert done.returncode == 0, done.stderr
    consumer = world.consumer(ready=False)
    produce_users(world, 200)
    wait_until(lambda: len(world.rows()) == 200, 20)
    assert consumer.stop() == 0


def test_partitions_that_are_added_while_it_runs_wait_for_a_person(world):
    produce_users(world, 30)
    consumer = world.consumer({"kafka.topic.metadata.refresh.interval.ms": 500}, ready=False)
    world.wait_drained()
    admin = AdminClient({"bootstrap.servers": world.env["KAFKA_BROKERS"]})
    list(admin.create_partitions([confluent_kafka.admin.NewPartitions(world.topic, 8)])
         .values())[0].result(20)
    wait_until(lambda: "6 partitions at start" in consumer.text(), 30)
    produce_users(world, 10, start=30)  # what the old ones hold goes on
    claimed = {n for n, in world.sql("SELECT partition_id FROM writethrough_ledger")}
    assert claimed == set(range(PARTITIONS))
    assert consumer.stop() == 0
    done = world.verb("reset", "--execute", options={"accept-partitions": 8, "force": "true"})
    assert done.returncode == 0, done.stderr
    world.consumer(ready=False)
    wait_until(lambda: len(world.rows()) == 40, 20)
    agree(world)


def test_a_reset_where_the_ledger_was_lost_makes_the_cache_anew(world):
    produce_users(world, 300)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert consumer.stop() == 0
    world.sql("DELETE FROM writethrough_ledger")
    world.sql("DELETE FROM users WHERE id <> 'u7'")
    done = world.verb("reset", "--execute", options={"to": "latest"})
    assert done.returncode == 0, done.stderr
    world.consumer(ready=False)
    wait_until(lambda: list(world.keys()) == ["u7"], 20)
    agree(world)


def test_a_member_that_another_took_the_place_of_ends_and_says_so(world):
    produce_users(world, 30)
    first = world.consumer({"group.instance.id": "same"})
    world.wait_drained()
    second = world.consumer({"group.instance.id": "same"}, ready=False)
    assert first.wait(15) == 64
    assert "option group.instance.id" in first.text()
    second.wait_ready()
    produce_users(world, 60)
    world.wait_drained()
    assert len(agree(world)) == 60


def test_another_group_on_the_table_is_refused(world):
    consumer = world.consumer(ready=False)
    produce_users(world, 10)
    world.wait_drained()
    assert consumer.stop() == 0
    done = world.verb("run", timeout=30, options={"group": "another", "status.listen": "off"})
    assert done.returncode == 77 and world.group in done.stderr, done.stderr


def test_a_frozen_owner_that_wakes_is_refused_and_goes_on(world):
    produce_users(world, 3000)
    first = world.consumer({"session.timeout.ms": 6000, "batch.records": 20}, ready=False)
    wait_until(lambda: len(world.rows()) > 100, 30)
    first.signal(signal.SIGSTOP)
    second = world.consumer({"session.timeout.ms": 6000}, ready=False)
    produce_users(world, 3000, age=2)
    try:
        wait_until(lambda: world.lag() == 0, 60)
    finally:
        first.signal(signal.SIGCONT)
    produce_users(world, 3000, age=3)
    wait_until(lambda: world.lag() == 0, 60)
    assert len(agree(world)) == 3000
    assert all(age == 3 for _, age, _ in world.rows().values())
    assert first.stop() == 0 and second.stop() == 0


def test_partitions_move_between_workers_without_loss_or_disorder(world):
    consumer = world.consumer()
    for age, count in enumerate((1, 6, 2, 3, 1, 4, 6, 5, 1, 2, "auto")):
        produce_users(world, 2000, age=age)
        done = world.http.post(consumer.url + "/workers", json={"count": count}, timeout=20)
        assert done.status_code in (200, 202), done.text
    wait_until(lambda: world.lag() == 0, 20)
    rows = agree(world)
    assert len(rows) == 2000 and all(age == 10 for _, age, _ in rows.values())
    assert "partition_stalled" not in consumer.text()
