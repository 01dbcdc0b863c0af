/* common/kafka_conf: where a Kafka setting comes from, Java's names, and the words of an error. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/kafka_conf.h"
#include "common/kafka_properties.h"

struct options {
	struct conf conf;
#define OPTION CONF_FIELD
#include "common/options.def"
#undef OPTION
};
#define OPTION(...) CONF_ROW(struct options, __VA_ARGS__)
static const struct conf_option rows[] = {
#include "common/options.def"
};
#undef OPTION
static const struct conf_program program = {
	.name = "wt-test", .options = rows, .count = sizeof(rows) / sizeof(rows[0])};

static char path[64];

static const char *file_with(const char *text)
{
	strcpy(path, "/tmp/wt-kafka-conf-XXXXXX");
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	return path;
}

/* Runs kafka_conf_new over these arguments; *conf is NULL on an error. */
static int made(struct options *options, rd_kafka_conf_t **conf, struct errmsg *msg,
	const char *arg1, const char *arg2)
{
	char *argv[] = {(char *)"wt-test", (char *)arg1, (char *)arg2, NULL};
	*conf = NULL;
	assert_int_equal(conf_load(options, &program, arg2 ? 3 : arg1 ? 2 : 1, argv, msg), 0);
	return kafka_conf_new(conf, &options->conf, "test", msg);
}

static void conf_has(rd_kafka_conf_t *conf, const char *key, const char *value)
{
	char text[512];
	size_t bytes = sizeof(text);
	assert_int_equal(rd_kafka_conf_get(conf, key, text, &bytes), RD_KAFKA_CONF_OK);
	assert_string_equal(text, value);
}

static void done(struct options *options, rd_kafka_conf_t *conf)
{
	if (conf)
		rd_kafka_conf_destroy(conf);
	conf_release(options);
	if (*path)
		unlink(path);
	*path = 0;
}

/* Loads a file alone and checks one value, or the error when `key` is NULL. */
static void file_gives(const char *text, const char *key, const char *value)
{
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	char *arg;
	assert_true(asprintf(&arg, "--kafka.config=%s", file_with(text)) > 0);
	int err = made(&options, &conf, &msg, arg, NULL);
	if (key) {
		if (err)
			fail_msg("%s", msg.text);
		conf_has(conf, key, value);
	} else {
		assert_int_equal(err, ERR_CONFIG);
		if (!strstr(msg.text, value))
			fail_msg("'%s' is not in '%s'", value, msg.text);
	}
	free(arg);
	done(&options, conf);
}

static void java_names_of_sasl_and_tls_are_understood(void **state)
{
	(void)state;
	const char *jaas = "security.protocol=SASL_SSL\nsasl.mechanism=PLAIN\n"
			   "sasl.jaas.config=org.apache.kafka.common.security.plain."
			   "PlainLoginModule required \\\n"
			   "   username=\"ann\" \\\n   password=\"p\\\"w; d\";\n";
	file_gives(jaas, "sasl.username", "ann");
	file_gives(jaas, "sasl.mechanisms", "PLAIN");
	file_gives(jaas, "security.protocol", "sasl_ssl");
	file_gives("ssl.truststore.type=PEM\nssl.truststore.location=/x/ca.pem\n",
		"ssl.ca.location", "/x/ca.pem");
	file_gives("ssl.keystore.location : /x/k.pem\nssl.keystore.type  PEM\n",
		"ssl.key.location", "/x/k.pem");
	file_gives("partition.assignment.strategy=org.apache.kafka.clients.consumer."
		   "RangeAssignor\n",
		"partition.assignment.strategy", "range");
}

static void jaas_values_may_be_quoted_and_escaped(void **state)
{
	(void)state;
	char *v = kafka_jaas_option(
		"X required username='a b' password=\"p\\\"w; d\";", "password");
	assert_string_equal(v, "p\"w; d");
	free(v);
	v = kafka_jaas_option("X required password = plain;", "password");
	assert_string_equal(v, "plain");
	free(v);
	assert_null(kafka_jaas_option("X required mypassword=1;", "password"));
}

/* As java.util.Properties writes and reads it. */
static void comments_end_with_their_line_and_letters_may_be_escaped(void **state)
{
	(void)state;
	file_gives("# a folder: C:\\\nsasl.username=ann\n", "sasl.username", "ann");
	file_gives("sasl.username=m\\u00fcller \\uD83C\\uDF5E\n", "sasl.username",
		"m\xc3\xbcller \xf0\x9f\x8d\x9e");
	file_gives("sasl.username=\\under\n", "sasl.username", "under");
}

static void what_only_a_jvm_needs_is_ignored(void **state)
{
	(void)state;
	file_gives("key.serializer=org.apache.kafka.common.serialization.StringSerializer\n"
		   "linger.ms=7\n",
		"queue.buffering.max.ms", "7");
}

static void a_bad_line_is_named_with_file_and_number(void **state)
{
	(void)state;
	file_gives("# comment\n\nlinger.ms=soon\n", NULL, ":3: linger.ms");
	file_gives("no.such.key=1\n", NULL, ":1: no.such.key");
	file_gives("ssl.truststore.location=/x/a.jks\n", NULL, "PEM");
	file_gives("sasl.jaas.config=com.sun.Krb5LoginModule required;\n", NULL, "Plain");
}

static void a_bad_pair_names_key_and_origin(void **state)
{
	(void)state;
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	assert_int_equal(made(&options, &conf, &msg, "--kafka.linger.ms=x", NULL), ERR_CONFIG);
	assert_non_null(strstr(msg.text, "kafka.linger.ms"));
	assert_non_null(strstr(msg.text, "command line"));
	done(&options, conf);
}

