"""The protocol between MySQL and Redis as steps of a state machine: one partition.

README.md beside this file is the protocol in words; this file is the same in steps small enough that
anything may happen between two of them. Two owners who do not know of each other (each can be the other's
zombie), an operator who resets, clients that refill or repair the cache, requests that arrive late or
whose reply is lost, crashes at every step, and data lost in either store.

A value is the offset of the record that wrote it, so "went back" is a comparison. explore.py visits every
reachable state and asks Model.check and Model.settle about it.
"""
from collections import namedtuple

from rules import COMFORT, FAULTS, LOGS, RULES, SAFETY, SAFETY_OF_WATCH  # noqa: F401
from world import AWAY, World

# my: the database, (next, rows, generation, skipped, redo); the last two are the checker's own notes:
#   offsets that an operator passed over, and how far MySQL is being applied a second time.
# rd: Redis, (fence or None, data), fence = (next, rebuild, seen, generation).
# rep, bak: older copies of the two. own: what A and B know. net: requests under way.
# cl: rows that a client read.
# let: offsets with a dead letter. unv: the cache is in a stated window. resets: how many more may come.
State = namedtuple("State", "my rd rep bak own net cl let unv resets")


class Bad(Exception):
    """A promise is broken."""


class Model(World):
    def __init__(self, log, off=(), faults=(), form="script", clients=1, late=1, resets=2):
        self.log = LOGS[log]
        self.end = len(self.log)
        self.keys = tuple(sorted({key for key, _ in self.log}))
        self.on = {rule: rule not in off for rule in RULES}
        self.faults, self.watch = faults, form == "watch"
        self.clients, self.late = clients, late
        self.first_resets = resets if "reset" in faults else 0

    def start(self):
        none, rows = (None,) * len(self.keys), (-1,) * len(self.keys)
        my = (0, rows, 0, frozenset(), 0)
        empty = frozenset()
        return State(my, (None, none), (None, none), my, (AWAY, AWAY), empty, empty, empty, False,
                     self.first_resets)

    # ---- the log ---------------------------------------------------------------------------------
    def last(self, key, upto, skipped):
        """the record that decides `key` when everything below `upto` is applied"""
        for offset in range(min(upto, self.end) - 1, -1, -1):
            if self.log[offset] in ((key, "u"), (key, "d")) and offset not in skipped:
                return offset
        return -1

    def visible(self, offset):
        return None if offset is None or offset < 0 or self.log[offset][1] == "d" else offset

    def batch(self, a, b):
        """the last record of each key in [a, b)"""
        return {self.log[o][0]: o for o in range(a, b) if self.log[o][1] in "ud"}

    def poison(self, a, b):
        return frozenset(o for o in range(a, b) if self.log[o][1] == "p")

    # ---- what the stores do ----------------------------------------------------------------------
    def cas(self, rule, a, b):
        return self.on[rule] and (self.on["empty_batch_cas"] or self.batch(a, b) or self.poison(a, b))

    def transaction(self, my, a, b, gen):
        """MySQL: the ledger a -> b and the rows; None when the ledger says no"""
        position, rows, generation, skipped, redo = my
        if self.cas("mysql_cas", a, b) and position != a:
            return None
        if self.cas("generation_in_ledger", a, b) and generation != gen:
            return None
        if generation != gen:
            raise Bad(f"MySQL: {a}..{b - 1} belongs to the history before a reset")
        rows = list(rows)
        for key, offset in self.batch(a, b).items():
            if offset < rows[key] and position >= redo:
                raise Bad(f"MySQL: key {key} goes back from {rows[key]} to {offset}")
            rows[key] = offset
        if a > position:
            raise Bad(f"MySQL: records {position}..{a - 1} are passed over")
        if a < position:
            raise Bad(f"MySQL: records {a}..{position - 1} are applied twice")
        return b, tuple(rows), generation, skipped, redo if redo > b else 0

    def put(self, s, values, why):
        """Redis: SET or DEL; returns the data"""
        fence, data = s.rd
        loose = s.unv or s.my[4] or (fence is not None and fence[3] != s.my[2])
        data = list(data)
        for key, offset in values:
            new = self.visible(offset)
            if new is not None and data[key] is not None and new < data[key] and not loose \
                    and data[key] not in s.my[3]:
                raise Bad(f"Redis: key {key} goes back from {data[key]} to {new} ({why})")
            data[key] = new
        return tuple(data)

    def script(self, s, a, b, gen):
        """the batch's one Redis call; yields (answer, rd)"""
        fence = s.rd[0]
        if fence is None:
            yield "no fence", s.rd
        elif self.cas("redis_cas", a, b) and fence[0] != a:
            yield "moved", s.rd
        elif self.cas("generation_in_script", a, b) and fence[3] != gen:
            yield "of another generation", s.rd
        elif self.cas("script_checks_seen", a, b) and fence[2] > b:
            yield "newer", s.rd
        else:
            yield from self.apply(s, a, b)

    def apply(self, s, a, b):
        fence, rows = s.rd[0], tuple(self.batch(a, b).items())
        why = f"batch {a}..{b - 1}"
        yield "ok", ((b, fence[1], max(fence[2], b), fence[3]), self.put(s, rows, why))
        if "half" in self.faults and not self.watch:
            seen = max(fence[2], b) if self.on["seen_first"] else fence[2]
            for part in range(1, len(rows) + 1):
                yield "fails half-way", ((fence[0], fence[1], seen, fence[3]), self.put(s, rows[:part], why))
        if "half" in self.faults and self.watch and not self.on["exec_cannot_half_fail"] and rows:
            yield "ok", ((b, fence[1], max(fence[2], b), fence[3]), self.put(s, rows[1:], why))

    def exec_(self, s, a, b, watched):
        """the same as MULTI ... EXEC; watched = (seen, still untouched)"""
        good = watched and watched[1] and (watched[0] <= b or not self.on["watch_sees_seen"])
        if s.rd[0] is None or (self.on["exec_is_watched"] and not good):
            yield "nil", s.rd
        else:
            yield from self.apply(s, a, b)

    def refresh(self, s, at, gen, values, why, advance=None, done=False):
        """write rows as one MySQL snapshot at position `at` had them; None when refused"""
        fence = s.rd[0]
        if fence is None or at < fence[2 if self.on["refresh_only_forward"] else 0]:
            return None
        if self.on["generation_in_refresh"] and fence[3] != gen:
            return None
        data = self.put(s, values, why)
        return (max(fence[0], advance or 0), fence[1] and not done, max(fence[2], at), fence[3]), data

    # ---- steps: (label, next state) --------------------------------------------------------------
    def steps(self, s):
        for label, t in self.all_steps(s):
            if self.watch and t.rd[0] != s.rd[0]:
                t = touched(t)
            yield label, t

    def all_steps(self, s):
        for i in (0, 1):
            yield from self.owner(s, i)
        yield from self.late_requests(s)
        yield from self.client(s)
        yield from self.operator(s)
        yield from self.data_loss(s)

    def ledger_held(self, s):
        """somebody has the ledger's row locked: a transaction and SELECT ... FOR UPDATE wait"""
        return any(o[0] in ("overlap", "executed") for o in s.own)

    def owner(self, s, i):
        me, name = s.own[i], "AB"[i]

        def go(state, **changes):
            own = (state, s.own[1]) if i == 0 else (s.own[0], state)
            return s._replace(own=own, **changes)

        if me != AWAY:
            yield f"{name} crashes", go(AWAY)
        step = getattr(self, "owner_" + me[0])
        for label, t in step(s, go, *me[1:]):
            yield f"{name} {label}", t

    def owner_away(self, s, go):
        yield "reads the fence", go(("fence", s.rd[0], True))

    def owner_fence(self, s, go, fence, watching):
        if not self.ledger_held(s):
            yield "reads the ledger", go(("both", fence, s.my[0], s.my[2], watching))

    def owner_both(self, s, go, fence, n, gen, watching):
        """start of a partition: both positions are known"""
        if fence is None or (fence[3] != gen and self.on["generation_at_start"]):
            if s.rd[0] == fence:
                made = (n, self.on["lost_fence_rebuilds"], n, gen)
                unv = s.unv or (fence is not None and any(v is not None for v in s.rd[1]))
                yield f"makes the fence at {n}", go(("ready", n, gen, n, None), rd=(made, s.rd[1]), unv=unv)
            else:
                yield "finds another fence now", go(AWAY)
        elif n < fence[2]:
            # MySQL lost transactions: again to MySQL alone, up to what Redis has seen, then look again
            top = fence[2] if self.on["skip_below_seen"] else n
            yield f"is behind Redis at {n}", go(("ready", n, gen, top, None))
        elif fence[0] < n:
            yield from self.catch_up(s, go, fence, n, gen)
        else:
            watched = (fence[2], True) if watching and self.watch else None
            yield f"is ready at {n}", go(("ready", n, gen, fence[0], watched))

    def catch_up(self, s, go, fence, n, gen):
        f = fence[0]
        if "gone" in self.faults and s.rd[0] == fence:
            moved = (n, self.on["lost_fence_rebuilds"], max(fence[2], n), fence[3])
            yield f"finds {f}..{n - 1} gone", go(
                ("ready", n, gen, n, None), rd=(moved, s.rd[1]), unv=True)
        if self.on["refresh_reads_mysql"]:
            rows = tuple((key, s.my[1][key]) for key in self.batch(f, n))
            yield f"reads rows of {f}..{n - 1}", go(("catching", f, s.my[0], s.my[2], n, rows))
        else:
            for answer, rd in self.script(s, f, f + 1, gen):
                again = ("both", (f + 1, *fence[1:]), n, gen, False) if answer == "ok" else AWAY
                yield f"replays record {f}: {answer}", go(again, rd=rd)

    def owner_catching(self, s, go, f, at, gen, n, rows):
        to = min(n, at) if self.on["one_snapshot"] else n
        rd = None
        if to > f and s.rd[0] is not None and s.rd[0][0] == f:  # the advance is a compare-and-set too
            rd = self.refresh(s, at, gen, rows, f"catch-up {f}..{to - 1}", advance=to)
        if rd:
            yield f"catches Redis up to {to}", go(("ready", to, gen, to, None), rd=rd)
        else:
            yield "finds Redis changed", go(AWAY)

    def watch_fence(self, s, a, gen):
        """WATCH and HMGET after the EXEC before: what was seen, or None when it is not our place"""
        fence = s.rd[0]
        good = fence is not None and fence[0] == a and fence[3] == gen
        return (fence[2], True) if good else None

    def owner_ready(self, s, go, a, gen, top, watched):
        if self.watch and watched is None and a >= top:
            saw = self.watch_fence(s, a, gen)
            yield "watches the fence", go(("ready", a, gen, top, saw) if saw else AWAY)
        for b in (a + 1, a + 2):
            if b > self.end or (self.on["skip_below_seen"] and a < top < b):
                continue
            if not self.ledger_held(s):
                yield from self.commit(s, go, a, b, gen, top, watched)
            if len(s.net) < self.late:
                late = s.net | {("tx", a, b, gen)}
                yield f"commits {a}..{b - 1}, request late", go(
                    AWAY, net=late, let=self.letters(s, a, b))
        if s.rd[0] is not None and s.rd[0][1]:
            rows = tuple(enumerate(s.my[1]))
            yield "reads all rows", go(("rebuilding", a, gen, top, s.my[0], s.my[2], rows))

    def letters(self, s, a, b):
        return s.let | self.poison(a, b) if self.on["letter_before_commit"] else s.let

    def commit(self, s, go, a, b, gen, top, watched):
        let = self.letters(s, a, b)
        my = self.transaction(s.my, a, b, gen)
        if my is None:
            yield f"commits {a}..{b - 1}: refused", go(AWAY, let=let)
            return
        after = ("sending", a, b, gen, watched)
        if b <= top and self.on["skip_below_seen"]:
            after = ("ready", b, gen, top, None) if b < top else AWAY
        yield f"commits {a}..{b - 1}", go(after, my=my, let=let)
        if len(s.net) < self.late:
            yield f"commits {a}..{b - 1}, reply lost", go(AWAY, my=my, let=let)

    def owner_rebuilding(self, s, go, a, gen, top, at, at_gen, rows):
        rd = self.refresh(s, at, at_gen, rows, "rebuild", done=True)
        changes = {"rd": rd, "unv": False} if rd else {}
        yield f"rebuilds: {'done' if rd else 'refused'}", go(("ready", a, gen, top, None), **changes)

    def redis_call(self, s, a, b, gen, watched):
        return self.exec_(s, a, b, watched) if self.watch else self.script(s, a, b, gen)

    def late_call(self, s, a, b, gen, watched):
        return s.net | {("ex", a, b, watched) if self.watch else ("sc", a, b, gen)}

    def owner_sending(self, s, go, a, b, gen, watched):
        """MySQL has [a, b), Redis has not answered"""
        let = s.let | self.poison(a, b)
        if self.watch and watched is None:
            saw = self.watch_fence(s, a, gen)
            yield "watches the fence", go(("sending", a, b, gen, saw) if saw else AWAY, let=let)
            if self.on["exec_is_watched"]:
                return
        for answer, rd in self.redis_call(s, a, b, gen, watched):
            after = ("ready", b, gen, b, None) if answer == "ok" else AWAY
            yield f"sends {a}..{b - 1} to Redis: {answer}", go(after, rd=rd, let=let)
        if len(s.net) < self.late:
            late = self.late_call(s, a, b, gen, watched)
            yield f"sends {a}..{b - 1} to Redis, late", go(AWAY, net=late, let=let)
        for c in (b + 1, b + 2):
            if c > self.end or self.ledger_held(s) or self.transaction(s.my, b, c, gen) is None:
                continue
            yield f"executes {b}..{c - 1}, not committed", go(
                ("overlap", a, b, c, gen, watched), let=let)
            if not self.on["one_batch_ahead"] and len(s.net) < self.late:
                yield f"commits {b}..{c - 1} before Redis has {a}..{b - 1}", go(
                    ("sending", b, c, gen, None), my=self.transaction(s.my, b, c, gen),
                    net=self.late_call(s, a, b, gen, watched), let=let | self.letters(s, b, c))

    def owner_overlap(self, s, go, a, b, c, gen, watched):
        """Redis of [a, b) is outstanding, [b, c) is executed and holds the ledger's row"""
        for answer, rd in self.redis_call(s, a, b, gen, watched):
            after = ("executed", b, c, gen) if answer == "ok" else AWAY
            yield f"sends {a}..{b - 1} to Redis: {answer}", go(after, rd=rd)
        if len(s.net) < self.late:
            late = self.late_call(s, a, b, gen, watched)
            yield f"sends {a}..{b - 1} to Redis, late", go(AWAY, net=late)

    def owner_executed(self, s, go, b, c, gen):
        let = self.letters(s, b, c)
        my = self.transaction(s.my, b, c, gen)
        yield f"commits {b}..{c - 1}", go(("sending", b, c, gen, None), my=my, let=let)
        yield f"commits {b}..{c - 1}, reply lost", go(AWAY, my=my, let=let)

    # ---- what must hold --------------------------------------------------------------------------
    def check(self, s):
        """in every state"""
        position, rows, generation, skipped, redo = s.my
        fence = s.rd[0]
        for key in self.keys:
            must = self.last(key, position, skipped)
            if rows[key] != must and not redo:
                raise Bad(f"MySQL: key {key} is {rows[key]}, the ledger at {position} says {must}")
            if fence and fence[3] == generation and not s.unv and not redo:
                value, must = s.rd[1][key], self.last(key, fence[0], skipped)
                if value is not None and value < must:
                    raise Bad(f"Redis: key {key} is {value}, the fence at {fence[0]} promises {must}")
        if fence and fence[2] < fence[0]:
            raise Bad(f"fence: seen {fence[2]} is below next {fence[0]}")
        for offset in self.poison(0, position) - s.let - skipped:
            if not any(o[0] == "sending" and o[1] <= offset < o[2] for o in s.own):
                raise Bad(f"record {offset} is poison, the ledger is past it, and there is no letter")

    def settle(self, s):
        """faults end, A alone goes on: everything must agree"""
        s = s._replace(own=(AWAY, AWAY), net=frozenset(), cl=frozenset())
        for _ in range(80):
            ready = s.own[0][0] == "ready" and s.own[0][1] == self.end
            if ready and not (s.rd[0] and s.rd[0][1]):
                break
            todo = [(label, t) for label, t in self.steps(s) if label[0] == "A"
                    and not any(w in label for w in ("crash", "late", "lost", "half-way", "gone"))]
            rebuild = [x for x in todo if "all rows" in x[0] or "rebuilds" in x[0]]
            todo = [x for x in todo if x not in rebuild] or rebuild
            if not todo:
                break
            s = todo[0][1]
        want = tuple(self.visible(self.last(key, self.end, s.my[3])) for key in self.keys)
        if s.my[0] != self.end or tuple(self.visible(o) for o in s.my[1]) != want:
            raise Bad(f"at rest MySQL is {s.my[:2]}, wanted {want}")
        if s.rd[0] is None or s.rd[0][0] != self.end:
            raise Bad(f"at rest the fence is {s.rd[0]}, not at {self.end}")
        for key in self.keys:
            if s.rd[1][key] is not None and s.rd[1][key] != want[key]:
                raise Bad(f"at rest Redis has key {key} = {s.rd[1][key]}, MySQL has {want[key]}")


def touched(s):
    """somebody wrote the fence: every WATCH on it is spoilt"""
    def spoil(o):
        if o and isinstance(o[-1], tuple) and o[0] in ("ready", "sending", "overlap", "ex"):
            return (*o[:-1], (o[-1][0], False))
        if o[0] in ("fence", "both"):
            return (*o[:-1], False)
        return o
    return s._replace(own=tuple(spoil(o) for o in s.own), net=frozenset(spoil(m) for m in s.net))
