#include "producer/ingest/gen_rows.h"

#include "common/mix64.h"
#include "producer/ingest/json_row.h"

#include <time.h>

struct word {
	const char *text;
	uint32_t len;
};
#define WORD(text_) {text_, sizeof(text_) - 1},

struct currency {
	struct word code;
	int64_t per_dollar_e4;
	struct word country;
};
struct game {
	struct word name, category;
};

#define CURRENCY(code_, rate, country_)                                                        \
	{{code_, sizeof(code_) - 1}, rate, {country_, sizeof(country_) - 1}},
static const struct currency currencies[] = {
#include "producer/ingest/gen_data.def"
};
#undef CURRENCY
#define GAME(name_, category_) {{name_, sizeof(name_) - 1}, {category_, sizeof(category_) - 1}},
static const struct game games[] = {
#include "producer/ingest/gen_data.def"
};
#undef GAME
#define AGENT WORD
static const struct word agents[] = {
#include "producer/ingest/gen_data.def"
};
#undef AGENT
#define FIRST WORD
static const struct word firsts[] = {
#include "producer/ingest/gen_data.def"
};
#undef FIRST
#define LAST WORD
static const struct word lasts[] = {
#include "producer/ingest/gen_data.def"
};
#undef LAST
#define OCCUPATION WORD
static const struct word occupations[] = {
#include "producer/ingest/gen_data.def"
};
#undef OCCUPATION
#define KIND WORD
static const struct word kinds[] = {
#include "producer/ingest/gen_data.def"
};
#undef KIND
#define STATUS WORD
static const struct word statuses[] = {
#include "producer/ingest/gen_data.def"
};
#undef STATUS

#define COUNT(array)	  (sizeof(array) / sizeof((array)[0]))
#define PICK(array, bits) (&(array)[gen_below(bits, COUNT(array))])

struct gen_bits gen_bits_of(uint64_t seed, uint64_t row)
{
	return (struct gen_bits){seed * 0xd1342543de82ef95ULL + row * MIX64_STEP * 16};
}

uint64_t gen_next(struct gen_bits *bits) /* splitmix64 */
{
	return mix64(bits->state += MIX64_STEP);
}

static void put_word(struct cell *cell, const struct word *word)
{
	*cell = (struct cell){.text = word->text, .len = word->len, .kind = CELL_WORD};
}

static void put_int(struct cell *cell, int64_t value)
{
	*cell = (struct cell){.kind = CELL_INT, .integer = value};
}

void gen_put_fixed(struct cell *cell, char **text, int64_t value, int decimals)
{
	static const double scales[] = {1, 10, 100, 1000, 10000, 1e5, 1e6, 1e7, 1e8, 1e9};

	*cell = (struct cell){.text = *text, .kind = CELL_DOUBLE};
	cell->len = (uint32_t)format_fixed(*text, value, decimals);
	cell->number = (double)value / scales[decimals];
	*text += cell->len;
}

static void put2(char *to, int64_t value)
{
	to[0] = (char)('0' + value / 10);
	to[1] = (char)('0' + value % 10);
}

void gen_put_time(struct cell *cell, char **text, int64_t ms)
{
	/* the last day's date: rows of one chunk are of one day, or two */
	static _Thread_local int64_t day = -1;
	static _Thread_local char date[12];
	int64_t in_day = ms % 86400000;
	char *to = *text;

	if (ms / 86400000 != day) {
		time_t t = (time_t)(ms / 1000);
		struct tm tm;

		gmtime_r(&t, &tm);
		strftime(date, sizeof(date), "%Y-%m-%dT", &tm);
		day = ms / 86400000;
	}
	memcpy(to, date, 11);
	put2(to + 11, in_day / 3600000);
	to[13] = ':';
	put2(to + 14, in_day / 60000 % 60);
	to[16] = ':';
	put2(to + 17, in_day / 1000 % 60);
	to[19] = '.';
	to[20] = (char)('0' + in_day % 1000 / 100);
	put2(to + 21, in_day % 100);
	to[23] = 'Z';
	*cell = (struct cell){.text = to, .len = 24, .kind = CELL_CLEAN};
	*text += 24;
}

void gen_put_uuid(struct cell *cell, char **text, uint64_t a, uint64_t b)
{
	static const char hex[] = "0123456789abcdef";
	static const unsigned char at[32] = {0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 14, 15, 16,
		17, 19, 20, 21, 22, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35};
	char *to = *text;

	a = (a & ~0xf000ULL) | 0x4000; /* version 4 */
	b = (b & ~(3ULL << 62)) | 2ULL << 62; /* RFC 4122's variant */
	for (int i = 0; i < 16; i++) {
		to[at[i]] = hex[a >> (60 - 4 * i) & 15];
		to[at[16 + i]] = hex[b >> (60 - 4 * i) & 15];
	}
	to[8] = to[13] = to[18] = to[23] = '-';
	*cell = (struct cell){.text = to, .len = 36, .kind = CELL_CLEAN};
	*text += 36;
}

