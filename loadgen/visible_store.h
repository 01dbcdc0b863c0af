/* visible_store: "which of these keys are there?", asked of MySQL or Redis. Part of visible. */
#ifndef LOADGEN_VISIBLE_STORE_H
#define LOADGEN_VISIBLE_STORE_H

#include "loadgen/visible.h"

#define VISIBLE_KEY_BYTES 96
#define VISIBLE_AT_ONCE	  200

struct visible_sample {
	char key[VISIBLE_KEY_BYTES];
	int64_t due_ns;
	bool found;
};

/* What one thread has to ask with. */
struct visible_link {
	void *connection;
	int (*look)(void *connection, struct visible_sample *samples, size_t count,
		struct errmsg *msg); /* sets found; ERR_UNAVAILABLE */
	void (*close)(void *connection);
};

int visible_link_mysql(
	struct visible_link *link, const struct visible_config *config, struct errmsg *msg);
int visible_link_redis(
	struct visible_link *link, const struct visible_config *config, struct errmsg *msg);
/* For the MySQL library, which wants to know of a thread's begin and end. */
void visible_thread_begin(void);
void visible_thread_end(void);

#endif
