/* mysql_verdict: see mysql_verdict.h. Numbers of both servers and of both client libraries. */
#include "consumer/failure/mysql_verdict.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define RETRY	  VERDICT_RETRY
#define RECONNECT VERDICT_RECONNECT
#define POISON	  VERDICT_POISON
#define FATAL	  VERDICT_FATAL

static const struct mysql_verdict table[] = {
	/* Another transaction was in the way: nothing is wrong with the rows. */
	{1205, RETRY, "lock_timeout"}, {1206, RETRY, "lock_timeout"}, /* lock table full */
	{1213, RETRY, "deadlock"}, /* also Galera's certification failure */
	{1614, RETRY, "deadlock"}, /* XA */
	{3058, RETRY, "deadlock"},
	{3101, RETRY, "deadlock"}, /* group replication rolled it back */
	{3572, RETRY, "lock_timeout"},
	/* The server cannot write just now. */
	{1021, RETRY, "storage"}, /* disk full */
	{1114, RETRY, "storage"}, /* table is full: a full disk, too */
	{1026, RETRY, "storage"}, {1030, RETRY, "storage"},
	{1180, RETRY, "storage"}, /* error during COMMIT */
	{1290, RETRY, "read_only"}, /* --read-only, while failing over */
	{1792, RETRY, "read_only"}, {1836, RETRY, "read_only"},
	{1047, RETRY, "not_ready"}, /* a Galera node that has no quorum */
	{1037, RETRY, "resources"}, {1038, RETRY, "resources"}, {1041, RETRY, "resources"},
	{1040, RETRY, "connections"}, /* too many */
	{1203, RETRY, "connections"}, {1226, RETRY, "connections"},
	{1461, RETRY, "resources"}, /* max_prepared_stmt_count */
	{1317, RETRY, "interrupted"}, /* KILL QUERY */
	{1969, RETRY, "interrupted"}, /* max_statement_time */
	{3024, RETRY, "interrupted"},
	/* The connection, or what the session held, is gone. */
	{1053, RECONNECT, "shutdown"}, {1077, RECONNECT, "shutdown"},
	{1079, RECONNECT, "shutdown"}, {1152, RECONNECT, "connection"},
	{1153, RECONNECT, "packet"}, {1156, RECONNECT, "packet"},
	{1158, RECONNECT, "connection"}, {1159, RECONNECT, "connection"},
	{1160, RECONNECT, "connection"}, {1161, RECONNECT, "connection"},
	{1184, RECONNECT, "connection"},
	{1927, RECONNECT, "connection"}, /* MariaDB: connection was killed */
	{4031, RECONNECT, "connection"}, /* MySQL: disconnected for inactivity */
	{1243, RECONNECT, "session"}, /* unknown prepared statement */
	{1615, RECONNECT, "session"}, /* needs to be prepared again */
	{2000, RECONNECT, "connection"}, {2001, RECONNECT, "connection"},
	{2002, RECONNECT, "connection"}, {2003, RECONNECT, "connection"},
	{2004, RECONNECT, "connection"},
	{2005, RECONNECT, "connection"}, /* unknown host: names come back, too */
	{2006, RECONNECT, "connection"}, {2009, RECONNECT, "connection"},
	{2012, RECONNECT, "connection"}, {2013, RECONNECT, "connection"},
	{2014, RECONNECT, "session"}, {2020, RECONNECT, "packet"},
	{2026, RECONNECT, "tls"}, /* also a server that went away inside the handshake */
	{2027, RECONNECT, "packet"},
	{2048, RECONNECT, "connection"}, /* invalid handle: closed underneath */
	{2055, RECONNECT, "connection"},
	{5014, RECONNECT, "connection"}, /* Connector/C: write failed */
	/* This row never fits. */
	{1048, POISON, "null"}, {1062, POISON, "duplicate"},
	{1118, POISON, "too_long"}, /* row size */
	{1216, POISON, "foreign_key"}, {1217, POISON, "foreign_key"},
	{1264, POISON, "out_of_range"}, {1265, POISON, "bad_value"},
	/* a key that its column's character set cannot spell */
	{1267, POISON, "bad_value"}, {1270, POISON, "bad_value"}, {1271, POISON, "bad_value"},
	{1292, POISON, "bad_value"},
	{1300, POISON, "bad_value"}, /* not a string of the character set */
	{1366, POISON, "bad_value"}, {1367, POISON, "bad_value"}, {1406, POISON, "too_long"},
	{1411, POISON, "bad_value"}, {1451, POISON, "foreign_key"},
	{1452, POISON, "foreign_key"},
	/* what a generated column or a check makes of it: x/0, a time behind the last year, base64, JSON */
	{1365, POISON, "bad_value"}, {1441, POISON, "bad_value"}, {1958, POISON, "bad_value"},
	{4035, POISON, "bad_value"}, {4036, POISON, "bad_value"}, {4037, POISON, "bad_value"},
	{4038, POISON, "bad_value"}, {4039, POISON, "bad_value"}, {4040, POISON, "bad_value"},
	{1526, POISON, "bad_value"}, /* no partition of the table takes it */
	{1586, POISON, "duplicate"}, {1644, POISON, "signal"}, /* a trigger refused it */
	{1690, POISON, "out_of_range"},
	{1977, POISON, "bad_value"}, /* MariaDB: cannot be converted to the column's charset */
	{3140, POISON, "bad_value"}, /* JSON */
	{3141, POISON, "bad_value"}, {3144, POISON, "bad_value"}, {3156, POISON, "bad_value"},
	{3157, POISON, "too_long"}, /* JSON nested too deeply */
	{3819, POISON, "check"}, {3854, POISON, "bad_value"}, /* MySQL's 1977 */
	{3988, POISON, "bad_value"}, {4025, POISON, "check"},
	/* Schema and rights: somebody has to change something. */
	{1044, FATAL, "rights"}, {1045, FATAL, "rights"},
	{1049, FATAL, "schema"}, /* unknown database */
	{1051, FATAL, "schema"}, {1054, FATAL, "schema"}, {1064, FATAL, "schema"},
	{1072, FATAL, "schema"}, {1109, FATAL, "schema"}, {1115, FATAL, "schema"},
	{1130, FATAL, "rights"}, /* this host may not connect */
	{1136, FATAL, "schema"}, {1142, FATAL, "rights"}, {1143, FATAL, "rights"},
	{1146, FATAL, "schema"}, {1193, FATAL, "schema"}, {1227, FATAL, "rights"},
	{1231, FATAL, "schema"}, {1251, FATAL, "rights"}, /* authentication protocol */
	{1273, FATAL, "schema"}, {1288, FATAL, "schema"}, /* a view that cannot be written */
	{1295, FATAL, "schema"}, {1298, FATAL, "schema"}, {1347, FATAL, "schema"},
	{1348, FATAL, "schema"}, {1356, FATAL, "schema"},
	{1364, FATAL, "schema"}, /* a column without default that is not mapped */
	{1370, FATAL, "rights"}, {1524, FATAL, "rights"},
	{1665, FATAL, "schema"}, /* statement binlog against the isolation level */
	{1698, FATAL, "rights"}, {1785, FATAL, "schema"}, /* a table without transactions */
	{1820, FATAL, "rights"}, /* the password must be changed first */
	{1862, FATAL, "rights"}, {1906, FATAL, "schema"}, /* MariaDB: generated column */
	{1932, FATAL, "schema"}, {2049, FATAL, "rights"}, {2054, FATAL, "rights"},
	{2058, FATAL, "rights"}, {2059, FATAL, "rights"},
	{2061, FATAL, "rights"}, /* the server's public key is needed */
	{3105, FATAL, "schema"}, /* MySQL: generated column */
	{3118, FATAL, "rights"}, /* account locked */
	{3159, FATAL, "rights"}, /* only over TLS */
	{4151, FATAL, "rights"}, /* MariaDB's 3118 */
};

static const struct mysql_verdict unknown = {0, RETRY, "unknown"};

const struct mysql_verdict *mysql_verdict(unsigned code)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].code == code)
			return &table[i];
	}
	return &unknown;
}

const struct mysql_verdict *mysql_verdict_of(unsigned code, const char *state)
{
	return mysql_verdict(strcmp(state, "45000") == 0 ? 1644 : code);
}

const struct mysql_verdict *mysql_verdict_table(size_t *count)
{
	*count = sizeof(table) / sizeof(table[0]);
	return table;
}

unsigned long mysql_verdict_row(const char *message)
{
	static const char marker[] = " at row ";
	size_t end = strlen(message), at = end;

	while (at && isdigit((unsigned char)message[at - 1]))
		at--;
	if (at == end || end - at > 9 || at < sizeof(marker) - 1)
		return 0;
	if (memcmp(message + at - (sizeof(marker) - 1), marker, sizeof(marker) - 1))
		return 0;
	return strtoul(message + at, NULL, 10);
}
