"""The dashboard in a real browser, on a real consumer."""
import gzip
import os
import shutil
import time

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from programs import wait_until

FILES = ["/", "/app.js", "/charts.js", "/style.css", "/icon.svg", "/chart.min.js"]


def user(n):
    return "u%d" % n, {"id": "u%d" % n, "name": "Ada", "age": 36, "occupation": "engineer"}


@pytest.fixture(scope="module")
def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                 "--window-size=1400,1000", "--enable-precise-memory-info"):
        options.add_argument(word)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    yield driver
    driver.quit()


class Page:
    def __init__(self, driver, url, dark=False, width=1400, height=1000):
        self.driver = driver
        driver.get_log("browser")
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}]})
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600})
        driver.get(url + "/")
        self.wait(lambda: self.text("link-text") == "live", "live")

    def text(self, name):
        # textContent: what is scrolled out of sight counts too.
        return self.driver.find_element(By.ID, name).get_property("textContent").replace(
            "\u202f", " ")

    def script(self, text):
        return self.driver.execute_script(text)

    def wait(self, condition, what, timeout=15):
        return wait_until(condition, timeout, what, every=0.1)

    def complaints(self):
        """Errors of scripts and of the Content-Security-Policy."""
        return [e["message"] for e in self.driver.get_log("browser")
                if e["level"] in ("SEVERE", "WARNING") and "ERR_CONNECTION" not in e["message"]
                and "ERR_INCOMPLETE" not in e["message"]]


def number(text):
    return int(text.replace(" ", ""))


def test_the_page_is_small_and_asks_nobody_else(world):
    consumer = world.consumer()
    sent = whole = 0
    for path in FILES:
        answer = requests.get(consumer.url + path, stream=True, timeout=5)
        raw = answer.raw.read()
        sent += len(raw)
        text = gzip.decompress(raw).decode()
        whole += len(text)
        assert "https://" not in text or path == "/chart.min.js"
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Encoding"] == "gzip"
        assert answer.headers["Vary"] == "Accept-Encoding"
        for refusal in ("identity", "gzip;q=0", "br, gzip; q=0"):
            plain = requests.get(consumer.url + path, stream=True, timeout=5,
                                 headers={"Accept-Encoding": refusal})
            assert "Content-Encoding" not in plain.headers
            assert plain.raw.read().decode() == text
        assert "default-src 'none'" in policy and "unsafe" not in policy
    print("sent %d bytes, unpacked %d" % (sent, whole))
    assert whole < 300 * 1024


def test_the_page_shows_what_status_says(world, chromium):
    consumer = world.consumer()
    page = Page(chromium, consumer.url)
    world.produce([user(n) for n in range(300)] + [("bad", "no json")])
    world.wait_drained()
    ours = wait_until(lambda: (lambda s: s if s["total"]["end"] == 301 and s["total"]["lag"] == 0
                               else None)(requests.get(consumer.url + "/status").json()))
    page.wait(lambda: page.script("return lastStatus.time_ms") > ours["time_ms"],
              "the page follows")
    assert (page.text("lag"), page.text("dead")) == ("0", "1")
    assert page.text("health-title") == ours["health"]["title"]
    assert page.text("eta") == "now"
    assert page.text("workers").startswith(str(ours["workers"]["count"]))
    # In one go: a row whose figures change is replaced.
    rows = page.script("""return [...document.querySelectorAll('#partitions tbody tr')]
        .map(row => [...row.children].map(cell => cell.textContent))""")
    assert len(rows) == 6
    for cells, p in zip(rows, ours["partitions"]):
        assert cells[0] == str(p["partition"])
        assert cells[1] == "worker %d" % p["worker"]
        assert cells[2].startswith(p["state"])
        assert cells[3] == ("0" if p["lag"] == 0 else "n/a")
    assert "not_json" in page.text("letters") or ours["deadletters"]["recent"][0]["reason"] \
        in page.text("letters")
    assert page.script("return Object.values(Chart.instances).every("
                       "c => c.data.datasets[0].data.length > 1)")
    assert page.complaints() == []


def test_a_backlog_is_seen_and_its_end(world, chromium):
    lock = world._mysql()
    consumer = world.consumer()
    page = Page(chromium, consumer.url)
    world.produce([user(n) for n in range(20)])
    world.wait_drained()
    lock.cursor().execute("LOCK TABLES users WRITE")
    world.produce([user(n) for n in range(400)])
    page.wait(lambda: page.text("lag") != "n/a" and number(page.text("lag")) > 300, "a backlog")
    page.wait(lambda: page.script("return document.getElementById('hero').dataset.level")
              in ("warn", "bad"), "the colour says so", 20)
    assert page.text("behind") not in ("n/a", "0 s")
    lock.close()
    page.wait(lambda: page.text("lag") == "0", "drained", 60)
    assert page.complaints() == []


