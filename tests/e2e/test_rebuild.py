"""A Redis that lost its data, while records go on (docs/protocol: rebuild)."""
import threading

from programs import wait_until
from test_recovery import fence, produce_users
from world import PARTITIONS


def marks(world):
    return [world.redis.hget(fence(world, p), "rebuild") for p in range(PARTITIONS)]


def whole(world):
    """Every fence is there and carries no mark."""
    fences = [world.redis.hgetall(fence(world, p)) for p in range(PARTITIONS)]
    return all(f.get("next") and not f.get("rebuild") for f in fences)


def test_a_flushed_cache_is_noticed_said_and_mended_while_records_go_on(world):
    produce_users(world, 3000)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    wait_until(lambda: whole(world), 20)
    before = consumer.text().count("event=rebuild_started")
    stop = threading.Event()

    def more():
        start = 10000
        while not stop.is_set():
            produce_users(world, 50, start=start)
            start += 50
            stop.wait(0.05)

    writer = threading.Thread(target=more)
    writer.start()
    try:
        world.redis.flushdb()
        wait_until(lambda: consumer.text().count("event=rebuild_started") > before, 20)
        wait_until(lambda: whole(world), 30)
    finally:
        stop.set()
        writer.join()
    world.wait_drained()
    assert whole(world)
    assert world.keys() == world.rows()
    assert consumer.stop() == 0


def test_a_first_start_with_nothing_in_either_store_has_nothing_to_rebuild(world):
    produce_users(world, 300)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    assert whole(world)
    assert consumer.text().count("event=fence_created") == PARTITIONS
    assert "rebuild_started" not in consumer.text()
    assert world.keys() == world.rows()
    assert consumer.stop() == 0


def test_a_first_start_on_a_table_with_rows_fills_the_cache(world):
    world.sql("INSERT INTO users VALUES ('old', 'n', 1, 'w')")
    consumer = world.consumer(ready=False)
    wait_until(lambda: "rebuild_done" in consumer.text() and whole(world), 20)
    assert world.keys() == world.rows() == {"old": ("n", 1, "w")}
    assert consumer.stop() == 0


def test_a_first_start_on_a_cache_with_keys_looks_through_it(world):
    world.redis.set("user:nobody", "{}")
    consumer = world.consumer(ready=False)
    wait_until(lambda: "rebuild_done" in consumer.text() and whole(world), 20)
    assert world.keys() == world.rows() == {}
    assert consumer.stop() == 0


def test_a_rebuild_that_was_cut_off_begins_again(world):
    produce_users(world, 3000)
    consumer = world.consumer(ready=False)
    world.wait_drained()
    wait_until(lambda: whole(world), 20)
    assert consumer.stop() == 0
    world.redis.flushdb()
    consumer = world.consumer({"cache.rebuild-rate": 500}, ready=False)
    wait_until(lambda: "rebuild_started" in consumer.text(), 20)
    wait_until(lambda: len(world.keys()) > 100, 20)
    consumer.kill()
    assert None not in marks(world)
    world.redis.set("user:nobody", "{}")
    consumer = world.consumer(ready=False)
    wait_until(lambda: whole(world), 30)
    assert world.keys() == world.rows()
    assert consumer.stop() == 0


def test_off_leaves_the_cache_to_the_records(world):
    produce_users(world, 300)
    consumer = world.consumer({"cache.rebuild": "off"}, ready=False)
    world.wait_drained()
    world.redis.flushdb()
    produce_users(world, 60, start=1000)  # these find the fence gone: in MySQL only
    wait_until(lambda: None not in marks(world), 20)
    produce_users(world, 60, start=2000)
    wait_until(lambda: len(world.keys()) >= 60, 20)
    assert len(world.keys()) < 360
    assert None not in marks(world)
    assert consumer.stop() == 0


def test_a_flushed_cache_is_noticed_and_mended_while_nothing_is_written(world):
    produce_users(world, 500)
    world.consumer({"redis.look-ms": 500}, ready=False)
    world.wait_drained()
    wait_until(lambda: whole(world), 20)
    world.redis.flushdb()
    wait_until(lambda: whole(world) and world.keys() == world.rows(), 30)
