#include "common/json_text.h"

#include "common/json_string.h"
#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

json_t *json_text(const char *text)
{
	static const char unreadable[] = "\xef\xbf\xbd";
	json_t *whole = json_string(text);
	const char *end = text + strlen(text);
	if (whole)
		return whole;
	char *mended = mem_alloc(3 * strlen(text) + 1), *to = mended;
	while (text < end) {
		size_t length = (unsigned char)*text < 0x80 ? 1 : json_utf8_length(text, end);
		memcpy(to, length ? text : unreadable, length ? length : 3);
		to += length ? length : 3;
		text += length ? length : 1;
	}
	whole = json_stringn(mended, (size_t)(to - mended));
	free(mended);
	return whole;
}
