/*
 * account: every acknowledged record, remembered: offsets as bits (acks, always), distinct keys as
 * bits, an ids file if one is wanted, and, where the stores are to be asked at the end, who stands
 * at which offset (24 bytes a record, up to a cap). Loop thread, then check's caller.
 * open -> take... -> (record, for each) -> close.
 */
#ifndef LOADGEN_ACCOUNT_H
#define LOADGEN_ACCOUNT_H

#include "loadgen/acks.h"
#include "loadgen/request.h"
#include "loadgen/stats.h"

struct account_plan {
	const struct request *request; /* borrowed: it names the keys */
	uint64_t keys; /* distinct ones; 0: each request has its own */
	const char *ids_file; /* NULL: none */
	bool append; /* to it: an earlier run of the session began it */
	size_t remember_max; /* records that can be named at the end; 0: none */
};

/* An acknowledged record. */
struct account_record {
	uint64_t key;
	int64_t offset; /* -1: the answer named none */
	int32_t partition;
	int32_t topic; /* for account_topic */
};

struct account;

/* ERR_IO: the ids file. The plan is copied. */
int account_open(struct account **a, const struct account_plan *plan, struct errmsg *msg);
/* A 2xx; counted into `stats` and `acks`. */
void account_take(struct account *a, const struct http_call *call,
	const struct http_reply *reply, struct stats *stats, struct acks *acks);
uint64_t account_distinct(const struct account *a);
/* How many are remembered, how many came after the cap, and the i-th. */
size_t account_count(const struct account *a);
uint64_t account_beyond(const struct account *a);
const struct account_record *account_record(const struct account *a, size_t i);
const char *account_topic(const struct account *a, int topic);
int account_topic_number(const struct account *a, const char *topic); /* -1: never named */
/* Also frees; ERR_IO when the ids file could not be written to its end. NULL is fine. */
int account_close(struct account *a, struct errmsg *msg);

#endif
