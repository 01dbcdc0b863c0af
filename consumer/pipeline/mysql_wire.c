/*
 * mysql_wire: prepared statements in the protocol's own form, sent without waiting for the answer:
 * several go out in a row, and the caller may do other things before it reads. The library carries
 * the packets (TLS, time-outs, parts of 16 MiB) and reads the answers; st_mariadb_methods is its door
 * to that. MariaDB's library only.
 *
 * Form: https://mariadb.com/kb/en/com_stmt_execute/
 */
#include "consumer/pipeline/mysql_wire.h"

#ifdef LIBMARIADB

#include "consumer/failure/mysql_verdict.h"

#include <endian.h>
#include <string.h>

char *mysql_wire_number(char *at, uint64_t number, size_t bytes)
{
	uint64_t little = htole64(number);

	memcpy(at, &little, bytes);
	return at + bytes;
}

char *mysql_wire_double(char *at, double number)
{
	uint64_t bits;

	memcpy(&bits, &number, sizeof(bits));
	return mysql_wire_number(at, bits, sizeof(bits));
}

char *mysql_wire_text(char *at, const char *text, size_t length)
{
	if (length < 251) {
		*at++ = (char)length;
	} else {
		size_t bytes = length < 1 << 16 ? 2 : length < 1 << 24 ? 3 : 8;

		*at++ = (char)(bytes == 8 ? 254 : 250 + bytes);
		at = mysql_wire_number(at, length, bytes);
	}
	if (length > 0)
		memcpy(at, text, length);
	return at + length;
}

enum verdict mysql_wire_send(
	struct mysql_store *store, enum enum_server_command command, struct store_error *error)
{
	MYSQL *mysql = store->mysql;

	if (mysql->methods->db_command(
		    mysql, command, store->packet.data, store->packet.used, 1, NULL) == 0)
		return VERDICT_DONE;
	(void)mysql_failed(store, error);
	return VERDICT_RECONNECT; /* whatever it is: answers may be on their way */
}

enum verdict mysql_wire_answer(struct mysql_store *store, struct store_error *error)
{
	enum verdict v;

	if (mysql_read_query_result(store->mysql) == 0)
		return VERDICT_DONE;
	v = mysql_failed(store, error);
	error->row =
		(long)mysql_verdict_row(mysql_error(store->mysql)) - 1; /* of the statement */
	return v;
}

static char *put_bind(char *at, const MYSQL_BIND *bind)
{
	uint64_t number;

	if (bind->buffer_type == MYSQL_TYPE_NULL)
		return at;
	if (bind->buffer_type == MYSQL_TYPE_STRING)
		return mysql_wire_text(at, bind->buffer, *bind->length);
	memcpy(&number, bind->buffer, sizeof(number));
	return mysql_wire_number(at, number, sizeof(number));
}

enum verdict mysql_wire_execute(struct mysql_store *store, const MYSQL_STMT *stmt, size_t count,
	struct store_error *error)
{
	struct text_buffer *packet = &store->packet;
	size_t nulls = (count + 7) / 8, room = 32 + nulls + count * 12;
	char *at, *null_bits;

	for (size_t i = 0; i < count; i++)
		room += store->binds[i].buffer_length;
	packet->used = 0;
	at = text_buffer_room(packet, room);
	at = mysql_wire_number(at, stmt->stmt_id, 4);
	at = mysql_wire_number(at, CURSOR_TYPE_NO_CURSOR, 1);
	at = mysql_wire_number(at, 1, 4); /* once */
	null_bits = at;
	memset(null_bits, 0, nulls);
	at = mysql_wire_number(at + nulls, 1, 1); /* the types follow */
	for (size_t i = 0; i < count; i++) {
		if (store->binds[i].buffer_type == MYSQL_TYPE_NULL)
			null_bits[i / 8] = (char)(null_bits[i / 8] | 1 << i % 8);
		at = mysql_wire_number(at, store->binds[i].buffer_type, 2);
	}
	for (size_t i = 0; i < count; i++)
		at = put_bind(at, &store->binds[i]);
	packet->used = (size_t)(at - packet->data);
	return mysql_wire_send(store, COM_STMT_EXECUTE, error);
}

#else

enum verdict mysql_wire_answer(struct mysql_store *store, struct store_error *error)
{
	(void)store;
	return mysql_refuse(error, VERDICT_FATAL, "schema", "the protocol is MariaDB's");
}

enum verdict mysql_wire_execute(struct mysql_store *store, const MYSQL_STMT *stmt, size_t count,
	struct store_error *error)
{
	(void)stmt, (void)count;
	return mysql_wire_answer(store, error);
}

#endif
