#!/usr/bin/python3
"""make torture SEED=1 ROUNDS=3 MINUTES=5 FAULTS=freeze,kill_redis

Private servers, a writer with a known history, consumers of the debug variant, faults by the seed. After
each round the writer stops, the lag reaches 0, and the checker compares everything with the log; meanwhile
the observer has looked at the hot keys. Exit 1 on any difference. The same seed draws the same faults and
records in the same order; their moments are the machine's.
"""
import argparse
import collections
import os
import random
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))

import checker  # noqa: E402
import faults  # noqa: E402
import history  # noqa: E402
import observer  # noqa: E402
import proxy  # noqa: E402
from stack import Servers  # noqa: E402
from world import World  # noqa: E402


class Target:
    """What faults may hurt: servers, members of the group, the proxies before the stores."""

    session_s = 6

    def __init__(self, folder):
        self.folder = folder
        self.servers = Servers(environ={})
        self.world = World(self.servers.env, folder, private=True)
        self.env = dict(self.world.env, REDIS_DATABASE=str(self.world.redis_database))
        # a proxy of its own for each member and store: one may be cut off and the other go on
        self.proxies = {
            (name, number): proxy.Running("127.0.0.1:%s" % self.env[port],
                                          os.path.join(folder, "%s-%d.control" % (name, number)))
            for name, port in (("mysql", "MYSQL_PORT"), ("redis", "REDIS_PORT")) for number in (0, 1)}
        self.members, self.observer, self.fences_before = {}, None, {}

    def find_servers(self):
        """after a restart: new daemons, the same ports"""
        from wtstack import servers
        self.servers.own = {d.name: d for d in servers.daemons(self.servers.run) if d.pid()}

    def start_member(self, number, env=None):
        if number in self.members and self.members[number].running():
            return self.members[number]
        options = {"mysql.host": "127.0.0.1", "mysql.port": self.proxies["mysql", number].port,
                   "redis.host": "127.0.0.1", "redis.port": self.proxies["redis", number].port,
                   "group.instance.id": "member-%d" % number, "session.timeout.ms": self.session_s * 1000,
                   "stopped.retry-ms": 1000, "batch.records": 50, "start.timeout-ms": 60000}
        self.members[number] = self.world.consumer(options, env=env, ready=False)
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
        if code not in (0, 75, -signal.SIGTERM):  # the last: it had only just begun
            raise AssertionError("a drained consumer ended with %s\n%s" % (code, member.text()[-3000:]))

    def watch_members(self):
        """a member that ended by itself is a finding, and is started again"""
        member = self.members.get(0)
        if member and not member.running():
            text = "the consumer ended by itself with %s\n%s" % (
                member.child.returncode, member.text()[-1500:])
            self.start_member(0)
            return text
        return None

    def admin(self):
        return faults.admin_connection(self.servers.run)

    def redis(self):
        return checker.connect_redis(self.env)

    def positions(self):
        _, ledger = checker.read_mysql(self.env, self.world.group, self.world.topic)
        fences = {p: self.redis().hgetall("writethrough:{%s:%s:%d}" % (
            self.world.group, self.world.topic, p)) for p in range(6)}
        return ledger, fences

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
        for one in self.proxies.values():
            one.tell("ok")
        self.servers.restart()
        self.find_servers()
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
        self.world.close()
        self.servers.close()


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


