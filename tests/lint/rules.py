"""The rules that need no tool. A rule takes the files' names and yields (file:line, finding);
its docstring is its name."""
import os
import re

LIMITS = {".c": 400, ".h": 120, ".py": 400, "": 400}
TEST_LIMIT = 600
FUNCTION_LIMIT = 60
PROGRAMS = ("producer", "consumer", "loadgen")
# consumer/NAME -> what it must not know.
NEVER = {"consumer/pipeline": ("consumer/pool", "consumer/watch"),
         "consumer/failure": ("consumer/pool", "consumer/watch")}


def lines_of(name):
    with open(name, encoding="utf-8", errors="replace") as f:
        return f.read().splitlines()


def is_c(name):
    return name.endswith((".c", ".h", ".def"))


def product(names):
    return [n for n in names if is_c(n) and n.split("/")[0] in PROGRAMS + ("common",)]


def arrows(names):
    """common includes common, a program itself and common, a pipeline no pool and no watch"""
    for name in product(names):
        area = name.split("/")[0]
        allowed = ("common",) if area == "common" else ("common", area)
        never = next((v for k, v in NEVER.items() if name.startswith(k + "/")), ())
        for number, line in enumerate(lines_of(name), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found or "/" not in found[1] or found[1].startswith("gen/"):
                continue
            if found[1].split("/")[0] not in allowed:
                yield "%s:%d" % (name, number), "%s may not include %s" % (area, found[1])
            if found[1].startswith(tuple(n + "/" for n in never)):
                yield "%s:%d" % (name, number), "may not include %s" % found[1]


def mysql_errors(names):
    """only consumer/pipeline and consumer/failure name a MySQL error"""
    for name in product(names):
        if name.startswith(("consumer/pipeline/", "consumer/failure/")):
            continue
        for number, line in enumerate(lines_of(name), 1):
            found = re.search(r"\b(ER_[A-Z]+_[A-Z_]+|CR_[A-Z]+_[A-Z_]+|mysqld_error\.h)\b", line)
            if found:
                yield "%s:%d" % (name, number), "names %s; ask the verdict table" % found[1]


def file_sizes(names):
    """a file fits in a sitting, a header on two screens"""
    for name in names:
        base = os.path.basename(name)
        kind = os.path.splitext(base)[1]
        if kind == "" and not name.startswith(("stack/", "tests/", ".ci/")):
            continue
        limit = LIMITS.get(kind)
        if limit and name.startswith("tests/"):
            limit = TEST_LIMIT
        size = len(lines_of(name)) if limit else 0
        if limit and size > limit:
            yield "%s:%d" % (name, size), "%d lines, at most %d" % (size, limit)


def function_sizes(names):
    """a function fits on a screen"""
    for name in names:
        if not name.endswith((".c", ".h")):
            continue
        start = None
        for number, line in enumerate(lines_of(name), 1):
            if line == "{":
                start = number
            elif line == "}" and start:
                if number - start - 1 > FUNCTION_LIMIT:
                    yield "%s:%d" % (name, start), "function of %d lines, at most %d" % (
                        number - start - 1, FUNCTION_LIMIT)
                start = None


def file_names(names):
    """a file's name says what is in it"""
    for name in names:
        base = os.path.basename(name)
        if re.match(r"(utils?|misc|helpers?)([._]|$)", base) or base == "types.h":
            yield "%s:1" % name, "name it after what it does"


def headers(names):
    """a header opens with its contract and guards itself"""
    for name in names:
        if not name.endswith(".h"):
            continue
        lines = lines_of(name)
        if not lines or not lines[0].startswith("/*"):
            yield "%s:1" % name, "the opening comment is missing"
        if not any(line.startswith("#ifndef ") for line in lines):
            yield "%s:1" % name, "the include guard is missing"


def forbidden_code(names):
    """no typedef'd struct, no exit() below main, no unbounded string function"""
    for name in product(names):
        for number, line in enumerate(lines_of(name), 1):
            where = "%s:%d" % (name, number)
            code = re.sub(r'"(\\.|[^"\\])*"|/\*.*?\*/', "", line)
            if re.match(r"\s*(\*|/\*)", line):
                continue
            if re.search(r"\btypedef\s+(struct|union)\b", code):
                yield where, "typedef hides a struct"
            if re.search(r"(?<![_\w])exit\s*\(", code) and os.path.basename(name) != "main.c":
                yield where, "only main may exit"
            if re.search(r"\b(strcpy|strcat|sprintf|vsprintf|gets|strtok)\s*\(", code):
                yield where, "unbounded or stateful string function"


def machine_names(names):
    """nothing names the machine where it was written"""
    place = re.compile(r"(?<![\w.}~-])/(h[o]me|r[o]ot|w[o]rk|U[s]ers)/\w")
    for name in names:
        if name.endswith((".png", ".gz", ".avro", ".parquet")):
            continue
        for number, line in enumerate(lines_of(name), 1):
            found = place.search(line)
            if found:
                yield "%s:%d" % (name, number), "a path of one machine: %s" % found[0]


def test_names(names):
    """a component test that starts or asks a server says so: "needs: mysql" """
    for name in names:
        if not re.match(r"tests/component/test_\w+\.c$", name):
            continue
        text = "\n".join(lines_of(name))
        if re.search(r"mariadbd|redis-server|MYSQL_HOST|REDIS_HOST|KAFKA_BROKERS", text) and \
                "needs: " not in text and "tests/lib/servers.h" not in text:
            yield "%s:1" % name, 'say in the opening comment what it needs ("needs: mysql redis")'


ALL = [arrows, mysql_errors, file_sizes, function_sizes, file_names, headers, forbidden_code,
       machine_names, test_names]
