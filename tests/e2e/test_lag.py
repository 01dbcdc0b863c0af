"""`wt-consumer lag` against Kafka's own kafka-consumer-groups, on a private broker."""
import fcntl
import json
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
import uuid

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "lib"))
import lag_tools as tools  # noqa: E402
import stack  # noqa: E402


@pytest.fixture(scope="module")
def servers():
    own = stack.Servers(environ={})  # the broker is restarted: not anybody else's
    yield own
    own.close()


@pytest.fixture
def brokers(servers):
    return servers.env["KAFKA_BROKERS"]


@pytest.fixture
def topic(brokers):
    from wtstack import kafka
    name = "lag-" + uuid.uuid4().hex[:8]
    kafka.create_topics(brokers, {name: 3})
    return name


def same_as_kafka(brokers, group, topic):
    """Nothing moves: both must say the same. Returns our answer."""
    ours = tools.lag(brokers, group, topic)
    told = tools.truth(brokers, group)
    assert len(ours["partitions"]) == 3
    for p in ours["partitions"]:
        committed, end, lag = told.get((topic, p["partition"]), (None, p["end"], None))
        assert (p["committed"], p["end"], p["lag"]) == (committed, end, lag), (p, told)
        assert p["lag"] is None or p["lag"] >= 0
    return ours


def drained(brokers, group, topic, rate=100000):
    consumer = tools.Paced(brokers, group, topic, rate)
    watch = tools.Watch(brokers, group, topic)
    try:
        watch.until(lambda look: look["total"]["lag"] == 0, 30)
    finally:
        watch.close()
        consumer.close()


def wait_empty(brokers, group, topic):
    """Until the coordinator has noticed that the killed member is gone."""
    watch = tools.Watch(brokers, group, topic)
    try:
        return watch.until(lambda look: look["members"] == 0, 20)
    finally:
        watch.close()


def test_a_group_that_never_committed_is_unknown_not_zero(brokers, topic):
    tools.produce(brokers, topic, 30, partition=1)
    done = tools.lag(brokers, "nobody", topic, check=False)
    assert done.returncode == 64 and "there is no group nobody" in done.stderr
    ours = json.loads(done.stdout)
    assert ours["members"] == 0
    assert ours["total"]["lag"] is None and ours["total"]["lag_seconds"] is None
    assert ours["partitions"][1]["state"] == "UNKNOWN"
    assert ours["partitions"][1]["lag"] is None
    assert ours["partitions"][0]["state"] == "OK"  # empty


def test_what_is_produced_while_the_group_is_stopped_is_lag(brokers, topic):
    tools.produce(brokers, topic, 300)
    drained(brokers, "g1", topic)
    wait_empty(brokers, "g1", topic)
    assert same_as_kafka(brokers, "g1", topic)["total"]["lag"] == 0
    begun = time.time()
    tools.produce(brokers, topic, 500)
    time.sleep(3)
    ours = same_as_kafka(brokers, "g1", topic)
    assert ours["total"]["lag"] == 500
    assert ours["total"]["state"] == "STOP" and "no members" in ours["total"]["reason"]
    # Older than the look, and known all the same: by the records' own time.
    age = time.time() - begun
    assert not ours["total"]["lag_seconds_at_least"]
    assert 2 < ours["total"]["lag_seconds"] <= age + 0.5


def test_a_frozen_consumer_is_a_stall(brokers, topic):
    consumer = tools.Paced(brokers, "g2", topic, 1000)
    watch = tools.Watch(brokers, "g2", topic)
    try:
        tools.produce(brokers, topic, 100)
        watch.until(lambda look: look["total"]["committed"] == 100, 20)
        time.sleep(3)  # who the members are is known too
        consumer.signal(signal.SIGSTOP)
        tools.produce(brokers, topic, 200)
        look = watch.until(lambda look: look["total"]["state"] in ("STALL", "STOP"), 30)
        assert look["total"]["lag"] == 200
        assert look["total"]["eta_seconds"] is None
        assert 5 < look["total"]["lag_seconds"] < 30
        same_as_kafka(brokers, "g2", topic)
        consumer.signal(signal.SIGCONT)
        watch.until(lambda look: look["total"]["lag"] == 0, 30)
    finally:
        consumer.signal(signal.SIGCONT)
        consumer.close()
        watch.close()


def test_deleted_records_are_said(brokers, topic, tmp_path):
    tools.produce(brokers, topic, 10, partition=0)
    drained(brokers, "g3", topic)
    wait_empty(brokers, "g3", topic)
    tools.produce(brokers, topic, 90, partition=0)
    tools.delete_records(brokers, topic, 0, 60, tmp_path)
    ours = same_as_kafka(brokers, "g3", topic)["partitions"][0]
    assert (ours["low"], ours["end"], ours["committed"], ours["lag"]) == (60, 100, 10, 90)
    # Everything deleted, the group's offset too far back for ever: still no negative figure.
    tools.delete_records(brokers, topic, 0, 100, tmp_path)
    assert same_as_kafka(brokers, "g3", topic)["partitions"][0]["low"] == 100


