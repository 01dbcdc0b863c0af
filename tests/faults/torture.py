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
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))

import appends  # noqa: E402
import checker  # noqa: E402
import faults  # noqa: E402
import history  # noqa: E402
import observer  # noqa: E402
from target import Target, wait_for  # noqa: E402


class Torture:
    def __init__(self, target, seed, names, rate, rebuild_s, churn, once):
        self.rebuild_s, self.churn, self.once = rebuild_s, churn, once
        self.target, self.rate, self.seed = target, rate, seed
        self.rng = random.Random("faults %s" % seed)
        self.history, self.notes = history.History(seed), appends.Appends(seed)
        self.names, self.bag = names, []
        self.counts, self.skipped, self.findings = collections.Counter(), collections.Counter(), []
        self.written = collections.Counter()

    def write(self, topic, records, rate, stop):
        try:
            done = history.produce(self.target.env["KAFKA_BROKERS"], topic, records, 0,
                                   lambda: rate * self.target.hurry, stop.is_set)
            self.written.update(done)
        except Exception as error:
            self.findings.append("the writer of %s: %s" % (topic, error))

    def come_and_go(self, stop):
        try:
            self.target.come_and_go(stop)
        except Exception as error:
            self.findings.append("the member that comes and goes: %r" % error)

    def next_fault(self):
        """every fault once before any comes again"""
        if not self.bag:
            self.bag = list(self.names)
            self.rng.shuffle(self.bag)
        return self.bag.pop()

    def hurt(self, seconds):
        deadline, begun = time.monotonic() + seconds, 0
        while time.monotonic() < deadline and not (self.once and begun == len(self.names)):
            name, begun = self.next_fault(), begun + 1
            try:
                faults.FAULTS[name](self.target, self.rng)
                self.counts[name] += 1
            except faults.Skip as why:
                self.skipped[name + (": %s" % why if str(why) else "")] += 1
            except Exception as error:
                self.findings.append("%s: %r" % (name, error))
                self.target.heal()
            ended = self.target.watch_members()
            if ended:
                self.findings.append("after %s: %s" % (name, ended))
            time.sleep(self.rng.uniform(0, 1))

    def round(self, number, seconds):
        before, stop = len(self.findings), threading.Event()
        topics = self.target.topics
        self.target.start_member(0)
        self.target.observer = watch = observer.Observer(self.target.env, self.history.hot)
        threads = [threading.Thread(target=self.write, args=(topics[0], self.history, self.rate, stop)),
                   threading.Thread(target=self.write, args=(topics[1], self.notes, self.rate / 4, stop))]
        if self.churn:
            threads.append(threading.Thread(target=self.come_and_go, args=(stop,)))
        for thread in threads:
            thread.start()
        self.hurt(seconds)
        stop.set()
        self.target.heal()
        for thread in threads:
            thread.join()
        self.target.restart_servers()  # one that gave up after all
        for topic in topics:
            self.settle(topic)
        self.findings += watch.stop()
        self.judge(number, ["%s %d" % (store, w.samples) for store, w in watch.watches.items()])
        return len(self.findings) == before

    def judge(self, number, samples):
        group, said = self.target.world.group, []
        for topic, check in zip(self.target.topics, (checker.check, appends.check)):
            truth, letters, found = check(self.target.env, group, topic)
            self.findings += ["%s (%s): %s" % tuple(d) for d in found]
            said.append(checker.report(truth, letters, found).split("\n")[0])
        print("round %d: %s; appended: %s; samples of hot keys: %s" % (
            number, *said, ", ".join(samples)), flush=True)

    def settle(self, topic):
        from confluent_kafka import Consumer, TopicPartition
        reader = Consumer({"bootstrap.servers": self.target.env["KAFKA_BROKERS"], "group.id": "ends"})
        ends = {p: reader.get_watermark_offsets(TopicPartition(topic, p), 30)[1] for p in range(6)}
        reader.close()

        def drained():
            ledger, fences = self.target.positions(topic)
            return all(end == 0 or (ledger.get(p) == end and fences[p] and int(fences[p]["next"]) == end)
                       for p, end in ends.items())

        def rebuilt():
            return not any(fence.get("rebuild") for fence in self.target.positions(topic)[1].values())
        if not wait_for(drained, 120):
            ledger, fences = self.target.positions(topic)
            self.findings.append("%s not at rest within 120 s: ends %s, ledger %s, fences %s\n%s" % (
                topic, ends, ledger, fences, self.target.members[0].text()[-3000:]))
        elif self.rebuild_s and not wait_for(rebuilt, self.rebuild_s):
            self.findings.append("the cache is not rebuilt within %g s: %s"
                                 % (self.rebuild_s, self.target.positions(topic)[1]))


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--seed", type=int, default=random.randrange(10**6))
    args.add_argument("--rounds", type=int, default=10**6, help="stop after so many")
    args.add_argument("--minutes", type=float, default=5, help="no new round after so long")
    args.add_argument("--seconds", type=float, default=30, help="of faults in a round")
    args.add_argument("--rate", type=float, default=400, help="records a second")
    args.add_argument("--rebuild-seconds", type=float, default=60, help="for the cache; 0: do not look")
    args.add_argument("--once", action="store_true", help="a round ends when each fault was there once")
    args.add_argument("--calm", action="store_true", help="no member that comes and goes all the time")
    args.add_argument("--borrowed-mysql", action="store_true", help="the one that MYSQL_HOST and so on name")
    args.add_argument("--faults", default="", help="only these, comma separated: " + " ".join(faults.FAULTS))
    args = args.parse_args()
    names = [n for n in args.faults.split(",") if n] or list(faults.FAULTS)
    unknown = set(names) - set(faults.FAULTS)
    if unknown:
        sys.exit("no such fault: %s" % " ".join(sorted(unknown)))
    folder = tempfile.mkdtemp(prefix="wt-torture-")
    print("torture: seed %d, %d kinds of fault, logs in %s" % (args.seed, len(names), folder), flush=True)
    began, rounds, target = time.monotonic(), 0, Target(folder, args.seed, args.borrowed_mysql)
    torture = Torture(target, args.seed, names, args.rate, args.rebuild_seconds,
                      not args.calm, args.once)
    try:
        while rounds < args.rounds and (not rounds or time.monotonic() - began < args.minutes * 60):
            rounds += 1
            if not torture.round(rounds, args.seconds):
                break
    finally:
        target.close()
    print("faults: " + ", ".join("%d %s" % (n, name) for name, n in sorted(torture.counts.items())))
    if torture.skipped:
        print("did not happen: " + ", ".join("%d %s" % (n, name) for name, n in sorted(torture.skipped.items())))
    if target.refused:
        print("full disks refused: " + ", ".join("%s %d times" % r for r in sorted(target.refused.items())))
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
