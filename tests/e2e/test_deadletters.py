"""One bad record costs one record, and its letter tells everything."""
import json

import confluent_kafka
import pytest

from confluent_kafka.admin import AdminClient, ConfigResource

from programs import wait_until


def user(key, **more):
    return {"id": key, "name": "Name", "age": 1, "occupation": "job", **more}


def headers(message):
    return {name: value.decode() for name, value in message.headers() or []}


BAD = [("b1", "not json"), ("b2", "{\"id\":\"b2\"}"), ("b3", user("b3", age="old")),
       ("b4", user("b4", name="x" * 300)), ("b5", user("b5", age=2 ** 40)),
       ("b6", user("b6", age=None)), ("b7", "{\"id\":\"b7\",\"id\":\"b8\",\"name\":\"n\"}"),
       ("b8", user("b8 ")), ("b9", user("", name="n")), (None, None),
       ("b11", b"\xff\xfe"), ("b12", "[1,2]"), ("b13", "{" * 200)]


def test_bad_records_become_letters_and_their_neighbours_are_applied(world):
    records = []
    for n, bad in enumerate(BAD):
        records += [("g%d" % n, user("g%d" % n)), bad]
    places = world.produce(records, partition=2)
    world.consumer(ready=False)
    world.wait_drained()
    assert set(world.rows()) == {"g%d" % n for n in range(len(BAD))}
    assert world.keys() == world.rows()
    letters = {int(headers(m)["wt.origin.offset"]): m for m in world.records(world.dlq)}
    assert set(letters) == {offset for _, offset in places[1::2]}
    for (key, value), (partition, offset) in zip(BAD, places[1::2]):
        letter, head = letters[offset], headers(letters[offset])
        text = json.dumps(value) if isinstance(value, dict) else value
        assert letter.key() == (key.encode() if key else None)
        assert letter.value() == (text.encode() if isinstance(text, str) else text)
        assert head["wt.origin.topic"] == world.topic
        assert head["wt.origin.partition"] == str(partition)
        assert head["wt.group"] == world.group
        assert int(head["wt.origin.timestamp"]) > 0
        assert head["wt.error.reason"] and head["wt.error.class"]


def test_an_older_good_record_of_the_key_takes_the_place_of_a_bad_one(world):
    world.produce([("u1", user("u1", age=5)), ("u1", user("u1", name="x" * 300)),
                   ("u2", user("u2"))], partition=0)
    world.consumer(ready=False)
    world.wait_drained()
    assert world.rows()["u1"][1] == 5 and world.keys() == world.rows()


def test_a_text_that_its_column_would_cut_without_an_error_is_a_letter(world):
    """blanks, tabs and line ends at the end are cut off silently, and the cache would keep them"""
    fits = {"f1": "x" * 10 + "  ", "f2": "é" * 254 + " ", "f3": "x" * 255, "f4": "\\" * 254 + " ", "f5": "x" * 254 + "\n"}
    cut = {"c1": "x" * 255 + " ", "c2": "é" * 254 + "   ", "c3": "\\" * 255 + " ", "c4": "x" + " " * 300,
           "c5": "x" * 255 + "\n", "c6": "x" * 255 + "\t", "c7": "x" * 254 + " \r\n"}
    world.produce([(key, user(key, name=name)) for key, name in {**fits, **cut}.items()], partition=0)
    world.consumer(ready=False)
    world.wait_drained()
    assert {key: row[0] for key, row in world.rows().items()} == fits
    assert world.keys() == world.rows()
    letters = {m.key().decode(): headers(m) for m in world.records(world.dlq)}
    assert set(letters) == set(cut)
    assert all(head["wt.error.reason"].startswith("too_long: ") for head in letters.values())


@pytest.mark.parametrize("batch_records", [1, 100])
def test_a_row_that_a_newer_record_of_its_key_overtakes_in_its_batch_is_superseded(world, batch_records):
    """only the database can tell that it does not fit, and the database never sees it"""
    places = world.produce([("u1", user("u1", name="x" * 300)), ("u1", user("u1", age=7))], partition=0)
    world.consumer({"batch.records": batch_records}, ready=False)
    world.wait_drained()
    assert world.rows()["u1"][1] == 7 and world.keys() == world.rows()
    letters = [int(headers(m)["wt.origin.offset"]) for m in world.records(world.dlq)]
    assert letters == ([places[0][1]] if batch_records == 1 else [])


def test_in_a_compacted_batch_a_refused_record_costs_itself(world):
    """Its batch has let the records go: it is taken from the log again. What it had overtaken is applied,
    what overtook another one too, and no letter is sent twice."""
    records = [("k%d" % (n % 40), user("k%d" % (n % 40), age=n)) for n in range(3000)]
    records[500] = ("k20", "not json")
    records[2990] = ("k30", user("k30", name="x" * 300))  # the last of its key
    records[1000] = ("k0", user("k0", name="x" * 300))  # a later one overtakes it
    records += [("new", user("new", name="x" * 300))]
    places = world.produce(records, partition=3)
    consumer = world.consumer({"batch.records": 100, "batch.compact": 40}, ready=False)
    world.wait_drained()
    rows = world.rows()
    assert len(rows) == 40 and world.keys() == rows
    assert rows["k30"][1] == 2950 and rows["k0"][1] == 2960 and rows["k20"][1] == 2980
    letters = sorted(int(headers(m)["wt.origin.offset"]) for m in world.records(world.dlq))
    assert [offset for offset in letters if offset != places[1000][1]] == [
        places[500][1], places[2990][1], places[3000][1]], letters
    assert "verdict=retry" in consumer.text()  # it was a compacted batch that was refused


