"""wt-loadgen over the whole path: producer, broker, consumer, both stores."""
import json
import os


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
    seen = report["visible"]
    assert seen["missing"] == seen["sampled"] > 10
    assert seen["first_missing_mysql"].startswith(report["run"]["key_prefix"])


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
