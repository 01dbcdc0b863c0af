"""Full queues that run dry are filled again at once, whatever the version of librdkafka."""
import time

from programs import wait_until


def test_a_backlog_does_not_wait_for_the_fetching_thread(world):
    """Before 2.2 that thread sleeps for a second when it finds every queue full; with queues of
    2,000 and fetches of some 200 records for a partition that would be 13,000 records a second."""
    count = 120000
    world.produce([("u%d" % (n % 3000), {"id": "u%d" % (n % 3000), "name": "n", "age": n % 90,
                                         "occupation": "o"}) for n in range(count)])
    start = time.monotonic()
    world.consumer({"kafka.queued.min.messages": 2000, "kafka.fetch.message.max.bytes": 16384},
                   ready=False)
    wait_until(lambda: world.lag() == 0, 60)
    assert time.monotonic() - start < 6
    assert world.keys() == world.rows()
