"""wt-producer with the stores in sight: reading by id, and Prefer: wait."""
import concurrent.futures
import signal
import time

import pytest
import requests

from programs import wait_until
from test_producer_batch import post_lines
from world import World

ANN = {"name": "Ann", "age": 41, "occupation": "smith"}


def with_stores(world, more=None, ready=True):
    """A producer that reads what the world's consumer writes."""
    options = {key: value for key, value in world.options("wt-consumer").items()
               if key.startswith(("mysql.", "redis.", "group"))}
    producer = world.producer({**options, **(more or {})})
    if ready:
        wait_until(lambda: "writethrough_producer_redis_up 1" in
                   requests.get(producer.url + "/metrics", timeout=5).text, 10)
    return producer


def get(producer, key, **more):
    return requests.get(producer.url + "/write-through/" + key, timeout=20, **more)


def post(world, producer, record, seconds):
    return world.post(producer, record, headers={"Prefer": "wait=%d" % seconds})


# --- reading ------------------------------------------------------------------------------


def test_a_record_is_read_from_the_cache_then_from_the_database(world):
    world.consumer()
    producer = with_stores(world)
    record = {"id": "é\"\\/ 1", "name": "Ann \n\x7f 😀 \"q\"", "age": 0, "occupation": "a/b"}
    assert post(world, producer, record, 30).status_code == 200
    key = "%C3%A9%22%5C%2F%201"
    hit = get(producer, key)
    assert (hit.status_code, hit.headers["X-Cache"]) == (200, "hit")
    assert hit.headers["Content-Type"] == "application/json" and hit.json() == record
    world.redis.delete("user:" + record["id"])
    miss = get(producer, key)
    assert (miss.status_code, miss.headers["X-Cache"]) == (200, "miss")
    assert miss.json() == record
    assert not world.redis.exists("user:" + record["id"]), "only the fence's holder writes"
    head = requests.head(producer.url + "/write-through/" + key, timeout=20)
    assert head.status_code == 200 and head.text == ""
    assert int(head.headers["Content-Length"]) == len(miss.content)


def test_what_is_not_there_or_no_id_is_said(world):
    world.consumer()
    producer = with_stores(world)
    for key in ("nobody", "%27%20OR%201%3D1", "x" * 64):
        answer = get(producer, key)
        assert (answer.status_code, answer.headers["X-Cache"]) == (404, "miss")
        assert answer.headers["Content-Type"] == "application/problem+json"
    for key in ("%00", "%ff", "a%20", "x" * 65):
        assert get(producer, key).status_code == 400, key
    assert post(world, producer, {"id": "x", **ANN}, 30).status_code == 200
    gone = requests.delete(producer.url + "/write-through/x", timeout=40,
                           headers={"Prefer": "wait=30"})
    assert (gone.status_code, gone.json()["applied"]) == (200, True)
    assert get(producer, "x").status_code == 404
    text = requests.get(producer.url + "/metrics", timeout=5).text
    assert 'writethrough_producer_reads_total{source="absent"} 4' in text


def test_without_the_stores_the_answer_names_the_options(world):
    producer = world.producer()
    answer = get(producer, "x")
    assert answer.status_code == 501 and "mysql.host" in answer.json()["detail"]
    answer = post(world, producer, ANN, 1)
    assert answer.status_code == 501 and "redis.host" in answer.json()["detail"]
    assert world.records() == []


def test_a_token_is_wanted_for_reading_too(world, tmp_path):
    (tmp_path / "token").write_text("s3cret\n")
    producer = with_stores(world, {"http.token-file": str(tmp_path / "token")})
    assert get(producer, "x").status_code == 401
    assert get(producer, "x", headers={"Authorization": "Bearer s3cret"}).status_code == 404


def seconds_of(function, *words):
    start = time.monotonic()
    return function(*words), time.monotonic() - start


@pytest.fixture
def own_world(private_servers, tmp_path):
    made = World(private_servers.env, tmp_path)
    made.servers = private_servers
    yield made
    for name in ("mysql", "redis"):
        private_servers.own[name].signal(signal.SIGCONT)
    made.close()


