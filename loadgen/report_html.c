/*
 * The page is report.html with the runs' documents put in the place of one marker. It is linked
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

static const char marker[] = "/*RUNS*/[]";

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

int report_html(const char *path, const json_t *runs, struct errmsg *msg)
{
	const char *at = memmem(report_page, (size_t)(report_page_end - report_page), marker,
		sizeof(marker) - 1);
	char *json = json_dumps(runs, JSON_COMPACT | JSON_REAL_PRECISION(7));
	FILE *out = fopen(path, "w");
	int bad;

	if (!out || !json || !at) {
		if (out)
			fclose(out);
		free(json);
		return errmsg_set(msg, ERR_IO, "option report.html: cannot write %s: %s", path,
			strerror(errno));
	}
	fwrite(report_page, 1, (size_t)(at - report_page), out);
	put_json(json, out);
	at += sizeof(marker) - 1;
	fwrite(at, 1, (size_t)(report_page_end - at), out);
	free(json);
	bad = ferror(out);
	if (fclose(out) != 0 || bad)
		return errmsg_set(msg, ERR_IO, "option report.html: writing %s failed: %s",
			path, strerror(errno));
	return 0;
}
