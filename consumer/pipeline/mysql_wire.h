/*
 * mysql_wire: statements sent without waiting for their answers. Each send is followed, in their
 * order, by one mysql_wire_answer; no other call of the library until all are read, but after
 * RECONNECT. Inside the store, as mysql_internal.h.
 */
#ifndef CONSUMER_PIPELINE_MYSQL_WIRE_H
#define CONSUMER_PIPELINE_MYSQL_WIRE_H

#include "consumer/pipeline/mysql_internal.h"

/* Little endian, its lower `bytes`; a text with its length before it. Each returns behind it. */
char *mysql_wire_number(char *at, uint64_t number, size_t bytes);
char *mysql_wire_double(char *at, double number);
char *mysql_wire_text(char *at, const char *text, size_t length);
/* store->packet */
enum verdict mysql_wire_send(
	struct mysql_store *store, enum enum_server_command command, struct store_error *error);
/* The first `count` of store->binds: numbers of 64 bits, texts, NULL. */
enum verdict mysql_wire_execute(struct mysql_store *store, const MYSQL_STMT *stmt, size_t count,
	struct store_error *error);
enum verdict mysql_wire_answer(struct mysql_store *store, struct store_error *error);

/* mysql_array.c: any number of rows in one trip; `usable` says whether this route may. */
enum verdict mysql_array_usable(struct mysql_store *store, const struct route *route,
	bool *usable, struct store_error *error);
enum verdict mysql_array_send(struct mysql_store *store, const struct route *route,
	struct row *const *rows, size_t count, struct store_error *error);

#endif