class Torture:
    def __init__(self, target, seed, names, rate, rebuild_s):
        self.rebuild_s = rebuild_s
        self.target, self.rate, self.seed = target, rate, seed
        self.rng = random.Random("faults %s" % seed)
        self.history = history.History(seed)
        self.names, self.bag = names, []
        self.counts, self.skipped, self.findings = collections.Counter(), collections.Counter(), []
        self.written = collections.Counter()

    def write(self, stop):
        try:
            done = history.produce(self.target.env["KAFKA_BROKERS"], self.target.world.topic,
                                   self.history, 0, self.rate, stop.is_set)
            self.written.update(done)
        except Exception as error:
            self.findings.append("the writer: %s" % error)

    def next_fault(self):
        """every fault once before any comes again"""
        if not self.bag:
            self.bag = list(self.names)
            self.rng.shuffle(self.bag)
        return self.bag.pop()

    def hurt(self, seconds):
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            name = self.next_fault()
            try:
                faults.FAULTS[name](self.target, self.rng)
                self.counts[name] += 1
            except faults.Skip:
                self.skipped[name] += 1
            except Exception as error:
                self.findings.append("%s: %r" % (name, error))
                self.target.heal()
            ended = self.target.watch_members()
            if ended:
                self.findings.append("after %s: %s" % (name, ended))
            time.sleep(self.rng.uniform(0, 1))

    def round(self, number, seconds):
        before, stop = len(self.findings), threading.Event()
        self.target.start_member(0)
        self.target.observer = watch = observer.Observer(self.target.env, self.history.hot)
        writer = threading.Thread(target=self.write, args=(stop,))
        writer.start()
        self.hurt(seconds)
        self.target.heal()
        stop.set()
        writer.join()
        self.settle()
        self.findings += watch.stop()
        truth, letters, found = checker.check(self.target.env, self.target.world.group,
                                              self.target.world.topic)
        self.findings += ["%s (%s): %s" % tuple(d) for d in found]
        samples = "%d + %d samples of hot keys" % tuple(w.samples for w in watch.watches.values())
        print("round %d: %s; %s" % (number, checker.report(truth, letters, found).split("\n")[0], samples),
              flush=True)
        return len(self.findings) == before

    def settle(self):
        topic = self.target.world.topic
        from confluent_kafka import Consumer, TopicPartition
        reader = Consumer({"bootstrap.servers": self.target.env["KAFKA_BROKERS"], "group.id": "ends"})
        ends = {p: reader.get_watermark_offsets(TopicPartition(topic, p), 30)[1] for p in range(6)}
        reader.close()

        def drained():
            ledger, fences = self.target.positions()
            return all(end == 0 or (ledger.get(p) == end and fences[p] and int(fences[p]["next"]) == end)
                       for p, end in ends.items())

        def rebuilt():
            return not any(fence.get("rebuild") for fence in self.target.positions()[1].values())
        if not wait_for(drained, 120):
            ledger, fences = self.target.positions()
            self.findings.append("not at rest within 120 s: ends %s, ledger %s, fences %s\n%s" % (
                ends, ledger, fences, self.target.members[0].text()[-3000:]))
        elif self.rebuild_s and not wait_for(rebuilt, self.rebuild_s):
            self.findings.append("the cache is not rebuilt within %g s: %s"
                                 % (self.rebuild_s, self.target.positions()[1]))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--seed", type=int, default=random.randrange(10**6))
    args.add_argument("--rounds", type=int, default=10**6, help="stop after so many")
    args.add_argument("--minutes", type=float, default=5, help="no new round after so long")
    args.add_argument("--seconds", type=float, default=30, help="of faults in a round")
    args.add_argument("--rate", type=float, default=400, help="records a second")
    args.add_argument("--rebuild-seconds", type=float, default=60, help="for the cache; 0: do not look")
    args.add_argument("--faults", default="", help="only these, comma separated: " + " ".join(faults.FAULTS))
    args = args.parse_args()
    names = [n for n in args.faults.split(",") if n] or list(faults.FAULTS)
    unknown = set(names) - set(faults.FAULTS)
    if unknown:
        sys.exit("no such fault: %s" % " ".join(sorted(unknown)))
    folder = tempfile.mkdtemp(prefix="wt-torture-")
    print("torture: seed %d, %d kinds of fault, logs in %s" % (args.seed, len(names), folder), flush=True)
    began, rounds, target = time.monotonic(), 0, Target(folder)
    torture = Torture(target, args.seed, names, args.rate, args.rebuild_seconds)
    try:
        while rounds < args.rounds and (not rounds or time.monotonic() - began < args.minutes * 60):
            rounds += 1
            if not torture.round(rounds, args.seconds):
                break
    finally:
        target.close()
    print("faults: " + ", ".join("%d %s" % (n, name) for name, n in sorted(torture.counts.items())))
    if torture.skipped:
        print("did not happen: " + ", ".join("%d %s" % (n, name) for name, n in torture.skipped.items()))
    for finding in torture.findings[:20]:
        print("FOUND: " + finding)
    print("seed %d: %d rounds, %d faults, %d records, %d findings in %.0f s" % (
        args.seed, rounds, sum(torture.counts.values()), sum(torture.written.values()),
        len(torture.findings), time.monotonic() - began))
    if not torture.findings and os.environ.get("KEEP") != "1":
        shutil.rmtree(folder, ignore_errors=True)
    return 1 if torture.findings else 0


if __name__ == "__main__":
    sys.exit(main())
