/*
 * top: a running consumer in the terminal, from its /status. One write a picture into the
 * alternate screen, so nothing flickers; plain lines when it is not a terminal, or a dumb one.
 */
#include "common/clock.h"
#include "common/http_address.h"
#include "common/http_get.h"
#include "common/mem.h"
#include "consumer/verbs/verbs.h"
#include "consumer/watch/top_view.h"

#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define PERIOD_MS 1000

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
	(void)number;
	stopped = 1;
}

static void on_resize(int number)
{
	(void)number; /* only wakes poll() */
}

struct screen {
	bool terminal;
	bool keys; /* stdin is one too */
	struct termios before;
};

static void screen_open(struct screen *screen)
{
	struct sigaction stop = {.sa_handler = on_stop}, resize = {.sa_handler = on_resize};
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGWINCH, &resize, NULL);
	const char *kind = getenv("TERM");
	screen->terminal = isatty(STDOUT_FILENO) && !(kind && strcmp(kind, "dumb") == 0);
	screen->keys = screen->terminal && tcgetattr(STDIN_FILENO, &screen->before) == 0;
	if (screen->keys) {
		struct termios raw = screen->before;
		raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
		tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	}
	if (screen->terminal) {
		/* A picture is one write: half of one is never seen. */
		setvbuf(stdout, NULL, _IOFBF, 1 << 16);
		fputs("\033[?1049h\033[?25l", stdout);
	}
}

static void screen_close(const struct screen *screen)
{
	if (screen->terminal)
		fputs("\033[?25h\033[?1049l", stdout);
	fflush(stdout);
	if (screen->keys)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen->before);
}

static void draw(struct top_view *view, const json_t *status)
{
	struct winsize size = {0};
	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	view->width = size.ws_col ? size.ws_col : 80;
	view->height = size.ws_row ? size.ws_row : 24;
	char *text = top_view_text(view, status);
	fputs("\033[H", stdout);
	for (char *line = text, *end; *line; line = end + 1) {
		end = strchr(line, '\n');
		/* No line end after the last row: it would scroll. */
		fprintf(stdout, "%s%.*s\033[K", line == text ? "" : "\r\n", (int)(end - line),
			line);
	}
	fputs("\033[J", stdout);
	fflush(stdout);
	free(text);
}

/* Until the next second, a key, a new size or a signal. */
static void rest(const struct screen *screen, int64_t until_ms)
{
	struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
	int64_t left = until_ms - clock_mono_ms();
	char key;
	if (stopped || left <= 0)
		return;
	if (poll(&in, screen->keys ? 1 : 0, (int)left) > 0 &&
		(read(STDIN_FILENO, &key, 1) < 1 || key == 'q' || key == 'Q'))
		stopped = 1;
}

static json_t *fetch(const char *listen, const char *path, struct errmsg *msg)
{
	char *body = NULL;
	size_t length = 0;
	if (http_get(listen, path, 3000, &body, &length, msg))
		return NULL;
	json_t *answer = json_loadb(body, length, 0, NULL);
	free(body);
	if (!json_is_object(answer)) {
		json_decref(answer);
		errmsg_set(msg, ERR_UNAVAILABLE, "%s: %s is no JSON", listen, path);
		return NULL;
	}
	return answer;
}

/* What was before we came. Without an answer the charts begin empty. */
static void load_history(const char *listen, const json_t *status, struct top_trend *trend)
{
	struct errmsg ignored;
	int64_t now_ms = json_integer_value(json_object_get(status, "time_ms"));
	char *path = mem_printf("/history?since=%lld", (long long)(now_ms - TOP_TREND_SPAN_MS));
	json_t *history = fetch(listen, path, &ignored);
	top_trend_load(trend, history);
	json_decref(history);
	free(path);
}

/* "disconnected since 13:05:12: why". Caller frees. */
static char *gone_text(time_t since, const struct errmsg *why)
{
	struct tm local;
	char clock[16];
	localtime_r(&since, &local);
	strftime(clock, sizeof(clock), "%H:%M:%S", &local);
	return mem_printf("disconnected since %s: %s", clock, why->text);
}

static void show(
	const struct screen *screen, struct top_view *view, const json_t *status, bool fresh)
{
	if (screen->terminal) {
		draw(view, status);
	} else if (fresh) {
		char *line = top_view_line(status);
		fputs(line, stdout);
		fflush(stdout);
		free(line);
	} else {
		fprintf(stdout, "%s\n", view->gone);
		fflush(stdout);
	}
}

static void loop(const struct screen *screen, const char *listen, json_t *status)
{
	struct top_view *view = mem_zero(1, sizeof(*view));
	struct top_trend *trend = mem_zero(1, sizeof(*trend));
	const char *no_color = getenv("NO_COLOR");
	time_t seen = time(NULL);
	view->color = screen->terminal && !(no_color && no_color[0]);
	view->utf8 = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	view->trend = trend;
	if (screen->terminal)
		load_history(listen, status, trend);
	while (!stopped && !ferror(stdout)) {
		int64_t next_ms = clock_mono_ms() + PERIOD_MS;
		struct errmsg msg = {""};
		json_t *newer = fetch(listen, "/status", &msg);
		char *gone = NULL;
		if (newer) {
			json_decref(status);
			status = newer;
			seen = time(NULL);
			top_trend_add(trend, status);
		} else {
			view->gone = gone = gone_text(seen, &msg);
		}
		show(screen, view, status, newer != NULL);
		view->gone = NULL;
		free(gone);
		rest(screen, next_ms);
	}
	json_decref(status);
	free(trend);
	free(view);
}

int verb_top(struct consumer_options *options, struct errmsg *msg)
{
	struct screen screen = {0};
	struct sockaddr_storage address;
	json_t *status = NULL;
	setlocale(LC_CTYPE, "");
	int rc = http_address_parse(options->status_listen, &address, msg);
	if (!rc)
		status = fetch(options->status_listen, "/status", msg);
	if (!status) {
		errmsg_wrap(msg, "option status.listen");
		return rc ? rc : ERR_UNAVAILABLE;
	}
	screen_open(&screen);
	loop(&screen, options->status_listen, status);
	screen_close(&screen);
	return 0;
}
