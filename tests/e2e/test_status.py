"""The status server of wt-consumer: /status, /metrics, /events and what changes something."""
import json
import socket
import subprocess
import time

import pytest
import requests
from prometheus_client.openmetrics.parser import text_string_to_metric_families
from prometheus_client.parser import text_string_to_metric_families as text_families

import lag_tools
from programs import binary, run, wait_until

USER = {"name": "Ada", "age": 36, "occupation": "engineer"}


def user(n):
    return "u%d" % n, dict(USER, id="u%d" % n)


def status(program):
    return requests.get(program.url + "/status", timeout=5).json()


def settled(program, records):
    """The status once the observer has seen everything applied."""
    return wait_until(lambda: (lambda s: s if s["total"]["lag"] == 0 and
                               s["total"]["end"] == records else None)(status(program)), 20)


def samples(program, accept="text/plain"):
    answer = requests.get(program.url + "/metrics", headers={"Accept": accept}, timeout=5)
    parse = text_string_to_metric_families if "openmetrics" in accept else text_families
    return {(s.name, tuple(sorted(s.labels.items()))): s.value
            for family in parse(answer.text) for s in family.samples}


def test_status_is_what_kafka_says(world):
    consumer = world.consumer()
    world.produce([user(n) for n in range(500)])
    ours = settled(consumer, 500)
    told = lag_tools.truth(world.env["KAFKA_BROKERS"], world.group)
    for p in ours["partitions"]:
        committed, end, lag = told[p["topic"], p["partition"]]
        assert (p["committed"] or 0, p["end"], p["lag"] or 0) == (committed or 0, end, lag or 0)
        assert p["here"] and p["worker"] is not None and p["mode"] == "running"
        assert set(p["stages"]) == {"intake", "decode", "mysql", "redis", "settle"}
    assert sum(p["applied"] for p in ours["partitions"]) == 500
    assert ours["health"]["level"] == "ok" and ours["ready"]
    seen = wait_until(lambda: (lambda l: l if l["count"] else None)(status(consumer)["latency"]), 5)
    assert 0 < seen["p50_seconds"] <= seen["p99_seconds"]


def test_a_bad_record_is_shown_with_its_reason(world):
    consumer = world.consumer()
    world.produce([("u1", json.dumps({"id": "u1", "name": 7})), user(2)])
    ours = wait_until(lambda: (lambda s: s if s["deadletters"]["total"] else None)(
        status(consumer)), 20)
    letter = ours["deadletters"]["recent"][0]
    assert letter["reason"] in ours["deadletters"]["reasons"]
    assert "name" in letter["text"] and letter["topic"] == world.topic


def test_metrics_say_what_status_says(world):
    consumer = world.consumer()
    world.produce([user(n) for n in range(200)])
    wait_until(lambda: status(consumer)["members"] == 1, 10)
    ours = settled(consumer, 200)
    plain, opened = samples(consumer), samples(consumer, "application/openmetrics-text")
    for p in ours["partitions"]:
        place = (("partition", str(p["partition"])), ("topic", p["topic"]))
        grouped = (("consumergroup", world.group),) + place
        assert plain["kafka_topic_partition_current_offset", place] == p["end"]
        assert plain["writethrough_records_applied_total", place] == p["applied"]
        if p["lag"] is None:
            assert ("kafka_consumergroup_lag", grouped) not in plain
        else:
            assert plain["kafka_consumergroup_lag", grouped] == p["lag"]
            assert plain["kafka_consumergroup_current_offset", grouped] == p["committed"]
            assert plain["writethrough_lag_seconds", place] == 0
    assert plain["kafka_consumergroup_lag_sum",
                 (("consumergroup", world.group), ("topic", world.topic))] == 0
    assert plain["kafka_consumergroup_members", (("consumergroup", world.group),)] == 1
    assert plain["writethrough_end_to_end_seconds_count", ()] == 200
    assert set(name for name, _ in opened) == set(name for name, _ in plain)


