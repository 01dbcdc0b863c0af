/*
 * users: batches of the users table made by hand, for tests of the stores: no Kafka, no decoding.
 */
#ifndef TESTS_LIB_USERS_H
#define TESTS_LIB_USERS_H

#include "consumer/mapping.h"
#include "consumer/pipeline/batch.h"

#include <stdint.h>

#define USERS_ROWS 2000

struct users {
	struct batch batch;
	struct row rows[USERS_ROWS];
	struct row *selected[USERS_ROWS];
	struct cell cells[USERS_ROWS][4];
	char texts[USERS_ROWS][3][48]; /* numbered rows' texts */
};

/* topic "users" -> users(id, name, age, occupation), cache user:{id} as JSON. All static. */
struct mapping *users_mapping(void);

/* An empty batch [from, to) of partition 0, with a digest and a timestamp. */
struct users *users_new(const struct route *route, int64_t from, int64_t to);
void users_free(struct users *users);
/* Texts are borrowed. */
struct row *users_put(
	struct users *users, const char *id, const char *name, int64_t age, const char *work);
struct row *users_delete(struct users *users, const char *id);
/* "k00000".. in order, name "n<SALT>". */
void users_put_many(struct users *users, int first, int count, int salt);

#endif
