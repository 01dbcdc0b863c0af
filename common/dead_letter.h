/*
 * dead_letter: what whoever writes and whoever reads dead letters must agree on: the topic's name
 * and how a header is read. Any thread.
 */
#ifndef COMMON_DEAD_LETTER_H
#define COMMON_DEAD_LETTER_H

#include <librdkafka/rdkafka.h>

/* `chosen` when somebody chose one (deadletter.topic), else ORIGIN.dlq. Caller frees with free(). */
char *dead_letter_topic(const char *chosen, const char *origin);

/* The last header of that name as text, or NULL; borrowed from the message. */
const char *dead_letter_header(const rd_kafka_message_t *message, const char *name);

#endif
