"""http.record=object: records of somebody else's table, from HTTP to both stores and back."""
import json
import os

import pytest
import requests

from programs import run, wait_until

LAMP = {"sku": "lamp-1", "title": "Lamp é \"x\"", "price": 12.5, "tags": ["a", {"b": None}]}


@pytest.fixture
def shop(world):
    """products(sku, title, price, tags) behind a mapping; its producer and consumer."""
    world.sql("CREATE TABLE products (sku VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY, "
              "title VARCHAR(100) NOT NULL, price DOUBLE NULL, tags JSON NULL)")
    path = os.path.join(world.folder, "mapping.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"routes": [{
            "topic": world.topic, "table": "products",
            "columns": [{"field": "sku", "key": True}, {"field": "title"},
                        {"field": "price", "type": "double", "nullable": True},
                        {"field": "tags", "type": "json", "nullable": True}],
            "cache": {"key": "product:{sku}"}}]}, f)
    world.consumer({"mapping": path})
    stores = {key: value for key, value in world.options("wt-consumer").items()
              if key.startswith(("redis.", "group"))}
    world.shop = world.producer({**stores, "http.record": "object", "key.field": "sku",
                                 "redis.key": "product:{sku}"})
    wait_until(lambda: "writethrough_producer_redis_up 1" in
               requests.get(world.shop.url + "/metrics", timeout=5).text, 10)
    return world


def send(shop, method, path="", **more):
    return requests.request(method, shop.shop.url + "/write-through" + path, timeout=20, **{
        "headers": {"Prefer": "wait=20", **more.pop("headers", {})}, **more})


def test_an_object_reaches_its_own_table_and_comes_back(shop):
    stored = send(shop, "POST", json=LAMP)
    assert (stored.status_code, stored.json()["id"]) == (200, "lamp-1"), stored.text
    assert shop.sql("SELECT sku, title, price FROM products") == [
        (LAMP["sku"], LAMP["title"], LAMP["price"])]
    read = send(shop, "GET", "/lamp-1")
    assert (read.status_code, read.headers["X-Cache"], read.json()) == (200, "hit", LAMP)
    assert send(shop, "PUT", "/lamp-1", json={"title": "new", "price": None}).status_code == 200
    assert send(shop, "GET", "/lamp-1").json() == {
        "sku": "lamp-1", "title": "new", "price": None, "tags": None}
    assert send(shop, "DELETE", "/lamp-1").status_code == 200
    assert shop.sql("SELECT * FROM products") == []
    assert send(shop, "GET", "/lamp-1").status_code == 404
    made = send(shop, "POST", json={"title": "no key"}).json()["id"]
    assert shop.sql("SELECT sku FROM products") == [(made,)]


def test_what_the_producer_refuses_and_what_the_mapping_judges(shop):
    wrong = send(shop, "POST", json={"sku": True, "title": "x"})
    assert (wrong.status_code, wrong.json()["field"]) == (400, "sku")
    other = send(shop, "PUT", "/a", json={"sku": "b", "title": "x"})
    assert (other.status_code, other.json()["field"]) == (400, "sku")
    assert send(shop, "POST", data=b'{"sku":"x",}', headers={
        "Content-Type": "application/json"}).json()["position"] == 11
    lines = b'{"sku":"l1","title":"A"}\n[]\n{"sku":"l2","title":"B"}\n{"title":7}\n'
    answer = send(shop, "POST", data=lines, headers={"Content-Type": "application/x-ndjson"})
    assert [json.loads(line)["status"] for line in answer.text.splitlines()] == [
        200, 400, 200, 200]
    assert shop.sql("SELECT sku, title FROM products ORDER BY sku") == [("l1", "A"), ("l2", "B")]
    letters = shop.records(shop.dlq)
    assert len(letters) == 1 and json.loads(letters[0].value())["title"] == 7
    big = {"sku": "big", "title": "t", "tags": ["x" * 500000]}
    assert send(shop, "POST", json=big).status_code == 200
    assert send(shop, "GET", "/big").json()["tags"] == big["tags"]


def test_it_says_what_it_takes(shop):
    page = requests.get(shop.shop.url + "/openapi.json", timeout=5).json()
    record = page["components"]["schemas"]["Record"]
    assert list(record["properties"]) == ["sku"] and "required" not in record
    for options, words in (({"key.field": "sku"}, "http.record=object takes any field"),
                           ({"http.record": "object", "key.field": "a\"b"}, "plain name"),
                           ({"http.record": "things"}, "users|object"),
                           ({"http.record": "object", "key.field": "sku",
                             "redis.host": "127.0.0.1"}, "it must contain {sku}")):
        done = run("wt-producer", options={
            "kafka.brokers": shop.env["KAFKA_BROKERS"], "topic": shop.topic, **options})
        assert done.returncode == 64 and words in done.stderr, done.stderr
