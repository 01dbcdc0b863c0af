#include "common/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(struct errmsg *msg, int wanted)
{
	if (wanted >= ERRMSG_BYTES)
		memcpy(msg->text + ERRMSG_BYTES - 4, "...", 4);
}

int errmsg_set(struct errmsg *msg, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	mark_cut(msg, vsnprintf(msg->text, sizeof(msg->text), format, args));
	va_end(args);
	return code;
}

void errmsg_wrap(struct errmsg *msg, const char *format, ...)
{
	char inner[ERRMSG_BYTES];
	va_list args;
	int used;

	memcpy(inner, msg->text, sizeof(inner));
	va_start(args, format);
	used = vsnprintf(msg->text, sizeof(msg->text), format, args);
	va_end(args);
	mark_cut(msg, used);
	if (used < 0 || used >= ERRMSG_BYTES)
		return;
	mark_cut(msg, used + snprintf(msg->text + used, sizeof(msg->text) - (size_t)used,
				     ": %s", inner));
}

int err_exit_code(int code)
{
	switch (code) {
	case 0:
		return 0;
	case ERR_CONFIG:
	case ERR_INVALID:
		return 64;
	case ERR_UNAVAILABLE:
	case ERR_TIMEOUT:
		return 69;
	case ERR_IO:
		return 74;
	case ERR_UNFINISHED:
		return 75;
	case ERR_REFUSED:
		return 77;
	default:
		return 70;
	}
}
