"""Is every acknowledged record in both stores, and does each say the same? Asked of the stores
with eyes of our own, not of the programs that wrote them."""
import json
import os
import socket
import subprocess

from . import mariadb
from .daemon import Failed


class Redis:
    """As much of the protocol as MGET needs."""

    def __init__(self, host, port):
        self.file = socket.create_connection((host, int(port)), timeout=30).makefile("rwb")

    def mget(self, keys):
        words = [b"MGET"] + [key.encode() for key in keys]
        self.file.write(b"*%d\r\n" % len(words)
                        + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        self.file.flush()
        return self._reply()

    def _reply(self):
        line = self.file.readline().rstrip()
        kind, rest = line[:1], line[1:]
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        if kind == b"$":
            if int(rest) < 0:
                return None
            return self.file.read(int(rest) + 2)[:-2].decode()
        raise Failed("redis: %s" % line.decode("utf-8", "replace"))


def acknowledged(ids_file):
    """{id: (partition, offset)} from wt-loadgen's --ids.file."""
    made = {}
    with open(ids_file, encoding="utf-8") as f:
        for line in f:
            key, partition, offset = line.rstrip("\n").split("\t")
            made[key] = (partition, offset)
    return made


def mysql_rows(env, prefix):
    """{id: (name, age, occupation)} of the ids with this prefix (letters, digits and -)."""
    answer = mariadb.query(env, "SELECT id, HEX(name), age, HEX(occupation) FROM users "
                                "WHERE id LIKE '%s%%'" % prefix)
    if answer is None:
        raise Failed("mysql: cannot read the table users")
    made = {}
    for line in answer.splitlines():
        key, name, age, occupation = line.split("\t")
        made[key] = (bytes.fromhex(name).decode(), int(age),
                     bytes.fromhex(occupation).decode())
    return made


def redis_rows(env, ids):
    made, client, ids = {}, Redis(env["REDIS_HOST"], env["REDIS_PORT"]), list(ids)
    for start in range(0, len(ids), 1000):
        part = ids[start:start + 1000]
        for key, text in zip(part, client.mget(["user:" + i for i in part])):
            if text is not None:
                row = json.loads(text)
                made[key] = (row["name"], row["age"], row["occupation"])
    return made


def differences(acked, mysql, redis):
    """What is wrong, a line each: acknowledged and not there, or not the same in both."""
    for key, (partition, offset) in acked.items():
        where = "%s (partition %s, offset %s)" % (key, partition, offset)
        missing = [name for name, rows in (("MySQL", mysql), ("Redis", redis))
                   if key not in rows]
        if missing:
            yield "%s: acknowledged, not in %s" % (where, " and not in ".join(missing))
        elif mysql[key] != redis[key]:
            yield "%s: MySQL has %r, Redis %r" % (where, mysql[key], redis[key])


def verb_text(program, verb, config):
    """wt-consumer VERB: (exit code, what it said)."""
    out = subprocess.run([program, verb, "--config", config], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120,
                         env={k: v for k, v in os.environ.items() if not k.startswith("WT_")})
    return out.returncode, out.stdout.decode("utf-8", "replace").strip()
