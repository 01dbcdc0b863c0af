/* compare: several JSON reports side by side, as a table and, if asked, as one page. */
#ifndef LOADGEN_COMPARE_H
#define LOADGEN_COMPARE_H

#include "common/conf.h"

#include <stdio.h>

/* words[0] is the verb, the others are paths. `html` may be NULL. */
int compare_reports(
	const struct conf_list *words, const char *html, FILE *out, struct errmsg *msg);

#endif
