/* Any bytes: json_reader and jansson agree, and nothing beyond the bytes is read. */
#include "tests/lib/json_compare.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *differ = json_compare(data, size);

	if (differ) {
		fprintf(stderr, "%s\n", differ);
		abort();
	}
	return 0;
}
