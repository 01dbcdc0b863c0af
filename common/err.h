/*
 * err: what every layer answers. A function returns 0 or one negative ERR_*; the words are in a
 * struct errmsg that the caller owns and that grows outward: the innermost layer says what
 * happened, each layer above prepends what it was doing.
 *
 *	if (open_it(path, &msg) != 0) {
 *		errmsg_wrap(&msg, "mapping %s", path);	// "mapping users.json: No such file"
 *		return ERR_CONFIG;
 *	}
 *
 * Any thread; no global state. A layer handles an error or wraps and returns it; only the layer
 * that decides logs it.
 */
#ifndef COMMON_ERR_H
#define COMMON_ERR_H

enum err {
	ERR_CONFIG = -1, /* an option, a file or an argument is wrong: exit 64 */
	ERR_UNAVAILABLE = -2, /* a server is not there: exit 69 */
	ERR_BUG = -3, /* our own mistake: exit 70 */
	ERR_IO = -4, /* a file or a device failed: exit 74 */
	ERR_UNFINISHED = -5, /* stopped, work remains: exit 75 */
	ERR_REFUSED = -6, /* rights, or it belongs to another group: exit 77 */
	ERR_INVALID = -7, /* the data handed in is malformed */
	ERR_TIMEOUT = -8,
	ERR_FULL = -9, /* a stated limit is reached */
	ERR_CLOSED = -10,
};

#define ERRMSG_BYTES 4096 /* a mapping file or a table with dozens of mistakes, said at once */

struct errmsg {
	char text[ERRMSG_BYTES];
};

/* Replaces the text; always NUL-terminated, cut with "..." when too long. Returns `code`. */
int errmsg_set(struct errmsg *msg, int code, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* Prepends "FORMAT: " to the text that is there. */
void errmsg_wrap(struct errmsg *msg, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* The exit code (sysexits) for an ERR_*; 0 for 0. */
int err_exit_code(int code);

#endif
