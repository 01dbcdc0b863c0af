"""wt-ingest on a real broker: counted by end offsets, read back, killed and resumed."""
import csv
import io
import json
import os
import pty
import random
import subprocess
import sys
import time
import uuid

import pytest
from confluent_kafka import Consumer, TopicPartition

from programs import Program, run

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PARTITIONS = 6


class Topic:
    """A topic of this test's own, made by the program itself."""

    def __init__(self, brokers):
        self.brokers = brokers
        self.name = "ingest-" + uuid.uuid4().hex[:8]
        self.options = {"kafka.brokers": brokers, "create-topic": PARTITIONS}

    def to(self):
        return "kafka:" + self.name

    def _consumer(self):
        return Consumer({"bootstrap.servers": self.brokers, "group.id": "x-" + uuid.uuid4().hex,
                         "isolation.level": "read_committed", "enable.partition.eof": True,
                         "auto.offset.reset": "earliest"})

    def count(self):
        """By the brokers' own end offsets."""
        c = self._consumer()
        try:
            return sum(c.get_watermark_offsets(TopicPartition(self.name, p), timeout=20)[1]
                       for p in range(PARTITIONS))
        finally:
            c.close()

    def messages(self):
        """All committed messages: [(partition, key, value)], in partition order."""
        c = self._consumer()
        c.assign([TopicPartition(self.name, p, 0) for p in range(PARTITIONS)])
        found, ended = [], set()
        deadline = time.monotonic() + 60
        while len(ended) < PARTITIONS:
            assert time.monotonic() < deadline, "topic %s cannot be read to its end" % self.name
            for m in c.consume(10000, 1):
                if m.error():
                    ended.add(m.partition())
                else:
                    found.append((m.partition(), m.key(), m.value()))
        c.close()
        return found

    def values(self):
        return [value for _, _, value in self.messages()]


@pytest.fixture
def topic(servers):
    return Topic(servers.env["KAFKA_BROKERS"])


def ok(*words, options):
    done = run("wt-ingest", *words, options=options)
    assert done.returncode == 0, done.stderr
    return done


def numbered_lines(path, count, width=60):
    path.write_bytes(b"".join(b"%d %s\n" % (i, b"x" * (i % width)) for i in range(count)))
    return path.read_bytes().split(b"\n")[:-1]


def test_every_sink_gets_every_record(topic, tmp_path):
    files = {kind: str(tmp_path / ("rows." + kind)) for kind in ("json", "csv", "avro", "parquet")}
    ok("generate", options={**topic.options, "count": 20000, "seed": 7, "key": "player_id",
                            "to": [topic.to()] + ["%s:%s" % f for f in files.items()]})
    rows = [json.loads(line) for line in open(files["json"])]
    assert len(rows) == 20000 and len({r["id"] for r in rows}) == 20000
    assert topic.count() == 20000
    assert sorted(json.loads(v)["id"] for v in topic.values()) == [r["id"] for r in rows]
    assert len(open(files["csv"]).readlines()) == 20001
    assert not list(tmp_path.glob("*.part"))


def test_same_key_keeps_its_order_and_its_partition(topic):
    ok("generate", options={**topic.options, "shape": "users", "keys": 50, "count": 30000,
                            "seed": 1, "start-id": 0, "to": topic.to()})
    again = Topic(topic.brokers)
    ok("generate", options={**again.options, "shape": "users", "keys": 50, "count": 30000,
                            "seed": 1, "start-id": 0, "workers": 3, "to": again.to()})
    assert topic.messages().sort() == again.messages().sort()
    per_key = {}
    for partition, key, value in topic.messages():
        assert json.loads(value)["id"].encode() == key
        per_key.setdefault(key, set()).add(partition)
    assert len(per_key) == 50 and all(len(p) == 1 for p in per_key.values())


def test_keys_are_in_the_partition_that_java_chooses(topic, tmp_path):
    keys = [b"%s-%d" % (w, i) for w in (b"a", b"user", b"\xc3\xbc") for i in range(200)]
    lines = tmp_path / "keyed"
    lines.write_bytes(b"".join(k + b"\tv\n" for k in keys))
    ok("lines", str(lines), options={**topic.options, "key-separator": "\t", "to": topic.to()})
    other = Topic(topic.brokers)
    ok("lines", os.devnull, options={**other.options, "to": other.to()})
    subprocess.run(["kcat", "-b", topic.brokers, "-P", "-t", other.name, "-K", "\t", "-l",
                    str(lines), "-X", "topic.partitioner=murmur2"], check=True)
    ours = {key: partition for partition, key, _ in topic.messages()}
    theirs = {key: partition for partition, key, _ in other.messages()}
    assert ours == theirs and len(set(ours.values())) == PARTITIONS


