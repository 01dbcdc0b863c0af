/* clock: the clocks, by name. Monotonic for intervals and deadlines, wall for timestamps. */
#ifndef COMMON_CLOCK_H
#define COMMON_CLOCK_H

#include <stdint.h>

/* Nanoseconds since an arbitrary start; never goes back. */
int64_t clock_mono_ns(void);
/* Milliseconds of the same clock. */
int64_t clock_mono_ms(void);
/* Milliseconds / microseconds since 1970-01-01 UTC, as Kafka's timestamps; may jump. */
int64_t clock_wall_ms(void);
int64_t clock_wall_us(void);
/* CPU time of the calling thread, and of the whole process. */
int64_t clock_thread_cpu_ns(void);
int64_t clock_process_cpu_ns(void);

#endif
