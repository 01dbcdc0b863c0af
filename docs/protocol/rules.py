"""What the model is made of: logs, the rules that can be taken away, the kinds of lost data."""

# A partition's log: (key, kind) by offset. u upsert, d tombstone, p poison, c control (no record at all).
LOGS = {
    "tombstone": ((0, "u"), (0, "u"), (0, "d")),
    "two keys": ((1, "u"), (1, "u"), (0, "u")),
    "poison": ((0, "u"), (0, "p"), (0, "u")),
    "control": ((0, "u"), (0, "u"), (0, "c")),
    "short": ((0, "u"), (0, "u")),
    "short two keys": ((1, "u"), (0, "u")),
    "short poison": ((0, "p"), (0, "u")),
    "short control": ((0, "u"), (0, "c")),
}

SAFETY = {
    "mysql_cas": "the ledger moves a -> b or the transaction does nothing",
    "redis_cas": "the batch's Redis call does nothing unless the fence stands at a",
    "script_checks_seen": "... and unless nothing newer than b was put there",
    "seen_first": "the script raises `seen` before it writes a key",
    "refresh_reads_mysql": "catch-up copies MySQL's rows, never the records themselves",
    "refresh_checks_fence": "a refill without a look at the fence is not a refill",
    "refresh_only_forward": "refresh is refused below `seen`",
    "one_snapshot": "position and rows of a refresh come from one snapshot",
    "lost_fence_rebuilds": "a fence made anew, or moved past records that are gone, starts a rebuild",
    "letter_before_commit": "a dead letter is delivered before the ledger passes its record",
    "empty_batch_cas": "a batch without rows obeys both compare-and-sets too",
    "generation_in_ledger": "the ledger moves only under the generation that its mover read",
    "generation_in_script": "the batch's Redis call carries the generation",
    "generation_in_refresh": "a refresh too",
    "generation_at_start": "a fence of another generation counts as no fence",
}
SAFETY_OF_WATCH = {
    "exec_is_watched": "EXEC only with a WATCH whose answer was looked at",
    "watch_sees_seen": "... `seen` included",
    "exec_cannot_half_fail": "no command inside may fail at run time (DEL before HSET)",
}
COMFORT = {
    "one_batch_ahead": "COMMIT waits for the Redis answer of the batch before",
    "skip_below_seen": "Redis is left alone below `seen`",
}
RULES = {**SAFETY, **SAFETY_OF_WATCH, **COMFORT}
FAULTS = {
    "flush": "Redis loses everything",
    "evict": "Redis evicts a key",
    "fence": "Redis loses the fence alone",
    "failover": "Redis falls back to an older copy",
    "restore": "MySQL loses its last transactions",
    "half": "the Redis call fails half-way",
    "gone": "Kafka no longer has the records that Redis misses",
    "reset": "an operator moves the position",
}
