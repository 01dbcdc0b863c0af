/* consumer/mapping: the built-in one, the file, and every mistake with its line. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/mem.h"
#include "consumer/mapping.h"

static char path[] = "/tmp/wt-mapping-XXXXXX";
static struct mapping mapping;
static struct errmsg msg;

static int load(const char *text)
{
	FILE *out = fopen(path, "w");

	assert_non_null(out);
	fputs(text, out);
	fclose(out);
	return mapping_init_file(&mapping, path, &msg);
}

static int setup(void **state)
{
	int fd = mkstemp(path);

	(void)state;
	close(fd);
	return fd < 0;
}

static int teardown(void **state)
{
	(void)state;
	return unlink(path);
}

/* The file is refused, and its mistakes are these, in this order ("LINE: words", parts of them). */
static void refused(const char *text, const char *const *mistakes)
{
	const char *at = msg.text;
	size_t count = 0;

	if (load(text) != ERR_CONFIG)
		fail_msg("taken: %s", text);
	assert_null(mapping.routes); /* nothing is left to release */
	for (; mistakes[count]; count++) {
		const char *end;
		char *line, *wanted;
		size_t colon = strcspn(mistakes[count], ":");

		assert_true(*at != 0);
		end = at + strcspn(at, "\n");
		line = mem_strndup(at, (size_t)(end - at));
		wanted = mem_printf("%s:%.*s: ", path, (int)colon, mistakes[count]);
		if (strncmp(line, wanted, strlen(wanted)) != 0 ||
			!strstr(line, mistakes[count] + colon + 2))
			fail_msg("mistake %zu is \"%s\", not \"%s\"", count, line,
				mistakes[count]);
		free(wanted);
		free(line);
		at = *end ? end + 1 : end;
	}
	if (*at)
		fail_msg("and more: %s", at);
}

#define REFUSED(text, ...) refused(text, (const char *const[]){__VA_ARGS__, NULL})

/* A whole route around some columns or some cache. */
#define COLUMNS(columns)                                                                       \
	"{\"routes\":[{\"topic\":\"t\",\"table\":\"t\",\n\"columns\":[\n" columns "]}]}"
#define KEY "{\"field\":\"k\",\"type\":\"string\",\"key\":true}"

static void the_built_in_one_is_users(void **state)
{
	const struct route *route;

	(void)state;
	mapping_init_users(&mapping, "orders");
	route = mapping_route(&mapping, "orders");
	assert_non_null(route);
	assert_null(mapping_route(&mapping, "users"));
	assert_string_equal(route->table, "users");
	assert_int_equal(route->column_count, 4);
	assert_int_equal(route->key_count, 1);
	assert_int_equal(route->cache, CACHE_JSON);
	assert_int_equal(route->cache_key_count, 2);
	assert_string_equal(route->cache_key[0].literal, "user:");
	assert_int_equal(route->columns[2].type, COLUMN_INT);
	mapping_release(&mapping);
}

static void a_whole_file_is_understood(void **state)
{
	const struct route *route;

	(void)state;
	if (load("{\"routes\": [\n"
		 " {\"topic\": \"a.b-c\", \"table\": \"a$1\", \"columns\": [\n"
		 "  {\"field\": \"x.y\", \"column\": \"z\", \"type\": \"int\", \"key\": "
		 "true},\n"
		 "  {\"field\": \"w\", \"type\": \"bytes\", \"nullable\": true, \"default\": "
		 "\"AAE=\"},\n"
		 "  {\"field\": \"v\", \"default\": null, \"nullable\": true}],\n"
		 "  \"cache\": {\"key\": \"a:{x.y}!\", \"format\": \"hash\", \"ttl\": 60}},\n"
		 " {\"topic\": \"log\", \"table\": \"log\", \"mode\": \"append\",\n"
		 "  \"columns\": [{\"field\": \"line\", \"type\": \"string\"}]}]}\n") != 0)
		fail_msg("%s", msg.text);
	assert_int_equal(mapping.route_count, 2);
	route = &mapping.routes[0];
	assert_int_equal(route->line, 2);
	assert_int_equal(route->columns[0].line, 3);
	assert_int_equal(route->columns[0].path_length, 2);
	assert_string_equal(route->columns[0].path[1], "y");
	assert_string_equal(route->columns[0].column, "z");
	assert_int_equal(route->columns[1].default_cell.length, 2);
	assert_memory_equal(route->columns[1].default_cell.text, "\0\1", 2);
	assert_true(route->columns[2].has_default);
	assert_int_equal(route->columns[2].default_cell.kind, CELL_NULL);
	assert_int_equal(route->columns[2].type, COLUMN_STRING);
	assert_int_equal(route->cache, CACHE_HASH);
	assert_int_equal(route->cache_ttl_s, 60);
	assert_int_equal(route->cache_key_count, 3);
	assert_int_equal(mapping.routes[1].mode, ROUTE_APPEND);
	assert_int_equal(mapping.routes[1].cache, CACHE_NONE);
	assert_int_equal(mapping.routes[1].index, 1);
	mapping_release(&mapping);
}

