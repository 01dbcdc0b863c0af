/*
 * mysql_connect: the life of the connection and what every session is set to:
 *   strict    a value that does not fit is an error, never a cut or a zero
 *   UTC       datetimes are what the records say
 *   utf8mb4   again after the login: a server's init_connect may have chosen another character set, and
 *             with skip-character-set-client-handshake it does not listen to the login
 *   READ COMMITTED  no gap locks, so that the workers' neighbouring keys do not wait for each
 *             other; the ledger's compare-and-set does what a higher level would. Snapshots ask for
 *             REPEATABLE READ themselves. A server with statement binlog refuses READ COMMITTED
 *             and keeps REPEATABLE READ.
 *   no sql_select_limit  a row that is left out of an answer would be taken for deleted
 *   autocommit=0  the first statement begins the transaction: no trip for BEGIN
 *   lock wait below the read timeout, so that a lock is said to be one, not a lost connection
 */
#include "consumer/pipeline/mysql_internal.h"

#include "common/clock.h"
#include "common/mem.h"
#include "common/mysql_tls.h"
#include "consumer/failure/mysql_verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define LEDGER_UPDATED_BY_BYTES 255
#define LOCK_WAIT_S		5
/* A batch takes the server a few milliseconds: a trip of so much hardly lengthens its stay. */
#define NEAR_NS	   500000
#define NEAR_TRIES 5

static pthread_once_t library_once = PTHREAD_ONCE_INIT;
static pthread_key_t thread_key;

static void thread_end(void *set)
{
	(void)set;
	mysql_thread_end();
}

static void library_begin(void)
{
	mysql_library_init(0, NULL, NULL);
	pthread_key_create(&thread_key, thread_end);
}

/* The client library keeps state per thread; a destructor gives it back when the thread ends. */
static void thread_begin(void)
{
	pthread_once(&library_once, library_begin);
	if (!pthread_getspecific(thread_key)) {
		mysql_thread_init();
		pthread_setspecific(thread_key, &thread_key);
	}
}

struct mysql_store *mysql_store_new(const struct mysql_config *config)
{
	struct mysql_store *store = mem_zero(1, sizeof(*store));
	const char *by = config->updated_by ? config->updated_by : "";

	store->config = config;
	store->fd = -1;
	store->routes = mem_zero((size_t)config->mapping->route_count, sizeof(*store->routes));
	store->updated_by = mem_strndup(by, strnlen(by, LEDGER_UPDATED_BY_BYTES));
	pthread_mutex_init(&store->mu, NULL);
	return store;
}

void mysql_store_free(struct mysql_store *store)
{
	if (!store)
		return;
	mysql_disconnect(store);
	pthread_mutex_destroy(&store->mu);
	free(store->writes.rows);
	free(store->writes.index);
	free(store->erases.rows);
	free(store->erases.index);
	free(store->binds);
	text_buffer_release(&store->packet);
	free(store->updated_by);
	free(store->routes);
	free(store);
}

static void statements_close(MYSQL_STMT **stmts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (stmts[i])
			mysql_stmt_close(stmts[i]);
		stmts[i] = NULL;
	}
}

void mysql_disconnect(struct mysql_store *store)
{
	pthread_mutex_lock(&store->mu);
	store->fd = -1;
	pthread_mutex_unlock(&store->mu);
	/* The connection first: it detaches the statements, which then say nothing to the server. */
	if (store->mysql)
		mysql_close(store->mysql);
	store->mysql = NULL;
	statements_close(store->fixed, FIXED_COUNT);
	for (int i = 0; i < store->config->mapping->route_count; i++) {
		struct mysql_route *route = &store->routes[i];

		statements_close(route->write, MYSQL_SHAPES);
		statements_close(route->erase, MYSQL_SHAPES);
		statements_close(route->read, MYSQL_SHAPES);
		statements_close(&route->scan, 1);
		statements_close(&route->scan_after, 1);
		statements_close(&route->array, 1);
		route->array_asked = false;
	}
	free(store->database);
	store->database = NULL;
}

void mysql_store_interrupt(struct mysql_store *store)
{
	pthread_mutex_lock(&store->mu);
	if (store->fd >= 0)
		shutdown(store->fd, SHUT_RDWR);
	pthread_mutex_unlock(&store->mu);
}

static unsigned seconds(int ms)
{
	return ms <= 0 ? 1 : (unsigned)(ms + 999) / 1000;
}

