"""wt-ingest and files that give trouble: hostile inputs, full disks, killed runs, --append."""
import json
import os
import random
import signal
import subprocess
import time

import pytest
from programs import Program, arguments, binary, clean_environ, run
from test_ingest import ROOT, numbered_lines, ok, readers, topic  # noqa: F401 (fixtures)

KINDS = ("json", "csv", "avro", "parquet")


def sinks(base, kinds=KINDS):
    return ["%s:%s.%s" % (kind, base, kind) for kind in kinds]


def left_in(folder):
    return sorted(p.name for p in folder.iterdir())


def check_columnar(readers, base):  # noqa: F811
    done = subprocess.run([readers, os.path.join(ROOT, "tests", "lib", "columnar.py"), base],
                          stderr=subprocess.PIPE)
    assert done.returncode == 0, done.stderr.decode()


def kill_ten_times(words, options, tmp_path, seed):
    """The same command, ten times killed, then left alone."""
    dice = random.Random(seed)
    for i in range(10):
        p = Program("wt-ingest", *words, options=options, log=str(tmp_path / "killed.log"))
        time.sleep(dice.uniform(0.05, 0.6))
        assert p.running(), "it ended before it was killed: " + p.text()
        p.kill()
    return ok(*words, options={k: v for k, v in options.items() if k != "rate"})


@pytest.mark.parametrize("seed", [21, 22])
def test_every_kind_of_file_survives_ten_kills(readers, tmp_path, seed):  # noqa: F811
    template = tmp_path / "template"
    template.write_text(json.dumps({"id": "seq", "n": "int(-5,5)?0.3", "t": "text(20)?0.1",
                                    "b": "bool(0.5)", "same": "const(x)"}))
    base, plain = str(tmp_path / "rows"), str(tmp_path / "plain")
    options = {"seed": seed, "start-id": 0, "count": 120000, "template": str(template)}
    ok("generate", options={**options, "to": sinks(plain, ("json", "csv"))})
    kill_ten_times(["generate"], {
        **options, "to": sinks(base), "checkpoint": str(tmp_path / "ckpt"), "rate": 12000,
        "checkpoint.interval-ms": 100, "row-group": 3000}, tmp_path, seed)
    for kind in ("json", "csv"):
        assert open("%s.%s" % (base, kind)).read() == open("%s.%s" % (plain, kind)).read()
    check_columnar(readers, base)
    assert not [name for name in left_in(tmp_path) if name.endswith(".part")]


def test_a_parquet_file_that_was_whole_before_its_checkpoint_said_so_is_finished_again(
        readers, tmp_path):  # noqa: F811
    base = str(tmp_path / "rows")
    options = {"seed": 3, "start-id": 0, "count": 5000, "to": sinks(base),
               "checkpoint": str(tmp_path / "ckpt")}
    p = Program("wt-ingest", "generate", log=str(tmp_path / "log"),
                options={**options, "rate": 2000, "checkpoint.interval-ms": 20})
    time.sleep(1)
    p.kill()
    # as a kill between the two renames and the checkpoint's last word leaves it
    os.rename(base + ".parquet.part", base + ".parquet")
    ok("generate", options=options)
    check_columnar(readers, base)
    again = ok("generate", options=options)
    assert "already_complete" in again.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_full_device_ends_the_run_whatever_is_written(tmp_path, kind):
    done = run("wt-ingest", "generate", options={
        "count": 100000, "to": ["%s:/dev/full" % kind, "csv:%s" % (tmp_path / "rows.csv")]})
    assert done.returncode == 74 and "No space left" in done.stderr, done.stderr
    assert not (tmp_path / "rows.csv").exists()