/* `prefix` and a number as one text. */
static void put_numbered(
	struct cell *cell, char **text, const char *prefix, size_t len, uint64_t number)
{
	memcpy(*text, prefix, len);
	*cell = (struct cell){.text = *text, .kind = CELL_CLEAN};
	cell->len = (uint32_t)(len + format_int(*text + len, (int64_t)number));
	*text += cell->len;
}

void gen_put_name(struct cell *cell, char **text, uint64_t bits)
{
	const struct word *first = PICK(firsts, bits);
	const struct word *last = PICK(lasts, bits >> 32);

	*cell = (struct cell){
		.text = *text, .len = first->len + 1 + last->len, .kind = CELL_CLEAN};
	memcpy(*text, first->text, first->len);
	(*text)[first->len] = ' ';
	memcpy(*text + first->len + 1, last->text, last->len);
	*text += cell->len;
}

void gen_put_occupation(struct cell *cell, uint64_t bits)
{
	put_word(cell, PICK(occupations, bits));
}

static void add_columns(struct schema *schema, const char *const *names, const char *types)
{
	for (size_t i = 0; types[i]; i++)
		schema_add(schema, names[i], strlen(names[i]),
			types[i] == 'i'	  ? COLUMN_INT
			: types[i] == 'd' ? COLUMN_DOUBLE
					  : COLUMN_STRING,
			false);
}

void gen_message_schema(struct schema *schema)
{
	static const char *const names[] = {"id", "uid", "created_at", "agent_id", "agent",
		"player_id", "player", "game_id", "game", "category", "type", "currency",
		"amount", "rate", "amount_usd", "status", "country"};

	add_columns(schema, names, "issisisissssdddss");
}

void gen_message_row(const struct gen_params *p, uint64_t row, struct cell *c, char **text)
{
	struct gen_bits bits = gen_bits_of(p->seed, row);
	uint64_t a = gen_next(&bits), b = gen_next(&bits);
	uint64_t d = gen_next(&bits), e = gen_next(&bits);
	uint64_t agent = gen_below(d, COUNT(agents));
	uint64_t game = gen_below(d >> 32, COUNT(games));
	uint64_t player = gen_next(&bits) % p->keys;
	const struct currency *currency = PICK(currencies, e);
	int64_t amount_usd_e2 = 10 + (int64_t)(gen_below(e >> 32, 3000) * gen_below(a, 100));

	put_int(&c[0], (int64_t)(p->first_id + row));
	gen_put_uuid(&c[1], text, a, b);
	gen_put_time(&c[2], text, p->base_ms + (int64_t)(row / 64));
	put_int(&c[3], (int64_t)agent + 1);
	put_word(&c[4], &agents[agent]);
	put_int(&c[5], (int64_t)player);
	put_numbered(&c[6], text, "player_", 7, player);
	put_int(&c[7], (int64_t)game + 100);
	put_word(&c[8], &games[game].name);
	put_word(&c[9], &games[game].category);
	put_word(&c[10], PICK(kinds, b));
	put_word(&c[11], &currency->code);
	gen_put_fixed(&c[12], text, amount_usd_e2 * currency->per_dollar_e4 / 10000, 2);
	gen_put_fixed(&c[13], text, currency->per_dollar_e4, 4);
	gen_put_fixed(&c[14], text, amount_usd_e2, 2);
	put_word(&c[15], PICK(statuses, b >> 32));
	put_word(&c[16], &currency->country);
}

void gen_users_schema(struct schema *schema)
{
	static const char *const names[] = {"id", "name", "age", "occupation"};

	add_columns(schema, names, "ssis");
}

/* Keys come in turn, so that n >= keys rows hold every key. */
void gen_users_row(const struct gen_params *p, uint64_t row, struct cell *c, char **text)
{
	struct gen_bits bits = gen_bits_of(p->seed, row);
	uint64_t a = gen_next(&bits), b = gen_next(&bits);

	put_numbered(&c[0], text, "u", 1, row % p->keys);
	gen_put_name(&c[1], text, a);
	put_int(&c[2], 18 + (int64_t)gen_below(b, 70));
	gen_put_occupation(&c[3], b >> 32);
}
