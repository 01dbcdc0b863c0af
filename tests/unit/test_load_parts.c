/* loadgen's small parts: acknowledgements, templates, keys, the lag document, the account. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "loadgen/random.h"
#include "loadgen/request.h"
#include "loadgen/summary.h"
#include "loadgen/zipf.h"

/* --- acks --- */

static void an_acknowledgement_is_found_in_any_order(void **state)
{
	static const char text[] =
		"{\"topic\":\"users\", \"note\":\"\\\"offset\\\":9\",\"in\":{\"offset\":8},"
		"\"offset\" : 77,\"id\":\"offset\",\"partition\":3,\"in\":{\"offset\":8,"
		"\"partition\":1},\"list\":[{\"offset\":9}]}";
	struct ack ack;

	(void)state;
	assert_true(ack_parse(&ack, text, strlen(text)));
	assert_string_equal(ack.topic, "users");
	assert_int_equal(ack.partition, 3);
	assert_int_equal(ack.offset, 77);
}

static void an_answer_without_position_has_none(void **state)
{
	static const char *const texts[] = {"", "{}", "null",
		"{\"offset\":null,\"partition\":1}", "{\"offset\":-1,\"partition\":1}",
		"{\"offset\":5", "{\"offset\":", "\"", "{\"a\\",
		"{\"offset\":99999999999999999999,\"partition\":1}"};
	struct ack ack;

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_false(ack_parse(&ack, texts[i], strlen(texts[i])));
}

static enum ack_outcome add(struct acks *a, int partition, int64_t offset)
{
	struct ack ack = {.topic = "users", .partition = partition, .offset = offset};

	return acks_add(a, &ack);
}

static void what_lies_behind_an_offset_is_counted_exactly(void **state)
{
	struct acks *a = acks_new();
	const struct acks_partition *p;
	int64_t lowest;

	(void)state;
	for (int64_t i = 0; i < 200000; i++) {
		if (i % 3)
			assert_int_equal(add(a, 2, 1000000 + i), ACK_NEW);
	}
	assert_int_equal(add(a, 2, 1000001), ACK_AGAIN);
	assert_int_equal(add(a, 2, INT64_C(1) << 50), ACK_TOO_FAR);
	assert_int_equal(add(a, 2, 1), ACK_TOO_FAR);
	assert_int_equal(add(a, 2, 999990), ACK_NEW); /* a little earlier: overtaken */
	p = acks_next(a, NULL);
	assert_null(acks_next(a, p));
	assert_int_equal(acks_first(p), 999990);
	assert_int_equal(acks_last(p), 1199999);
	for (int64_t from = 1000000; from < 1200010; from += 4999) {
		uint64_t expected = 0;
		int64_t first = -1;

		for (int64_t i = from - 1000000; i < 200000; i++) {
			if (i % 3 && first < 0)
				first = 1000000 + i;
			expected += i % 3 != 0;
		}
		assert_int_equal(acks_beyond(p, from, &lowest), expected);
		assert_int_equal(lowest, first);
	}
	assert_int_equal(acks_beyond(p, 0, &lowest), acks_count(p));
	acks_free(a);
}

/* --- templates and keys --- */

static void render(struct http_text *out, const char *text, uint64_t seed, uint64_t sequence)
{
	struct template t;
	struct errmsg msg;
	struct template_values values = {seed, sequence, "k7", 2};

	assert_int_equal(template_compile(&t, text, &msg), 0);
	out->used = 0;
	template_render(&t, &values, out);
	http_text_add(out, "", 1);
	template_release(&t);
}

static void fields_are_filled_in(void **state)
{
	struct http_text out = {0};

	(void)state;
	render(&out, "{\"a\":{\"k\":\"{{key}}\",\"n\":{{seq}}}}", 1, 42);
	assert_string_equal(out.text, "{\"a\":{\"k\":\"k7\",\"n\":42}}");
	render(&out, "{{int:-3--3}} {{string:20}} {{choice:x}}", 1, 0);
	assert_int_equal(strlen(out.text), 2 + 1 + 20 + 1 + 1);
	assert_memory_equal(out.text, "-3 ", 3);
	render(&out, "{{uuid}}", 1, 0);
	assert_int_equal(strlen(out.text), 36);
	assert_int_equal(out.text[14], '4');
	free(out.text);
}

