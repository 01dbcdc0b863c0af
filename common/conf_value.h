/* conf_value: one option's text <-> value. Part of conf; no state. */
#ifndef COMMON_CONF_VALUE_H
#define COMMON_CONF_VALUE_H

#include "common/conf.h"

/* Writes `text` into the option's field; the origin is used in the error only. */
int conf_value_set(void *values, const struct conf_option *option, const char *text,
	const char *origin, struct errmsg *msg);
/* The field as text, secrets masked. Caller frees with free(). */
char *conf_value_text(const void *values, const struct conf_option *option);
void conf_value_release(void *values, const struct conf_option *option);
void conf_list_add(struct conf_list *list, const char *text);
void conf_list_release(struct conf_list *list);

#endif
