"""Is the load generator right, and fast enough? Against the tools that people know, on one server.

Medians at 1,000 requests/s against a server that answers 2 ms later: then the tools' own speed does
not matter, and a closed loop has a constant rate too. Then our own timing error, the highest rate
from one core, and what a stall of two seconds looks like to an open and to a closed loop.
"""
import csv
import json
import os
import re
import shutil
import statistics
import subprocess

from measure import ROOT, Row, binary, clean_environ, say
from row_http import Fixed

RATE, DELAY_MS, TOOLS = 1000, 2, os.path.join(ROOT, "build", "tools")

PACED = """
function delay() return %d end
done = function(summary, latency)
  io.write(string.format("RESULT %%.1f p50 %%.4f p99 %%.4f\\n",
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000))
end
"""


def ours(world, url, rate, seconds, wrap=(), more=()):
    """Our report of a constant rate."""
    path = os.path.join(world.folder, "load.json")
    done = subprocess.run(
        [*wrap, binary("wt-loadgen"), "--url", url, "--method", "GET", "--quiet", "--stages",
         "%gs:%.0f" % (seconds, rate), "--report.json", path, *more], env=clean_environ(),
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds + 60)
    assert done.returncode in (0, 99), done.stdout
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def wrk(world, url, seconds, connections, pause_ms=None, wrap=()):
    """(requests/s, p50 ms, p99 ms). pause_ms: each connection waits so long after an answer."""
    script = os.path.join(world.folder, "paced.lua")
    with open(script, "w", encoding="utf-8") as f:
        f.write(PACED % pause_ms if pause_ms else PACED[PACED.index("done"):].replace("%%", "%"))
    done = subprocess.run([*wrap, "wrk", "-t", "1", "-c", str(connections), "-d",
                           "%ds" % seconds, "-s", script, url], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=seconds + 60)
    found = re.search(r"RESULT ([\d.]+) p50 ([\d.]+) p99 ([\d.]+)", done.stdout)
    assert found, done.stdout
    return tuple(map(float, found.groups()))


def by_wrk(world, url, seconds):
    return wrk(world, url, seconds, 10, 10 - DELAY_MS)[:2]


