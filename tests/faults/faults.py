"""The torture's faults: one function each, hurting a Target for a while. Each returns when the fault is
over (its after-effects need not be); Skip says that it could not happen now."""
import os
import re
import signal
import time

import pymysql
import requests

POINTS = ("mysql_before_execute", "mysql_after_execute", "mysql_before_commit", "mysql_after_commit",
          "redis_before_script", "redis_sent", "redis_after_script", "dlq_before_delivery", "dlq_after_delivery",
          "settle_before", "settle_after", "start_after_fence", "start_after_ledger")


# InnoDB's, the server's and our own words for a full disk; Java's
NO_SPACE = re.compile(r"No space left on device|table '[^']*' is full|OS error 28|Errcode: 28|Disk is full")


class Skip(Exception):
    """The fault found nothing to hurt."""


def point(name):
    def fault(target, rng):
        nth = 1 if name.startswith("start") else rng.randrange(1, 40 if "dlq" not in name else 4)
        target.kill_member(0)
        member = target.start_member(0, {"WT_FAULT": "%s:kill:%d" % (name, nth)})
        deadline = time.monotonic() + 15
        while member.running() and time.monotonic() < deadline:
            time.sleep(0.05)
        died = not member.running()
        target.kill_member(0)
        target.start_member(0)
        if not died:
            raise Skip
        if member.child.returncode != -signal.SIGKILL:
            raise AssertionError("%s: the consumer ended with %s\n%s" % (
                name, member.child.returncode, member.text()[-2000:]))
    return fault


def kill_consumer(target, _rng):
    target.kill_member(0)
    target.start_member(0)


def drain_consumer(target, _rng):
    target.stop_member(0)
    target.start_member(0)


def second_member(target, rng):
    """joins, works, leaves: in order, or not"""
    target.start_member(1)
    time.sleep(rng.uniform(0.5, 6))
    if rng.random() < 0.5:
        target.stop_member(1)
    else:
        target.kill_member(1)


def freeze(target, rng):
    """a stalled owner: longer than its session, then it wakes with a batch in hand"""
    target.start_member(1)
    time.sleep(rng.uniform(0, 2))
    target.members[0].signal(signal.SIGSTOP)
    time.sleep(target.session_s + rng.uniform(0.5, 4))
    target.members[0].signal(signal.SIGCONT)
    time.sleep(2)
    target.stop_member(1)


def freeze_in_commit(target, _rng):
    """frozen by itself between execute and COMMIT: the ledger's row stays locked"""
    target.start_member(1)
    target.kill_member(0)
    member = target.start_member(0, {"WT_FAULT": "mysql_before_commit:stop:10"})
    time.sleep(target.session_s + 4)
    if member.running():
        member.signal(signal.SIGCONT)
    time.sleep(2)
    target.kill_member(0)
    target.start_member(0)
    target.stop_member(1)


def late(store):
    """requests of a former owner arrive after the next owner has gone on: held back on the way, their
    sender frozen until then, or dead"""
    def fault(target, rng):
        target.start_member(1)
        time.sleep(1)
        target.proxies[store, 0].tell("stall")
        time.sleep(1)
        dies = store == "redis" and rng.random() < 0.5
        target.members[0].signal(signal.SIGKILL if dies else signal.SIGSTOP)
        time.sleep(target.session_s + rng.uniform(2, 4))
        target.proxies[store, 0].tell("ok")
        if dies:
            target.kill_member(0)
            target.start_member(0)
        else:
            target.members[0].signal(signal.SIGCONT)
        time.sleep(2)
        target.stop_member(1)
    return fault


def workers(target, rng):
    """partitions move between workers under load, without a rebalance"""
    url = target.members[0].url + "/workers"
    for _ in range(rng.randrange(2, 12)):
        try:
            answer = requests.post(url, json={"count": rng.choice((1, 2, 3, 5, 6, 12, "auto"))}, timeout=30)
        except requests.ConnectionError:  # it has only just begun
            raise Skip
        if answer.status_code != 200:
            raise AssertionError("POST /workers: %s %s" % (answer.status_code, answer.text))
        time.sleep(rng.uniform(0, 0.8))


def clock_steps(target, rng):
    """the members' wall clock jumps, forward and back"""
    for _ in range(rng.randrange(1, 6)):
        target.step_clock(rng.choice((-1, 1)) * rng.choice((1, 30, 3600, 86400, 366 * 86400)))
        time.sleep(rng.uniform(0.2, 2))
    target.step_clock(0)


def refusals(target, name):
    """how often a server, or a member in its name, has said that its disk is full"""
    said = len(NO_SPACE.findall(target.server_says(name)))
    if name == "mysql":
        said += sum(len(NO_SPACE.findall(member.text())) for member in target.members.values())
    return said


def disk_full(name):
    """not a byte is left under a server until it has refused a write; then there is room again, and the
    server is started where it gave up"""
    def fault(target, rng):
        if name not in target.servers.own:
            raise Skip("it is not ours")
        if name not in target.disks:
            raise AssertionError("FAILED, not tried: %s" % target.disks_impossible)
        before, deadline = refusals(target, name), time.monotonic() + 40
        target.disks[name].fill()
        try:
            target.hurry = 20  # what fits into pages that are there refuses nothing
            while refusals(target, name) == before and time.monotonic() < deadline:
                time.sleep(0.3)
            refused = refusals(target, name) - before
            target.hurry = 1
            time.sleep(rng.uniform(1, 6))
        finally:
            target.hurry = 1
            target.disks[name].empty()
        deadline = time.monotonic() + (15 if name == "kafka" and refused else 1)
        while target.servers.own[name].pid() and time.monotonic() < deadline:
            time.sleep(0.2)  # Kafka gives its disk up, and goes, in its own time
        target.restart_servers()
        if not refused:
            raise Skip("it refused nothing")
        target.refused[name] += refused
    return fault


