#include "producer/http/mysql_session.h"

#include "common/http_server.h"
#include "common/mem.h"
#include "common/mysql_tls.h"
#include "producer/http/put_text.h"

#include <mysql.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct mysql_session {
	const struct mysql_reader_config *config;
	MYSQL *mysql; /* NULL when closed */
	pthread_mutex_t mu;
	int fd; /* under mu; -1 when closed */
};

void mysql_session_library_begin(void)
{
	mysql_library_init(0, NULL, NULL);
}

void mysql_session_thread_begin(void)
{
	mysql_thread_init();
}

void mysql_session_thread_end(void)
{
	mysql_thread_end();
}

struct mysql_session *mysql_session_new(const struct mysql_reader_config *config)
{
	struct mysql_session *session = mem_zero(1, sizeof(*session));

	session->config = config;
	session->fd = -1;
	pthread_mutex_init(&session->mu, NULL);
	return session;
}

void mysql_session_free(struct mysql_session *session)
{
	pthread_mutex_destroy(&session->mu);
	free(session);
}

static void set_fd(struct mysql_session *session, int fd)
{
	pthread_mutex_lock(&session->mu);
	session->fd = fd;
	pthread_mutex_unlock(&session->mu);
}

void mysql_session_close(struct mysql_session *session)
{
	set_fd(session, -1);
	if (session->mysql)
		mysql_close(session->mysql);
	session->mysql = NULL;
}

void mysql_session_interrupt(struct mysql_session *session)
{
	pthread_mutex_lock(&session->mu);
	if (session->fd >= 0)
		shutdown(session->fd, SHUT_RDWR);
	pthread_mutex_unlock(&session->mu);
}

bool mysql_session_is_open(const struct mysql_session *session)
{
	return session->mysql != NULL;
}

/* The words of the last error; the connection is not used again. */
static int lost(struct mysql_session *session, struct errmsg *msg)
{
	errmsg_set(msg, ERR_UNAVAILABLE, "%s", mysql_error(session->mysql));
	mysql_session_close(session);
	return ERR_UNAVAILABLE;
}

