"""Tables of one's own, behind a mapping: both stores hold the same whatever the table does (docs/mapping.md)."""
import json
import os

import pytest

from programs import wait_until
from test_deadletters import headers


def mapping(world, table, columns, cache):
    """The options of a consumer that writes the world's topic into this table."""
    path = os.path.join(world.folder, "mapping.json")
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"routes": [{"topic": world.topic, "table": table, "columns": columns, "cache": cache}]}, f)
    return {"mapping": path}


def test_a_generated_column_that_cannot_be_computed_makes_a_letter(world):
    world.sql("CREATE TABLE parts (id VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY, a INT NOT NULL, b INT NOT NULL, "
              "ends DATETIME(3) NOT NULL, q INT AS (a DIV b) STORED, s TINYINT AS (a + b) STORED, "
              "later DATETIME(3) AS (ends + INTERVAL 1 DAY) STORED, j TEXT AS (JSON_EXTRACT(note, '$.a')) STORED, "
              "note VARCHAR(20) NOT NULL)")
    options = mapping(world, "parts", [{"field": "id", "key": True}, {"field": "a", "type": "int"},
                                       {"field": "b", "type": "int"}, {"field": "ends", "type": "datetime"},
                                       {"field": "note"}],
                      {"key": "part:{id}", "format": "json"})
    world.produce([(key, {"id": key, "a": a, "b": b, "ends": ends, "note": "{" if "JSON" in key else "{}"})
                   for key, a, b, ends in [
        ("good", 4, 2, "2024-01-01"), ("divides by zero", 4, 0, "2024-01-01"), ("is too large", 100, 100, "2024-01-01"),
        ("ends too late", 4, 2, "9999-12-31"), ("is no JSON", 4, 2, "2024-01-01"), ("last", 9, 3, "2024-01-01")]], partition=0)
    consumer = world.consumer(options, ready=False)
    world.wait_drained(timeout=20)
    assert sorted(world.sql("SELECT id, q, s FROM parts")) == [("good", 2, 6), ("last", 3, 12)]
    assert sorted(world.redis.scan_iter("part:*")) == ["part:good", "part:last"]
    letters = {m.key().decode(): headers(m)["wt.error.reason"] for m in world.records(world.dlq)}
    assert set(letters) == {"divides by zero", "is too large", "ends too late", "is no JSON"}
    assert all(reason.startswith("poison: ") for reason in letters.values())
    assert consumer.stop() == 0


def test_a_text_of_others_that_is_no_json_is_a_string_in_the_cache(world):
    """a column of type TEXT; before, the cache's value was no JSON, and `verify` was content"""
    world.sql("CREATE TABLE notes (id VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY, doc LONGTEXT COLLATE utf8mb4_bin, "
              "n INT NOT NULL DEFAULT 1)")
    texts = {"word": "hello", "empty": "", "two": "1,2", "open": '{"a":1', "quotes": 'tr"ue\n\\', "closed": "1],[2",
             "null": None}
    good = {"array": "[1]\n", "number": "-0.5e3", "object": ' {"a":[{}]}', "string": '"x"', "true": "true"}
    for key, text in {**texts, **good}.items():
        world.sql("INSERT INTO notes (id, doc) VALUES (%s, %s)", key, text)
    options = mapping(world, "notes", [{"field": "id", "key": True}, {"field": "doc", "type": "json", "nullable": True},
                                       {"field": "n", "type": "int"}], {"key": "note:{id}", "format": "json"})
    consumer = world.consumer(options, ready=False)
    wait_until(lambda: "rebuild_done" in consumer.text(), 20)
    wait_until(lambda: len(list(world.redis.scan_iter("note:*"))) == len(texts) + len(good), 20)
    for key, doc in {**texts, **{key: json.loads(text) for key, text in good.items()}}.items():
        assert json.loads(world.redis.get("note:" + key)) == {"id": key, "doc": doc, "n": 1}
    assert "clean" in world.verb("verify", options=options).stdout
    assert consumer.stop() == 0


@pytest.mark.parametrize("form", ["json", "hash"])
def test_numbers_that_no_record_can_have_are_in_the_cache_what_they_are_in_the_table(world, form):
    """BIGINT UNSIGNED; before, 18446744073709551615 was -1 in the cache, and `verify` was content"""
    world.sql("CREATE TABLE sums (id VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY, n BIGINT UNSIGNED)")
    numbers = {"a": 2 ** 64 - 1, "b": 2 ** 63, "c": 2 ** 63 - 1, "d": 0}
    for key, number in numbers.items():
        world.sql("INSERT INTO sums VALUES (%s, %s)", key, number)
    options = mapping(world, "sums", [{"field": "id", "key": True}, {"field": "n", "type": "int", "nullable": True}],
                      {"key": "sum:{id}", "format": form})
    consumer = world.consumer(options, ready=False)
    wait_until(lambda: "rebuild_done" in consumer.text(), 20)
    wait_until(lambda: len(list(world.redis.scan_iter("sum:*"))) == len(numbers), 20)
    for key, number in numbers.items():
        row = (json.loads(world.redis.get("sum:" + key)) if form == "json" else
               world.redis.hgetall("sum:" + key))
        assert int(row["n"]) == number and type(row["n"]) is (int if form == "json" else str)
    assert "clean" in world.verb("verify", options=options).stdout
    assert consumer.stop() == 0


def test_what_a_trigger_refuses_with_a_number_of_its_own_is_a_letter(world):
    """SQLSTATE 45000 is its author's word, whatever MYSQL_ERRNO is beside it"""
    world.sql("CREATE TABLE orders (id VARCHAR(64) COLLATE utf8mb4_bin PRIMARY KEY, n INT NOT NULL)")
    world.sql("CREATE TRIGGER not_negative BEFORE INSERT ON orders FOR EACH ROW BEGIN IF NEW.n < 0 THEN SIGNAL SQLSTATE "
              "'45000' SET MYSQL_ERRNO = 30001, MESSAGE_TEXT = 'no debts'; END IF; END")
    options = mapping(world, "orders", [{"field": "id", "key": True}, {"field": "n", "type": "int"}],
                      {"key": "order:{id}", "format": "json"})
    world.produce([(key, {"id": key, "n": n}) for key, n in [("a", 1), ("b", -1), ("c", 2)]], partition=0)
    consumer = world.consumer(options, ready=False)
    world.wait_drained(timeout=20)
    assert sorted(world.sql("SELECT id, n FROM orders")) == [("a", 1), ("c", 2)]
    assert sorted(world.redis.scan_iter("order:*")) == ["order:a", "order:c"]
    letters = {m.key().decode(): headers(m) for m in world.records(world.dlq)}
    assert set(letters) == {"b"} and "no debts" in letters["b"]["wt.error.reason"]
    assert consumer.stop() == 0
