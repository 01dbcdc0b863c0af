#include "common/http_parse.h"

#include <string.h>
#include <strings.h>

static const struct {
	const char *name;
	enum http_method method;
} methods[] = {
	{"GET", HTTP_GET},
	{"HEAD", HTTP_GET},
	{"POST", HTTP_POST},
	{"PUT", HTTP_PUT},
	{"DELETE", HTTP_DELETE},
	{"PATCH", HTTP_PATCH},
	{"OPTIONS", HTTP_OPTIONS},
};

/* RFC 9110: what a method or a header's name is made of. */
static bool is_token(unsigned char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static int refuse(int status, const char *text, const char **why)
{
	*why = text;
	return -status;
}

static bool text_is(const struct http_text *text, const char *word)
{
	size_t length = strlen(word);

	return text->length == length && strncasecmp(text->text, word, length) == 0;
}

/* Where the head ends: 1, 0 = not yet, or a refusal. Every line must end in CR LF. */
static int find_end(const char *data, size_t length, size_t start, size_t *scanned, size_t *end,
	const char **why)
{
	size_t line = *scanned > start ? *scanned : start;

	for (;;) {
		const char *lf = memchr(data + line, '\n', length - line);
		size_t at;

		*scanned = line;
		if (!lf)
			return 0;
		at = (size_t)(lf - data);
		if (at == 0 || at == start || data[at - 1] != '\r')
			return refuse(400, "a line must end in CR LF", why);
		if (at == line + 1) {
			*end = at + 1;
			return 1;
		}
		line = at + 1;
	}
}

static int parse_version(
	struct http_head *head, const char *text, size_t length, const char **why)
{
	if (length != 8 || memcmp(text, "HTTP/", 5) != 0 || text[6] != '.' || text[5] < '0' ||
		text[5] > '9' || text[7] < '0' || text[7] > '9')
		return refuse(400, "the request line does not end in HTTP/1.1", why);
	if (text[5] != '1')
		return refuse(505, "only HTTP/1.1 and HTTP/1.0 are spoken here", why);
	head->minor = text[7] == '0' ? 0 : 1;
	head->keep_alive = head->minor == 1;
	return 1;
}

static int parse_target(
	struct http_head *head, const char *text, size_t length, const char **why)
{
	const char *query;

	for (size_t i = 0; i < length; i++) {
		if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
			return refuse(400, "a character that is not allowed in the path", why);
	}
	if (length > 7 && strncasecmp(text, "http://", 7) == 0) {
		const char *slash = memchr(text + 7, '/', length - 7);

		if (!slash)
			return refuse(400, "the path does not begin with a slash", why);
		length -= (size_t)(slash - text);
		text = slash;
	} else if (*text != '/' && !(length == 1 && *text == '*')) {
		return refuse(400, "the path does not begin with a slash", why);
	}
	query = memchr(text, '?', length);
	head->path = (struct http_text){text, query ? (size_t)(query - text) : length};
	head->query = (struct http_text){"", 0};
	if (query)
		head->query = (struct http_text){query + 1, length - head->path.length - 1};
	return 1;
}

static int parse_request_line(
	struct http_head *head, const char *line, size_t length, const char **why)
{
	const char *first = memchr(line, ' ', length), *last;
	int got;

	if (!first || first == line)
		return refuse(400, "the request line is not METHOD PATH HTTP/1.1", why);
	last = memchr(first + 1, ' ', length - (size_t)(first + 1 - line));
	if (!last || last == first + 1)
		return refuse(400, "the request line is not METHOD PATH HTTP/1.1", why);
	head->method_text = (struct http_text){line, (size_t)(first - line)};
	head->method = HTTP_OTHER;
	for (const char *c = line; c < first; c++) {
		if (!is_token((unsigned char)*c))
			return refuse(400, "the method is not a word", why);
	}
	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		if (strlen(methods[i].name) != head->method_text.length ||
			memcmp(methods[i].name, line, head->method_text.length) != 0)
			continue;
		head->method = methods[i].method;
		head->head_only = methods[i].name[0] == 'H';
	}
	got = parse_version(head, last + 1, length - (size_t)(last + 1 - line), why);
	if (got < 0)
		return got;
	return parse_target(head, first + 1, (size_t)(last - first - 1), why);
}

static int parse_field(
	struct http_head *head, const char *line, size_t length, const char **why)
{
	size_t name = 0, start, end = length;