def append_route(world, table):
    """a mapping file: keyless records are appended to `notes`"""
    world.sql(table)
    path = world.folder + "/mapping.json"
    columns = [{"field": "n", "column": "n", "type": "int"},
               {"field": "note", "column": "note", "type": "string"}]
    with open(path, "w", encoding="utf-8") as f:
        json.dump({"routes": [{"topic": world.topic, "table": "notes", "mode": "append",
                               "columns": columns}]}, f)
    return {"mapping": path, "batch.records": 20}


@pytest.mark.parametrize("key", ["KEY (n)", "UNIQUE (n)"])
def test_a_row_that_does_not_fit_an_append_table_is_one_letter(world, key):
    options = append_route(world, "CREATE TABLE notes (n BIGINT NOT NULL, note VARCHAR(10) NOT NULL, %s)"
                           % key)
    world.produce([(None, {"n": 0, "note": "first"})], partition=0)
    world.consumer(options, ready=False)
    world.wait_drained()
    # alone in its batch, and then between good neighbours
    world.produce([(None, {"n": 1, "note": "much too long"})], partition=0)
    world.wait_drained()
    world.produce([(None, {"n": n, "note": "n" * (11 if n % 7 == 0 else 3)}) for n in range(2, 100)],
                  partition=0)
    world.wait_drained()
    bad = [1] + [n for n in range(2, 100) if n % 7 == 0]
    assert [n for n, in world.sql("SELECT n FROM notes ORDER BY n")] == \
        [n for n in range(100) if n not in bad]
    assert sorted(json.loads(m.value())["n"] for m in world.records(world.dlq)) == bad


def test_a_batch_of_nothing_but_bad_records_is_letters(world):
    world.produce([("x%d" % n, user("x%d" % n, occupation="y" * 300)) for n in range(40)],
                  partition=1)
    world.consumer(ready=False)
    world.wait_drained(90)
    assert world.rows() == {} and len(world.records(world.dlq)) == 40


def test_replay_sends_each_letter_once(world):
    bad = user("u1", name="x" * 300)
    world.produce([("u1", bad), ("u2", user("u2")), ("u3", "nonsense")], partition=3)
    world.consumer(ready=False)
    world.wait_drained()
    done = world.verb("replay", "--json")
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)["letters"]
    assert [row["offset"] for row in listed] == [0, 2]
    world.sql("ALTER TABLE users MODIFY name VARCHAR(400) NOT NULL")
    for _ in range(2):
        done = world.verb("replay", "--execute", options={"reason": "poison"})
        assert done.returncode == 0, done.stderr
    wait_until(lambda: "u1" in world.rows(), 20)
    world.wait_drained()
    assert world.rows()["u1"][0] == "x" * 300
    assert sum(m.key() == b"u1" for m in world.records()) == 2, "sent again exactly once"


def test_a_letter_whose_partition_is_gone_keeps_no_other_from_being_sent_again(world):
    world.produce([("k%d" % i, "nonsense") for i in range(5)])
    consumer = world.consumer(ready=False)
    world.wait_drained()
    producer = confluent_kafka.Producer({"bootstrap.servers": world.env["KAFKA_BROKERS"]})
    origin = {"topic": world.topic, "partition": "99", "offset": "1", "timestamp": "1"}
    producer.produce(world.dlq, key="k0", value="old", headers=[
        ("wt.origin." + name, value.encode()) for name, value in origin.items()])
    assert producer.flush(10) == 0
    done = world.verb("replay", "--execute")
    assert done.returncode == 0 and "sent 5 records" in done.stderr, done.stderr
    assert "its partition is gone" in done.stdout
    world.wait_drained(timeout=20)  # no transaction was left open
    assert consumer.stop() == 0


def test_a_sick_store_waits_and_loses_nothing(world):
    world.consumer(ready=False)
    world.produce([("u%d" % n, user("u%d" % n)) for n in range(50)])
    world.wait_drained()
    world.sql("RENAME TABLE users TO users_away")
    world.produce([("v%d" % n, user("v%d" % n)) for n in range(50)])
    wait_until(lambda: "partition_stopped" in world.programs[0].text(), 20)
    world.sql("RENAME TABLE users_away TO users")
    world.wait_drained(90)
    assert len(world.rows()) == 100 and world.keys() == world.rows()
    assert world.records(world.dlq) == []


def test_a_record_too_large_for_the_letters_topic_leaves_a_letter_without_its_value(world):
    admin = AdminClient({"bootstrap.servers": world.env["KAFKA_BROKERS"]})
    small = ConfigResource("topic", world.dlq, set_config={"max.message.bytes": "5000"})
    admin.alter_configs([small])[small].result(20)
    bad = user("big", name="x" * 50000)
    (partition, offset), _ = world.produce([("big", bad), ("u1", user("u1"))], partition=4)
    world.consumer(ready=False)
    world.wait_drained()
    assert set(world.rows()) == {"u1"}
    letter, = world.records(world.dlq)
    head = headers(letter)
    assert not letter.value() and letter.key() == b"big"
    assert head["wt.value.dropped"] == str(len(json.dumps(bad)))
    assert (head["wt.origin.partition"], head["wt.origin.offset"]) == (str(partition), str(offset))
