"""stack/wtstack: the proof names what is missing; env, ports, pids and ids are what they seem."""
import os
import subprocess
import sys
import time

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "stack"))

from wtstack import proof, runenv  # noqa: E402

ROW, OTHER = ("Ann", 30, "nurse"), ("Ann", 31, "nurse")
ACKED = {"a": ("0", "7"), "b": ("1", "0")}


def test_all_there_and_equal_is_no_difference():
    assert list(proof.differences(ACKED, {"a": ROW, "b": ROW}, {"a": ROW, "b": ROW})) == []


def test_a_missing_record_is_named_with_its_place_and_store():
    assert list(proof.differences(ACKED, {"a": ROW}, {"a": ROW, "b": ROW})) == [
        "b (partition 1, offset 0): acknowledged, not in MySQL"]
    assert list(proof.differences(ACKED, {"b": ROW}, {"b": ROW})) == [
        "a (partition 0, offset 7): acknowledged, not in MySQL and not in Redis"]


def test_a_record_that_differs_between_the_stores_is_named():
    found = list(proof.differences(ACKED, {"a": ROW, "b": ROW}, {"a": OTHER, "b": ROW}))
    assert len(found) == 1 and found[0].startswith("a (partition 0, offset 7): MySQL has")


def test_ids_are_read_as_wt_loadgen_writes_them(tmp_path):
    (tmp_path / "ids").write_text("x-1\t3\t12\nx-2\t-\t-\n")
    assert proof.acknowledged(tmp_path / "ids") == {"x-1": ("3", "12"), "x-2": ("-", "-")}


def test_the_env_file_is_private_and_survives_odd_values(tmp_path):
    env = dict.fromkeys(runenv.KEYS, "")
    env["MYSQL_PASSWORD"] = "it's $HOME \"and\" `more`"
    runenv.save(str(tmp_path), env)
    assert (tmp_path / "env").stat().st_mode & 0o777 == 0o600
    assert runenv.load(str(tmp_path)) == env


def test_a_cluster_id_never_looks_like_an_option():
    import uuid
    from wtstack import kafka
    made = [uuid.UUID(bytes=b"\xf8" + bytes(15)), uuid.UUID(bytes=bytes(16))]
    assert kafka.cluster_id(lambda: made.pop(0)) == "A" * 22


def test_a_taken_port_is_not_picked():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        s.listen()
        taken = s.getsockname()[1]
        ports = runenv.Ports()
        assert ports.pick(taken) > taken
        assert ports.pick(taken) != ports.pick(taken)


def test_a_process_is_recognised_by_its_start_not_only_by_its_number(tmp_path):
    import json
    from wtstack.daemon import Daemon
    daemon = Daemon(str(tmp_path), "sleeper")
    daemon.start(["sleep", "60"])
    try:
        assert daemon.pid() == daemon.child.pid
        record = json.loads(open(daemon.pidfile).read())
        stranger = Daemon(str(tmp_path), "stranger")
        with open(stranger.pidfile, "w") as f:
            json.dump(dict(record, start=record["start"] + 1), f)
        assert stranger.pid() is None
        assert stranger.stop() is None
        assert daemon.pid() is not None
    finally:
        assert daemon.stop() == "stopped"


def test_a_process_lives_until_its_last_thread_has_let_go(tmp_path):
    """The kernel shows a zombie as soon as the main thread is gone; a port is still held then."""
    from wtstack.daemon import Daemon
    daemon = Daemon(str(tmp_path), "half-dead")
    daemon.start([sys.executable, "-c",
                  "import ctypes, threading, time\n"
                  "threading.Thread(target=time.sleep, args=(2,)).start()\n"
                  "ctypes.CDLL(None).pthread_exit(None)"])
    pid, deadline = daemon.pid(), time.monotonic() + 2
    while open("/proc/%d/stat" % pid).read().rpartition(")")[2].split()[0] != "Z":
        assert time.monotonic() < deadline, "it should have become a zombie"
        time.sleep(0.01)
    assert daemon.pid() == pid
    while daemon.pid():
        assert time.monotonic() < deadline + 5
        time.sleep(0.01)


def clean_data(run):
    return subprocess.run([os.path.join(ROOT, "stack", "clean-data")], text=True,
                          env=dict(os.environ, RUN=str(run)), stderr=subprocess.PIPE)


def test_clean_data_removes_no_folder_of_somebody_else(tmp_path):
    for name in ("virtual", "settings"):
        (tmp_path / name / "src").mkdir(parents=True)
    (tmp_path / "virtual" / "env").mkdir()
    (tmp_path / "settings" / "env").write_text("MYSQL_HOST=db\nOWNER=it's\n")
    for name in ("virtual", "settings"):
        done = clean_data(tmp_path / name)
        assert done.returncode == 1 and "does not look like ours" in done.stderr
        assert (tmp_path / name / "src").exists()


def test_clean_data_empties_the_folder_behind_a_link(tmp_path):
    (tmp_path / "disk" / "kafka").mkdir(parents=True)
    runenv.save(str(tmp_path / "disk"), {})
    (tmp_path / "run").symlink_to(tmp_path / "disk")
    done = clean_data(tmp_path / "run")
    assert done.returncode == 0, done.stderr
    assert list((tmp_path / "disk").iterdir()) == [] and (tmp_path / "run").is_symlink()


def test_readiness_is_asked_of_the_program_not_of_a_proxy(monkeypatch):
    import http.server
    import threading
    from wtstack import pipeline

    class Ready(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_):
            pass
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with http.server.HTTPServer(("127.0.0.1", 0), Ready) as server:
        threading.Thread(target=server.handle_request).start()
        assert pipeline.ready("http://127.0.0.1:%d" % server.server_port)


