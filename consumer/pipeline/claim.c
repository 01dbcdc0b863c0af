/*
 * The start of a partition, as docs/protocol/README.md has it:
 *   1. the fence: f, seen (or none)       3. is it the same log?
 *   2. the ledger, FOR UPDATE: n          4. by case: run, catch up, heal, a new fence
 */
#include "consumer/pipeline/claim.h"

#include "common/clock.h"
#include "common/fault.h"
#include "common/log.h"
#include "consumer/pipeline/log_position.h"
#include "consumer/pipeline/rebuild.h"

#include <inttypes.h>
#include <stdio.h>

struct claim {
	const struct pipeline *pipeline;
	struct mysql_store *mysql;
	struct redis_store *redis;
	struct partition *p;
	struct fence fence;
	struct ledger ledger;
	bool first; /* the ledger row is made by this claim */
	bool blank; /* partition.blank */
	int64_t low, high;
	struct store_error *error;
};

static void refuse(struct claim *c, const char *class)
{
	c->error->store = "kafka";
	c->error->class = class;
	c->error->code = 0;
	c->error->row = -1;
}

static enum verdict fatal(struct claim *c, const char *class, const char *what)
{
	const struct partition *p = c->p;

	refuse(c, class);
	errmsg_set(&c->error->msg, ERR_REFUSED,
		"%s [%d]: %s (ledger at %" PRId64 ", fence at %" PRId64
		", the log holds %" PRId64 "..%" PRId64
		"). To go on: wt-consumer reset --group %s --topic %s --partition %d "
		"--to earliest|latest|OFFSET",
		p->route->topic, p->id, what, c->ledger.next,
		c->fence.exists ? c->fence.next : -1, c->low, c->high, c->pipeline->group,
		p->route->topic, p->id);
	return VERDICT_FATAL;
}

static enum verdict kafka_unavailable(struct claim *c)
{
	c->error->store = "kafka";
	c->error->class = "connection";
	c->error->row = -1;
	return VERDICT_RETRY;
}

/* The brokers did not say when it was assigned: no answer is not the answer that there is none. */
static enum verdict ask_committed(struct claim *c)
{
	struct partition *p = c->p;
	rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
	rd_kafka_resp_err_t err;

	rd_kafka_topic_partition_list_add(list, p->route->topic, p->id);
	err = rd_kafka_committed(c->pipeline->kafka, list, c->pipeline->kafka_timeout_ms);
	if (!err)
		err = list->elems[0].err;
	if (!err) {
		p->committed = list->elems[0].offset >= 0 ? list->elems[0].offset : -1;
		p->committed_unknown = false;
	}
	rd_kafka_topic_partition_list_destroy(list);
	if (!err)
		return VERDICT_DONE;
	errmsg_set(&c->error->msg, ERR_UNAVAILABLE, "kafka: committed offset of %s [%d]: %s",
		p->route->topic, p->id, rd_kafka_err2str(err));
	return kafka_unavailable(c);
}

/*
 * No ledger row: the group's committed offset, or where a new group starts. With a fence there the
 * ledger once existed, so MySQL lost it, perhaps with the rows: only the whole log heals that.
 */
static enum verdict create_ledger(struct claim *c)
{
	struct partition *p = c->p;
	int64_t next = c->pipeline->start_latest ? c->high : c->low;
	enum verdict v = p->committed_unknown ? ask_committed(c) : VERDICT_DONE;

	if (v != VERDICT_DONE)
		return v;
	c->ledger = (struct ledger){.exists = true, .next = -1, .last_timestamp = -1};
	if (c->fence.exists && c->fence.next > 0) {
		if (c->low > 0)
			return fatal(c, "ledger_lost",
				"the ledger is gone though the cache was written, and the log "
				"no "
				"longer holds everything");
		next = 0;
		log_event(LOG_WARN, "ledger_lost", LOG_F("topic", LOG_STR(p->route->topic)),
			LOG_F("partition", LOG_INT(p->id)),
			LOG_F("fence", LOG_INT(c->fence.next)),
			LOG_F("action", LOG_STR("MySQL is written again from the whole log")));
	} else if (p->committed >= 0) {
		next = p->committed;
	}
	c->ledger.next = next;
	c->first = true;
	return mysql_store_create_position(c->mysql, p->route, p->id, next, c->error);
}