def test_a_reset_is_a_rewind(brokers, topic):
    tools.produce(brokers, topic, 300)
    drained(brokers, "g4", topic)
    wait_empty(brokers, "g4", topic)
    watch = tools.Watch(brokers, "g4", topic)
    try:
        assert watch.next()["total"]["lag"] == 0
        tools.reset(brokers, "g4", topic, "--to-earliest")
        look = watch.until(lambda look: look["total"]["lag"] == 300, 10)
        assert {p["state"] for p in look["partitions"]} <= {"REWIND", "STOP"}
    finally:
        watch.close()
    assert same_as_kafka(brokers, "g4", topic)["total"]["lag"] == 300


def test_a_restarted_broker_is_unknown_meanwhile_and_right_afterwards(servers, brokers, topic):
    tools.produce(brokers, topic, 100)
    drained(brokers, "g5", topic)
    wait_empty(brokers, "g5", topic)
    tools.produce(brokers, topic, 50)
    watch = tools.Watch(brokers, "g5", topic)
    try:
        assert watch.next()["total"]["lag"] == 50
        servers.own["kafka"].stop()
        look = watch.until(lambda look: look["age_ms"] > 4000, 20)
        assert look["total"]["state"] == "UNKNOWN"
        assert look["members"] is None and look["group_state"] is None
        assert look["total"]["lag"] is None and look["total"]["lag_seconds"] is None
        servers.restart()
        look = watch.until(lambda look: look["total"]["lag"] is not None, 60)
        assert look["total"]["lag"] == 50
    finally:
        watch.close()
    same_as_kafka(brokers, "g5", topic)


def test_every_topic_of_a_group_is_found(brokers, topic):
    tools.produce(brokers, topic, 10)
    drained(brokers, "g6", topic)
    assert {p["topic"] for p in tools.lag(brokers, "g6")["partitions"]} == {topic}


def test_a_client_s_name_cannot_write_to_the_terminal(brokers, topic):
    from confluent_kafka import Consumer
    name = "own\033[2Jer"
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "g8", "client.id": name,
                         "log_level": 0})
    try:
        consumer.subscribe([topic])
        end = time.monotonic() + 30
        while not consumer.assignment():
            assert time.monotonic() < end
            consumer.poll(0.2)
        shown = subprocess.run([tools.CONSUMER, "lag", "--kafka.brokers=" + brokers,
                                "--group=g8", "--topic=" + topic], stdout=subprocess.PIPE,
                               timeout=60).stdout
        assert b"own [2Jer@" in shown and b"\033" not in shown
        owners = {p["owner"] for p in tools.lag(brokers, "g8", topic)["partitions"]}
        assert {owner.split("@")[0] for owner in owners} == {name}
    finally:
        consumer.close()


def test_a_low_terminal_shows_the_total_and_does_not_scroll(brokers, topic):
    master, slave = pty.openpty()
    fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 5, 100, 0, 0))
    child = subprocess.Popen(
        [tools.CONSUMER, "lag", "--kafka.brokers=" + brokers, "--group=g9", "--topic=" + topic,
         "--watch"], stdout=slave, start_new_session=True)
    os.close(slave)
    try:
        seen = b""
        while b"\033[J" not in seen:
            seen += os.read(master, 65536)
        lines = seen.split(b"\033[J")[0].split(b"\r\n")
        assert len(lines) == 5 and lines[2].startswith(b"... 3 more")
        assert lines[3].startswith(b"total") and lines[4] == b""
    finally:
        child.terminate()
        assert child.wait(10) == 0
        os.close(master)


def test_the_forecast_of_a_drain_comes_true(brokers, topic):
    """At 25, 50 and 75 % of a paced drain of 80,000 records, whatever else the machine does."""
    records = 80000
    tools.produce(brokers, topic, records, partition=2)
    consumer = tools.Paced(brokers, "g7", topic, 4000)
    watch = tools.Watch(brokers, "g7", topic)
    forecasts = []
    try:
        for share in (0.25, 0.5, 0.75):
            look = watch.until(
                lambda look: (look["total"]["lag"] or 1e9) <= records * (1 - share), 40)
            forecasts.append((share, time.monotonic(), look["total"]["eta_seconds"]))
        watch.until(lambda look: look["total"]["lag"] == 0, 30)
        end = time.monotonic()
    finally:
        watch.close()
        consumer.close()
    for share, at, eta in forecasts:
        print("at %d %%: forecast %.1f s, came %.1f s" % (share * 100, eta, end - at))
    for share, at, eta in forecasts:
        # The last look is up to a second late, and the commits are 0.1 s apart.
        assert abs(eta - (end - at)) <= max(0.2 * (end - at), 1)


def test_what_could_not_be_written_is_no_success():
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = subprocess.run([tools.CONSUMER, "--help"], stdout=full, stderr=subprocess.PIPE,
                              text=True)
    assert done.returncode == 74 and "standard output" in done.stderr
    # Whoever needs no more may go.
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([tools.CONSUMER, "--help"], stdout=writer, stderr=subprocess.PIPE)
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_missing_topic_group_and_broker_are_told_apart(brokers):
    done = tools.lag(brokers, "g", "no-such-topic", check=False)
    assert done.returncode == 64 and "no-such-topic" in done.stderr
    done = tools.lag(brokers, "nobody", check=False)
    assert done.returncode == 64 and "there is no group nobody" in done.stderr
    done = tools.lag(brokers, "g", "a b", check=False)
    assert done.returncode == 64 and "option topic (command line): 'a b'" in done.stderr
    done = tools.lag("127.0.0.1:1", "g", "users", check=False)
    assert done.returncode == 69
