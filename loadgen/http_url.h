/*
 * http_url: where the load goes. Parsed, resolved and tried once (blocking) before the loop starts,
 * so that a server that is not there is a start error. Any thread.
 */
#ifndef LOADGEN_HTTP_URL_H
#define LOADGEN_HTTP_URL_H

#include "common/err.h"

#include "loadgen/tls.h"

#include <sys/socket.h>

struct http_url {
	char *host; /* as in the Host header, with the port if it was given */
	char *path; /* with the query; at least "/" */
	char *name; /* to resolve */
	char *port;
	bool secure; /* https */
	struct sockaddr_storage address; /* from http_url_probe */
	struct tls_client *tls; /* borrowed; set by the caller before the probe where secure */
};

/* http[s]://HOST[:PORT][/PATH]; ERR_CONFIG says what is wrong. */
int http_url_parse(struct http_url *url, const char *text, struct errmsg *msg);
/* Finds the first address that takes a connection, tries TLS there, closes it; ERR_UNAVAILABLE. */
int http_url_probe(struct http_url *url, int timeout_ms, struct errmsg *msg);
/* "http" or "https". */
const char *http_url_scheme(const struct http_url *url);
void http_url_release(struct http_url *url);

#endif
