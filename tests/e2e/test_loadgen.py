"""wt-loadgen from outside: exit codes, scenarios, reports; against a target that is made up."""
import csv
import json
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(ROOT, "tests", "lib"))

from fake_target import FakeTarget  # noqa: E402
from programs import binary  # noqa: E402

LOADGEN = binary("wt-loadgen")
SCENARIOS = sorted(name[:-5] for name in os.listdir(os.path.join(ROOT, "loadgen", "scenarios")))


@pytest.fixture
def target():
    made = FakeTarget()
    yield made
    made.close()


def run(*args, code=0, timeout=60):
    done = subprocess.run([LOADGEN, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=timeout)
    assert done.returncode == code, (done.returncode, done.stdout, done.stderr)
    return done


def load(target, *args, lag=True, **kwargs):
    lag = ["--lag.url", target.url] if lag else []
    return run("--url", target.url + "/write-through", "--quiet", *lag, *args, **kwargs)


def test_a_target_that_is_not_there_is_69_and_named():
    done = run("--url", "http://127.0.0.1:1/x", code=69)
    assert "127.0.0.1:1" in done.stderr and "refused" in done.stderr


def test_a_lag_source_that_is_not_there_is_69_and_named(target):
    done = run("--url", target.url, "--lag.url", "http://127.0.0.1:1", code=69)
    assert "lag.url" in done.stderr


@pytest.mark.parametrize("args", [
    ["--stages", "10"], ["--stages", ""], ["--url", "ftp://x"], ["--threshold", "speed<1"],
    ["--scenario", "nosuch"], ["--body", "{{nosuch}}"], ["--header", "no colon"], ["word"],
    ["--connections", "0"], ["--body", "{{string:1048576}}" * 65], ["--body.file", "/nosuch"], ["--nosuch", "1"],
    ["--lag.url", "http://127.0.0.1:1", "--lag.group", "g"]])
def test_a_wrong_option_is_64_and_named(args):
    assert run(*args, code=64).stderr.startswith("wt-loadgen: ")


def test_an_unwritable_report_is_74(target):
    done = load(target, "--stages", "100ms:10", "--report.json", "/nosuch/r.json", code=74)
    assert "/nosuch/r.json" in done.stderr


def test_every_acknowledged_id_is_in_the_file_with_its_place(target, tmp_path):
    ids, report = tmp_path / "ids", tmp_path / "r.json"
    load(target, "--stages", "1s:100,0s", "--ids.file", ids, "--report.json", report,
         "--key.prefix", "k")
    lines = [line.split("\t") for line in ids.read_text().splitlines()]
    assert sorted(int(line[2]) for line in lines) == list(range(100))
    assert {line[0] for line in lines} == {"k%d" % i for i in range(100)}
    sent = {json.loads(body)["id"] for body in target.bodies}
    assert sent == {line[0] for line in lines}
    requests = json.loads(report.read_text())["requests"]
    assert (requests["due"], requests["acknowledged"], requests["distinct_keys"]) == (100, 100, 100)


def test_the_same_seed_sends_the_same_records(tmp_path):
    seen = []
    for seed in "5", "5", "6":
        target = FakeTarget()
        load(target, "--stages", "200ms:100", "--seed", seed, "--key.prefix", "k", "--keys", "10",
             lag=False)
        seen.append(sorted(target.bodies))
        target.close()
    assert seen[0] == seen[1] != seen[2]


def test_all_reports_tell_the_same_story(target, tmp_path):
    paths = {kind: tmp_path / ("r." + kind) for kind in ("json", "csv", "hdr", "html")}
    load(target, "--stages", "1s:50-150,1500ms:150,0s",
         *[word for kind, path in paths.items() for word in ("--report." + kind, str(path))])
    report = json.loads(paths["json"].read_text())
    assert report["schema"] == "wt-loadgen/1"
    assert report["result"]["ended"] == "complete" and report["result"]["exit_code"] == 0
    assert report["requests"]["due"] == 325
    assert report["lag"]["drained"] is True and report["lag"]["drain_seconds"] >= 0
    assert report["account"] == {"deadlettered": None, "lost": 0, "pending": 0, "checked": None}
    assert all(t["holds"] for t in report["thresholds"])
    rows = list(csv.DictReader(paths["csv"].open()))
    assert sum(int(row["ok"]) for row in rows) == sum(row["ok"] for row in report["series"]) == 325
    assert [r for r in rows[0] if r.startswith("lag_")] == ["lag_seconds", "lag_0"]
    hdr = paths["hdr"].read_text()
    assert re.search(r"Total count\s+=\s+325\]", hdr)
    page = paths["html"].read_text()
    data = json.loads(re.search(r"const RUNS = (\[.*\]);\n", page).group(1))
    assert data[0]["requests"] == report["requests"]
    assert not re.search(r"(src|href)=|url\(|@import|https?://(?!127\.|www\.w3\.org)", page)


def test_a_script_in_a_url_stays_text(target, tmp_path):
    path = tmp_path / "r.html"
    run("--url", target.url + "/</script><script>alert(1)</script>", "--quiet", "--stages",
        "100ms:10", "--report.html", path)
    assert "</script><script>alert" not in path.read_text()


def test_an_error_is_99_unless_a_threshold_allows_it(target):
    target.status = 503
    assert "HTTP 503: 10" in load(target, "--stages", "100ms:100", lag=False, code=99).stdout
    load(target, "--stages", "100ms:100", "--threshold", "error_rate<=1", lag=False)


def test_the_dropped_are_errors_in_every_report(tmp_path):
    target, report = FakeTarget(stall=(0, 1)), tmp_path / "r.json"
    done = run("--url", target.url + "/x", "--method", "GET", "--quiet", "--stages", "500ms:100",
               "--connections", "1", "--backlog", "5", "--report.json", report, code=99)
    found = json.loads(report.read_text())
    dropped = found["requests"]["dropped"]
    assert dropped > 30 and found["errors"]["total"] == dropped
    assert re.search(r"errors +%d \(.* dropped %d\n" % (dropped, dropped), done.stdout)
    assert re.search(r"errors +%d\n" % dropped, run("compare", report).stdout)
    target.close()


def test_lag_that_stays_is_75_and_pending(target, tmp_path):
    target.rate = 1e-9
    report = tmp_path / "r.json"
    load(target, "--stages", "200ms:100,0s", "--drain.timeout-ms", "500", "--report.json", report,
         code=75)
    found = json.loads(report.read_text())
    assert (found["account"]["lost"], found["account"]["pending"]) == (0, 20)
    assert found["lag"]["drain_seconds"] is None


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_105_with_a_report(target, tmp_path, signum):
    report = tmp_path / "r.json"
    process = subprocess.Popen([LOADGEN, "--url", target.url, "--quiet", "--stages", "60s:50",
                                "--report.json", report], stdout=subprocess.DEVNULL)
    time.sleep(1)
    process.send_signal(signum)
    assert process.wait(timeout=10) == 105
    found = json.loads(report.read_text())
    assert found["result"]["ended"] == "stopped" and found["result"]["signal"] == signum
    assert found["requests"]["acknowledged"] > 10


def test_a_signal_between_rounds_is_105_with_the_report_of_those_before(tmp_path):
    """No loop runs while the consumer is asked for its workers."""
    target, report, scenario = FakeTarget(), tmp_path / "r.json", tmp_path / "s.json"
    ask, asked = target.ask, threading.Event()

    def slow(request, headers):
        if request["count"] == 2:
            asked.set()
            time.sleep(1)
        return ask(request, headers)
    target.ask = slow
    scenario.write_text(json.dumps({"stages": "200ms:100,0s",
                                    "rounds": [{"workers": n} for n in (1, 2, 3)]}))
    process = subprocess.Popen([LOADGEN, "--url", target.url, "--lag.url", target.url, "--quiet",
                                "--scenario", scenario, "--report.json", report],
                               stdout=subprocess.DEVNULL)
    assert asked.wait(20)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 105
    found = json.loads(report.read_text())
    assert found["requests"]["acknowledged"] == 20 and target.asked == [1, 2]
    target.close()


def test_what_fails_after_the_load_does_not_cost_its_report(target, tmp_path):
    paths = {kind: tmp_path / ("r." + kind) for kind in ("json", "csv", "hdr", "html")}
    done = load(target, "--stages", "200ms:100,0s", "--ids.file", "/dev/full",
                *[word for kind, path in paths.items() for word in ("--report." + kind, path)],
                code=74)
    assert "ids.file" in done.stderr and "acknowledged 20" in done.stdout
    found = json.loads(paths["json"].read_text())
    assert found["requests"]["acknowledged"] == 20 and found["result"]["exit_code"] == 74
    assert found["account"]["checked"] is None
    assert all(path.stat().st_size for path in paths.values())


def test_a_pause_of_ours_is_no_error_of_the_server(tmp_path):
    """While it stood still the server closed all that was idle: no request is sent into that."""
    target, report = FakeTarget(idle=1.2), tmp_path / "r.json"
    process = subprocess.Popen([LOADGEN, "--url", target.url, "--quiet", "--stages", "6s:50",
                                "--connections", "16", "--report.json", report],
                               stdout=subprocess.DEVNULL)
    time.sleep(0.8)
    process.send_signal(signal.SIGSTOP)
    time.sleep(3)
    process.send_signal(signal.SIGCONT)
    assert process.wait(timeout=20) == 0
    found = json.loads(report.read_text())
    assert found["requests"]["acknowledged"] == 300 and found["requests"]["connects"] > 20
    assert found["times_ms"]["response"]["max"] > 2000
    target.close()


def test_a_stall_shows_in_our_p99_and_not_in_a_closed_loop(tmp_path):
    """The server stands still for two of six seconds. A third of all users waits; a tool that
    sends the next request when the last was answered (ab) asks four times in that time."""
    target, report = FakeTarget(stall=(1, 2)), tmp_path / "r.json"
    run("--url", target.url + "/x", "--method", "GET", "--quiet", "--stages", "6s:200",
        "--report.json", report)
    times = json.loads(report.read_text())["times_ms"]["response"]
    target.close()
    assert times["p75"] > 400 and times["p99"] > 1700
    target, shares = FakeTarget(stall=(1, 2)), tmp_path / "ab.csv"
    subprocess.run(["ab", "-q", "-c", "4", "-t", "6", "-e", shares, target.url + "/x"],
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=30, check=True)
    target.close()
    count = len(target.paths)
    by_share = {row["Percentage served"]: float(row["Time in ms"])
                for row in csv.DictReader(shares.open())}
    assert count > 500 and by_share["100"] > 1500, "the closed loop met the stall"
    assert by_share["99"] < times["p99"] / 3, "and its p99 says nothing of it"


def test_plain_lines_without_a_terminal(target):
    done = run("--url", target.url, "--lag.url", target.url, "--stages", "2200ms:20,0s")
    lines = done.stderr.splitlines()
    assert len(lines) >= 2 and all("target" in line and "lag 0" in line for line in lines)
    assert "\033" not in done.stderr


def test_any_http_target_gets_method_headers_and_fields(target):
    run("--url", target.url + "/message?n={{seq}}&c={{choice:a}}", "--method", "GET", "--quiet",
        "--stages", "100ms:50", "--header", "X-Key: {{key}}")
    assert sorted(target.paths) == ["/message?n=%d&c=a" % i for i in range(5)]


def test_a_target_that_names_no_offsets_is_loaded_without_an_account(target, tmp_path):
    """As GET /message does, which answers a text: lost is not known, and not called 0."""
    report = tmp_path / "r.json"
    options = ["--url", target.url + "/message", "--method", "GET", "--quiet", "--lag.url",
               target.url, "--report.json", report]
    done = run(*options, "--scenario", "smoke", "--speedup", "10")
    found = json.loads(report.read_text())
    assert found["account"]["lost"] is None and found["lag"]["drained"]
    assert found["requests"]["without_position"] == found["requests"]["acknowledged"] > 0
    assert "not judged: answers name no offset" in done.stdout
    run(*options, "--stages", "100ms:50", "--threshold", "lost==0", code=99)


def test_an_answer_to_head_has_no_body_whatever_it_says(target):
    run("--url", target.url + "/x", "--method", "HEAD", "--quiet", "--stages", "200ms:50",
        "--timeout-ms", "1s")
    assert target.paths == ["/x"] * 10


def parsed(stages):
    """[(seconds, from, to)] of "10s:10,60s:10-1000,0s"."""
    made = []
    for stage in stages.split(","):
        length, _, rates = stage.partition(":")
        number, unit = re.fullmatch(r"([\d.]+)(ms|s|m|h)", length).groups()
        low, _, high = (rates or "0").partition("-")
        made.append((float(number) * {"ms": 1e-3, "s": 1, "m": 60, "h": 3600}[unit], float(low),
                     float(high or low)))
    return made


def test_the_nine_scenarios_are_there():
    assert set(SCENARIOS) == {"smoke", "ramp", "baseline", "pool", "surge", "workers", "spike",
                              "soak", "saturate"}
    assert run("--print-scenario").stdout.split() == SCENARIOS


@pytest.mark.parametrize("name", [n for n in SCENARIOS if n != "saturate"])
def test_every_scenario_runs_and_its_report_is_right(name, tmp_path):
    """At a speed-up that makes it about two seconds long; figures against our own arithmetic."""
    target = FakeTarget(rate=1e6)
    file = json.loads(run("--print-scenario", "--scenario", name).stdout)
    stages = parsed(file["stages"])
    speedup = sum(seconds for seconds, _, _ in stages) / 2
    due = math.ceil(sum(seconds * (a + b) / 2 for seconds, a, b in stages) / speedup - 1e-6)
    report, page = tmp_path / "r.json", tmp_path / "r.html"
    load(target, "--scenario", name, "--speedup", repr(speedup), "--report.json", report,
         "--report.html", page, "--drain.timeout-ms", "20s",
         "--threshold", "lag_max<1e9", "--threshold", "drain_seconds<20")
    found = json.loads(report.read_text())
    runs = found.get("runs", [found])
    asked = [r["workers"] for r in file.get("rounds", [])] or [file.get("workers")]
    assert [r["run"]["workers"] for r in runs] == asked
    assert target.asked == [workers for workers in asked if workers]
    for r in runs:
        assert r["run"]["scenario"] == name and r["result"]["ended"] == "complete"
        assert r["result"]["exit_code"] == 0
        if file.get("arrivals") == "poisson":
            assert r["run"]["arrivals"] == "poisson"
            assert abs(r["requests"]["due"] - due) < 5 * due ** .5
        else:
            assert r["requests"]["due"] == due
        assert r["requests"]["acknowledged"] == r["requests"]["due"] and not r["errors"]["total"]
        assert r["times_ms"]["response"]["count"] == r["requests"]["due"]
        assert sum(row["ok"] for row in r["series"]) == r["requests"]["due"]
        assert r["lag"]["drained"] and r["lag"]["end"] == 0 and r["account"]["lost"] == 0
        named = {t["name"] for t in r["thresholds"]}
        assert named >= {re.match(r"\w+", t)[0] for t in file["thresholds"]}
        assert all(t["holds"] for t in r["thresholds"])
    data = json.loads(re.search(r"const RUNS = (\[.*\]);\n", page.read_text()).group(1))
    assert [r["requests"] for r in data] == [r["requests"] for r in runs]
    target.close()


def test_the_scenario_saturate_ends_with_a_knee(tmp_path):
    # what holds half a second: lag under a second at 300 applied a second is about 900/s
    target, report = FakeTarget(rate=300), tmp_path / "r.json"
    done = load(target, "--scenario", "saturate", "--speedup", "20", "--report.json", report)
    found = json.loads(report.read_text())
    search, runs = found["search"], found["runs"]
    assert len(search["steps"]) == len(runs) >= 3
    assert all(r["run"]["scenario"] == "saturate" for r in runs)
    good = [s["rate"] for s in search["steps"] if s["holds"]]
    bad = [s["rate"] for s in search["steps"] if not s["holds"]]
    assert search["holds"] == max(good) < search["too_much"] == min(bad)
    assert search["too_much"] <= 1.06 * search["holds"] + 1
    assert "knee             %.0f/s holds" % search["holds"] in done.stdout
    target.close()


def test_saturate_finds_the_knee(tmp_path):
    # one worker applies 100/s: at 100/s and more the lag grows without end
    target = FakeTarget(rate=100)
    scenario = tmp_path / "s.json"
    scenario.write_text(json.dumps({"search": {
        "from": 40, "to": 500, "factor": 2, "hold": "1s", "lag_seconds": 0.2,
        "precision": 0.3}}))
    report = tmp_path / "r.json"
    done = load(target, "--scenario", str(scenario), "--workers", "1", "--report.json", report)
    assert target.asked == [1]
    found = json.loads(report.read_text())["search"]
    assert 80 <= found["holds"] <= 140 and found["too_much"] > found["holds"]
    assert "knee" in done.stdout
    target.close()


def test_a_search_ends_when_nothing_lies_between(tmp_path):
    """Of neighbouring rates that differ by more than the precision there is none to try."""
    target = FakeTarget(rate=20)
    scenario, report = tmp_path / "s.json", tmp_path / "r.json"
    scenario.write_text(json.dumps({"search": {
        "from": 26, "to": 40, "factor": 1.5, "hold": "500ms", "lag_seconds": 0.3,
        "precision": 0.001}}))
    load(target, "--scenario", scenario, "--lag.interval-ms", "50", "--report.json", report,
         timeout=30)
    found = json.loads(report.read_text())["search"]
    assert found["holds"] + 1 == found["too_much"]
    target.close()


def test_rounds_end_when_the_consumer_refuses(tmp_path):
    target = FakeTarget(token="secret")
    args = ["--scenario", "workers", "--speedup", "600"]
    assert "403" in load(target, *args, code=77).stderr
    token = tmp_path / "token"
    token.write_text("secret\n")
    load(target, *args, "--lag.token-file", token)
    assert target.asked == [1, 2, 3, 6]
    target.close()


def test_every_round_writes_ids_of_its_own_and_all_are_in_the_file(target, tmp_path):
    """An id of the round before is in the stores already: it would pass for applied."""
    scenario, ids = tmp_path / "s.json", tmp_path / "ids"
    scenario.write_text(json.dumps({"stages": "200ms:100,0s",
                                    "rounds": [{"workers": 1}, {"workers": 2}]}))
    load(target, "--scenario", scenario, "--ids.file", ids, "--key.prefix", "k")
    sent = [json.loads(body)["id"] for body in target.bodies]
    assert sorted(sent) == sorted("k%d" % i for i in range(40))
    assert sorted(line.split("\t")[0] for line in ids.read_text().splitlines()) == sorted(sent)
    load(target, "--stages", "100ms:100,0s", "--ids.file", ids)
    assert len(ids.read_text().splitlines()) == 10, "another call begins the file anew"


def test_a_single_run_goes_on_without_the_workers(target):
    target.token = "secret"
    done = load(target, "--workers", "3", "--stages", "200ms:50,0s")
    assert "the workers stay as they are" in done.stderr


@pytest.mark.parametrize("text", [
    "[]", "{", '{"stages":5}', '{"stages":"1s:1","speed":1}', "{}", '{"stages":"nonsense"}',
    '{"stages":"1s:1","rounds":[{"workers":0}]}', '{"stages":"1s:1","thresholds":"x"}',
    '{"search":{"from":1}}', '{"stages":"1s:1","stages":"1s:1"}',
    '{"stages":"1s:1","rounds":[{"workers":4294967297}]}'])
def test_a_bad_scenario_is_64(tmp_path, text):
    path = tmp_path / "s.json"
    path.write_text(text)
    run("--scenario", path, code=64)


@pytest.mark.parametrize("name, value", [
    ("connections", 4294967296), ("connections", 0), ("keys", 10**14), ("workers", 1001)])
def test_a_scenario_keeps_to_the_bounds_of_the_options(target, tmp_path, name, value):
    path = tmp_path / "s.json"
    path.write_text(json.dumps({"stages": "100ms:10", name: value}))
    done = load(target, "--scenario", path, code=64)
    assert name in done.stderr and str(value) in done.stderr and str(path) in done.stderr
    load(target, "--scenario", path, "--" + name, "1")  # what is set goes before it


def test_a_command_that_is_no_utf8_is_reported_as_far_as_it_is(target, tmp_path):
    report = tmp_path / "r.json"
    load(target, b"--key.prefix=k\xff", "--stages", "100ms:50,0s", "--report.json", report)
    found = json.loads(report.read_text())
    assert found["run"]["key_prefix"] == "k?" and "--key.prefix=k?" in found["run"]["command"]
    assert found["requests"]["acknowledged"] == 5


def test_compare_puts_runs_side_by_side(target, tmp_path):
    paths = [str(tmp_path / name) for name in ("a.json", "b.json")]
    for path in paths:
        load(target, "--stages", "200ms:50,0s", "--report.json", path)
    page = tmp_path / "c.html"
    out = run("compare", *paths, "--report.html", str(page)).stdout
    assert re.search(r"acknowledged +10 +10\n", out)
    assert page.read_text().count("wt-loadgen/1") == 2
    run("compare", code=64)
    run("compare", __file__, code=64)


def test_lag_nobody_knows_is_never_zero(target, tmp_path):
    target.look = lambda: {"partitions": [{"partition": 0, "lag": None}]}
    report = tmp_path / "r.json"
    done = load(target, "--stages", "200ms:50,0s", "--drain.timeout-ms", "300", "--report.json",
                report, code=99)
    found = json.loads(report.read_text())
    assert found["lag"]["max"] is None and found["account"]["lost"] is None
    assert "n/a" in done.stdout
