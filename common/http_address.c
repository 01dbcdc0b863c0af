#include "common/http_address.h"

#include "common/mem.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

int http_address_parse(const char *listen, struct sockaddr_storage *address, struct errmsg *msg)
{
	const char *colon = strrchr(listen, ':');
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
	bool bracket = *listen == '[';
	char *host;
	int err;

	/* the resolver takes the port modulo 65536 */
	if (!colon || !colon[1] || strtol(colon + 1, NULL, 10) > 65535 ||
		(bracket && colon[-1] != ']'))
		return errmsg_set(msg, ERR_CONFIG, "'%s' is not HOST:PORT", listen);
	host = mem_strndup(listen + bracket, (size_t)(colon - listen) - (bracket ? 2 : 0));
	err = getaddrinfo(*host ? host : NULL, colon + 1, &hints, &found);
	free(host);
	if (err != 0)
		return errmsg_set(msg, ERR_CONFIG, "'%s' is not HOST:PORT: %s", listen,
			gai_strerror(err));
	*address = (struct sockaddr_storage){0};
	memcpy(address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return 0;
}

bool http_address_is_loopback(const struct sockaddr_storage *address)
{
	if (address->ss_family == AF_INET6) {
		const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

		return IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
	}
	return (ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24) == 127;
}
