/* The way to librdkafka: at the end of a turn of the loop, by partition, what gather.h lets go. */
#include "producer/http/kafka_out_private.h"

#include "common/clock.h"

/* Records of one partition that go while the turn goes on: the brokers can begin with them. */
#define NOT_EVEN_THE_TURN 64

static void on_waited(uv_timer_t *timer);

static int produce(struct kafka_out *out, const struct kafka_out_record *record)
{
	if (rd_kafka_produce(out->rkt, record->gather.partition, 0, record->value,
		    record->value_length, record->key, record->key_length,
		    (void *)(uintptr_t)record) == 0)
		return 0;
	switch (rd_kafka_last_error()) {
	case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
		return ERR_INVALID;
	case RD_KAFKA_RESP_ERR__QUEUE_FULL:
		return ERR_FULL;
	default:
		return ERR_UNAVAILABLE;
	}
}

static void hand_over(struct kafka_out *out, int32_t partition)
{
	struct gather_record *next = gather_take(&out->gather, partition);

	while (next) {
		struct kafka_out_record *record = (struct kafka_out_record *)(void *)next;
		int err;

		next = next->next;
		err = produce(out, record);
		if (err == 0)
			continue;
		gather_done(&out->gather);
		out->config.on_refused(out->config.user, record, err);
	}
}

static void hand_over_what_may_go(struct kafka_out *out)
{
	int64_t now = clock_mono_ns(), due;
	int32_t partition;

	while ((partition = gather_next(&out->gather, now)) != GATHER_NONE)
		hand_over(out, partition);
	out->left = out->gather.waiting;
	due = gather_due_ns(&out->gather);
	if (due == INT64_MAX)
		uv_timer_stop(&out->waited);
	else
		uv_timer_start(&out->waited, on_waited, (uint64_t)(due - now) / 1000000 + 1, 0);
}

static void on_waited(uv_timer_t *timer)
{
	hand_over_what_may_go(timer->data);
}

static void on_turn(uv_idle_t *turn)
{
	struct kafka_out *out = turn->data;

	uv_idle_stop(turn);
	/* All of it came at once, from one client or two: there are no others to wait for. */
	if (out->left == 0 && out->gather.under_way == 0)
		out->all_go = true;
	for (int32_t i = 0; out->all_go && i < out->gather.partitions; i++)
		hand_over(out, i);
	out->all_go = false;
	hand_over_what_may_go(out);
}

void kafka_out_gather_init(struct kafka_out *out, uv_loop_t *loop)
{
	uv_idle_init(loop, &out->turn);
	uv_timer_init(loop, &out->waited);
	out->turn.data = out->waited.data = out;
}

void kafka_out_look_again(struct kafka_out *out)
{
	uv_idle_start(&out->turn, on_turn);
}

void kafka_out_add(struct kafka_out *out, struct kafka_out_record *record)
{
	if (gather_add(&out->gather, &record->gather, clock_mono_ns()) >= NOT_EVEN_THE_TURN)
		hand_over(out, record->gather.partition);
	kafka_out_look_again(out);
}

void kafka_out_go(struct kafka_out *out)
{
	out->all_go = true;
	kafka_out_look_again(out);
}

int kafka_out_send(struct kafka_out *out, struct kafka_out_record *record)
{
	int err;

	hand_over(out, record->gather.partition); /* those before it stay before it */
	err = produce(out, record);
	if (err == 0)
		out->gather.under_way++;
	return err;
}

void kafka_out_hurry(struct kafka_out *out)
{
	out->gather.max_ns = 0;
	hand_over_what_may_go(out);
}
