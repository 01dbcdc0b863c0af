/*
 * gen_template: rows after a JSON object of the user's: each field's text says how its value is
 * made ("int(1,100)", "choice(a,b)", ...: docs/ingest.md). Loaded before the threads, then
 * read-only.
 */
#ifndef PRODUCER_INGEST_GEN_TEMPLATE_H
#define PRODUCER_INGEST_GEN_TEMPLATE_H

#include "common/err.h"
#include "producer/ingest/gen_rows.h"

struct gen_template;

/* Fills the schema. ERR_CONFIG names file, field and what is wrong. */
int gen_template_load(
	struct gen_template **out, const char *path, struct schema *schema, struct errmsg *msg);
/* The same from text in memory. */
int gen_template_parse(
	struct gen_template **out, const char *json, struct schema *schema, struct errmsg *msg);
void gen_template_free(struct gen_template *t);
/* Formatted text that a row needs at most. */
size_t gen_template_row_bytes(const struct gen_template *t);
void gen_template_row(const struct gen_template *t, const struct gen_params *p, uint64_t row,
	struct cell *cells, char **text);

#endif
