#include "loadgen/tls.h"

#include "common/mem.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>

struct tls_client {
	SSL_CTX *context;
	bool insecure;
};

struct tls {
	SSL *ssl;
	BIO *in, *out; /* owned by ssl */
};

static const char *reason(char *buf, size_t bytes)
{
	unsigned long code = ERR_peek_last_error();
	const char *text = code ? ERR_reason_error_string(code) : NULL;

	snprintf(buf, bytes, "%s", text ? text : "the connection ended");
	ERR_clear_error();
	return buf;
}

int tls_client_open(
	struct tls_client **made, const char *ca_file, bool insecure, struct errmsg *msg)
{
	struct tls_client *client = mem_zero(1, sizeof(*client));
	char why[160];
	int good;

	*made = client;
	client->insecure = insecure;
	client->context = SSL_CTX_new(TLS_client_method());
	if (!client->context)
		return errmsg_set(msg, ERR_CONFIG, "openssl: %s", reason(why, sizeof(why)));
	SSL_CTX_set_verify(client->context, insecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
	/* many servers close without the closing alert; the HTTP length says what is whole */
	SSL_CTX_set_options(client->context, SSL_OP_IGNORE_UNEXPECTED_EOF);
	good = ca_file ? SSL_CTX_load_verify_locations(client->context, ca_file, NULL)
		       : SSL_CTX_set_default_verify_paths(client->context);
	if (!good && ca_file)
		return errmsg_set(msg, ERR_CONFIG,
			"option tls-ca: no certificates can be read from %s: %s", ca_file,
			reason(why, sizeof(why)));
	ERR_clear_error();
	return 0;
}

void tls_client_close(struct tls_client *client)
{
	if (!client)
		return;
	SSL_CTX_free(client->context);
	free(client);
}

/* Whom we expect: an address must stand in the certificate as one. */
static SSL *new_ssl(struct tls_client *client, const char *name)
{
	SSL *ssl = SSL_new(client->context);
	unsigned char address[16];
	bool numeric = inet_pton(AF_INET, name, address) == 1 ||
		       inet_pton(AF_INET6, name, address) == 1;

	if (!ssl)
		abort(); /* memory */
	if (numeric) {
		X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
	} else {
		SSL_set1_host(ssl, name);
		SSL_set_tlsext_host_name(ssl, name);
	}
	ERR_clear_error();
	return ssl;
}

int tls_client_probe(
	struct tls_client *client, int fd, const char *name, int timeout_ms, struct errmsg *msg)
{
	struct timeval limit = {timeout_ms / 1000, timeout_ms % 1000 * 1000};
	SSL *ssl = new_ssl(client, name);
	char why[160];
	int err = 0;
	long bad;

	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	SSL_set_fd(ssl, fd);
	if (SSL_connect(ssl) != 1) {
		bad = client->insecure ? X509_V_OK : SSL_get_verify_result(ssl);
		if (bad != X509_V_OK)
			err = errmsg_set(msg, ERR_UNAVAILABLE,
				"TLS: the certificate is not trusted: %s (tls-ca names an "
				"authority, insecure takes any)",
				X509_verify_cert_error_string(bad));
		else
			err = errmsg_set(
				msg, ERR_UNAVAILABLE, "TLS: %s", reason(why, sizeof(why)));
	}
	SSL_free(ssl);
	ERR_clear_error();
	return err;
}

struct tls *tls_new(struct tls_client *client, const char *name)
{
	struct tls *tls = mem_zero(1, sizeof(*tls));

	tls->ssl = new_ssl(client, name);
	tls->in = BIO_new(BIO_s_mem());
	tls->out = BIO_new(BIO_s_mem());
	if (!tls->in || !tls->out)
		abort(); /* memory */
	SSL_set_bio(tls->ssl, tls->in, tls->out);
	SSL_set_connect_state(tls->ssl);
	return tls;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_free(tls->ssl);
	free(tls);
}

void tls_feed(struct tls *tls, const char *data, size_t bytes)
{
	BIO_write(tls->in, data, (int)bytes);
}

static enum tls_result result_of(struct tls *tls, int returned)
{
	int error = SSL_get_error(tls->ssl, returned);

	ERR_clear_error();
	if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE)
		return TLS_MORE;
	return error == SSL_ERROR_ZERO_RETURN ? TLS_ENDED : TLS_FAILED;
}

enum tls_result tls_handshake(struct tls *tls)
{
	int done = SSL_do_handshake(tls->ssl);

	return done == 1 ? TLS_READY : result_of(tls, done);
}

enum tls_result tls_read(struct tls *tls, char *buf, size_t room, size_t *got)
{
	int bytes = SSL_read(tls->ssl, buf, room > INT_MAX ? INT_MAX : (int)room);

	*got = bytes > 0 ? (size_t)bytes : 0;
	return bytes > 0 ? TLS_READY : result_of(tls, bytes);
}

bool tls_write(struct tls *tls, const char *data, size_t bytes)
{
	size_t written;
	bool good = SSL_write_ex(tls->ssl, data, bytes, &written) == 1 && written == bytes;

	ERR_clear_error();
	return good;
}

size_t tls_outgoing(const struct tls *tls)
{
	return BIO_ctrl_pending(tls->out);
}

size_t tls_take(struct tls *tls, char *buf, size_t room)
{
	int bytes = BIO_read(tls->out, buf, room > INT_MAX ? INT_MAX : (int)room);

	return bytes > 0 ? (size_t)bytes : 0;
}