static void choices_follow_their_weights(void **state)
{
	struct http_text out = {0};
	int often = 0;

	(void)state;
	for (uint64_t i = 0; i < 4000; i++) {
		render(&out, "{{choice:a*3|b}}", 9, i);
		often += out.text[0] == 'a';
	}
	assert_in_range(often, 2850, 3150);
	free(out.text);
}

static void bad_fields_are_refused(void **state)
{
	static const char *const bad[] = {"{{", "{{key", "{{kee}}", "{{int:5}}", "{{int:9-1}}",
		"{{string:0}}", "{{string:x}}", "{{choice:a*0}}", "{{choice:a*x}}", "{{}}"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct template t;
		struct errmsg msg;

		assert_int_equal(template_compile(&t, bad[i], &msg), ERR_CONFIG);
		template_release(&t);
	}
}

static struct request *make_request(uint64_t keys, uint64_t seed)
{
	static struct conf_list none;
	struct http_url url = {.host = (char *)"h:1", .path = (char *)"/p"};
	struct request_plan plan = {.method = "POST",
		.headers = &none,
		.key_prefix = "u",
		.keys = keys,
		.seed = seed};
	struct request *r;
	struct errmsg msg;

	assert_int_equal(request_open(&r, &plan, &url, &msg), 0);
	return r;
}

static void the_record_is_valid_and_reproducible(void **state)
{
	struct request *r = make_request(0, 5), *again = make_request(0, 5);
	struct http_text a = {0}, b = {0};

	(void)state;
	for (uint64_t i = 0; i < 500; i++) {
		struct http_call call = {.sequence = i, .key = i};
		json_t *record;
		char *body;
		json_int_t age;

		a.used = b.used = 0;
		request_render(r, &call, &a);
		request_render(again, &call, &b);
		assert_int_equal(a.used, b.used);
		assert_memory_equal(a.text, b.text, a.used);
		http_text_add(&a, "", 1);
		body = strstr(a.text, "\r\n\r\n") + 4;
		assert_int_equal(strtoul(strstr(a.text, "Content-Length:") + 15, NULL, 10),
			strlen(body));
		record = json_loads(body, 0, NULL);
		assert_non_null(record);
		age = json_integer_value(json_object_get(record, "age"));
		assert_in_range(age, 18, 90);
		assert_true(json_is_string(json_object_get(record, "occupation")));
		assert_int_equal(
			strtoul(json_string_value(json_object_get(record, "id")) + 1, NULL, 10),
			i);
		json_decref(record);
	}
	free(a.text);
	free(b.text);
	request_close(r);
	request_close(again);
}

static void keys_stay_within_their_number(void **state)
{
	struct request *r = make_request(10, 5);
	int seen[10] = {0};

	(void)state;
	for (uint64_t i = 0; i < 10000; i++) {
		uint64_t key = request_key(r, i);

		assert_true(key < 10);
		assert_int_equal(key, request_key(r, i));
		seen[key]++;
	}
	for (int i = 0; i < 10; i++)
		assert_in_range(seen[i], 850, 1150);
	request_close(r);
}

/* Rounds and the steps of a search: a record that is there already would count as applied. */
static void a_later_run_has_ids_of_its_own(void **state)
{
	struct request *fresh = make_request(0, 5), *few = make_request(10, 5);
	uint64_t before = request_key(few, 3);

	(void)state;
	assert_int_equal(request_key(fresh, 3), 3);
	request_next_run(fresh, 100);
	assert_int_equal(request_key(fresh, 3), 103);
	request_next_run(fresh, 20);
	assert_int_equal(request_key(fresh, 0), 120);
	request_next_run(few, 100);
	assert_int_equal(request_key(few, 3), before);
	request_close(fresh);
	request_close(few);
}

