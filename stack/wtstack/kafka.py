"""Apache Kafka: one KRaft node."""
import base64
import os
import subprocess
import time
import uuid

from .daemon import Daemon, Failed

PROPERTIES = """# Written by `make up`; changes are lost.
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{controller}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
# In the folder where it runs: a comma in an absolute path would be two folders, an umlaut another.
log.dirs=data
# One node: nothing can be replicated.
offsets.topic.replication.factor=1
offsets.topic.num.partitions=3
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=3
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
default.replication.factor=1
# A topic that nobody made is a mistake.
auto.create.topics.enable=false
# The first consumer joins at once, not after 3 s.
group.initial.rebalance.delay.ms=0
# So that a test may set a short session.
group.min.session.timeout.ms=1000
# Kafka's own 3 and 8 on two cores: a quarter more of its CPU for each small request.
num.network.threads={network}
num.io.threads={io}
"""


class Kafka:
    name = "kafka"
    default_port = 9092

    def __init__(self, run, jars):
        self.dir = os.path.join(run, "kafka")
        self.jars = jars
        self.daemon = Daemon(run, "kafka")
        self.port = None

    def _java(self, *arguments):
        log4j = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                             "kafka", "log4j2.yaml")
        return ["java", "-cp", self.jars + "/*", "-Dlog4j2.configurationFile=" + log4j,
                *arguments]

    def start(self, port, ports):
        if not os.path.exists(os.path.join(self.jars, ".complete")):
            raise Failed("kafka: no jars in %s; run: make kafka-jars" % self.jars)
        self.port = port
        data, cores = os.path.join(self.dir, "data"), len(os.sched_getaffinity(0))
        os.makedirs(data, exist_ok=True)
        conf = os.path.join(self.dir, "server.properties")
        with open(conf, "w") as f:
            f.write(PROPERTIES.format(port=port, controller=ports.pick(port + 1),
                                      network=min(3, cores), io=min(8, cores)))
        if not os.path.exists(os.path.join(data, "meta.properties")):
            out = subprocess.run(
                self._java("-Xmx256m", "-XX:TieredStopAtLevel=1", "kafka.tools.StorageTool",
                           "format", "-t", cluster_id(), "-c", conf),
                cwd=self.dir, env=environ(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT)
            if out.returncode:
                raise Failed("kafka: format failed\n" + out.stdout.decode())
        self.daemon.start(self._java("-Xmx512m", "-XX:+UseSerialGC", "kafka.Kafka", conf),
                          cwd=self.dir, env=environ(), port=port)
        self.wait_ready()

    def wait_ready(self):
        self.daemon.wait_ready(lambda: answers("127.0.0.1:%d" % self.port), 60)


def environ():
    """Java reads the names of files as the locale says; all of them are UTF-8 here."""
    return dict(os.environ, LC_ALL="C.UTF-8")


def cluster_id(make=uuid.uuid4):
    """22 characters; none that begins like an option, which one in 64 would."""
    while True:
        text = base64.urlsafe_b64encode(make().bytes).decode().rstrip("=")
        if not text.startswith("-"):
            return text


def _admin(brokers):
    # Imported late: `make status` and `make down` work without it.
    try:
        from confluent_kafka.admin import AdminClient
    except ImportError as error:
        raise Failed("kafka: %s; make deps installs it" % error)
    return AdminClient({"bootstrap.servers": brokers, "log_level": 0,
                        "socket.connection.setup.timeout.ms": 2000})


def answers(brokers, seconds=1):
    from .runenv import connects
    host, _, port = brokers.split(",")[0].rpartition(":")
    if not connects(int(port), host):
        return False
    admin = _admin(brokers)
    try:
        return bool(admin.list_topics(timeout=seconds).brokers)
    except Exception:  # confluent_kafka.KafkaException: not ready
        return False


def create_topics(brokers, topics, seconds=10):
    """topics: name -> partitions. Those that exist are left as they are."""
    admin = _admin(brokers)
    from confluent_kafka import KafkaException
    from confluent_kafka.admin import NewTopic
    try:
        have = admin.list_topics(timeout=seconds).topics
    except KafkaException as error:
        raise Failed("kafka: %s: %s" % (brokers, error.args[0].str()))
    new = [NewTopic(name, num_partitions=n, replication_factor=1)
           for name, n in topics.items() if name not in have]
    if not new:
        return
    for name, future in admin.create_topics(new, operation_timeout=20).items():
        try:
            future.result(30)
        except Exception as error:
            if "TOPIC_ALREADY_EXISTS" not in str(error):
                raise Failed("kafka: topic %s: %s" % (name, error))
    _wait_for_leaders(brokers, new)


def _wait_for_leaders(brokers, topics):
    """A topic is answered as made a moment before its partitions serve."""
    from confluent_kafka import Consumer, KafkaException, TopicPartition
    reader = Consumer({"bootstrap.servers": brokers, "group.id": "make-up", "log_level": 0})
    deadline = time.monotonic() + 20
    places = [TopicPartition(t.topic, p) for t in topics for p in range(t.num_partitions)]
    while places:
        try:
            reader.get_watermark_offsets(places[-1], timeout=2)
            places.pop()
        except KafkaException as error:
            if time.monotonic() > deadline:
                reader.close()
                raise Failed("kafka: %s has no leader: %s" % (places[-1].topic, error))
            time.sleep(0.05)
    reader.close()
