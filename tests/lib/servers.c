/* servers: see servers.h. */
#include "tests/lib/servers.h"

#include "common/clock.h"
#include "common/mem.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 30000
#define WORDS	 32

__attribute__((format(printf, 1, 2), noreturn)) static void give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("servers: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

static struct test_server *running[8];

static void stop_all(void)
{
	for (int i = 0; i < 8; i++) {
		if (running[i])
			test_server_stop(running[i]);
	}
}

static void remember(struct test_server *server)
{
	static int registered;

	if (!registered++)
		atexit(stop_all);
	for (int i = 0; i < 8; i++) {
		if (!running[i]) {
			running[i] = server;
			return;
		}
	}
	give_up("more than 8 servers");
}

static int free_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t length = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
		getsockname(fd, (struct sockaddr *)&address, &length))
		give_up("no free port: %s", strerror(errno));
	close(fd);
	return ntohs(address.sin_port);
}

/* The child dies with its parent, whatever happens to that; its words go to `log`. */
static pid_t spawn(const char *const *words, const char *log)
{
	pid_t pid = fork();
	int fd;

	if (pid < 0)
		give_up("fork: %s", strerror(errno));
	if (pid > 0)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
	dup2(fd, 1);
	dup2(fd, 2);
	unsetenv("LD_PRELOAD");
	execvp(words[0], (char *const *)(uintptr_t)words);
	fprintf(stderr, "%s: %s\n", words[0], strerror(errno));
	_exit(127);
}

