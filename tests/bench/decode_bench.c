/*
 * decode_bench: ns per record of what a worker does before the stores: json_reader alone, decode,
 * select, cache text; and jansson reading the same bytes. Prints one line each, the best of five.
 *
 *	build/bench/decode_bench [DISTINCT_KEYS]
 */
#include "common/clock.h"
#include "common/json_reader.h"
#include "common/mem.h"
#include "consumer/pipeline/cache_value.h"
#include "tests/lib/records.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORDS 500
#define TURNS	400
#define ROUNDS	5

static char texts[RECORDS][160];
static size_t lengths[RECORDS];
static struct mapping mapping;
static struct records *records;
static struct text_buffer buffer;

static void make_texts(unsigned keys)
{
	srand(1);
	for (int i = 0; i < RECORDS; i++)
		lengths[i] = (size_t)snprintf(texts[i], sizeof(texts[i]),
			"{\"id\":\"%08x\",\"name\":\"name of %d\",\"age\":%d,\"occupation\":"
			"\"engineer\"}",
			(unsigned)rand() % keys, i, i % 90);
}

static void read_alone(void)
{
	for (int i = 0; i < RECORDS; i++) {
		struct json_value key, value;
		struct json_reader r;

		json_object_begin(&r, texts[i], lengths[i]);
		while (json_object_next(&r, &key, &value) > 0)
			;
		if (r.error)
			abort();
	}
}

static void with_jansson(void)
{
	for (int i = 0; i < RECORDS; i++)
		json_decref(json_loadb(texts[i], lengths[i], 0, NULL));
}

static void decode_all(void)
{
	records_clear(records);
	for (int i = 0; i < RECORDS; i++) {
		if (!records_put_bytes(records, NULL, 0, texts[i], lengths[i]))
			abort();
	}
}

static void select_all(void)
{
	batch_select(&records->batch);
}

static void spell_all(void)
{
	buffer.used = 0;
	for (size_t i = 0; i < records->batch.selected_count; i++)
		cache_json_add(&buffer, records->batch.route, records->batch.selected[i]);
}

static void measure(const char *name, void (*run)(void))
{
	int64_t best = INT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		int64_t start = clock_mono_ns();

		for (int turn = 0; turn < TURNS; turn++)
			run();
		if (clock_mono_ns() - start < best)
			best = clock_mono_ns() - start;
	}
	printf("%-22s %7.1f ns a record\n", name, (double)best / (RECORDS * TURNS));
}

int main(int argc, char **argv)
{
	make_texts(argc > 1 ? (unsigned)atoi(argv[1]) : 20000);
	mapping_init_users(&mapping, "users");
	records = records_new(&mapping.routes[0]);
	printf("%d records of about %zu bytes a batch\n", RECORDS, lengths[0]);
	measure("json_reader", read_alone);
	measure("jansson", with_jansson);
	measure("decode", decode_all);
	measure("select (last, sorted)", select_all);
	measure("cache text", spell_all);
	records_free(records);
	mapping_release(&mapping);
	text_buffer_release(&buffer);
	return 0;
}
