#!/usr/bin/python3
"""make autoscale-chart: a surge met by workers=auto, recorded from a real run and drawn.

The database is 4 ms away (a proxy waits, each way) and a batch is small, so that a worker's speed is
bound by the way to the database and not by this machine: about 600 records/s each. Then: 10 requests a
second, a minute of 2,000, 10 again until one worker is left. docs/autoscale.svg is the picture; every
decision with its reason, from the log, goes to stdout as docs/watching.md shows it."""
import os
import re
import subprocess
import sys
import tempfile
import time
from xml.sax.saxutils import escape

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [os.path.join(ROOT, "tests", "lib"), os.path.join(ROOT, "tests", "faults")]
import proxy  # noqa: E402
import requests  # noqa: E402
from programs import command, wait_until  # noqa: E402
from stack import Servers  # noqa: E402
from world import World  # noqa: E402

QUIET, SURGE, SURGE_RATE, QUIET_RATE = 30, 60, 2000, 10
WIDTH, LEFT, RIGHT = 960, 76, 20
PANELS = (("records/s", 110), ("records behind", 130), ("seconds behind", 90), ("workers", 110))


def status(consumer):
    return requests.get(consumer.url + "/status", timeout=5).json()


def record(world, far):
    """[{t, rate_in, rate_out, lag, seconds, workers}] and the marks, from the surge's eve on."""
    consumer = world.consumer({"mysql.port": far.port, "batch.records": 20})
    producer = world.producer({"http.max-inflight": 20000})
    wait_until(lambda: status(consumer)["workers"]["count"] == 1, 400, "one worker", every=1)
    time.sleep(70)  # a surge of its own, not the answer to a step down
    load = subprocess.Popen([
        *command("wt-loadgen"), "--url=" + producer.url + "/write-through", "--quiet",
        "--stages=%ds:%d,%ds:%d,900s:%d" % (QUIET, QUIET_RATE, SURGE, SURGE_RATE, QUIET_RATE)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    begin, seen = time.time(), []
    try:
        while True:
            now = status(consumer)
            seen.append({"t": now["time_ms"] / 1000 - begin, "lag": now["total"]["lag"],
                         "seconds": now["total"]["lag_seconds"],
                         "in": now["total"]["rate_in"], "out": now["total"]["rate_out"],
                         "workers": now["workers"]["count"]})
            one = [s for s in seen if s["t"] > QUIET + SURGE and s["workers"] == 1]
            if one and seen[-1]["t"] > one[0]["t"] + 20:
                break
            assert seen[-1]["t"] < 900, "never back to one worker"
            time.sleep(0.5)
    finally:
        load.terminate()
        load.wait(30)
    marks = [dict(m, t=m["time_ms"] / 1000 - begin) for m in status(consumer)["marks"]
             if m["kind"] == "workers" and m["time_ms"] / 1000 > begin]
    return seen, marks


class Drawing:
    def __init__(self, seconds, height):
        self.seconds, self.parts = seconds, []
        self.parts.append(
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" font-family="system-ui, '
            'sans-serif" font-size="12"><rect width="100%%" height="100%%" rx="8" fill="#fbfbfa"/>'
            % (WIDTH, height))

    def x(self, t):
        return LEFT + (WIDTH - LEFT - RIGHT) * t / self.seconds

    def text(self, x, y, text, more=""):
        self.parts.append('<text x="%.1f" y="%.1f" fill="#444" %s>%s</text>'
                          % (x, y, more, escape(text)))

    def line(self, x1, y1, x2, y2, more):
        self.parts.append('<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" %s/>'
                          % (x1, y1, x2, y2, more))

    def series(self, points, top, height, most, color, fill=False, steps=False):
        path, last = [], None
        for t, value in points:
            if value is None:
                continue
            x, y = self.x(t), top + height * (1 - value / most)
            if steps and last is not None:
                path.append("%.1f,%.1f" % (x, last))
            path.append("%.1f,%.1f" % (x, y))
            last = y
        if fill:
            area = ["%.1f,%.1f" % (LEFT, top + height)] + path
            area.append("%s,%.1f" % (path[-1].split(",")[0], top + height))
            self.parts.append('<polygon points="%s" fill="%s" opacity="0.15"/>'
                              % (" ".join(area), color))
        self.parts.append('<polyline points="%s" fill="none" stroke="%s" stroke-width="1.8" '
                          'stroke-linejoin="round"/>' % (" ".join(path), color))


def ceiling(values):
    """A round number that none of them is above."""
    most = max([v for v in values if v is not None] + [1])
    return min(unit * 10 ** power for unit in (1, 2, 2.5, 3, 4, 5, 6, 8) for power in range(8)
               if unit * 10 ** power >= most)


def draw_panel(d, name, top, height, seen):
    if name == "records/s":
        most = ceiling([s["in"] for s in seen] + [s["out"] for s in seen])
        d.series([(s["t"], s["in"]) for s in seen], top, height, most, "#2563eb", fill=True)
        d.series([(s["t"], s["out"]) for s in seen], top, height, most, "#15803d")
        d.text(WIDTH - RIGHT, top + 12, "arriving", 'text-anchor="end" style="fill:#2563eb"')
        d.text(WIDTH - RIGHT, top + 28, "applied", 'text-anchor="end" style="fill:#15803d"')
    elif name == "workers":
        most = 6
        d.series([(s["t"], s["workers"]) for s in seen], top, height, most, "#9333ea", True, True)
    else:
        key = "lag" if name == "records behind" else "seconds"
        most = ceiling([s[key] for s in seen])
        d.series([(s["t"], s[key]) for s in seen], top, height, most, "#c2410c", fill=True)
    d.text(LEFT - 8, top + 10, "%g" % most, 'text-anchor="end"')
    d.text(LEFT - 8, top + height, "0", 'text-anchor="end"')
    d.text(LEFT, top - 6, name, 'font-weight="600"')
    d.line(LEFT, top + height, WIDTH - RIGHT, top + height, 'stroke="#bbb"')


def draw(seen, marks, path):
    top, tops = 44, []
    for _, height in PANELS:
        tops.append(top)
        top += height + 34
    d = Drawing(seen[-1]["t"], top + 22 + 18 * len(marks))
    for number, mark in enumerate(marks, 1):
        x = d.x(mark["t"])
        d.line(x, 30, x, top - 30, 'stroke="#9333ea" stroke-dasharray="3 4" opacity="0.6"')
        d.text(x, 24, str(number), 'text-anchor="middle" font-weight="600" style="fill:#9333ea"')
    for (name, height), at in zip(PANELS, tops):
        draw_panel(d, name, at, height, seen)
    step = 60 if seen[-1]["t"] > 240 else 30
    for t in range(0, int(seen[-1]["t"]) + 1, step):
        d.text(d.x(t), top - 14, "%d s" % t, 'text-anchor="middle"')
    for number, mark in enumerate(marks, 1):
        d.text(LEFT, top + 14 + 18 * (number - 1), "%d   at %d s: %s" % (
            number, mark["t"], mark["text"].split("; a count")[0]))
    with open(path, "w", encoding="utf-8") as f:
        f.write("\n".join(d.parts) + "\n</svg>\n")


def main():
    path = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "docs", "autoscale.svg")
    servers = Servers()
    with tempfile.TemporaryDirectory() as folder:
        world = World(servers.env, folder, bool(servers.own))
        far = proxy.Running("%(MYSQL_HOST)s:%(MYSQL_PORT)s" % servers.env, folder + "/control")
        try:
            far.tell("delay 4")
            seen, marks = record(world, far)
        finally:
            world.close()
            far.close()
            servers.close()
    draw(seen, marks, path)
    highest = max(s["lag"] or 0 for s in seen)
    print("highest lag %d records; written to %s" % (highest, path))
    print("| at | workers | reason |\n|---|---|---|")
    for mark in marks:
        count, reason = re.match(r"(\d+) workers? for .*? \((.*?)\)", mark["text"]).groups()
        print("| %d s | %s | %s |" % (mark["t"], count, reason))


if __name__ == "__main__":
    main()
