#!/usr/bin/python3
"""The independent checker: reads the topic itself, works out the truth, compares.

It shares no code with the consumer. A record is good when its value is an object with the four fields
within their columns; null deletes; everything else has to be in the dead-letter topic: at once when it is
no such object, and when it only does not fit its columns, unless a newer record of the key came soon (the
two may have met in one batch, where the last one wins and the other never sees MySQL). The truth is the
last good record of each key, in partition order. compare() says what is

    lost          a record that neither the stores nor the dead letters have
    stale         a store holds an older record of the key
    twice         a letter that is there under two different coordinates, a ledger beyond the log
    unexplained   something that no record of the log explains

checker.py --brokers B --topic T --group G --mysql user:password@host:port/database --redis host:port
"""
import argparse
import json
import sys
import zlib
from collections import namedtuple

Record = namedtuple("Record", "partition offset timestamp key row crc head")  # row: dict, None or POISON
Letter = namedtuple("Letter", "partition offset key crc reason")
Difference = namedtuple("Difference", "kind where what")
POISON, UNFIT = "poison", "unfit"
SOON = 1000  # records: the largest batch
FIELDS = ("id", "name", "age", "occupation")


def no_duplicates(pairs):
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def row_of(key, value):
    """the row that a record makes, None for a tombstone, POISON when it can make none, UNFIT when
    no column takes it"""
    if value is None:
        return None
    try:
        data = json.loads(value.decode("utf-8"), object_pairs_hook=no_duplicates)
    except ValueError:
        return POISON
    if not isinstance(data, dict) or data.get("id") != key:
        return POISON
    age = data.get("age")
    if not all(isinstance(data.get(name), str) for name in ("id", "name", "occupation")) \
            or not isinstance(age, int) or isinstance(age, bool):
        return POISON
    fits = all(len(data[name]) <= limit for name, limit in (("id", 64), ("name", 255), ("occupation", 255)))
    if not fits or not -2**31 <= age < 2**31:
        return UNFIT
    return {name: data[name] for name in FIELDS}


def record(partition, offset, timestamp, key, value):
    head = "%d bytes %r" % (len(value), value[:60]) if value is not None else "null"
    return Record(partition, offset, timestamp, key, row_of(key, value), zlib.crc32(value or b""), head)


class Truth:
    """What the log says. story: every record of a key, in order."""

    def __init__(self, records, ends):
        self.story, self.poison, self.ends = {}, {}, ends
        self.last_unfit, self.excused = {}, set()
        for r in sorted(records, key=lambda r: (r.partition, r.offset)):
            if r.row is not POISON:
                before = self.last_unfit.pop(r.key, None)
                if before and r.offset - before[1] < SOON:
                    self.excused.add(before)
            if r.row is UNFIT:
                self.last_unfit[r.key] = (r.partition, r.offset)
            if r.row in (POISON, UNFIT):
                self.poison[r.partition, r.offset] = r
            else:
                self.story.setdefault(r.key, []).append(r)

    def row(self, key):
        return self.story[key][-1].row if key in self.story else None

    def tell(self, key, mysql, redis):
        """the record's story, for people"""
        lines = ["key %s: MySQL %s, Redis %s" % (key, short(mysql), short(redis))]
        for r in self.story.get(key, [])[-5:]:
            lines.append("  %d@%d at %s: %s" % (r.offset, r.partition, r.timestamp, short(r.row)))
        return "\n".join(lines)


def short(row):
    return "nothing" if row is None else "%s/%s" % (row.get("name"), row.get("age")) \
        if isinstance(row, dict) else repr(row)[:60]


def judge(truth, store, key, have, redis_may_miss):
    """one key in one store: a kind of difference, or None"""
    want = truth.row(key)
    if have == want:
        return None
    story = truth.story.get(key, [])
    if have is None:
        return None if store == "redis" and redis_may_miss else "lost"
    if any(have == r.row for r in story[:-1]):
        return "stale"
    return "unexplained"


