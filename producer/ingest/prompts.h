/* prompts: what a person at a terminal is asked when there are no arguments at all. */
#ifndef PRODUCER_INGEST_PROMPTS_H
#define PRODUCER_INGEST_PROMPTS_H

/* The answers as a command line, or NULL when there is no terminal. Caller frees with
   prompts_free. */
char **prompts_ask(const char *program, int *argc);
void prompts_free(char **argv);

#endif
