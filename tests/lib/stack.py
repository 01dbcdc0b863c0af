"""Servers for tests: a private Kafka, MariaDB and Redis in a temporary folder on free ports, made
by the same code as `make up`; or those that the environment names (tests/run does that)."""
import os
import shutil
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "stack"))

from wtstack import kafka, mariadb, runenv, servers  # noqa: E402,F401
from wtstack.daemon import Failed  # noqa: E402,F401


class Servers:
    """Started by the constructor; close() stops them and removes the folder.

    env: the values of run/env. own: {"kafka": Daemon, ...} for faults (own.signal(SIGSTOP));
    servers that the environment names are not in it.
    """

    def __init__(self, environ=None, before=lambda run: None):
        """environ={} starts private servers even where the environment names some. before: is
        called with the folder when it is still empty."""
        self.run = tempfile.mkdtemp(prefix="wt-test-")
        try:
            before(self.run)
            self.env = servers.up(self.run, os.environ if environ is None else environ,
                                  private=True, say=lambda text: None)
        except BaseException:
            self.close()
            raise
        self.own = {d.name: d for d in servers.daemons(self.run) if d.pid()}

    def restart(self, environ=None):
        """Starts again what is down, on the same port with the same data. Failed where somebody
        has the port meanwhile: the programs under test would wait for a server that is elsewhere."""
        env = servers.up(self.run, environ or {}, private=True, say=lambda text: None)
        moved = sorted(key for key in env if env[key] != self.env.get(key))
        if moved:
            raise Failed("a restarted server is elsewhere: " + ", ".join(
                "%s %s, was %s" % (key, env[key], self.env.get(key)) for key in moved))
        self.env = env

    def close(self):
        for server in servers.daemons(self.run):
            server.stop(seconds=10)
        if os.environ.get("KEEP") != "1":
            shutil.rmtree(self.run, ignore_errors=True)