/*
 * The mark of a cache that lost something. There is nothing to mend where there is no cache, nor
 * where table and cache were empty at the start and nobody had a position yet: whoever writes a row
 * of this partition makes its ledger first, and this claim found none and made it.
 */
static void make_rebuild_id(const struct claim *c, const char *why, char id[FENCE_ID_BYTES])
{
	id[0] = '\0';
	if (c->p->route->cache != CACHE_NONE)
		snprintf(id, FENCE_ID_BYTES, "%" PRId64 "-%s%" PRId64, clock_wall_us(), why,
			c->ledger.next);
}

/* None there, or one whose positions count in a ledger that was reset since. */
static enum verdict new_fence(struct claim *c)
{
	struct fence wanted = {.next = c->ledger.next, .generation = c->ledger.generation};
	struct partition *p = c->p;
	enum verdict v;

	if (!(c->blank && c->first && !c->fence.exists))
		make_rebuild_id(c, "", wanted.rebuild);
	v = redis_store_create_fence(c->redis, p->route, p->id, &c->fence, &wanted, c->error);
	if (v == VERDICT_DONE) {
		log_event(LOG_INFO, "fence_created", LOG_F("topic", LOG_STR(p->route->topic)),
			LOG_F("partition", LOG_INT(p->id)), LOG_F("next", LOG_INT(wanted.next)),
			LOG_F("replaced",
				LOG_STR(c->fence.exists ? "one from before a reset" : "none")));
		atomic_store(&p->rebuild_mark, rebuild_mark(wanted.rebuild));
	}
	return v;
}

static void enter(struct claim *c, enum partition_mode mode, int64_t position, int64_t cap)
{
	struct partition *p = c->p;

	if (mode != MODE_RUN)
		log_event(LOG_WARN, mode == MODE_HEAL ? "mysql_behind" : "redis_behind",
			LOG_F("topic", LOG_STR(p->route->topic)),
			LOG_F("partition", LOG_INT(p->id)), LOG_F("from", LOG_INT(position)),
			LOG_F("to", LOG_INT(cap)));
	/* In another generation the same offsets may be other records. */
	if (p->generation != c->ledger.generation)
		p->whole_until = p->told_until = 0;
	p->generation = c->ledger.generation;
	p->position = position;
	p->cap = cap;
	p->next = mode;
	partition_set_mode(p, mode);
}

/* The records [f, n) are gone from Kafka: nobody can name their keys any more. */
static enum verdict jump_fence(struct claim *c)
{
	struct partition *p = c->p;
	char id[FENCE_ID_BYTES];
	enum verdict v;

	make_rebuild_id(c, "jump-", id);
	v = redis_store_jump(
		c->redis, p->route, p->id, &c->fence, c->ledger.next, id, c->error);
	if (v == VERDICT_DONE) {
		log_event(LOG_WARN, "redis_behind_expired_range",
			LOG_F("topic", LOG_STR(p->route->topic)),
			LOG_F("partition", LOG_INT(p->id)),
			LOG_F("from", LOG_INT(c->fence.next)),
			LOG_F("to", LOG_INT(c->ledger.next)));
		atomic_store(&p->rebuild_mark, rebuild_mark(id));
		enter(c, MODE_RUN, c->ledger.next, INT64_MAX);
	}
	return v;
}

static enum verdict by_case(struct claim *c)
{
	int64_t n = c->ledger.next, f = c->fence.next;
	int64_t ahead = c->fence.seen > f ? c->fence.seen : f;
	enum verdict v;