def test_a_lost_connection_is_said_and_mended(world, chromium):
    consumer = world.consumer()
    page = Page(chromium, consumer.url)
    listen = consumer.url[len("http://"):]
    consumer.kill()
    page.wait(lambda: page.text("link-text").startswith("Disconnected since"), "disconnected")
    assert page.script("return !document.getElementById('gone').hidden")
    assert page.script("return document.body.classList.contains('stale')")
    world.consumer({"status.listen": listen, "group.instance.id": "again"}, ready=False)
    page.wait(lambda: page.text("link-text") == "live", "live again", 40)
    assert page.script("return document.getElementById('gone').hidden")
    assert page.complaints() == []


def test_light_and_dark_and_a_telephone(world, chromium, tmp_path):
    consumer = world.consumer()
    ground = {}
    for dark in (False, True):
        for width in (390, 1400, 2560):
            page = Page(chromium, consumer.url, dark, width)
            ground[dark] = page.script("return getComputedStyle(document.body).backgroundColor")
            assert page.script("return document.documentElement.scrollWidth") <= width
            chromium.save_screenshot(os.path.join(str(tmp_path), "%s-%d.png" % (dark, width)))
    assert ground[False] != ground[True]
    before = page.script("return getComputedStyle(document.body).backgroundColor")
    chromium.find_element(By.ID, "theme").click()
    assert page.script("return getComputedStyle(document.body).backgroundColor") != before
    page.script("localStorage.clear()")


def test_the_keyboard_reaches_everything(world, chromium):
    consumer = world.consumer()
    page = Page(chromium, consumer.url)
    body = chromium.find_element(By.TAG_NAME, "body")
    body.send_keys(Keys.TAB)
    assert page.script("return document.activeElement.className") == "skip"
    reached = set()
    for _ in range(14):
        chromium.switch_to.active_element.send_keys(Keys.TAB)
        reached.add(page.script("const a = document.activeElement;"
                                "return a.id || a.dataset.minutes || a.type || a.className"))
    assert {"theme", "5", "15", "60", "count", "submit", "drain"} <= reached
    unnamed = page.script("""return [...document.querySelectorAll('canvas, button, input')]
        .filter(e => !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length)).length""")
    assert unnamed == 0


def test_the_buttons_ask_for_the_token(world, chromium, tmp_path):
    (tmp_path / "token").write_text("sesame\n", encoding="utf-8")
    consumer = world.consumer({"status.token-file": tmp_path / "token"})
    page = Page(chromium, consumer.url)

    def do_it(token):
        page.wait(lambda: chromium.find_element(By.ID, "ask").is_displayed(), "the question")
        field = chromium.find_element(By.ID, "token")
        field.clear()
        field.send_keys(token)
        chromium.find_element(By.ID, "ask-yes").click()
    chromium.find_element(By.ID, "count").send_keys("3")
    chromium.find_element(By.CSS_SELECTOR, "#control [type=submit]").click()
    do_it("wrong")
    page.wait(lambda: page.text("answer").startswith("401"), "refused")
    chromium.find_element(By.CSS_SELECTOR, "#control [type=submit]").click()
    do_it("sesame")
    page.wait(lambda: page.text("workers").startswith("3"), "three workers")
    chromium.find_element(By.ID, "drain").click()
    do_it("sesame")
    assert consumer.wait(30) == 0
    page.wait(lambda: page.text("link-text").startswith("Disconnected"), "it has gone")


def resident_mb(pid):
    with open("/proc/%d/statm" % pid, encoding="ascii") as f:
        return int(f.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def descendants(pid):
    children = []
    for task in os.listdir("/proc/%d/task" % pid):
        with open("/proc/%d/task/%s/children" % (pid, task), encoding="ascii") as f:
            children += [int(word) for word in f.read().split()]
    return children + [d for child in children for d in descendants(child)]


def test_page_and_process_hold_still_in_memory(world, chromium):
    """Ten minutes with WT_LONG=1, else twenty seconds: the page's heap and nodes, the browser's and
    the consumer's memory. An hour of history is 3,600 points in each."""
    consumer = world.consumer()
    page = Page(chromium, consumer.url)
    seconds = 600 if os.environ.get("WT_LONG") else 20

    def look():
        chromium.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
        return {"page heap": page.script("return performance.memory.usedJSHeapSize") / 1e6,
                "nodes": page.script("return document.getElementsByTagName('*').length"),
                "browser": sum(resident_mb(p) for p in descendants(chromium.service.process.pid)),
                "consumer": resident_mb(consumer.pid)}

    def load(seconds):
        end, sent = time.monotonic() + seconds, 0
        while time.monotonic() < end:
            world.produce([user(n) for n in range(50)])
            sent += 50
            time.sleep(0.5)
        return sent
    load(seconds / 10 + 5)
    before = look()
    for part in range(4):
        sent = load(seconds / 4)
        after = look()
        print("after %d s, %d records: " % (seconds / 4 * (part + 1), sent * (part + 1))
              + ", ".join("%s %.1f -> %.1f" % (name, before[name], after[name])
                          for name in before))
    assert after["page heap"] < before["page heap"] + 4
    assert after["nodes"] < before["nodes"] + 100
    assert after["browser"] < before["browser"] * 1.15 + 30
    assert after["consumer"] < before["consumer"] + 8
    assert page.complaints() == []
