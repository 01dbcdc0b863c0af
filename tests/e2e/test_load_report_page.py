"""wt-loadgen's HTML report in a real browser: light and dark, wide and on a phone."""
import json
import shutil
import threading

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from fake_target import FakeTarget
from programs import run, wait_until


@pytest.fixture(scope="module")
def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    yield driver
    driver.quit()


def show(driver, path, width=1280, dark=False):
    driver.get_log("browser")
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})
    driver.get("file://%s" % path)
    assert not driver.get_log("browser")
    text = driver.execute_script("return document.body.innerText").replace("\u202f", " ")
    assert "NaN" not in text and "undefined" not in text
    assert driver.execute_script("return document.documentElement.scrollWidth") <= width
    return text


@pytest.fixture(scope="module")
def reports(tmp_path_factory):
    """A run in which workers and rebalances changed; rounds; a search."""
    folder = tmp_path_factory.mktemp("reports")
    target = FakeTarget(rate=1e6)
    scenario = folder / "s.json"
    scenario.write_text(json.dumps({"search": {"from": 40, "to": 500, "factor": 2, "hold": "1s",
                                               "lag_seconds": 0.2, "precision": 0.5}}))

    def change():
        wait_until(lambda: target.end > 60, 60)
        target.workers = 3
        wait_until(lambda: target.end > 140, 60)
        target.rebalances += 1
    threading.Thread(target=change, daemon=True).start()
    for name, more in (("run", {"stages": "4s:50,0s"}),
                       ("rounds", {"scenario": "workers", "speedup": 300}),
                       ("search", {"scenario": scenario})):
        if name == "search":
            target.rate = 60
            target.workers = 1
        done = run("wt-loadgen", options={
            "url": target.url, "lag.url": target.url, "quiet": "true", "lag.interval-ms": 100,
            "report.html": folder / (name + ".html"), "report.json": folder / (name + ".json"),
            **more})
        assert done.returncode in (0, 99), done.stdout + done.stderr
    target.close()
    return folder


@pytest.mark.parametrize("width, dark", [(1280, False), (1280, True), (390, True)])
def test_the_page_shows_the_run_with_its_marks(chromium, reports, width, dark):
    text = show(chromium, reports / "run.html", width, dark)
    assert "All thresholds hold" in text and "200" in text
    for title in ("Request rate", "Response time", "Consumer lag", "Time by percentile",
                  "Thresholds", "How it was made"):
        assert title in text
    marks = chromium.execute_script(
        "return [...document.querySelectorAll('svg')].map(s => s.querySelectorAll("
        "'line[stroke=\"var(--warn)\"]').length)")
    assert marks.count(2) >= 5, "every chart over time has both marks"
    assert "workers 1 → 3" in text and "rebalance" in text


def test_rounds_stand_side_by_side_by_their_workers(chromium, reports):
    text = show(chromium, reports / "rounds.html")
    assert "4 load runs" in text and "D · workers, 6 workers" in text
    bars = chromium.execute_script(
        "return [...document.querySelectorAll('.three section')].map(s =>"
        " s.querySelectorAll('rect').length)")
    assert bars == [4, 4, 4], "lag, seconds and drain by the number of workers"


def test_a_search_shows_its_steps_and_the_knee(chromium, reports):
    text = show(chromium, reports / "search.html")
    found = json.loads((reports / "search.json").read_text())["search"]
    assert "The knee: %d/s holds" % found["holds"] in text
    assert text.count("too much") >= sum(not step["holds"] for step in found["steps"])


def test_compare_draws_files_of_both_kinds(chromium, reports, tmp_path):
    page = tmp_path / "c.html"
    done = run("wt-loadgen", "compare", str(reports / "run.json"), str(reports / "rounds.json"),
               options={"report.html": page})
    assert done.returncode == 0 and "E workers, 6" in done.stdout
    assert "5 load runs" in show(chromium, page, 390)
