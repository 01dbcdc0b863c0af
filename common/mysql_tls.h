/*
 * mysql_tls: did a connection become what was asked of it? MariaDB Connector/C asks for TLS and takes
 * "no" for an answer; and from 3.4 on it lets a certificate pass that no authority signed when the
 * server is on this machine, or proves to know the password. Where TLS is required, or the
 * certificate's authority, that has to be looked at after the connect. Header only: what includes it
 * links the client library.
 */
#ifndef COMMON_MYSQL_TLS_H
#define COMMON_MYSQL_TLS_H

#include <mysql.h>
#include <stdbool.h>
#include <stddef.h>

/* NULL, or in constant words what is missing. `mysql` is connected. */
static inline const char *mysql_tls_missing(MYSQL *mysql, bool required, bool verify)
{
	unsigned doubts = 0;

	if ((required || verify) && !mysql_get_ssl_cipher(mysql))
		return "TLS is required, but the server offers none";
#if defined(LIBMARIADB) && MARIADB_PACKAGE_VERSION_ID >= 30401
	if (verify && mariadb_get_infov(mysql, MARIADB_TLS_VERIFY_STATUS, &doubts) != 0)
		return "this client library cannot tell whether the certificate was verified";
#endif
	return verify && doubts
		       ? "the server's certificate comes from no known authority, or is "
			 "another host's: see the option for the CA"
		       : NULL;
}

#endif