	while (name < length && is_token((unsigned char)line[name]))
		name++;
	if (name == 0 || name == length || line[name] != ':')
		return refuse(400,
			*line == ' ' || *line == '\t' ? "a folded header line"
						      : "a malformed header name",
			why);
	start = name + 1;
	while (start < end && (line[start] == ' ' || line[start] == '\t'))
		start++;
	while (end > start && (line[end - 1] == ' ' || line[end - 1] == '\t'))
		end--;
	for (size_t i = start; i < end; i++) {
		unsigned char c = (unsigned char)line[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(400, "a control character in a header", why);
	}
	if (head->count == HTTP_FIELDS_MAX)
		return refuse(431, "too many headers", why);
	head->names[head->count] = (struct http_text){line, name};
	head->values[head->count++] = (struct http_text){line + start, end - start};
	return 1;
}

static int parse_length(struct http_head *head, const struct http_text *value, const char **why)
{
	size_t number = 0;

	if (value->length == 0)
		return refuse(400, "Content-Length is empty", why);
	for (size_t i = 0; i < value->length; i++) {
		if (value->text[i] < '0' || value->text[i] > '9')
			return refuse(400, "Content-Length is not a number", why);
		if (number > SIZE_MAX / 100)
			return refuse(413, "Content-Length is beyond all bounds", why);
		number = number * 10 + (size_t)(value->text[i] - '0');
	}
	head->content_length = number;
	return 1;
}

/* What the fields say about framing and connection. */
static int weigh_fields(struct http_head *head, const char **why)
{
	int lengths = 0, encodings = 0, hosts = 0, got;

	for (int i = 0; i < head->count; i++) {
		const struct http_text *name = &head->names[i], *value = &head->values[i];

		if (text_is(name, "host")) {
			hosts++;
		} else if (text_is(name, "content-length")) {
			if (lengths++)
				return refuse(400, "Content-Length more than once", why);
			got = parse_length(head, value, why);
			if (got < 0)
				return got;
		} else if (text_is(name, "transfer-encoding")) {
			if (!text_is(value, "chunked"))
				return refuse(501,
					"only the transfer encoding chunked is known", why);
			encodings++;
		} else if (text_is(name, "connection")) {
			if (http_list_has(value->text, value->length, "close"))
				head->keep_alive = false;
			else if (http_list_has(value->text, value->length, "keep-alive"))
				head->keep_alive = true;
		} else if (text_is(name, "expect")) {
			if (!text_is(value, "100-continue"))
				return refuse(417, "only Expect: 100-continue is known", why);
			head->expect_continue = head->minor == 1;
		}
	}
	head->chunked = encodings == 1;
	if (encodings > 1 || (encodings && (lengths || head->minor == 0)))
		return refuse(400, "the length of the body is ambiguous", why);
	if (hosts > 1 || (hosts == 0 && head->minor == 1))
		return refuse(400, "exactly one Host header is needed", why);
	return 1;
}

int http_parse_head(struct http_head *head, const char *data, size_t length, size_t *scanned,
	const char **why)
{
	size_t start = 0, end, line;
	int got;

	/* Empty lines before a request are an old habit of clients: skipped. */
	while (start + 1 < length && data[start] == '\r' && data[start + 1] == '\n')
		start += 2;
	if (start < length && data[start] != '\r' && !is_token((unsigned char)data[start]))
		return refuse(400, "this is not HTTP", why);
	got = find_end(data, length, start, scanned, &end, why);
	if (got <= 0)
		return got;
	head->bytes = end;
	head->count = 0;
	head->head_only = head->chunked = head->expect_continue = false;
	head->content_length = 0;
	for (line = start; line + 2 < end;) {
		const char *lf = memchr(data + line, '\n', end - line);
		size_t bytes = (size_t)(lf - data) - 1 - line;

		got = line == start ? parse_request_line(head, data + line, bytes, why)
				    : parse_field(head, data + line, bytes, why);
		if (got < 0)
			return got;
		line += bytes + 2;
	}
	return weigh_fields(head, why);
}

const struct http_text *http_head_field(const struct http_head *head, const char *name, int nth)
{
	for (int i = 0; i < head->count; i++) {
		if (text_is(&head->names[i], name) && nth-- == 0)
			return &head->values[i];
	}
	return NULL;
}

bool http_list_has(const char *text, size_t length, const char *token)
{
	size_t want = strlen(token);

	for (size_t i = 0; i < length; i++) {
		size_t left;

		while (i < length && (text[i] == ' ' || text[i] == '\t' || text[i] == ','))
			i++;
		left = length - i;
		if (left >= want && strncasecmp(text + i, token, want) == 0 &&
			(left == want || strchr(" \t,;=", text[i + want])))
			return true;
		while (i < length && text[i] != ',')
			i++;
	}
	return false;
}