/* The share of key k is 1 / k^s over their sum. */
static void zipf_has_the_shares_of_its_law(void **state)
{
	static const double skews[] = {0.5, 1, 1.5};
	const int picks = 200000, n = 50;

	(void)state;
	for (size_t i = 0; i < sizeof(skews) / sizeof(skews[0]); i++) {
		int seen[50] = {0};
		uint64_t random = 11;
		double sum = 0;
		struct zipf z;

		zipf_init(&z, (uint64_t)n, skews[i]);
		for (int k = 1; k <= n; k++)
			sum += pow(k, -skews[i]);
		for (int k = 0; k < picks; k++)
			seen[zipf_pick(&z, &random)]++;
		for (int k = 1; k <= n; k++) {
			double expected = picks * pow(k, -skews[i]) / sum;

			assert_true(fabs(seen[k - 1] - expected) < 6 * sqrt(expected) + 1);
		}
	}
}

/* --- lag --- */

static void unknown_lag_is_never_zero(void **state)
{
	static const char text[] =
		"{\"topic\":\"users\",\"partitions\":[{\"partition\":0,\"lag\":4,\"end\":10,"
		"\"committed\":6,\"lag_seconds\":0.5},{\"partition\":1,\"lag\":null}]}";
	struct lag_look look;

	(void)state;
	lag_look_init(&look);
	assert_true(lag_look_parse(&look, text, strlen(text)));
	assert_false(look.known);
	assert_int_equal(look.total, -1);
	assert_int_equal(look.partitions[0].lag, 4);
	assert_int_equal(look.partitions[1].lag, -1);
	assert_true(isnan(look.partitions[1].seconds));
	assert_non_null(strstr(look.why, "partition 1"));
	lag_look_release(&look);
	lag_look_init(&look);
	assert_false(lag_look_parse(&look, "nonsense", 8));
	assert_int_equal(look.total, -1);
	lag_look_release(&look);
}

static struct lag_look look_of(int64_t lag, double seconds, int workers)
{
	struct lag_look look;
	struct look_partition *p;

	lag_look_init(&look);
	p = lag_look_add(&look);
	p->lag = lag;
	p->seconds = seconds;
	look.workers = workers;
	lag_look_total(&look);
	return look;
}

static void see(struct stats *s, int64_t lag, double seconds, int workers)
{
	struct lag_look look = look_of(lag, seconds, workers);

	stats_lag(s, &look, 1000000000);
	lag_look_release(&look);
}

/* The chart shows what the summary calls the highest; the next second begins anew. */
static void a_second_shows_the_worst_look_of_it(void **state)
{
	struct stats s;
	struct stats_row *row;

	(void)state;
	stats_init(&s);
	see(&s, 5, 0.1, 1);
	see(&s, 500, 0.2, 1);
	see(&s, 3, 0.3, 2);
	row = stats_row_end(&s, 1000000000);
	assert_int_equal(row->lag, 500);
	assert_int_equal(row->lags[0], 500);
	assert_true(row->lag_seconds > 0.29);
	assert_int_equal(row->workers, 2);
	see(&s, 2, 0, 2);
	assert_int_equal(stats_row_end(&s, 2000000000)->lag, 2);
	assert_int_equal(stats_row_end(&s, 3000000000)->lag, 2); /* nobody looked */
	see(&s, -1, NAN, -1);
	assert_int_equal(stats_row_end(&s, 4000000000)->lag, -1);
	see(&s, 7, 0, 2);
	assert_int_equal(s.lag_max, 500);
	assert_int_equal(s.marks_count, 3);
	assert_string_equal(s.marks[0].text, "workers 1 -> 2");
	assert_string_equal(s.marks[1].text, "lag unknown");
	assert_string_equal(s.marks[2].text, "lag known again");
	stats_release(&s);
}

