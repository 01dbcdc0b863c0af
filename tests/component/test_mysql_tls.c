/*
 * consumer/pipeline/mysql_store over TLS: what each mode promises, it does.  needs: mariadb
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "consumer/pipeline/mysql_store.h"
#include "tests/lib/stores.h"
#include "tests/lib/users.h"

static struct test_server server, plain;
static struct mysql_config config;
static struct store_error error;

static const struct test_server *use(const struct test_server *to)
{
	config = test_mysql_config(to);
	return to;
}

/* 1 encrypted, 0 not, -1 no connection. */
static int connected_as(
	const char *host, const struct test_server *to, enum mysql_tls tls, const char *ca)
{
	struct mysql_store *store;
	MYSQL *root = test_mysql_root(use(to));
	long id, encrypted = -1;

	config.host = host;
	config.tls = tls;
	config.tls_ca = ca;
	store = mysql_store_new(&config);
	if (mysql_store_connect(store, &error) == VERDICT_DONE) {
		id = test_sql_long(root, 0,
			"SELECT ID FROM information_schema.PROCESSLIST WHERE DB='wt' AND "
			"ID<>CONNECTION_ID() ORDER BY ID DESC LIMIT 1");
		assert_true(id > 0);
		/* what the server says of that session */
		encrypted = test_sql_long(root, -1,
			!strstr(mysql_get_server_info(root), "MariaDB")
				? "SELECT LENGTH(VARIABLE_VALUE)>0 FROM "
				  "performance_schema.status_by_thread s JOIN "
				  "performance_schema.threads t USING (THREAD_ID) WHERE "
				  "VARIABLE_NAME='Ssl_cipher' AND PROCESSLIST_ID=%ld"
				: "SELECT VARIABLE_VALUE>0 FROM "
				  "information_schema.GLOBAL_STATUS WHERE "
				  "VARIABLE_NAME='Ssl_finished_accepts' AND %ld",
			id);
	}
	mysql_store_free(store);
	mysql_close(root);
	return (int)encrypted;
}

static int connected(const struct test_server *to, enum mysql_tls tls, const char *ca)
{
	return connected_as(to->host, to, tls, ca);
}

static void off_is_plain_and_required_is_encrypted(void **state)
{
	(void)state;
	assert_int_equal(connected(&server, MYSQL_TLS_OFF, NULL), 0);
	assert_int_equal(connected(&server, MYSQL_TLS_REQUIRED, NULL), 1);
	assert_int_equal(connected(&server, MYSQL_TLS_PREFERRED, NULL), 1);
}

static void verify_believes_nobody_without_the_right_authority(void **state)
{
	(void)state;
	assert_int_equal(connected(&server, MYSQL_TLS_VERIFY, NULL), -1);
	assert_string_equal(error.class, "tls");
	if (!getenv("WT_TEST_MYSQL")) { /* its certificate names no address */
		char ca[100];

		snprintf(ca, sizeof(ca), "%s/cert.pem", server.folder);
		assert_int_equal(connected(&server, MYSQL_TLS_VERIFY, ca), 1);
		/* the right authority, but the certificate is for 127.0.0.1 */
		assert_int_equal(connected_as("localhost", &server, MYSQL_TLS_REQUIRED, ca), 1);
		assert_int_equal(connected_as("localhost", &server, MYSQL_TLS_VERIFY, ca), -1);
		assert_string_equal(error.class, "tls");
	}
}

static void a_server_without_tls_is_refused_unless_it_was_only_preferred(void **state)
{
	(void)state;
	assert_int_equal(connected(&plain, MYSQL_TLS_REQUIRED, NULL), -1);
	assert_string_equal(error.class, "tls");
	assert_int_equal(connected(&plain, MYSQL_TLS_VERIFY, NULL), -1);
	assert_true(connected(&plain, MYSQL_TLS_PREFERRED, NULL) >= 0);
	assert_true(connected(&plain, MYSQL_TLS_OFF, NULL) >= 0);
}

static int setup(void **state)
{
	(void)state;
	test_mysql_start(&server);
	test_mysql_start_plain(&plain);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	test_server_stop(&server);
	test_server_stop(&plain);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(off_is_plain_and_required_is_encrypted),
		cmocka_unit_test(verify_believes_nobody_without_the_right_authority),
		cmocka_unit_test(a_server_without_tls_is_refused_unless_it_was_only_preferred),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
