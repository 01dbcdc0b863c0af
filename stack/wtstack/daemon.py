"""One background process with a pid file that cannot be mistaken for another process."""
import contextlib
import json
import os
import signal
import subprocess
import time


class Failed(Exception):
    """Something did not start; the text says what, and what its log says."""


def _boot_id():
    with open("/proc/sys/kernel/random/boot_id") as f:
        return f.read().strip()


def _stat(pid):
    """(state, start ticks) of a process, or None."""
    try:
        with open("/proc/%d/stat" % pid) as f:
            fields = f.read().rpartition(")")[2].split()
    except (OSError, ValueError):
        return None
    return fields[0], int(fields[19])


def _has_threads(pid):
    """A killed process whose main thread is gone holds its sockets and files until the last of
    its threads is: one may wait for the disk."""
    try:
        return len(os.listdir("/proc/%d/task" % pid)) > 1
    except OSError:
        return False


class Daemon:
    def __init__(self, run, name):
        self.name = name
        self.pidfile = os.path.join(run, "pid", name + ".json")
        self.log = os.path.join(run, "log", name + ".log")
        self.child = None

    def start(self, argv, env=None, cwd=None, port=None):
        """Starts it with no terminal, no inherited descriptors and its own session."""
        for path in (self.pidfile, self.log):
            os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(self.log, "ab") as log:
            self.child = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL,
                                          stdout=log, stderr=log, start_new_session=True)
        try:
            self._remember(argv[0], port)
        except OSError:  # the disk is full: nobody would find it again
            self.child.kill()
            self.child.wait()
            raise

    def _remember(self, program, port):
        stat = _stat(self.child.pid)
        record = {"pid": self.child.pid, "start": stat[1] if stat else 0, "boot": _boot_id(),
                  "program": program, "port": port}
        with open(self.pidfile + ".new", "w") as f:
            json.dump(record, f)
        os.rename(self.pidfile + ".new", self.pidfile)

    def pid(self):
        """The pid of the process that we started, while it lives; else None."""
        if self.child is not None:
            self.child.poll()
        record = self._record()
        stat = _stat(record["pid"]) if record else None
        if not stat or stat[1] != record["start"] or record["boot"] != _boot_id():
            return None
        if stat[0] in "ZX" and not _has_threads(record["pid"]):
            return None
        return record["pid"]

    def port(self):
        """The port that it was started with, while it lives; else None."""
        return self._record().get("port") if self.pid() else None

    def _record(self):
        try:
            with open(self.pidfile) as f:
                return json.load(f)
        except (OSError, ValueError):
            return None

    def wait_ready(self, ready, seconds):
        """Until ready() is true; Failed when the process ends or the time is up."""
        deadline = time.monotonic() + seconds
        while not ready():
            if self.pid() is None:
                raise Failed("%s ended while starting\n%s" % (self.name, self.tail()))
            if time.monotonic() > deadline:
                raise Failed("%s was not ready after %d s\n%s"
                             % (self.name, seconds, self.tail()))
            time.sleep(0.05)

    def signal(self, number):
        pid = self.pid()
        if pid:
            with contextlib.suppress(ProcessLookupError):  # it has just ended
                os.kill(pid, number)
        return pid

    def stop(self, seconds=20):
        """SIGTERM, then SIGKILL when the time is up. Returns what happened, or None."""
        pid = self.signal(signal.SIGTERM)
        how = None
        if pid:
            self.signal(signal.SIGCONT)  # a stopped process would not see the SIGTERM
            deadline = time.monotonic() + seconds
            while self.pid() and time.monotonic() < deadline:
                time.sleep(0.02)
            how = "stopped"
            while self.signal(signal.SIGKILL):
                how = "killed after %d s" % seconds
                time.sleep(0.05)
        try:
            os.unlink(self.pidfile)
        except FileNotFoundError:
            pass
        return how

    def tail(self, lines=15):
        try:
            with open(self.log, "rb") as f:
                f.seek(0, os.SEEK_END)
                f.seek(max(0, f.tell() - 16384))
                text = f.read().decode("utf-8", "replace").splitlines()[-lines:]
        except OSError:
            text = []
        return "\n".join(["  --- end of %s" % self.log] + ["  " + line for line in text])
