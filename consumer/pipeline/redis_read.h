/*
 * redis_read: the cache as it is, for those who compare: fences and values of one moment, and the
 * keys there are. Nothing is written. One thread's, with the redis_store it is given. After any
 * answer but DONE replies may be outstanding: connect again.
 */
#ifndef CONSUMER_PIPELINE_REDIS_READ_H
#define CONSUMER_PIPELINE_REDIS_READ_H

#include "consumer/pipeline/cache_value.h"
#include "consumer/pipeline/redis_store.h"

enum cached {
	CACHED_ABSENT,
	CACHED_VALUE,
	CACHED_OTHER_TYPE, /* something that the mapping's format never writes */
};

/* What the cache holds for one row: an image, to be compared with cache_image_add()'s. */
struct cache_entry {
	enum cached state;
	size_t at, length; /* of the image in cache_read.text */
};

/* Zero-initialised is empty; buffers are kept from read to read. */
struct cache_read {
	struct fence *fences; /* of partitions 0.. */
	int32_t partitions;
	struct cache_entry *entries; /* one for each row asked for */
	size_t room;
	struct text_buffer text;
	struct text_buffer keys; /* scratch */
	size_t *key_ends;
};
void cache_read_release(struct cache_read *read);

/* All fences and the keys of `rows` (their key cells) in one MULTI. */
enum verdict redis_store_read(struct redis_store *store, const struct route *route,
	int32_t partitions, struct row *const *rows, size_t count, struct cache_read *read,
	struct store_error *error);

/* The image of a row that is cached as it should be. */
void cache_image_add(
	struct text_buffer *buffer, const struct route *route, const struct row *row);

/* Names of keys; zero-initialised is empty. Key i is text.data[i ? ends[i - 1] : 0 .. ends[i]). */
struct key_list {
	struct text_buffer text;
	size_t *ends;
	size_t count, room;
};
void key_list_release(struct key_list *list);

#define REDIS_CURSOR_CHARS 24

/*
 * Some of the keys that begin like the route's; replaces `list`. `cursor` begins as "0" and is
 * "0" again at the end. A key may come twice.
 */
enum verdict redis_store_scan(struct redis_store *store, const struct route *route,
	char *cursor, struct key_list *list, struct store_error *error);
/* `count` random keys of any sort (fewer when there are none); replaces `list`. */
enum verdict redis_store_random(struct redis_store *store, size_t count, struct key_list *list,
	struct store_error *error);
/* How many keys of any sort there are. */
enum verdict redis_store_size(
	struct redis_store *store, int64_t *keys, struct store_error *error);

#endif
