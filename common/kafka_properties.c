#include "common/kafka_properties.h"

#include "common/json_string.h"

#include "common/conf_value.h"
#include "common/mem.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Java's name -> librdkafka's. NULL: meaningless outside a JVM, ignored with a warning. */
static const struct {
	const char *java;
	const char *ours;
} names[] = {
	{"sasl.mechanism", "sasl.mechanisms"},
	{"ssl.truststore.certificates", "ssl.ca.pem"},
	{"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
	{"ssl.keystore.key", "ssl.key.pem"},
	{"ssl.cipher.suites", "ssl.cipher.suites"},
	{"fetch.max.wait.ms", "fetch.wait.max.ms"},
	{"receive.buffer.bytes", "socket.receive.buffer.bytes"},
	{"send.buffer.bytes", "socket.send.buffer.bytes"},
	{"buffer.memory", NULL},
	{"client.dns.lookup", NULL},
	{"default.api.timeout.ms", NULL},
	{"exclude.internal.topics", NULL},
	{"interceptor.classes", NULL},
	{"key.deserializer", NULL},
	{"key.serializer", NULL},
	{"max.block.ms", NULL},
	{"max.poll.records", NULL},
	{"max.request.size", "message.max.bytes"},
	{"metric.reporters", NULL},
	{"metrics.num.samples", NULL},
	{"metrics.recording.level", NULL},
	{"metrics.sample.window.ms", NULL},
	{"partitioner.class", NULL},
	{"sasl.client.callback.handler.class", NULL},
	{"sasl.login.callback.handler.class", NULL},
	{"sasl.login.class", NULL},
	{"security.providers", NULL},
	{"ssl.enabled.protocols", NULL},
	{"ssl.engine.factory.class", NULL},
	{"ssl.keymanager.algorithm", NULL},
	{"ssl.protocol", NULL},
	{"ssl.provider", NULL},
	{"ssl.secure.random.implementation", NULL},
	{"ssl.trustmanager.algorithm", NULL},
	{"value.deserializer", NULL},
	{"value.serializer", NULL},
};

/* One file's reading. The store properties depend on each other: decided at the end. */
struct reading {
	rd_kafka_conf_t *out;
	struct kafka_properties *result;
	const char *path;
	char *trust_type, *trust_location, *key_type, *key_location;
	struct errmsg *msg;
};

static int set_key(struct reading *r, const char *key, const char *value, int line)
{
	char why[256];

	if (rd_kafka_conf_set(r->out, key, value, why, sizeof(why)) != RD_KAFKA_CONF_OK)
		return errmsg_set(r->msg, ERR_CONFIG, "kafka.config: %s:%d: %s: %s", r->path,
			line, key, why);
	conf_list_add(&r->result->keys, key);
	return 0;
}

char *kafka_jaas_option(const char *jaas, const char *name)
{
	size_t length = strlen(name);

	for (const char *at = jaas; (at = strstr(at, name)); at += length) {
		const char *value = at + length + strspn(at + length, " \t");
		char quote, *text, *to;

		if (at == jaas || !isspace((unsigned char)at[-1]) || *value != '=')
			continue;
		value += 1 + strspn(value + 1, " \t");
		quote = *value;
		if (quote != '"' && quote != '\'')
			return mem_strndup(value, strcspn(value, " \t;"));
		text = to = mem_strdup(value + 1);
		for (const char *c = value + 1; *c && *c != quote; c++) {
			if (*c == '\\' && c[1])
				c++;
			*to++ = *c;
		}
		*to = 0;
		return text;
	}
	return NULL;
}

static int set_jaas(struct reading *r, const char *jaas, int line)
{
	char *user = kafka_jaas_option(jaas, "username");
	char *password = kafka_jaas_option(jaas, "password");
	int err = 0;

	if (!strstr(jaas, "PlainLoginModule") && !strstr(jaas, "ScramLoginModule"))
		err = errmsg_set(r->msg, ERR_CONFIG,
			"kafka.config: %s:%d: sasl.jaas.config: only PlainLoginModule and "
			"ScramLoginModule are understood; give librdkafka's sasl.* keys "
			"instead",
			r->path, line);
	else if (!user || !password)
		err = errmsg_set(r->msg, ERR_CONFIG,
			"kafka.config: %s:%d: sasl.jaas.config: username=\"...\" and "
			"password=\"...\" are needed",
			r->path, line);
	else
		err = set_key(r, "sasl.username", user, line);
	if (err == 0)
		err = set_key(r, "sasl.password", password, line);
	free(user);
	free(password);
	return err;
}

/* "org.apache...RangeAssignor, ..." -> "range,..." */
static int set_assignors(struct reading *r, const char *value, int line)
{
	char text[128] = "";

	if (!strchr(value, '.'))
		return set_key(r, "partition.assignment.strategy", value, line);
	snprintf(text, sizeof(text), "%s%s", strstr(value, "RangeAssignor") ? ",range" : "",
		strstr(value, "RoundRobinAssignor") ? ",roundrobin" : "");
	if (strstr(value, "CooperativeStickyAssignor"))
		snprintf(text, sizeof(text), ",cooperative-sticky");
	return set_key(r, "partition.assignment.strategy", *text ? text + 1 : value, line);
}

static void keep(char **field, const char *value)
{
	free(*field);
	*field = mem_strdup(value);
}

static int set_property(struct reading *r, const char *key, const char *value, int line)
{
	if (strcmp(key, "sasl.jaas.config") == 0)
		return set_jaas(r, value, line);
	if (strcmp(key, "partition.assignment.strategy") == 0)
		return set_assignors(r, value, line);
	if (strcmp(key, "ssl.endpoint.identification.algorithm") == 0)
		return set_key(r, key, *value ? value : "none", line);
	if (strcmp(key, "ssl.truststore.type") == 0)
		keep(&r->trust_type, value);
	else if (strcmp(key, "ssl.truststore.location") == 0)
		keep(&r->trust_location, value);
	else if (strcmp(key, "ssl.keystore.type") == 0)
		keep(&r->key_type, value);
	else if (strcmp(key, "ssl.keystore.location") == 0)
		keep(&r->key_location, value);
	else if (strcmp(key, "ssl.truststore.password") == 0)
		; /* a PEM truststore has none */
	else
		goto plain;
	return 0;
plain:
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(names[i].java, key) != 0)
			continue;
		if (names[i].ours)
			return set_key(r, names[i].ours, value, line);
		conf_list_add(&r->result->ignored, key);
		return 0;
	}
	return set_key(r, key, value, line);
}

