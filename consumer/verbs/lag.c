#include "consumer/verbs/lag.h"

#include "common/clock.h"
#include "common/lag.h"
#include "common/lag_text.h"
#include "consumer/watch/term.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#define OBSERVE_MS	500
#define FIRST_ANSWER_MS 10000
/* Metadata of a topic that was just made may say "unknown" for a moment. */
#define NO_TOPIC_MS 2000

static int width(FILE *out)
{
	struct winsize size;
	if (isatty(fileno(out)) && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 &&
		size.ws_col >= 40)
		return size.ws_col;
	return 1000;
}

/* Empty; on a terminal that is drawn anew no more lines than it has rows. */
static struct term term_of(FILE *out, bool redraw)
{
	struct term term = {.width = width(out)};
	struct winsize size;
	if (redraw && ioctl(fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_row)
		term.height = size.ws_row > 1 ? size.ws_row - 1 : 1; /* below it the cursor */
	return term;
}

static void line(struct term *term, const char *text)
{
	term_put_text(term, text);
	term_end_line(term);
}

static void row(struct term *term, const char *name, int name_width, const struct lag_view *v,
	const char *owner)
{
	char end[LAG_TEXT_BYTES], done[LAG_TEXT_BYTES], lag[LAG_TEXT_BYTES],
		behind[LAG_TEXT_BYTES];
	char in[LAG_TEXT_BYTES], rate[LAG_TEXT_BYTES], eta[LAG_TEXT_BYTES], text[512];
	snprintf(text, sizeof(text), "%-*s %13s %13s %11s %9s %8s %8s %8s  %-7s %s", name_width,
		name, lag_text_count(end, v->end), lag_text_count(done, v->committed),
		lag_text_lag(lag, v),
		lag_text_seconds(behind, v->lag_seconds, v->lag_seconds_at_least),
		lag_text_rate(in, v->rate_in), lag_text_rate(rate, v->rate_out),
		lag_text_seconds(eta, v->eta_seconds, false), lag_state_name(v->state), owner);
	line(term, text);
}

/* The brokers know of no such group: no member, no offset anywhere that was asked for. */
static bool no_group(const struct lag_snapshot *s)
{
	if (s->members != 0 || strcmp(s->group_state, "Dead") != 0)
		return false;
	for (size_t i = 0; i < s->count; i++)
		if (s->partitions[i].view.committed != LAG_NONE)
			return false;
	return true;
}

static void head(struct term *term, const struct lag_snapshot *s, const char *group)
{
	char members[64], text[768];
	time_t now = time(NULL);
	struct tm local;
	localtime_r(&now, &local);
	if (no_group(s))
		snprintf(members, sizeof(members), "there is no such group");
	else if (s->members < 0)
		snprintf(members, sizeof(members), "members n/a");
	else
		snprintf(members, sizeof(members), "%s, %d member%s", s->group_state,
			s->members, s->members == 1 ? "" : "s");
	snprintf(text, sizeof(text), "group %s   %s   %02d:%02d:%02d", group, members,
		local.tm_hour, local.tm_min, local.tm_sec);
	line(term, text);
}

static const char *place(const struct lag_partition *p, char *buf, size_t bytes)
{
	snprintf(buf, bytes, "%s/%d", p->topic, (int)p->partition);
	return buf;
}

/* The total always has its row. */
static void rows(struct term *term, const struct lag_snapshot *s, int name_width)
{
	char name[LAG_TOPIC_BYTES + 16], text[64];
	for (size_t i = 0; i < s->count; i++) {
		if (term->height && term->lines + 2 >= term->height && i + 1 < s->count) {
			snprintf(text, sizeof(text), "... %zu more", s->count - i);
			line(term, text);
			return;
		}
		row(term, place(&s->partitions[i], name, sizeof(name)), name_width,
			&s->partitions[i].view, s->partitions[i].owner);
	}
}

static void table(struct term *term, const struct lag_snapshot *s, const char *group)
{
	char name[LAG_TOPIC_BYTES + 16], text[512];
	int name_width = 9;
	for (size_t i = 0; i < s->count; i++) {
		int n = (int)strlen(place(&s->partitions[i], name, sizeof(name)));
		name_width = n > name_width ? n : name_width;
	}
	head(term, s, group);
	snprintf(text, sizeof(text), "%-*s %13s %13s %11s %9s %8s %8s %8s  %-7s %s", name_width,
		"PARTITION", "END", "COMMITTED", "LAG", "BEHIND", "IN/s", "OUT/s", "DRAINED",
		"STATE", "OWNER");
	line(term, text);
	rows(term, s, name_width);
	row(term, "total", name_width, &s->total.view, "");
	if (s->error[0]) {
		snprintf(text, sizeof(text), "error: %s", s->error);
		line(term, text);
	}
	for (size_t i = 0; i < s->count; i++) {
		const struct lag_partition *p = &s->partitions[i];
		if (p->view.state == LAG_OK)
			continue;
		snprintf(text, sizeof(text), "%s %s: %s", place(p, name, sizeof(name)),
			lag_state_name(p->view.state), p->view.reason);
		line(term, text);
	}
	if (!s->count && !s->error[0])
		line(term, "the group has committed nothing on any topic");
}

/* What a longer line left behind goes, too. */
static void put(FILE *out, bool redraw, const char *text)
{
	for (const char *end; *text; text = end + 1) {
		end = strchr(text, '\n');
		fprintf(out, "%.*s%s\n", (int)(end - text), text, redraw ? "\033[K" : "");
	}
}

static void print(FILE *out, const struct lag_verb *verb, const struct lag_snapshot *s)
{
	if (verb->json) {
		json_t *o = lag_snapshot_json(s, verb->group);
		json_object_set_new(o, "time_ms", json_integer(clock_wall_ms()));
		json_dumpf(o, out, JSON_COMPACT);
		json_decref(o);
		fputc('\n', out);
	} else {
		bool redraw = verb->watch && isatty(fileno(out));
		fputs(redraw ? "\033[H" : "", out);
		struct term term = term_of(out, redraw);
		table(&term, s, verb->group);
		put(out, redraw, term.text);
		free(term.text);
		fputs(redraw ? "\033[J" : verb->watch ? "\n" : "", out);
	}
	fflush(out);
}

/* 0 after `ms`, else the signal that came; SIGINT and SIGTERM are blocked. */
static int pause_ms(int64_t ms)
{
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
	int sig = sigtimedwait(&set, NULL, &t);
	return sig > 0 ? sig : 0;
}

/* Three rounds (the first may be long), so that there are rates; a lasting refusal ends it early. */
static int first_answer(struct lag_observer *o, struct errmsg *msg)
{
	int64_t start = clock_mono_ms();
	int rc = ERR_TIMEOUT;
	while (rc == ERR_TIMEOUT && clock_mono_ms() - start < FIRST_ANSWER_MS) {
		rc = lag_observer_wait(o, 3, 250, msg);
		struct lag_snapshot s;
		lag_observer_snapshot(o, &s);
		bool no_topic = s.error_code == ERR_INVALID;
		lag_snapshot_release(&s);
		if (no_topic && clock_mono_ms() - start >= NO_TOPIC_MS)
			return ERR_CONFIG;
	}
	return rc == ERR_TIMEOUT ? ERR_UNAVAILABLE : rc;
}

static int check_group(
	const struct lag_verb *verb, const struct lag_snapshot *s, struct errmsg *msg)
{
	if (!no_group(s))
		return 0;
	return errmsg_set(msg, ERR_CONFIG,
		"option group: there is no group %s: it has no members and has committed "
		"nothing",
		verb->group);
}

int lag_verb(const struct lag_verb *verb, rd_kafka_conf_t *kafka, FILE *out, struct errmsg *msg)
{
	struct lag_config config = {
		.group = verb->group,
		.topics = &verb->topic,
		.topic_count = verb->topic && verb->topic[0] ? 1 : 0,
		.period_ms = OBSERVE_MS,
	};
	sigset_t stop, before;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	if (verb->watch)
		pthread_sigmask(SIG_BLOCK, &stop, &before);
	struct lag_observer *observer;
	int rc = lag_observer_start(&observer, &config, kafka, msg);
	if (rc)
		return rc;
	rc = first_answer(observer, msg);
	if (!rc && verb->watch && !verb->json && isatty(fileno(out))) {
		setvbuf(out, NULL, _IOFBF, 1 << 16); /* a picture is one write */
		fputs("\033[2J", out);
	}
	int64_t period_ms = verb->period_ms ? verb->period_ms : 1000;
	while (!rc) {
		struct lag_snapshot s;
		lag_observer_snapshot(observer, &s);
		print(out, verb, &s);
		/* Who watches may be waiting for it. */
		rc = verb->watch ? 0 : check_group(verb, &s, msg);
		lag_snapshot_release(&s);
		if (!verb->watch || ferror(out) || pause_ms(period_ms))
			break;
	}
	lag_observer_stop(observer);
	if (verb->watch)
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}
