#include "producer/http/admission.h"

enum admission_answer admission_ask(
	const struct admission *a, size_t records, size_t bytes, int64_t now_ms)
{
	if (a->down_since_ms != 0 && now_ms - a->down_since_ms >= a->down_grace_ms)
		return ADMISSION_DOWN;
	if (records > a->max_records - a->records || a->records > a->max_records)
		return ADMISSION_FULL;
	/* A single record larger than the limit still passes when nothing else is in flight. */
	if (a->bytes + bytes > a->max_bytes && a->records > 0)
		return ADMISSION_FULL;
	return ADMISSION_YES;
}
