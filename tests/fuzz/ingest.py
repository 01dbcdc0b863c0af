#!/usr/bin/python3
"""Feeds wt-ingest hostile files: tests/fuzz/ingest.py SEED ROUNDS [BINARY]

Any end but success, a named mistake (64) or a damaged file (74) is a finding, as is anything a
sanitizer says. Best with build/asan/bin/wt-ingest. The input of a finding is kept.
"""
import os
import random
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
ALPHABETS = (b'a,"\n\r\x00\xff', b'",\n', bytes(range(256)), b"1234567890.-e,\n",
             b'{}[]":,a\n -#&*!|>%@')
TEMPLATES = ("int(1,5)", "int(", "double(1,2,3)", "text(5)", "choice(a,,b)", "key(x)", "bool(2)",
             "?", "int(1,2)?9", "const", "seq(")


def arguments(dice, folder):
    """A command and the file it reads."""
    kind = dice.choice(("csv", "lines", "compressed", "template", "config.yaml", "config.json",
                        "config"))
    path = os.path.join(folder, kind)
    data = bytes(dice.choices(dice.choice(ALPHABETS), k=dice.randrange(3000)))
    if kind == "compressed":
        data = dice.choice((b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd")) + data
    if kind == "template":
        data = ('{"a":"%s%s","b":"seq"}' % (dice.choice(TEMPLATES),
                                            dice.choice(("", ")", "?0.5", "?", "?x")))).encode()
    with open(path, "wb") as f:
        f.write(data)
    sinks = ["--to=json:/dev/null", "--to=csv:/dev/null"] + [
        "--to=%s:%s" % (k, os.path.join(folder, "out." + k)) for k in ("avro", "parquet")]
    limit = "--max-record-bytes=%d" % dice.choice((16, 100, 5000))
    if kind == "csv":
        return path, ["csv", path, *sinks[:2], sinks[3], limit, "--bad-rows=skip",
                      "--header=" + dice.choice(("true", "false"))]
    if kind in ("lines", "compressed"):
        return path, ["lines", path, *sinks, limit, "--bad-rows=skip",
                      "--long-lines=" + dice.choice(("split", "truncate", "reject"))]
    option = "--template=" if kind == "template" else "--config="
    return path, ["generate", "--count=50", *sinks, option + path]


def main():
    seed, rounds = int(sys.argv[1]), int(sys.argv[2])
    program = sys.argv[3] if len(sys.argv) > 3 else os.path.join(ROOT, "build/bin/wt-ingest")
    dice = random.Random(seed)
    folder = tempfile.mkdtemp(prefix="wt-fuzz-")
    for number in range(rounds):
        path, words = arguments(dice, folder)
        done = subprocess.run([program, *words, "--quiet"], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=60)
        if done.returncode not in (0, 64, 74) or b"Sanitizer" in done.stderr \
                or b"runtime error" in done.stderr:
            print("seed %d, round %d: exit %d; %s %s\n%s" % (
                seed, number, done.returncode, program, " ".join(words),
                done.stderr[-2000:].decode(errors="replace")))
            return 1
    print("%d rounds, nothing found" % rounds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
