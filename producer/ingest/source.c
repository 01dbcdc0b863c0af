#include "producer/ingest/source.h"

void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}
