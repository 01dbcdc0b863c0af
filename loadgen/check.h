/*
 * check: the end of the account. Every acknowledged id is looked for in MySQL and in Redis; one
 * that is missing is searched among the dead letters, by where its record stood. What is in neither
 * place is pending while the group's committed offset is behind it, and lost when it is not: named,
 * with its offset. Blocks, after the load. Main thread.
 */
#ifndef LOADGEN_CHECK_H
#define LOADGEN_CHECK_H

#include "loadgen/account.h"
#include "loadgen/lag_look.h"
#include "loadgen/visible.h"

#include <librdkafka/rdkafka.h>

struct check_config {
	const struct visible_config *stores;
	size_t ids_max; /* acknowledged ids that are remembered; later ones are not checked */
	int wait_ms; /* how long a missing record may still appear */
	const rd_kafka_conf_t
		*kafka; /* to read the dead letters with; NULL: they are unknown */
	const char *letters_topic; /* NULL: TOPIC.dlq */
	const char *lost_file; /* every lost id, a line each; NULL: none */
};

#define CHECK_LISTED 1000 /* lost ids that a report names */

struct check_lost {
	char *id, *topic;
	int partition;
	int64_t offset;
	bool in_mysql, in_redis;
};

struct check_result {
	bool done;
	uint64_t ids, applied, deadlettered, pending, lost;
	uint64_t missing_mysql, missing_redis;
	uint64_t unchecked; /* acknowledged after ids_max */
	struct check_lost *list; /* the first CHECK_LISTED of the lost */
	size_t listed;
	char letters_unknown[200]; /* why the dead letters could not be read; "" */
};

/* When and beside what the account is made up. */
struct check_moment {
	const struct lag_look *lag; /* the last look; NULL without a source */
	int64_t last_answer_ns; /* a look that is older says nothing about ends */
	int64_t started_ms; /* wall clock: no letter is older */
	bool append; /* to lost_file: an earlier run of the session began it */
};

/*
 * A store that does not answer is ERR_UNAVAILABLE; `lost_file` ERR_IO. A signal ends it early: 0, and
 * the result is not `done`.
 */
int check_ids(const struct check_config *config, const struct account *account,
	const struct request *request, const struct check_moment *moment,
	struct check_result *result, struct errmsg *msg);
/* Of a record that is missing: is it still to come, as far as the look can tell? */
bool check_is_pending(
	const struct check_moment *moment, const char *topic, int partition, int64_t offset);
void check_release(struct check_result *result);

#endif
