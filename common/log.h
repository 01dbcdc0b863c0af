/*
 * log: one event a line to stderr, logfmt by default, JSON by option. Event names are constants in
 * snake_case; what varies goes into fields. No payload above debug, no secret ever.
 *
 *	log_event(LOG_WARN, "mysql_retry", LOG_F("partition", LOG_INT(p)), LOG_F("error", LOG_STR(s)));
 *
 * log_limited() writes one line a second at most per call site (its struct log_limit) and says how
 * many were held back. Any thread; lines are never torn. log_setup() before the first thread.
 */
#ifndef COMMON_LOG_H
#define COMMON_LOG_H

#include <stdint.h>
#include <stdatomic.h>

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_LOGFMT, LOG_JSON };

/* A field's value; build it with the macros below. The text is borrowed for the call. */
struct log_value {
	enum { LOG_VALUE_INT, LOG_VALUE_DOUBLE, LOG_VALUE_STR } type;
	int64_t integer;
	double number;
	const char *text;
};

struct log_field {
	const char *name;
	struct log_value value;
};

#define LOG_INT(x)	     ((struct log_value){.type = LOG_VALUE_INT, .integer = (int64_t)(x)})
#define LOG_NUM(x)	     ((struct log_value){.type = LOG_VALUE_DOUBLE, .number = (double)(x)})
#define LOG_STR(x)	     ((struct log_value){.type = LOG_VALUE_STR, .text = (x)})
#define LOG_F(name_, value_) ((struct log_field){.name = (name_), .value = (value_)})

/* Call site state for log_limited(): static, zeroed. */
struct log_limit {
	_Atomic int64_t next_ms;
	_Atomic int64_t held_back;
};

void log_setup(enum log_level level, enum log_format format);
int log_enabled(enum log_level level);

void log_fields(
	enum log_level level, const char *event, const struct log_field *fields, int count);
void log_fields_limited(struct log_limit *limit, enum log_level level, const char *event,
	const struct log_field *fields, int count);

/* log_event(LOG_INFO, "partition_assigned", LOG_F("partition", LOG_INT(3)), ...): fields 0..n */
#define log_event(level, event, ...)                                                           \
	do {                                                                                   \
		if (log_enabled(level)) {                                                      \
			const struct log_field log_f_[] = {                                    \
				LOG_F(0, LOG_INT(0)), ##__VA_ARGS__};                          \
			log_fields(level, event, log_f_ + 1,                                   \
				(int)(sizeof(log_f_) / sizeof(log_f_[0])) - 1);                \
		}                                                                              \
	} while (0)

#define log_limited(level, event, ...)                                                         \
	do {                                                                                   \
		static struct log_limit log_l_;                                                \
		if (log_enabled(level)) {                                                      \
			const struct log_field log_f_[] = {                                    \
				LOG_F(0, LOG_INT(0)), ##__VA_ARGS__};                          \
			log_fields_limited(&log_l_, level, event, log_f_ + 1,                  \
				(int)(sizeof(log_f_) / sizeof(log_f_[0])) - 1);                \
		}                                                                              \
	} while (0)

#endif
