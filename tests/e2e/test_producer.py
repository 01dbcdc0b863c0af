"""wt-producer on the real stack: what it answers is what Kafka holds and where."""
import json
import signal
import threading
import time

import confluent_kafka
import requests

from programs import wait_until

ANN = {"name": "Ann", "age": 41, "occupation": "smith"}


def at(world, partition, offset):
    """(key, value) of the record that stands there."""
    reader = confluent_kafka.Consumer({"bootstrap.servers": world.env["KAFKA_BROKERS"],
                                       "group.id": "reader-" + world.topic})
    reader.assign([confluent_kafka.TopicPartition(world.topic, partition, offset)])
    message = reader.poll(20)
    reader.close()
    assert message is not None and not message.error() and message.offset() == offset
    return message.key().decode(), message.value()


def test_the_answer_names_where_the_record_stands(world):
    producer = world.producer()
    for record in ({"id": "x", **ANN}, {"id": "é\" 😀", **ANN}, ANN):
        answer = world.post(producer, record)
        assert answer.status_code == 202, answer.text
        said = answer.json()
        assert said["topic"] == world.topic and said["id"] == record.get("id", said["id"])
        key, value = at(world, said["partition"], said["offset"])
        assert key == said["id"]
        assert list(json.loads(value).items())[0] == ("id", key)
        assert json.loads(value) == {"id": key, **ANN}


def test_a_key_is_where_any_kafka_client_would_put_it(world):
    producer = world.producer()
    keys = ["key-%d" % n for n in range(50)]
    theirs = world.produce([(key, {"id": key, **ANN}) for key in keys])
    ours = [world.post(producer, {"id": key, **ANN}).json()["partition"] for key in keys]
    assert ours == [partition for partition, _ in theirs]


def test_put_and_delete_go_through_the_same_partition(world):
    producer = world.producer()
    url = producer.url + "/write-through/a%20b"
    put = requests.put(url, json=ANN, timeout=20)
    gone = requests.delete(url, timeout=20)
    assert (put.status_code, gone.status_code) == (202, 202)
    put, gone = put.json(), gone.json()
    assert put["partition"] == gone["partition"] and put["offset"] < gone["offset"]
    assert at(world, gone["partition"], gone["offset"]) == ("a b", None)
    assert requests.put(url, json={"id": "c", **ANN}, timeout=20).status_code == 400


def test_bad_requests_get_a_problem_document_and_write_nothing(world):
    producer = world.producer()
    url = producer.url + "/write-through"
    js = {"Content-Type": "application/json"}
    for body, status, words in ((b'{"name":', 400, "byte 8"), (b"[]", 400, "object"),
                                (b'{"name":"A","age":1,"occupation":"\xff"}', 400, "byte"),
                                (b"[" * 100000, 400, "byte 0"),
                                (b'{"x":' + b"[" * 100000, 400, "byte"),
                                (b'{"name":"A","age":"1","occupation":"B"}', 400, "'age'"),
                                (b"x" * (1 << 20) + b"x", 413, "too large")):
        answer = requests.post(url, data=body, headers=js, timeout=20)
        assert answer.status_code == status, (body[:40], answer.text)
        assert answer.headers["Content-Type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status and words in problem["detail"], problem
    assert requests.post(url, data=iter([b"x" * 700000] * 2), headers=js,
                         timeout=20).status_code == 413
    assert requests.post(url, data=b"a=b", timeout=20,
                         headers={"Content-Type": "text/plain"}).status_code == 415
    assert requests.get(url, timeout=20).headers["Allow"] == "POST"
    assert requests.get(producer.url + "/nope", timeout=20).status_code == 404
    assert world.records() == []


def test_a_token_is_wanted_where_one_is_set(world, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("s3cret\n")
    producer = world.producer({"http.token-file": str(secret)})
    assert world.post(producer, ANN).status_code == 401
    for token, status in (("wrong", 401), ("s3cre", 401), ("s3crets", 401), ("s3cret", 202)):
        answer = world.post(producer, ANN, headers={"Authorization": "Bearer " + token})
        assert answer.status_code == status
    assert requests.get(producer.url + "/healthz", timeout=20).status_code == 200


def test_sigterm_under_load_loses_no_acknowledged_record(world):
    producer = world.producer()
    acknowledged, stop = [], threading.Event()

    def client(number):
        session = requests.Session()
        for n in range(100000):
            key = "%d-%d" % (number, n)
            try:
                answer = session.post(producer.url + "/write-through", timeout=20,
                                      json={"id": key, **ANN})
            except requests.RequestException:
                return  # refused or closed: nothing was promised
            if answer.status_code == 202:
                acknowledged.append(key)
            if stop.is_set() and answer.headers.get("Connection") == "close":
                return

    clients = [threading.Thread(target=client, args=(n,)) for n in range(8)]
    for thread in clients:
        thread.start()
    wait_until(lambda: len(acknowledged) > 300, 20)
    stop.set()
    producer.signal(signal.SIGTERM)
    assert producer.wait() == 0
    for thread in clients:
        thread.join(20)
    held = {record.key().decode() for record in world.records()}
    assert set(acknowledged) <= held and len(acknowledged) == len(set(acknowledged))


def test_a_broker_that_freezes_costs_504_and_then_it_goes_on(world, private_servers):
    world.env["KAFKA_BROKERS"] = private_servers.env["KAFKA_BROKERS"]
    producer = world.producer({"http.timeout-ms": "1000", "topic": "users"})
    assert world.post(producer, ANN).status_code == 202
    private_servers.own["kafka"].signal(signal.SIGSTOP)
    answer = world.post(producer, {"id": "x", **ANN})
    assert answer.status_code == 504 and answer.json()["id"] == "x"
    assert "may or may not be stored" in answer.json()["detail"]
    private_servers.own["kafka"].signal(signal.SIGCONT)
    end = time.monotonic() + 30
    while (status := world.post(producer, ANN).status_code) != 202 and time.monotonic() < end:
        time.sleep(0.1)
    assert status == 202
