#!/usr/bin/python3
"""make workers-chart: the same surge with 1, 2, 3 and 6 workers, drawn from real runs.

Twice: with the database beside the consumer, and with one that is 4 ms away (a proxy waits, each way)
and batches of 20, so that a worker's speed is bound by the way to the database and not by this
machine. docs/loadgen-workers.svg is the picture, the tables go to stdout as docs/loadgen.md shows them.

    workers_chart.py [--near REPORT.json] [--seconds 60] [--to docs/loadgen-workers.svg]

--near: a report of `--scenario workers` (20 minutes), made before; else it runs for --seconds, too.
"""
import argparse
import json
import os
import sys
import tempfile
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "tests", "faults")]
import proxy  # noqa: E402
from programs import run  # noqa: E402
from stack import Servers  # noqa: E402
from world import World  # noqa: E402

COLORS = ["#2563eb", "#e8710a", "#0d9488", "#c026d3"]
WIDTH, PANEL, LEFT = 960, 280, 64
BARS = (("highest lag", lambda r: r["lag"]["max"], "%d"),
        ("seconds behind", lambda r: r["lag"]["seconds_max"], "%.2f"),
        ("drain, seconds", lambda r: r["lag"]["drain_seconds"], "%.2f"))


def measure(servers, seconds, far):
    """Run documents, a round per number of workers."""
    with tempfile.TemporaryDirectory() as folder:
        world, way = World(servers.env, folder, bool(servers.own)), None
        scenario, report = os.path.join(folder, "s.json"), os.path.join(folder, "r.json")
        with open(scenario, "w", encoding="utf-8") as f:
            json.dump({"stages": "%ds:1000,0s" % seconds, "thresholds": ["lost==0"],
                       "rounds": [{"workers": n} for n in (1, 2, 3, 6)]}, f)
        options = {}
        if far:
            way = proxy.Running("%(MYSQL_HOST)s:%(MYSQL_PORT)s" % servers.env,
                                os.path.join(folder, "control"))
            way.tell("delay 4")
            options = {"mysql.port": way.port, "batch.records": 20}
        try:
            consumer, producer = world.consumer(options), world.producer()
            done = run("wt-loadgen", timeout=4000, options={
                "url": producer.url + "/write-through", "lag.url": consumer.url, "quiet": "true",
                "scenario": scenario, "drain.timeout-ms": "900s", "report.json": report})
            sys.stderr.write(done.stdout)
            with open(report, encoding="utf-8") as f:
                return json.load(f)["runs"]
        finally:
            world.close()
            if way:
                way.close()


class Drawing:
    def __init__(self, height):
        self.parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family='
                      '"system-ui, sans-serif" font-size="12"><rect width="100%%" height="100%%" '
                      'rx="8" fill="#fbfbfa"/>' % (WIDTH, height)]

    def text(self, x, y, text, more=""):
        self.parts.append('<text x="%.1f" y="%.1f" fill="#444" %s>%s</text>'
                          % (x, y, more, escape(text)))

    def line(self, x1, y1, x2, y2, color="#ddd"):
        self.parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" stroke="%s"/>'
                          % (x1, y1, x2, y2, color))


