#include "common/http_limit.h"

#include "common/http_private.h"

static void limit_remove(struct http_conn *conn)
{
	struct http_limit_list *list = &conn->server->limits[conn->limit];

	if (conn->limit == HTTP_NO_LIMIT)
		return;
	if (conn->limit_prev)
		conn->limit_prev->limit_next = conn->limit_next;
	else
		list->first = conn->limit_next;
	if (conn->limit_next)
		conn->limit_next->limit_prev = conn->limit_prev;
	else
		list->last = conn->limit_prev;
	conn->limit_prev = conn->limit_next = NULL;
	conn->limit = HTTP_NO_LIMIT;
}

void http_conn_limit(struct http_conn *conn, enum http_limit limit)
{
	struct http_limit_list *list = &conn->server->limits[limit];

	if (conn->limit == limit)
		return;
	limit_remove(conn);
	if (limit == HTTP_NO_LIMIT)
		return;
	conn->limit = limit;
	conn->deadline_ms = (int64_t)uv_now(conn->server->loop) + list->ms;
	conn->limit_prev = list->last;
	if (list->last)
		list->last->limit_next = conn;
	else
		list->first = conn;
	list->last = conn;
}

struct http_conn *http_limit_expired(struct http_limit_list *list, int64_t now_ms)
{
	struct http_conn *conn = list->first;

	if (!conn || conn->deadline_ms > now_ms)
		return NULL;
	limit_remove(conn);
	return conn;
}