#ifdef LIBMARIADB
static void set_tls(struct mysql_store *store, bool on)
{
	const struct mysql_config *config = store->config;
	mysql_flag enforce = on, verify = config->tls == MYSQL_TLS_VERIFY;

	mysql_options(store->mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
	mysql_options(store->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (on && config->tls_ca)
		mysql_options(store->mysql, MYSQL_OPT_SSL_CA, config->tls_ca);
}

static int socket_of(MYSQL *mysql)
{
	return (int)mysql_get_socket(mysql);
}
#else
static void set_tls(struct mysql_store *store, bool on)
{
	static const enum mysql_ssl_mode modes[] = {SSL_MODE_DISABLED, SSL_MODE_PREFERRED,
		SSL_MODE_REQUIRED, SSL_MODE_VERIFY_IDENTITY};
	const struct mysql_config *config = store->config;
	enum mysql_ssl_mode mode = on ? modes[config->tls] : SSL_MODE_DISABLED;
	bool yes = true;

	mysql_options(store->mysql, MYSQL_OPT_SSL_MODE, &mode);
	if (on && config->tls_ca)
		mysql_options(store->mysql, MYSQL_OPT_SSL_CA, config->tls_ca);
	/* Without TLS a cold caching_sha2_password cache needs the server's key to log in. */
	if (!on)
		mysql_options(store->mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
}

static int socket_of(MYSQL *mysql)
{
	return (int)mysql->net.fd;
}
#endif

static enum verdict dial(struct mysql_store *store, bool tls, struct store_error *error)
{
	const struct mysql_config *config = store->config;
	unsigned connect_s = seconds(config->connect_timeout_ms);
	unsigned io_s = seconds(config->io_timeout_ms), tcp = MYSQL_PROTOCOL_TCP, no = 0;

	store->mysql = mysql_init(NULL);
	if (!store->mysql)
		abort();
	mysql_options(store->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(store->mysql, MYSQL_OPT_READ_TIMEOUT, &io_s);
	mysql_options(store->mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
	mysql_options(store->mysql, MYSQL_OPT_PROTOCOL, &tcp);
	mysql_options(store->mysql, MYSQL_OPT_LOCAL_INFILE, &no);
	mysql_options(store->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options4(store->mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "wt-consumer");
	set_tls(store, tls);
	/* FOUND_ROWS: an UPDATE counts the rows it matched, whether or not they changed. */
	if (mysql_real_connect(store->mysql, config->host, config->user,
		    config->password ? config->password : "", config->database,
		    (unsigned)config->port, NULL, CLIENT_FOUND_ROWS))
		return VERDICT_DONE;
	return mysql_failed(store, error);
}

/* "10.11.19-MariaDB-...", "8.0.36", "5.5.5-10.4..." (MariaDB's disguise for old replicas). */
static void server_kind(struct mysql_store *store, const char *version)
{
	unsigned major = 0, minor = 0, patch = 0;

	store->mariadb = strstr(version, "MariaDB") != NULL;
	if (sscanf(version, "%u.%u.%u", &major, &minor, &patch) < 2)
		major = 0;
	store->row_alias = !store->mariadb && major * 10000 + minor * 100 + patch >= 80019;
}

struct variables {
	bool log_bin, statement_binlog;
	int thread_pool_size;
};

int mysql_store_at_once(const struct mysql_store *store)
{
	return store->at_once;
}

/* The shortest of some trips. */
static bool is_near(struct mysql_store *store)
{
	for (int i = 0; i < NEAR_TRIES; i++) {
		int64_t start_ns = clock_mono_ns();

		if (mysql_ping(store->mysql) == 0 && clock_mono_ns() - start_ns < NEAR_NS)
			return true;
	}
	return false;
}

static enum verdict read_variables(
	struct mysql_store *store, struct variables *variables, struct store_error *error)
{
	MYSQL_RES *result;
	MYSQL_ROW row;
	enum verdict v = mysql_run(store,
		"SHOW VARIABLES WHERE Variable_name IN "
		"('version','max_allowed_packet','log_bin','binlog_format','thread_pool_size')",
		error);

	if (v != VERDICT_DONE)
		return v;
	result = mysql_store_result(store->mysql);
	if (!result)
		return mysql_failed(store, error);
	while ((row = mysql_fetch_row(result))) {
		const char *name = row[0], *value = row[1] ? row[1] : "";

		if (!strcmp(name, "version"))
			server_kind(store, value);
		else if (!strcmp(name, "max_allowed_packet"))
			store->packet_max = strtoul(value, NULL, 10);
		else if (!strcmp(name, "log_bin"))
			variables->log_bin = !strcasecmp(value, "ON");
		else if (!strcmp(name, "binlog_format"))
			variables->statement_binlog = !strcasecmp(value, "STATEMENT");
		else if (!strcmp(name, "thread_pool_size"))
			variables->thread_pool_size = atoi(value);
	}
	mysql_free_result(result);
	return VERDICT_DONE;
}

static enum verdict session_setup(struct mysql_store *store, struct store_error *error)
{
	struct variables variables = {.log_bin = false};
	unsigned io_s = seconds(store->config->io_timeout_ms);
	char sql[512], idle[64] = "";
	enum verdict v;

	store->packet_max = 1024 * 1024;
	store->at_once = 0;
	v = read_variables(store, &variables, error);
	if (v != VERDICT_DONE)
		return v;
	/* MariaDB's default is the number of processors, whether or not it uses the pool. */
	if (store->mariadb && is_near(store))
		store->at_once = variables.thread_pool_size;
	/* A server that logs statements refuses arrays. */
	store->arrays = !store->config->shapes_only && store->mariadb &&
			!(variables.log_bin && variables.statement_binlog);
	/*
	 * A frozen owner (or one whose machine vanished) between execute and commit holds the
	 * ledger's lock. MariaDB drops a transaction that idles; MySQL only knows idle sessions, so
	 * the owner pings while it has nothing to do (mysql_store_ping).
	 */
	if (store->config->idle_timeout_s > 0)
		snprintf(idle, sizeof(idle), ", %s=%d",
			store->mariadb ? "idle_write_transaction_timeout" : "wait_timeout",
			store->config->idle_timeout_s);
	snprintf(sql, sizeof(sql),
		"SET NAMES utf8mb4, autocommit=0, time_zone='+00:00', "
		"innodb_lock_wait_timeout=%u, "
		"sql_mode='STRICT_ALL_TABLES,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,"
		"ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', "
		"sql_select_limit=18446744073709551615%s",
		io_s > LOCK_WAIT_S ? LOCK_WAIT_S : 1, idle);
	v = mysql_run(store, sql, error);
	store->snapshot_needs_level = !(variables.log_bin && variables.statement_binlog);
	if (v == VERDICT_DONE && store->snapshot_needs_level)
		v = mysql_run(
			store, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", error);
	return v;
}

static enum verdict dial_by_mode(struct mysql_store *store, struct store_error *error)
{
	enum mysql_tls tls = store->config->tls;
	enum verdict v = dial(store, tls != MYSQL_TLS_OFF, error);
	const char *missing = NULL;

	/* PREFERRED takes what it can get. */
	if (v != VERDICT_DONE && tls == MYSQL_TLS_PREFERRED && !strcmp(error->class, "tls")) {
		mysql_disconnect(store);
		v = dial(store, false, error);
	}
	if (v == VERDICT_DONE)
		missing = mysql_tls_missing(
			store->mysql, tls >= MYSQL_TLS_REQUIRED, tls == MYSQL_TLS_VERIFY);
	return missing ? mysql_refuse(error, VERDICT_RECONNECT, "tls", "%s", missing) : v;
}

enum verdict mysql_store_connect(struct mysql_store *store, struct store_error *error)
{
	const struct mysql_config *config = store->config;
	enum verdict v;

	thread_begin();
	mysql_disconnect(store);
	v = dial_by_mode(store, error);
	if (v == VERDICT_DONE) {
		pthread_mutex_lock(&store->mu);
		store->fd = socket_of(store->mysql);
		pthread_mutex_unlock(&store->mu);
		v = session_setup(store, error);
	}
	if (v == VERDICT_DONE) {
		size_t length = strlen(config->database);

		store->database = mem_alloc(2 * length + 1);
		mysql_real_escape_string(
			store->mysql, store->database, config->database, (unsigned long)length);
		return VERDICT_DONE;
	}
	errmsg_wrap(&error->msg, "mysql %s:%d", config->host, config->port);
	mysql_disconnect(store);
	return v;
}

enum verdict mysql_store_ping(struct mysql_store *store, struct store_error *error)
{
	if (!store->mysql)
		return mysql_refuse(error, VERDICT_RECONNECT, "connection", "not connected");
	if (mysql_ping(store->mysql) == 0)
		return VERDICT_DONE;
	return mysql_failed(store, error);
}
