"""The observer: while faults run it samples the hot keys in both stores, and no key may ever go back.

A value says its sequence ("hot3 seq 000123"). A missing key is no statement (a tombstone, an eviction);
what comes after it must still not be older than what was shown before. The one excuse is a stated window:
a Redis that itself fell back to an older copy, between window() and window_over().
"""
import json
import re
import threading
import time

from checker import connect_mysql, connect_redis

SEQUENCE = re.compile(r" seq (\d+)$")


def sequence(name):
    found = SEQUENCE.search(name or "")
    return int(found[1]) if found else None


class Watch:
    """One store's high marks. Pure: see() returns what went back, or None."""

    def __init__(self, store):
        self.store, self.mark, self.when = store, {}, {}
        self.excused, self.samples = False, 0

    def see(self, key, number, now):
        if number is None:
            return None
        self.samples += 1
        before = self.mark.get(key, 0)
        went_back = None
        if number < before and not self.excused:
            went_back = "%s: %s went back from seq %d (shown %.3f s ago) to %d" % (
                self.store, key, before, now - self.when[key], number)
        self.mark[key], self.when[key] = number, now  # each fall is told once
        return went_back


class Observer:
    def __init__(self, env, keys, pause_s=0.02):
        self.env, self.keys, self.pause_s = env, keys, pause_s
        self.watches = {"mysql": Watch("MySQL"), "redis": Watch("Redis")}
        self.went_back, self.stopping = [], threading.Event()
        self.threads = [threading.Thread(target=self.follow, args=(store, look), daemon=True)
                        for store, look in (("mysql", self.look_mysql), ("redis", self.look_redis))]
        for thread in self.threads:
            thread.start()

    def look_mysql(self):
        marks = ",".join(["%s"] * len(self.keys))
        db = connect_mysql(self.env)
        with db, db.cursor() as c:
            while not self.stopping.wait(self.pause_s):
                c.execute("SELECT id, name FROM users WHERE id IN (%s)" % marks, self.keys)
                yield dict(c.fetchall())

    def look_redis(self):
        db = connect_redis(self.env)
        while not self.stopping.wait(self.pause_s):
            values = db.mget(["user:" + key for key in self.keys])
            yield {key: json.loads(value).get("name") for key, value in zip(self.keys, values) if value}

    def follow(self, store, look):
        watch = self.watches[store]
        while not self.stopping.is_set():
            try:
                for seen in look():
                    now = time.monotonic()
                    for key, name in seen.items():
                        bad = watch.see(key, sequence(name), now)
                        if bad:
                            self.went_back.append(bad)
            except Exception:  # the server is down: that is what the faults are for
                self.stopping.wait(0.2)

    def window(self, store):
        self.watches[store].excused = True

    def window_over(self, store):
        self.watches[store].excused = False

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(40)
        return self.went_back
