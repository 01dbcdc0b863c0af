/*
 * answer: what becomes of a record, said to whoever asked: a request alone, or its line of a
 * batch. Each function ends the slot's wish to be told. The loop's thread only.
 */
#ifndef PRODUCER_ANSWER_H
#define PRODUCER_ANSWER_H

#include "producer/http/service.h"

/* The brokers have it at slot->partition, `offset`; with Prefer: wait the answer comes later. */
void answer_stored(struct service *service, struct inflight *slot, int64_t offset);
/* Prefer: respond-async, for a request alone. */
void answer_async(struct service *service, struct inflight *slot);
/* 504: it may be stored or not. */
void answer_unknown(struct service *service, struct inflight *slot, const char *reason);
void answer_too_large(struct service *service, struct inflight *slot);
/* It was never queued: `err` of kafka_out_send(). */
void answer_not_queued(struct service *service, struct inflight *slot, int err);
/* fence_wait_end */
void answer_applied(void *user, struct fence_waiter *waiter, bool applied);

/*
 * 503 for too much, or for brokers that are away; a moment later, or refusing costs a core.
 * Nothing was queued.
 */
void answer_refuse(struct service *service, struct http_request *request, bool down);
/* The refusals whose moment has come. */
void answer_refusals(struct service *service, int64_t now_ms);

#endif
