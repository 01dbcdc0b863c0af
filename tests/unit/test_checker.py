"""tests/faults/checker.py and history.py with made-up data: the checker can fail, and does not cry."""
import itertools
import json
import os
import sys

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "faults"))

import checker  # noqa: E402
import history  # noqa: E402


def row(key, sequence):
    return {"id": key, "name": "%s seq %06d" % (key, sequence), "age": sequence, "occupation": "x"}


def log():
    """a: 1, 2, 3; b: 1 then a tombstone; c: 1 and a poison behind it"""
    values = [("a", row("a", 1)), ("b", row("b", 1)), ("a", row("a", 2)), ("c", row("c", 1)),
              ("b", None), ("c", "poison"), ("a", row("a", 3))]
    records = []
    for offset, (key, value) in enumerate(values):
        data = None if value is None else b"x" if value == "poison" else json.dumps(value).encode()
        records.append(checker.record(0, offset, 1000 + offset, key, data))
    return checker.Truth(records, {0: 7})


class World:
    """what a perfect pipeline leaves; a test spoils one thing"""

    def __init__(self):
        self.truth = log()
        self.mysql = {"a": row("a", 3), "c": row("c", 1)}
        self.redis = {"a": row("a", 3), "c": row("c", 1)}
        self.ledger = {0: 7}
        self.fences = {0: {"next": "%020d" % 7, "seen": "%020d" % 7}}
        self.letters = [checker.Letter(0, 5, "c", self.truth.poison[0, 5].crc, "not JSON")]

    def found(self, **options):
        found = checker.compare(self.truth, self.mysql, self.redis, self.ledger, self.fences,
                                self.letters, **options)
        return [(d.kind, d.where) for d in found]


@pytest.fixture
def world():
    return World()


def test_a_perfect_pipeline_has_no_difference(world):
    assert world.found() == []


def test_a_letter_twice_is_the_same_letter(world):
    world.letters *= 2
    assert world.found() == []


def test_a_missing_row_is_lost(world):
    del world.mysql["a"]
    assert world.found() == [("lost", "mysql")]


def test_an_older_row_is_stale(world):
    world.mysql["a"] = row("a", 2)
    assert world.found() == [("stale", "mysql")]


def test_a_deleted_row_that_is_still_there_is_stale(world):
    world.redis["b"] = row("b", 1)
    assert world.found() == [("stale", "redis")]


def test_a_row_that_nobody_wrote_is_unexplained(world):
    world.mysql["z"] = row("z", 1)
    world.redis["a"] = row("a", 9)
    assert world.found() == [("unexplained", "redis"), ("unexplained", "mysql")]


def test_a_missing_key_counts_unless_redis_may_evict(world):
    del world.redis["a"]
    assert world.found() == [("lost", "redis")]
    assert world.found(redis_may_miss=True) == []
    world.redis["a"] = row("a", 1)
    assert world.found(redis_may_miss=True) == [("stale", "redis")]


def test_a_poison_without_a_letter_is_lost(world):
    world.letters = []
    assert world.found() == [("lost", "letters")]


def test_an_unfit_record_may_go_without_a_letter_only_when_a_newer_one_came_soon():
    unfit = json.dumps(dict(row("a", 1), age=2**31)).encode()
    alone = [checker.record(0, 0, 0, "a", unfit)]
    truth = checker.Truth(alone + [checker.record(0, 5, 0, "a", None)], {0: 6})
    assert list(checker.compare_letters(truth, [])) == []
    for records in (alone, alone + [checker.record(0, 5000, 0, "a", None)],
                    alone + [checker.record(0, 5, 0, "a", b"x")]):
        assert [d.kind for d in checker.compare_letters(checker.Truth(records, {}), [])][0] == "lost"


def test_a_letter_for_a_good_record_is_unexplained(world):
    world.letters.append(checker.Letter(0, 6, "a", 0, "sick store"))
    assert world.found() == [("unexplained", "letters")]


def test_a_letter_with_another_value_is_unexplained(world):
    world.letters[0] = world.letters[0]._replace(crc=1)
    assert world.found() == [("unexplained", "letters")]


def test_the_positions_are_the_end_of_the_log(world):
    world.ledger[0] = 6
    assert world.found() == [("lost", "ledger")]
    world.ledger[0] = 8
    assert world.found() == [("twice", "ledger")]
    world.ledger[0] = 7
    world.fences[0]["next"] = "%020d" % 6
    assert world.found() == [("stale", "fence")]
    world.fences[0] = {}
    assert world.found() == [("lost", "fence")]


def test_a_story_names_the_offsets_and_both_stores(world):
    world.mysql["a"] = row("a", 2)
    found = checker.compare(world.truth, world.mysql, world.redis, world.ledger, world.fences,
                            world.letters)
    for part in ("MySQL a seq 000002", "Redis a seq 000003", "2@0 at 1002", "6@0 at 1006"):
        assert part in found[0].what


def test_a_duplicate_name_in_an_object_is_poison():
    assert checker.row_of("a", b'{"id":"a","id":"a","name":"","age":1,"occupation":""}') == "poison"


def test_every_poison_is_poison_and_every_upsert_is_not():
    kinds = {}
    for key, value, kind in itertools.islice(history.History(3, poison=0.05).records(), 4000):
        kinds[kind] = kinds.get(kind, 0) + 1
        is_poison = checker.row_of(key, value) in (checker.POISON, checker.UNFIT)
        assert is_poison == (kind in history.POISON), (kind, value[:80])
    assert set(kinds) == set(history.POISON) | {"upsert", "tombstone"}


def test_the_same_seed_is_the_same_history():
    def first(seed):
        return list(itertools.islice(history.History(seed).records(), 500))
    assert first(7) == first(7)
    assert first(7) != first(8)


def test_a_keys_sequence_never_goes_back():
    last = {}
    for key, value, kind in itertools.islice(history.History(5).records(), 3000):
        if kind == "upsert":
            number = int(json.loads(value)["name"].split()[-1])
            assert number == last.get(key, 0) + 1
            last[key] = number
