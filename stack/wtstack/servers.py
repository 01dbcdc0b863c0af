"""The three servers: the caller's where a variable says so, ours otherwise."""
import os
from concurrent.futures import ThreadPoolExecutor, wait

from . import kafka, mariadb, redis, runenv
from .daemon import Failed

TOPICS = {"users": 6, "users.dlq": 6}
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
JARS = os.environ.get("KAFKA_JARS", os.path.join(ROOT, "build", "kafka-jars"))
KINDS = {"KAFKA_BROKERS": kafka.Kafka, "MYSQL_HOST": mariadb.MariaDB, "REDIS_HOST": redis.Redis}


def _external(key, environ):
    """What the caller's environment says about a server, or None when it names none."""
    if not environ.get(key):
        return None
    if key == "KAFKA_BROKERS":
        return {key: environ[key]}
    if key == "REDIS_HOST":
        return {key: environ[key], "REDIS_PORT": environ.get("REDIS_PORT") or "6379"}
    given = {"MYSQL_PORT": "3306", "MYSQL_USER": mariadb.USER, "MYSQL_PASSWORD": "",
             "MYSQL_DATABASE": mariadb.DATABASE}
    given.update({k: environ[k] for k in given if environ.get(k)})
    return dict(given, MYSQL_HOST=environ[key])


def _old_port(key, env):
    value = {"KAFKA_BROKERS": env.get(key, "").rpartition(":")[2],
             "MYSQL_HOST": env.get("MYSQL_PORT"), "REDIS_HOST": env.get("REDIS_PORT")}[key]
    return int(value) if value and value.isdigit() else None


def _settings(key, server):
    if key == "KAFKA_BROKERS":
        return {key: "127.0.0.1:%d" % server.port}
    if key == "REDIS_HOST":
        return {key: "127.0.0.1", "REDIS_PORT": str(server.port)}
    return server.settings()


def _start(server, old_port, ports):
    """Starts one server unless it runs. Somebody may take the port between our look and the
    server's bind: then the next one."""
    server.port = server.daemon.port()  # run/env may name one of yours meanwhile
    if server.port:
        return server.wait_ready()
    server.daemon.stop()
    wanted = old_port if old_port and runenv.is_free(old_port) else server.default_port
    for attempt in range(4):
        port = wanted if wanted == old_port and attempt == 0 and runenv.is_free(wanted) \
            else ports.pick(wanted)
        try:
            return server.start(port, ports)
        except Failed as error:
            server.daemon.stop()
            if attempt == 3 or not any(word in str(error) for word in ("in use", "bind")):
                raise


def up(run, environ, private=False, say=print):
    """Starts what is missing, waits until all answer; returns run/env's values."""
    old = runenv.load(run)
    env = {k: old.get(k, "") for k in ("PRODUCER_URL", "STATUS_URL")}
    ports = runenv.Ports(private)
    errors, servers = [], {}

    def work(key, server):
        try:
            _start(server, _old_port(key, old), ports)
        except Failed as error:
            errors.append(str(error))
        except FileNotFoundError as error:
            errors.append("%s: %s; make deps installs what is missing" % (server.name, error))
        except Exception as error:
            errors.append("%s: %s" % (server.name, error if isinstance(error, OSError)
                                      else repr(error)))

    # Interrupted, too, nothing is in the making when the pool is left: who stops the servers
    # then, or lets another command at them, has all of them.
    with ThreadPoolExecutor(len(KINDS)) as pool:
        making = []
        for key, kind in KINDS.items():
            given = _external(key, environ)
            if given:
                env.update(given)
                say("%-6s %s (yours)" % (kind.name, given[key]))
                continue
            servers[key] = kind(run, JARS)
            making.append(pool.submit(work, key, servers[key]))
        wait(making)
    for key, server in servers.items():
        if not server.daemon.pid():
            continue
        env.update(_settings(key, server))
        note = "" if private or server.port == server.default_port else \
            "  (%d is taken)" % server.default_port
        say("%-6s 127.0.0.1:%d  pid %d%s" % (server.name, server.port, server.daemon.pid(), note))
    runenv.save(run, env)
    if errors:
        raise Failed("\n".join(errors))
    runenv.write_secret(os.path.join(run, "mysql.password"), env["MYSQL_PASSWORD"] + "\n")
    kafka.create_topics(env["KAFKA_BROKERS"], TOPICS)
    if mariadb.query(env, "SELECT 1") is None:
        raise Failed("mysql: %(MYSQL_USER)s@%(MYSQL_HOST)s:%(MYSQL_PORT)s does not let us into "
                     "%(MYSQL_DATABASE)s; set MYSQL_USER, MYSQL_PASSWORD, MYSQL_DATABASE" % env)
    mariadb.apply_schema(env, os.path.join(ROOT, "sql"))
    if not redis.answers(env["REDIS_HOST"], env["REDIS_PORT"]):
        raise Failed("redis: %(REDIS_HOST)s:%(REDIS_PORT)s does not answer" % env)
    return env


def daemons(run):
    """In the order in which they are stopped."""
    from .daemon import Daemon
    return [Daemon(run, name) for name in ("kafka", "mysql", "redis")]
