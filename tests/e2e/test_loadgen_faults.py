"""Servers that misbehave, and a consumer whose status page does: every request ends in its class,
nothing hangs, and what is not known is not called 0. (More of it: tests/component/test_loadgen.c.)"""
import json
import os
import socket
import struct
import subprocess
import threading
import time

import pytest

from fake_target import FakeTarget
from programs import arguments, binary, clean_environ, run

GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class RawServer:
    """Calls serve(connection) for each connection, in a thread."""

    def __init__(self, serve):
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.url = "http://127.0.0.1:%d/x" % self.listener.getsockname()[1]
        self.open = []

        def one(connection):
            try:
                serve(connection)
            except OSError:
                pass

        def accept():
            while True:
                try:
                    connection = self.listener.accept()[0]
                except OSError:
                    return
                self.open.append(connection)
                threading.Thread(target=one, args=(connection,), daemon=True).start()
        threading.Thread(target=accept, daemon=True).start()

    def close(self):
        self.listener.close()
        for connection in self.open:
            connection.close()


def each_request(answer):
    """Reads whole requests without a body and gives each to answer(connection)."""
    def serve(connection):
        data = b""
        while True:
            part = connection.recv(65536)
            if not part:
                return
            data += part
            while b"\r\n\r\n" in data:
                data = data.partition(b"\r\n\r\n")[2]
                answer(connection)
    return serve


