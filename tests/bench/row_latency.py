"""Row 5: how old a record is when both stores have it, under 1,000 requests/s, against the sum of
its steps, each measured alone on the same servers."""
import subprocess
import threading

from measure import Row, binary, clean_environ, say

RATE, PROBE_RATE = 1000, 100


def loaded_probe(world, seconds):
    """(p50, p99, answered) of probes among a constant rate."""
    world.fresh()
    world.consumer()
    producer = world.producer()
    load = subprocess.Popen(
        [binary("wt-loadgen"), "--url", producer.url + "/write-through", "--quiet", "--stages",
         "600s:%d" % (RATE - PROBE_RATE), "--keys", str(world.keys_count)],
        env=clean_environ(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        threading.Event().wait(1)
        made = world.yardstick("probe", producer.url.rpartition(":")[2],
                               "--count=%d" % (seconds * PROBE_RATE), "--rate=%d" % PROBE_RATE)
        assert load.poll() is None, "the load ended before the probes"
    finally:
        load.kill()
        load.wait()
    say("  both stores after p50 %(P50)s ms, p99 %(P99)s; answered after %(ANSWERED)s" % made)
    return made["P50"], made["P99"]


def alone(world, count):
    world.fresh()
    made = world.yardstick("parts", world.topic, "--count=%d" % count, "--rate=%d" % RATE)
    say("  alone, ms: " + ", ".join("%s %.3f" % (k.lower(), v) for k, v in made.items()))
    return sum(made.values())


def measure(world, rounds, check):
    middle = Row("5 both stores, 1,000 rps, p50 : its steps alone", "ms", "<=1.5")
    tail = Row("5 both stores, 1,000 rps, p99 : p50", "ms", "<=6")
    for number in range(rounds):
        say("latency, round %d" % (number + 1))
        world.new_topic()
        steps = alone(world, 200 if check else 1000)
        world.new_topic()
        p50, p99 = loaded_probe(world, 2 if check else 6)
        middle.add(p50, steps)
        tail.add(p99, p50)
    return [middle, tail]
