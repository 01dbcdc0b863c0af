"""What the rows share: one world for a whole run, CPU clocks, the table."""
import json
import os
import re
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))

from programs import binary, clean_environ, die_with_us, wait_until  # noqa: E402,F401
from world import PARTITIONS, World  # noqa: E402


def cpu_seconds(pid):
    """User and system time of a process, all threads, in nanosecond resolution."""
    return time.clock_gettime((~pid << 3) | 2)


def peak_mib(pid):
    """The most resident memory that it ever had."""
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM")) / 1024


def say(text):
    print(text, file=sys.stderr, flush=True)


class Bench(World):
    """A World whose stores can be emptied between two runs on the same records."""

    def __init__(self, servers, folder, records, keys, batch):
        super().__init__(servers.env, folder)
        self.servers, self.home = servers, servers.env["MYSQL_DATABASE"]
        self.count, self.keys_count, self.batch, self.made = records, keys, batch, 0
        self.window = batch * default_of("batch.compact")  # records of a batch, if keys repeat
        self.record_bytes = 0.0

    def fresh(self):
        """New database, new group, empty Redis; no program of ours runs."""
        for program in self.programs:
            program.kill()
        number = self.made = self.made + 1
        with self._mysql(self.home) as connection, connection.cursor() as cursor:
            cursor.execute("DROP DATABASE " + self.env["MYSQL_DATABASE"])
            self.env["MYSQL_DATABASE"] = "writethrough_bench_%d_%d" % (os.getpid(), number)
            cursor.execute("CREATE DATABASE " + self.env["MYSQL_DATABASE"])
        from stack import mariadb, servers
        mariadb.apply_schema(self.env, os.path.join(servers.ROOT, "sql"))
        self.group = "bench-%d-%d" % (os.getpid(), number)
        self.redis.flushdb()

    def new_topic(self):
        from stack import kafka
        self.topic = "bench-%d-%s" % (os.getpid(), os.urandom(3).hex())
        kafka.create_topics(self.env["KAFKA_BROKERS"],
                            {self.topic: PARTITIONS, self.topic + ".dlq": PARTITIONS})

    def yard_env(self):
        """What a yardstick reads."""
        return clean_environ(dict(self.env, REDIS_DATABASE=str(self.redis_database)))

    def yardstick(self, name, *words, timeout=600):
        """Runs build/bench/NAME to its end: {"RECORDS": n, ...} of its last line."""
        done = subprocess.run([os.path.join(ROOT, "build/bench", name), *map(str, words)],
                              env=self.yard_env(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, timeout=timeout)
        assert done.returncode == 0, "%s: %s" % (name, done.stderr)
        words = done.stdout.split()
        return {k: float(v) for k, v in zip(words[::2], words[1::2])}

    def backlog(self, records=None, **options):
        made = self.yardstick("backlog", self.topic, *[
            "--%s=%d" % option for option in dict(
                {"records": records or self.count, "keys": self.keys_count}, **options).items()])
        self.record_bytes = made["BYTES"] / made["RECORDS"]

    def fences(self):
        """Records that both stores hold: the sum of the fences, which are written last."""
        pipe = self.redis.pipeline(transaction=False)
        for partition in range(PARTITIONS):
            pipe.hget("writethrough:{%s:%s:%d}" % (self.group, self.topic, partition), "next")
        return sum(int(n) for n in pipe.execute() if n)

    def wait_fences(self, at_least, timeout=300, every=0.004):
        wait_until(lambda: self.fences() >= at_least, timeout,
                   "%d records in both stores" % at_least, every=every)
        return time.monotonic()


class Row:
    """One line of the table. goal ">=0.95" or "<=0.9" holds for the ratio (`of` "ratio") or for
    our own figure ("ours"); "~0.2": the ratio is 1, give or take so much."""

    def __init__(self, name, unit, goal, of="ratio"):
        self.name, self.unit, self.goal, self.of = name, unit, goal, of
        self.runs, self.missing, self.broken = [], None, None

    def add(self, ours, other=None):
        self.runs.append((ours, other))
        say("  %-42s %s%s %s" % (self.name, figure(ours),
                                 "" if other is None else " : " + figure(other), self.unit))

    def spread(self, index):
        values = [run[index] for run in self.runs if run[index] is not None]
        if not values:
            return None
        return [statistics.median(values), min(values), max(values)]

    def ratios(self):
        """Within a round: rivals of one round met the same machine."""
        values = [ours / other for ours, other in self.runs if other]
        return [statistics.median(values), min(values), max(values)] if values else None

    def met(self):
        values = self.ratios() if self.of == "ratio" else self.spread(0)
        if not self.goal or not values:
            return None
        if self.goal.startswith("~"):
            return abs(values[0] - 1) <= float(self.goal[1:])
        bound = float(self.goal[2:])
        return values[0] >= bound if self.goal.startswith(">=") else values[0] <= bound

    def json(self):
        return {"name": self.name, "ours": self.spread(0), "other": self.spread(1),
                "ratio": self.ratios(), "goal": self.goal and "%s %s" % (self.of, self.goal),
                "met": self.met(), "unit": self.unit, "runs": self.runs,
                "missing": self.missing}


def figure(value):
    if value is None:
        return "-"
    if abs(value) >= 10000:
        return "%.0fk" % (value / 1000)
    return "%.0f" % value if abs(value) >= 100 else "%.3g" % value


def spread_text(values):
    return "-" if values is None else "%s (%s-%s)" % tuple(figure(v) for v in values)


def table(rows):
    lines = [("what", "unit", "ours", "rival or ceiling", "ratio", "goal", "met?")]
    for row in rows:
        if row.missing:
            lines.append((row.name, row.unit, "not measured: " + row.missing, "", "", "", ""))
            continue
        goal = row.goal and "%s %s" % ("" if row.of == "ratio" else "ours", row.goal)
        lines.append((row.name, row.unit, spread_text(row.spread(0)), spread_text(row.spread(1)),
                      spread_text(row.ratios()), (goal or "-").strip(),
                      {None: "-", True: "yes", False: "NO"}[row.met()]))
    widths = [max(len(line[i]) for line in lines if i == 0 or line[3]) for i in range(7)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
                     for line in lines)


def conditions(world, rounds):
    """Everything that moves the absolute figures."""
    settings = dict(world.sql("SHOW VARIABLES WHERE Variable_name IN ('version', "
                              "'innodb_flush_log_at_trx_commit', 'sync_binlog', 'log_bin', "
                              "'innodb_log_file_size', 'innodb_buffer_pool_size')"))
    redis_info = world.redis.info("server")
    return {"cores": os.cpu_count(), "load_average": round(os.getloadavg()[0], 2),
            "rounds": rounds, "records": world.count, "keys": world.keys_count,
            "record_bytes": round(world.record_bytes, 1), "partitions": PARTITIONS,
            "batch.records": world.batch, "batch.window": world.window, "mysql": settings.get("version"),
            "flush_log_at_trx_commit": int(settings["innodb_flush_log_at_trx_commit"]),
            "binlog": settings["log_bin"],
            "redo_MiB": int(settings["innodb_log_file_size"]) >> 20,
            "buffer_pool_MiB": int(settings["innodb_buffer_pool_size"]) >> 20,
            "redis": redis_info["redis_version"],
            "redis_appendfsync": world.redis.config_get("appendfsync")["appendfsync"],
            "kafka": "one broker, acks=all", "network": "loopback"}


def busy_seconds():
    """CPU time that the whole machine spent, without idle and waiting."""
    with open("/proc/stat", encoding="ascii") as f:
        ticks = [int(n) for n in f.readline().split()[1:9]]
    return (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK")


def default_of(option):
    """A number of wt-consumer's options, as the program has it."""
    with open(os.path.join(ROOT, "consumer/verbs/options.def"), encoding="utf-8") as f:
        return int(re.search(r'"%s", "(\d+)"' % re.escape(option), f.read())[1])


def write_json(path, about, rows):
    with open(path + ".new", "w", encoding="utf-8") as f:
        json.dump({"conditions": about, "rows": [row.json() for row in rows]}, f, indent=1)
        f.write("\n")
    os.replace(path + ".new", path)