def test_bytes_of_a_line_arrive_as_they_are(topic, tmp_path):
    hostile = [b"", b"\r", b"a\r", b"\x00\x01nul\x00", b"\xff\xfe not utf-8", b'"half a quote',
               b"x" * 999999, b"", b"last, without an end"]
    path = tmp_path / "hostile"
    path.write_bytes(b"\n".join(hostile))
    ok("lines", str(path), options={**topic.options, "to": topic.to()})
    assert sorted(topic.values()) == sorted(hostile)


def test_a_line_over_the_limit_is_split_cut_left_out_or_the_end(tmp_path):
    path = tmp_path / "long"
    path.write_bytes(b"before\n" + b"0123456789" * 300000 + b"\nafter\n")  # a 3 MB line
    out = tmp_path / "out"

    def lines(how, **more):
        done = run("wt-ingest", "lines", str(path), options={
            "to": "csv:%s" % out, "header": "false", "long-lines": how, **more})
        return done, out.read_bytes().split(b"\n")[:-1] if out.exists() else None

    _, split = lines("split")
    assert [len(x) for x in split] == [6, 1000000, 1000000, 1000000, 5]
    assert [len(x) for x in lines("truncate")[1]] == [6, 1000000, 5]
    assert lines("reject", **{"bad-rows": "skip"})[1] == [b"before", b"after"]
    out.unlink()
    done, none = lines("fail")
    assert done.returncode == 64 and ":2: line is longer" in done.stderr and none is None


def test_csv_rows_become_typed_json(topic, tmp_path):
    path = tmp_path / "users.csv"
    path.write_bytes(b"\xef\xbb\xbfid,name,age,score\r\n"
                     b'007,"Ada ""the"" first",36,1.5\r\n'
                     b'8,"two\nlines",,2e3\r\n'
                     b"9,,41,3")
    ok("csv", str(path), options={**topic.options, "key": "id", "to": topic.to()})
    rows = sorted((json.loads(v) for v in topic.values()), key=lambda r: r["id"])
    assert rows == [
        {"id": "007", "name": 'Ada "the" first', "age": 36, "score": 1.5},
        {"id": "8", "name": "two\nlines", "age": None, "score": 2e3},
        {"id": "9", "name": "", "age": 41, "score": 3}]


def test_a_bad_row_is_named_and_costs_one_row(tmp_path):
    path = tmp_path / "users.csv"
    path.write_text('id,age\n1,10\n2,"x\n3,30\n4,old\n5,50,6\n7,70\n')
    options = {"columns": "id:int,age:int", "to": "json:%s" % (tmp_path / "out")}
    done = run("wt-ingest", "csv", str(path), options=options)
    assert done.returncode == 64 and "users.csv:3: a quote is not closed" in done.stderr
    assert not (tmp_path / "out").exists()
    done = run("wt-ingest", "csv", str(path),
               options={**options, "rejects": str(tmp_path / "bad")})
    assert done.returncode == 0
    assert [json.loads(x)["id"] for x in open(str(tmp_path / "out"))] == [1, 3, 7]
    assert (tmp_path / "bad").read_text() == '2,"x\n4,old\n5,50,6\n'


@pytest.mark.parametrize("header, columns, words", [
    ("id,age", "id:string,agee:int", "the header has no column 'agee'"),
    ("id,id", None, "two columns are called 'id'"),
    ("id,age", "id=age:string", "two columns are called 'age'"),
])
def test_names_of_columns_that_cannot_be_meant(tmp_path, header, columns, words):
    (tmp_path / "in.csv").write_text(header + "\n1,2\n")
    done = run("wt-ingest", "csv", str(tmp_path / "in.csv"),
               options={"to": "json:-", **({"columns": columns} if columns else {})})
    assert (done.returncode, done.stdout) == (64, "") and words in done.stderr, done.stderr


