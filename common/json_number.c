#include "common/json_reader.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS_MAX   400
#define EXPONENT_MAX 1000

/* The digits without point and sign, and the power of ten that belongs to them. */
struct decimal {
	char digits[DIGITS_MAX];
	int count;
	long exponent;
	bool negative;
};

/* The text ends where the number ends (a cut record), so no strtol; saturates. */
static long read_exponent(const char *at, const char *end)
{
	bool negative = *at == '-';
	long sum = 0;

	for (at += *at == '-' || *at == '+'; at < end && sum <= EXPONENT_MAX; at++)
		sum = sum * 10 + (*at - '0');
	return negative ? -sum : sum;
}

static bool read_decimal(const struct json_value *value, struct decimal *d)
{
	const char *at = value->text, *end = value->text + value->length;
	bool point = false;

	*d = (struct decimal){.negative = *at == '-'};
	at += d->negative;
	for (; at < end && *at != 'e' && *at != 'E'; at++) {
		if (*at == '.') {
			point = true;
			continue;
		}
		if (d->count == DIGITS_MAX)
			return false;
		d->digits[d->count++] = *at;
		d->exponent -= point;
	}
	if (at < end) {
		long exponent = read_exponent(at + 1, end);

		if (exponent > EXPONENT_MAX || exponent < -EXPONENT_MAX)
			return false;
		d->exponent += exponent;
	}
	return true;
}

/* Plain integers, nearly all of them: no copy. */
static bool plain_int64(const struct json_value *value, int64_t *out)
{
	const char *at = value->text, *end = value->text + value->length;
	bool negative = *at == '-';
	int64_t sum = 0;

	if (value->length > 18)
		return false;
	for (at += negative; at < end; at++) {
		if (*at < '0' || *at > '9')
			return false;
		sum = sum * 10 + (*at - '0');
	}
	*out = negative ? -sum : sum;
	return true;
}

bool json_number_int64(const struct json_value *value, int64_t *out)
{
	struct decimal d;
	int64_t sum = 0;

	if (plain_int64(value, out))
		return true;
	if (!read_decimal(value, &d))
		return false;
	while (d.count > 0 && d.exponent < 0) {
		if (d.digits[--d.count] != '0')
			return false;
		d.exponent++;
	}
	for (int i = 0; i < d.count; i++) {
		if (__builtin_mul_overflow(sum, 10, &sum) ||
			__builtin_sub_overflow(sum, d.digits[i] - '0', &sum))
			return false;
	}
	for (; sum != 0 && d.exponent > 0; d.exponent--) {
		if (__builtin_mul_overflow(sum, 10, &sum))
			return false;
	}
	/* summed up as a negative: int64's range reaches one further there */
	if (!d.negative && sum == INT64_MIN)
		return false;
	*out = d.negative ? sum : -sum;
	return true;
}

bool json_number_double(const struct json_value *value, double *out)
{
	char text[DIGITS_MAX + 1];

	if (value->length >= sizeof(text))
		return false;
	memcpy(text, value->text, value->length);
	text[value->length] = 0;
	*out = strtod(text, NULL); /* the programs never leave the C locale */
	return isfinite(*out);
}
