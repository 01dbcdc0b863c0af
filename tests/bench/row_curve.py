"""Rows 7, 11 to 14: the drain in other shapes: few records, few workers, one hot key, large records,
and without what makes it safe."""
import contextlib
import os
import time

from confluent_kafka import Consumer, TopicPartition

from measure import ROOT, Row, say
from row_drain import best, drain_ours, from_memory, in_turn
from world import PARTITIONS

HOT_PERCENT, REFERENCE_BACKLOG, BATCH_BYTES = 90, 150000, 4 << 20
FETCH_MIB, ANSWER_MIB = 6, 2.5
SIZES = ((100, "100 B", 400000), (1024, "1 KiB", 150000), (65536, "64 KiB", 6000))


@contextlib.contextmanager
def sized(world, count, batch=None):
    """The world with other counts of records, and of those in a batch; as it was afterwards."""
    was = world.count, world.batch, world.window
    if batch:
        world.batch, world.window = min(batch, world.batch), min(batch, world.window)
    world.count = count
    try:
        yield
    finally:
        world.count, world.batch, world.window = was


def ceiling(world, **options):
    return best(from_memory(world, **options), from_memory(world, array=1, **options))


class Lag:
    """The broker's truth, on one connection that is kept."""

    def __init__(self, world):
        self.consumer = Consumer({"bootstrap.servers": world.env["KAFKA_BROKERS"],
                                  "group.id": world.group})
        self.places = [TopicPartition(world.topic, p) for p in range(PARTITIONS)]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.consumer.close()

    def done(self):
        """Records that the group has committed."""
        return sum(max(place.offset, 0)
                   for place in self.consumer.committed(self.places, timeout=10))


def measure_workers(world, rounds, check):
    """Row 11."""
    rows = {n: Row("11 drain, %d worker%s : as many threads" % (n, "s" if n > 1 else ""),
                   "records/s", ">=0.9") for n in (1, 2, 3, 6)}
    with sized(world, 20000 if check else 1000000):
        world.new_topic()
        world.backlog()
        for number in range(rounds):
            say("workers, round %d" % (number + 1))
            for workers, row in rows.items():
                ours, memory = in_turn(number, lambda: drain_ours(world, {"workers": workers}),
                                       lambda: ceiling(world, threads=workers))
                row.add(ours[0], memory[0])
    return list(rows.values())


def measure_skew(world, rounds, check):
    """Row 12."""
    row = Row("12 drain, %d %% on one key : one thread from memory" % HOT_PERCENT, "records/s",
              ">=1")
    with sized(world, 20000 if check else 1000000):
        world.new_topic()
        world.backlog(hot=HOT_PERCENT)
        for number in range(rounds):
            say("skew, round %d" % (number + 1))
            ours, memory = in_turn(number, lambda: drain_ours(world),
                                   lambda: ceiling(world, threads=1, hot=HOT_PERCENT))
            row.add(ours[0], memory[0])
    return [row]


def wide(world):
    """The table of the example takes 255 letters."""
    world.sql("ALTER TABLE users MODIFY occupation MEDIUMTEXT NOT NULL")


def bound_mib(world, record_bytes):
    """docs/operations.md, Memory, with the defaults."""
    queues = PARTITIONS * 2 * (FETCH_MIB + ANSWER_MIB * max(1, 400 / record_bytes))
    batch_mib = BATCH_BYTES / 2 ** 20
    return (32 + queues + FETCH_MIB + 16 * batch_mib +
            PARTITIONS * 10 * (batch_mib + record_bytes / 2 ** 20))


def measure_sizes(world, rounds, check):
    """Row 13."""
    rows = []
    for size, text, records in SIZES:
        rate = Row("13 records of %s : both-from-memory" % text, "MB/s", ">=0.9")
        memory = Row("13 records of %s: memory, peak : its bound" % text, "MiB", "<=1")
        records = records // 10 if check else records
        with sized(world, records, BATCH_BYTES // size):
            options = {"value-bytes": size}
            world.new_topic()
            world.backlog(**options)
            for number in range(rounds):
                say("records of %s, round %d" % (text, number + 1))
                ours, theirs = in_turn(number, lambda: drain_ours(world, before=wide),
                                       lambda: ceiling(world, before=wide, **options))
                rate.add(ours[0] * size / 1e6, theirs[0] * size / 1e6)
                memory.add(ours[3], bound_mib(world, size))
        rows += [rate, memory]
    return rows


def drain_committed(world, where=None):
    """A drain watched by the group's commits: without fences nothing else tells."""
    with contextlib.ExitStack() as stack:
        if where:
            was = os.environ.get("WT_BIN")
            os.environ["WT_BIN"] = where
            stack.callback(restore, "WT_BIN", was)
        return drain_ours(world, {"commit.interval-ms": 10},
                          progress=lambda world: stack.enter_context(Lag(world)).done)


def restore(name, was):
    if was is None:
        del os.environ[name]
    else:
        os.environ[name] = was


def measure_safety(world, rounds, check):
    """Row 14: VARIANT=bare builds a consumer without ledger and fence."""
    rate = Row("14 drain, ledger and fence : without them", "records/s", ">=0.95")
    work = Row("14 CPU of all processes : without them", "s/million", "<=1.05")
    bare = os.path.join(ROOT, "build/bare/bin/wt-consumer")
    if not os.access(bare, os.X_OK):
        rate.missing = work.missing = "no build without them: make VARIANT=bare"
        return [rate, work]
    with sized(world, 20000 if check else world.count):
        world.new_topic()
        world.backlog()
        for number in range(rounds):
            say("safety, round %d" % (number + 1))
            safe, unsafe = in_turn(number, lambda: drain_committed(world),
                                   lambda: drain_committed(world, "build/bare/bin"))
            rate.add(safe[0], unsafe[0])
            work.add(safe[2], unsafe[2])
    return [rate, work]


def to_lag_0(world):
    """Seconds from the start of the process until the group has committed everything."""
    world.fresh()
    with Lag(world) as lag:
        start = time.monotonic()
        program = world.consumer(ready=False)
        world.wait_fences(world.count)
        while lag.done() < world.count:
            assert program.running() and time.monotonic() < start + 300, program.text()
            time.sleep(0.01)
        took = time.monotonic() - start
        program.kill()
    return took


def measure_backlog(world, rounds, check):
    """Row 7."""
    took = Row("7 backlog of 150,000, process start to lag 0", "s", "<=2", of="ours")
    pace = Row("7 that backlog with the start : drain alone", "records/s", ">=0.87")
    with sized(world, REFERENCE_BACKLOG // (10 if check else 1)):
        world.new_topic()
        world.backlog()
        for number in range(rounds):
            say("backlog, round %d" % (number + 1))
            seconds, rate = in_turn(number, lambda: to_lag_0(world),
                                    lambda: drain_ours(world)[0])
            took.add(seconds)
            pace.add(world.count / seconds, rate)
    return [took, pace]


def measure(world, rounds, check):
    rows = []
    for part in (measure_backlog, measure_workers, measure_skew, measure_sizes, measure_safety):
        rows += part(world, rounds, check)
    return rows