def reset(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def endless(connection):
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        connection.sendall(b"5\r\nnever\r\n")
        time.sleep(0.05)


MANNERS = {  # how it answers -> the class in which all requests end
    "says nothing": (lambda c: None, "timeout"),
    "ends without an answer": (lambda c: c.close(), "reset"),
    "resets": (reset, "reset"),
    "is no HTTP": (lambda c: c.sendall(b"+PONG\r\n"), "malformed"),
    "is binary": (lambda c: c.sendall(bytes(range(256)) * 8), "malformed"),
    "has an impossible length": (
        lambda c: c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"), "malformed"),
    "has headers without end": (
        lambda c: c.sendall(b"HTTP/1.1 200 OK\r\n" + b"X-Long: %s\r\n" % (b"y" * 900) * 100),
        "malformed"),
    "has half a body": (
        lambda c: (c.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), c.close()),
        "reset"),
    "never ends": (endless, "timeout"),
}


def load(url, report, code, **more):
    started = time.monotonic()
    done = run("wt-loadgen", options={"url": url, "quiet": "true", "stages": "500ms:40",
                                      "connections": 20, "timeout-ms": "700ms",
                                      "report.json": report,
                                      **{k.replace("_", "-"): v for k, v in more.items()}})
    assert done.returncode == code, done.stdout + done.stderr
    assert time.monotonic() - started < 25, "it hung"
    return json.loads(report.read_text()), done


@pytest.mark.parametrize("name", MANNERS)
def test_trouble_has_its_class_and_no_hang(name, tmp_path):
    answer, kind = MANNERS[name]
    server = RawServer(each_request(answer))
    found, _ = load(server.url, tmp_path / "r.json", 99, method="GET")
    server.close()
    assert found["errors"][kind] == found["errors"]["total"] == 20 == found["requests"]["due"]
    assert found["requests"]["acknowledged"] == 0


def test_a_server_that_does_not_read_is_a_timeout(tmp_path):
    server = RawServer(lambda connection: time.sleep(30))
    found, _ = load(server.url, tmp_path / "r.json", 99, body="{{string:60000}}" * 100)
    server.close()
    assert found["errors"]["timeout"] == found["errors"]["total"] == 20


def test_a_server_that_reads_slowly_is_waited_for(tmp_path):
    size = 60000 * 10

    def serve(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8192)
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                part = connection.recv(400)
                if not part:
                    return
                data += part
            got = len(data.partition(b"\r\n\r\n")[2])
            while got < size:
                got += len(connection.recv(60000))
                time.sleep(0.005)
            connection.sendall(GOOD)
            data = b""
    server = RawServer(serve)
    found, _ = load(server.url, tmp_path / "r.json", 0, body="{{string:60000}}" * 10,
                    stages="400ms:10", timeout_ms="15s")
    server.close()
    assert found["requests"]["acknowledged"] == 4
    assert found["times_ms"]["service"]["p50"] > 30


def test_more_bytes_than_announced_cost_the_connection_and_no_answer(tmp_path):
    server = RawServer(each_request(lambda c: c.sendall(GOOD + b"HTTP/1.1 200 what?")))
    found, _ = load(server.url, tmp_path / "r.json", 0, method="GET")
    server.close()
    assert found["requests"]["acknowledged"] == 20 and found["requests"]["connects"] >= 20


def test_a_server_that_goes_away_refuses_and_one_that_returns_is_used(tmp_path):
    """Down for a while in the middle: those requests are refused or reset, the others are not."""
    target = FakeTarget(close_after=True)
    port = target.server.server_address[1]

    def restart():
        time.sleep(1)
        target.close()
        time.sleep(1)
        made.append(FakeTarget(close_after=True, port=port))
    made = []
    thread = threading.Thread(target=restart)
    thread.start()
    found, _ = load(target.url, tmp_path / "r.json", 99, stages="4s:50")
    thread.join()
    made[0].close()
    errors = found["errors"]
    assert 20 < errors["refused"] + errors["reset"] == errors["total"] < 120
    assert found["requests"]["acknowledged"] == 200 - errors["total"]
    assert found["series"][-1]["errors"] == 0


# --- the consumer's API ---

def unknown(found, done):
    assert found["lag"]["unknown"] > 0 and found["lag"]["end"] is None
    assert found["account"]["lost"] is None and found["account"]["pending"] is None
    assert found["lag"]["drain_seconds"] is None
    assert "lag unknown" in [mark["text"] for mark in found["marks"]]
    assert "at the end n/a" in done.stdout


def test_a_status_page_that_goes_away_makes_the_lag_unknown(tmp_path):
    target, status = FakeTarget(), FakeTarget(close_after=True)
    threading.Timer(1, status.close).start()
    found, done = load(target.url, tmp_path / "r.json", 99, **{
        "lag.url": status.url, "stages": "2s:40", "drain.timeout-ms": "1s",
        "lag.interval-ms": 100})
    target.close()
    unknown(found, done)
    assert found["requests"]["acknowledged"] == 80 and "refused" in done.stdout


@pytest.mark.parametrize("how", ["hangs", "breaks off", "talks nonsense", "has no partitions"])
def test_a_status_page_that_misbehaves_makes_the_lag_unknown(tmp_path, how):
    target, status = FakeTarget(), FakeTarget()
    good, started = status.look, time.monotonic()

    def look():
        if time.monotonic() - started < 1.5:
            return good()
        if how == "hangs":
            time.sleep(60)
        if how == "breaks off":
            raise ConnectionResetError
        return {"partitions": []} if how == "has no partitions" else ["what?"]
    status.look = look
    found, done = load(target.url, tmp_path / "r.json", 99, **{
        "lag.url": status.url, "stages": "4s:40", "drain.timeout-ms": "1s",
        "lag.interval-ms": 100})
    target.close()
    status.close()
    unknown(found, done)
    assert found["requests"]["acknowledged"] == 160, "the load itself goes on"


def test_one_of_two_status_pages_behind_a_name_is_enough(tmp_path):
    """As behind a service's name: whoever answered first goes away, the other knows the lag too."""
    target, first = FakeTarget(), FakeTarget(close_after=True, host="127.0.0.2")
    port = first.server.server_address[1]
    second = FakeTarget(close_after=True, host="127.0.0.3", port=port)
    first.look = second.look = target.look
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.2 consumers.test\n127.0.0.3 consumers.test\n")
    namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    command = [binary("wt-loadgen"), *arguments({
        "url": target.url, "stages": "3s:40", "quiet": "true", "lag.interval-ms": 100,
        "lag.url": "http://consumers.test:%d" % port, "report.json": tmp_path / "r.json"})]
    threading.Timer(1, first.close).start()
    done = subprocess.run([*namespace, "sh", "-c", 'mount --bind %s /etc/hosts && exec "$@"' % hosts,
                           "sh", *command], env=clean_environ(), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, timeout=60)
    target.close()
    second.close()
    assert done.returncode == 0, done.stdout
    found = json.loads((tmp_path / "r.json").read_text())
    assert found["lag"]["end"] == 0 and found["lag"]["unknown"] <= 3, found["lag"]


def test_a_consumer_that_never_answers_about_its_workers_does_not_stop_the_run(tmp_path):
    target = FakeTarget()
    target.ask = lambda *_: time.sleep(60)
    found, done = load(target.url, tmp_path / "r.json", 0, **{"lag.url": target.url,
                                                              "workers": 3})
    target.close()
    assert "the workers stay as they are" in done.stderr and found["run"]["workers"] is None
