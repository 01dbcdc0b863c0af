"""The log as an operator reads it: the story of a backlog, no flood, no payload."""
import re

import requests

from programs import wait_until

SECRET = "s3cr3t-payload"


def user(n):
    return "u%d" % n, {"id": "u%d" % n, "name": SECRET, "age": 36, "occupation": "engineer"}


def status(consumer):
    return requests.get(consumer.url + "/status", timeout=5).json()


def test_the_log_tells_the_story_of_a_backlog(world):
    consumer = world.consumer()
    lock = world._mysql()
    lock.cursor().execute("LOCK TABLES users WRITE")
    world.produce([user(n) for n in range(3000)])
    wait_until(lambda: "event=backlog " in consumer.text(), 30)
    lock.close()
    world.produce([("bad%d" % n, SECRET + " %d" % n) for n in range(300)] + [user(1)])
    wait_until(lambda: status(consumer)["total"]["lag"] == 0, 60)
    wait_until(lambda: "event=backlog_drained" in consumer.text() and
               "event=dead_letters" in consumer.text(), 30)
    assert consumer.stop() == 0
    text = consumer.text()
    events = re.findall(r"event=(\w+)", text)
    story = ["started", "assigned", "workers", "partition_running", "backlog", "backlog_drained",
             "draining", "drained"]
    assert [e for e in story if e in events] == story
    assert [events.index(e) for e in story] == sorted(events.index(e) for e in story)
    drained = re.search(r"event=backlog_drained records=(\d+) .*peak=(\d+)", text)
    assert int(drained.group(1)) >= 3000 and int(drained.group(2)) >= 3000
    assert sum(int(n) for n in re.findall(r"event=dead_letters new=(\d+)", text)) == 300
    assert events.count("dead_letter") < 30  # one a second
    assert SECRET not in text
    assert len(text.splitlines()) < 90
