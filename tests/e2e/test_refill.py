"""Queues far smaller than the backlog, filled again and again. How fast is a matter of make bench."""
from programs import wait_until
from stack import kafka


def user(n):
    key = "u%d" % (n % 3000)
    return key, {"id": key, "name": "n", "age": n % 90, "occupation": "o"}


def test_a_tiny_queue_takes_a_backlog_whole(world):
    world.topic += "-one"
    kafka.create_topics(world.env["KAFKA_BROKERS"], {world.topic: 1, world.topic + ".dlq": 1})
    world.produce([user(n) for n in range(20000)])
    consumer = world.consumer({"kafka.queued.min.messages": 500,
                               "kafka.fetch.message.max.bytes": 65536}, ready=False)
    wait_until(lambda: world.sql("SELECT SUM(next_offset) FROM writethrough_ledger")[0][0] == 20000,
               60)
    wait_until(lambda: world.keys() == world.rows(), 10)
    assert len(world.rows()) == 3000
    assert consumer.stop() == 0