static int run(const char *const *words, const char *log)
{
	pid_t pid = spawn(words, log);
	int status;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static void print_log(const char *path)
{
	const char *const words[] = {"tail", "-n", "20", path, NULL};

	run(words, "/dev/stderr");
}

static int answers(int port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons((uint16_t)port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int ok = connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0;

	close(fd);
	return ok;
}

static void wait_ready(const struct test_server *server, const char *log)
{
	int64_t deadline_ms = clock_mono_ms() + READY_MS;
	int status;

	while (!answers(server->port)) {
		if (waitpid(server->pid, &status, WNOHANG) == server->pid ||
			clock_mono_ms() > deadline_ms) {
			print_log(log);
			give_up("the server in %s does not start", server->folder);
		}
		usleep(10000);
	}
}

static void make_folder(struct test_server *server)
{
	snprintf(server->folder, sizeof(server->folder), "/tmp/wt-test-XXXXXX");
	if (!mkdtemp(server->folder))
		give_up("mkdtemp: %s", strerror(errno));
	snprintf(server->host, sizeof(server->host), "127.0.0.1");
	server->port = free_port();
}

void test_server_stop(struct test_server *server)
{
	const char *const words[] = {"rm", "-rf", server->folder, NULL};

	if (server->pid > 0) {
		kill(server->pid, SIGKILL);
		waitpid(server->pid, NULL, 0);
		server->pid = 0;
	}
	if (server->folder[0])
		run(words, "/dev/null");
	server->folder[0] = 0;
	for (int i = 0; i < 8; i++) {
		if (running[i] == server)
			running[i] = NULL;
	}
}

/*
 * Made where no path has a space, which mariadb-install-db cannot live with, and with temporary
 * tables of its own: two installations at once take each other's.
 */
static void make_datadir(const char *path)
{
	struct test_server made = {0};
	char tables[120], datadir[120], log[120], from[100];
	const char *const install[] = {"env", tables, "mariadb-install-db", "--no-defaults",
		datadir, "--auth-root-authentication-method=normal", "--skip-test-db",
		"--innodb-log-file-size=16M", geteuid() ? NULL : "--user=root", NULL};
	const char *const move[] = {"mv", from, path, NULL};

	make_folder(&made);
	snprintf(tables, sizeof(tables), "TMPDIR=%s", made.folder);
	snprintf(from, sizeof(from), "%s/data", made.folder);
	snprintf(datadir, sizeof(datadir), "--datadir=%s", from);
	snprintf(log, sizeof(log), "%s/log", made.folder);
	if (run(install, log) || run(move, log)) {
		print_log(log);
		give_up("mariadb-install-db failed");
	}
	test_server_stop(&made);
}

/* An initialised datadir costs seconds: made once, then copied. */
static const char *mariadb_template(void)
{
	static char path[4200];
	const char *base = getenv("WT_TEST_CACHE");
	struct stat st;
	char here[4000], fresh[4300];
	const char *const discard[] = {"rm", "-rf", fresh, NULL};

	if (!getcwd(here, sizeof(here)))
		give_up("getcwd: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s%s/mariadb-data", base ? "" : here,
		base ? base : "/build/test-cache");
	if (!stat(path, &st))
		return path;
	mkdir("build", 0755);
	mkdir("build/test-cache", 0755);
	snprintf(fresh, sizeof(fresh), "%s.%d", path, (int)getpid());
	make_datadir(fresh);
	if (rename(fresh, path)) /* another test was first */
		run(discard, "/dev/null");
	return path;
}

static void make_certificate(const struct test_server *server, char cert[], char key[])
{
	const char *const words[] = {"openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
		"ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
		"/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-out",
		cert + strlen("--ssl-cert="), "-keyout", key + strlen("--ssl-key="), NULL};

	sprintf(cert, "--ssl-cert=%s/cert.pem", server->folder);
	sprintf(key, "--ssl-key=%s/key.pem", server->folder);
	if (run(words, "/dev/null"))
		give_up("openssl cannot make a certificate");
}

static void mariadb_spawn(struct test_server *server, int tls)
{
	char data[80], cert[100] = "--skip-ssl", key[100] = "--skip-ssl", log[80], datadir[90],
		       port[32], sock[100], tmpdir[90];
	const char *const copy[] = {"cp", "-a", mariadb_template(), data, NULL};
	const char *const words[WORDS] = {"mariadbd", "--no-defaults", datadir, port, sock,
		tmpdir, "--bind-address=127.0.0.1", "--skip-name-resolve",
		"--innodb-log-file-size=16M", "--innodb-buffer-pool-size=64M",
		"--innodb-flush-log-at-trx-commit=2", "--max-allowed-packet=4M", cert, key,
		geteuid() ? NULL : "--user=root", NULL};

	make_folder(server);
	snprintf(data, sizeof(data), "%s/data", server->folder);
	snprintf(log, sizeof(log), "%s/log", server->folder);
	snprintf(datadir, sizeof(datadir), "--datadir=%s", data);
	snprintf(port, sizeof(port), "--port=%d", server->port);
	snprintf(sock, sizeof(sock), "--socket=%s/s", server->folder);
	snprintf(tmpdir, sizeof(tmpdir), "--tmpdir=%s", server->folder);
	remember(server);
	if (tls)
		make_certificate(server, cert, key);
	if (run(copy, log))
		give_up("cannot copy %s", copy[2]);
	server->pid = spawn(words, log);
	wait_ready(server, log);
}

static MYSQL *root(const struct test_server *server, const char *database)
{
	MYSQL *mysql = mysql_init(NULL);

	if (!mysql_real_connect(mysql, server->host, "root", "", database,
		    (unsigned)server->port, NULL, CLIENT_MULTI_STATEMENTS))
		give_up("root: %s", mysql_error(mysql));
	return mysql;
}

MYSQL *test_mysql_root(const struct test_server *server)
{
	return root(server, "wt");
}

static void make_database(const struct test_server *server)
{
	MYSQL *mysql = root(server, NULL);

	test_sql(mysql, "DROP DATABASE IF EXISTS wt; CREATE DATABASE wt; USE wt");
	test_sql_file(mysql, "sql/001_users.sql");
	test_sql_file(mysql, "sql/002_writethrough.sql");
	mysql_close(mysql);
}

void test_mysql_start_plain(struct test_server *server)
{
	memset(server, 0, sizeof(*server));
	signal(SIGPIPE, SIG_IGN);
	mariadb_spawn(server, 0);
	make_database(server);
}

void test_mysql_start(struct test_server *server)
{
	const char *given = getenv("WT_TEST_MYSQL");

	memset(server, 0, sizeof(*server));
	signal(SIGPIPE, SIG_IGN);
	if (!given)
		mariadb_spawn(server, 1);
	else if (sscanf(given, "%63[^:]:%d", server->host, &server->port) != 2)
		give_up("WT_TEST_MYSQL=%s is not HOST:PORT", given);
	make_database(server);
}

void test_redis_start(struct test_server *server, const char *const *options)
{
	char port[16], log[80];
	const char *words[WORDS] = {"redis-server", "--port", port, "--bind", "127.0.0.1",
		"--dir", server->folder, "--save", "", "--appendonly", "no"};
	int count = 11;

	memset(server, 0, sizeof(*server));
	signal(SIGPIPE, SIG_IGN);
	make_folder(server);
	remember(server);
	snprintf(port, sizeof(port), "%d", server->port);
	snprintf(log, sizeof(log), "%s/log", server->folder);
	for (int i = 0; options && options[i] && count < WORDS - 1; i++)
		words[count++] = options[i];
	words[count] = NULL;
	server->pid = spawn(words, log);
	wait_ready(server, log);
}

/* Every result is read; the first one's first field is kept. */
static const char *sql_first(MYSQL *mysql, const char *text)
{
	static char first[4096];
	int seen = 0, more;

	first[0] = 0;
	if (mysql_query(mysql, text))
		give_up("%s: %s", text, mysql_error(mysql));
	do {
		MYSQL_RES *result = mysql_store_result(mysql);
		MYSQL_ROW row = result ? mysql_fetch_row(result) : NULL;

		if (row && row[0] && !seen++)
			snprintf(first, sizeof(first), "%s", row[0]);
		mysql_free_result(result);
		more = mysql_next_result(mysql);
		if (more > 0)
			give_up("%s: %s", text, mysql_error(mysql));
	} while (more == 0);
	return first;
}

static const char *sql_v(MYSQL *mysql, const char *format, va_list args)
{
	char *text = NULL;
	const char *first;

	if (vasprintf(&text, format, args) < 0)
		abort();
	first = sql_first(mysql, text);
	free(text);
	return first;
}

void test_sql(MYSQL *mysql, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	sql_v(mysql, format, args);
	va_end(args);
}

long test_sql_long(MYSQL *mysql, long none, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = sql_v(mysql, format, args);
	va_end(args);
	return text[0] ? strtol(text, NULL, 10) : none;
}

const char *test_sql_text(MYSQL *mysql, const char *format, ...)
{
	const char *text;
	va_list args;

	va_start(args, format);
	text = sql_v(mysql, format, args);
	va_end(args);
	return text;
}

void test_sql_file(MYSQL *mysql, const char *path)
{
	char text[16384];
	FILE *file = fopen(path, "r");
	size_t length;

	if (!file)
		give_up("%s: %s (run from the repository's root)", path, strerror(errno));
	length = fread(text, 1, sizeof(text) - 1, file);
	fclose(file);
	text[length] = 0;
	sql_first(mysql, text);
}
