"""Fixtures: `servers` once a session, `world` fresh for each test."""
import os
import sys

import pytest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))

from stack import Servers  # noqa: E402
from world import World  # noqa: E402


@pytest.fixture(scope="session")
def servers():
    """Kafka, MariaDB and Redis: those of the environment, or private ones."""
    made = Servers()
    yield made
    made.close()


@pytest.fixture
def private_servers():
    """Servers of this test alone, to be stopped and hurt."""
    made = Servers(environ={})
    yield made
    made.close()


@pytest.fixture(scope="module")
def own_servers():
    """Servers of this file's tests alone."""
    made = Servers(environ={})
    yield made
    made.close()


@pytest.fixture
def world(servers, tmp_path):
    # A Redis that somebody lent us is not flushed.
    private = bool(servers.own) or os.environ.get("WT_TEST_SERVERS") == "private"
    made = World(servers.env, tmp_path, private)
    yield made
    made.close()
