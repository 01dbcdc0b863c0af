/* conf_near: what somebody who mistyped an option probably meant. For conf's own files. */
#ifndef COMMON_CONF_NEAR_H
#define COMMON_CONF_NEAR_H

#include "common/conf.h"

/* "http.max-body" -> "WT_HTTP_MAX_BODY"; caller frees with free(). */
char *conf_env_name(const char *name);

/* The option whose name is a slip of the fingers away, or NULL. Borrowed. */
const char *conf_near_option(
	const struct conf_program *program, const char *name, size_t length);

/*
 * One line to stderr for each WT_ variable that is no option but nearly one. Others are passed over
 * in silence: they may be another program's, or an orchestrator's (WT_PRODUCER_SERVICE_HOST).
 */
void conf_warn_environment(const struct conf_program *program);

#endif