static void acknowledged_but_not_passed_is_pending_then_lost(void **state)
{
	struct summary s;
	struct look_partition *p;

	(void)state;
	summary_init(&s);
	for (int i = 0; i < 10; i++)
		add(s.acks, 0, i);
	p = lag_look_add(&s.stats.lag);
	*p = (struct look_partition){.id = 0, .end = 10, .committed = 6, .lag = 4};
	lag_look_total(&s.stats.lag);
	summary_account(&s);
	assert_true(s.account_known);
	assert_int_equal(s.pending, 4);
	assert_int_equal(s.lost, 0);
	assert_false(summary_all_passed(&s, &s.stats.lag));
	/* the topic ends before them: no waiting will bring them back */
	s.pending = s.lost = 0;
	*p = (struct look_partition){.id = 0, .end = 6, .committed = 6, .lag = 0};
	lag_look_total(&s.stats.lag);
	summary_account(&s);
	assert_int_equal(s.lost, 4);
	assert_int_equal(s.pending, 0);
	/* an end that was seen before the last answer came accuses nobody */
	s.pending = s.lost = 0;
	s.stats.last_done_ns = s.stats.lag.asked_ns + 1;
	summary_account(&s);
	assert_int_equal(s.lost, 0);
	assert_int_equal(s.pending, 4);
	summary_release(&s);
}

/* Then it was passed, whatever the end says now. */
static void what_the_group_has_passed_is_not_lost_beyond_a_lower_end(void **state)
{
	struct summary s;
	struct look_partition *p;

	(void)state;
	summary_init(&s);
	for (int i = 0; i < 10; i++)
		add(s.acks, 0, i);
	p = lag_look_add(&s.stats.lag);
	*p = (struct look_partition){.id = 0, .end = 6, .committed = 8, .lag = 0};
	lag_look_total(&s.stats.lag);
	summary_account(&s);
	assert_int_equal(s.lost, 2);
	assert_int_equal(s.pending, 0);
	summary_release(&s);
}

static void a_missing_record_is_judged_by_its_own_partition_and_a_known_end(void **state)
{
	struct lag_look look;
	struct check_moment moment = {.lag = &look, .last_answer_ns = 5};

	(void)state;
	lag_look_init(&look);
	look.asked_ns = 6;
	*lag_look_add(&look) = (struct look_partition){
		.topic = "others", .id = 0, .end = 100, .committed = 100};
	*lag_look_add(&look) =
		(struct look_partition){.topic = "users", .id = 0, .end = 20, .committed = 5};
	assert_true(check_is_pending(&moment, "users", 0, 7));
	assert_false(check_is_pending(&moment, "users", 0, 4)); /* passed */
	assert_false(check_is_pending(&moment, "users", 0, 20)); /* beyond the end */
	assert_false(check_is_pending(&moment, "others", 0, 7));
	assert_true(check_is_pending(&moment, "users", 1, 7)); /* nobody said a word of it */
	look.partitions[1].end = -1;
	assert_true(check_is_pending(&moment, "users", 0, 20));
	moment.lag = NULL;
	assert_false(check_is_pending(&moment, "users", 0, 7));
	lag_look_release(&look);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_acknowledgement_is_found_in_any_order),
		cmocka_unit_test(an_answer_without_position_has_none),
		cmocka_unit_test(what_lies_behind_an_offset_is_counted_exactly),
		cmocka_unit_test(fields_are_filled_in),
		cmocka_unit_test(choices_follow_their_weights),
		cmocka_unit_test(bad_fields_are_refused),
		cmocka_unit_test(the_record_is_valid_and_reproducible),
		cmocka_unit_test(keys_stay_within_their_number),
		cmocka_unit_test(a_later_run_has_ids_of_its_own),
		cmocka_unit_test(zipf_has_the_shares_of_its_law),
		cmocka_unit_test(unknown_lag_is_never_zero),
		cmocka_unit_test(a_second_shows_the_worst_look_of_it),
		cmocka_unit_test(acknowledged_but_not_passed_is_pending_then_lost),
		cmocka_unit_test(what_the_group_has_passed_is_not_lost_beyond_a_lower_end),
		cmocka_unit_test(
			a_missing_record_is_judged_by_its_own_partition_and_a_known_end),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
