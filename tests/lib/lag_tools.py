"""What Kafka's own tools say about a group, and a consumer of any other make that commits."""
import glob
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
JARS = os.environ.get("KAFKA_JARS", os.path.join(ROOT, "build", "kafka-jars"))
CONSUMER = os.environ.get("WT_CONSUMER", os.path.join(ROOT, "build", "bin", "wt-consumer"))


def java(main, *arguments, text=None):
    assert glob.glob(JARS + "/kafka-tools-*.jar"), "no jars in %s: make kafka-jars" % JARS
    done = subprocess.run(
        ["java", "-Xmx128m", "-XX:TieredStopAtLevel=1", "-cp", JARS + "/*", main, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, input=text, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def truth(brokers, group):
    """kafka-consumer-groups --describe: {(topic, partition): (committed, end, lag)}, None = '-'."""
    out = java("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
               "--bootstrap-server", brokers, "--describe", "--group", group)
    found = {}
    for line in out.splitlines():
        word = line.split()
        if len(word) >= 6 and word[0] == group:
            found[word[1], int(word[2])] = tuple(
                None if w == "-" else int(w) for w in word[3:6])
    return found


def reset(brokers, group, topic, *how):
    java("org.apache.kafka.tools.consumer.group.ConsumerGroupCommand", "--bootstrap-server",
         brokers, "--group", group, "--topic", topic, "--reset-offsets", "--execute", *how)


def delete_records(brokers, topic, partition, below, folder):
    path = os.path.join(str(folder), "delete.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"version": 1, "partitions": [
            {"topic": topic, "partition": partition, "offset": below}]}, f)
    java("org.apache.kafka.tools.DeleteRecordsCommand", "--bootstrap-server", brokers,
         "--offset-json-file", path)


def lag(brokers, group, topic="*", *more, check=True):
    """One look of `wt-consumer lag --json`."""
    done = subprocess.run(
        [CONSUMER, "lag", "--kafka.brokers=" + brokers, "--group=" + group, "--topic=" + topic,
         "--json", *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=60)
    if not check:
        return done
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


class Watch:
    """`wt-consumer lag --watch --json` in the background; looks: [(time, object)]."""

    def __init__(self, brokers, group, topic):
        self.child = subprocess.Popen(
            [CONSUMER, "lag", "--kafka.brokers=" + brokers, "--group=" + group,
             "--topic=" + topic, "--json", "--watch"], stdout=subprocess.PIPE, text=True)

    def next(self):
        return json.loads(self.child.stdout.readline())

    def until(self, wanted, seconds):
        end = time.monotonic() + seconds
        while True:
            look = self.next()
            if wanted(look):
                return look
            assert time.monotonic() < end, look

    def close(self):
        self.child.terminate()
        self.child.stdout.read()
        return self.child.wait(10)


class Paced:
    """A process that reads `topic` at a given rate and commits what it read."""

    def __init__(self, brokers, group, topic, rate):
        self.child = subprocess.Popen(
            [sys.executable, os.path.abspath(__file__), brokers, group, topic, str(rate)])

    def signal(self, sig):
        self.child.send_signal(sig)

    def close(self):
        self.child.kill()
        self.child.wait()


def produce(brokers, topic, count, partition=None):
    from confluent_kafka import Producer
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5})
    more = {} if partition is None else {"partition": partition}
    for i in range(count):
        while True:
            try:
                producer.produce(topic, b"x" * 60, key=str(i), **more)
                break
            except BufferError:
                producer.poll(0.1)
    assert producer.flush(30) == 0


def _paced(brokers, group, topic, rate):
    from confluent_kafka import Consumer
    consumer = Consumer({
        "bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest",
        "enable.auto.commit": True, "auto.commit.interval.ms": 100, "client.id": "paced",
        "session.timeout.ms": 6000, "log_level": 0})
    consumer.subscribe([topic])
    start, got = None, 0
    while True:
        due = 1 if start is None else int(rate * (time.monotonic() - start)) - got
        if due <= 0:
            time.sleep(0.005)
            continue
        # One at a time: the batch call of old librdkafka loses messages.
        message = consumer.poll(0.2)
        if message is not None and not message.error():
            start = start or time.monotonic()
            got += 1


if __name__ == "__main__":
    _paced(sys.argv[1], sys.argv[2], sys.argv[3], float(sys.argv[4]))
