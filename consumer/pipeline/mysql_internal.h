/*
 * mysql_internal: what the mysql_*.c files of the store share; nobody else includes it.
 * Everything is the owner thread's, but `fd` and `mu` (mysql_store_interrupt).
 */
#ifndef CONSUMER_PIPELINE_MYSQL_INTERNAL_H
#define CONSUMER_PIPELINE_MYSQL_INTERNAL_H

#include "consumer/pipeline/cache_value.h"
#include "consumer/pipeline/mysql_store.h"

#include <mysql.h>
#include <pthread.h>
#include <stdbool.h>

/* The flag type of MYSQL_BIND: MariaDB Connector/C has my_bool, Oracle's library has bool. */
#ifdef LIBMARIADB
typedef my_bool mysql_flag;
#else
typedef bool mysql_flag;
#endif

/* Rows a statement is prepared for, largest first: any count is a few of them. */
#define MYSQL_SHAPES	   9
#define MYSQL_PLACEHOLDERS 65535
extern const unsigned mysql_shape_rows[MYSQL_SHAPES];

/* The prepared statements of one route; NULL until they are first needed. */
struct mysql_route {
	MYSQL_STMT *write[MYSQL_SHAPES];
	MYSQL_STMT *erase[MYSQL_SHAPES];
	MYSQL_STMT *read[MYSQL_SHAPES];
	MYSQL_STMT *scan, *scan_after;
	MYSQL_STMT *array; /* NULL also where arrays will not do */
	bool array_asked;
};

enum mysql_fixed {
	FIXED_LEDGER_MOVE,
	FIXED_LEDGER_READ,
	FIXED_LEDGER_CREATE,
	FIXED_POSITIONS,
	FIXED_COUNT,
};

struct mysql_rows {
	struct row **rows;
	size_t *index; /* of each in the caller's array */
	size_t count, room;
};

struct mysql_store {
	const struct mysql_config *config;
	MYSQL *mysql; /* NULL when closed */
	bool mariadb;
	bool row_alias; /* INSERT ... AS new */
	bool arrays; /* wanted, and the server may take them */
	bool snapshot_needs_level; /* the session is READ COMMITTED */
	unsigned long packet_max;
	int at_once; /* 0 = no limit */
	char *database; /* escaped for a string literal */
	char *updated_by; /* fits the ledger's column */
	MYSQL_STMT *fixed[FIXED_COUNT];
	struct mysql_route *routes; /* one per route of the mapping */
	MYSQL_BIND *binds; /* parameters, kept */
	size_t bind_room;
	struct text_buffer packet; /* mysql_wire.c */
	struct mysql_rows writes, erases;
	size_t scan_rows; /* of the next scan at most; 0: not known yet */
	size_t ahead; /* of writes: sent by mysql_store_start, behind the ledger's move */
	pthread_mutex_t mu;
	int fd; /* under mu; -1 when closed */
};

/* mysql_connect.c */
void mysql_disconnect(struct mysql_store *store);

/* mysql_statement.c */
/* The connection's last error; the verdict of its number. */
enum verdict mysql_failed(struct mysql_store *store, struct store_error *error);
enum verdict mysql_stmt_failed(MYSQL_STMT *stmt, struct store_error *error);
/* Not a server's answer but ours. */
enum verdict mysql_refuse(struct store_error *error, enum verdict verdict, const char *class,
	const char *format, ...) __attribute__((format(printf, 4, 5)));
enum verdict mysql_run(struct mysql_store *store, const char *sql, struct store_error *error);
/* Ends the transaction and passes `verdict` on; RECONNECT when that fails. */
enum verdict mysql_abandon(
	struct mysql_store *store, enum verdict verdict, struct store_error *error);
/* *stmt, prepared once; takes `sql` over. */
enum verdict mysql_prepare(
	struct mysql_store *store, MYSQL_STMT **stmt, char *sql, struct store_error *error);
enum verdict mysql_fixed(struct mysql_store *store, enum mysql_fixed which, MYSQL_STMT **stmt,
	struct store_error *error);
/* Binds store->binds and executes. */
enum verdict mysql_execute(
	struct mysql_store *store, MYSQL_STMT *stmt, struct store_error *error);
/* The parameter array with room for `count`. */
MYSQL_BIND *mysql_binds(struct mysql_store *store, size_t count);
void mysql_bind_int(MYSQL_BIND *bind, const int64_t *value);
void mysql_bind_text(MYSQL_BIND *bind, const char *text, size_t length);
void mysql_bind_cell(MYSQL_BIND *bind, const struct column *column, const struct cell *cell);
struct mysql_route *mysql_route_of(struct mysql_store *store, const struct route *route);

/* mysql_read.c: of a statement that was executed, the rows, appended: about `bytes` at most. */
enum verdict mysql_read_rows(MYSQL_STMT *stmt, const struct route *route, size_t bytes,
	struct row_list *out, struct store_error *error);

/* mysql_owner.c: the table's row in writethrough_route, made if there is none. */
enum verdict mysql_check_owner(struct mysql_store *store, const struct route *route,
	int32_t partitions, struct store_error *error);

/* mysql_ledger.c: the ledger row from batch->from to batch->to, MOVED when it is not there. The
 * second way is mysql_wire.c's: sent, and judged when its answer is read. */
enum verdict mysql_ledger_move(
	struct mysql_store *store, const struct batch *batch, struct store_error *error);
enum verdict mysql_ledger_send(
	struct mysql_store *store, const struct batch *batch, struct store_error *error);
enum verdict mysql_ledger_answer(
	struct mysql_store *store, const struct batch *batch, struct store_error *error);

#endif
