"""Bulk producing: log lines, CSV rows and made-up rows, against kcat and produce-from-memory.
Made-up rows, 360 bytes each, go to Kafka with lz4: without it the broker's copying is the limit.

The same bytes for all; end offsets are counted after every run. Ours and kcat are timed from start of
the process to its end, produce_memory from its first call (its file is in memory before).
"""
import os
import re
import resource
import subprocess
import time

from confluent_kafka import Consumer, TopicPartition

from measure import Row, binary, clean_environ, say
from row_drain import WARM_UPS, in_turn
from world import PARTITIONS


class Timed:
    """A command run to its end."""

    def __init__(self, argv):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        start = time.monotonic()
        done = subprocess.run(argv, check=True, env=clean_environ(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.PIPE, text=True)
        self.said = done.stderr
        self.seconds = time.monotonic() - start
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        self.cpu = (after.ru_utime + after.ru_stime) - (before.ru_utime + before.ru_stime)


    def stages(self):
        """Of our program: how much of a core each stage took, all its threads together."""
        said = re.search(r'of_a_core="([^"]*)"', self.said).group(1)
        return {re.sub(":.*", "", one.split(" ")[0]): float(one.split(" ")[1])
                for one in said.split(", ")}


class Stages:
    """A row for each stage of each of our runs: which one is the limit?"""

    def __init__(self):
        self.rows = {}

    def add(self, what, run):
        for stage, share in run.stages().items():
            row = self.rows.setdefault((what, stage), Row(
                "17 of a core, %s: %s" % (what, stage), "cores", None, of="ours"))
            row.add(share)
        return run


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
        self.made = os.path.join(world.folder, "made.json")
        self.ours("generate", "--seed=1", "--count=%d" % records, "--to=json:" + self.made)
        self.ours("generate", "--shape=users", "--seed=1", "--count=%d" % records,
                  "--to=csv:" + self.csv, "--to=json:" + self.json)

    def ours(self, *words):
        return Timed([binary("wt-ingest"), *words, "--kafka.brokers=" + self.brokers])

    def kafka(self, *words):
        return self.counted(lambda: self.ours(*words, "--to=kafka:" + self.world.topic))

    def kcat(self):
        return self.counted(lambda: Timed(["kcat", "-b", self.brokers, "-P", "-t",
                                           self.world.topic, "-l", self.log, "-X", "acks=all"]))

    def memory(self, path, *conf):
        made = self.counted(lambda: self.world.yardstick(
            "produce_memory", self.brokers, self.world.topic, path, *conf))
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
    ceiling = Row("17 made-up rows to kafka : produce-from-memory", "records/s", ">=0.8")
    stages = Stages()
    generate = ["generate", "--count=%d" % records, "--workers=2"]
    world.new_topic()
    for _ in range(0 if check else WARM_UPS):
        say("ingest, not counted: a broker that has just started compiles its code meanwhile")
        r.kafka("lines", r.log)
    for number in range(rounds):
        say("ingest, round %d" % (number + 1))
        world.new_topic()
        ours, kcat, memory = in_turn(number, lambda: r.kafka("lines", r.log), r.kcat,
                                     lambda: r.memory(r.log))
        stages.add("log lines", ours)
        lines.add(records / ours.seconds, records / kcat.seconds)
        work.add(ours.cpu, kcat.cpu)
        yard.add(records / ours.seconds, records / memory)
        csv.add(records / stages.add("CSV to Kafka", r.kafka("csv", r.csv)).seconds,
                records / r.memory(r.json))
        fan.add(records / stages.add("CSV to three", r.kafka("csv", r.csv, *[
            "--to=%s:%s" % (kind, r.csv + "." + kind) for kind in ("json", "avro")])).seconds)
        to_kafka = records / stages.add(
            "made-up to kafka", r.kafka(*generate, "--compression=kafka=lz4")).seconds
        made["kafka"].add(to_kafka)
        ceiling.add(to_kafka, records / r.memory(r.made, "compression.codec=lz4"))
        for to in ("csv", "parquet"):
            run = stages.add("made-up to " + to, r.ours(*generate, "--to=%s:%s.%s" % (to, r.log, to)))
            made[to].add(records / run.seconds)
    return [lines, work, yard, csv, fan, *made.values(), ceiling, *stages.rows.values()]
