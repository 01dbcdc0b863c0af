/* consumer/failure: what an error of a store means for a record. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <string.h>

#include "consumer/failure/mysql_verdict.h"
#include "consumer/failure/redis_verdict.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static void all_are(enum verdict verdict, const unsigned *codes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (mysql_verdict(codes[i])->verdict != verdict)
			fail_msg("%u is %s, not %s", codes[i],
				verdict_name(mysql_verdict(codes[i])->verdict),
				verdict_name(verdict));
	}
}

static void deadlock_is_not_a_data_error(void **state)
{
	static const unsigned codes[] = {1205, 1213, 1040, 1290, 1836, 1114, 1021, 1317, 1969};

	(void)state;
	all_are(VERDICT_RETRY, codes, COUNT(codes));
	assert_string_equal(mysql_verdict(1213)->class, "deadlock");
	assert_string_equal(mysql_verdict(1205)->class, "lock_timeout");
	assert_string_equal(mysql_verdict(1290)->class, "read_only");
}

static void a_lost_connection_costs_no_attempt(void **state)
{
	static const unsigned codes[] = {
		1053, 2002, 2003, 2006, 2013, 1927, 4031, 2005, 2026, 1243, 2055};

	(void)state;
	all_are(VERDICT_RECONNECT, codes, COUNT(codes));
}

static void a_row_that_never_fits_is_poison(void **state)
{
	static const unsigned codes[] = {1048, 1264, 1265, 1366, 1406, 3140, 3819, 4025, 1062,
		1292, 1452, 1644, 1365, 1441, 4037};

	(void)state;
	all_are(VERDICT_POISON, codes, COUNT(codes));
	assert_string_equal(mysql_verdict(1406)->class, "too_long");
	assert_string_equal(mysql_verdict(1062)->class, "duplicate");
}

static void schema_and_rights_are_fatal(void **state)
{
	static const unsigned codes[] = {
		1044, 1045, 1049, 1054, 1142, 1146, 1064, 1698, 1364, 1130, 3159};

	(void)state;
	all_are(VERDICT_FATAL, codes, COUNT(codes));
}

static void an_unknown_error_costs_time_never_a_record(void **state)
{
	static const unsigned codes[] = {0, 1, 1105, 65535, 9999, 1999};

	(void)state;
	all_are(VERDICT_RETRY, codes, COUNT(codes));
	assert_string_equal(mysql_verdict(1105)->class, "unknown");
	assert_string_equal(mysql_verdict_of(30001, "HY000")->class, "unknown");
	assert_string_equal(mysql_verdict_of(30001, "45000")->class, "signal");
	assert_int_equal(redis_verdict("SOMETHING new")->verdict, VERDICT_RETRY);
	assert_string_equal(redis_verdict("")->class, "unknown");
}

static void each_number_stands_in_the_table_once(void **state)
{
	size_t count;
	const struct mysql_verdict *table = mysql_verdict_table(&count);

	(void)state;
	assert_true(count > 100);
	for (size_t i = 0; i < count; i++) {
		assert_ptr_equal(mysql_verdict(table[i].code), &table[i]);
		assert_true(table[i].verdict != VERDICT_DONE);
		assert_true(table[i].verdict != VERDICT_MOVED);
		assert_true(table[i].class[0]);
	}
}

static void the_row_is_read_from_the_end_of_the_message(void **state)
{
	(void)state;
	assert_int_equal(mysql_verdict_row("Data too long for column 'name' at row 7"), 7);
	assert_int_equal(
		mysql_verdict_row("Incorrect value: ' at row 3' for `a` at row 12"), 12);
	assert_int_equal(mysql_verdict_row("Incorrect value: ' at row 3' for column"), 0);
	assert_int_equal(mysql_verdict_row("Column 'name' cannot be null"), 0);
	assert_int_equal(mysql_verdict_row("at row 5"), 0);
	assert_int_equal(mysql_verdict_row("x at row 99999999999999999999"), 0);
	assert_int_equal(mysql_verdict_row(""), 0);
	assert_int_equal(mysql_verdict_row("7"), 0);
}

static void redis_answers_have_their_verdicts(void **state)
{
	static const struct {
		const char *text;
		enum verdict verdict;
		const char *class;
	} cases[] = {
		{"OOM command not allowed when used memory > 'maxmemory'.", VERDICT_RETRY,
			"oom"},
		{"MISCONF Redis is configured to save RDB snapshots", VERDICT_RETRY, "misconf"},
		{"LOADING Redis is loading the dataset in memory", VERDICT_RETRY, "loading"},
		{"BUSY Redis is busy running a script.", VERDICT_RETRY, "busy"},
		{"MASTERDOWN Link with MASTER is down", VERDICT_RETRY, "not_ready"},
		{"NOREPLICAS Not enough good replicas to write.", VERDICT_RETRY, "not_ready"},
		{"CLUSTERDOWN Hash slot not served", VERDICT_RETRY, "not_ready"},
		{"TRYAGAIN Multiple keys request", VERDICT_RETRY, "not_ready"},
		{"NOSCRIPT No matching script.", VERDICT_RETRY, "no_script"},
		{"READONLY You can't write against a read only replica.", VERDICT_RECONNECT,
			"read_only"},
		{"ERR max number of clients reached", VERDICT_RECONNECT, "connections"},
		{"NOAUTH Authentication required.", VERDICT_FATAL, "rights"},
		{"WRONGPASS invalid username-password pair", VERDICT_FATAL, "rights"},
		{"NOPERM this user has no permissions", VERDICT_FATAL, "rights"},
		{"DENIED Redis is running in protected mode", VERDICT_FATAL, "rights"},
		{"ERR invalid password", VERDICT_FATAL, "rights"},
		{"ERR Client sent AUTH, but no password is set", VERDICT_FATAL, "rights"},
		{"ERR AUTH <password> called without any password", VERDICT_FATAL, "rights"},
		{"ERR DB index is out of range", VERDICT_FATAL, "schema"},
		{"ERR unknown command 'EVALSHA'", VERDICT_FATAL, "schema"},
		{"WRONGTYPE Operation against a key", VERDICT_FATAL, "schema"},
		{"MOVED 3999 127.0.0.1:6381", VERDICT_FATAL, "cluster"},
		{"ASK 3999 127.0.0.1:6381", VERDICT_FATAL, "cluster"},
		{"CROSSSLOT Keys in request don't hash to the same slot", VERDICT_FATAL,
			"cluster"},
		/* Redis 6 wraps what happened inside a script. */
		{"ERR Error running script (call to f_ab12): @user_script:3: @user_script: 3: "
		 "-OOM command not allowed when used memory > 'maxmemory'.",
			VERDICT_RETRY, "oom"},
		{"ERR Error running script (call to f_ab12): @user_script:3: @user_script: 3: "
		 "-READONLY You can't write against a read only replica.",
			VERDICT_RECONNECT, "read_only"},
		{"ERR Error running script (call to f_ab12): @user_script:3: WRONGTYPE "
		 "Operation",
			VERDICT_RETRY, "unknown"},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct redis_verdict *row = redis_verdict(cases[i].text);

		if (row->verdict != cases[i].verdict || strcmp(row->class, cases[i].class))
			fail_msg("%s: %s %s", cases[i].text, verdict_name(row->verdict),
				row->class);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(deadlock_is_not_a_data_error),
		cmocka_unit_test(a_lost_connection_costs_no_attempt),
		cmocka_unit_test(a_row_that_never_fits_is_poison),
		cmocka_unit_test(schema_and_rights_are_fatal),
		cmocka_unit_test(an_unknown_error_costs_time_never_a_record),
		cmocka_unit_test(each_number_stands_in_the_table_once),
		cmocka_unit_test(the_row_is_read_from_the_end_of_the_message),
		cmocka_unit_test(redis_answers_have_their_verdicts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
