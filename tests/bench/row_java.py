"""Row 17, one more rival: Kafka's own ProducerPerformance, on the lines of a file."""
import os
import re
import shutil
import subprocess

from measure import ROOT, Row, binary, say
from row_ingest import Timed

JARS = os.path.join(ROOT, "build", "kafka-jars")


def producer_performance(world, path, records):
    """Records/s by its own account, which leaves out the start of the JVM."""
    done = subprocess.run(
        ["java", "-cp", JARS + "/*", "-Dlog4j2.level=WARN",
         "org.apache.kafka.tools.ProducerPerformance",
         "--topic", world.topic, "--num-records", str(records), "--throughput", "-1",
         "--payload-file", path, "--producer-props", "acks=all", "linger.ms=5",
         "bootstrap.servers=" + world.env["KAFKA_BROKERS"]],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300)
    found = re.findall(r"(\d+) records sent, ([\d.]+) records/sec", done.stdout)
    assert found and int(found[-1][0]) == records, done.stdout[-2000:]
    return float(found[-1][1])


def measure(world, rounds, check):
    row = Row("17 log lines : Kafka's ProducerPerformance", "records/s", ">=1.3")
    if not shutil.which("java"):
        row.missing = "java is not installed"
        return [row]
    records, path = 20000 if check else 2000000, os.path.join(world.folder, "perf-lines")
    with open(path, "w", encoding="ascii") as f:
        f.writelines("2026-11-21T13:%02d:%02d app[%d]: request %d was served\n"
                     % (i // 60 % 60, i % 60, i % 1000, i) for i in range(records))
    for number in range(rounds):
        say("java, round %d" % (number + 1))
        world.new_topic()
        ours = Timed([binary("wt-ingest"), "lines", path, "--quiet", "--kafka.brokers=" +
                      world.env["KAFKA_BROKERS"], "--to=kafka:" + world.topic])
        row.add(records / ours.seconds, producer_performance(world, path, records))
    os.unlink(path)
    return [row]
