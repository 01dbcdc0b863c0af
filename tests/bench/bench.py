#!/usr/bin/python3
"""Speed as ratios: ours and every rival in the same run, on the same records, in turn.

    make bench                         everything, three rounds
    make bench ONLY=drain,http         a part: drain curve debezium latency surge life http server
                                       ingest java model load
    make bench RECORDS=1000000 ROUNDS=5
    make bench-check                   tiny: does every row come out? has a ratio fallen by half?

A table on stdout, build/bench.json beside it. Ratios are of one round (rivals that ran one after
the other), median with minimum and maximum. docs/performance.md says what the rows mean.
"""
import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback

from measure import (ROOT, Bench, Row, conditions, default_of, say, table, write_json)
from stack import Servers
import baseline
import row_curve
import row_debezium
import row_drain
import row_http
import row_ingest
import row_java
import row_latency
import row_life
import row_load
import row_model
import row_server

PARTS = {"drain": row_drain.measure, "curve": row_curve.measure, "debezium": row_debezium.measure,
         "latency": row_latency.measure, "surge": row_life.measure_surge,
         "life": row_life.measure, "http": row_http.measure, "server": row_server.measure,
         "ingest": row_ingest.measure, "java": row_java.measure,
         "model": row_model.measure, "load": row_load.measure}
ONE_ROUND_AFTER_S = 15 * 60  # the whole has to end within 20 minutes
NEEDS = {"http": "wrk", "server": "wrk", "ingest": "kcat"}


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", default=",".join(PARTS))
    parser.add_argument("--records", type=int)
    parser.add_argument("--keys", type=int, default=20000)
    parser.add_argument("--batch", type=int, default=default_of("batch.records"))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--write-baseline", action="store_true")
    made = parser.parse_args()
    made.records = made.records or (20000 if made.check else 1000000)
    made.rounds = made.rounds or (1 if made.check else 3)
    made.only = made.only.split(",")
    unknown = set(made.only) - set(PARTS)
    if unknown:
        parser.error("ONLY is one or more of %s" % ", ".join(PARTS))
    return made


def warn_when_busy():
    load, cores = os.getloadavg()[0], os.cpu_count()
    if load > 0.3 * cores:
        say("bench: the machine is busy (load %.1f on %d cores): only ratios and CPU seconds "
            "mean something, and those roughly" % (load, cores))


def part_rows(part, world, options, rounds):
    """A part that breaks is a row that says so: the others still come out."""
    instead, need = Row(part, "", None), NEEDS.get(part)
    if need and not shutil.which(need):
        instead.missing = "%s is not installed" % need
        return [instead]
    try:
        return PARTS[part](world, rounds, options.check)
    except Exception as error:
        traceback.print_exc()
        instead.missing = instead.broken = "it broke: %s" % str(error).strip()[:100]
        return [instead]


def measure(world, options):
    rows, seconds = [], {}
    base = baseline.load() if options.check and not options.write_baseline else {}
    begin = time.monotonic()
    for part in options.only:
        start, rounds = time.monotonic(), options.rounds
        if start - begin > ONE_ROUND_AFTER_S:
            say("bench: late: one round of %s" % part)
            rounds = 1
        made = part_rows(part, world, options, rounds)
        for _ in range(1, baseline.TRIES):
            if baseline.fallen(made, base):
                baseline.again(made, lambda: part_rows(part, world, options, 1))
        rows += made
        seconds[part] = round(time.monotonic() - start)
        say("bench: %s took %d s" % (part, seconds[part]))
    return rows, seconds


def main():
    options = arguments()
    warn_when_busy()
    start, folder = time.monotonic(), tempfile.mkdtemp(prefix="wt-bench-")
    servers = Servers({})
    try:
        world = Bench(servers, folder, options.records, options.keys, options.batch)
        try:
            load = os.getloadavg()[0]
            rows, seconds = measure(world, options)
            about = conditions(world, options.rounds)
        finally:
            world.close()
    finally:
        servers.close()
        shutil.rmtree(folder, ignore_errors=True)
    about["load_average_at_start"] = round(load, 2)
    about["seconds"] = round(time.monotonic() - start)
    about["seconds_of_parts"] = seconds
    print(table(rows))
    print("\nconditions: " + ", ".join("%s %s" % item for item in about.items()))
    write_json(os.path.join(ROOT, "build", "bench.json"), about, rows)
    bad = ["%s: did not come out" % row.name for row in rows
           if row.broken or (not row.runs and not row.missing)]
    if options.write_baseline:
        baseline.write(rows)
    elif options.check:
        bad += baseline.fallen(rows, baseline.load())
    for text in bad:
        print("NOT AS IT WAS: " + text)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