def test_a_full_disk_in_the_middle_is_continued_when_there_is_room(readers, tmp_path):  # noqa: F811
    disk, base = tmp_path / "disk", str(tmp_path / "disk" / "rows")
    disk.mkdir()
    command = [binary("wt-ingest"), "generate", *arguments({
        "count": 60000, "seed": 9, "start-id": 0, "to": sinks(base), "row-group": 5000,
        "checkpoint": str(tmp_path / "ckpt"), "checkpoint.interval-ms": 20, "rate": 150000})]
    script = ("mount -t tmpfs -o size=64m none %s && head -c 56M /dev/zero >%s/filler && "
              "{ \"$@\"; echo first=$?; rm %s/filler; \"$@\"; echo second=$?; cp %s/* %s; }"
              % (disk, disk, disk, disk, tmp_path))
    namespace = ["unshare", "-m"] if os.geteuid() == 0 else ["unshare", "-rm"]
    done = subprocess.run([*namespace, "sh", "-c", script, "sh", *command],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          env=clean_environ())
    assert "first=74" in done.stdout and "No space left" in done.stdout, done.stdout
    assert "second=0" in done.stdout, done.stdout
    with open(tmp_path / "rows.json") as f:
        assert [json.loads(line)["id"] for line in f] == list(range(60000))
    check_columnar(readers, str(tmp_path / "rows"))


def test_a_run_that_ends_within_a_chunk_writes_what_it_counted(tmp_path):
    """Workers make the text of whole chunks; the limit, or a bad row, cuts the last one."""
    lines, rows = tmp_path / "log", tmp_path / "rows.csv"
    lines.write_text("".join("line %d\n" % i for i in range(9000)))
    rows.write_text("id,n\n" + "".join("u%d,%d\n" % (i, i) for i in range(7000)) + "u,bad\n")
    ok("lines", str(lines), options={"count": 7001, "to": sinks(tmp_path / "l", ("json", "csv"))})
    got = [json.loads(line)["line"] for line in open(tmp_path / "l.json")]
    assert got == ["line %d" % i for i in range(7001)]
    assert len(open(tmp_path / "l.csv").readlines()) == 7001 + 1
    done = run("wt-ingest", "csv", str(rows), options={
        "columns": "id:string,n:int", "checkpoint": str(tmp_path / "ckpt"),
        "to": sinks(tmp_path / "r", ("json", "csv"))})
    assert "rows.csv:7002:" in done.stderr
    assert len(open(tmp_path / "r.json.part").readlines()) == 7000
    assert open(tmp_path / "r.csv.part").read().splitlines()[-1] == "u6999,6999"


def test_an_empty_file_is_no_records_and_no_error(tmp_path):
    (tmp_path / "in").write_bytes(b"")
    for words, options in ((["lines"], {}), (["csv"], {"columns": "a,b", "header": "false"})):
        ok(*words, str(tmp_path / "in"), options={
            **options, "to": ["json:%s" % (tmp_path / "out"), "parquet:%s" % (tmp_path / "p")]})
        assert (tmp_path / "out").read_bytes() == b""
        assert (tmp_path / "p").read_bytes()[-4:] == b"PAR1"


