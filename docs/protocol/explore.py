#!/usr/bin/python3
"""Visit every state that the protocol (model.py) can reach, breadth first.

    explore.py --quick      seconds: a short log, every fault, both forms of the fence, the nearest states
    explore.py              everything (hours; pypy3, where installed, is several times faster)
    explore.py --mutants    takes each rule away and prints the shortest way in which that goes wrong
    explore.py --limit N    gives a run up after N states, and says so
"""
import argparse
import sys
import time
from collections import deque

import model
from model import Bad, Model


class Run:
    """One search. After it: states, and path (labels) when a promise broke; complete unless cut."""

    def __init__(self, machine, limit):
        self.machine, self.limit = machine, limit
        self.path, self.cut, self.parts = None, False, {}
        began = time.monotonic()
        self.states = self.search()
        self.seconds = time.monotonic() - began

    def packed(self, s):
        """the same state, its parts shared between states: a third of the memory"""
        own = s.own
        if hash(own[0]) > hash(own[1]):  # the two owners are alike
            own = own[::-1]
        share = self.parts.setdefault
        own = (share(own[0], own[0]), share(own[1], own[1]))
        return s._replace(my=share(s.my, s.my), rd=share(s.rd, s.rd), rep=share(s.rep, s.rep),
                          bak=share(s.bak, s.bak), own=share(own, own), net=share(s.net, s.net),
                          cl=share(s.cl, s.cl), let=share(s.let, s.let))

    def search(self):
        machine = self.machine
        first = self.packed(machine.start())
        parent, todo, settled = {first: None}, deque([first]), set()
        while todo:
            s = todo.popleft()
            settling = False
            try:
                machine.check(s)
                core = (s.my, s.rd, s.let, s.unv)
                if core not in settled:
                    settled.add(core)
                    settling = True
                    machine.settle(s)
                    settling = False
                for _, t in machine.steps(s):
                    t = self.packed(t)
                    if t not in parent:
                        parent[t] = s
                        todo.append(t)
            except Bad as bad:
                self.path = self.story(parent, s) + (["then quiet"] if settling else [])
                self.path.append(f"=> {bad}")
                return len(parent)
            if len(parent) > self.limit:
                self.cut = True
                return len(parent)
        return len(parent)

    def story(self, parent, s):
        labels = []
        while parent[s] is not None:
            before = parent[s]
            try:
                labels.append(next(label for label, t in self.machine.steps(before)
                                   if self.packed(t) == s))
            except Bad:
                labels.append("?")
            s = before
        return labels[::-1]


def tell(what, run):
    word = "BROKEN" if run.path else f"given up at {run.limit:,}" if run.cut else "holds"
    print(f"{what:54} {run.states:10,} states {run.seconds:7.1f} s  {word}", flush=True)
    for label in run.path or []:
        print("     ", label)
    return bool(run.path)


QUICK = ("short", "short two keys", "short poison", "short control")
# faults that a run combines; a reset together with lost data comes once, alone any number of times
PLANS = [((), 0)] + [((f,), 2) for f in model.FAULTS] + [(("restore", "half"), 0)] + \
    [((f, "reset"), 1) for f in ("flush", "fence", "failover", "restore", "half")]


def protocol(logs, plans, limit):
    broken, cut, began, states = False, 0, time.monotonic(), 0
    for form in ("script", "watch"):
        for log in logs:
            for faults, resets in plans:
                run = Run(Model(log, faults=faults, form=form, resets=resets), limit)
                broken |= tell(f"{form}, log {log}, {' and '.join(faults) or 'no data lost'}", run)
                cut += run.cut
                states += run.states
    print(f"{states:,} states in {time.monotonic() - began:.0f} s; {cut} runs given up; "
          f"{'BROKEN' if broken else 'every promise holds'}")
    return broken


# where the shortest story without each rule is found: log, faults, clients, resets
MUTANTS = {
    "mysql_cas": ("short", (), 0, 0),
    "redis_cas": ("two keys", ("failover",), 0, 0),
    "script_checks_seen": ("short", ("restore",), 0, 0),
    "seen_first": ("short", ("half",), 1, 0),
    "refresh_reads_mysql": ("short", (), 1, 0),
    "refresh_checks_fence": ("short", (), 1, 0),
    "refresh_only_forward": ("short", (), 1, 0),
    "one_snapshot": ("short", ("restore",), 0, 0),
    "lost_fence_rebuilds": ("short", ("fence",), 0, 0),
    "letter_before_commit": ("short poison", (), 0, 0),
    "empty_batch_cas": ("short control", (), 0, 0),
    "generation_in_ledger": ("short", ("reset",), 0, 1),
    "generation_in_script": ("short", ("reset",), 0, 1),
    "generation_in_refresh": ("short", ("reset",), 1, 2),
    "generation_at_start": ("short", ("reset",), 0, 1),
    "exec_is_watched": ("short", (), 0, 0),
    "watch_sees_seen": ("short", ("restore",), 0, 0),
    "exec_cannot_half_fail": ("short", ("half",), 0, 0),
}
FAR = ("redis_cas", "generation_in_script", "generation_in_refresh")  # 40,000 states and more


def mutant(rule, limit=400_000):
    """the shortest way in which the protocol without `rule` goes wrong"""
    log, faults, clients, resets = MUTANTS[rule]
    form = "watch" if rule in model.SAFETY_OF_WATCH else "script"
    return Run(Model(log, (rule,), faults, form, clients, resets=resets), limit)


def mutants(rules):
    missed = []
    for rule in rules:
        run = mutant(rule)
        print(f"\nwithout {rule}: {model.RULES[rule]}")
        log, faults = MUTANTS[rule][:2]
        if not tell(f"  log {log}, {' and '.join(faults) or 'no data lost'}", run):
            missed.append(rule)
    print(f"\n{len(rules) - len(missed)} of {len(rules)} rules have a counterexample"
          + (f"; none for {', '.join(missed)}" if missed else ""))
    return bool(missed)


def main():
    args = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    args.add_argument("--quick", action="store_true")
    args.add_argument("--mutants", nargs="*", metavar="RULE")
    args.add_argument("--limit", type=int, default=None)
    args = args.parse_args()
    if args.mutants is not None:
        return mutants(args.mutants or list(MUTANTS))
    if args.quick:
        return protocol(["short poison"], PLANS, args.limit or 15_000)
    logs = [log for log in model.LOGS if log not in QUICK]
    return protocol(logs, PLANS, args.limit or 3_000_000)


if __name__ == "__main__":
    sys.exit(main())
