/*
 * fault: places where a test build dies on purpose. FAULT_POINT("mysql_before_commit") is nothing
 * in a release; with -DWT_FAULTS (the debug and sanitizer variants) the environment chooses
 *
 *	WT_FAULT=NAME:ACTION[:NTH][,NAME:ACTION[:NTH]...]
 *
 * and the NTH time (default 1, counted over all threads of the process) that a thread reaches NAME
 * the ACTION happens: `kill` (SIGKILL to the process, as a power cut would) or `stop` (SIGSTOP, a
 * frozen owner; somebody outside sends SIGCONT). The names are the table in fault.def.
 * Any thread. The environment is read once, at the first point or fault_check().
 */
#ifndef COMMON_FAULT_H
#define COMMON_FAULT_H

#include "common/err.h"

#ifdef WT_FAULTS

/* 0, or ERR_CONFIG when WT_FAULT names an unknown point or action: ask once at start. */
int fault_check(struct errmsg *msg);
void fault_point(const char *name);
/* Reads `spec` instead of the environment, counters at 0; a NULL clears. For tests, one thread. */
int fault_set(const char *spec, struct errmsg *msg);
/* How often `name` was reached since the last fault_set(); -1 for an unknown name. */
long fault_reached(const char *name);

#define FAULT_POINT(name) fault_point(name)

#else

static inline int fault_check(struct errmsg *msg)
{
	(void)msg;
	return 0;
}

#define FAULT_POINT(name) ((void)0)

#endif
#endif