def kill_server(name):
    def fault(target, _rng):
        if name not in target.servers.own:
            raise Skip("it is not ours")
        if name == "redis":
            target.redis_window()
        target.servers.own[name].signal(signal.SIGKILL)
        time.sleep(0.5)
        target.restart_servers()
        if name == "redis":
            target.redis_window_over()
    return fault


def redis_flush(target, _rng):
    target.redis().flushall()


def redis_loses_fences(target, _rng):
    """the fences alone: the cache is then in a stated window until it is rebuilt"""
    target.redis_window()
    names = list(target.redis().scan_iter("writethrough:*"))
    if names:
        target.redis().delete(*names)
    target.redis_window_over()


def mysql_kill_connections(target, rng):
    with target.admin() as db, db.cursor() as c:
        for _ in range(rng.randrange(1, 10)):
            c.execute("SELECT id FROM information_schema.processlist WHERE user='writethrough'"
                      " AND db=%s", (target.env["MYSQL_DATABASE"],))
            for row in c.fetchall():
                try:
                    c.execute("KILL %d" % row[0])
                except pymysql.err.Error:
                    pass
            time.sleep(rng.uniform(0, 0.5))


def mysql_read_only(target, rng):
    with target.admin() as db, db.cursor() as c:
        c.execute("SET GLOBAL read_only=1")
        try:
            time.sleep(rng.uniform(1, 5))
        finally:
            c.execute("SET GLOBAL read_only=0")


def mysql_lock(target, rng):
    """a foreign transaction holds hot rows, or the ledger"""
    with target.admin() as db, db.cursor() as c:
        c.execute("USE " + target.env["MYSQL_DATABASE"])
        c.execute("BEGIN")
        c.execute(rng.choice(("SELECT * FROM users WHERE id LIKE 'hot%' FOR UPDATE",
                              "SELECT * FROM writethrough_ledger FOR UPDATE")))
        time.sleep(rng.uniform(0.5, 5))
        c.execute("ROLLBACK")


def mysql_deadlock(target, rng):
    """foreign transactions that take hot rows in the wrong order"""
    with target.admin() as db, db.cursor() as c:
        c.execute("USE " + target.env["MYSQL_DATABASE"])
        for _ in range(40):
            try:
                c.execute("BEGIN")
                for i in (7, 5, 3, 1, 0):
                    c.execute("SELECT * FROM users WHERE id='hot%d' FOR UPDATE" % i)
                    time.sleep(rng.uniform(0, 0.01))
                c.execute("ROLLBACK")
            except pymysql.err.OperationalError:
                c.execute("ROLLBACK")


def proxy(store, *commands):
    """one of `commands` on a store's proxy for a while"""
    def fault(target, rng):
        target.proxies[store, 0].tell(rng.choice(commands) % {"n": rng.randrange(1, 20000)})
        time.sleep(rng.uniform(0.2, 4))
        target.proxies[store, 0].tell("ok")
    return fault


FAULTS = {
    **{"kill_at_" + name: point(name) for name in POINTS},
    "kill_consumer": kill_consumer,
    "drain_consumer": drain_consumer,
    "second_member": second_member,
    "workers": workers,
    "clock_steps": clock_steps,
    "freeze": freeze,
    "freeze_in_commit": freeze_in_commit,
    "late_mysql": late("mysql"),
    "late_redis": late("redis"),
    "kill_kafka": kill_server("kafka"),
    "kill_mysql": kill_server("mysql"),
    "kill_redis": kill_server("redis"),
    "disk_full_kafka": disk_full("kafka"),
    "disk_full_mysql": disk_full("mysql"),
    "redis_flush": redis_flush,
    "redis_loses_fences": redis_loses_fences,
    "mysql_kill_connections": mysql_kill_connections,
    "mysql_read_only": mysql_read_only,
    "mysql_lock": mysql_lock,
    "mysql_deadlock": mysql_deadlock,
    "mysql_lost_commit": proxy("mysql", "drop COMMIT"),
    "mysql_lost_ledger": proxy("mysql", "drop writethrough_ledger"),
    "mysql_cut": proxy("mysql", "cut %(n)d"),
    "mysql_slow": proxy("mysql", "delay 50", "stall"),
    "mysql_reset": proxy("mysql", "reset", "refuse"),
    "redis_lost_script": proxy("redis", "drop EVALSHA"),
    "redis_lost_exec": proxy("redis", "drop EXEC"),
    "redis_cut": proxy("redis", "cut %(n)d"),
    "redis_slow": proxy("redis", "delay 50", "stall"),
    "redis_reset": proxy("redis", "reset", "refuse"),
}


def admin_connection(servers, env):
    if "mysql" not in servers.own:  # somebody lent it, and an account with the rights to hurt it
        return pymysql.connect(host=env["MYSQL_HOST"], port=int(env["MYSQL_PORT"]), autocommit=True,
                               user=os.environ["MYSQL_ADMIN_USER"],
                               password=os.environ["MYSQL_ADMIN_PASSWORD"])
    with open(os.path.join(servers.run, "mysql.admin-password"), encoding="utf-8") as f:
        password = f.read().strip()
    return pymysql.connect(unix_socket=os.path.join(servers.run, "mysql", "data", "s"), user="root",
                           password=password, autocommit=True)
