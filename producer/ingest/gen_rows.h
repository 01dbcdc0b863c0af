/*
 * gen_rows: made-up rows. Row n of a seed is always the same, whoever makes it and in whatever
 * order: all of it follows from a hash of (seed, n). Pure; any thread.
 */
#ifndef PRODUCER_INGEST_GEN_ROWS_H
#define PRODUCER_INGEST_GEN_ROWS_H

#include "producer/ingest/chunk.h"
#include "producer/ingest/schema.h"

struct gen_params {
	uint64_t seed, first_id, keys;
	int64_t base_ms; /* the first row's time */
};

/* Random bits of one row: as many as are asked for. */
struct gen_bits {
	uint64_t state;
};
struct gen_bits gen_bits_of(uint64_t seed, uint64_t row);
uint64_t gen_next(struct gen_bits *bits);
/* 0 .. bound-1 */
static inline uint64_t gen_below(uint64_t bits32, uint64_t bound)
{
	return ((bits32 & 0xffffffffu) * bound) >> 32;
}

#define GEN_ROW_BYTES 256 /* formatted text that a row needs at most */

/* The 17 fields of a game message; `text` has GEN_ROW_BYTES and moves on. */
void gen_message_schema(struct schema *schema);
void gen_message_row(const struct gen_params *p, uint64_t row, struct cell *cells, char **text);
/* id, name, age, occupation: what wt-consumer's default mapping takes. */
void gen_users_schema(struct schema *schema);
void gen_users_row(const struct gen_params *p, uint64_t row, struct cell *cells, char **text);

/* Formatters that templates use too; each moves *text on and fills the cell. */
void gen_put_time(struct cell *cell, char **text, int64_t ms);
void gen_put_uuid(struct cell *cell, char **text, uint64_t a, uint64_t b);
void gen_put_fixed(struct cell *cell, char **text, int64_t value, int decimals);
void gen_put_name(struct cell *cell, char **text, uint64_t bits);
void gen_put_occupation(struct cell *cell, uint64_t bits);

#endif
