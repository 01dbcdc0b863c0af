#include "producer/http/prefer.h"

#include "common/err.h"

#include <string.h>
#include <strings.h>

#define WAIT_DIGITS 9

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

static void trim(const char **text, size_t *length)
{
	while (*length > 0 && blank(**text))
		(*text)++, (*length)--;
	while (*length > 0 && blank((*text)[*length - 1]))
		(*length)--;
}

static bool is(const char *text, size_t length, const char *token)
{
	return strlen(token) == length && strncasecmp(text, token, length) == 0;
}

static int read_seconds(int32_t *seconds, const char *text, size_t length)
{
	if (length >= 2 && text[0] == '"' && text[length - 1] == '"')
		text++, length -= 2;
	if (length == 0)
		return ERR_INVALID;
	*seconds = 0;
	for (size_t i = 0; i < length; i++) {
		if (text[i] < '0' || text[i] > '9')
			return ERR_INVALID;
		*seconds = i >= WAIT_DIGITS ? INT32_MAX : *seconds * 10 + (text[i] - '0');
	}
	return 0;
}

/* "NAME", "NAME=VALUE", either with ";PARAMETERS" behind, which nothing here has. */
static int read_one(
	struct preference *preference, const char *text, size_t length, int32_t max_s)
{
	const char *end = memchr(text, ';', length), *equals;
	size_t name;

	if (end)
		length = (size_t)(end - text);
	trim(&text, &length);
	equals = memchr(text, '=', length);
	name = equals ? (size_t)(equals - text) : length;
	while (name > 0 && blank(text[name - 1]))
		name--;
	if (is(text, name, "respond-async")) {
		preference->async = true;
	} else if (is(text, name, "wait")) {
		const char *value = equals ? equals + 1 : text + length;
		size_t left = (size_t)(text + length - value);
		int32_t seconds;

		trim(&value, &left);
		if (read_seconds(&seconds, value, left) != 0)
			return ERR_INVALID;
		if (!preference->wait) /* of several the first counts */
			preference->wait_s = seconds > max_s ? max_s : seconds;
		preference->wait = true;
	}
	return 0;
}

int prefer_read(struct preference *preference, const char *text, size_t length, int32_t max_s)
{
	int err = 0;

	while (err == 0 && length > 0) {
		const char *comma = memchr(text, ',', length);
		size_t one = comma ? (size_t)(comma - text) : length;

		err = read_one(preference, text, one, max_s);
		text += comma ? one + 1 : one;
		length -= comma ? one + 1 : one;
	}
	if (preference->wait)
		preference->async = false;
	return err;
}
