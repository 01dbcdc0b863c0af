/* step_connect: the two connections of a stepper. Its thread. */
#ifndef CONSUMER_PIPELINE_STEP_CONNECT_H
#define CONSUMER_PIPELINE_STEP_CONNECT_H

#include "consumer/pipeline/step.h"

void step_connect_init(struct stepper *stepper);
/* Are both stores there? Tries, with a backoff and for ever, when one is not. */
bool step_connected(struct stepper *stepper);

#endif
