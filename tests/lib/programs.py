"""Our programs as processes of a test: started with options, stopped by id whatever happens."""
import ctypes
import os
import shlex
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def binary(name):
    """build/bin/NAME, or another variant's: WT_BIN=build/asan/bin."""
    path = os.path.join(ROOT, os.environ.get("WT_BIN") or "build/bin", name)
    assert os.access(path, os.X_OK), "%s is not built" % path
    return path


def command(name):
    """The program, behind what WT_WRAP says (make test-tsan)."""
    return shlex.split(os.environ.get("WT_WRAP", "")) + [binary(name)]


def clean_environ(extra=None):
    """The environment without settings that a developer may have exported."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("WT_") or k == "WT_BIN"}
    env.update(extra or {})
    return env


_libc = ctypes.CDLL(None)


def die_with_us():
    """A test that is killed takes its programs along."""
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def arguments(options):
    """{"batch.records": 10, "threshold": [a, b]} as a command line."""
    made = []
    for name, value in (options or {}).items():
        for one in value if isinstance(value, (list, tuple)) else [value]:
            made.append("--%s=%s" % (name, one))
    return made


def wait_until(condition, timeout=20, what=None, every=0.02):
    """Returns the first true answer of condition(); AssertionError when the time is up."""
    deadline = time.monotonic() + timeout
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError("not within %g s: %s (last answer: %r)" % (
                timeout, what or getattr(condition, "__name__", condition), answer))
        time.sleep(every)


def run(name, *words, options=None, env=None, timeout=60, stdin=subprocess.DEVNULL):
    """Runs to the end; returns CompletedProcess with text."""
    return subprocess.run([*command(name), *words, *arguments(options)], stdin=stdin,
                          env=clean_environ(env), stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=timeout, text=True,
                          errors="replace")


class Program:
    """One running program. log: everything it wrote to stderr and stdout."""

    def __init__(self, name, *words, options=None, env=None, log, url=None):
        self.name, self.log, self.url = name, log, url
        self.argv = [*command(name), *words, *arguments(options)]
        with open(log, "ab") as f:
            self.child = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=f,
                                          stderr=f, env=clean_environ(env),
                                          start_new_session=True, preexec_fn=die_with_us)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def signal(self, number):
        self.child.send_signal(number)

    def wait(self, timeout=40):
        """Its exit code (negative: a signal's number)."""
        try:
            return self.child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError("%s still runs after %g s\n%s"
                                 % (self.name, timeout, self.text()[-3000:]))

    def stop(self, timeout=40):
        """SIGTERM, and its exit code."""
        if self.running():
            self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        if self.running():
            self.signal(signal.SIGKILL)
        return self.child.wait()

    def wait_ready(self, timeout=30):
        """Until /readyz says 200."""
        import requests

        def ready():
            assert self.running(), "%s ended with %s\n%s" % (
                self.name, self.child.returncode, self.text()[-3000:])
            try:
                return requests.get(self.url + "/readyz", timeout=2).status_code == 200
            except requests.RequestException:
                return False
        try:
            wait_until(ready, timeout, "%s ready" % self.name)
        except AssertionError:
            sys.stderr.write(self.text()[-3000:])
            raise
        return self

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as f:
            return f.read()