static void all_mistakes_come_at_once_with_their_lines(void **state)
{
	(void)state;
	REFUSED("{\"routes\": [\n"
		" {\"topic\": \"t\", \"table\": \"t\", \"tabel\": \"x\",\n"
		"  \"columns\": [\n"
		"   {\"field\": \"a\", \"type\": \"text\", \"key\": 1},\n"
		"   {\"field\": \"b\", \"column\": \"b c\"}],\n"
		"  \"cache\": {\"key\": \"x:{c}\", \"ttl\": -1}}],\n"
		" \"more\": 1}\n",
		"7: unknown member \"more\" of the mapping",
		"2: unknown member \"tabel\" of a route",
		"4: \"type\" must be one of string, int, double",
		"4: \"key\" must be true or false", "5: 'b c' may hold letters",
		"6: \"ttl\" must be a whole number",
		"2: mode upsert needs a column with \"key\": true");
}

static void what_does_not_fit_is_counted(void **state)
{
	char text[4096] = "{\"routes\":[{\"topic\":\"t\",\"table\":\"t\",\"columns\":[" KEY;

	(void)state;
	for (int i = 0; i < 50; i++)
		strncat(text, ",{\"field\":\"f\",\"type\":7}", sizeof(text) - strlen(text) - 1);
	strncat(text, "]}]}", sizeof(text) - strlen(text) - 1);
	assert_int_equal(load(text), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "\nand "));
	assert_non_null(strstr(msg.text, " more"));
}

static void columns_are_checked(void **state)
{
	(void)state;
	REFUSED(COLUMNS("{\"type\":\"string\"}"), "3: a column needs \"field\"",
		"1: mode upsert needs a column");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"a..b\",\"column\":\"x\"}"), "4: empty part");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"a.b\"}"), "4: 'a.b' is no column name");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"a`b\"}"), "4: 'a`b' is no column name");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"K\"}"), "4: column 'K' is mapped twice");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"a\",\"field\":\"b\"}"),
		"4: \"field\" is there twice");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"a\",\"type\":\"int\",\"default\":\"x\"}"),
		"4: \"default\": field 'a' must be a whole number");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"a\",\"type\":\"bytes\",\"default\":\"A\"}"),
		"4: \"default\": field 'a' must be base64");
	REFUSED(COLUMNS(KEY ",\n{\"field\":\"a\",\"default\":null}"),
		"4: \"default\" is null but the column is not nullable");
	REFUSED(COLUMNS("{\"field\":\"k\",\"key\":true,\"nullable\":true}"),
		"3: a key column cannot be nullable");
	REFUSED(COLUMNS("{\"field\":\"k\",\"key\":true,\"type\":\"double\"}"),
		"3: a key column cannot be of type double");
	REFUSED(COLUMNS("7"), "3: a column must be a JSON object",
		"1: mode upsert needs a column");
	REFUSED(COLUMNS(""), "1: a route needs \"columns\"");
}

static void names_that_would_need_quoting_are_refused(void **state)
{
	(void)state;
	REFUSED("{\"routes\":[{\"topic\":\"a b\",\"table\":\"db.t\",\"columns\":[" KEY "]}]}",
		"1: \"topic\": 'a b'", "1: \"table\": 'db.t'");
	REFUSED("{\"routes\":[{\"topic\":\"t\",\"table\":\"t\\u0060\",\"columns\":[" KEY "]}]}",
		"1: \"table\"");
	REFUSED("{\"routes\":[{\"topic\":\"t\",\"columns\":[" KEY "]}]}",
		"1: a route needs \"topic\" and \"table\"");
}

#define CACHE(cache)                                                                           \
	"{\"routes\":[{\"topic\":\"t\",\"table\":\"t\",\"columns\":[" KEY                      \
	",{\"field\":\"v\"}],\n\"cache\":" cache "}]}"