# What other people's dashboards and rules rely on, from the first scrape on.
NAMES = """kafka_consumergroup_lag kafka_consumergroup_lag_sum kafka_consumergroup_current_offset
kafka_topic_partition_current_offset kafka_topic_partition_oldest_offset kafka_consumergroup_members
writethrough_lag_seconds writethrough_records_applied_total writethrough_records_deadlettered_total
writethrough_batch_records writethrough_stage_seconds writethrough_end_to_end_seconds
writethrough_store_errors_total writethrough_rebalances_total writethrough_workers
writethrough_moved_total writethrough_cache_rebuild_ratio writethrough_http_requests_total
writethrough_http_request_seconds writethrough_build_info""".split()
FIELDS = """owner worker end committed lag lag_seconds rate_in rate_out eta_seconds state batch errors
cache""".split()


def test_every_name_that_others_rely_on_is_there(world):
    consumer = world.consumer()
    text = requests.get(consumer.url + "/metrics", timeout=5).text
    assert [n for n in NAMES if "# TYPE %s " % n not in text] == []
    assert 'writethrough_moved_total{store="redis"} 0' in text
    world.produce([user(1)])
    ours = settled(consumer, 1)
    assert ours["group"] == world.group
    for p in ours["partitions"]:
        assert [f for f in FIELDS if f not in p] == []


