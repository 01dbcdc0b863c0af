"""The capacity model of docs/performance.md against three measured points.

What it knows: the time of a lone durable commit of one row, and the CPU time of a record, of a byte
and of a batch, from three drains. What it says: the rate of three others.
"""
import os

from measure import Row, say
from row_curve import sized, wide
from row_drain import drain_ours

SMALL, MIDDLE, LARGE = 80, 400, 1024
WORKER_CORES = 1.5  # MySQL has two thirds of the work, and the rest is done beside it


class Model:
    def __init__(self, commit_s, record_s, byte_s, batch_s):
        self.commit_s, self.record_s = commit_s, record_s
        self.byte_s, self.batch_s = byte_s, batch_s

    def cpu_s(self, batch, value_bytes):
        """CPU seconds of one record, all processes."""
        return self.record_s + self.byte_s * value_bytes + self.batch_s / batch

    def rate(self, cores, workers, batch, value_bytes):
        """Work in parallel, on so many cores for each worker; commits one after another, for
        there is one log."""
        return 1 / (self.cpu_s(batch, value_bytes) / min(cores, WORKER_CORES * workers)
                    + self.commit_s / batch)


def drain(world, records, batch, workers, value_bytes):
    with sized(world, records, batch):
        world.new_topic()
        world.backlog(**{"value-bytes": value_bytes})
        return drain_ours(world, {"workers": workers, "batch.compact": 1}, before=wide)


def fitted(world, scale):
    batch = world.batch
    world.new_topic()
    world.fresh()
    alone = world.yardstick("parts", world.topic, "--count=%d" % (1000 // scale))
    small = drain(world, 200000 // scale, batch, 6, SMALL)[2] / 1e6
    large = drain(world, 60000 // scale, batch, 6, LARGE)[2] / 1e6
    single = drain(world, 15000 // scale, 1, 6, SMALL)[2] / 1e6
    byte_s = max(large - small, 0) / (LARGE - SMALL)
    model = Model(alone["COMMIT"] / 1000, small - byte_s * SMALL, byte_s, max(single - small, 0))
    say("  model: commit %.2f ms; CPU: record %.1f us, KiB %.1f us, batch %.0f us" % (
        alone["COMMIT"], model.record_s * 1e6, byte_s * 1024e6, model.batch_s * 1e6))
    return model


def measure(world, rounds, check):
    batch, scale, cores = world.batch, 10 if check else 1, os.cpu_count()
    points = [("1 worker", 100000, (1, batch, SMALL)),
              ("batches of 10", 60000, (6, 10, SMALL)),
              ("records of %d B" % MIDDLE, 100000, (6, batch, MIDDLE))]
    rows = [Row("model of the capacity, %s : measured" % name, "records/s", "~0.3")
            for name, _, _ in points]
    for number in range(rounds):
        say("model, round %d" % (number + 1))
        model = fitted(world, scale)
        for row, (_, records, (workers, size, value_bytes)) in zip(rows, points):
            row.add(model.rate(cores, workers, size, value_bytes),
                    drain(world, records // scale, size, workers, value_bytes)[0])
    return rows
