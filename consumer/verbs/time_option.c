#include "consumer/verbs/time_option.h"

#include <string.h>
#include <time.h>

bool time_option_parse(const char *text, int64_t *ms)
{
	struct tm tm = {0};
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!end)
		end = strptime(text, "%Y-%m-%d", &tm);
	if (!end || (*end && strcmp(end, "Z") != 0))
		return false;
	*ms = (int64_t)timegm(&tm) * 1000;
	return true;
}
