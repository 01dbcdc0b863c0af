"""wt-consumer and wt-producer in the background, on whatever servers run/env names."""
import filecmp
import os
import subprocess
import time
import urllib.request

from . import runenv
from .daemon import Daemon
from .servers import ROOT

PROGRAMS = {  # name -> (option of its address, default port, key in run/env)
    "wt-consumer": ("status.listen", 8081, "STATUS_URL"),
    "wt-producer": ("http.listen", 8080, "PRODUCER_URL"),
}


# 127.0.0.1 is asked itself, whatever http_proxy says.
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def bin_dir():
    return os.path.abspath(os.environ.get("WT_BIN") or os.path.join(ROOT, "build", "bin"))


def ready(url):
    try:
        with DIRECT.open(url + "/readyz", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


def options(run, env):
    """Every setting that a program may want; it gets those that it knows."""
    return {"kafka.brokers": env["KAFKA_BROKERS"], "topic": "users",
            "mysql.host": env["MYSQL_HOST"], "mysql.port": env["MYSQL_PORT"],
            "mysql.user": env["MYSQL_USER"], "mysql.database": env["MYSQL_DATABASE"],
            "mysql.password-file": os.path.join(run, "mysql.password"),
            "redis.host": env["REDIS_HOST"], "redis.port": env["REDIS_PORT"]}


def config_text(name, settings):
    """run/NAME.properties: what `make up` uses, and what you use to start one by hand."""
    out = subprocess.run([program_of(name), "--help-all"], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    known = out.stdout.decode("utf-8", "replace")
    return "# Written by `make up`; changes are lost.\n" + "".join(
        "%s=%s\n" % item for item in settings.items() if "--%s " % item[0] in known)


def program_of(name):
    return os.path.join(bin_dir(), name)


def is_old(pid, name):
    """Whether a running process is not what lies in build/bin now."""
    try:
        return not filecmp.cmp("/proc/%d/exe" % pid, program_of(name), shallow=False)
    except OSError:
        return False


def _start(daemon, run, env, ports, say):
    """Starts one program unless it runs as it is built and set now."""
    option, default, key = PROGRAMS[daemon.name]
    config = os.path.join(run, daemon.name + ".properties")
    pid, old = daemon.pid(), env.get(key, "").rpartition(":")[2]

    def text(port):
        return config_text(daemon.name, dict(options(run, env),
                                             **{option: "127.0.0.1:%s" % port}))
    if pid and old:
        why = "it was built anew" if is_old(pid, daemon.name) else \
            "its settings changed" if not same_text(config, text(old)) else ""
        if not why:
            return
        say("%-12s starts over: %s" % (daemon.name, why))
    daemon.stop(seconds=35)
    port = ports.again(int(old) if old.isdigit() else None) or ports.pick(default)
    env[key] = "http://127.0.0.1:%d" % port
    with open(config, "w") as f:
        f.write(text(port))
    verb = ["run"] if daemon.name == "wt-consumer" else []
    daemon.start([program_of(daemon.name)] + verb + ["--config", config], env=environ())


def same_text(path, text):
    try:
        with open(path) as f:
            return f.read() == text
    except OSError:
        return False


def up(run, env, private=False, say=print):
    """Starts both, and over what is not as it is built; returns whether both are ready. Tells and
    goes on when one is not."""
    ports, good, waiting = runenv.Ports(private), True, []
    for name, (_, _, key) in PROGRAMS.items():
        if not os.access(program_of(name), os.X_OK):
            say("%-6s %s is not built" % (name, program_of(name)))
            good = False
            continue
        daemon = Daemon(run, name)
        _start(daemon, run, env, ports, say)
        waiting.append((daemon, env[key]))
    runenv.save(run, env)
    deadline = time.monotonic() + 20
    for daemon, url in waiting:
        while daemon.pid() and not ready(url) and time.monotonic() < deadline:
            time.sleep(0.05)
        if daemon.pid() and ready(url):
            say("%-12s %s  pid %d" % (daemon.name, url, daemon.pid()))
        else:
            good = False
            say("%s is not ready\n%s" % (daemon.name, daemon.tail()))
    return good


def environ():
    """Ours without WT_*: the file that we wrote decides."""
    return {k: v for k, v in os.environ.items() if not k.startswith("WT_")}


def down(run, say=print):
    # The producer first: what it has taken the consumer can still write.
    for name in reversed(list(PROGRAMS)):
        how = Daemon(run, name).stop(seconds=30)
        if how:
            say("%-12s %s" % (name, how))


def lag(run):
    """`wt-consumer lag` as text, or why there is none."""
    program = program_of("wt-consumer")
    config = os.path.join(run, "wt-consumer.properties")
    if not os.access(program, os.X_OK):
        return "lag: wt-consumer is not built"
    if not os.path.exists(config):
        return "lag: wt-consumer was never started here"
    out = subprocess.run([program, "lag", "--config", config], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30, env=environ())
    return out.stdout.decode("utf-8", "replace").rstrip()
