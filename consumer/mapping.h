/*
 * mapping: which JSON field of a topic's records goes to which column and into which cache key.
 * Read from a JSON file (docs/mapping.md) or built in for the `users` topic; read-only afterwards,
 * so any thread may look at it.
 */
#ifndef CONSUMER_MAPPING_H
#define CONSUMER_MAPPING_H

#include "common/err.h"
#include "consumer/pipeline/row.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum column_type {
	COLUMN_STRING,
	COLUMN_INT,
	COLUMN_DOUBLE,
	COLUMN_BOOL,
	COLUMN_DATETIME, /* ISO 8601 text, or milliseconds since 1970; stored with milliseconds */
	COLUMN_JSON, /* any value, as its text */
	COLUMN_BYTES, /* base64 text */
};

struct column {
	char *field; /* as written: "address.city" */
	char **path; /* its members, path_length of them */
	size_t *path_bytes; /* their lengths */
	int path_length;
	char *member; /* "\"address.city\":", as the cache's JSON has it; NULL = not made */
	size_t member_bytes;
	char *column; /* the SQL name */
	enum column_type type;
	bool key;
	bool nullable;
	bool has_default; /* used when the field is absent */
	struct cell default_cell; /* text owned by the mapping */
	const char *separator; /* what parts it from the next field in the cache key, or NULL */
	/* How much text the table's column holds, as found at start; 0 = not known. */
	uint32_t max_chars, max_bytes;
	int line; /* in the mapping file, for errors; 0 = built in */
};

enum route_mode { ROUTE_UPSERT, ROUTE_APPEND };
/* A record's Kafka key is not its row's key: its order against the row's other records is chance. */
enum key_mismatch { KEY_MISMATCH_WARN, KEY_MISMATCH_DEADLETTER, KEY_MISMATCH_ALLOW };
enum cache_format { CACHE_NONE, CACHE_JSON, CACHE_HASH };

/* A piece of a cache key template: literal text, or the column whose text comes here. */
struct cache_key_part {
	char *literal; /* NULL when it is a column */
	int column;
};

struct route {
	int index; /* in the mapping; stores keep their per-route state by it */
	char *topic;
	char *table;
	enum route_mode mode;
	struct column *columns;
	int column_count;
	bool flat; /* every field is a member of the record itself, and no two are the same one */
	int *keys; /* indices of the key columns, key_count of them; 0 in append mode */
	int key_count;
	enum key_mismatch key_mismatch; /* of option key.mismatch */
	enum cache_format cache;
	struct cache_key_part *cache_key;
	int cache_key_count;
	int64_t cache_ttl_s; /* 0 = for ever */
	int32_t partitions; /* its keys are spread over, as found at start; 0 = not known */
	int line;
};

struct mapping {
	char *source; /* file name, or "built-in mapping" */
	struct route *routes;
	int route_count;
};

/* The built-in one: TOPIC -> users(id, name, age, occupation), cache user:{id} as JSON. */
void mapping_init_users(struct mapping *mapping, const char *topic);
/* Every mistake of the file is in msg, one "FILE:LINE: ..." each, as far as they fit. */
int mapping_init_file(struct mapping *mapping, const char *path, struct errmsg *msg);
void mapping_release(struct mapping *mapping);

/* The route of a topic, or NULL. */
const struct route *mapping_route(const struct mapping *mapping, const char *topic);

#endif
