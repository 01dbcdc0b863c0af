"""The torture's proxy and observer: each fault does what it says, and going back is seen."""
import os
import socket
import sys
import threading

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "faults"))

import observer  # noqa: E402
import proxy  # noqa: E402


class Echo:
    """answers every chunk with itself; what it got is in `got`"""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port, self.got = self.server.getsockname()[1], b""
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self.talk, args=(connection,), daemon=True).start()

    def talk(self, connection):
        try:
            while True:
                data = connection.recv(65536)
                if not data:
                    return
                self.got += data
                connection.sendall(data)
        except OSError:
            pass


@pytest.fixture
def pair(tmp_path):
    echo = Echo()
    running = proxy.Running("127.0.0.1:%d" % echo.port, str(tmp_path / "control"))
    yield echo, running
    running.close()
    echo.server.close()


def connect(running):
    client = socket.create_connection(("127.0.0.1", running.port), 5)
    client.settimeout(5)
    return client


def test_it_forwards(pair):
    client = connect(pair[1])
    client.sendall(b"hello")
    assert client.recv(100) == b"hello"


def test_a_dropped_reply_means_the_server_has_the_request(pair):
    echo, running = pair
    client = connect(running)
    running.tell("drop COMMIT")
    client.sendall(b"BEGIN")
    assert client.recv(100) == b"BEGIN"
    client.sendall(b"COMMIT")
    with pytest.raises(ConnectionResetError):
        client.recv(100)
    assert echo.got == b"BEGINCOMMIT"
    assert running.tell("stats")["drops"] == 1


def test_a_cut_request_arrives_in_part(pair):
    echo, running = pair
    client = connect(running)
    running.tell("cut 4")
    client.sendall(b"0123456789")
    with pytest.raises(ConnectionResetError):
        while client.recv(100):
            pass
    assert echo.got == b"0123"


def test_a_stall_holds_back_and_ok_delivers(pair):
    _, running = pair
    client = connect(running)
    running.tell("stall")
    client.sendall(b"late")
    client.settimeout(0.3)
    with pytest.raises(TimeoutError):
        client.recv(100)
    running.tell("ok")
    client.settimeout(5)
    assert client.recv(100) == b"late"


def test_refuse_breaks_old_and_new_connections(pair):
    _, running = pair
    client = connect(running)
    client.sendall(b"x")
    assert client.recv(1) == b"x"
    running.tell("refuse")
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(OSError):
        again = connect(running)
        again.sendall(b"x")
        if again.recv(1) == b"":
            raise ConnectionResetError
    running.tell("ok")
    client = connect(running)
    client.sendall(b"y")
    assert client.recv(1) == b"y"


def test_an_unknown_command_is_said(pair):
    with pytest.raises(ValueError):
        pair[1].tell("explode")


def test_going_back_is_seen_even_across_a_deletion():
    watch = observer.Watch("Redis")
    assert watch.see("hot1", 5, 1.0) is None
    assert watch.see("hot1", None, 2.0) is None
    assert watch.see("hot1", 5, 3.0) is None
    assert "went back from seq 5" in watch.see("hot1", 4, 4.0)


def test_a_stated_window_excuses_and_starts_anew():
    watch = observer.Watch("Redis")
    watch.see("hot1", 5, 1.0)
    watch.excused = True
    assert watch.see("hot1", 3, 2.0) is None
    watch.excused = False
    assert watch.see("hot1", 4, 3.0) is None
    assert watch.see("hot1", 3, 4.0)


def test_the_sequence_is_read_from_the_name():
    assert observer.sequence("hot1 seq 000123") == 123
    assert observer.sequence("somebody else") is None
