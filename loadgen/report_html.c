/*
 * The page is report.html with the runs' documents put in the place of two markers. It is linked
 * into the program, so that a report needs nothing beside it.
 */
#include "loadgen/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

__asm__(".section .rodata\n"
	".global report_page\n"
	".global report_page_end\n"
	"report_page:\n"
	".incbin \"loadgen/report.html\"\n"
	"report_page_end:\n"
	".byte 0\n"
	".previous\n");
extern const char report_page[], report_page_end[];

static const char runs_marker[] = "/*RUNS*/[]", search_marker[] = "/*SEARCH*/null";

/* "</script>" in a string must not end the script. */
static void put_json(const char *json, FILE *out)
{
	for (; *json; json++) {
		if (*json == '<')
			fputs("\\u003c", out);
		else
			fputc(*json, out);
	}
}

/* The page up to a marker, and the document in its place. Returns where the page goes on. */
static const char *put_until(
	const char *from, const char *marker, const json_t *document, FILE *out)
{
	const char *at = memmem(from, (size_t)(report_page_end - from), marker, strlen(marker));
	char *json =
		document ? json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(7)) : NULL;

	fwrite(from, 1, (size_t)(at - from), out);
	put_json(json ? json : "null", out);
	free(json);
	return at + strlen(marker);
}

int report_html(const char *path, const json_t *runs, const json_t *search, struct errmsg *msg)
{
	FILE *out = fopen(path, "w");
	const char *at = report_page;
	int bad;

	if (!out)
		return errmsg_set(msg, ERR_IO, "option report.html: cannot write %s: %s", path,
			strerror(errno));
	at = put_until(at, runs_marker, runs, out);
	at = put_until(at, search_marker, search, out);
	fwrite(at, 1, (size_t)(report_page_end - at), out);
	bad = ferror(out);
	if (fclose(out) != 0 || bad)
		return errmsg_set(msg, ERR_IO, "option report.html: writing %s failed: %s",
			path, strerror(errno));
	return 0;
}
