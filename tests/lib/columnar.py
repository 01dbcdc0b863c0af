"""Reads BASE.parquet with pyarrow and duckdb and BASE.avro with fastavro: both must hold the rows
of BASE.json, and the statistics must be true. Run by tests/e2e/test_ingest.py."""
import json
import sys

import duckdb
import fastavro
import pyarrow.parquet

base = sys.argv[1]
with open(base + ".json", encoding="utf-8") as f:
    rows = [json.loads(line) for line in f]


def same(name, found):
    assert len(found) == len(rows), "%s: %d rows, not %d" % (name, len(found), len(rows))
    for i, (a, b) in enumerate(zip(found, rows)):
        assert a == b, "%s, row %d: %r, not %r" % (name, i, a, b)


same("pyarrow", pyarrow.parquet.read_table(base + ".parquet").to_pylist())
answer = duckdb.sql("SELECT * FROM '%s.parquet'" % base)
same("duckdb", [dict(zip(answer.columns, row)) for row in answer.fetchall()])
with open(base + ".avro", "rb") as f:
    same("fastavro", list(fastavro.reader(f)))

meta = pyarrow.parquet.read_metadata(base + ".parquet")
at = 0
for g in range(meta.num_row_groups):
    group = meta.row_group(g)
    part = rows[at:at + group.num_rows]
    at += group.num_rows
    for c in range(meta.num_columns):
        column = group.column(c)
        values = [r[column.path_in_schema] for r in part]
        present = [v for v in values if v is not None]
        stats = column.statistics
        assert stats.null_count == len(values) - len(present), column.path_in_schema
        if stats.has_min_max:
            key = (lambda v: v.encode()) if isinstance(present[0], str) else None
            assert (stats.min, stats.max) == (min(present, key=key), max(present, key=key))
assert at == len(rows) and meta.num_rows == len(rows)
