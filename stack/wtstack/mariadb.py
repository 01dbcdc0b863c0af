"""MariaDB: its own folder, durable commits."""
import glob
import os
import shutil
import subprocess
import tempfile

from .daemon import Daemon, Failed
from .runenv import connects, secret, write_secret

DATABASE = USER = "writethrough"


class MariaDB:
    name = "mysql"
    default_port = 3306

    def __init__(self, run, _jars=None):
        self.dir = os.path.join(run, "mysql")
        self.data = os.path.join(self.dir, "data")
        self.daemon = Daemon(run, "mysql")
        # Not mysql.password: that is of the server in use, which may be one of yours.
        self.password = secret(os.path.join(run, "mysql.own-password"))
        self.admin_password = secret(os.path.join(run, "mysql.admin-password"))
        self.port = None

    def _run_as(self):
        # mariadbd refuses to be root by accident; the folder is ours, so say it.
        return ["--user=root"] if os.geteuid() == 0 else []

    def _install(self):
        """Makes the system tables; in a folder beside, so that half a job is not taken
        for a whole one."""
        part = self.data + ".part"
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        # mariadb-install-db cannot live with a space in a path: it gets a link without one.
        with tempfile.TemporaryDirectory(prefix="wt-", dir="/tmp") as links:
            link = os.path.join(links, "data")
            os.symlink(part, link)
            out = subprocess.run(
                ["mariadb-install-db", "--no-defaults", "--datadir=" + link,
                 "--auth-root-authentication-method=normal", "--skip-test-db"]
                + self._run_as(), cwd=self.dir, stdin=subprocess.DEVNULL,
                # Two installations at once take each other's temporary tables in /tmp.
                env=dict(os.environ, TMPDIR=link),
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if out.returncode or not os.path.isdir(os.path.join(part, "mysql")):
            raise Failed("mysql: mariadb-install-db failed\n" + out.stdout.decode())
        os.rename(part, self.data)

    def _init_file(self):
        """What the server runs at every start; harmless the second time."""
        path = os.path.join(self.dir, "init.sql")
        sql = ["CREATE DATABASE IF NOT EXISTS %s CHARACTER SET utf8mb4;" % DATABASE]
        # Only the socket for root; the databases of tests are named writethrough_*.
        sql += ["DROP USER IF EXISTS ''@'localhost', root@'127.0.0.1', root@'::1';",
                "ALTER USER root@localhost IDENTIFIED BY '%s';" % self.admin_password,
                "CREATE USER IF NOT EXISTS %s@'127.0.0.1';" % USER,
                "ALTER USER %s@'127.0.0.1' IDENTIFIED BY '%s';" % (USER, self.password),
                "GRANT ALL ON %s.* TO %s@'127.0.0.1';" % (DATABASE, USER),
                "GRANT ALL ON `%s\\_%%`.* TO %s@'127.0.0.1';" % (DATABASE, USER)]
        write_secret(path, "\n".join(sql) + "\n")
        return path

    def start(self, port, _ports):
        self.port = port
        if not os.path.isdir(self.data):
            self._install()
        # A socket's path may have 107 bytes: relative to the data folder, where the server
        # changes to, it is short whatever RUN is.
        self.daemon.start(
            [shutil.which("mariadbd") or "/usr/sbin/mariadbd", "--no-defaults",
             "--datadir=" + self.data, "--port=%d" % port, "--bind-address=127.0.0.1",
             "--socket=s", "--pid-file=pid", "--skip-name-resolve",
             "--init-file=" + self._init_file(),
             "--innodb-flush-log-at-trx-commit=1", "--innodb-log-file-size=512M",
             "--innodb-buffer-pool-size=256M", "--max-connections=200",
             "--max-allowed-packet=64M", "--skip-log-bin"] + self._run_as(), cwd=self.dir,
            port=port)
        self.wait_ready()

    def wait_ready(self):
        self.daemon.wait_ready(lambda: connects(self.port) and self._answers(), 60)

    def _answers(self):
        return query(self.settings(), "SELECT 1") is not None

    def settings(self):
        return {"MYSQL_HOST": "127.0.0.1", "MYSQL_PORT": str(self.port), "MYSQL_USER": USER,
                "MYSQL_PASSWORD": self.password, "MYSQL_DATABASE": DATABASE}


def _client(env):
    argv = ["mariadb", "--no-defaults", "--protocol=tcp", "-h", env["MYSQL_HOST"],
            "-P", env["MYSQL_PORT"], "-u", env["MYSQL_USER"], "--batch",
            "--skip-column-names", "--default-character-set=utf8mb4", "--connect-timeout=5",
            env["MYSQL_DATABASE"]]
    return argv, dict(os.environ, MYSQL_PWD=env["MYSQL_PASSWORD"])


def query(env, sql):
    """What the statement answers as text, or None."""
    argv, environ = _client(env)
    out = subprocess.run(argv + ["-e", sql], env=environ, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    return out.stdout.decode() if out.returncode == 0 else None


def apply_schema(env, folder):
    """sql/*.sql in the order of their names; running them twice is harmless."""
    argv, environ = _client(env)
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "*.sql"))):
        with open(path, "rb") as f:
            out = subprocess.run(argv, env=environ, stdin=f, stdout=subprocess.PIPE,
                                 stderr=subprocess.STDOUT)
        if out.returncode:
            raise Failed("mysql: %s: %s" % (path, out.stdout.decode().strip()))
