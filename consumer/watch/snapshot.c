#include "consumer/watch/snapshot.h"

#include <stdlib.h>

void snapshot_release(struct snapshot *snapshot)
{
	free(snapshot->partitions);
	*snapshot = (struct snapshot){0};
}
