#include "common/lifecycle.h"

#include "common/log.h"

#include <signal.h>

static void on_signal(uv_signal_t *handle, int number)
{
	struct lifecycle *lifecycle = handle->data;

	log_event(LOG_INFO, "signal", LOG_F("number", LOG_INT(number)));
	if (lifecycle->signals++ == 0)
		lifecycle->on_stop(lifecycle->user);
	else
		lifecycle->on_now(lifecycle->user);
}

static void watch(struct lifecycle *lifecycle, uv_loop_t *loop, uv_signal_t *handle, int number)
{
	uv_signal_init(loop, handle);
	handle->data = lifecycle;
	uv_signal_start(handle, on_signal, number);
	uv_unref((uv_handle_t *)handle);
}

void lifecycle_start(struct lifecycle *lifecycle, uv_loop_t *loop)
{
	signal(SIGPIPE, SIG_IGN);
	watch(lifecycle, loop, &lifecycle->term, SIGTERM);
	watch(lifecycle, loop, &lifecycle->interrupt, SIGINT);
}

void lifecycle_close(struct lifecycle *lifecycle)
{
	uv_close((uv_handle_t *)&lifecycle->term, NULL);
	uv_close((uv_handle_t *)&lifecycle->interrupt, NULL);
}
