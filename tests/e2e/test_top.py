"""`wt-consumer top` in a terminal: a pty of a known size."""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time

import requests

from programs import clean_environ, command, wait_until


class Terminal:
    """top in a pty; frame() is the next whole picture as lines."""

    def __init__(self, consumer, columns, rows, env=None):
        self.master, slave = pty.openpty()
        self.resize(columns, rows)
        listen = consumer.url[len("http://"):]
        self.child = subprocess.Popen(
            [*command("wt-consumer"), "top", "--status.listen=" + listen], stdin=slave,
            stdout=slave, stderr=slave, env=clean_environ({"LC_ALL": "C.UTF-8", **(env or {})}),
            start_new_session=True)
        os.close(slave)
        self.seen = b""

    def resize(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def raw(self, seconds=5):
        """One picture as it was written: from the home position to the last erasing."""
        deadline = time.monotonic() + seconds
        while b"\033[J" not in self.seen:
            assert select.select([self.master], [], [], deadline - time.monotonic())[0]
            self.seen += os.read(self.master, 65536)
        one, self.seen = self.seen.split(b"\033[J", 1)
        return one.decode()

    def frame(self):
        text = re.sub(r"\033\[[0-9;?]*[A-Za-z]", "", self.raw())
        return text.replace("\r", "").split("\n")

    def close(self):
        os.write(self.master, b"q")
        try:
            return self.child.wait(5)
        finally:
            self.child.kill()
            os.close(self.master)


def user(n):
    return "u%d" % n, {"id": "u%d" % n, "name": "Ada", "age": 36, "occupation": "engineer"}


def columns_of(lines, name):
    return next(line for line in lines if line.startswith(name))[12:].strip()


def test_a_terminal_shows_the_past_at_once_and_follows_its_size(world):
    consumer = world.consumer()
    world.produce([user(n) for n in range(200)])
    wait_until(lambda: len(requests.get(consumer.url + "/history").json()["t"]) >= 12, 30)
    top = Terminal(consumer, 80, 24)
    try:
        first = top.frame()
        assert len(first) <= 24 and max(len(line) for line in first) <= 80
        assert len(columns_of(first, "Out")) >= 3  # of 4 s each: from before we came
        assert any("R" in line[12:] for line in first if line.startswith("     -5 min"))
        assert sum(line.lstrip()[:1].isdigit() and "worker" in line for line in first) == 6
        top.resize(130, 40)
        os.kill(top.child.pid, signal.SIGWINCH)
        wide = wait_until(lambda: (lambda f: f if any("CACHE" in line for line in f) else None)(
            top.frame()), 5)
        assert max(len(line) for line in wide) <= 130
    finally:
        assert top.close() == 0


def test_no_color_means_none(world):
    consumer = world.consumer()
    top = Terminal(consumer, 80, 24)
    assert "\033[1m" in top.raw()
    assert top.close() == 0
    top = Terminal(consumer, 80, 24, {"NO_COLOR": "1"})
    assert not re.search(r"\033\[[0-9;]*m", top.raw())
    assert top.close() == 0


def test_a_dumb_terminal_gets_plain_lines(world):
    consumer = world.consumer()
    top = Terminal(consumer, 80, 24, {"TERM": "dumb"})
    try:
        line = b""
        while b"\n" not in line:
            line += os.read(top.master, 65536)
        assert b"\033" not in line and b"behind" in line
    finally:
        top.child.terminate()
        assert top.child.wait(5) == 0
        os.close(top.master)
