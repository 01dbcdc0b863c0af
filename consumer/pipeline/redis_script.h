/*
 * redis_script: the Lua texts, in one table. They are all there is between a record and the cache;
 * docs/protocol says why each check is needed. Every script has one key, the fence, and returns a
 * word: OK, NOFENCE, MOVED or NEWER.
 */
#ifndef CONSUMER_PIPELINE_REDIS_SCRIPT_H
#define CONSUMER_PIPELINE_REDIS_SCRIPT_H

enum redis_script {
	SCRIPT_APPLY, /* from, to, generation, ROWS */
	SCRIPT_REFRESH, /* snapshot, advance from or "", advance to, generation, ROWS */
	SCRIPT_CREATE, /* next, rebuild id or "", generation, next that was read or "", its generation */
	SCRIPT_JUMP, /* from, to, rebuild id, generation */
	SCRIPT_REBUILT, /* rebuild id */
	SCRIPT_COUNT,
};

/* ROWS = how ("s" SET, "e" SET with a life time, "h" hash), life time in s, number of keys to
 * delete, those keys, then key value ... or, for "h", key count field value ... */
extern const char *const redis_script_texts[SCRIPT_COUNT];

/* Offsets are compared as strings of this many digits: Lua's numbers are doubles. */
#define REDIS_OFFSET_DIGITS 20

#endif
