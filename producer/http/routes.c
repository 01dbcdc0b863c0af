/* Which request is which. */
#include "producer/http/http_in.h"
#include "producer/http/service.h"

#include <string.h>

#define BASE "/write-through"

/* The time it takes says nothing about where the two differ. */
static bool same_secret(const char *a, size_t a_length, const char *b, size_t b_length)
{
	unsigned char differs = a_length != b_length;

	for (size_t i = 0; i < a_length; i++)
		differs |= (unsigned char)(a[i] ^ b[b_length ? i % b_length : 0]);
	return !differs;
}

static bool may_write(struct service *service, struct http_request *request)
{
	size_t length;
	const char *value;

	if (!service->token)
		return true;
	value = http_request_header(request, "authorization", &length);
	if (value && length > 7 && strncasecmp(value, "Bearer ", 7) == 0 &&
		same_secret(value + 7, length - 7, service->token, strlen(service->token)))
		return true;
	http_respond_problem(request, 401, "WWW-Authenticate: Bearer\r\n", NULL,
		"this needs Authorization: Bearer with the token of http.token-file");
	return false;
}

/* The id behind BASE "/"; false and answered when it is none. */
static bool decode_id(struct http_request *request, const char *path, size_t length, char *id,
	size_t *id_length)
{
	const size_t skip = sizeof(BASE "/") - 1;

	if (memchr(path + skip, '/', length - skip)) {
		http_respond_problem(request, 404, NULL, NULL,
			"there is nothing here; a slash inside an id is written %%2F");
		return false;
	}
	if (http_in_decode_path(id, RECORD_ID_BYTES, path + skip, length - skip, id_length) !=
			0 ||
		*id_length == 0) {
		http_respond_problem(request, 400, NULL, "\"field\":\"id\"",
			"the id in the path is empty, too long or has a broken %% escape");
		return false;
	}
	return true;
}

static void handle_id(
	struct service *service, struct http_request *request, const char *path, size_t length)
{
	enum http_method method = http_request_method(request);
	char id[RECORD_ID_BYTES];
	size_t id_length;

	if (method != HTTP_GET && method != HTTP_PUT && method != HTTP_DELETE)
		http_respond_not_allowed(request, "GET, PUT, DELETE");
	else if (!may_write(service, request) ||
		 !decode_id(request, path, length, id, &id_length))
		; /* answered */
	else if (method == HTTP_GET)
		service_read(service, request, id, id_length);
	else if (method == HTTP_PUT)
		service_write(service, request, id, id_length);
	else
		service_delete(service, request, id, id_length);
}

static const struct {
	const char *path;
	void (*handle)(struct service *service, struct http_request *request);
} pages[] = {
	{"/healthz", service_healthz},
	{"/readyz", service_readyz},
	{"/metrics", service_metrics},
	{"/openapi.json", service_openapi},
};

void service_handle(void *user, struct http_request *request)
{
	struct service *service = user;
	size_t length;
	const char *path = http_request_path(request, &length);

	if (http_request_path_is(request, BASE)) {
		if (http_request_method(request) != HTTP_POST)
			http_respond_not_allowed(request, "POST");
		else if (may_write(service, request))
			service_write(service, request, NULL, 0);
		return;
	}
	if (length > sizeof(BASE) - 1 && memcmp(path, BASE "/", sizeof(BASE)) == 0) {
		handle_id(service, request, path, length);
		return;
	}
	for (size_t i = 0; i < sizeof(pages) / sizeof(pages[0]); i++) {
		if (!http_request_path_is(request, pages[i].path))
			continue;
		if (http_request_method(request) == HTTP_GET)
			pages[i].handle(service, request);
		else
			http_respond_not_allowed(request, "GET");
		return;
	}
	http_respond_problem(request, 404, NULL, NULL,
		"there is nothing here; records go to POST " BASE ", see /openapi.json");
}
