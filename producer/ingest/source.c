#include "producer/ingest/source.h"

#include "producer/ingest/json_row.h"

void source_free(struct source *source)
{
	if (source)
		source->ops->free(source);
}

/* A transaction has room for some 4 KB with all else that it keeps. */
#define WORD_BYTES 512

/* FNV-1a, continued. */
static uint64_t hash(uint64_t sum, const char *text)
{
	do
		sum = (sum ^ (unsigned char)*text) * 0x100000001b3ULL;
	while (*text++);
	return sum;
}

static char *generate_word(const struct ingest_options *options)
{
	return options->template_file
		       ? mem_printf("generate --template %s", options->template_file)
		       : mem_printf("generate --shape %s",
				 options->shape == 1 ? "users" : "message");
}

char *source_word(const char *verb, const struct ingest_options *options)
{
	const struct conf_list *paths = &options->paths;
	uint64_t sum = 0xcbf29ce484222325ULL;
	struct buf word = {0};

	if (paths->count == 0)
		return generate_word(options);
	buf_put(&word, verb, strlen(verb));
	for (size_t i = 0; i < paths->count; i++) {
		buf_byte(&word, ' ');
		buf_put(&word, paths->items[i], strlen(paths->items[i]));
		sum = hash(sum, paths->items[i]);
	}
	buf_byte(&word, 0);
	if (word.used <= WORD_BYTES && utf8_valid(word.data, word.used))
		return word.data; /* the checkpoint is JSON */
	buf_release(&word);
	return mem_printf(
		"%s of %zu names (%016llx)", verb, paths->count, (unsigned long long)sum);
}
