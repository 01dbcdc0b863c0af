"""The commands behind make up, down, status and clean-data."""
import os
import shutil
import sys

from . import pipeline, runenv, servers
from .daemon import Daemon, Failed
from .servers import ROOT


def run_dir():
    return os.path.join(ROOT, os.environ.get("RUN") or "run")


def guard(command):
    try:
        sys.exit(command())
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:  # make status | head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except (Failed, OSError) as error:
        sys.exit("\n%s" % error)


def up():
    def command():
        run = run_dir()
        with runenv.locked(run):
            env = servers.up(run, os.environ)
            good = pipeline.up(run, env)
        if good:
            print("\nPOST %s/write-through     dashboard %s/     stop: make down"
                  % (env["PRODUCER_URL"], env["STATUS_URL"]))
        return 0 if good else 69
    guard(command)


def down():
    def command():
        run = run_dir()
        if not os.path.isdir(run):
            return 0
        with runenv.locked(run):
            pipeline.down(run)
            for daemon in servers.daemons(run):
                how = daemon.stop(seconds=30)
                if how:
                    print("%-12s %s" % (daemon.name, how))
        print("down; data stay in %s (make clean-data removes them)" % os.path.relpath(run))
        return 0
    guard(command)


def status():
    def command():
        run = run_dir()
        env = runenv.load(run)
        address = {"kafka": env.get("KAFKA_BROKERS"),
                   "mysql": "%(MYSQL_HOST)s:%(MYSQL_PORT)s" % env if env.get("MYSQL_HOST") else "",
                   "redis": "%(REDIS_HOST)s:%(REDIS_PORT)s" % env if env.get("REDIS_HOST") else "",
                   "wt-consumer": env.get("STATUS_URL"), "wt-producer": env.get("PRODUCER_URL")}
        running = 0
        for name, where in address.items():
            pid = Daemon(run, name).pid()
            running += bool(pid)
            state = "pid %d" % pid if pid else "not ours or not running"
            if pid and name in pipeline.PROGRAMS:
                state += "  ready" if pipeline.ready(where) else "  NOT READY"
                if pipeline.is_old(pid, name):
                    state += "; built anew since, make up starts it over"
            print("%-12s %-26s %s" % (name, where or "-", state))
        if running:
            print("\n%s" % pipeline.lag(run))
        return 0
    guard(command)


def is_ours(run):
    """Whether we made the folder: RUN may be mistyped."""
    if os.path.isfile(os.path.join(run, "env")):
        return set(runenv.KEYS) <= set(runenv.load(run))
    return set(os.listdir(run)) <= {".lock", "log", "pid", "kafka", "mysql", "redis",
                                    "mysql.password", "mysql.own-password",
                                    "mysql.admin-password"}


def remove(run):
    """The folder; where RUN is a link to one, what is in it."""
    if not os.path.islink(run):
        shutil.rmtree(run)
        return
    for entry in list(os.scandir(run)):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        else:
            os.unlink(entry.path)


def clean_data():
    def command():
        run = run_dir()
        if not os.path.isdir(run):
            return 0
        with runenv.locked(run):
            names = [d.name for d in servers.daemons(run)] + list(pipeline.PROGRAMS)
            running = [n for n in names if Daemon(run, n).pid()]
            if running:
                print("%s still running; make down first" % ", ".join(running), file=sys.stderr)
                return 1
            if not is_ours(run):
                print("%s does not look like ours; left alone" % run, file=sys.stderr)
                return 1
            remove(run)
        return 0
    guard(command)