def compare(truth, mysql, redis, ledger, fences, letters, redis_may_miss=False):
    """mysql, redis: key -> row. ledger: partition -> next. fences: partition -> hash or None."""
    found = []
    for key in sorted(set(truth.story) | set(mysql) | set(redis)):
        for store, rows in (("mysql", mysql), ("redis", redis)):
            kind = judge(truth, store, key, rows.get(key), redis_may_miss)
            if kind:
                found.append(Difference(kind, store, truth.tell(key, mysql.get(key), redis.get(key))))
    found += compare_letters(truth, letters)
    for partition, end in sorted(truth.ends.items()):
        found += compare_position(partition, end, ledger.get(partition), fences.get(partition))
    return found


def compare_letters(truth, letters):
    found, have = [], {}
    for letter in letters:
        where = letter.partition, letter.offset
        text = "letter for %d@%d, key %s: %s" % (letter.offset, letter.partition, letter.key, letter.reason)
        if where not in truth.poison:
            found.append(Difference("unexplained", "letters", text + ": the record is good, or not there"))
        elif letter.crc not in (None, truth.poison[where].crc) or letter.key != truth.poison[where].key:
            found.append(Difference("unexplained", "letters", text + ": another value than the record's"))
        have[where] = letter
    for where, r in sorted(truth.poison.items()):
        if where not in have and where not in truth.excused:
            found.append(Difference("lost", "letters", "no letter for poison %d@%d, key %s, at %s: %s"
                                    % (r.offset, r.partition, r.key, r.timestamp, r.head)))
    return found


def compare_position(partition, end, position, fence):
    if end == 0 and position in (None, 0):
        return
    if position != end:
        kind = "lost" if position is None or position < end else "twice"
        yield Difference(kind, "ledger", "partition %d: ledger at %s, the log ends at %d"
                         % (partition, position, end))
    if not fence:
        yield Difference("lost", "fence", "partition %d: no fence" % partition)
        return
    if int(fence["next"]) != end:
        yield Difference("stale", "fence", "partition %d: fence at %s, the log ends at %d"
                         % (partition, fence["next"], end))
    if int(fence["seen"]) > end:
        yield Difference("unexplained", "fence", "partition %d: seen %s is beyond the log's end %d"
                         % (partition, fence["seen"], end))


# ---- reading the real things ---------------------------------------------------------------------
def read_topic(brokers, topic):
    """[(message)] of the whole topic and {partition: end}"""
    from confluent_kafka import Consumer, TopicPartition, OFFSET_BEGINNING
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": "checker-reads-alone",
                         "enable.auto.commit": False, "auto.offset.reset": "error",
                         "enable.partition.eof": True, "fetch.max.bytes": 16 << 20})
    try:
        partitions = consumer.list_topics(topic, 30).topics[topic].partitions
        ends, messages, open_ = {}, [], set(partitions)
        for p in partitions:
            low, ends[p] = consumer.get_watermark_offsets(TopicPartition(topic, p), 30, cached=False)
            if low >= ends[p]:
                open_.discard(p)
        consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in partitions])
        while open_:
            message = consumer.poll(60)
            if message is None:
                raise RuntimeError("topic %s: nothing for 60 s, partitions %s unread" % (topic, open_))
            if message.error():
                if message.error().code() == -191:  # end of a partition
                    open_.discard(message.partition())
                    continue
                raise RuntimeError(str(message.error()))
            messages.append(message)
            if message.offset() + 1 >= ends[message.partition()]:
                open_.discard(message.partition())
        return messages, ends
    finally:
        consumer.close()


def text(data):
    return None if data is None else data.decode("utf-8", "replace")


def read_truth(brokers, topic):
    messages, ends = read_topic(brokers, topic)
    return Truth([record(m.partition(), m.offset(), m.timestamp()[1], text(m.key()), m.value())
                  for m in messages], ends)


