"""Rows 1, 2, 4: a backlog into both stores, against memory, the database alone and the naive way."""
import time

from measure import Row, busy_seconds, cpu_seconds, peak_mib, say


WARM_UPS = 3  # the broker's CPU time: 2.9, 0.9, 0.7 s per million, later 0.3


def wait_progress(program, progress, at_least, every):
    while progress() < at_least:
        assert program.running(), program.text()
        time.sleep(every)


def drain_ours(world, options=None, before=None, progress=None):
    """One drain: (records/s, our CPU s per million, CPU s per million of ours, stores and broker,
    our peak of memory in MiB). before: is called with empty stores; progress: tells how many
    records are done, the fences if not given, and is made then.

    Between the first batches that are seen in both stores and the end, so the start of the
    process is no part of it (it has its own row)."""
    world.fresh()
    if before:
        before(world)
    progress = progress(world) if progress else world.fences
    pids = {name: daemon.pid() for name, daemon in world.servers.own.items()}
    program = world.consumer(options={"batch.records": world.batch, **(options or {})},
                             ready=False)
    pids["consumer"] = program.pid
    wait_progress(program, progress, 1, 0.002)
    first, start = progress(), time.monotonic()
    used, busy = {name: cpu_seconds(pid) for name, pid in pids.items()}, busy_seconds()
    wait_progress(program, progress, world.count, 0.004)
    took = time.monotonic() - start
    spent = {name: cpu_seconds(pid) - used[name] for name, pid in pids.items()}
    moved = max(world.count - first, 1)
    foreign = (busy_seconds() - busy - sum(spent.values())) / took
    peak = peak_mib(program.pid)
    program.stop()
    million = {name: s / moved * 1e6 for name, s in spent.items()}
    say("  ours: %.0f/s, CPU s per million: %s; others took %.2f cores" % (
        moved / took, ", ".join("%s %.2f" % item for item in sorted(million.items())), foreign))
    return moved / took, million["consumer"], sum(million.values()), peak


def from_memory(world, before=None, **options):
    world.fresh()
    if before:
        before(world)
    made = world.yardstick("both_from_memory", *[
        "--%s=%d" % option for option in dict(
            {"records": world.count, "keys": world.keys_count, "batch": world.batch,
             "mysql-pid": world.servers.own["mysql"].pid(),
             "redis-pid": world.servers.own["redis"].pid()}, **options).items()])
    rate, per = made["RECORDS"] / made["SECONDS"], 1e6 / made["RECORDS"]
    say("  from memory %s: %.0f/s, CPU s per million: own %.2f, stores %.2f" % (
        options or "", rate, made["CPU"] * per, made["STORES"] * per))
    return rate, (made["CPU"] + made["STORES"]) * per


def in_turn(number, *rivals):
    """The results in their order; who begins changes with the round."""
    turn = [(number + i) % len(rivals) for i in range(len(rivals))]
    got = {i: rivals[i]() for i in turn}
    return [got[i] for i in range(len(rivals))]


def best(*shapes):
    """The better of the shapes is the ceiling: (highest rate, least CPU)."""
    return max(shape[0] for shape in shapes), min(shape[1] for shape in shapes)


def naive(world, seconds):
    world.fresh()
    made = world.yardstick("naive", world.topic, world.group, "--seconds=%d" % seconds)
    return made["RECORDS"] / made["SECONDS"]


def measure_distinct(world, rounds, check):
    """The same where a batch has nothing to compact: nearly every record is a row."""
    row = Row("1 drain, a million keys : both-from-memory", "records/s", ">=0.95")
    was = world.keys_count
    world.keys_count = 1000000
    try:
        world.new_topic()
        world.backlog()
        for number in range(rounds):
            say("drain of a million keys, round %d" % (number + 1))
            ours, memory = in_turn(number, lambda: drain_ours(world),
                                   lambda: best(from_memory(world), from_memory(world, array=1)))
            row.add(ours[0], memory[0])
    finally:
        world.keys_count = was
    return [row]


def measure_repeated(world, rounds, check):
    both = Row("1 drain, both stores : both-from-memory", "records/s", ">=0.95")
    same = Row("1 drain, both stores : compacted beforehand", "records/s", None)
    alone = Row("1 drain, both stores : db-only from memory", "records/s", None)
    # Where the CPU is the wall, this is row 1 turned round, and other programs disturb it less.
    work = Row("1 CPU of all processes : both-from-memory", "s/million", "<=1.05")
    plain = Row("2 drain : naive pool", "records/s", ">=250")
    cpu = Row("4 consumer CPU per million records", "s", "<=0.9", of="ours")
    world.new_topic()
    world.backlog()
    for _ in range(0 if check else WARM_UPS):
        say("drain, not counted: a broker that has just started compiles its code meanwhile")
        drain_ours(world)
    for number in range(rounds):
        say("drain, round %d" % (number + 1))
        rivals = [lambda: drain_ours(world),
                  lambda: best(from_memory(world), from_memory(world, array=1)),
                  lambda: best(from_memory(world, redis=0), from_memory(world, redis=0, array=1)),
                  lambda: naive(world, 1 if check else 4),
                  lambda: from_memory(world, array=1, window=world.window)]
        got = in_turn(number, *rivals)
        rate, own, everything, _ = got[0]
        both.add(rate, got[1][0])
        alone.add(rate, got[2][0])
        work.add(everything, got[1][1])
        plain.add(rate, got[3])
        same.add(rate, got[4][0])
        cpu.add(own)
    return [both, same, alone, work, plain, cpu]


def measure(world, rounds, check):
    return measure_repeated(world, rounds, check) + measure_distinct(world, rounds, check)
