/*
 * mysql_session: one connection to MySQL that reads rows by id; blocking. One thread's, but
 * mysql_session_interrupt(), which any thread may call. new -> open -> row ... -> close -> free.
 */
#ifndef PRODUCER_MYSQL_SESSION_H
#define PRODUCER_MYSQL_SESSION_H

#include "producer/http/mysql_reader.h"

struct mysql_session;

/* Before the first thread; then at the beginning and the end of each. */
void mysql_session_library_begin(void);
void mysql_session_thread_begin(void);
void mysql_session_thread_end(void);

struct mysql_session *mysql_session_new(const struct mysql_reader_config *config);
void mysql_session_free(struct mysql_session *session);
/* ERR_UNAVAILABLE. A connection that is open is closed first. */
int mysql_session_open(struct mysql_session *session, struct errmsg *msg);
bool mysql_session_is_open(const struct mysql_session *session);
/* *row: JSON, caller frees with free(); NULL: no such row. After ERR_UNAVAILABLE it is closed. */
int mysql_session_row(struct mysql_session *session, const char *id, size_t id_length,
	char **row, size_t *length, struct errmsg *msg);
void mysql_session_close(struct mysql_session *session);
/* A call that waits for the server ends. */
void mysql_session_interrupt(struct mysql_session *session);

#endif