static void brokers_of_the_command_line_beat_the_file_and_the_file_the_default(void **state)
{
	(void)state;
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	char *arg;
	assert_true(asprintf(&arg, "--kafka.config=%s",
			    file_with("bootstrap.servers=file:1\n")) > 0);
	assert_int_equal(made(&options, &conf, &msg, arg, NULL), 0);
	conf_has(conf, "bootstrap.servers", "file:1");
	rd_kafka_conf_destroy(conf);
	conf_release(&options);
	assert_int_equal(made(&options, &conf, &msg, arg, "--kafka.brokers=own:2"), 0);
	conf_has(conf, "bootstrap.servers", "own:2");
	free(arg);
	done(&options, conf);
}

static void what_is_required_may_be_said_but_not_changed(void **state)
{
	(void)state;
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	assert_int_equal(made(&options, &conf, &msg, "--kafka.acks=1", NULL), 0);
	assert_int_equal(kafka_conf_require(conf, &options.conf, "acks", "all", "it is", &msg),
		ERR_CONFIG);
	assert_non_null(strstr(msg.text, "must be all"));
	done(&options, conf);
	assert_int_equal(made(&options, &conf, &msg, "--kafka.acks=all", NULL), 0);
	assert_int_equal(
		kafka_conf_require(conf, &options.conf, "acks", "all", "it is", &msg), 0);
	done(&options, conf);
}

/* With this option, and a file of this text when there is one, `key` cannot be `value`. */
static void refused(const char *option, const char *text, const char *key, const char *value,
	const char *words)
{
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	char *arg = NULL;
	if (text)
		assert_true(asprintf(&arg, "--kafka.config=%s", file_with(text)) > 0);
	assert_int_equal(made(&options, &conf, &msg, arg ? arg : option, NULL), 0);
	assert_int_equal(
		kafka_conf_require(conf, &options.conf, key, value, "it is", &msg), ERR_CONFIG);
	if (!strstr(msg.text, words))
		fail_msg("'%s' is not in '%s'", words, msg.text);
	free(arg);
	done(&options, conf);
}

static void what_is_required_holds_for_the_other_name_of_its_property(void **state)
{
	(void)state;
	refused("--kafka.request.required.acks=1", NULL, "acks", "all",
		"kafka.request.required.acks=1 (command line) must be all here: it is");
	refused(NULL, "request.required.acks=1\n", "acks", "all", "must be all here: it is");
}

static void what_must_not_be_set_is_refused_and_left_unset_otherwise(void **state)
{
	(void)state;
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	refused("--kafka.transactional.id=x", NULL, "transactional.id", NULL,
		"kafka.transactional.id=x (command line) must not be set here: it is");
	refused(NULL, "transactional.id=x\n", "transactional.id", NULL, "must not be set");
	assert_int_equal(made(&options, &conf, &msg, NULL, NULL), 0);
	assert_int_equal(kafka_conf_require(
				 conf, &options.conf, "transactional.id", NULL, "it is", &msg),
		0);
	char text[16] = "none";
	size_t bytes = sizeof(text);
	rd_kafka_conf_get(conf, "transactional.id", text, &bytes);
	assert_string_equal(text, "none");
	done(&options, conf);
}

static void a_programs_default_gives_way_to_the_user(void **state)
{
	(void)state;
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	assert_int_equal(made(&options, &conf, &msg, "--kafka.linger.ms=3", NULL), 0);
	assert_int_equal(kafka_conf_default(conf, &options.conf, "linger.ms", "0", &msg), 0);
	assert_int_equal(
		kafka_conf_default(conf, &options.conf, "batch.num.messages", "77", &msg), 0);
	conf_has(conf, "linger.ms", "3");
	conf_has(conf, "batch.num.messages", "77");
	done(&options, conf);
}

static void a_default_does_not_give_way_to_another_property_of_a_topic(void **state)
{
	(void)state;
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	assert_int_equal(made(&options, &conf, &msg, "--kafka.partitioner=random", NULL), 0);
	assert_int_equal(
		kafka_conf_default(conf, &options.conf, "message.timeout.ms", "77", &msg), 0);
	conf_has(conf, "message.timeout.ms", "77");
	done(&options, conf);
}

static void a_default_gives_way_to_the_other_name_of_its_property(void **state)
{
	(void)state;
	struct options options;
	rd_kafka_conf_t *conf;
	struct errmsg msg = {""};
	assert_int_equal(
		made(&options, &conf, &msg, "--kafka.max.partition.fetch.bytes=3000000", NULL),
		0);
	assert_int_equal(kafka_conf_default(conf, &options.conf, "fetch.message.max.bytes",
				 "2000000", &msg),
		0);
	conf_has(conf, "fetch.message.max.bytes", "3000000");
	done(&options, conf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(java_names_of_sasl_and_tls_are_understood),
		cmocka_unit_test(jaas_values_may_be_quoted_and_escaped),
		cmocka_unit_test(comments_end_with_their_line_and_letters_may_be_escaped),
		cmocka_unit_test(what_only_a_jvm_needs_is_ignored),
		cmocka_unit_test(a_bad_line_is_named_with_file_and_number),
		cmocka_unit_test(a_bad_pair_names_key_and_origin),
		cmocka_unit_test(
			brokers_of_the_command_line_beat_the_file_and_the_file_the_default),
		cmocka_unit_test(what_is_required_may_be_said_but_not_changed),
		cmocka_unit_test(what_is_required_holds_for_the_other_name_of_its_property),
		cmocka_unit_test(what_must_not_be_set_is_refused_and_left_unset_otherwise),
		cmocka_unit_test(a_programs_default_gives_way_to_the_user),
		cmocka_unit_test(a_default_does_not_give_way_to_another_property_of_a_topic),
		cmocka_unit_test(a_default_gives_way_to_the_other_name_of_its_property),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
