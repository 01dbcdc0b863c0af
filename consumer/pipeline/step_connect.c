/* step_connect: a worker's pair of connections; see step_connect.h. */
#include "consumer/pipeline/step_connect.h"

#include "common/clock.h"
#include "common/log.h"
#include "consumer/pipeline/gate.h"

#define CONNECT_BASE_MS 50
#define CONNECT_CAP_MS	5000

void step_connect_init(struct stepper *w)
{
	backoff_init(&w->connect_backoff, CONNECT_BASE_MS, CONNECT_CAP_MS);
}

/* What the server has no core for waits for InnoDB's latches, spinning (docs/performance). */
static void limit_mysql(struct stepper *w)
{
	if (w->pipeline->mysql_concurrency == 0)
		gate_set_limit(w->pipeline->mysql_gate, mysql_store_at_once(w->tools.mysql));
}

bool step_connected(struct stepper *w)
{
	struct store_error error = {.store = "mysql", .class = "connection", .row = -1};
	enum verdict v = VERDICT_DONE;

	if (w->mysql_up && w->redis_up)
		return true;
	if (clock_mono_ms() < w->connect_not_before_ms)
		return false;
	if (!w->mysql_up)
		w->mysql_up = (v = mysql_store_connect(w->tools.mysql, &error)) == VERDICT_DONE;
	if (v == VERDICT_DONE && !w->redis_up)
		w->redis_up = (v = redis_store_connect(w->tools.redis, &error)) == VERDICT_DONE;
	if (v == VERDICT_DONE) {
		limit_mysql(w);
		backoff_reset(&w->connect_backoff);
		log_event(LOG_INFO, "stores_connected", LOG_F("worker", LOG_INT(w->number)));
		return true;
	}
	w->connect_not_before_ms = clock_mono_ms() + backoff_next_ms(&w->connect_backoff);
	meters_count(&w->pipeline->meters->store_errors, error.store, error.class);
	log_limited(LOG_WARN, "store_unreachable", LOG_F("worker", LOG_INT(w->number)),
		LOG_F("store", LOG_STR(error.store)), LOG_F("error", LOG_STR(error.msg.text)));
	w->connect_error = error.msg;
	return false;
}

void stepper_idle(struct stepper *w)
{
	struct store_error error;
	int64_t now = clock_mono_ms();

	if (!w->mysql_up || now < w->next_ping_ms)
		return;
	w->next_ping_ms = now + w->pipeline->mysql.idle_timeout_s * 1000 / 3;
	if (mysql_store_ping(w->tools.mysql, &error) != VERDICT_DONE)
		w->mysql_up = false;
}