static void cache_keys_are_checked(void **state)
{
	(void)state;
	REFUSED(CACHE("{}"), "2: \"cache\" needs \"key\"");
	REFUSED(CACHE("{\"key\":\"user\"}"), "2: must contain every key field");
	REFUSED(CACHE("{\"key\":\"u:{k}{v}\"}"), "2: key fields only");
	REFUSED(CACHE("{\"key\":\"u:{x}\"}"), "2: no mapped field");
	REFUSED(CACHE("{\"key\":\"u:{k\"}"), "2: brace");
	REFUSED(CACHE("{\"key\":\"u:k}\"}"), "2: brace");
	REFUSED(CACHE("{\"key\":\"u:{k}\",\"format\":\"xml\"}"),
		"2: \"format\" must be one of json, hash");
	REFUSED(CACHE("{\"key\":\"u:{k}\",\"ttl\":1.5}"), "2: \"ttl\"");
	REFUSED(CACHE("{\"key\":\"u:{k}\",\"ttl\":9223372036854775807}"), "2: \"ttl\"");
	REFUSED(CACHE("[]"), "2: \"cache\" must be a JSON object");
	REFUSED(CACHE("{\"key\":\"{k}\"}"), "2: must begin with a fixed text");
	REFUSED(CACHE("{\"key\":\"w{k}\"}"), "2: the key of a fence");
	REFUSED(CACHE("{\"key\":\"writethrough:{k}\"}"), "2: the key of a fence");
	REFUSED(CACHE("{\"key\":\"u:{k}{k}\"}"), "2: must stand between two fields");
	REFUSED("{\"routes\":[{\"topic\":\"t\",\"table\":\"t\",\"mode\":\"append\",\"columns\":"
		"["
		"{\"field\":\"v\"}],\n\"cache\":{\"key\":\"u:{v}\"}}]}",
		"2: mode append has no keys");
}

#define TWO(type, key)                                                                         \
	"{\"routes\":[{\"topic\":\"t\",\"table\":\"t\",\"columns\":["                          \
	"{\"field\":\"a\",\"type\":\"" type "\",\"key\":true},"                                \
	"{\"field\":\"b\",\"type\":\"" type "\",\"key\":true}],\n"                             \
	"\"cache\":{\"key\":\"" key "\"}}]}"

/* 1 and 101, 101 and 1: both would be u:10101 */
static void two_rows_never_share_a_cache_key(void **state)
{
	(void)state;
	REFUSED(TWO("int", "u:{a}0{b}"), "2: could be a part of the first one");
	REFUSED(TWO("bytes", "u:{a}A{b}"), "2: could be a part of the first one");
	assert_int_equal(load(TWO("int", "u:{a}-{b}")), 0);
	mapping_release(&mapping);
	assert_int_equal(load(TWO("string", "u:{a}0{b}")), 0); /* decode looks at each text */
	mapping_release(&mapping);
}

#define ROUTE(topic, table, key)                                                               \
	"{\"topic\":\"" topic "\",\"table\":\"" table "\",\"columns\":[" KEY                   \
	"],\"cache\":{\"key\":\"" key "\"}}"

static void routes_may_not_meet(void **state)
{
	(void)state;
	REFUSED("{\"routes\":[" ROUTE("a", "a", "a:{k}") ",\n" ROUTE("a", "b", "b:{k}") "]}",
		"2: topic 'a' has two routes");
	REFUSED("{\"routes\":[" ROUTE("a", "a", "a:{k}") ",\n" ROUTE("b", "a", "b:{k}") "]}",
		"2: table 'a' has two routes");
	REFUSED("{\"routes\":[" ROUTE("a", "a", "a:{k}") ",\n" ROUTE("b", "b", "a:b:{k}") "]}",
		"2: the routes of line 1");
	assert_int_equal(load("{\"routes\":[" ROUTE("a", "a", "a:{k}") "," ROUTE(
				 "b", "b", "b:{k}") "]}"),
		0);
	mapping_release(&mapping);
}

static void what_is_no_mapping_is_refused(void **state)
{
	(void)state;
	REFUSED("", "1: the mapping must be a JSON object");
	REFUSED("[]", "1: the mapping must be a JSON object");
	REFUSED("{\n\"routes\": [{]}", "2: not valid JSON");
	REFUSED("{}", "1: \"routes\" is missing or empty");
	REFUSED("{\"routes\":7}", "1: \"routes\" must be an array", "1: \"routes\" is missing");
	assert_int_equal(
		mapping_init_file(&mapping, "/nowhere/mapping.json", &msg), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "/nowhere/mapping.json"));
	assert_int_equal(mapping_init_file(&mapping, "/tmp", &msg), ERR_CONFIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_built_in_one_is_users),
		cmocka_unit_test(a_whole_file_is_understood),
		cmocka_unit_test(all_mistakes_come_at_once_with_their_lines),
		cmocka_unit_test(what_does_not_fit_is_counted),
		cmocka_unit_test(columns_are_checked),
		cmocka_unit_test(names_that_would_need_quoting_are_refused),
		cmocka_unit_test(cache_keys_are_checked),
		cmocka_unit_test(two_rows_never_share_a_cache_key),
		cmocka_unit_test(routes_may_not_meet),
		cmocka_unit_test(what_is_no_mapping_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