static int finish_stores(struct reading *r)
{
	const char *type = r->trust_type ? r->trust_type : "JKS";
	int err = 0;

	if (r->trust_location && strcasecmp(type, "PEM") != 0)
		return errmsg_set(r->msg, ERR_CONFIG,
			"kafka.config: %s: ssl.truststore.type=%s cannot be read here; export "
			"it as "
			"PEM (keytool -exportcert -rfc) and set ssl.truststore.type=PEM",
			r->path, type);
	if (r->trust_location)
		err = set_key(r, "ssl.ca.location", r->trust_location, 0);
	type = r->key_type ? r->key_type : "JKS";
	if (err != 0 || !r->key_location)
		return err;
	if (strcasecmp(type, "PKCS12") == 0)
		return set_key(r, "ssl.keystore.location", r->key_location, 0);
	if (strcasecmp(type, "PEM") != 0)
		return errmsg_set(r->msg, ERR_CONFIG,
			"kafka.config: %s: ssl.keystore.type=%s cannot be read here; use "
			"PKCS12 or "
			"PEM",
			r->path, type);
	err = set_key(r, "ssl.certificate.location", r->key_location, 0);
	return err ? err : set_key(r, "ssl.key.location", r->key_location, 0);
}

/* Of "uXXXX", as Java writes what is not Latin 1; 0: it is none. */
static unsigned utf16_unit(const char *text)
{
	unsigned unit = 0;

	for (int i = 1; i <= 4; i++) {
		if (text[0] != 'u' || !isxdigit((unsigned char)text[i]))
			return 0;
		unit = unit * 16 + (unsigned)(isdigit((unsigned char)text[i])
						      ? text[i] - '0'
						      : (text[i] | 32) - 'a' + 10);
	}
	return unit;
}

