"""make demo: a load ramp through the whole pipeline, and the proof that nothing is missing."""
import json
import os
import secrets
import signal
import subprocess
import sys

from . import cli, pipeline, proof, runenv, servers
from .daemon import Daemon, Failed

STAGES = "5s:10,50s:10-1000,15s:1000,0s"


def spaced(number):
    return "?" if number is None else format(number, ",").replace(",", " ")


def load(run, env, prefix):
    """Runs wt-loadgen on the terminal; returns its report and its exit code."""
    report, ids = (os.path.join(run, "demo." + kind) for kind in ("json", "ids"))
    for path in (report, ids):
        if os.path.exists(path):
            os.unlink(path)
    code = subprocess.call(
        [os.path.join(pipeline.bin_dir(), "wt-loadgen"),
         "--url", env["PRODUCER_URL"] + "/write-through", "--lag.url", env["STATUS_URL"],
         "--stages", os.environ.get("DEMO_STAGES") or STAGES, "--key.prefix", prefix,
         "--report.json", report, "--ids.file", ids],
        stdin=subprocess.DEVNULL, env=pipeline.environ())
    if not os.path.exists(report) or not os.path.exists(ids):
        raise Failed("wt-loadgen ended with %d and left no report" % code)
    with open(report, encoding="utf-8") as f:
        return json.load(f), ids, code


def broker_lag(run):
    """The sum that `wt-consumer lag` asks the brokers for; None is unknown."""
    out = subprocess.run([os.path.join(pipeline.bin_dir(), "wt-consumer"), "lag", "--json",
                          "--config", os.path.join(run, "wt-consumer.properties")],
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, timeout=60,
                         env=pipeline.environ())
    try:
        answer = json.loads(out.stdout)
    except ValueError:
        return None
    return (answer.get("total") or {}).get("lag")


def prove(run, env, prefix, report, ids):
    """Prints the figures; returns what is wrong, a line each."""
    acked = proof.acknowledged(ids)
    mysql = proof.mysql_rows(env, prefix)
    redis = proof.redis_rows(env, set(acked) | set(mysql))
    requests, drain = report["requests"], (report["lag"] or {}).get("drain_seconds")
    lag = broker_lag(run)
    print("\nsent %s  acknowledged %s  in MySQL %s  in Redis %s  lag %s  drained %s after the "
          "last request" % (spaced(requests["sent"]), spaced(requests["acknowledged"]),
                            spaced(len(mysql)), spaced(len(redis)), spaced(lag),
                            "? s" if drain is None else "%.1f s" % drain))
    wrong = list(proof.differences(acked, mysql, redis))
    if not requests["sent"] == requests["acknowledged"] == len(acked):
        wrong.append("sent %d, acknowledged %d, their distinct ids %d: these must be one figure"
                     % (requests["sent"], requests["acknowledged"], len(acked)))
    for key in set(mysql) - set(acked):
        wrong.append("%s: in MySQL, never acknowledged" % key)
    if lag != 0:
        wrong.append("lag %s" % spaced(lag))
    code, said = proof.verb_text(os.path.join(pipeline.bin_dir(), "wt-consumer"), "verify",
                                 os.path.join(run, "wt-consumer.properties"))
    print("verify: %s" % (said.splitlines()[-1] if said else "exit %d" % code))
    if code and "unknown verb" not in said:  # a build without it proves without it
        wrong.append("wt-consumer verify ended with %d\n  %s"
                     % (code, said.replace("\n", "\n  ")))
    return wrong


def run_demo(run):
    with runenv.locked(run):
        was_up = any(Daemon(run, n).pid() for n in pipeline.PROGRAMS)
        try:
            env = servers.up(run, os.environ)
            if not pipeline.up(run, env):
                raise Failed("the pipeline is not up")
            prefix = "demo-%s-" % secrets.token_hex(4)
            print("\ndashboard: %s/   (while this runs)\n" % env["STATUS_URL"], flush=True)
            report, ids, code = load(run, env, prefix)
            wrong = prove(run, env, prefix, report, ids)
            if code:
                wrong.append("wt-loadgen ended with %d" % code)
        finally:
            if os.environ.get("KEEP") == "1" or was_up:
                print("still running; make status, make down")
            else:
                pipeline.down(run, say=lambda text: None)
                for server in servers.daemons(run):
                    server.stop()
    for line in wrong[:20]:
        print("  " + line)
    if len(wrong) > 20:
        print("  and %d more" % (len(wrong) - 20))
    print("NOT PROVEN: %d findings" % len(wrong) if wrong else
          "proven: every acknowledged record is in MySQL and in Redis, and they agree")
    return 1 if wrong else 0


def stop_politely(_number, _frame):
    raise KeyboardInterrupt


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):  # the second: its terminal was closed
        signal.signal(number, stop_politely)
    sys.stdout.reconfigure(line_buffering=True)
    cli.guard(lambda: run_demo(cli.run_dir()))