def test_a_port_of_the_last_time_is_given_to_one_program_only():
    """Who has it may not listen yet when the next one looks for a free one."""
    ports = runenv.Ports()
    old = ports.pick(21000)
    ports = runenv.Ports()
    assert ports.again(old) == old
    assert ports.again(old) is None and ports.again(None) is None
    assert ports.pick(old) > old


def test_the_lag_is_that_of_the_file_whatever_the_environment_says(tmp_path, monkeypatch):
    from wtstack import pipeline
    program = tmp_path / "wt-consumer"
    program.write_text("#!/bin/sh\necho \"$1 of ${WT_TOPIC:-the file}\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("WT_BIN", str(tmp_path))
    monkeypatch.setenv("WT_TOPIC", "another")
    assert pipeline.lag(str(tmp_path)) == "lag: wt-consumer was never started here"
    (tmp_path / "wt-consumer.properties").touch()
    assert pipeline.lag(str(tmp_path)) == "lag of the file"


def stack(command, run, **env):
    return subprocess.run([sys.executable, os.path.join(ROOT, "stack", command)], text=True,
                          env=dict(os.environ, RUN=str(run), **env), stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT)


@pytest.mark.parametrize("command", ("up", "down", "status", "clean-data"))
def test_a_folder_that_is_none_is_named_without_a_traceback(tmp_path, command):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / (".lock" if command != "status" else "env")).mkdir()
    done = stack(command, tmp_path / "run")
    assert done.returncode == 1 and "Traceback" not in done.stdout
    assert str(tmp_path / "run") in done.stdout


def test_a_program_that_is_not_installed_is_named(tmp_path):
    done = stack("up", tmp_path / "run", PATH=str(tmp_path), MYSQL_HOST="nowhere.invalid",
                 KAFKA_BROKERS="nowhere.invalid:1")
    assert "redis: [Errno 2] No such file or directory: 'redis-server'; make deps" in done.stdout
    assert "Traceback" not in done.stdout


def test_servers_of_yours_that_do_not_answer_are_named(monkeypatch):
    from wtstack import kafka, redis
    from wtstack.daemon import Failed
    with pytest.raises(Failed, match="127.0.0.1:1: "):
        kafka.create_topics("127.0.0.1:1", {"users": 1}, seconds=1)
    for port in ("1", "word", "99999"):
        assert not redis.answers("127.0.0.1", port)
    monkeypatch.setitem(sys.modules, "confluent_kafka.admin", None)
    with pytest.raises(Failed, match="make deps"):
        kafka.create_topics("127.0.0.1:1", {"users": 1}, seconds=1)


def test_a_process_that_cannot_be_remembered_is_not_left_running(tmp_path):
    from wtstack.daemon import Daemon
    daemon = Daemon(str(tmp_path), "sleeper")
    os.makedirs(daemon.pidfile + ".new")  # as a full disk: it cannot be written
    with pytest.raises(OSError):
        daemon.start(["sleep", "60"])
    try:
        assert daemon.child.poll() is not None
    finally:
        daemon.child.kill()


def test_a_process_that_ends_while_it_is_stopped_is_stopped(tmp_path, monkeypatch):
    from wtstack.daemon import Daemon
    daemon, kill = Daemon(str(tmp_path), "sleeper"), os.kill

    def late(pid, number):
        kill(pid, number)
        daemon.child.wait()  # as init does with what is not our child
    daemon.start(["sleep", "60"])
    monkeypatch.setattr(os, "kill", late)
    assert daemon.stop() == "stopped"


def test_an_interrupted_up_has_no_server_in_the_making(tmp_path, monkeypatch):
    import signal
    import threading
    from wtstack import servers
    begun, started = threading.Event(), []

    class Slow(servers.redis.Redis):
        def start(self, port, ports):
            begun.set()
            time.sleep(0.5)
            started.append(port)

    def interrupt():
        begun.wait()
        time.sleep(0.1)  # until who started it waits for it
        os.kill(os.getpid(), signal.SIGINT)
    monkeypatch.setattr(servers, "KINDS", {"REDIS_HOST": Slow})
    threading.Thread(target=interrupt).start()
    with pytest.raises(KeyboardInterrupt):
        servers.up(str(tmp_path), {}, private=True)
    assert started


def test_a_server_that_runs_is_known_by_its_own_port_and_waited_for(tmp_path):
    """run/env may name another: one of yours, used meanwhile."""
    from wtstack import servers
    ours, waited = servers.redis.Redis(str(tmp_path)), []
    ours.wait_ready = lambda: waited.append(ours.port)
    ours.daemon.start(["sleep", "60"], port=20001)
    try:
        servers._start(ours, 20002, runenv.Ports(private=True))
        assert waited == [20001]
    finally:
        ours.daemon.stop()


def test_our_database_has_its_own_password(tmp_path):
    from wtstack import mariadb
    runenv.write_secret(str(tmp_path / "mysql.password"), "it's yours\n")
    assert len(mariadb.MariaDB(str(tmp_path)).password) == 32


def test_who_waited_while_the_folder_was_removed_has_a_lock_that_others_see(tmp_path):
    import shutil
    import threading
    run, inside = str(tmp_path / "run"), []

    def later():
        with runenv.locked(run):
            inside.append(os.path.exists(os.path.join(run, ".lock")))
    second = threading.Thread(target=later)
    with runenv.locked(run):
        second.start()
        time.sleep(0.3)
        shutil.rmtree(run)
    second.join()
    assert inside == [True]
