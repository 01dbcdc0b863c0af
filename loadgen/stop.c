/* A loop of its own that only ever polls: libuv tells every loop that listens of a signal. */
#include "loadgen/stop.h"

#include <signal.h>
#include <uv.h>

static struct {
	uv_loop_t loop;
	uv_signal_t handles[2];
	bool open;
	int count, last, heeded;
} stop;

static void on_signal(uv_signal_t *handle, int signum)
{
	(void)handle;
	stop.count++;
	stop.last = signum;
}

void stop_catch(void)
{
	static const int signals[] = {SIGINT, SIGTERM};

	uv_loop_init(&stop.loop);
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&stop.loop, &stop.handles[i]);
		uv_signal_start(&stop.handles[i], on_signal, signals[i]);
	}
	stop.open = true;
}

void stop_release(void)
{
	if (!stop.open)
		return;
	stop.open = false;
	for (int i = 0; i < 2; i++)
		uv_close((uv_handle_t *)&stop.handles[i], NULL);
	uv_run(&stop.loop, UV_RUN_DEFAULT);
	uv_loop_close(&stop.loop);
}

int stop_signal(void)
{
	if (stop.open)
		uv_run(&stop.loop, UV_RUN_NOWAIT);
	return stop.last;
}

void stop_heeded(int signals)
{
	stop.heeded = signals;
}

bool stop_asked(void)
{
	return stop_signal() && stop.count > stop.heeded;
}