/* At "uXXXX", perhaps with the second half of a pair behind it; returns its end. */
static char *put_unicode(char **to, char *at)
{
	unsigned code = utf16_unit(at), low = 0;

	at += 5;
	if (code >= 0xd800 && code < 0xdc00 && *at == '\\')
		low = utf16_unit(at + 1);
	if (low >= 0xdc00 && low < 0xe000) {
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		at += 6;
	}
	*to += json_utf8_put(*to, code);
	return at;
}

/* Java's escapes; in place. */
static void unescape(char *text)
{
	char *to = text;

	for (char *c = text; *c; c++) {
		if (*c == '\\' && utf16_unit(c + 1) != 0) {
			c = put_unicode(&to, c + 1) - 1;
		} else if (*c == '\\' && c[1]) {
			c++;
			*to++ = (char)(*c == 'n'   ? '\n'
				       : *c == 't' ? '\t'
				       : *c == 'r' ? '\r'
						   : *c);
		} else {
			*to++ = *c;
		}
	}
	*to = 0;
}

static bool is_comment(const char *line)
{
	line += strspn(line, " \t\f");
	return *line == '#' || *line == '!';
}

static int load_line(struct reading *r, char *line, int number)
{
	char *key = line + strspn(line, " \t\f"), *value;
	size_t length = 0, gap;

	if (!*key || is_comment(line))
		return 0;
	while (key[length] && !strchr("=: \t\f", key[length]))
		length += key[length] == '\\' && key[length + 1] ? 2 : 1;
	value = key + length;
	gap = strspn(value, " \t\f");
	if (value[gap] == '=' || value[gap] == ':')
		gap += 1 + strspn(value + gap + 1, " \t\f");
	value += gap;
	key = mem_strndup(key, length);
	unescape(key);
	unescape(value);
	int err = set_property(r, key, value, number);
	free(key);
	return err;
}

/* Without the line end; true when the next line continues this one. */
static bool chop(char *line)
{
	size_t length = strcspn(line, "\r\n"), slashes = 0;

	line[length] = 0;
	while (slashes < length && line[length - 1 - slashes] == '\\')
		slashes++;
	if (slashes % 2)
		line[length - 1] = 0;
	return slashes % 2;
}

static int load_lines(struct reading *r, FILE *file)
{
	char *line = NULL, *whole = NULL;
	size_t room = 0;
	int err = 0, number = 0, first = 0;

	while (err == 0 && getline(&line, &room, file) >= 0) {
		bool more = (whole || !is_comment(line)) && chop(line);
		char *joined = mem_printf("%s%s", whole ? whole : "",
			whole ? line + strspn(line, " \t\f") : line);

		number++;
		first = whole ? first : number;
		free(whole);
		whole = joined;
		if (!more) {
			err = load_line(r, whole, first);
			free(whole);
			whole = NULL;
		}
	}
	if (err == 0 && whole)
		err = load_line(r, whole, first);
	free(whole);
	free(line);
	return err;
}

int kafka_properties_load(rd_kafka_conf_t *out, const char *path,
	struct kafka_properties *result, struct errmsg *msg)
{
	struct reading r = {.out = out, .result = result, .path = path, .msg = msg};
	FILE *file = fopen(path, "r");
	int err;

	if (!file)
		return errmsg_set(msg, ERR_CONFIG, "option kafka.config: cannot read %s: %s",
			path, strerror(errno));
	err = load_lines(&r, file);
	if (err == 0 && ferror(file))
		err = errmsg_set(msg, ERR_CONFIG, "option kafka.config: cannot read %s: %s",
			path, strerror(errno));
	fclose(file);
	if (err == 0)
		err = finish_stores(&r);
	free(r.trust_type);
	free(r.trust_location);
	free(r.key_type);
	free(r.key_location);
	return err;
}

void kafka_properties_release(struct kafka_properties *result)
{
	conf_list_release(&result->keys);
	conf_list_release(&result->ignored);
}
