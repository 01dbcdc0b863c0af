"""wt-loadgen over the whole path: producer, broker, consumer, both stores."""
import json
import os
import signal
import subprocess
import threading
import time

from fake_target import FakeTarget
from programs import command


def visible(world, more=None):
    return {"verify-visible": 50, "mysql.host": world.env["MYSQL_HOST"],
            "mysql.port": world.env["MYSQL_PORT"], "mysql.user": world.env["MYSQL_USER"],
            "mysql.password-file": world.password_file,
            "mysql.database": world.env["MYSQL_DATABASE"], "redis.host": world.env["REDIS_HOST"],
            "redis.port": world.env["REDIS_PORT"], "redis.database": world.redis_database,
            **(more or {})}


def test_every_acknowledged_record_is_accounted_for_and_seen(world):
    producer, consumer = world.producer(), world.consumer()
    done, report = world.loadgen(producer, visible(world, {
        "stages": "1s:10-300,2s:300,0s", "lag.url": consumer.url,
        "threshold": ["visible_missing==0", "visible_redis_p99_ms<5000"]}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert report["requests"]["acknowledged"] == report["requests"]["due"] == 755
    assert report["lag"]["drained"] and report["account"]["lost"] == 0
    assert report["account"]["pending"] == 0 and report["account"]["deadlettered"] == 0
    seen = report["visible"]
    assert seen["sampled"] > 50 and seen["missing"] == 0
    assert seen["mysql"]["count"] == seen["redis"]["count"] == seen["sampled"]
    checked = report["account"]["checked"]
    assert (checked["ids"], checked["applied"], checked["lost"]) == (755, 755, 0)
    # nothing is in Redis before it is acknowledged by the broker and committed in MySQL
    assert seen["redis"]["min"] >= report["times_ms"]["response"]["min"] * 0.5


def test_without_a_consumer_all_is_pending_and_nothing_is_seen(world):
    producer = world.producer()
    world.consumer().stop()  # it has made its group known, and is gone
    done, report = world.loadgen(producer, visible(world, {
        "stages": "1s:100,0s", "lag.group": world.group, "topic": world.topic,
        "kafka.brokers": world.env["KAFKA_BROKERS"], "drain.timeout-ms": "1s",
        "threshold": "visible_missing==0"}))
    assert done.returncode == 99, done.stdout + done.stderr
    assert report["account"]["pending"] in (100, None) and not report["account"]["lost"]
    checked = report["account"]["checked"]
    assert (checked["pending"], checked["lost"], checked["missing_redis"]) == (100, 0, 100)
    seen = report["visible"]
    assert seen["missing"] == seen["sampled"] > 10
    assert seen["first_missing_mysql"].startswith(report["run"]["key_prefix"])


def test_a_signal_ends_the_check_with_the_report(world):
    """What the target acknowledges is nowhere: it would be waited for."""
    world.consumer().stop()  # it has made the tables
    target, path = FakeTarget(), os.path.join(world.folder, "stopped.json")
    options = visible(world, {"url": target.url, "lag.url": target.url, "stages": "300ms:100,0s",
                              "report.json": path})
    process = subprocess.Popen(command("wt-loadgen") + ["--quiet"] + [
        "--%s=%s" % option for option in options.items()], stdout=subprocess.DEVNULL)
    time.sleep(2.5)
    start = time.monotonic()
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 105 and time.monotonic() - start < 3
    with open(path, encoding="utf-8") as file:
        report = json.load(file)
    assert report["requests"]["acknowledged"] == 30
    assert report["result"]["ended"] == "stopped" and report["account"]["checked"] is None
    target.close()


def test_a_store_that_is_gone_at_the_end_is_69_with_the_report(world):
    """What could not be looked for is not known: neither missing nor lost."""
    world.consumer().stop()  # it has made the tables
    target = FakeTarget()
    thread = threading.Timer(0.8, world.sql, ["DROP TABLE users"])
    thread.start()
    done, report = world.loadgen(target, visible(world, {
        "stages": "1500ms:100,0s", "lag.url": target.url, "threshold": "visible_missing==0"}))
    thread.join()
    target.close()
    assert done.returncode == 69 and "the check of the acknowledged ids" in done.stderr
    assert report["requests"]["acknowledged"] == 150 and report["result"]["exit_code"] == 69
    assert report["account"]["checked"] is None
    assert report["visible"]["missing"] is None and "users" in report["visible"]["unknown"]
    assert not any(t["holds"] for t in report["thresholds"] if t["name"] == "visible_missing")
    assert "it is not known whether they are in MySQL" in done.stdout


def test_the_ids_file_names_what_the_stores_hold(world):
    producer, consumer = world.producer(), world.consumer()
    ids = os.path.join(world.folder, "ids")
    done, _ = world.loadgen(producer, {"stages": "1s:200,0s", "lag.url": consumer.url,
                                       "ids.file": ids, "lag.interval-ms": 100})
    assert done.returncode == 0, done.stdout + done.stderr
    with open(ids, encoding="utf-8") as lines:
        named = {line.split("\t")[0] for line in lines}
    assert len(named) == 200
    assert named == {json.loads(world.redis.get(key))["id"] for key in
                     world.redis.scan_iter("user:*", count=1000)}


def test_a_lost_record_is_named_with_its_place(world):
    """Somebody deletes rows behind the consumer's back while the load still runs."""
    producer, consumer = world.producer(), world.consumer()
    lost = os.path.join(world.folder, "lost")
    ids = os.path.join(world.folder, "ids")
    stop, gone = threading.Event(), {}

    def thief():
        while not stop.is_set() and len(gone) < 2:
            rows = list(world.rows())
            if len(rows) < 50:  # the start's look through the cache would bring a key back
                continue
            for key in rows[:1]:
                if not gone:
                    world.sql("DELETE FROM users WHERE id = %s", key)
                    gone[key] = "mysql"
                elif key not in gone and world.redis.delete("user:" + key):
                    gone[key] = "redis"
    thread = threading.Thread(target=thief)
    thread.start()
    done, report = world.loadgen(producer, visible(world, {
        "stages": "3s:100,0s", "lag.url": consumer.url, "lost.file": lost, "ids.file": ids,
        "kafka.brokers": world.env["KAFKA_BROKERS"]}))
    stop.set()
    thread.join()
    assert done.returncode == 99, done.stdout + done.stderr
    assert len(gone) == 2
    checked = report["account"]["checked"]
    assert report["account"]["lost"] == checked["lost"] == 2 and checked["applied"] == 298
    assert (checked["missing_mysql"], checked["missing_redis"]) == (1, 1)
    with open(ids, encoding="utf-8") as lines:
        places = {line.split("\t")[0]: line.split()[1:] for line in lines}
    for one in checked["lost_ids"]:
        assert [str(one["partition"]), str(one["offset"])] == places[one["id"]]
        assert one["topic"] == world.topic
        assert one["in_mysql"] == (gone[one["id"]] == "redis")
        assert one["id"] in done.stdout
    with open(lost, encoding="utf-8") as lines:
        assert {line.split("\t")[0] for line in lines} == set(gone)


def test_a_dead_lettered_record_is_not_lost(world):
    """Every fourth record has a name that the column does not take."""
    world.sql("ALTER TABLE users MODIFY name VARCHAR(20) NOT NULL")
    producer, consumer = world.producer(), world.consumer()
    body = ('{"id":"{{key}}","name":"{{choice:Ada*3|' + "x" * 30 + '}}","age":30,'
            '"occupation":"judge"}')
    done, report = world.loadgen(producer, visible(world, {
        "stages": "1s:200,0s", "lag.url": consumer.url, "body": body,
        "kafka.brokers": world.env["KAFKA_BROKERS"]}))
    checked = report["account"]["checked"]
    assert done.returncode == 0, done.stdout + done.stderr
    assert checked["ids"] == 200 and checked["lost"] == 0
    assert 20 < checked["deadlettered"] < 90
    assert checked["applied"] + checked["deadlettered"] == 200
    assert checked["deadlettered"] == report["account"]["deadlettered"] == len(
        world.records(world.dlq))
