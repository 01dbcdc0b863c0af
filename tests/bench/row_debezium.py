"""Row 3: Debezium's JDBC sink on Kafka Connect, the usual way without code. MySQL only for it, both
stores for us; the same topic, the same bytes (its JSON converter has the schema from its settings).
"""
import glob
import json
import os
import signal
import subprocess
import time

from confluent_kafka import Consumer, TopicPartition

from measure import ROOT, Row, peak_mib, say, wait_until
from row_drain import drain_ours
from row_curve import sized
from world import PARTITIONS

JARS = os.path.join(ROOT, "build", "connect-jars")
HEAP, PATIENCE_S, RECORDS = "1g", 300, 600000

SCHEMA = {"type": "struct", "optional": False, "fields": [
    {"field": "id", "type": "string"}, {"field": "name", "type": "string"},
    {"field": "age", "type": "int32"}, {"field": "occupation", "type": "string"}]}


def properties(path, values):
    with open(path, "w", encoding="utf-8") as f:
        f.writelines("%s=%s\n" % item for item in values.items())
    return path


def configure(world):
    """The files of one worker with one connector of six tasks."""
    env, where = world.env, world.folder
    worker = properties(os.path.join(where, "connect.properties"), {
        "bootstrap.servers": env["KAFKA_BROKERS"], "listeners": "http://127.0.0.1:0",
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "value.converter.schema.content": json.dumps(SCHEMA),
        "offset.storage.file.filename": os.path.join(where, "connect.offsets"),
        "plugin.discovery": "only_scan", "consumer.auto.offset.reset": "earliest",
        "consumer.max.poll.records": world.window})
    sink = properties(os.path.join(where, "sink.properties"), {
        "name": world.group, "topics": world.topic, "tasks.max": PARTITIONS,
        "connector.class": "io.debezium.connector.jdbc.JdbcSinkConnector",
        "connection.url": "jdbc:mysql://%s:%s/%s?rewriteBatchedStatements=true"
                          % (env["MYSQL_HOST"], env["MYSQL_PORT"], env["MYSQL_DATABASE"]),
        "connection.username": env["MYSQL_USER"], "connection.password": env["MYSQL_PASSWORD"],
        "insert.mode": "upsert", "primary.key.mode": "record_value",
        "primary.key.fields": "id", "schema.evolution": "none",
        "collection.name.format": "users", "batch.size": world.batch,
        "use.reduction.buffer": "true"})
    return worker, sink


def last_records(world):
    """[(id, name)] of the last record of each partition: when they are there, all is."""
    consumer = Consumer({"bootstrap.servers": world.env["KAFKA_BROKERS"], "group.id": "tails"})
    try:
        made = []
        for partition in range(PARTITIONS):
            place = TopicPartition(world.topic, partition)
            low, high = consumer.get_watermark_offsets(place, timeout=10)
            if high > low:
                place.offset = high - 1
                consumer.assign([place])
                record = wait_until(lambda: consumer.poll(1), 30, "a record's tail")
                row = json.loads(record.value())
                made.append((row["id"], row["name"]))
        return made
    finally:
        consumer.close()


def connect_drain(world, tails):
    """(records/s from the first row seen, peak MiB, seconds from start to first row)"""
    world.fresh()
    log = os.path.join(world.folder, "connect.log")
    argv = ["java", "-Dlog4j2.level=WARN", "-Xms256m", "-Xmx" + HEAP, "-cp", JARS + "/*",
            "org.apache.kafka.connect.cli.ConnectStandalone", *configure(world)]
    start = time.monotonic()
    with open(log, "wb") as f:
        child = subprocess.Popen(argv, stdout=f, stderr=f, stdin=subprocess.DEVNULL,
                                 cwd=world.folder)
    try:
        with world._mysql() as connection, connection.cursor() as cursor:
            def there(statement, *values):
                if child.poll() is not None or time.monotonic() > start + PATIENCE_S:
                    with open(log, encoding="utf-8", errors="replace") as text:
                        raise AssertionError("connect: no end in sight: " + text.read()[-3000:])
                cursor.execute(statement, values or None)
                return cursor.fetchone()
            wait_until(lambda: there("SELECT 1 FROM users LIMIT 1"), PATIENCE_S + 10, every=0.01)
            first = time.monotonic()
            look = ("SELECT COUNT(*) FROM users WHERE " +
                    " OR ".join(["(id = %s AND name = %s)"] * len(tails)))
            values = [text for tail in tails for text in tail]
            wait_until(lambda: there(look, *values)[0] == len(tails), PATIENCE_S + 10, every=0.01)
        took = time.monotonic() - first
        return world.count / took, peak_mib(child.pid), first - start
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()


def start_ours(world):
    """Seconds from the start of the process to the first record in both stores."""
    world.fresh()
    start = time.monotonic()
    program = world.consumer(ready=False)
    took = world.wait_fences(1, 60, every=0.002) - start
    program.kill()
    return took


def measure(world, rounds, check):
    rows = [Row("3 drain, both stores : Debezium sink, MySQL only", "records/s", ">=8"),
            Row("3 resident memory, peak : Debezium sink", "MiB", "<=0.1"),
            Row("3 start to the first row : Debezium sink", "s", "<=0.0667")]
    if not glob.glob(JARS + "/debezium-connector-jdbc-*.jar"):
        for row in rows:
            row.missing = "Maven did not bring its jars"
        return rows
    with sized(world, min(world.count, RECORDS)):
        world.new_topic()
        world.backlog()
        tails = last_records(world)
        for number in range(rounds):
            say("debezium, round %d" % (number + 1))
            rate, _, _, peak = drain_ours(world)
            first = start_ours(world)
            theirs = connect_drain(world, tails)
            for row, ours, its in zip(rows, (rate, peak, first), theirs):
                row.add(ours, its)
    return rows
