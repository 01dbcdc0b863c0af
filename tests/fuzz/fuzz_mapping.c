/* Any file: a mapping that can be used and released, or words. */
#include "consumer/mapping.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int fd = -1;
	struct mapping mapping;
	struct errmsg msg;
	char path[64];

	if (fd < 0)
		fd = memfd_create("mapping", 0);
	if (ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		abort();
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (mapping_init_file(&mapping, path, &msg) == 0) {
		for (int i = 0; i < mapping.route_count; i++) {
			if (!mapping_route(&mapping, mapping.routes[i].topic))
				abort();
		}
		mapping_release(&mapping);
	} else if (!msg.text[0]) {
		abort();
	}
	return 0;
}
