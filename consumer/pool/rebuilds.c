/*
 * Between the partitions and the rebuild: a worker that finds a mark on its fence notes it in its
 * partition; the rebuild hears of all of them; a mark that is off the fence is forgotten, unless
 * the worker found another one meanwhile.
 */
#include "common/mem.h"
#include "consumer/pool/pool_impl.h"

#include <stdlib.h>

void pool_tend_rebuild(struct pool *pool)
{
	struct rebuild *rebuild = pool->config.rebuild;
	struct rebuild_want *wants;
	size_t count = 0;

	if (!rebuild) {
		for (int i = 0; i < pool->partition_count; i++)
			atomic_store(&pool->partitions[i].p->cache_ratio, -1);
		return;
	}
	wants = mem_alloc((size_t)pool->partition_count * sizeof(*wants));
	for (int i = 0; i < pool->partition_count; i++) {
		struct partition *p = pool->partitions[i].p;
		struct rebuild_want want = {p->route, p->id, atomic_load(&p->rebuild_mark)};
		struct rebuild_state state;

		if (want.mark == 0)
			continue;
		state = rebuild_state(rebuild, &want);
		atomic_store(&p->cache_ratio, state.ratio);
		if (state.done)
			atomic_compare_exchange_strong(&p->rebuild_mark, &want.mark, 0);
		else
			wants[count++] = want;
	}
	rebuild_set_wanted(rebuild, wants, count);
	free(wants);
}
