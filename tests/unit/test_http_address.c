/* common/http_address: what a listen option means, judged by the address. */
#include "common/http_address.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static bool is_loopback(const char *listen)
{
	struct sockaddr_storage address;
	struct errmsg msg;

	assert_int_equal(http_address_parse(listen, &address, &msg), 0);
	return http_address_is_loopback(&address);
}

static void loopback_is_what_only_this_machine_reaches(void **state)
{
	(void)state;
	assert_true(is_loopback("127.0.0.1:8080"));
	assert_true(is_loopback("127.1.2.3:80"));
	assert_true(is_loopback("[::1]:8080"));
	assert_true(is_loopback("localhost:8080"));
	assert_false(is_loopback("0.0.0.0:8080"));
	assert_false(is_loopback(":8080"));
	assert_false(is_loopback("[::]:8080"));
	assert_false(is_loopback("10.0.0.1:8080"));
}

static void what_is_no_address_is_said(void **state)
{
	static const char *const bad[] = {"", "8080", "127.0.0.1:", "[::1]8080", "::1]:1",
		"127.0.0.1:http:80", "no such host:80", "127.0.0.1:99999x", "127.0.0.1:65536"};
	struct sockaddr_storage address;
	struct errmsg msg;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(http_address_parse(bad[i], &address, &msg), ERR_CONFIG);
		assert_non_null(strstr(msg.text, "is not HOST:PORT"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loopback_is_what_only_this_machine_reaches),
		cmocka_unit_test(what_is_no_address_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