def test_redis_or_mysql_away_costs_what_only_it_can_give(own_world):
    world, own = own_world, own_world.servers.own
    world.consumer()
    producer = with_stores(world, {"redis.io-timeout-ms": 2000, "mysql.io-timeout-ms": 4000,
                                   "mysql.connect-timeout-ms": 1000})
    for key in ("x", "y"):
        assert post(world, producer, {"id": key, **ANN}, 30).status_code == 200
    assert get(producer, "x").headers["X-Cache"] == "hit"
    # a frozen Redis: the database answers, first late, then at once
    own["redis"].signal(signal.SIGSTOP)
    answer, took = seconds_of(get, producer, "x")
    assert (answer.status_code, answer.headers["X-Cache"]) == (200, "miss") and took < 6
    answer, took = seconds_of(get, producer, "x")
    assert answer.status_code == 200 and took < 1.5
    # both frozen: 503, the loop goes on, many at once do not add up
    own["mysql"].signal(signal.SIGSTOP)
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        busy = [pool.submit(get, producer, "x") for _ in range(30)]
        answer, took = seconds_of(world.post, producer, {"id": "z", **ANN})
        assert answer.status_code == 202 and took < 3
        assert {one.result().status_code for one in busy} == {503}
    assert get(producer, "x").headers["Retry-After"]
    own["redis"].signal(signal.SIGCONT)
    wait_until(lambda: get(producer, "x").status_code == 200, 10)
    assert get(producer, "x").headers["X-Cache"] == "hit"
    own["mysql"].signal(signal.SIGCONT)
    wait_until(lambda: get(producer, "nobody").status_code == 404, 20)
    # killed, and back on the same ports
    for name in ("redis", "mysql"):
        own[name].signal(signal.SIGKILL)
    assert get(producer, "x").status_code == 503
    assert world.post(producer, {"id": "z", **ANN}).status_code == 202
    world.servers.restart()
    wait_until(lambda: get(producer, "x").status_code == 200, 30)
    assert producer.stop() == 0


# --- Prefer: wait -------------------------------------------------------------------------


def test_applied_means_that_both_stores_hold_it(world):
    world.consumer()
    producer = with_stores(world)
    for n in range(30):
        answer = post(world, producer, {"id": "k%d" % n, **ANN, "age": n}, 30)
        assert answer.status_code == 200 and answer.json()["applied"] is True
        assert answer.headers["Preference-Applied"] == "wait=30"
        assert world.rows()["k%d" % n] == ("Ann", n, "smith")
        assert world.keys()["k%d" % n] == ("Ann", n, "smith")
        assert get(producer, "k%d" % n).json()["age"] == n


def test_a_stopped_consumer_is_applied_false_and_still_durable(world):
    producer = with_stores(world)
    answer, took = seconds_of(post, world, producer, {"id": "x", **ANN}, 1)
    assert answer.status_code == 202 and 0.9 < took < 10
    assert answer.json()["applied"] is False and answer.json()["offset"] == 0
    world.consumer()
    wait_until(lambda: world.rows().get("x"), 30)
    answer = post(world, producer, {"id": "x", **ANN}, 30)
    assert (answer.status_code, answer.json()["offset"]) == (200, 1)
    text = requests.get(producer.url + "/metrics", timeout=5).text
    assert 'writethrough_producer_waits_total{result="applied"} 1' in text
    assert 'writethrough_producer_waits_total{result="not_applied"} 1' in text
    assert "writethrough_producer_waiting_records 0" in text


def test_the_lines_of_a_batch_wait_too(world):
    world.consumer()
    producer = with_stores(world)
    lines = [{"id": "k%d" % n, **ANN} for n in range(300)]
    answer, said = post_lines(producer, lines + ["{}"], prefer="wait=30")
    assert answer.status_code == 207 and answer.headers["Preference-Applied"] == "wait=30"
    assert [one["status"] for one in said] == [200] * 300 + [400]
    assert all(one["applied"] for one in said[:300])
    assert len(world.rows()) == 300 and len(world.keys()) == 300
    assert post_lines(producer, lines, prefer="wait=30")[0].status_code == 200


def test_waiting_is_bounded_and_a_stop_ends_it(world):
    producer = with_stores(world, {"http.max-waiting": 3, "http.max-wait-ms": "30s"})
    with concurrent.futures.ThreadPoolExecutor(3) as pool:
        waiting = [pool.submit(post, world, producer, {"id": str(n), **ANN}, 3600)
                   for n in range(3)]
        wait_until(lambda: "waiting_records 3" in
                   requests.get(producer.url + "/metrics", timeout=5).text, 10)
        answer = post(world, producer, {"id": "more", **ANN}, 1)
        assert answer.status_code == 503 and "nothing was queued" in answer.json()["detail"]
        assert world.post(producer, {"id": "plain", **ANN}).status_code == 202
        assert producer.stop() == 0
        for one in waiting:
            assert (one.result().status_code, one.result().json()["applied"]) == (202, False)
            assert one.result().headers["Preference-Applied"] == "wait=30"
    assert {m.key().decode() for m in world.records()} == {"0", "1", "2", "plain"}


def test_a_preference_that_cannot_be_read_is_refused(world):
    producer = with_stores(world)
    for words in ("wait", "wait=", "wait=1.5", "wait=-1", "wait=soon"):
        answer = world.post(producer, ANN, headers={"Prefer": words})
        assert answer.status_code == 400 and "whole seconds" in answer.json()["detail"]
    answer = world.post(producer, ANN, headers={"Prefer": "handling=strict, WAIT=\"0\"; a=b"})
    assert answer.status_code == 202 and answer.json()["applied"] is False
