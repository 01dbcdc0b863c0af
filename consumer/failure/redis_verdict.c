/* redis_verdict: see redis_verdict.h. */
#include "consumer/failure/redis_verdict.h"

#include <string.h>

/* The first line whose prefix fits decides: longer ones stand above shorter ones. */
static const struct redis_verdict table[] = {
	{"OOM ", VERDICT_RETRY, "oom"},
	{"MISCONF ", VERDICT_RETRY, "misconf"}, /* it cannot save, so it takes no writes */
	{"LOADING ", VERDICT_RETRY, "loading"},
	{"BUSY ", VERDICT_RETRY, "busy"}, /* another script runs */
	{"UNKILLABLE ", VERDICT_RETRY, "busy"},
	{"MASTERDOWN ", VERDICT_RETRY, "not_ready"},
	{"NOREPLICAS ", VERDICT_RETRY, "not_ready"},
	{"CLUSTERDOWN ", VERDICT_RETRY, "not_ready"},
	{"TRYAGAIN ", VERDICT_RETRY, "not_ready"},
	{"NOSCRIPT ", VERDICT_RETRY, "no_script"},
	{"EXECABORT ", VERDICT_RETRY, "unknown"},
	/* A demoted master: the name may lead to the new one by now. */
	{"READONLY ", VERDICT_RECONNECT, "read_only"},
	{"ERR max number of clients", VERDICT_RECONNECT, "connections"},
	{"ERR Protocol error", VERDICT_RECONNECT, "connection"},
	{"NOAUTH ", VERDICT_FATAL, "rights"},
	{"WRONGPASS ", VERDICT_FATAL, "rights"},
	{"NOPERM ", VERDICT_FATAL, "rights"},
	{"DENIED ", VERDICT_FATAL, "rights"}, /* protected mode */
	{"ERR invalid password", VERDICT_FATAL, "rights"},
	{"ERR Client sent AUTH", VERDICT_FATAL, "rights"},
	{"ERR AUTH ", VERDICT_FATAL, "rights"},
	{"ERR DB index", VERDICT_FATAL, "schema"},
	{"ERR invalid DB index", VERDICT_FATAL, "schema"},
	{"ERR SELECT is not allowed", VERDICT_FATAL, "cluster"},
	{"ERR unknown command", VERDICT_FATAL, "schema"},
	{"ERR Unknown Redis command", VERDICT_FATAL, "schema"},
	{"WRONGTYPE ", VERDICT_FATAL, "schema"}, /* somebody else's key where the fence is */
	/* A cluster spreads the keys that one script writes. */
	{"MOVED ", VERDICT_FATAL, "cluster"},
	{"ASK ", VERDICT_FATAL, "cluster"},
	{"CROSSSLOT ", VERDICT_FATAL, "cluster"},
};

static const struct redis_verdict unknown = {"", VERDICT_RETRY, "unknown"};

/* Before version 7, "ERR Error running script (...): @user_script: 5: -OOM command ...". */
static const char *inner_error(const char *text)
{
	static const char mark[] = "@user_script: ";

	if (strncmp(text, "ERR Error running script", 24))
		return text;
	for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark)) {
		const char *colon = strchr(at + sizeof(mark) - 1, ':');
		if (colon && colon[1] == ' ' && colon[2]) {
			const char *word = colon + 2 + (colon[2] == '-');
			return word;
		}
	}
	return text;
}

const struct redis_verdict *redis_verdict(const char *text)
{
	text = inner_error(text);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (!strncmp(text, table[i].prefix, strlen(table[i].prefix)))
			return &table[i];
	}
	return &unknown;
}

const struct redis_verdict *redis_verdict_table(size_t *count)
{
	*count = sizeof(table) / sizeof(table[0]);
	return table;
}
