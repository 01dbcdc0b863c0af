#include "loadgen/driver.h"

#include "common/clock.h"
#include "common/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#define COALESCE_NS 20000

struct due {
	uint64_t sequence;
	int64_t due_ns;
};

struct driver {
	uv_poll_t poll;
	int timer;
	struct schedule *schedule;
	struct driver_handlers handlers;
	struct driver_counts counts;
	int64_t start_ns, next_ns; /* next_ns: absolute; -1 = no more */
	int64_t armed_ns;
	bool finished, pumping;
	/* ring */
	struct due *backlog;
	size_t room, max, head, used;
};

static void advance(struct driver *d)
{
	int64_t due = schedule_next_ns(d->schedule);

	d->next_ns = due < 0 ? -1 : d->start_ns + due;
}

/*
 * Wakes the loop for the next due request: to the nanosecond at human rates, at most every
 * COALESCE_NS at very high ones. A timer that fires earlier is left alone: setting it is a system
 * call per request. With a backlog the answers pump, so nothing is lost by not waking.
 */
static void arm(struct driver *d, int64_t now_ns)
{
	int64_t at = d->next_ns < now_ns + COALESCE_NS ? now_ns + COALESCE_NS : d->next_ns;
	struct itimerspec when = {
		.it_value = {.tv_sec = at / 1000000000, .tv_nsec = at % 1000000000}};

	if (d->next_ns < 0 || d->used || (d->armed_ns > now_ns && d->armed_ns <= at))
		return;
	d->armed_ns = at;
	timerfd_settime(d->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

static void on_timer(uv_poll_t *poll, int status, int events)
{
	struct driver *d = poll->data;
	uint64_t expired;

	(void)status;
	(void)events;
	if (read(d->timer, &expired, sizeof(expired)) < 0 && errno != EAGAIN)
		return;
	driver_pump(d, clock_mono_ns());
}

struct driver *driver_new(uv_loop_t *loop, struct schedule *schedule, size_t backlog_max,
	const struct driver_handlers *handlers, struct errmsg *msg)
{
	struct driver *d = mem_zero(1, sizeof(*d));

	d->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (d->timer < 0) {
		errmsg_set(msg, ERR_IO, "timerfd: %s", strerror(errno));
		free(d);
		return NULL;
	}
	d->schedule = schedule;
	d->max = backlog_max;
	d->handlers = *handlers;
	d->next_ns = -1;
	uv_poll_init(loop, &d->poll, d->timer);
	d->poll.data = d;
	return d;
}

void driver_start(struct driver *d, int64_t start_ns)
{
	d->start_ns = start_ns;
	advance(d);
	uv_poll_start(&d->poll, UV_READABLE, on_timer);
	driver_pump(d, clock_mono_ns());
}

static void grow(struct driver *d)
{
	size_t room = d->room ? d->room * 2 : 1024;
	struct due *bigger;

	if (room > d->max)
		room = d->max;
	bigger = mem_alloc(room * sizeof(*bigger));
	for (size_t i = 0; i < d->used; i++)
		bigger[i] = d->backlog[(d->head + i) % d->room];
	free(d->backlog);
	d->backlog = bigger;
	d->room = room;
	d->head = 0;
}

/* Into the backlog, or dropped. */
static void postpone(struct driver *d, uint64_t sequence, int64_t due_ns)
{
	if (d->used == d->max) {
		d->counts.dropped++;
		return;
	}
	d->counts.waited++;
	if (d->used == d->room)
		grow(d);
	d->backlog[(d->head + d->used++) % d->room] = (struct due){sequence, due_ns};
}

static void send_backlog(struct driver *d)
{
	while (d->used) {
		const struct due *first = &d->backlog[d->head];

		if (!d->handlers.send(d->handlers.ctx, first->sequence, first->due_ns))
			return;
		d->counts.sent++;
		d->head = (d->head + 1) % d->room;
		d->used--;
	}
}

static void send_due(struct driver *d, int64_t now_ns)
{
	while (d->next_ns >= 0 && d->next_ns <= now_ns) {
		uint64_t sequence = d->counts.due++;
		int64_t due_ns = d->next_ns;

		advance(d);
		if (d->used == 0 && d->handlers.send(d->handlers.ctx, sequence, due_ns))
			d->counts.sent++;
		else
			postpone(d, sequence, due_ns);
	}
}

void driver_pump(struct driver *d, int64_t now_ns)
{
	if (d->pumping || d->finished)
		return; /* send() may fail at once, and its report comes back here */
	d->pumping = true;
	send_backlog(d);
	send_due(d, now_ns);
	d->pumping = false;
	if (d->next_ns < 0 && d->used == 0) {
		d->finished = true;
		d->handlers.finished(d->handlers.ctx);
		return;
	}
	arm(d, now_ns);
}

void driver_stop(struct driver *d)
{
	d->counts.cancelled += d->used;
	d->used = 0;
	d->next_ns = -1;
	if (!d->finished) {
		d->finished = true;
		d->handlers.finished(d->handlers.ctx);
	}
}

bool driver_finished(const struct driver *d)
{
	return d->finished;
}

const struct driver_counts *driver_counts(const struct driver *d)
{
	return &d->counts;
}

size_t driver_backlog(const struct driver *d)
{
	return d->used;
}

static void on_closed(uv_handle_t *handle)
{
	struct driver *d = handle->data;

	close(d->timer);
	d->timer = -1;
}

void driver_close(struct driver *d)
{
	uv_close((uv_handle_t *)&d->poll, on_closed);
}

void driver_free(struct driver *d)
{
	if (!d)
		return;
	free(d->backlog);
	free(d);
}
