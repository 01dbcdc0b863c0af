/* redis_script: see redis_script.h. */
#include "consumer/pipeline/redis_script.h"

/*
 * Lua's unpack() ends near 8000 values: chunks of 4000, an even number, so that a key and its
 * value stay together.
 */
#define WRITE_ROWS                                                                             \
	"local function rows(i)\n"                                                             \
	"  local how, ttl, dels = ARGV[i], ARGV[i+1], tonumber(ARGV[i+2])\n"                   \
	"  local function chunks(command, at, last, ...)\n"                                    \
	"    while at <= last do\n"                                                            \
	"      local e = math.min(at + 3999, last)\n"                                          \
	"      if ... then redis.call(command, ..., unpack(ARGV, at, e))\n"                    \
	"      else redis.call(command, unpack(ARGV, at, e)) end\n"                            \
	"      at = e + 1\n"                                                                   \
	"    end\n"                                                                            \
	"  end\n"                                                                              \
	"  local at, last = i + 3 + dels, #ARGV\n"                                             \
	"  chunks('DEL', i + 3, at - 1)\n"                                                     \
	"  if how == 's' then chunks('MSET', at, last)\n"                                      \
	"  elseif how == 'e' then\n"                                                           \
	"    while at < last do\n"                                                             \
	"      redis.call('SET', ARGV[at], ARGV[at+1], 'EX', ttl)\n"                           \
	"      at = at + 2\n"                                                                  \
	"    end\n"                                                                            \
	"  else\n"                                                                             \
	"    while at < last do\n"                                                             \
	"      local key, n = ARGV[at], tonumber(ARGV[at+1])\n"                                \
	"      redis.call('DEL', key)\n"                                                       \
	"      chunks('HSET', at + 2, at + 1 + n, key)\n"                                      \
	"      if ttl ~= '0' then redis.call('EXPIRE', key, ttl) end\n"                        \
	"      at = at + 2 + n\n"                                                              \
	"    end\n"                                                                            \
	"  end\n"                                                                              \
	"end\n"

#define READ_FENCE                                                                             \
	"local f = redis.call('HMGET', KEYS[1], 'next', 'seen', 'generation')\n"               \
	"if not f[1] then return 'NOFENCE' end\n"                                              \
	"local next, seen = f[1], f[2] or f[1]\n"                                              \
	"if (f[3] or '0') ~= generation then return 'MOVED' end\n"

const char *const redis_script_texts[SCRIPT_COUNT] = {
	/* A batch [from, to): only where the fence stands at exactly `from`. */
	[SCRIPT_APPLY] = WRITE_ROWS
	"local generation = ARGV[3]\n" READ_FENCE "if next ~= ARGV[1] then return 'MOVED' end\n"
	"if seen > ARGV[2] then return 'NEWER' end\n"
	/* seen first: a script that fails half-way leaves what it wrote */
	"redis.call('HSET', KEYS[1], 'seen', ARGV[2])\n"
	"rows(4)\n"
	"redis.call('HSET', KEYS[1], 'next', ARGV[2])\n"
	"return 'OK'\n",

	/* Rows of a MySQL snapshot: only where nothing newer can be. */
	[SCRIPT_REFRESH] = WRITE_ROWS
	"local generation = ARGV[4]\n" READ_FENCE
	"if ARGV[2] ~= '' and next ~= ARGV[2] then return 'MOVED' end\n"
	"if ARGV[1] < next or ARGV[1] < seen then return 'NEWER' end\n"
	/* a fence that need not change is not written: who WATCHes it goes on */
	"if ARGV[1] ~= seen then redis.call('HSET', KEYS[1], 'seen', ARGV[1]) end\n"
	"rows(5)\n"
	"if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'next', ARGV[3]) end\n"
	"return 'OK'\n",

	[SCRIPT_CREATE] =
		"local f = redis.call('HMGET', KEYS[1], 'next', 'generation')\n"
		"if (f[1] or '') ~= ARGV[4] or (f[1] and (f[2] or '0') ~= ARGV[5]) then\n"
		"  return 'MOVED'\n"
		"end\n"
		"redis.call('HSET', KEYS[1], 'next', ARGV[1], 'seen', ARGV[1],\n"
		"  'generation', ARGV[3])\n"
		"if ARGV[2] ~= '' then redis.call('HSET', KEYS[1], 'rebuild', ARGV[2])\n"
		"else redis.call('HDEL', KEYS[1], 'rebuild') end\n"
		"return 'OK'\n",

	[SCRIPT_JUMP] = "local generation = ARGV[4]\n" READ_FENCE
			"if next ~= ARGV[1] then return 'MOVED' end\n"
			"if seen > ARGV[2] then return 'NEWER' end\n"
			"redis.call('HSET', KEYS[1], 'next', ARGV[2], 'seen', ARGV[2])\n"
			"if ARGV[3] ~= '' then\n"
			"  redis.call('HSET', KEYS[1], 'rebuild', ARGV[3])\n"
			"end\n"
			"return 'OK'\n",

	[SCRIPT_REBUILT] =
		"if redis.call('HGET', KEYS[1], 'rebuild') ~= ARGV[1] then return 'MOVED' end\n"
		"redis.call('HDEL', KEYS[1], 'rebuild')\n"
		"return 'OK'\n",
};