def ab(world, url, count, connections):
    """(requests/s, {percent: ms})"""
    path = os.path.join(world.folder, "ab.csv")
    done = subprocess.run(["ab", "-q", "-k", "-c", str(connections), "-n", str(count), "-e",
                           path, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=120)
    rate = re.search(r"Requests per second:\s+([\d.]+)", done.stdout)
    assert rate, done.stdout
    with open(path, encoding="utf-8") as f:
        return float(rate[1]), {row[0]: float(row[1]) for row in list(csv.reader(f))[1:]}


def by_ab(world, url, seconds):
    rate, shares = ab(world, url, RATE * seconds, RATE * DELAY_MS // 1000)
    return rate, shares["50"]


def by_hey(tool, world, url, seconds):
    done = subprocess.run([tool, "-z", "%ds" % seconds, "-c", "10", "-q", str(RATE // 10), "-o",
                           "csv", url], stdout=subprocess.PIPE, text=True, timeout=seconds + 60)
    times = [float(row["response-time"]) for row in csv.DictReader(done.stdout.splitlines())]
    return len(times) / seconds, statistics.median(times) * 1000


def by_vegeta(tool, world, url, seconds):
    attack = subprocess.run([tool, "attack", "-rate", str(RATE), "-duration", "%ds" % seconds],
                            input=("GET %s\n" % url).encode(), stdout=subprocess.PIPE,
                            timeout=seconds + 60)
    report = subprocess.run([tool, "report", "-type", "json"], input=attack.stdout,
                            stdout=subprocess.PIPE, check=True)
    found = json.loads(report.stdout)
    return found["rate"], found["latencies"]["50th"] / 1e6


def installed(name):
    """(path, None), or (None, why not)."""
    path = shutil.which(name)
    return (path, None) if path else (None, "%s is not installed" % name)


def from_go(name, module):
    """A tool that Go builds for us; kept in build/tools."""
    path = shutil.which(name) or os.path.join(TOOLS, name)
    if os.access(path, os.X_OK):
        return path, None
    if not shutil.which("go"):
        return None, "%s is not here, and no Go to build it" % name
    done = subprocess.run(["go", "install", module], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=300,
                          env=dict(os.environ, GOBIN=TOOLS, GOFLAGS="-mod=mod"))
    if done.returncode == 0:
        return path, None
    return None, "go install %s: %s" % (module, done.stdout.strip().splitlines()[-1].strip())


def peers():
    """[(name, its measurement or None, why not)]"""
    made = [("wrk", by_wrk, installed("wrk")[1]), ("ab", by_ab, installed("ab")[1])]
    for name, module, by in (("hey", "github.com/rakyll/hey@latest", by_hey),
                             ("vegeta", "github.com/tsenart/vegeta/v12@latest", by_vegeta)):
        tool, why = from_go(name, module)
        made.append((name, lambda *a, by=by, tool=tool: by(tool, *a), why))
    return made


def medians(world, rounds, seconds):
    rows = []
    for name, by, why in peers():
        row = Row("load median at %d/s, 2 ms server : %s" % (RATE, name), "ms", "~0.2")
        rows.append(row)
        if why:
            row.missing = why
            continue
        for _ in range(rounds):
            with Fixed(DELAY_MS=DELAY_MS, KEEP_ALIVE=1) as server:
                rate, median = by(world, server.url, seconds)
                say("  %s: %.0f/s, p50 %.3f ms" % (name, rate, median))
                mine = ours(world, server.url, rate, seconds)["times_ms"]["response"]["p50"]
            row.add(mine, median)
    return rows


def highest(world, seconds):
    """The highest rate that we still keep, one core for us and one for the server; wrk's beside."""
    cores = sorted(os.sched_getaffinity(0))
    here, there = (["taskset", "-c", str(c)] for c in (cores[-1], cores[0]))
    with Fixed(there) as server:
        closed, best, rate = wrk(world, server.url, seconds, 50, wrap=here)[0], 0, 10000
        while rate <= 150000:
            found = ours(world, server.url, rate, seconds, here, ["--connections", "50"])["result"]
            if found["achieved_rate"] < 0.99 * rate:
                break
            best, rate = found["achieved_rate"], rate + 10000
    return best, closed


def stall(world, seconds):
    """p99 of a run in which the server stood still for 2 s: (ours, a closed loop's: ab's). (wrk
    guesses afterwards what it may have missed, and drops what took longer than 2 s.)"""
    settings = {"DELAY_MS": DELAY_MS, "STALL_AT_MS": 1000, "STALL_MS": 2000, "KEEP_ALIVE": 1}
    with Fixed(**settings) as server:
        open_loop = ours(world, server.url, RATE, seconds)["times_ms"]["response"]["p99"]
    with Fixed(**settings) as server:
        shares = ab(world, server.url, RATE * seconds, RATE * DELAY_MS // 1000)[1]
    assert shares["100"] > 1500, "ab did not meet the stall"
    return open_loop, shares["99"]


def measure(world, rounds, check):
    seconds = 2 if check else 3
    delay = Row("load send delay p99 at %d/s" % RATE, "ms", "<=1", of="ours")
    rate = Row("load highest rate from one core : wrk, closed loop", "requests/s", ">=50000",
               of="ours")
    stalled = Row("load p99 through a 2 s stall : ab, closed loop", "ms", ">=10")
    rows = medians(world, rounds, seconds)
    for number in range(rounds):
        say("load, round %d" % (number + 1))
        with Fixed() as server:
            found = ours(world, server.url, RATE, seconds)
            delay.add(found["times_ms"]["send_delay"]["p99"])
        if shutil.which("wrk"):
            rate.add(*highest(world, 2))
        if shutil.which("ab"):
            stalled.add(*stall(world, seconds + 3))
    rate.missing, stalled.missing = installed("wrk")[1], installed("ab")[1]
    return [*rows, delay, rate, stalled]
