"""wt-ingest through SASL_SSL and SASL_PLAINTEXT with a Java client.properties, on a real broker."""
import os
import shutil
import subprocess
import tempfile

import pytest
from confluent_kafka import Consumer, TopicPartition

from programs import run
from wtstack import kafka, runenv, servers

JAAS = "org.apache.kafka.common.security.plain.PlainLoginModule required %s;"


class SecureKafka:
    """One more broker, with three listeners and a certificate of its own."""

    def __init__(self):
        self.run = tempfile.mkdtemp(prefix="wt-secure-")
        ports = runenv.Ports(True)
        self.ports = {name: ports.pick(9092) for name in ("PLAINTEXT", "SASL_SSL",
                                                          "SASL_PLAINTEXT")}
        self.cert, key = (os.path.join(self.run, n) for n in ("cert.pem", "key.pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
                        "-keyout", key, "-out", self.cert], check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        with open(os.path.join(self.run, "broker.pem"), "w") as f:
            f.write(open(key).read() + open(self.cert).read())
        self.kafka = kafka.Kafka(self.run, servers.JARS)
        plain, kafka.PROPERTIES = kafka.PROPERTIES, self.properties(kafka.PROPERTIES)
        try:
            self.kafka.start(self.ports["PLAINTEXT"], ports)
        finally:
            kafka.PROPERTIES = plain

    def properties(self, text):
        more = "".join(",%s://127.0.0.1:%d" % (name, self.ports[name])
                       for name in ("SASL_SSL", "SASL_PLAINTEXT"))
        text = text.replace("listeners=PLAINTEXT://127.0.0.1:{port},",
                            "listeners=PLAINTEXT://127.0.0.1:{port}%s," % more)
        text = text.replace("advertised.listeners=PLAINTEXT://127.0.0.1:{port}",
                            "advertised.listeners=PLAINTEXT://127.0.0.1:{port}%s" % more)
        jaas = JAAS % 'user_ada="pass word"'
        return text + "".join(
            "listener.name.%s.plain.sasl.jaas.config=%s\n" % (name, jaas)
            for name in ("sasl_ssl", "sasl_plaintext")) + (
            "listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,"
            "SASL_SSL:SASL_SSL,SASL_PLAINTEXT:SASL_PLAINTEXT\n"
            "sasl.enabled.mechanisms=PLAIN\nssl.keystore.type=PEM\n"
            "ssl.keystore.location=%s/broker.pem\n" % self.run)

    def client(self, protocol, password):
        path = os.path.join(self.run, "client.properties")
        with open(path, "w") as f:
            f.write("bootstrap.servers=127.0.0.1:%d\nsecurity.protocol=%s\nsasl.mechanism=PLAIN\n"
                    "sasl.jaas.config=%s\nssl.truststore.type=PEM\nssl.truststore.location=%s\n"
                    % (self.ports[protocol], protocol,
                       JAAS % ('username="ada" password="%s"' % password), self.cert))
        return path

    def close(self):
        self.kafka.daemon.stop(seconds=10)
        shutil.rmtree(self.run, ignore_errors=True)


@pytest.fixture(scope="module")
def secure():
    made = SecureKafka()
    yield made
    made.close()


def count(secure, topic):
    c = Consumer({"bootstrap.servers": "127.0.0.1:%d" % secure.ports["PLAINTEXT"],
                  "group.id": "x"})
    try:
        return sum(c.get_watermark_offsets(TopicPartition(topic, p), timeout=20)[1]
                   for p in range(6))
    finally:
        c.close()


@pytest.mark.parametrize("protocol", ["SASL_SSL", "SASL_PLAINTEXT"])
def test_a_java_client_properties_file_is_enough(secure, protocol):
    topic = "secure-" + protocol.lower()
    done = run("wt-ingest", "generate", options={
        "kafka.config": secure.client(protocol, "pass word"), "create-topic": 6,
        "to": "kafka:" + topic, "count": 5000})
    assert done.returncode == 0, done.stderr
    assert count(secure, topic) == 5000


def test_a_wrong_password_is_an_error_that_does_not_show_it(secure):
    done = run("wt-ingest", "generate", options={
        "kafka.config": secure.client("SASL_SSL", "wrong word"), "to": "kafka:x", "count": 1})
    assert done.returncode == 69 and "uthentication" in done.stderr
    assert "wrong word" not in done.stderr
