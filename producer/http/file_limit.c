#include "producer/http/file_limit.h"

#include <stdint.h>
#include <sys/resource.h>

#define REFUSED_MAX 1000

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t file_limit_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return SIZE_MAX;
	if (limit.rlim_cur != limit.rlim_max) {
		rlim_t soft = limit.rlim_cur;

		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
			limit.rlim_cur = soft;
	}
	return limit.rlim_cur == RLIM_INFINITY ? SIZE_MAX : (size_t)limit.rlim_cur;
}

struct file_limit_share file_limit_share(size_t files, size_t reserve, size_t wanted)
{
	size_t room = files > reserve ? files - reserve : 0;
	/* A tenth is for those who are told that there is no room: silence is the worse answer. */
	size_t connections = least(wanted, room - (room + 9) / 10);
	size_t refused = least(REFUSED_MAX, room - connections);

	return (struct file_limit_share){
		.connections = connections ? connections : 1, .refused = refused ? refused : 1};
}
