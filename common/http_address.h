/* http_address: the words of a listen option as an address. Any thread; may ask the resolver. */
#ifndef COMMON_HTTP_ADDRESS_H
#define COMMON_HTTP_ADDRESS_H

#include "common/err.h"

#include <stdbool.h>
#include <sys/socket.h>

/* "HOST:PORT", "[::1]:8080", ":8080" = every address; the first that the resolver gives. ERR_CONFIG. */
int http_address_parse(
	const char *listen, struct sockaddr_storage *address, struct errmsg *msg);

/* Does only this machine reach it? Judged by the address, not by its spelling. */
bool http_address_is_loopback(const struct sockaddr_storage *address);

#endif