#ifdef LIBMARIADB
static void set_tls(struct mysql_session *session, bool on)
{
	my_bool enforce = on, verify = session->config->tls == READER_TLS_VERIFY;

	mysql_options(session->mysql, MYSQL_OPT_SSL_ENFORCE, &enforce);
	mysql_options(session->mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
	if (on && session->config->tls_ca)
		mysql_options(session->mysql, MYSQL_OPT_SSL_CA, session->config->tls_ca);
}

static int socket_of(MYSQL *mysql)
{
	return (int)mysql_get_socket(mysql);
}
#else
static void set_tls(struct mysql_session *session, bool on)
{
	static const enum mysql_ssl_mode modes[] = {SSL_MODE_DISABLED, SSL_MODE_PREFERRED,
		SSL_MODE_REQUIRED, SSL_MODE_VERIFY_IDENTITY};
	enum mysql_ssl_mode mode = on ? modes[session->config->tls] : SSL_MODE_DISABLED;
	bool yes = true;

	mysql_options(session->mysql, MYSQL_OPT_SSL_MODE, &mode);
	if (on && session->config->tls_ca)
		mysql_options(session->mysql, MYSQL_OPT_SSL_CA, session->config->tls_ca);
	/* Without TLS a cold caching_sha2_password cache needs the server's key to log in. */
	if (!on)
		mysql_options(session->mysql, MYSQL_OPT_GET_SERVER_PUBLIC_KEY, &yes);
}

static int socket_of(MYSQL *mysql)
{
	return (int)mysql->net.fd;
}
#endif

static int dial(struct mysql_session *session, bool tls, struct errmsg *msg)
{
	const struct mysql_reader_config *c = session->config;
	unsigned connect_s = (unsigned)(c->connect_timeout_ms + 999) / 1000;
	unsigned io_s = (unsigned)(c->io_timeout_ms + 999) / 1000, tcp = MYSQL_PROTOCOL_TCP;

	session->mysql = mysql_init(NULL);
	if (!session->mysql)
		abort();
	mysql_options(session->mysql, MYSQL_OPT_CONNECT_TIMEOUT, &connect_s);
	mysql_options(session->mysql, MYSQL_OPT_READ_TIMEOUT, &io_s);
	mysql_options(session->mysql, MYSQL_OPT_WRITE_TIMEOUT, &io_s);
	mysql_options(session->mysql, MYSQL_OPT_PROTOCOL, &tcp);
	mysql_options(session->mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
	mysql_options4(
		session->mysql, MYSQL_OPT_CONNECT_ATTR_ADD, "program_name", "wt-producer");
	set_tls(session, tls);
	if (!mysql_real_connect(session->mysql, c->host, c->user,
		    c->password ? c->password : "", c->database, (unsigned)c->port, NULL, 0))
		return lost(session, msg);
	set_fd(session, socket_of(session->mysql));
	return 0;
}

int mysql_session_open(struct mysql_session *session, struct errmsg *msg)
{
	enum mysql_reader_tls tls = session->config->tls;
	const char *missing = NULL;
	int err;

	mysql_session_close(session);
	err = dial(session, tls != READER_TLS_OFF, msg);
	if (err != 0 && tls == READER_TLS_PREFERRED)
		err = dial(session, false, msg);
	if (err == 0)
		missing = mysql_tls_missing(
			session->mysql, tls >= READER_TLS_REQUIRED, tls == READER_TLS_VERIFY);
	if (missing) {
		mysql_session_close(session);
		err = errmsg_set(msg, ERR_UNAVAILABLE, "%s", missing);
	}
	return err;
}

/* The id as a hexadecimal literal: nothing in it can be read as SQL. */
static size_t write_query(
	const struct mysql_session *session, const char *id, size_t length, char *sql)
{
	static const char hex[] = "0123456789abcdef";
	char *at = PUT(sql, "SELECT id, name, age, occupation FROM `");

	at = put(at, session->config->table, strlen(session->config->table));
	at = PUT(at, "` WHERE id = _utf8mb4 X'");
	for (size_t i = 0; i < length; i++) {
		*at++ = hex[(unsigned char)id[i] >> 4];
		*at++ = hex[id[i] & 15];
	}
	at = PUT(at, "'");
	return (size_t)(at - sql);
}

static char *row_json(MYSQL_ROW row, const unsigned long *lengths, size_t *length)
{
	static const char *const names[] = {
		"{\"id\":", ",\"name\":", ",\"age\":", ",\"occupation\":"};
	size_t room = 64 + 6 * (lengths[0] + lengths[1] + lengths[2] + lengths[3]) + 40;
	char *text = mem_alloc(room), *at = text;

	for (int i = 0; i < 4; i++) {
		at = put(at, names[i], strlen(names[i]));
		if (!row[i])
			at = PUT(at, "null");
		else if (i == 2)
			at = put(at, row[i], lengths[i]);
		else
			at += http_json_quote(
				at, (size_t)(text + room - at), row[i], lengths[i]);
	}
	at = PUT(at, "}\n");
	*length = (size_t)(at - text);
	return text;
}

int mysql_session_row(struct mysql_session *session, const char *id, size_t id_length,
	char **row, size_t *length, struct errmsg *msg)
{
	char sql[256 + 2 * MYSQL_READER_ID_BYTES];
	size_t sql_length = write_query(session, id, id_length, sql);
	MYSQL_RES *result;
	MYSQL_ROW found;

	*row = NULL;
	if (mysql_real_query(session->mysql, sql, (unsigned long)sql_length) != 0)
		return lost(session, msg);
	result = mysql_store_result(session->mysql);
	if (!result)
		return lost(session, msg);
	found = mysql_fetch_row(result);
	if (found)
		*row = row_json(found, mysql_fetch_lengths(result), length);
	mysql_free_result(result);
	return 0;
}