def draw_lines(d, runs, top, right):
    """Lag over time, a line a round."""
    points = [[(row["t"], row["lag"]) for row in r["series"] if row["lag"] is not None]
              for r in runs]
    t1 = max(p[-1][0] for p in points)
    most = max(lag for p in points for _, lag in p) or 1
    bottom = top + PANEL - 100

    def place(t, lag):
        return (LEFT + (right - LEFT) * t / t1, bottom - (bottom - top) * lag / most / 1.05)
    step = 10 ** len(str(most // 2)) // 10 * (5 if str(most // 2)[0] >= "5" else 2
                                               if str(most // 2)[0] >= "2" else 1)
    for lag in range(0, int(most) + 1, max(1, step)):
        y = place(0, lag)[1]
        d.line(LEFT, y, right, y)
        d.text(LEFT - 8, y + 4, "{:,}".format(lag), 'text-anchor="end"')
    for t in range(0, int(t1) + 1, 60 if t1 > 150 else 20):
        d.text(place(t, 0)[0], bottom + 18, "%d s" % t, 'text-anchor="middle"')
    for color, p in zip(COLORS, points):
        d.parts.append('<polyline fill="none" stroke="%s" stroke-width="1.4" points="%s"/>' % (
            color, " ".join("%.1f,%.1f" % place(*one) for one in p)))


def draw_bars(d, runs, top, left):
    bottom, width = top + PANEL - 100, (WIDTH - left - 16) / 3
    for number, (name, value, shape) in enumerate(BARS):
        x0 = left + width * number
        values = [value(r) for r in runs]
        most = max(v or 0 for v in values) or 1
        d.text(x0 + width / 2, bottom + 36, name, 'text-anchor="middle" font-weight="600"')
        for i, v in enumerate(values):
            height, x = (bottom - top - 20) * (v or 0) / most, x0 + 8 + i * (width - 16) / 4
            d.parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%.1f" rx="2" fill="%s"/>'
                           % (x + 3, bottom - height, (width - 16) / 4 - 6, height, COLORS[i]))
            middle = x + (width - 16) / 8
            d.text(middle, bottom - height - 5, "n/a" if v is None else shape % v,
                   'text-anchor="middle" font-size="10"')
            d.text(middle, bottom + 18, str(runs[i]["run"]["workers"]), 'text-anchor="middle"')
        d.line(x0 + 6, bottom, x0 + width - 6, bottom, "#999")


def draw(groups, path):
    d = Drawing(len(groups) * PANEL + 20)
    for number, (title, runs) in enumerate(groups):
        top = 50 + PANEL * number
        d.text(LEFT, top - 24, title, 'font-weight="600" font-size="14"')
        for i, (color, r) in enumerate(zip(COLORS, runs)):
            d.text(600 + 88 * i, top - 24, "%d worker%s" % (
                r["run"]["workers"], "s" * (r["run"]["workers"] > 1)),
                'style="fill:%s;font-weight:600"' % color)
        draw_lines(d, runs, top, 560)
        draw_bars(d, runs, top, 580)
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(d.parts) + "\n</svg>\n")


def table(runs):
    print("| workers | answered /s | highest lag | behind | drain | p50 | p99 | lost | load average |")
    print("|---|---|---|---|---|---|---|---|---|")
    for r in runs:
        times, lag = r["times_ms"]["response"], r["lag"]
        load = r["run"].get("load_average") or [0, 0]
        print("| %d | %.0f | %s | %.2f s | %s | %.2f ms | %.0f ms | %s | %.0f to %.0f |" % (
            r["run"]["workers"], r["result"]["achieved_rate"], "{:,}".format(lag["max"]),
            lag["seconds_max"], "never" if lag["drain_seconds"] is None else
            "%.1f s" % lag["drain_seconds"], times["p50"], times["p99"], r["account"]["lost"],
            load[0], load[1]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--near")
    parser.add_argument("--far", help="a report made before")
    parser.add_argument("--keep", help="write the far report there")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--to", default=os.path.join(ROOT, "docs", "loadgen-workers.svg"))
    asked = parser.parse_args()
    servers, groups = None if asked.near and asked.far else Servers(), []
    try:
        for title, file, far in (("The database beside the consumer", asked.near, False),
                                 ("The database 4 ms away, batches of 20", asked.far, True)):
            if file:
                with open(file, encoding="utf-8") as f:
                    runs = json.load(f)["runs"]
            else:
                runs = measure(servers, asked.seconds, far)
            if far and asked.keep:
                with open(asked.keep, "w", encoding="utf-8") as f:
                    json.dump({"schema": "wt-loadgen/1-set", "runs": runs}, f)
            groups.append((title, runs))
    finally:
        if servers:
            servers.close()
    draw(groups, asked.to)
    for title, runs in groups:
        print("\n%s\n" % title)
        table(runs)


if __name__ == "__main__":
    main()
