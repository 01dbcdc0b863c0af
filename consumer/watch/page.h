/* page: the dashboard's files, gzip'ed and embedded at build time. Any thread; read-only. */
#ifndef CONSUMER_WATCH_PAGE_H
#define CONSUMER_WATCH_PAGE_H

#include <stddef.h>

struct page_file {
	const char *path; /* "/app.js" */
	const char *type;
	const unsigned char *gzip;
	size_t length;
};

/* The file as it was, for those who do not take gzip. Caller frees. */
char *page_plain(const struct page_file *file, size_t *length);

/* NULL when there is no such file. `path` need not end with NUL. */
const struct page_file *page_find(const char *path, size_t length);

#endif
