/*
 * stop: SIGINT and SIGTERM for the whole session, also where no loop runs: between runs, in the
 * check of the ids, while the consumer is waited for. A run's own loop hears them besides.
 * Main thread only; before stop_catch() and after stop_release() no signal is known.
 */
#ifndef LOADGEN_STOP_H
#define LOADGEN_STOP_H

#include <stdbool.h>

void stop_catch(void);
void stop_release(void);

/* The signal that came last; 0: none did. */
int stop_signal(void);
/* So many signals were heeded already; stop_asked() is about those that come on top of them. */
void stop_heeded(int signals);
/* Shall what waits or blocks now end? */
bool stop_asked(void);

#endif
