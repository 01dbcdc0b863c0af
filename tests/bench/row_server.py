"""Rows 8 to 10, the HTTP server further: pipelining, a server in Go, half of the highest rate, idle
connections."""
import contextlib
import os
import resource
import socket
import subprocess

from measure import ROOT, Row, die_with_us, say
from row_http import wrk

DEPTH, IDLE = 64, 10000
GO = os.path.join(ROOT, "build", "tools", "go-server")


@contextlib.contextmanager
def go_server(world, linger_ms):
    child = subprocess.Popen([GO, world.topic, str(linger_ms)], stdout=subprocess.PIPE, text=True,
                             env=world.yard_env(), preexec_fn=die_with_us)
    try:
        yield "http://127.0.0.1:%s/write-through" % child.stdout.readline().split()[1]
    finally:
        child.kill()
        child.wait()


def measure_go(world, rounds, check):
    """Row 9. Its own setting of linger.ms is the better of 0 and 2 for each number of clients."""
    rows = {n: Row("9 HTTP acknowledged : server in Go, %d connections" % n, "requests/s", ">=2")
            for n in (50, 500)}
    if not os.access(GO, os.X_OK):
        for row in rows.values():
            row.missing = "no Go toolchain, or it could not build tests/bench/go"
        return list(rows.values())
    seconds = 1 if check else 3
    for number in range(rounds):
        say("go, round %d" % (number + 1))
        world.new_topic()
        world.fresh()
        ours = world.producer().url + "/write-through"
        with go_server(world, 0) as at_once, go_server(world, 2) as lingering:
            for url in (ours, at_once, lingering):
                wrk(world, url, 10, 1)
            for connections, row in rows.items():
                row.add(wrk(world, ours, connections, seconds)[0],
                        max(wrk(world, url, connections, seconds)[0]
                            for url in (at_once, lingering)))
    return list(rows.values())


def measure_pipelined(world, rounds, check):
    row = Row("8 records/s, %d requests pipelined, 50 connections" % DEPTH, "records/s",
              ">=300000", of="ours")
    world.new_topic()
    for number in range(rounds):
        say("pipelined, round %d" % (number + 1))
        world.fresh()
        url = world.producer().url + "/write-through"
        wrk(world, url, 10, 1)
        row.add(wrk(world, url, 50, 1 if check else 4, depth=DEPTH)[0])
    return [row]


def measure_half(world, rounds, check):
    row = Row("10 p99 at half of the highest rate : p50, 500 connections", "ms", "<=10")
    world.new_topic()
    for number in range(rounds):
        say("half, round %d" % (number + 1))
        world.fresh()
        producer = world.producer()
        highest = wrk(world, producer.url + "/write-through", 500, 1 if check else 3)[0]
        _, report = world.loadgen(producer, {
            "stages": "%ds:%d" % (2 if check else 5, highest / 2), "connections": 500,
            "keys": world.keys_count})
        times = report["times_ms"]["response"]
        say("  at %.0f/s: p50 %s ms, p99 %s ms, achieved %s, errors %s" % (
            highest / 2, times["p50"], times["p99"], report["result"]["achieved_rate"],
            report["errors"]["total"]))
        row.add(times["p99"], times["p50"])
    return [row]


def resident_kib(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmRSS"))


def idle_connections(world, count):
    """KiB of the producer's memory for each connection that made a request and waits."""
    producer = world.producer(options={"http.max-connections": count + 100,
                                       "http.idle-timeout-ms": "600s"})
    host, port = producer.url[7:].split(":")
    before, clients = resident_kib(producer.pid), []
    try:
        for _ in range(count):
            client = socket.create_connection((host, int(port)), timeout=10)
            clients.append(client)
            client.sendall(b"GET /healthz HTTP/1.1\r\nHost: idle\r\n\r\n")
            assert client.recv(4096).startswith(b"HTTP/1.1 200"), "a connection was refused"
        return (resident_kib(producer.pid) - before) / count
    finally:
        for client in clients:
            client.close()


def more_files(wanted):
    """The limit of open files, which children inherit, raised as far as it may."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    made = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < made:
        resource.setrlimit(resource.RLIMIT_NOFILE, (made, hard))
    return soft == resource.RLIM_INFINITY or max(soft, made) >= wanted


def measure_idle(world, rounds, check):
    count = IDLE // 10 if check else IDLE
    row = Row("10 memory of an idle connection, of %d" % count, "KiB", "<=12", of="ours")
    if not more_files(count + 1000):
        row.missing = "a process may not open %d files here" % (count + 1000)
        return [row]
    for number in range(rounds):
        say("idle, round %d" % (number + 1))
        world.fresh()
        row.add(idle_connections(world, count))
    return [row]


def measure(world, rounds, check):
    rows = []
    for part in (measure_pipelined, measure_go, measure_half, measure_idle):
        rows += part(world, rounds, check)
    return rows
