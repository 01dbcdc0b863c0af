"""What faults may hurt: servers on small disks of their own, members of the group, the proxies before
the stores."""
import collections
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))

import appends  # noqa: E402
import checker  # noqa: E402
import faults  # noqa: E402
import proxy  # noqa: E402
import small_disk  # noqa: E402
from stack import Servers, kafka  # noqa: E402
from world import PARTITIONS, World  # noqa: E402

MEMBERS = range(3)  # 0 works, 1 is started by faults that need another, 2 comes and goes all the time


class Target:
    session_s = 6

    def __init__(self, folder, seed=0, borrowed_mysql=False):
        self.folder, self.rng = folder, random.Random("target %s" % seed)
        self.hurry = 1  # times the writers' rate
        self.refused = collections.Counter()  # writes that full disks refused
        self.disks, self.disks_impossible = {}, None
        self.borrowed = {name: value for name, value in os.environ.items()
                         if borrowed_mysql and name.startswith("MYSQL_")}
        self.servers = Servers(environ=self.borrowed, before=self.make_disks)
        self.world = World(self.servers.env, folder, private=True)
        self.env = dict(self.world.env, REDIS_DATABASE=str(self.world.redis_database))
        self.topics = [self.world.topic, self.world.topic + "-notes"]
        self.make_notes()
        self.clock = os.path.join(folder, "clock")
        self.step_clock(0)
        # a proxy of its own for each member and store: one may be cut off and the other go on
        self.proxies = {
            (name, number): proxy.Running("127.0.0.1:%s" % self.env[port],
                                          os.path.join(folder, "%s-%d.control" % (name, number)))
            for name, port in (("mysql", "MYSQL_PORT"), ("redis", "REDIS_PORT")) for number in MEMBERS}
        self.members, self.observer, self.fences_before = {}, None, {}

    def make_disks(self, run):
        try:
            for name, megabytes in (("mysql", 3000), ("kafka", 3000)):
                self.disks[name] = small_disk.SmallDisk(
                    os.path.join(run, name + ".image"), os.path.join(run, name), megabytes)
        except small_disk.Impossible as error:
            self.disks_impossible = str(error)

    def make_notes(self):
        """the second route: records without a key, appended"""
        notes = self.topics[1]
        kafka.create_topics(self.env["KAFKA_BROKERS"], {notes: PARTITIONS, notes + ".dlq": PARTITIONS})
        self.world.sql(appends.TABLE)
        columns = [{"field": f, "column": f, "type": t, "key": f == "id"} for f, t in
                   (("id", "string"), ("name", "string"), ("age", "int"), ("occupation", "string"))]
        users = {"topic": self.topics[0], "table": "users", "mode": "upsert", "columns": columns,
                 "cache": {"key": "user:{id}", "format": "json"}}
        self.mapping = os.path.join(self.folder, "mapping.json")
        with open(self.mapping, "w", encoding="utf-8") as f:
            json.dump({"routes": [users, dict(appends.ROUTE, topic=notes)]}, f)
        self.clock_library = os.path.join(self.folder, "clock_step.so")
        subprocess.run(["cc", "-O1", "-shared", "-fPIC", "-D_GNU_SOURCE", "-o", self.clock_library,
                        os.path.join(HERE, "clock_step.c"), "-ldl"], check=True)

    def step_clock(self, seconds):
        """the members' wall clock, from now on"""
        with open(self.clock, "r+b" if os.path.exists(self.clock) else "wb") as f:
            f.write(struct.pack("q", int(seconds)))

    def restart_servers(self):
        """those that are down: new daemons, the same ports"""
        from wtstack import servers
        self.servers.restart(self.borrowed)
        self.servers.own = {d.name: d for d in servers.daemons(self.servers.run) if d.pid()}

    def start_member(self, number, env=None):
        if number in self.members and self.members[number].running():
            return self.members[number]
        options = {"mysql.host": "127.0.0.1", "mysql.port": self.proxies["mysql", number].port,
                   "redis.host": "127.0.0.1", "redis.port": self.proxies["redis", number].port,
                   "mapping": self.mapping, "session.timeout.ms": self.session_s * 1000,
                   "stopped.retry-ms": 1000, "start.timeout-ms": 60000,
                   "batch.records": 100,  # of a backlog, compacted, no more than checker.SOON
                   "workers.calm-ms": 2000}  # workers=auto goes up and down in a round
        if number < 2:  # the third leaves the group when it stops; these keep their place in it
            options["group.instance.id"] = "member-%d" % number
        self.members[number] = self.world.consumer(
            options, env=dict(env or {}, LD_PRELOAD=self.clock_library, CLOCK_STEP_FILE=self.clock),
            ready=False)
        return self.members[number]

    def kill_member(self, number):
        if number in self.members:
            self.members[number].kill()

    def stop_member(self, number):
        member = self.members.get(number)
        if not member or not member.running():
            return
        member.signal(signal.SIGCONT)
        code = member.stop(60)
        if code not in (0, 69, 75, -signal.SIGTERM):  # 69, the last: it had only just begun
            raise AssertionError("a drained consumer ended with %s\n%s" % (code, member.text()[-3000:]))

    def come_and_go(self, stop):
        """the third member, all the time"""
        while not stop.is_set():
            self.start_member(2)
            stop.wait(self.rng.uniform(1, 8))
            if self.rng.random() < 0.7:
                self.stop_member(2)
            else:
                self.kill_member(2)
            stop.wait(self.rng.uniform(0.5, 6))
        self.stop_member(2)

    def watch_members(self):
        """a member that ended by itself is a finding, and is started again"""
        member = self.members.get(0)
        if member and not member.running():
            text = "the consumer ended by itself with %s\n%s" % (
                member.child.returncode, member.text()[-1500:])
            self.start_member(0)
            return text
        return None

    def server_says(self, name):
        """what a server of ours has written to its log"""
        with open(self.servers.own[name].log, encoding="utf-8", errors="replace") as f:
            return f.read()

    def admin(self):
        return faults.admin_connection(self.servers, self.env)

    def redis(self):
        return checker.connect_redis(self.env)

    def positions(self, topic=None):
        topic = topic or self.topics[0]
        return (checker.read_ledger(self.env, self.world.group, topic),
                checker.read_fences(self.env, self.world.group, topic, range(PARTITIONS)))

    def redis_window(self):
        self.fences_before = self.positions()[1]
        self.observer.window("redis")

    def redis_window_over(self):
        """closed once every fence is where it was, with no rebuild left to do"""
        def back():
            now = self.positions()[1]
            return all(now[p] and now[p]["next"] >= f["next"] and not now[p].get("rebuild")
                       for p, f in self.fences_before.items() if f)
        if wait_for(back, 60):
            self.observer.window_over("redis")

    def heal(self):
        self.hurry = 1
        for one in self.proxies.values():
            one.tell("ok")
        for disk in self.disks.values():
            disk.empty()
        self.step_clock(0)
        self.restart_servers()
        for member in self.members.values():
            if member.running():
                member.signal(signal.SIGCONT)
        self.stop_member(1)
        self.start_member(0)

    def close(self):
        for one in self.proxies.values():
            one.close()
        for member in self.members.values():
            member.kill()
        try:
            self.world.close()
        finally:
            self.servers.close()
            for disk in self.disks.values():
                disk.close()
            if self.disks:
                shutil.rmtree(self.servers.run, ignore_errors=True)


def wait_for(what, seconds):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if what():
                return True
        except Exception:
            pass
        time.sleep(0.2)
    return False


