#!/usr/bin/python3
"""A known history: the same seed writes the same records, and nothing else is remembered.

Few hot and many cold keys; upserts, tombstones, clusters of poison, sizes from one byte to the limit.
Every good value of a key says which it is: "k17 seq 000123" in its name, so that order can be seen from
outside. history.py --brokers B --topic T --seed S --count N [--rate R] produces it.
"""
import argparse
import json
import random
import time

# The brokers' default message.max.bytes is 1,048,588, of the batch around the record too. A letter's
# headers no longer fit beside a record of the limit: then the letter comes without the value.
LIMIT_BYTES = 1_048_300

POISON = {
    "one_byte": lambda key, rng: b"x",
    "empty": lambda key, rng: b"",
    "not_json": lambda key, rng: bytes(rng.randrange(1, 256) for _ in range(rng.randrange(2, 300))),
    "cut_short": lambda key, rng: json.dumps(good(key, 0, rng)).encode()[:-rng.randrange(1, 20)],
    "an_array": lambda key, rng: b"[1, 2, 3]",
    "no_name": lambda key, rng: json.dumps({"id": key, "age": 1, "occupation": "x"}).encode(),
    "null_name": lambda key, rng: json.dumps(dict(good(key, 0, rng), name=None)).encode(),
    "age_is_an_object": lambda key, rng: json.dumps(dict(good(key, 0, rng), age={})).encode(),
    "age_beyond_int": lambda key, rng: json.dumps(dict(good(key, 0, rng), age=3_000_000_000)).encode(),
    "name_too_long": lambda key, rng: json.dumps(dict(good(key, 0, rng), name="n" * 300)).encode(),
    "large_and_bad": lambda key, rng: b"{" + b" " * rng.randrange(1000, LIMIT_BYTES),
    "bad_at_the_limit": lambda key, rng: b"{" * LIMIT_BYTES,
}
OCCUPATIONS = ("baker", "Übersetzer", "消防士", "o'clock \"quoter\"", "tab\tand\nline", "", "x" * 255)


def good(key, sequence, rng):
    return {"id": key, "name": "%s seq %06d" % (key, sequence), "age": rng.randrange(-5, 120),
            "occupation": rng.choice(OCCUPATIONS)}


class History:
    """records() yields (key, value or None, what) for ever; `hot` and `cold` are the key names."""

    def __init__(self, seed, hot=8, cold=4000, poison=0.004, tombstones=0.04, large=0.002):
        self.rng = random.Random(seed)
        self.hot = ["hot%d" % i for i in range(hot)]
        self.cold = cold
        self.poison, self.tombstones, self.large = poison, tombstones, large
        self.sequence = {}

    def key(self):
        if self.rng.random() < 0.4:
            return self.rng.choice(self.hot)
        return "cold%d" % self.rng.randrange(self.cold)

    def next_sequence(self, key):
        self.sequence[key] = self.sequence.get(key, 0) + 1
        return self.sequence[key]

    def records(self):
        rng, cluster = self.rng, 0
        while True:
            key = self.key()
            if cluster or rng.random() < self.poison:
                cluster = cluster - 1 if cluster else rng.choice((0, 0, 1, 3, 20))
                kind = rng.choice(sorted(POISON))
                yield key, POISON[kind](key, rng), kind
            elif rng.random() < self.tombstones:
                yield key, None, "tombstone"
            else:
                row = good(key, self.next_sequence(key), rng)
                value = json.dumps(row, ensure_ascii=rng.random() < 0.5).encode()
                if rng.random() < self.large:
                    room = LIMIT_BYTES - len(value)
                    value = value[:-1] + b" " * rng.choice((room, rng.randrange(100, room))) + b"}"
                yield key, value, "upsert"

    def resume(self, sequences):
        """continue after another writer's last sequence numbers"""
        self.sequence.update(sequences)


def produce(brokers, topic, history, count, rate=0, stop=lambda: False, settings=None):
    """Writes `count` records (0: until stop()) at `rate` a second (a number or a function; 0: as fast as
    can be); returns how many the brokers confirmed by kind."""
    from confluent_kafka import Producer
    done, failed = {}, []

    def delivered(kind):
        def report(error, _message):
            if error:
                failed.append(str(error))
            else:
                done[kind] = done.get(kind, 0) + 1
        return report

    producer = Producer({"bootstrap.servers": brokers, "enable.idempotence": True, "acks": "all",
                         "partitioner": "murmur2_random", "linger.ms": 2, "compression.type": "none",
                         "message.timeout.ms": 300000, "message.max.bytes": 1_048_588, "log_level": 2, **(settings or {})})
    due, sent = time.monotonic(), 0
    for key, value, kind in history.records():
        if (count and sent >= count) or stop():
            break
        while True:
            try:
                producer.produce(topic, key=key, value=value, on_delivery=delivered(kind))
                break
            except BufferError:
                producer.poll(0.1)
        sent += 1
        producer.poll(0)
        now_rate = rate() if callable(rate) else rate
        if now_rate:
            due = max(due + 1 / now_rate, time.monotonic() - 1)  # a pause is not made up for
            time.sleep(max(0, due - time.monotonic()))
    left = producer.flush(300)
    if left or failed:
        raise RuntimeError("%d records unconfirmed, %d refused %s" % (left, len(failed), failed[:1]))
    return done


def main():
    args = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    args.add_argument("--brokers", default="127.0.0.1:9092")
    args.add_argument("--topic", default="users")
    args.add_argument("--seed", type=int, default=1)
    args.add_argument("--count", type=int, default=10_000)
    args.add_argument("--rate", type=float, default=0)
    args = args.parse_args()
    print(produce(args.brokers, args.topic, History(args.seed), args.count, args.rate))


if __name__ == "__main__":
    main()