def test_a_missing_topic_is_an_error_that_says_what_to_do(topic, tmp_path):
    del topic.options["create-topic"]
    done = run("wt-ingest", "lines", os.devnull, options={**topic.options, "to": topic.to()})
    assert done.returncode == 69 and "--create-topic" in done.stderr
    found = subprocess.run(["kcat", "-b", topic.brokers, "-L", "-J"], stdout=subprocess.PIPE)
    assert topic.name not in found.stdout.decode()


def test_a_sink_that_fails_leaves_no_file_that_looks_whole(tmp_path):
    done = run("wt-ingest", "generate", options={
        "count": 100000, "to": ["json:/dev/full", "csv:%s" % (tmp_path / "rows.csv")]})
    assert done.returncode == 74 and "No space left" in done.stderr
    assert not (tmp_path / "rows.csv").exists()


def test_compressed_files_and_patterns_are_read(tmp_path):
    parts = [b"a1\na2\n", b"b1\nb2", b"c1\n"]
    for name, data in zip(("1.log", "2.log", "3.log"), parts):
        (tmp_path / name).write_bytes(data)
    subprocess.run(["gzip", str(tmp_path / "2.log")], check=True)
    subprocess.run(["zstd", "-q", "--rm", str(tmp_path / "3.log")], check=True)
    out = tmp_path / "out"
    ok("lines", str(tmp_path / "*.log*"), options={"to": "csv:%s" % out, "header": "false"})
    assert out.read_bytes() == b"a1\na2\nb1\nb2\nc1\n"
    cut = (tmp_path / "2.log.gz").read_bytes()[:-9]
    (tmp_path / "2.log.gz").write_bytes(cut)
    done = run("wt-ingest", "lines", str(tmp_path / "2.log.gz"), options={"to": "csv:-"})
    assert done.returncode == 74 and "cut short" in done.stderr


def fed(words, data, dice, **options):
    """Standard input in random pieces, so that records are cut anywhere; what json:- says."""
    from programs import arguments, binary, clean_environ
    p = subprocess.Popen([binary("wt-ingest"), *words, *arguments({"to": "json:-", **options})],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=clean_environ())
    at = 0
    while at < len(data):
        piece = dice.choice((1, 7, 100, 5000))
        p.stdin.write(data[at:at + piece])
        p.stdin.flush()
        at += piece
    out = p.communicate()[0]
    assert p.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


@pytest.mark.parametrize("seed", range(4))
def test_csv_is_read_as_python_reads_it_in_any_pieces(seed):
    dice = random.Random(seed)
    made = io.StringIO()
    # Python leaves a lone CR unquoted and then reads it as a line end: quote all, or have none
    signs, quoting = dice.choice((('ab";\n\r\u00fc,', csv.QUOTE_ALL),
                                  ('ab";\n\u00fc,', csv.QUOTE_MINIMAL)))
    table = csv.writer(made, delimiter=";", quoting=quoting,
                       lineterminator=dice.choice(("\n", "\r\n")))
    table.writerow(["a", "b", "c"])
    for _ in range(3000):
        table.writerow(["".join(dice.choices(signs, k=dice.randrange(12)))
                        for _ in range(3)])
    text = made.getvalue()
    expected = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=";"))
    found = fed(["csv", "-"], text.encode(), dice, delimiter=";",
                columns="a:string,b:string,c:string", quiet="true")
    assert found == expected


@pytest.mark.parametrize("seed", range(3))
def test_lines_are_split_at_the_limit_in_any_pieces(seed):
    dice = random.Random(seed)
    lines = [b"".join(dice.choices((b"a", b"b", b'"', b"\\"), k=dice.choice((0, 1, 30, 99, 100, 101,
                                                                              200, 750))))
             for _ in range(400)]
    expected = []
    for line in lines:
        expected += [line[i:i + 100] for i in range(0, len(line), 100)] or [b""]
    found = fed(["lines", "-"], b"\n".join(lines) + b"\n", dice, **{
        "max-record-bytes": 100, "quiet": "true"})
    assert [row["line"].encode() for row in found] == expected


def test_a_file_that_becomes_shorter_is_not_taken_for_whole(tmp_path):
    path = tmp_path / "in"
    numbered_lines(path, 300000)
    p = Program("wt-ingest", "lines", str(path), log=str(tmp_path / "log"), options={
        "to": "json:%s" % (tmp_path / "out"), "rate": 20000})
    time.sleep(0.5)
    os.truncate(path, 1000)
    assert p.wait() == 74 and "became shorter" in p.text()
    assert not (tmp_path / "out").exists()


