"""What happens around the two owners: late requests, readers, the operator, lost data."""

AWAY = ("away",)


class World:
    """The other half of model.Model; steps are (label, next state)."""

    def late_requests(self, s):
        for request in s.net:
            kind, a, b, more = request
            net = s.net - {request}
            if kind == "tx":
                if not self.ledger_held(s):
                    my = self.transaction(s.my, a, b, more)
                    word = "arrives" if my else "refused"
                    yield f"late commit {a}..{b - 1} {word}", s._replace(net=net, my=my or s.my)
                continue
            call = self.exec_(s, a, b, more) if kind == "ex" else self.script(s, a, b, more)
            for answer, rd in call:
                yield f"late Redis call {a}..{b - 1}: {answer}", s._replace(net=net, rd=rd)

    def client(self, s):
        """a reader that refills a missing key, or a repair: two steps, like everybody else"""
        if len(s.cl) < self.clients:
            for key in self.keys:
                read = (s.my[0], s.my[2], key, s.my[1][key])
                yield f"client reads key {key} from MySQL at {s.my[0]}", s._replace(cl=s.cl | {read})
        for read in s.cl:
            at, gen, key, offset = read
            if self.on["refresh_checks_fence"]:
                rd = self.refresh(s, at, gen, ((key, offset),), "refill or repair")
            else:
                rd = s.rd[0], self.put(s, ((key, offset),), "refill or repair")
            word = "done" if rd else "refused"
            yield f"client writes key {key} as read at {at}: {word}", s._replace(
                cl=s.cl - {read}, rd=rd or s.rd)

    def operator(self, s):
        """reset: one transaction moves the ledger and makes a new generation; Redis is not touched"""
        n, rows, gen, skipped, redo = s.my
        if not s.resets or self.ledger_held(s):
            return
        for p in range(self.end + 1):
            if p < n or (p > n and not redo):
                again = max(n, redo)
                passed = frozenset(x for x in skipped if x < p) | frozenset(range(n, p))
                fresh = 1 + self.first_resets - s.resets
                yield f"reset from {n} to {p}", s._replace(
                    my=(p, rows, fresh, passed, again if again > p else 0), resets=s.resets - 1)

    def data_loss(self, s):
        none = (None,) * len(self.keys)
        if "flush" in self.faults and s.rd != (None, none):
            yield "Redis loses everything", s._replace(rd=(None, none), unv=False)
        if "evict" in self.faults:
            for key in self.keys:
                if s.rd[1][key] is not None:
                    data = tuple(None if k == key else v for k, v in enumerate(s.rd[1]))
                    yield f"Redis evicts key {key}", s._replace(rd=(s.rd[0], data))
        if "fence" in self.faults and s.rd[0]:
            yield "Redis loses the fence alone", s._replace(
                rd=(None, s.rd[1]), unv=any(v is not None for v in s.rd[1]))
        if "failover" in self.faults and s.rep != s.rd:
            if not s.unv and s.rd[0]:
                yield "the replica of Redis catches up", s._replace(rep=s.rd)
            rebuilding = s.rep[0] is not None and s.rep[0][1]
            yield "Redis fails over to the replica", s._replace(rd=s.rep, unv=rebuilding)
        if "restore" in self.faults and s.bak != s.my:
            yield "the replica of MySQL catches up", s._replace(bak=s.my)
            own = tuple(AWAY if o[0] in ("overlap", "executed") else o for o in s.own)
            yield "MySQL fails over, its last transactions are lost", s._replace(my=s.bak, own=own)