def test_a_directory_and_a_file_without_rights_are_named(tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"a,b\n1,2\n")
    secret.chmod(0)
    unprivileged = [] if os.geteuid() else [
        "setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    for word in ("lines", "csv"):
        for path, why in ((tmp_path, "directory"), (secret, "Permission denied")):
            done = subprocess.run(
                [*unprivileged, binary("wt-ingest"), word, str(path), "--to=json:-"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=clean_environ())
            assert done.returncode in (64, 74) and why in done.stderr, (word, why, done.stderr)
            assert str(path) in done.stderr and done.stdout == ""


def test_a_file_that_is_rotated_while_it_is_read_is_read_to_its_own_end(tmp_path):
    path = tmp_path / "app.log"
    numbered_lines(path, 60000)
    whole = path.read_bytes()
    p = Program("wt-ingest", "lines", str(path), log=str(tmp_path / "log"), options={
        "to": "csv:%s" % (tmp_path / "out"), "header": "false", "rate": 30000})
    time.sleep(0.5)
    assert p.running()
    os.rename(path, tmp_path / "app.log.1")
    path.write_bytes(b"another file\n")
    assert p.wait() == 0, p.text()
    assert (tmp_path / "out").read_bytes() == whole


def test_rows_of_hostile_bytes_are_told_apart(tmp_path):
    path = tmp_path / "in.csv"
    path.write_bytes(b'id,t\n1,a\x00b\n2,\xff\xfe\n3,"half\n4,\xc3\xbc\n5,"a""b"\n6,"open at the end')
    done = ok("csv", str(path), options={"columns": "id:int,t:string", "bad-rows": "skip",
                                         "to": "json:%s" % (tmp_path / "out")})
    rows = [json.loads(line) for line in open(tmp_path / "out", encoding="utf-8")]
    assert rows == [{"id": 1, "t": "a\0b"}, {"id": 4, "t": "\u00fc"}, {"id": 5, "t": 'a"b'}]
    for line, why in ((3, "UTF-8"), (4, "closing quote"), (7, "not closed")):
        assert any("line=%d " % line in said and why in said
                   for said in done.stderr.splitlines()), (line, done.stderr)


def test_a_refused_row_is_left_as_it_was_and_makes_no_other(tmp_path):
    rows = [b'1,"a""b",3\n', b'2,"x""\ny"z\n', b'"","a"""x,"1\n', b'3,"p""\n""q"\n', b'x,y\n']
    (tmp_path / "in.csv").write_bytes(b"id,t\n" + b"".join(rows))
    done = ok("csv", str(tmp_path / "in.csv"), options={
        "columns": "id:int,t:string", "to": "json:%s" % (tmp_path / "out"),
        "rejects": str(tmp_path / "rejects")})
    assert [json.loads(line) for line in open(tmp_path / "out")] == [{"id": 3, "t": 'p"\n"q'}]
    assert (tmp_path / "rejects").read_bytes() == b"".join(rows[:3] + rows[4:])
    lines = [int(said.split(" line=")[1].split()[0]) for said in done.stderr.splitlines()
             if "row_left_out" in said]
    assert lines == [2, 3, 4, 5, 8]


def test_append_adds_rows_once_and_a_failed_run_takes_them_back(readers, tmp_path):  # noqa: F811
    base = str(tmp_path / "rows")
    options = {"shape": "users", "seed": 1, "to": sinks(base, KINDS[:3])}
    ok("generate", options={**options, "count": 100})
    ok("generate", options={**options, "count": 50, "append": "true"})
    with open(base + ".csv") as f:
        assert [line for line in f.read().splitlines() if line.startswith("id,")] == \
            ["id,name,age,occupation"]
    before = {kind: open("%s.%s" % (base, kind), "rb").read() for kind in KINDS[:3]}
    done = run("wt-ingest", "generate", options={
        **options, "to": options["to"] + ["json:/dev/full"], "count": 50000, "append": "true"})
    assert done.returncode == 74
    assert before == {kind: open("%s.%s" % (base, kind), "rb").read() for kind in KINDS[:3]}
    with open(base + ".json") as f:
        rows = [json.loads(line) for line in f]
    assert len(rows) == 150 and before["csv"].count(b"\n") == 151
    script = "import fastavro,json,sys; json.dump(list(fastavro.reader(open(sys.argv[1],'rb'))), " \
             "sys.stdout)"
    read = subprocess.run([readers, "-c", script, base + ".avro"], stdout=subprocess.PIPE)
    assert json.loads(read.stdout) == rows


def test_append_begins_a_line_and_refuses_what_it_cannot_continue(tmp_path):
    out = tmp_path / "out"
    out.write_bytes(b'{"a":1}')
    (tmp_path / "in").write_bytes(b"x\n")
    ok("lines", str(tmp_path / "in"), options={"to": "json:%s" % out, "append": "true"})
    assert out.read_bytes() == b'{"a":1}\n{"line":"x"}\n'
    (tmp_path / "p").write_bytes(b"precious")
    done = run("wt-ingest", "generate", options={
        "count": 1, "to": "parquet:%s" % (tmp_path / "p"), "append": "true"})
    assert done.returncode == 64 and "footer" in done.stderr
    ok("generate", options={"count": 1, "shape": "users", "to": "avro:%s" % (tmp_path / "a")})
    done = run("wt-ingest", "generate", options={
        "count": 1, "to": "avro:%s" % (tmp_path / "a"), "append": "true"})
    assert done.returncode == 64 and "other columns" in done.stderr
    assert (tmp_path / "p").read_bytes() == b"precious"


@pytest.mark.parametrize("words", [["csv", os.devnull], ["generate"]])
def test_what_cannot_be_followed_says_so(words):
    done = run("wt-ingest", *words, options={"follow": "true", "to": "json:-", "count": 1})
    assert done.returncode == 64 and "only lines are followed" in done.stderr


@pytest.mark.parametrize("mode", ["async", "sync", "opaque"])
def test_three_ways_to_learn_of_an_acknowledgement(topic, mode):  # noqa: F811
    done = ok("bench-produce", options={
        **topic.options, "topic": topic.name, "mode": mode, "count": 300, "linger-ms": 1})
    assert "mode %s, linger 1 ms: 300 messages acknowledged" % mode in done.stdout
    assert "total time" in done.stdout and "average" in done.stdout
    assert ("average time to the acknowledgement" in done.stdout) == (mode != "async")
    assert topic.count() == 300


def test_a_stopped_run_without_a_checkpoint_leaves_no_half_file(tmp_path):
    p = Program("wt-ingest", "generate", log=str(tmp_path / "log"), options={
        "count": 1000000, "rate": 10000, "to": sinks(str(tmp_path / "rows"))})
    time.sleep(0.6)
    p.signal(signal.SIGTERM)
    assert p.wait() == 75
    assert left_in(tmp_path) == ["log"]


def peak_of(words, options, block, times):
    """KiB, read when all of the input but a pipe's length was taken."""
    p = subprocess.Popen([binary("wt-ingest"), *words, "-", *arguments(options)],
                         stdin=subprocess.PIPE, env=clean_environ(), stderr=subprocess.DEVNULL)
    for _ in range(times):
        p.stdin.write(block)
    p.stdin.flush()
    with open("/proc/%d/status" % p.pid, encoding="ascii") as f:
        peak = [int(line.split()[1]) for line in f if line.startswith("VmHWM:")][0]
    p.stdin.close()
    assert p.wait() == 0
    return peak


LIMIT_KIB = 64 << 10
MEASURED = pytest.mark.skipif(any(v in os.environ.get("WT_BIN", "") for v in ("asan", "tsan")),
                              reason="the heap of a sanitizer build is another one")


@pytest.mark.parametrize("words", [["lines"], ["csv"]])
@MEASURED
def test_memory_does_not_grow_with_the_file(words):
    block = b"2026-11-21T13:14:15,app,request 1234567 was served\n" * 20000  # 1 MB
    options = {"columns": "t,a,r", "header": "false", "to": [
        "json:/dev/null", "csv:/dev/null", "avro:/dev/null"]}
    small, large = (peak_of(words, options, block, times) for times in (20, 250))
    assert large < LIMIT_KIB and large < small + 3000, (small, large)


@MEASURED
def test_memory_to_kafka_is_the_queue_that_was_asked_for_and_no_more(topic):  # noqa: F811
    block = b"2026-11-21T13:14:15,app,request 1234567 was served\n" * 20000
    options = {**topic.options, "to": topic.to(), "kafka.queue.buffering.max.messages": 20000}
    small, large = (peak_of(["lines"], options, block, times) for times in (15, 60))
    assert large < LIMIT_KIB and large < small + 6000, (small, large)
    assert topic.count() == 75 * 20000