	if (!c->fence.exists || c->fence.generation != c->ledger.generation) {
		v = new_fence(c);
		if (v == VERDICT_DONE)
			enter(c, MODE_RUN, n, INT64_MAX);
		return v;
	}
	if (c->p->route->cache != CACHE_NONE)
		atomic_store(&c->p->rebuild_mark, rebuild_mark(c->fence.rebuild));
	if (n < ahead) {
		if (ahead > c->high)
			return fatal(c, "other_log",
				"the cache has seen records beyond the log's end");
		enter(c, MODE_HEAL, n, ahead);
	} else if (f == n) {
		enter(c, MODE_RUN, n, INT64_MAX);
	} else if (f < c->low) {
		return jump_fence(c);
	} else {
		enter(c, MODE_CATCH_UP, f, n);
	}
	return VERDICT_DONE;
}

/* The record at n-1 tells whether this is the log that the ledger counts in. */
static enum verdict check_log(struct claim *c)
{
	struct partition *p = c->p;

	if (!c->ledger.has_digest || c->ledger.next - 1 < c->low)
		return VERDICT_DONE;
	if (log_seek(c->pipeline->kafka, p, c->ledger.next - 1, c->pipeline->kafka_timeout_ms,
		    &c->error->msg) != 0)
		return kafka_unavailable(c);
	p->digest = c->ledger.last_digest;
	p->check_position = c->ledger.next;
	partition_set_mode(p, MODE_CHECK);
	return VERDICT_DONE;
}

/*
 * Partitions were added while we ran: keys have moved between them, and have two orders until the old
 * ones are drained. What there was at start goes on, and is drained.
 */
static enum verdict check_count(struct claim *c)
{
	const struct partition *p = c->p;

	if (p->route->partitions == 0 || p->id < p->route->partitions)
		return VERDICT_DONE;
	refuse(c, "partitions");
	errmsg_set(&c->error->msg, ERR_REFUSED,
		"%s [%d]: the topic had %d partitions at start, and keys have moved between "
		"them. When the old ones are drained, stop the group, then: wt-consumer reset "
		"--group %s --topic %s --accept-partitions N --execute",
		p->route->topic, p->id, p->route->partitions, c->pipeline->group,
		p->route->topic);
	return VERDICT_FATAL;
}

enum verdict claim_partition(const struct pipeline *pipeline, struct mysql_store *mysql,
	struct redis_store *redis, struct partition *p, struct store_error *error)
{
	struct claim c = {.pipeline = pipeline,
		.mysql = mysql,
		.redis = redis,
		.p = p,
		.blank = p->blank,
		.error = error};
	enum verdict v;

	p->blank = false;
	partition_drop_batch(p);
	atomic_store(&p->settled, -1);
	v = check_count(&c);
	if (v != VERDICT_DONE)
		return v;
	v = redis_store_fence(redis, p->route, p->id, &c.fence, error);
	if (v != VERDICT_DONE)
		return v;
	FAULT_POINT("start_after_fence");
	v = mysql_store_position(mysql, p->route, p->id, &c.ledger, error);
	if (v != VERDICT_DONE)
		return v;
	FAULT_POINT("start_after_ledger");
	if (log_ends(pipeline->kafka, p, pipeline->kafka_timeout_ms, &c.low, &c.high,
		    &error->msg))
		return kafka_unavailable(&c);
	/* Is it not there after all, intake sees a gap in its first record and asks again. */
	if (p->from_start && p->stream < 0)
		p->stream = c.low;
	p->from_start = false;
	if (!c.ledger.exists) {
		v = create_ledger(&c);
		if (v != VERDICT_DONE)
			return v;
	}
	if (c.high < c.ledger.next)
		return fatal(&c, "other_log",
			"the log ends before the ledger's position: the topic was "
			"truncated or created anew");
	if (c.low > c.ledger.next)
		return fatal(&c, "expired", "records that were never applied have expired");
	v = by_case(&c);
	return v == VERDICT_DONE ? check_log(&c) : v;
}
