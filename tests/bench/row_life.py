"""Rows 6, 15, 16: a surge; the start, the end, and what comes after kill -9."""
import os
import signal
import subprocess
import time

from measure import ROOT, Row, say, wait_until


class Stream:
    """Records at a steady rate into the topic, as long as the block lasts."""

    def __init__(self, world, rate):
        self.argv = [os.path.join(ROOT, "build/bench/backlog"), world.topic, "--records=1000000",
                     "--keys=%d" % world.keys_count, "--rate=%d" % rate]
        self.env = world.yard_env()

    def __enter__(self):
        self.child = subprocess.Popen(self.argv, env=self.env, stdout=subprocess.DEVNULL)
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


def surge(world, rate, workers, seconds):
    """(highest lag, seconds to lag 0 after the last request, answered a second)"""
    world.new_topic()
    world.fresh()
    world.consumer(options={"workers": workers})
    done, report = world.loadgen(world.producer(), options={
        "stages": "%ds:%d,0s" % (seconds, rate), "lag.group": world.group,
        "keys": world.keys_count, "kafka.brokers": world.env["KAFKA_BROKERS"],
        "connections": 200, "topic": world.topic})
    assert report["errors"]["total"] == 0, done.stderr
    found = (report["lag"]["max"], report["lag"]["drain_seconds"],
             report["result"]["achieved_rate"])
    say("  surge of %d/s, %s workers: highest lag %s, drained in %s s; %s/s"
        % (rate, workers, *found))
    return found


def start_and_stop(world):
    """(start of the process to the first record in both stores, SIGTERM to exit), in seconds."""
    world.fresh()
    start = time.monotonic()
    program = world.consumer(ready=False)
    first = world.wait_fences(1, 60, every=0.002) - start
    stop = time.monotonic()
    code = program.stop()
    took = time.monotonic() - stop
    assert code == 0, program.text()
    return first, took


def recovery(world):
    """kill -9 to the next record in both stores, by the same member started again."""
    world.new_topic()
    world.fresh()
    with Stream(world, 1000):
        static = {"group.instance.id": "bench", "session.timeout.ms": 6000}
        program = world.consumer(options=static)
        world.wait_fences(1000)
        start = time.monotonic()
        program.kill()
        was = world.fences()
        again = world.consumer(options=static, ready=False)
        took = world.wait_fences(was + 1, 60, every=0.002) - start
        again.stop()
    return took


def takeover(world):
    """kill -9 to the moment when all of its partitions move again, in another member."""
    world.new_topic()
    world.fresh()
    options = {"session.timeout.ms": 6000}
    first = world.consumer(options=options)
    world.consumer(options=options)
    with Stream(world, 1000):
        world.wait_fences(2000)
        time.sleep(2)  # both have their partitions
        start = time.monotonic()
        first.signal(signal.SIGKILL)
        marks = {}

        def all_moved():
            for key in world.redis.keys("writethrough:{%s:%s:*" % (world.group, world.topic)):
                now = int(world.redis.hget(key, "next"))
                marks.setdefault(key, now)
                if now > marks[key] + 20:  # batches that were under way do not count
                    marks[key] = float("-inf")
            return marks and all(v == float("-inf") for v in marks.values())
        wait_until(all_moved, 60, "every partition moves", every=0.05)
        return time.monotonic() - start


def measure_surge(world, rounds, check):
    lag, drain = {}, {}
    for workers in (6, 1):
        text = "6 surge 1,000 rps, %d worker%s: " % (workers, "s" if workers > 1 else "")
        lag[workers] = Row(text + "highest lag", "records", "<=200", of="ours")
        drain[workers] = Row(text + "drain after the stop", "s", "<=0.5", of="ours")
    # Bounded: it is behind by no more than what comes in a second.
    high = [Row("6 surge 10,000 rps: highest lag", "records", "<=10000", of="ours"),
            Row("6 surge 10,000 rps: drain after the stop", "s", "<=1", of="ours"),
            Row("6 surge 10,000 rps: answered", "requests/s", ">=9900", of="ours")]
    for number in range(rounds):
        say("surge, round %d" % (number + 1))
        for workers in lag:
            found = surge(world, 1000, workers, 2 if check else 8)
            lag[workers].add(found[0])
            drain[workers].add(found[1])
        for row, value in zip(high, surge(world, 10000, 6, 2 if check else 5)):
            row.add(value)
    return [*lag.values(), *drain.values(), *high]


def measure(world, rounds, check):
    first = Row("16 start to the first record in both stores", "s", "<=0.5", of="ours")
    stop = Row("16 SIGTERM under load to exit", "s", "<=0.5", of="ours")
    same = Row("15 kill -9 to the next record, static member", "s", "<=1", of="ours")
    other = Row("15 kill -9 to all moving, other member (6 s)", "s", "<=7", of="ours")
    for number in range(rounds):
        say("life, round %d" % (number + 1))
        world.new_topic()
        world.backlog()
        started, stopped = start_and_stop(world)
        first.add(started)
        stop.add(stopped)
        same.add(recovery(world))
        if not check:
            other.add(takeover(world))
    if check:
        other.missing = "only in the long form"
    return [first, stop, same, other]
