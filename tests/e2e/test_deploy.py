"""deploy/: every expression of rules and dashboard is asked of a real Prometheus that scrapes a real
consumer. Grafana itself is not there: its dashboard is checked by its expressions and its layout."""
import json
import os
import re
import shutil
import socket
import subprocess

import pytest
import requests
import yaml

from programs import ROOT, wait_until

PROMETHEUS = os.path.join(ROOT, "deploy", "prometheus")
# No such event in a short test: the expression must be understood, and may be empty.
MAY_BE_EMPTY = ("writethrough_moved_total", "writethrough_store_errors_total", "ALERTS")


def user(n):
    return "u%d" % n, {"id": "u%d" % n, "name": "Ada", "age": 36, "occupation": "engineer"}


def dashboard():
    with open(os.path.join(ROOT, "deploy", "grafana", "writethrough.json"), encoding="utf-8") as f:
        return json.load(f)


def expressions():
    """(where, expression) of everything that Grafana would ask."""
    board = dashboard()
    found = [(p["title"], t["expr"]) for p in board["panels"] for t in p["targets"]]
    found += [(a["name"], a["expr"]) for a in board["annotations"]["list"]]
    return [(where, e.replace("$__rate_interval", "20s").replace("$group", ".*")
             .replace("$topic", ".*")) for where, e in found]


def rules():
    with open(os.path.join(PROMETHEUS, "alerts.yml"), encoding="utf-8") as f:
        return [r for g in yaml.safe_load(f)["groups"] for r in g["rules"]]


def promtool(*words):
    done = subprocess.run(["promtool", *words], cwd=PROMETHEUS, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    assert done.returncode == 0, done.stdout


def test_promtool_accepts_configuration_and_rules():
    promtool("check", "config", "prometheus.yml")
    promtool("check", "config", "compose.yml")
    promtool("check", "rules", "alerts.yml")
    promtool("test", "rules", "alerts_test.yml")


def test_every_alert_is_seen_to_fire():
    with open(os.path.join(PROMETHEUS, "alerts_test.yml"), encoding="utf-8") as f:
        fired = {a["alertname"] for t in yaml.safe_load(f)["tests"] for a in t["alert_rule_test"]
                 if a["exp_alerts"]}
    assert fired == {rule["alert"] for rule in rules()}


def test_panels_do_not_overlap_and_have_their_own_id():
    panels = dashboard()["panels"]
    assert len({p["id"] for p in panels}) == len(panels)
    cells = set()
    for p in panels:
        g = p["gridPos"]
        assert g["x"] + g["w"] <= 24
        own = {(x, y) for x in range(g["x"], g["x"] + g["w"]) for y in range(g["y"], g["y"] + g["h"])}
        assert not cells & own, p["title"]
        cells |= own


@pytest.fixture
def prometheus(world, tmp_path):
    consumer = world.consumer()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    config = tmp_path / "prometheus.yml"
    config.write_text(yaml.safe_dump({
        "global": {"scrape_interval": "1s"},
        "scrape_configs": [{"job_name": "writethrough-consumer", "static_configs": [
            {"targets": [consumer.url[len("http://"):]]}]}]}), encoding="utf-8")
    with open(tmp_path / "prometheus.log", "wb") as log:
        child = subprocess.Popen(
            [shutil.which("prometheus"), "--config.file=%s" % config,
             "--storage.tsdb.path=%s" % (tmp_path / "tsdb"),
             "--web.listen-address=127.0.0.1:%d" % port], stdout=log, stderr=log)
    yield "http://127.0.0.1:%d" % port
    child.terminate()
    child.wait(20)


def test_every_expression_has_an_answer(world, prometheus):
    def ask(expression):
        answer = requests.get(prometheus + "/api/v1/query", params={"query": expression}, timeout=5)
        assert answer.status_code == 200, (expression, answer.text)
        return answer.json()["data"]["result"]

    def up():
        try:
            return ask("up == 1")
        except requests.RequestException:
            return False
    wait_until(up, 30, "the first scrape", every=0.2)
    sent = 0

    def fed():
        """Records good and bad, until Prometheus has rates of both."""
        nonlocal sent
        world.produce([user(n) for n in range(sent, sent + 40)] + [("bad", "no json")])
        sent += 40
        return ask("sum(rate(writethrough_records_applied_total[20s])) > 0 and "
                   "sum(rate(writethrough_records_deadlettered_total[20s])) > 0 and "
                   "sum(increase(writethrough_rebalances_total[1h])) >= 0")
    wait_until(fed, 40, "rates", every=0.5)
    for where, expression in expressions():
        if "> 0" in expression:  # an annotation: its left side must be there
            expression = expression.split(" > 0")[0]
        found = ask(expression)
        assert found or any(word in expression for word in MAY_BE_EMPTY), (where, expression)
    for rule in rules():
        ask(rule["expr"])  # understood; whether it fires is alerts_test.yml
        names = set(re.findall(r"writethrough_\w+", rule["expr"]))
        for name in names - set(MAY_BE_EMPTY):
            assert ask(name), (rule["alert"], name)