def test_a_yaml_file_with_the_fields_of_other_generators_is_understood(tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text("""
producer:
  message_count: 1000   # 0 for continuous mode
  workers: 2
  buffer_size: 10000
output:
  format: both
  csv: {path: %s/rows.csv}
  parquet: {path: %s/rows.parquet, compression: zstd}
kafka:
  enabled: false
""" % (tmp_path, tmp_path))
    ok(options={"config": config})
    assert len((tmp_path / "rows.csv").read_text().splitlines()) == 1001
    assert (tmp_path / "rows.parquet").read_bytes()[-4:] == b"PAR1"
    config.write_text('{"producer": {"mesage_count": 3}}')
    (tmp_path / "config.json").write_text(config.read_text())
    done = run("wt-ingest", options={"config": tmp_path / "config.json"})
    assert done.returncode == 64 and "config.json:1: unknown field 'producer.mesage_count'" \
        in done.stderr


def test_a_person_without_arguments_is_asked(topic, tmp_path):
    path = tmp_path / "app.log"
    path.write_bytes(b"1\n2\n")
    ok("lines", os.devnull, options={**topic.options, "to": topic.to()})
    pid, terminal = pty.fork()
    if pid == 0:
        from programs import binary
        os.chdir(str(tmp_path))
        os.execve(binary("wt-ingest"), ["wt-ingest"],
                  {**os.environ, "WT_KAFKA_BROKERS": topic.brokers})
    os.write(terminal, ("\n%s\n%s\n\n" % (topic.name, path)).encode())
    shown = b""
    try:
        while True:
            shown += os.read(terminal, 4096)
    except OSError:  # the terminal is gone with the program
        pass
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0, shown.decode()
    assert b"Kafka topic (default:" in shown and b"2 records in" in shown
    assert sorted(topic.values()) == [b"1", b"2"]


def test_hostile_files_have_no_other_end_than_a_named_one():
    from programs import binary
    done = subprocess.run([os.path.join(ROOT, "tests", "fuzz", "ingest.py"), "1", "150",
                           binary("wt-ingest")], stdout=subprocess.PIPE, timeout=300)
    assert done.returncode == 0, done.stdout.decode()


READERS = ("pyarrow", "duckdb", "fastavro", "cramjam")


@pytest.fixture(scope="session")
def readers():
    """Readers that we did not write, from PyPI, in a folder of their own."""
    venv = os.path.join(ROOT, "build", "readers")
    python = os.path.join(venv, "bin", "python3")
    if not os.path.exists(os.path.join(venv, "complete")):
        subprocess.run([sys.executable, "-m", "venv", venv], check=True)
        subprocess.run([python, "-m", "pip", "-q", "install", *READERS], check=True)
        open(os.path.join(venv, "complete"), "w").close()
    return python


@pytest.mark.parametrize("codecs", ["parquet=none,avro=none", "parquet=snappy,avro=snappy",
                                    "parquet=gzip,avro=deflate", "parquet=zstd,avro=snappy"])
def test_other_readers_read_what_we_write(readers, tmp_path, codecs):
    template = tmp_path / "template"
    template.write_text(json.dumps({
        "id": "seq", "key": "key(k)", "n": "int(-5,5)?0.3", "d": "double(-1,1,3)?0.5",
        "b": "bool(0.2)?0.1", "job": "occupation?0.2", "c": "choice(a,b,\u00fc)", "text": "text(30)", "void": "int(1,1)?1",
        "big": "int(-9000000000000000000,9000000000000000000)", "same": "const(q\"uo)"}))
    for rows in (0, 1, 8, 9, 70001):
        base = str(tmp_path / str(rows))
        words = ["generate"]
        options = {"count": rows, "template": str(template)}
        if rows == 0:
            (tmp_path / "empty.csv").write_text("a,b\n")
            words, options = ["csv", str(tmp_path / "empty.csv")], {}
        ok(*words, options={**options, "row-group": 20000, "compression": codecs, "to": [
            "%s:%s.%s" % (kind, base, kind) for kind in ("json", "avro", "parquet")]})
        done = subprocess.run([readers, os.path.join(ROOT, "tests", "lib", "columnar.py"), base],
                              stderr=subprocess.PIPE)
        assert done.returncode == 0, done.stderr.decode()
