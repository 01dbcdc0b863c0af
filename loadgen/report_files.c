#include "loadgen/report.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static int finish(FILE *out, const char *option, const char *path, struct errmsg *msg)
{
	int bad = ferror(out);

	if (fclose(out) != 0 || bad)
		return errmsg_set(msg, ERR_IO, "option %s: writing %s failed: %s", option, path,
			strerror(errno));
	return 0;
}

static FILE *begin(const char *option, const char *path, const char *mode, struct errmsg *msg)
{
	FILE *out = fopen(path, mode);

	if (!out)
		errmsg_set(msg, ERR_IO, "option %s: cannot write %s: %s", option, path,
			strerror(errno));
	return out;
}

/* Unknown is an empty cell. */
static void put_ms(FILE *out, int64_t us)
{
	if (us >= 0)
		fprintf(out, ",%.3f", (double)us / 1000);
	else
		fputc(',', out);
}

static void put_count(FILE *out, int64_t value)
{
	if (value >= 0)
		fprintf(out, ",%" PRId64, value);
	else
		fputc(',', out);
}

static void put_row(FILE *out, const struct stats_row *row, size_t partitions)
{
	fprintf(out,
		"%.3f,%.2f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		",%d,%" PRIu64,
		row->at_seconds, row->target_rate, row->due, row->sent, row->ok, row->errors,
		row->dropped, row->in_flight, row->backlog);
	put_ms(out, row->p50_us);
	put_ms(out, row->p90_us);
	put_ms(out, row->p99_us);
	put_ms(out, row->max_us);
	put_ms(out, row->service_p99_us);
	put_ms(out, row->send_delay_p99_us);
	put_count(out, row->lag);
	if (isnan(row->lag_seconds))
		fputc(',', out);
	else
		fprintf(out, ",%.3f", row->lag_seconds);
	put_count(out, row->workers);
	for (size_t i = 0; i < partitions; i++)
		put_count(out, i < row->lag_count ? row->lags[i] : -1);
	fputc('\n', out);
}

static void put_head(FILE *out, const struct summary *s)
{
	fputs("run,t_seconds,target_rate,due,sent,ok,errors,dropped,in_flight,backlog,p50_ms,"
	      "p90_"
	      "ms,"
	      "p99_ms,max_ms,service_p99_ms,send_delay_p99_ms,lag,lag_seconds,workers",
		out);
	for (size_t i = 0; i < s->stats.lag.count; i++)
		fprintf(out, ",lag_%d", s->stats.lag.partitions[i].id);
	fputc('\n', out);
}

int report_csv(const char *path, const struct summary *s, int index, struct errmsg *msg)
{
	FILE *out = begin("report.csv", path, index ? "a" : "w", msg);

	if (!out)
		return ERR_IO;
	if (index == 0)
		put_head(out, s);
	for (size_t i = 0; i < s->stats.rows_count; i++) {
		fprintf(out, "%d,", index + 1);
		put_row(out, &s->stats.rows[i], s->stats.lag.count);
	}
	return finish(out, "report.csv", path, msg);
}

int report_hdr(const char *path, const struct summary *s, struct errmsg *msg)
{
	FILE *out = begin("report.hdr", path, "w", msg);

	if (!out)
		return ERR_IO;
	histogram_write_hgrm(s->stats.response, out);
	return finish(out, "report.hdr", path, msg);
}
