"""What one end to end test has to itself: topic, database, Redis database, programs."""
import contextlib
import itertools
import json
import os
import secrets

import confluent_kafka
import pymysql
import redis
import requests

from programs import Program, run, wait_until
from stack import Failed, kafka, mariadb, runenv, servers  # noqa: F401

PARTITIONS = 6
_redis_database = itertools.count(1)


class World:
    """env: the servers' addresses (run/env). Close it: tests/e2e/conftest.py does."""

    def __init__(self, server_env, folder, private=True):
        token = secrets.token_hex(4)
        self.folder = str(folder)
        self.env = dict(server_env, MYSQL_DATABASE="writethrough_" + token)
        self.topic, self.group = "users-" + token, "group-" + token
        self.dlq = self.topic + ".dlq"
        self.redis_database = next(_redis_database) % 63 + 1 if private else 15
        self.programs, self._ports, self._closing = [], runenv.Ports(private=True), []
        kafka.create_topics(self.env["KAFKA_BROKERS"],
                            {self.topic: PARTITIONS, self.dlq: PARTITIONS})
        with self._mysql(server_env["MYSQL_DATABASE"]) as connection:
            connection.cursor().execute("CREATE DATABASE " + self.env["MYSQL_DATABASE"])
        mariadb.apply_schema(self.env, os.path.join(servers.ROOT, "sql"))
        self.redis = redis.Redis(self.env["REDIS_HOST"], int(self.env["REDIS_PORT"]),
                                 db=self.redis_database, decode_responses=True)
        if private:
            self.redis.flushdb()
        self.password_file = os.path.join(self.folder, "mysql.password")
        runenv.write_secret(self.password_file, self.env["MYSQL_PASSWORD"] + "\n")
        self.http = requests.Session()

    # --- programs -------------------------------------------------------------------------

    def options(self, name, more=None):
        """The options that make a program work on this world."""
        made = {"kafka.brokers": self.env["KAFKA_BROKERS"], "topic": self.topic}
        if name == "wt-consumer":
            made.update({"group": self.group, "mysql.host": self.env["MYSQL_HOST"],
                         "mysql.port": self.env["MYSQL_PORT"],
                         "mysql.user": self.env["MYSQL_USER"],
                         "mysql.password-file": self.password_file,
                         "mysql.database": self.env["MYSQL_DATABASE"],
                         "redis.host": self.env["REDIS_HOST"],
                         "redis.port": self.env["REDIS_PORT"],
                         "redis.database": self.redis_database})
        made.update(more or {})
        return made

    def start(self, name, *words, listen=None, options=None, env=None, ready=True):
        """Starts a program; with `listen` on a free port of its own, waiting for /readyz."""
        options, url = dict(options or {}), None
        if listen:
            address = options.setdefault(listen, "127.0.0.1:%d" % self._ports.pick(0))
            url = "http://" + address
        log = os.path.join(self.folder, "%s-%d.log" % (name, len(self.programs)))
        program = Program(name, *words, options=self.options(name, options), env=env, log=log,
                          url=url)
        self.programs.append(program)
        return program.wait_ready() if ready and url else program

    def consumer(self, options=None, env=None, ready=True):
        return self.start("wt-consumer", "run", listen="status.listen", options=options,
                          env=env, ready=ready)

    def producer(self, options=None, env=None, ready=True):
        return self.start("wt-producer", listen="http.listen", options=options, env=env,
                          ready=ready)

    def verb(self, verb, *words, options=None, timeout=60):
        """wt-consumer VERB to its end."""
        return run("wt-consumer", verb, *words, options=self.options("wt-consumer", options),
                   timeout=timeout)

    def loadgen(self, producer, options=None, timeout=300):
        """wt-loadgen against a producer; returns (CompletedProcess, its JSON report)."""
        report = os.path.join(self.folder, "report-%s.json" % secrets.token_hex(3))
        done = run("wt-loadgen", options={"url": producer.url + "/write-through", "quiet": "true",
                                          "report.json": report, **(options or {})},
                   timeout=timeout)
        with open(report, encoding="utf-8") as f:
            return done, json.load(f)

    # --- what is where --------------------------------------------------------------------

    def post(self, producer, record, **more):
        return self.http.post(producer.url + "/write-through", json=record, timeout=30, **more)

    def produce(self, records, partition=None, topic=None):
        """[(key, value)] straight into Kafka, in order; a dict value becomes JSON, None a
        tombstone. Returns [(partition, offset)] in the same order."""
        out = confluent_kafka.Producer({"bootstrap.servers": self.env["KAFKA_BROKERS"],
                                        "partitioner": "murmur2_random", "acks": "all",
                                        "enable.idempotence": True, "linger.ms": 2,
                                        "topic.metadata.propagation.max.ms": 3000})
        places = [None] * len(records)

        def delivered(index):
            def report(error, message):
                assert error is None, error
                places[index] = (message.partition(), message.offset())
            return report
        where = {} if partition is None else {"partition": partition}
        for index, (key, value) in enumerate(records):
            text = json.dumps(value) if isinstance(value, dict) else value
            while True:
                try:
                    out.produce(topic or self.topic, key=key, value=text,
                                on_delivery=delivered(index), **where)
                    break
                except BufferError:
                    out.poll(0.1)
            out.poll(0)
        assert out.flush(60) == 0 and None not in places
        return places

    def records(self, topic=None, timeout=20):
        """Every message of a topic from its beginning to its end of now."""
        topic = topic or self.topic
        consumer = confluent_kafka.Consumer({
            "bootstrap.servers": self.env["KAFKA_BROKERS"], "group.id": "look-" + self.group,
            "enable.auto.commit": False, "auto.offset.reset": "earliest",
            "enable.partition.eof": True})
        try:
            ends = {p: consumer.get_watermark_offsets(
                confluent_kafka.TopicPartition(topic, p), timeout=10)
                for p in consumer.list_topics(topic, timeout=10).topics[topic].partitions}
            consumer.assign([confluent_kafka.TopicPartition(topic, p, low)
                             for p, (low, _) in ends.items()])
            got, ended = [], set()

            def all_read():
                for message in consumer.consume(1000, timeout=0.2):
                    if not message.error():
                        got.append(message)
                    elif message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF:
                        ended.add(message.partition())
                return len(ended) == len(ends)
            wait_until(all_read, timeout, "the end of %s" % topic)
            return got
        finally:
            consumer.close()

    def _mysql(self, database=None):
        return pymysql.connect(host=self.env["MYSQL_HOST"], port=int(self.env["MYSQL_PORT"]),
                               user=self.env["MYSQL_USER"], password=self.env["MYSQL_PASSWORD"],
                               database=database or self.env["MYSQL_DATABASE"],
                               charset="utf8mb4", autocommit=True)

    def sql(self, statement, *values):
        """All rows of the answer as tuples."""
        with self._mysql() as connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    def rows(self):
        """The table users: {id: (name, age, occupation)}."""
        return {row[0]: row[1:] for row in self.sql("SELECT id, name, age, occupation FROM users")}

    def keys(self):
        """Redis: {id: (name, age, occupation)} of all user:ID."""
        names = list(self.redis.scan_iter("user:*", count=10000))
        made = {}
        for start in range(0, len(names), 10000):
            part = names[start:start + 10000]
            for name, text in zip(part, self.redis.mget(part)):
                row = json.loads(text)
                assert name == "user:" + row["id"]
                made[row["id"]] = (row["name"], row["age"], row["occupation"])
        return made

    def lag(self):
        """The broker's truth, with our own eyes: end offsets minus committed; a partition
        without a commit counts from its beginning."""
        consumer = confluent_kafka.Consumer({"bootstrap.servers": self.env["KAFKA_BROKERS"],
                                             "group.id": self.group})
        try:
            places = [confluent_kafka.TopicPartition(self.topic, p) for p in range(PARTITIONS)]
            total = 0
            for place in consumer.committed(places, timeout=10):
                low, high = consumer.get_watermark_offsets(place, timeout=10)
                total += high - (place.offset if place.offset >= 0 else low)
            return total
        finally:
            consumer.close()

    def wait_drained(self, timeout=60):
        wait_until(lambda: self.lag() == 0, timeout, "lag 0", every=0.1)

    def close(self):
        for program in reversed(self.programs):
            program.kill()
        self.http.close()
        self.redis.close()
        with self._mysql() as connection:
            cursor = connection.cursor()
            # a test that failed may still hold locks
            cursor.execute("SELECT ID FROM information_schema.PROCESSLIST WHERE DB = %s AND ID <> "
                           "CONNECTION_ID()", (self.env["MYSQL_DATABASE"],))
            for number, in cursor.fetchall():
                with contextlib.suppress(pymysql.MySQLError):  # it has ended meanwhile
                    cursor.execute("KILL %s", (number,))
            cursor.execute("DROP DATABASE " + self.env["MYSQL_DATABASE"])