def read_letters(brokers, dlq, topic):
    for m in read_topic(brokers, dlq)[0]:
        headers = {name: text(value) for name, value in m.headers() or []}
        if headers.get("wt.origin.topic") != topic:
            yield Letter(-1, -1, text(m.key()), None, "headers say %s" % headers)
            continue
        crc = zlib.crc32(m.value()) if m.value() is not None else None
        yield Letter(int(headers["wt.origin.partition"]), int(headers["wt.origin.offset"]),
                     text(m.key()), crc, headers.get("wt.error.reason"))


def connect_mysql(env):
    import pymysql
    return pymysql.connect(host=env["MYSQL_HOST"], port=int(env["MYSQL_PORT"]), user=env["MYSQL_USER"],
                           password=env["MYSQL_PASSWORD"], database=env["MYSQL_DATABASE"],
                           charset="utf8mb4", autocommit=True, read_timeout=30, connect_timeout=5)


def connect_redis(env):
    import redis
    return redis.Redis(env["REDIS_HOST"], int(env["REDIS_PORT"]), db=int(env.get("REDIS_DATABASE", 0)),
                       decode_responses=True, socket_timeout=30)


def read_mysql(env, group, topic):
    with connect_mysql(env) as db, db.cursor() as c:
        c.execute("SELECT id, name, age, occupation FROM users")
        rows = {r[0]: dict(zip(FIELDS, r)) for r in c.fetchall()}
    return rows, read_ledger(env, group, topic)


def read_ledger(env, group, topic):
    with connect_mysql(env) as db, db.cursor() as c:
        c.execute("SELECT partition_id, next_offset FROM writethrough_ledger"
                  " WHERE group_id=%s AND topic=%s", (group, topic))
        return dict(c.fetchall())


def read_fences(env, group, topic, partitions):
    db = connect_redis(env)
    return {p: db.hgetall("writethrough:{%s:%s:%d}" % (group, topic, p)) for p in partitions}


def read_redis(env, group, topic, partitions):
    db = connect_redis(env)
    keys = list(db.scan_iter("user:*", 5000))
    rows = {}
    for i in range(0, len(keys), 1000):
        for key, value in zip(keys[i:i + 1000], db.mget(keys[i:i + 1000])):
            try:
                rows[key[5:]] = json.loads(value) if value is not None else None
            except ValueError:
                rows[key[5:]] = value
    return rows, read_fences(env, group, topic, partitions)


def check(env, group, topic, dlq=None, redis_may_miss=False):
    """Truth and the list of differences, from the real servers."""
    truth = read_truth(env["KAFKA_BROKERS"], topic)
    letters = list(read_letters(env["KAFKA_BROKERS"], dlq or topic + ".dlq", topic))
    mysql, ledger = read_mysql(env, group, topic)
    redis, fences = read_redis(env, group, topic, truth.ends)
    return truth, letters, compare(truth, mysql, redis, ledger, fences, letters, redis_may_miss)


def report(truth, letters, found, show=10):
    kinds = {kind: sum(d.kind == kind for d in found) for kind in ("lost", "stale", "twice", "unexplained")}
    lines = ["%d records, %d keys, %d poison, %d letters: %s" % (
        sum(truth.ends.values()), len(truth.story), len(truth.poison), len(letters),
        ", ".join("%d %s" % (n, kind) for kind, n in kinds.items()))]
    for d in found[:show]:
        lines.append("%s (%s): %s" % (d.kind, d.where, d.what))
    if len(found) > show:
        lines.append("... and %d more" % (len(found) - show))
    return "\n".join(lines)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--env", default="run/env", help="file of shell assignments, as make up writes it")
    args.add_argument("--topic", default="users")
    args.add_argument("--group", default="write-through")
    args.add_argument("--redis-may-miss", action="store_true", help="evicted keys are no difference")
    args = args.parse_args()
    with open(args.env, encoding="utf-8") as f:
        env = dict(line.strip().split("=", 1) for line in f if "=" in line)
    env = {name: value.strip("'\"") for name, value in env.items()}
    truth, letters, found = check(env, args.group, args.topic, redis_may_miss=args.redis_may_miss)
    print(report(truth, letters, found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
