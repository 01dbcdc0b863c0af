"""What the ratios of a short run were when they were looked at last: tests/bench/baseline.json.

A short run on a machine of which one knows nothing tells little: only a ratio that has become
more than twice as bad, again and again, has fallen. And none on a machine that has many times more
to do than cores: there a rival that waits looks fast, and six connections to MySQL spin."""
import json
import os

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(HERE, "baseline.json")
TRIES, TOO_BUSY = 3, 4


def load():
    """Empty on a machine that is too busy to judge."""
    if os.getloadavg()[0] > TOO_BUSY * os.cpu_count():
        return {}
    with open(PATH, encoding="utf-8") as f:
        return json.load(f)


def judged(row):
    """Only ratios with a direction; a machine's own figures are no business of this."""
    return row.goal and row.of == "ratio" and not row.goal.startswith("~") and row.ratios()


def write(rows):
    kept = {row.name: round(row.ratios()[0], 4) for row in rows if judged(row)}
    with open(PATH, "w", encoding="utf-8") as f:
        json.dump(kept, f, indent=1, sort_keys=True)
        f.write("\n")


def fallen(rows, base):
    """Names of the rows whose best ratio is worse than half of what it was."""
    bad = []
    for row in rows:
        if judged(row) and row.name in base:
            ratios, was = row.ratios(), base[row.name]
            if (ratios[2] < was / 2) if row.goal.startswith(">=") else (ratios[1] > was * 2):
                bad.append("%s: %.3g, was %.3g" % (row.name, ratios[0], was))
    return bad


def again(rows, measure):
    """The rows with the runs of another measurement of the same part added."""
    more = {row.name: row for row in measure()}
    for row in rows:
        if row.name in more:
            row.runs += more[row.name].runs
            row.broken = more[row.name].broken
    return rows
