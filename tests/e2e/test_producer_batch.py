"""NDJSON to wt-producer on the real stack: one record a line, each with its own answer."""
import json
import threading

import requests

ANN = {"name": "Ann", "age": 41, "occupation": "smith"}


def post_lines(producer, lines, prefer=None):
    headers = {"Content-Type": "application/x-ndjson"}
    if prefer:
        headers["Prefer"] = prefer
    body = "\n".join(json.dumps(one) if isinstance(one, dict) else one for one in lines)
    answer = requests.post(producer.url + "/write-through", data=body.encode(), timeout=30,
                           headers=headers)
    said = []
    if answer.headers["Content-Type"] == "application/x-ndjson":
        said = [json.loads(line) for line in answer.text.splitlines()]
    return answer, said


def held(world):
    """{key: (partition, offset, value)} of the topic."""
    return {m.key().decode(): (m.partition(), m.offset(), json.loads(m.value()))
            for m in world.records()}


def test_every_line_says_where_its_record_stands(world):
    producer = world.producer()
    records = [{"id": "k\"%d" % n, **ANN} for n in range(500)] + [dict(ANN)]
    answer, said = post_lines(producer, records)
    assert answer.status_code == 202 and len(said) == 501
    kept = held(world)
    assert len(kept) == 501
    for number, (record, one) in enumerate(zip(records, said), 1):
        assert one["line"] == number and one["status"] == 202 and one["topic"] == world.topic
        assert one["id"] == record.get("id", one["id"])
        assert kept[one["id"]] == (one["partition"], one["offset"], {"id": one["id"], **ANN})


def test_a_bad_line_never_hides_a_good_one(world):
    producer = world.producer()
    answer, said = post_lines(producer, [
        {"id": "a", **ANN}, '{"name":', "", {"id": "b", **ANN}, "  \r", "[]",
        {"id": "c", "name": "C", "age": -1, "occupation": "x"}, '{"x":"\xff"}',
        {"id": "é", **ANN}, ""])
    assert answer.status_code == 207
    assert [(one["line"], one["status"]) for one in said] == [
        (1, 202), (2, 400), (4, 202), (6, 400), (7, 400), (8, 400), (9, 202)]
    assert said[1]["position"] == 8 and "byte 8" in said[1]["detail"]
    assert "id" not in said[1] and said[4]["id"] == "c" and said[4]["field"] == "age"
    assert "unknown field" in said[5]["detail"]
    assert set(held(world)) == {"a", "b", "é"}


def test_lines_of_one_key_keep_their_order(world):
    producer = world.producer()
    _, said = post_lines(producer, [{"id": "x", **ANN, "age": n} for n in range(200)])
    offsets = [one["offset"] for one in said]
    assert offsets == sorted(offsets) and len({one["partition"] for one in said}) == 1
    assert [json.loads(m.value())["age"] for m in world.records()] == list(range(200))


def test_respond_async_answers_every_line_at_once(world):
    producer = world.producer()
    answer, said = post_lines(producer, [{"id": "a", **ANN}, "{}", {"id": "b", **ANN}],
                              prefer="respond-async")
    assert answer.headers["Preference-Applied"] == "respond-async"
    assert [one["status"] for one in said] == [202, 400, 202]
    assert said[0]["offset"] is None and "can still lose it" in said[0]["promise"]
    producer.stop()
    assert set(held(world)) == {"a", "b"}


def test_what_is_too_much_is_refused_as_a_whole(world):
    producer = world.producer({"http.max-lines": 10, "http.max-body": "10KiB"})
    answer, _ = post_lines(producer, [ANN] * 11)
    assert answer.status_code == 413 and "11 records" in answer.json()["detail"]
    answer, _ = post_lines(producer, [dict(ANN, name="x" * 250)] * 50)
    assert answer.status_code == 413
    assert post_lines(producer, ["", " "])[0].status_code == 400
    assert world.records() == []
    assert requests.put(producer.url + "/write-through/a", data=json.dumps(ANN), timeout=20,
                        headers={"Content-Type": "application/x-ndjson"}).status_code == 415
    assert post_lines(producer, [ANN] * 10)[0].status_code == 202


def test_batches_beyond_what_may_be_in_flight_get_503_and_lose_nothing(world):
    producer = world.producer({"http.max-inflight": 1000})
    taken, refused = [], []

    def client(number):
        for n in range(20):
            lines = [{"id": "%d-%d-%d" % (number, n, i), **ANN} for i in range(900)]
            answer, said = post_lines(producer, lines)
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 503:
                assert "nothing was queued" in answer.json()["detail"]
                assert int(answer.headers["Retry-After"]) > 0
                refused.extend(one["id"] for one in lines)
            taken.extend(one["id"] for one in said)

    clients = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    kept = [m.key().decode() for m in world.records(timeout=60)]
    assert len(taken) + len(refused) == 4 * 20 * 900 and refused
    assert sorted(kept) == sorted(taken)
