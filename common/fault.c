/* fault: see fault.h. The table is small and the points are rare: a linear search will do. */
#include "common/fault.h"

#ifdef WT_FAULTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "common/log.h"

struct fault {
	const char *name;
	_Atomic long reached;
	int signal; /* 0: only counted */
	long nth;
};

static struct fault faults[] = {
#define FAULT(name_, when_) {.name = #name_},
#include "common/fault.def"
#undef FAULT
};

#define FAULT_COUNT (sizeof(faults) / sizeof(faults[0]))

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct errmsg env_msg;
static int env_result;

static struct fault *fault_find(const char *name, size_t length)
{
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		if (strlen(faults[i].name) == length && !memcmp(faults[i].name, name, length))
			return &faults[i];
	}
	return NULL;
}

/* One NAME:ACTION[:NTH]. */
static int fault_parse(const char *spec, size_t length, struct errmsg *msg)
{
	char text[128];
	char *save = NULL;
	if (length >= sizeof(text))
		return errmsg_set(msg, ERR_CONFIG, "WT_FAULT: entry too long");
	memcpy(text, spec, length);
	text[length] = 0;
	const char *name = strtok_r(text, ":", &save);
	const char *action = strtok_r(NULL, ":", &save);
	const char *nth = strtok_r(NULL, ":", &save);
	struct fault *fault = name ? fault_find(name, strlen(name)) : NULL;
	if (!fault)
		return errmsg_set(
			msg, ERR_CONFIG, "WT_FAULT: no fault point '%s'", name ? name : "");
	int sig = 0;
	if (action && !strcmp(action, "kill"))
		sig = SIGKILL;
	else if (action && !strcmp(action, "stop"))
		sig = SIGSTOP;
	else
		return errmsg_set(msg, ERR_CONFIG,
			"WT_FAULT: %s: action '%s' is not kill or stop", name,
			action ? action : "");
	char *end = NULL;
	long count = nth ? strtol(nth, &end, 10) : 1;
	if (count < 1 || (nth && *end))
		return errmsg_set(
			msg, ERR_CONFIG, "WT_FAULT: %s: '%s' is not a count from 1", name, nth);
	fault->signal = sig;
	fault->nth = count;
	return 0;
}

static int fault_load(const char *spec, struct errmsg *msg)
{
	for (size_t i = 0; i < FAULT_COUNT; i++) {
		faults[i].signal = 0;
		faults[i].nth = 0;
		atomic_store(&faults[i].reached, 0);
	}
	while (spec && *spec) {
		size_t length = strcspn(spec, ",");
		int result = fault_parse(spec, length, msg);
		if (result)
			return result;
		spec += length + (spec[length] == ',');
	}
	return 0;
}

static void fault_load_env(void)
{
	env_result = fault_load(getenv("WT_FAULT"), &env_msg);
	if (env_result)
		log_event(LOG_ERROR, "fault_bad", LOG_F("error", LOG_STR(env_msg.text)));
}

int fault_check(struct errmsg *msg)
{
	pthread_once(&once, fault_load_env);
	if (env_result)
		*msg = env_msg;
	return env_result;
}

int fault_set(const char *spec, struct errmsg *msg)
{
	pthread_once(&once, fault_load_env);
	return fault_load(spec, msg);
}

void fault_point(const char *name)
{
	pthread_once(&once, fault_load_env);
	struct fault *fault = fault_find(name, strlen(name));
	if (!fault) {
		log_limited(LOG_ERROR, "fault_unknown", LOG_F("name", LOG_STR(name)));
		return;
	}
	long reached = atomic_fetch_add(&fault->reached, 1) + 1;
	if (fault->signal && reached == fault->nth) {
		log_event(LOG_WARN, "fault", LOG_F("name", LOG_STR(name)),
			LOG_F("signal", LOG_INT(fault->signal)),
			LOG_F("nth", LOG_INT(reached)));
		raise(fault->signal);
	}
}

long fault_reached(const char *name)
{
	struct fault *fault = fault_find(name, strlen(name));
	return fault ? atomic_load(&fault->reached) : -1;
}

#else

/* An empty translation unit is not ISO C. */
struct fault_not_compiled_in;

#endif
