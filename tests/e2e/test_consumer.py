"""Kafka -> MySQL and Redis."""
import os
import subprocess
import time

from programs import wait_until


def user(number, **more):
    return {"id": "u%d" % number, "name": "Name %d" % number, "age": number % 100,
            "occupation": "job", **more}


def row(record):
    return (record["name"], record["age"], record["occupation"])


def test_every_record_is_a_row_and_a_key(world):
    world.consumer(ready=False)
    records = [user(n) for n in range(3000)]
    world.produce([(r["id"], r) for r in records])
    world.wait_drained()
    want = {r["id"]: row(r) for r in records}
    assert world.rows() == want
    assert world.keys() == want


def test_the_last_record_of_a_key_wins_and_a_tombstone_deletes(world):
    world.produce([("u1", user(1, age=1)), ("u2", user(2)), ("u1", user(1, age=2)),
                   ("u2", None), ("u1", user(1, age=3))])
    world.consumer(ready=False)
    world.wait_drained()
    assert world.rows() == {"u1": ("Name 1", 3, "job")}
    assert world.keys() == world.rows()


def test_text_survives_as_it_is(world):
    odd = "O'Neil \"x\" \\ \u20ac \U0001f600 \t % _"
    world.consumer(ready=False)
    world.produce([("u1", user(1, name=odd))])
    world.wait_drained()
    assert world.rows()["u1"][0] == odd and world.keys()["u1"][0] == odd


def test_the_servers_own_clients_see_the_same(world):
    world.consumer(ready=False)
    world.produce([("u7", user(7))])
    world.wait_drained()
    env = world.env
    seen = subprocess.run(
        ["mariadb", "--no-defaults", "--protocol=tcp", "-h", env["MYSQL_HOST"], "-P",
         env["MYSQL_PORT"], "-u", env["MYSQL_USER"], "-N", "-B", env["MYSQL_DATABASE"], "-e",
         "SELECT * FROM users"], env=dict(os.environ, MYSQL_PWD=env["MYSQL_PASSWORD"]),
        stdout=subprocess.PIPE, check=True, text=True).stdout
    assert seen == "u7\tName 7\t7\tjob\n"
    seen = subprocess.run(
        ["redis-cli", "-h", env["REDIS_HOST"], "-p", env["REDIS_PORT"], "-n",
         str(world.redis_database), "GET", "user:u7"], stdout=subprocess.PIPE, check=True,
        text=True).stdout
    assert seen == '{"id":"u7","name":"Name 7","age":7,"occupation":"job"}\n'


def test_stopped_in_the_middle_and_started_again_nothing_is_missing(world):
    records = [user(n) for n in range(20000)]
    world.produce([(r["id"], r) for r in records])
    first = world.consumer({"batch.records": 20}, ready=False)
    wait_until(lambda: world.sql("SELECT COUNT(*) FROM users")[0][0] > 500, 30, "some rows")
    assert first.stop() == 0, first.text()[-2000:]
    part = world.sql("SELECT COUNT(*) FROM users")[0][0]
    assert 500 < part < len(records), "stopped in the middle: %d" % part
    world.consumer(ready=False)
    world.wait_drained()
    assert world.rows() == {r["id"]: row(r) for r in records}
    assert world.keys() == world.rows()


def test_sigterm_drains_and_leaves_with_0(world):
    consumer = world.consumer(ready=False)
    world.produce([("u1", user(1))])
    wait_until(lambda: world.rows(), 30)
    assert consumer.stop() == 0
    assert world.lag() == 0


def test_the_end_of_a_long_stretch_of_work_is_committed_at_once(world):
    interval_s = 3  # a lock is waited for 5 s at most
    world.consumer({"commit.interval-ms": interval_s * 1000})
    world.produce([("u1", user(1))])
    world.wait_drained()  # by the interval, a moment ago
    with world._mysql() as db:
        db.begin()
        db.cursor().execute("SELECT * FROM writethrough_ledger FOR UPDATE")
        world.produce([("u1", user(1, age=n)) for n in range(100)])
        time.sleep(interval_s + 0.5)
        assert world.lag() == 100
        db.rollback()
    released = time.monotonic()
    world.wait_drained()
    assert time.monotonic() - released < interval_s / 2
