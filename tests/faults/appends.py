"""The second route: keyless records into a table without a key (mode append), each exactly once.

Every good record has a number of its own, so the table says which records it holds and how often. What
is no such record has to be in the dead-letter topic, always: nothing takes its place in a batch.
"""
import collections
import json
import random

import checker
import history

NOTE = 2000  # characters
TABLE = "CREATE TABLE IF NOT EXISTS notes (n BIGINT NOT NULL, note VARCHAR(%d) NOT NULL, KEY (n))" \
    " DEFAULT CHARSET=utf8mb4" % NOTE
ROUTE = {"table": "notes", "mode": "append", "columns": [
    {"field": "n", "column": "n", "type": "int"}, {"field": "note", "column": "note", "type": "string"}]}


class Appends:
    """records(), as history.History has them"""

    def __init__(self, seed, poison=0.004, large=0.001):
        self.rng, self.count = random.Random("appends %s" % seed), 0
        self.poison, self.large = poison, large

    def bad(self):
        return self.rng.choice((
            b"", b"x", b"{", b"[]", None, b'{"n": 1}', b'{"n": "one", "note": ""}',
            b'{"n": 99999999999999999999, "note": ""}',
            json.dumps({"n": 1, "note": "n" * (NOTE + 1)}).encode()))

    def records(self):
        rng = self.rng
        while True:
            if rng.random() < self.poison:
                for _ in range(rng.choice((1, 1, 2, 10))):
                    yield None, self.bad(), "bad note"
                continue
            self.count += 1
            value = json.dumps({"n": self.count, "note": "y" * rng.randrange(NOTE)}).encode()
            if rng.random() < self.large:
                value += b" " * rng.randrange(history.LIMIT_BYTES - len(value))
            yield None, value, "note"


def number_of(value):
    """the number of a good record, or POISON"""
    try:
        data = json.loads((value or b"").decode("utf-8"))
    except ValueError:
        return checker.POISON
    n = data.get("n") if isinstance(data, dict) else None
    if not isinstance(n, int) or not -2**63 <= n < 2**63 or not isinstance(data.get("note"), str) \
            or len(data["note"]) > NOTE:
        return checker.POISON
    return n


class Truth:
    """what the log says: where (all) the records of a number stand, and which are poison"""

    def __init__(self, records, ends):
        """records: [checker.Record], row is the number or POISON"""
        self.ends, self.poison, self.excused = ends, {}, set()
        self.story = collections.defaultdict(list)
        for r in records:
            if r.row is checker.POISON:
                self.poison[r.partition, r.offset] = r
            else:
                self.story[r.row].append(r)


def compare(truth, table, ledger, fences, letters):
    """table: number -> rows that have it"""
    found = []
    for n in sorted(set(truth.story) | set(table)):
        want, have = len(truth.story.get(n, ())), table.get(n, 0)
        if want != have:
            kind = "lost" if have < want else "twice" if want else "unexplained"
            where = ", ".join("%d@%d at %s" % (r.offset, r.partition, r.timestamp)
                              for r in truth.story.get(n, ()))
            found.append(checker.Difference(kind, "notes", "number %d: %d rows, in the log %s"
                                            % (n, have, where or "never")))
    found += checker.compare_letters(truth, letters)
    for partition, end in sorted(truth.ends.items()):
        found += checker.compare_position(partition, end, ledger.get(partition), fences.get(partition))
    return found


def check(env, group, topic):
    """Truth, the letters and the list of differences, from the real servers"""
    messages, ends = checker.read_topic(env["KAFKA_BROKERS"], topic)
    truth = Truth([checker.record(m.partition(), m.offset(), m.timestamp()[1], checker.text(m.key()),
                                  m.value())._replace(row=number_of(m.value())) for m in messages], ends)
    letters = list(checker.read_letters(env["KAFKA_BROKERS"], topic + ".dlq", topic))
    with checker.connect_mysql(env) as db, db.cursor() as c:
        c.execute("SELECT n, COUNT(*) FROM notes GROUP BY n")
        table = dict(c.fetchall())
    ledger, fences = checker.read_ledger(env, group, topic), checker.read_fences(env, group, topic, ends)
    return truth, letters, compare(truth, table, ledger, fences, letters)
