"""Redis: append-only file, never evicts."""
import os
import socket

from .daemon import Daemon


class Redis:
    name = "redis"
    default_port = 6379

    def __init__(self, run, _jars=None):
        self.dir = os.path.join(run, "redis")
        self.daemon = Daemon(run, "redis")
        self.port = None

    def start(self, port, _ports):
        self.port = port
        os.makedirs(self.dir, exist_ok=True)
        # Without a name for its folder in the arguments: it runs in it.
        self.daemon.start(
            ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--daemonize", "no",
             "--appendonly", "yes", "--appendfsync", "everysec", "--save", "",
             "--maxmemory-policy", "noeviction", "--databases", "64"], cwd=self.dir,
            port=port)
        self.wait_ready()

    def wait_ready(self):
        self.daemon.wait_ready(lambda: answers("127.0.0.1", self.port), 60)


def answers(host, port):
    """PONG, and not "loading"."""
    try:
        with socket.create_connection((host, int(port)), timeout=1) as s:
            s.sendall(b"PING\r\n")
            return s.recv(64).startswith((b"+PONG", b"-NOAUTH"))
    except (OSError, ValueError, OverflowError):  # the last two: REDIS_PORT is no port
        return False
