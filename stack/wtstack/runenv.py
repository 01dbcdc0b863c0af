"""The folder RUN: lock, env file, ports, secrets."""
import contextlib
import fcntl
import os
import random
import secrets
import shlex
import socket

KEYS = ("KAFKA_BROKERS MYSQL_HOST MYSQL_PORT MYSQL_USER MYSQL_PASSWORD MYSQL_DATABASE "
        "REDIS_HOST REDIS_PORT PRODUCER_URL STATUS_URL").split()


@contextlib.contextmanager
def locked(run):
    """One command at a time works on RUN."""
    path = os.path.join(run, ".lock")
    while True:
        os.makedirs(run, exist_ok=True)
        with open(path, "w") as f:
            try:
                fcntl.flock(f, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                print("waiting for another command on %s" % run, flush=True)
                fcntl.flock(f, fcntl.LOCK_EX)
            # clean-data may have removed the folder while we waited: then that is nobody's lock.
            if os.path.exists(path) and os.path.samestat(os.stat(path), os.fstat(f.fileno())):
                yield
                return


def load(run):
    env = {}
    try:
        with open(os.path.join(run, "env")) as f:
            for line in f:
                name, _, value = line.strip().partition("=")
                if name in KEYS:
                    env[name] = "".join(shlex.split(value)[:1])
    except FileNotFoundError:
        pass
    return env


def save(run, env):
    """Shell assignments, readable by the owner only: it holds the password."""
    path = os.path.join(run, "env")
    write_secret(path + ".new",
                 "".join("%s=%s\n" % (k, shlex.quote(str(env.get(k, "")))) for k in KEYS))
    os.rename(path + ".new", path)


def write_secret(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.fchmod(fd, 0o600)
    with os.fdopen(fd, "w") as f:
        f.write(text)


def secret(path):
    """The secret in path, made on the first call."""
    try:
        with open(path) as f:
            return f.read().strip()
    except FileNotFoundError:
        write_secret(path, secrets.token_hex(16) + "\n")
        return secret(path)


def is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
    with socket.socket() as s:  # somebody may listen on it in a way that lets us bind
        s.settimeout(0.5)
        return s.connect_ex(("127.0.0.1", port)) != 0


class Ports:
    """Hands out free ports, none of them twice."""

    def __init__(self, private=False):
        self.private = private
        self.given = set()

    def again(self, port):
        """The port of the last time if it is still free, else None."""
        if not port or port in self.given or not is_free(port):
            return None
        self.given.add(port)
        return port

    def pick(self, wanted):
        """`wanted` or the next free one; a private stack starts anywhere below the
        ephemeral range instead, so that two of them rarely meet."""
        port = random.randrange(20000, 32000) if self.private else wanted
        while port in self.given or not is_free(port):
            port += 1
        self.given.add(port)
        return port


def connects(port, host="127.0.0.1"):
    with socket.socket() as s:
        s.settimeout(0.5)
        return s.connect_ex((host, port)) == 0
