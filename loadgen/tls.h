/*
 * tls: TLS (openssl) between bytes that somebody else carries and bytes that somebody else reads.
 * A tls_client holds what all connections share: authorities, whether to verify. A tls is one
 * connection; it never touches a socket. One thread's. client_open -> (new -> start -> feed / take
 * / read / write -> free)... -> client_close.
 */
#ifndef LOADGEN_TLS_H
#define LOADGEN_TLS_H

#include "common/err.h"

#include <stdbool.h>
#include <stddef.h>

struct tls_client;
struct tls;

/* `ca_file` NULL: the system's authorities. `insecure`: any certificate will do. ERR_CONFIG. */
int tls_client_open(
	struct tls_client **made, const char *ca_file, bool insecure, struct errmsg *msg);
void tls_client_close(struct tls_client *client);
/* A whole handshake on a connected socket, blocking, and no more; ERR_UNAVAILABLE says why not. */
int tls_client_probe(struct tls_client *client, int fd, const char *name, int timeout_ms,
	struct errmsg *msg);

enum tls_result { TLS_READY, TLS_MORE, TLS_ENDED, TLS_FAILED };

/* For a server of that name or address, which its certificate must bear. */
struct tls *tls_new(struct tls_client *client, const char *name);
void tls_free(struct tls *tls);
/* Bytes that came. */
void tls_feed(struct tls *tls, const char *data, size_t bytes);
/* READY when the handshake is done; MORE: bytes of the other side are missing. */
enum tls_result tls_handshake(struct tls *tls);
/* READY: *got bytes of plain text are in buf. */
enum tls_result tls_read(struct tls *tls, char *buf, size_t room, size_t *got);
bool tls_write(struct tls *tls, const char *data, size_t bytes);
/* How many bytes are to be sent, and those bytes. */
size_t tls_outgoing(const struct tls *tls);
size_t tls_take(struct tls *tls, char *buf, size_t room);

#endif
