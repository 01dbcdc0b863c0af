#include "loadgen/acks.h"

#include "common/mem.h"

#include <stdlib.h>
#include <string.h>

#define PAGE_BITS  (1 << 16)
#define PAGES_MAX  (1 << 16) /* 4 billion offsets a partition */
#define PAGE_WORDS (PAGE_BITS / 64)

struct page {
	uint64_t words[PAGE_WORDS];
};

struct acks_partition {
	struct acks_partition *next;
	char topic[ACK_TOPIC_BYTES];
	int id;
	int64_t base; /* of page 0 */
	struct page **pages;
	size_t pages_count;
	uint64_t count;
	int64_t first, last;
};

struct acks {
	struct acks_partition *head, *tail, *recent;
};

/* --- the answer's JSON --- */

static const char *skip_string(const char *c, const char *end)
{
	for (c++; c < end && *c != '"'; c++)
		c += *c == '\\';
	return c < end ? c + 1 : end;
}

static bool parse_number(const char *c, const char *end, int64_t *value)
{
	int64_t sum = 0;
	const char *start = c;

	for (; c < end && *c >= '0' && *c <= '9'; c++) {
		if (c - start >= 18)
			return false;
		sum = sum * 10 + (*c - '0');
	}
	if (c == start)
		return false;
	*value = sum;
	return true;
}

static void take_field(
	struct ack *ack, const char *name, size_t length, const char *value, const char *end)
{
	int64_t number;

	if (length == 6 && memcmp(name, "offset", 6) == 0) {
		if (parse_number(value, end, &number))
			ack->offset = number;
	} else if (length == 9 && memcmp(name, "partition", 9) == 0) {
		if (parse_number(value, end, &number) && number <= INT32_MAX)
			ack->partition = (int)number;
	} else if (length == 5 && memcmp(name, "topic", 5) == 0 && *value == '"') {
		size_t bytes = (size_t)(skip_string(value, end) - value);

		if (bytes >= 2 && bytes - 2 < ACK_TOPIC_BYTES) {
			memcpy(ack->topic, value + 1, bytes - 2);
			ack->topic[bytes - 2] = 0;
		}
	}
}

bool ack_parse(struct ack *ack, const char *json, size_t bytes)
{
	const char *c = json, *end = json + bytes;
	int depth = 0;

	ack->topic[0] = 0;
	ack->partition = -1;
	ack->offset = -1;
	while (c < end) {
		if (*c == '"') {
			const char *name = c + 1, *after = skip_string(c, end);

			c = after;
			while (c < end && (*c == ' ' || *c == '\t'))
				c++;
			if (c == end || *c != ':' || depth != 1)
				continue; /* a value, or not ours */
			c++;
			while (c < end && (*c == ' ' || *c == '\t'))
				c++;
			if (c < end)
				take_field(ack, name, (size_t)(after - name) - 1, c, end);
			continue;
		}
		depth += (*c == '{' || *c == '[') - (*c == '}' || *c == ']');
		c++;
	}
	return ack->partition >= 0 && ack->offset >= 0;
}

/* --- the account --- */

struct acks *acks_new(void)
{
	return mem_zero(1, sizeof(struct acks));
}

void acks_free(struct acks *a)
{
	struct acks_partition *p = a ? a->head : NULL;

	while (p) {
		struct acks_partition *next = p->next;

		for (size_t i = 0; i < p->pages_count; i++)
			free(p->pages[i]);
		free(p->pages);
		free(p);
		p = next;
	}
	free(a);
}

static bool is_it(const struct acks_partition *p, const struct ack *ack)
{
	return p->id == ack->partition && strcmp(p->topic, ack->topic) == 0;
}

static struct acks_partition *find(struct acks *a, const struct ack *ack)
{
	struct acks_partition *p = a->recent;

	if (p && is_it(p, ack))
		return p;
	for (p = a->head; p && !is_it(p, ack);)
		p = p->next;
	if (!p) {
		p = mem_zero(1, sizeof(*p));
		memcpy(p->topic, ack->topic, sizeof(p->topic));
		p->id = ack->partition;
		/* a page below the first: acknowledgements may overtake each other */
		p->base = (ack->offset / PAGE_BITS - 1) * PAGE_BITS;
		p->first = p->last = ack->offset;
		*(a->tail ? &a->tail->next : &a->head) = p;
		a->tail = p;
	}
	a->recent = p;
	return p;
}

enum ack_outcome acks_add(struct acks *a, const struct ack *ack)
{
	struct acks_partition *p = find(a, ack);
	int64_t at = ack->offset - p->base;
	size_t number = (size_t)(at / PAGE_BITS), bit = (size_t)(at % PAGE_BITS);
	uint64_t mask = UINT64_C(1) << (bit % 64);

	if (at < 0 || at / PAGE_BITS >= PAGES_MAX)
		return ACK_TOO_FAR;
	if (number >= p->pages_count) {
		p->pages = mem_resize(p->pages, number + 1, sizeof(*p->pages));
		memset(p->pages + p->pages_count, 0,
			(number + 1 - p->pages_count) * sizeof(*p->pages));
		p->pages_count = number + 1;
	}
	if (!p->pages[number])
		p->pages[number] = mem_zero(1, sizeof(struct page));
	if (p->pages[number]->words[bit / 64] & mask)
		return ACK_AGAIN;
	p->pages[number]->words[bit / 64] |= mask;
	p->count++;
	if (ack->offset < p->first)
		p->first = ack->offset;
	if (ack->offset > p->last)
		p->last = ack->offset;
	return ACK_NEW;
}

const struct acks_partition *acks_next(const struct acks *a, const struct acks_partition *after)
{
	return after ? after->next : a->head;
}

const char *acks_topic(const struct acks_partition *p)
{
	return p->topic;
}

int acks_partition_id(const struct acks_partition *p)
{
	return p->id;
}

uint64_t acks_count(const struct acks_partition *p)
{
	return p->count;
}

int64_t acks_first(const struct acks_partition *p)
{
	return p->first;
}

int64_t acks_last(const struct acks_partition *p)
{
	return p->last;
}

uint64_t acks_beyond(const struct acks_partition *p, int64_t from, int64_t *lowest)
{
	uint64_t sum = 0;
	int64_t offset = from > p->first ? from : p->first;

	*lowest = -1;
	while (offset <= p->last) {
		int64_t at = offset - p->base;
		const struct page *page = p->pages[at / PAGE_BITS];
		int bit = (int)(at % 64);
		uint64_t word = page ? page->words[at % PAGE_BITS / 64] >> bit : 0;

		if (word && *lowest < 0)
			*lowest = offset + __builtin_ctzll(word);
		sum += (uint64_t)__builtin_popcountll(word);
		offset += 64 - bit;
	}
	return sum;
}