def test_promtool_accepts_the_metrics(world):
    consumer = world.consumer()
    world.produce([user(1), ("u2", "not json")])
    wait_until(lambda: status(consumer)["deadletters"]["total"], 20)
    text = requests.get(consumer.url + "/metrics", timeout=5).text
    done = subprocess.run(["promtool", "check", "metrics"], input=text, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    # kafka_exporter's own name; dashboards know it by that.
    said = [line for line in done.stdout.splitlines() if "kafka_consumergroup_lag_sum" not in line]
    assert said == []


def test_events_come_every_second_and_a_silent_listener_hurts_nobody(world):
    consumer = world.consumer()
    host, port = consumer.url[7:].split(":")
    silent = [socket.create_connection((host, int(port))) for _ in range(20)]
    for s in silent:
        s.sendall(b"GET /events HTTP/1.1\r\nHost: x\r\n\r\n")
    seen = []
    with requests.get(consumer.url + "/events", stream=True, timeout=10) as answer:
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith(b"data: "):
                seen.append(json.loads(line[6:])["time_ms"])
            if len(seen) == 4:
                break
    assert 1500 < seen[-1] - seen[1] < 5000  # the first comes at once
    for s in silent:
        s.close()


def test_status_answers_while_the_database_is_frozen(world):
    consumer = world.consumer()
    lock = world._mysql()
    lock.cursor().execute("LOCK TABLES users WRITE")  # whoever writes waits
    try:
        world.produce([user(n) for n in range(50)])
        time.sleep(1)
        for _ in range(5):
            begun = time.monotonic()
            assert requests.get(consumer.url + "/status", timeout=5).status_code == 200
            assert time.monotonic() - begun < 1
        ours = wait_until(lambda: (lambda s: s if s["total"]["lag_seconds"] else None)(
            status(consumer)), 20)
        assert ours["total"]["lag"] is None or ours["total"]["lag"] > 0
    finally:
        lock.close()
    settled(consumer, 50)


def test_only_loopback_without_a_browser_may_change_without_a_token(world):
    consumer = world.consumer()
    post = world.http.post
    refused = post(consumer.url + "/workers", json={"count": 2},
                   headers={"Origin": "http://evil.example"})
    assert refused.status_code == 403
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert post(consumer.url + "/drain", headers={"Origin": consumer.url}).status_code == 403
    for body in ("", "{}", "[]", '{"count":0}', '{"count":-1}', '{"count":"many"}', '{"count":2'):
        assert post(consumer.url + "/workers", data=body).status_code == 400, body
    assert post(consumer.url + "/workers", json={"count": 2}).json() == {"count": 2}
    wait_until(lambda: status(consumer)["workers"]["count"] == 2, 10)
    assert post(consumer.url + "/workers", json={"count": "auto"}).status_code == 200
    wait_until(lambda: status(consumer)["workers"]["auto"], 10)


def test_a_token_is_asked_for_where_there_is_one(world, tmp_path):
    (tmp_path / "token").write_text("sesame\n", encoding="utf-8")
    consumer = world.consumer({"status.token-file": tmp_path / "token"})

    def drain(**headers):
        return requests.post(consumer.url + "/drain", headers=headers, timeout=5).status_code
    assert drain() == 401
    assert drain(Authorization="Bearer sesam") == 401
    assert drain(Authorization="Bearer sesame2") == 401
    assert drain(Authorization="Bearer sesame", Origin="http://anywhere") == 202
    assert consumer.wait(20) == 0


@pytest.mark.parametrize("method,path,code", [
    ("GET", "/nowhere", 404), ("POST", "/status", 405), ("GET", "/drain", 405),
    ("DELETE", "/", 405), ("GET", "/healthz", 200), ("GET", "/%2e%2e/etc/passwd", 404)])
def test_other_requests(world_once, method, path, code):
    answer = requests.request(method, world_once.url + path, timeout=5)
    assert answer.status_code == code
    if code == 405:
        assert answer.headers["Allow"]


@pytest.fixture(scope="module")
def world_once(servers, tmp_path_factory):
    from world import World
    made = World(servers.env, tmp_path_factory.mktemp("status"), bool(servers.own))
    yield made.consumer()
    made.close()


def test_the_count_of_workers_may_change_all_the_time(world):
    """Partitions change hands without a rebalance; none is left without a worker."""
    consumer = world.consumer()
    before = status(consumer)["rebalances"]
    sent = 0
    for count in (2, 6, 1, 3, 6, 2, 5, 4, 1, 6):
        world.produce([user(n) for n in range(sent, sent + 60)])
        sent += 60
        requests.post(consumer.url + "/workers", json={"count": count}, timeout=5)
        wait_until(lambda: status(consumer)["workers"]["count"] == count, 15)
    ours = settled(consumer, sent)
    assert all(p["worker"] is not None for p in ours["partitions"])
    assert ours["rebalances"] == before
    world.wait_drained()
    assert len(world.rows()) == sent == len(world.keys())


def test_workers_follow_the_lag_and_not_a_store_that_hangs(world):
    consumer = world.consumer({"workers.calm-ms": 3000, "batch.records": 1})

    def count():
        return status(consumer)["workers"]["count"]
    wait_until(lambda: count() == 1, 40)
    lock = world._mysql()
    lock.cursor().execute("LOCK TABLES users WRITE")
    world.produce([user(n) for n in range(50)])
    wait_until(lambda: (status(consumer)["total"]["lag_seconds"] or 0) > 6, 20)
    lock.close()
    settled(consumer, 50)
    time.sleep(1)  # a change waits until the worker's step is over
    assert not [m for m in status(consumer)["marks"] if "behind" in m["text"]]
    # One record a transaction: more arrives than one worker can take.
    sent, end = 50, time.monotonic() + 60
    while count() == 1:
        assert time.monotonic() < end, status(consumer)["workers"]
        world.produce([user(n) for n in range(sent, sent + 3000)])
        sent += 3000
        time.sleep(0.5)
    reason = status(consumer)["workers"]["reason"]
    assert "behind" in reason
    assert [m for m in status(consumer)["marks"] if m["kind"] == "workers"][-1]["text"] == reason
    wait_until(lambda: status(consumer)["total"]["lag"] == 0, 120)
    wait_until(lambda: count() == 1, 60)
    assert "calm" in status(consumer)["workers"]["reason"]
    assert len(world.rows()) == sent == len(world.keys())


def test_top_is_plain_lines_in_a_pipe_and_says_when_nobody_is_there(world):
    consumer = world.consumer()
    world.produce([user(n) for n in range(30)])
    settled(consumer, 30)
    listen = consumer.url[len("http://"):]
    child = subprocess.Popen([binary("wt-consumer"), "top", "--status.listen=" + listen],
                             stdout=subprocess.PIPE, text=True)
    line = child.stdout.readline()
    assert "All is well" in line and "behind 0 records" in line and "\033" not in line
    consumer.kill()
    wait_until(lambda: "disconnected since" in child.stdout.readline(), 10)
    child.terminate()
    assert child.wait(10) == 0
    done = run("wt-consumer", "top", options={"status.listen": listen})
    assert done.returncode == 69 and listen in done.stderr
    for wrong in ("8081", "127.0.0.1:", "127.0.0.1:99999", "off"):
        done = run("wt-consumer", "top", options={"status.listen": wrong})
        assert done.returncode == 64 and "option status.listen" in done.stderr, wrong
