"""Bulk producing: log lines, CSV rows and made-up rows, against kcat and produce-from-memory.

The same bytes for all; end offsets are counted after every run. Ours and kcat are timed from start of
the process to its end, produce_memory from its first call (its file is in memory before).
"""
import os
import resource
import subprocess
import time

from confluent_kafka import Consumer, TopicPartition

from measure import Row, binary, clean_environ, say
from world import PARTITIONS


class Timed:
    """A command run to its end."""

    def __init__(self, argv):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        subprocess.run(argv, check=True, env=clean_environ(), stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        self.seconds = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


class Rivals:
    def __init__(self, world, records):
        self.world, self.records = world, records
        self.brokers = world.env["KAFKA_BROKERS"]
        self.log = os.path.join(world.folder, "lines")
        self.csv = os.path.join(world.folder, "users.csv")
        self.json = os.path.join(world.folder, "users.json")
        with open(self.log, "w") as f:
            for i in range(records):
                f.write("2026-11-21T13:%02d:%02d app[%d]: request %d was served\n"
                        % (i // 60 % 60, i % 60, i % 1000, i))
        self.ours("generate", "--shape=users", "--seed=1", "--count=%d" % records,
                  "--to=csv:" + self.csv, "--to=json:" + self.json)

    def ours(self, *words):
        return Timed([binary("wt-ingest"), *words, "--quiet", "--kafka.brokers=" + self.brokers])

    def kafka(self, *words):
        return self.counted(lambda: self.ours(*words, "--to=kafka:" + self.world.topic))

    def kcat(self):
        return self.counted(lambda: Timed(["kcat", "-b", self.brokers, "-P", "-t",
                                           self.world.topic, "-l", self.log, "-X", "acks=all"]))

    def memory(self, path):
        made = self.counted(lambda: self.world.yardstick(
            "produce_memory", self.brokers, self.world.topic, path))
        return made["SECONDS"]

    def end(self):
        c = Consumer({"bootstrap.servers": self.brokers, "group.id": "bench"})
        try:
            return sum(c.get_watermark_offsets(TopicPartition(self.world.topic, p))[1]
                       for p in range(PARTITIONS))
        finally:
            c.close()

    def counted(self, run):
        before = self.end()
        result = run()
        assert self.end() - before == self.records, "records are missing or there twice"
        return result


def measure(world, rounds, check):
    records = 20000 if check else 2000000
    r = Rivals(world, records)
    lines = Row("17 log lines : kcat", "records/s", ">=1.3")
    work = Row("17 CPU for log lines : kcat", "s", "<=0.5")
    yard = Row("17 log lines : produce-from-memory", "records/s", ">=0.9")
    csv = Row("17 CSV to JSON : produce-from-memory", "records/s", ">=0.8")
    fan = Row("17 CSV to Kafka + JSON + Avro at once", "records/s", ">=1000000", of="ours")
    made = {to: Row("17 made-up rows (17 fields) to " + to, "records/s", goal, of="ours")
            for to, goal in (("kafka", ">=1500000"), ("csv", ">=2000000"),
                             ("parquet", ">=1500000"))}
    generate = ["generate", "--count=%d" % records, "--workers=2"]
    for number in range(rounds):
        say("ingest, round %d" % (number + 1))
        world.new_topic()
        ours, kcat, memory = r.kafka("lines", r.log), r.kcat(), r.memory(r.log)
        lines.add(records / ours.seconds, records / kcat.seconds)
        work.add(ours.cpu, kcat.cpu)
        yard.add(records / ours.seconds, records / memory)
        csv.add(records / r.kafka("csv", r.csv).seconds, records / r.memory(r.json))
        fan.add(records / r.kafka("csv", r.csv, *["--to=%s:%s" % (kind, r.csv + "." + kind)
                                                  for kind in ("json", "avro")]).seconds)
        made["kafka"].add(records / r.kafka(*generate).seconds)
        for to in ("csv", "parquet"):
            made[to].add(records / r.ours(*generate, "--to=%s:%s.%s" % (to, r.log, to)).seconds)
    return [lines, work, yard, csv, fan, *made.values()]
