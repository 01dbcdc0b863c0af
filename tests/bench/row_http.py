"""Row 8: POST until the broker has it, against a server that answers a constant."""
import os
import re
import subprocess

from measure import ROOT, Row, clean_environ, say

SCRIPT = """
math.randomseed(os.time())
local mine = math.random(1000000)
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
local n = 0
request = function()
  n = n + 1
  return wrk.format(nil, nil, nil, string.format(
    '{"id":"%d-%d","name":"Name %d","age":%d,"occupation":"engineer"}', mine, n % 20000, n, n % 100))
end
done = function(summary, latency)
  io.write(string.format("RESULT %.1f p50 %.3f p99 %.3f bad %d\\n",
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1000,
    latency:percentile(99) / 1000, summary.errors.status + summary.errors.read +
    summary.errors.write + summary.errors.timeout + summary.errors.connect))
end
"""


# Several requests in one write, made before: what is measured is the server.
PIPELINED = """
local single, made, turn = request, {}, 0
init = function()
  for i = 1, 100 do
    local several = {}
    for j = 1, %d do several[j] = single() end
    made[i] = table.concat(several)
  end
end
request = function()
  turn = turn %% 100 + 1
  return made[turn]
end
"""

WARM_UP_S = 15


def wrk(world, url, connections, seconds, depth=1):
    """(requests/s, p50 ms, p99 ms); every answer was a success. depth: requests at once."""
    script = os.path.join(world.folder, "post.lua")
    with open(script, "w", encoding="utf-8") as f:
        f.write(SCRIPT + (PIPELINED % depth if depth > 1 else ""))
    done = subprocess.run(["wrk", "-t", "1", "-c", str(connections), "-d", "%ds" % seconds, "-s",
                           script, url], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, timeout=seconds + 60)
    found = re.search(r"RESULT ([\d.]+) p50 ([\d.]+) p99 ([\d.]+) bad (\d+)", done.stdout)
    assert found and found[4] == "0", "wrk: %s" % done.stdout
    say("  wrk -c%d %s: %s/s, p50 %s ms, p99 %s ms" % (connections, url, *found.groups()[:3]))
    return tuple(float(n) for n in found.groups()[:3])


class Fixed:
    """The constant answer; stops with its block. wrap: words before the command; the rest are
    its settings: DELAY_MS=2."""

    def __init__(self, wrap=(), **settings):
        self.wrap, self.settings = wrap, {k: str(v) for k, v in settings.items()}

    def __enter__(self):
        self.child = subprocess.Popen(
            [*self.wrap, os.path.join(ROOT, "build/bench/fixed_200"), "0"],
            stdout=subprocess.PIPE, text=True, env=clean_environ(self.settings))
        self.url = "http://127.0.0.1:%s/" % self.child.stdout.readline().split()[1]
        return self

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()


def warm_up(world, seconds):
    """The broker compiles its code for small requests meanwhile: in the first seconds half the rate."""
    say("http, not counted: %d s" % seconds)
    world.fresh()
    wrk(world, world.producer().url + "/write-through", 50, seconds)


def measure(world, rounds, check):
    seconds = 1 if check else 4
    rows = {50: Row("8 HTTP acknowledged : fixed-200, 50 connections", "requests/s", ">=0.45"),
            500: Row("8 HTTP acknowledged : fixed-200, 500 connections", "requests/s", ">=0.7")}
    latency = Row("8 HTTP p50 of a lone client", "ms", "<=0.3", of="ours")
    world.new_topic()
    warm_up(world, 1 if check else WARM_UP_S)
    for number in range(rounds):
        say("http, round %d" % (number + 1))
        world.fresh()
        with Fixed() as fixed:
            producer = world.producer()
            url = producer.url + "/write-through"
            wrk(world, url, 10, 1)
            for connections, row in rows.items():
                row.add(wrk(world, url, connections, seconds)[0],
                        wrk(world, fixed.url, connections, seconds)[0])
            lone, fixed_lone = wrk(world, url, 1, seconds), wrk(world, fixed.url, 1, 1)
            latency.add(lone[1], fixed_lone[1])
    return [*rows.values(), latency]
