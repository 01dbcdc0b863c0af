"""Both stores over TLS, with authorities of our own making: encrypted end to end, or a clear refusal."""
import os
import subprocess

import pymysql
import pytest
import requests

from programs import binary
from wtstack import runenv
from wtstack.daemon import Daemon
from wtstack.mariadb import MariaDB
from wtstack.redis import answers
from world import World

# Debian 12's hiredis has no TLS: then the program says so.
REDIS_TLS = "hiredis_ssl" in subprocess.run(["ldd", binary("wt-consumer")], stdout=subprocess.PIPE, text=True).stdout


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


class Authority:
    def __init__(self, folder, name):
        self.folder, self.name = folder, os.path.join(folder, name)
        self.cert, self.key = self.name + ".pem", self.name + ".key"
        openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=" + name,
                "-keyout", self.key, "-out", self.cert)

    def issue(self, name, alternative):
        """(certificate, key) of a server"""
        path = os.path.join(self.folder, name)
        with open(path + ".ext", "w", encoding="ascii") as f:
            f.write("subjectAltName=%s\n" % alternative)
        openssl("req", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=" + name, "-keyout", path + ".key",
                "-out", path + ".csr")
        openssl("x509", "-req", "-in", path + ".csr", "-CA", self.cert, "-CAkey", self.key, "-CAcreateserial",
                "-days", "2", "-extfile", path + ".ext", "-out", path + ".pem")
        return path + ".pem", path + ".key"


class Secure:
    """a MariaDB that has an account for TLS alone, and a Redis with a port for TLS"""

    def __init__(self, folder, kafka_env):
        ports = runenv.Ports(private=True)
        self.ca, self.other = Authority(folder, "ours"), Authority(folder, "theirs")
        cert, key = self.ca.issue("server", "IP:127.0.0.1,DNS:localhost")
        self.mysql = MariaDB(folder)
        start = self.mysql.daemon.start
        self.mysql.daemon.start = lambda argv, **more: start(
            argv + ["--ssl-cert=" + cert, "--ssl-key=" + key, "--ssl-ca=" + self.ca.cert], **more)
        self.mysql.start(ports.pick(0), ports)
        plain, self.redis_port = ports.pick(0), ports.pick(0)
        self.redis = Daemon(folder, "redis")
        self.redis.start(["redis-server", "--port", str(plain), "--tls-port", str(self.redis_port),
                          "--tls-cert-file", cert, "--tls-key-file", key, "--tls-ca-cert-file", self.ca.cert,
                          "--tls-auth-clients", "no", "--save", "", "--databases", "64"], cwd=folder)
        self.redis.wait_ready(lambda: answers("127.0.0.1", plain), 60)
        self.env = dict(kafka_env, **self.mysql.settings(), REDIS_HOST="127.0.0.1", REDIS_PORT=str(plain))

    def close(self):
        self.mysql.daemon.stop(seconds=10)
        self.redis.stop(seconds=10)


@pytest.fixture(scope="module")
def secure(servers, tmp_path_factory):
    made = Secure(str(tmp_path_factory.mktemp("tls")), servers.env)
    yield made
    made.close()


@pytest.fixture
def tls_world(secure, tmp_path):
    """the consumer's account may come over TLS only, its Redis port speaks nothing else"""
    world = World(secure.env, tmp_path)
    with pymysql.connect(unix_socket=os.path.join(secure.mysql.data, "s"), user="root",
                         password=secure.mysql.admin_password) as db, db.cursor() as c:
        c.execute("CREATE USER IF NOT EXISTS tls_only@'127.0.0.1' IDENTIFIED BY %s REQUIRE SSL",
                  (world.env["MYSQL_PASSWORD"],))
        c.execute("GRANT ALL ON %s.* TO tls_only@'127.0.0.1'" % world.env["MYSQL_DATABASE"])
    world.tls = {"mysql.user": "tls_only", "mysql.tls": "verify", "mysql.tls-ca": secure.ca.cert,
                 "start.timeout-ms": 1500}
    if REDIS_TLS:
        world.tls.update({"redis.port": secure.redis_port, "redis.tls": "true", "redis.tls-ca": secure.ca.cert})
    yield world
    world.close()


def refused(world, **changed):
    """what the consumer says when it ends at its start"""
    options = dict(world.tls, **{"status.listen": "off"})
    options.update({name.replace("_", "."): value for name, value in changed.items()})
    done = world.verb("run", options=options, timeout=60)
    assert done.returncode in (64, 69, 77), (done.returncode, done.stderr)
    return done.stderr.strip().split("\n")[-1]


def users(count):
    return [("u%d" % n, {"id": "u%d" % n, "name": "n", "age": n, "occupation": "o"}) for n in range(count)]


def test_records_reach_both_stores_encrypted(tls_world):
    consumer = tls_world.consumer(tls_world.tls)
    tls_world.produce(users(500))
    tls_world.wait_drained()
    assert len(tls_world.rows()) == 500 and tls_world.keys() == tls_world.rows()
    options = {name: value for name, value in tls_world.tls.items() if not name.startswith("start")}
    done = tls_world.verb("verify", options=options)
    assert done.returncode == 0, done.stdout + done.stderr
    assert consumer.stop() == 0


def test_an_unknown_authority_of_mysql_is_refused_and_named(tls_world, secure):
    said = refused(tls_world, **{"mysql.tls-ca": secure.other.cert})
    assert "mysql.host, .port, .tls, .tls-ca" in said and "certificate" in said.lower(), said


def test_a_certificate_that_no_known_authority_signed_is_refused_though_the_server_is_near(tls_world):
    """Newer client libraries would let it pass here: the server is on this machine."""
    del tls_world.tls["mysql.tls-ca"]
    said = refused(tls_world)
    assert "mysql.host, .port, .tls, .tls-ca" in said and "certificate" in said.lower(), said


def test_reading_by_id_believes_the_same_authority_alone(tls_world, secure):
    tls_world.consumer(tls_world.tls)
    options = dict(tls_world.options("wt-consumer"), **tls_world.tls)
    reader = {name: value for name, value in options.items() if name.startswith("mysql.")}
    assert tls_world.post(tls_world.producer(), users(1)[0][1]).status_code == 202
    tls_world.wait_drained()
    for ca, status in ((secure.ca.cert, 200), (secure.other.cert, 503), (None, 503)):
        reader.pop("mysql.tls-ca")
        producer = tls_world.producer({**reader, **({"mysql.tls-ca": ca} if ca else {})})
        got = requests.get(producer.url + "/write-through/u0", timeout=20)
        assert got.status_code == status, (ca, got.text)
        reader["mysql.tls-ca"] = ca


def test_an_account_for_tls_alone_is_refused_without_it(tls_world):
    said = refused(tls_world, **{"mysql.tls": "off"})
    assert "Access denied" in said and "mysql" in said, said


def test_a_missing_authority_file_is_named(tls_world):
    said = refused(tls_world, **{"mysql.tls-ca": "/nowhere/ca.pem"})
    assert "mysql.tls-ca" in said and "/nowhere/ca.pem" in said, said


def test_redis_over_tls_believes_its_authority_alone_or_says_that_this_build_cannot(tls_world, secure):
    if REDIS_TLS:
        said = refused(tls_world, **{"redis.tls-ca": secure.other.cert})
        assert "redis.host, .port, .tls, .tls-ca" in said and "certificate" in said.lower(), said
    else:
        said = refused(tls_world, **{"redis.tls": "true", "redis.port": secure.redis_port})
        assert "redis.tls" in said and "hiredis_ssl" in said, said
