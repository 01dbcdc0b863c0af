/* verdict: see verdict.h. */
#include "consumer/pipeline/verdict.h"

const char *verdict_name(enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_DONE:
		return "done";
	case VERDICT_RETRY:
		return "retry";
	case VERDICT_RECONNECT:
		return "reconnect";
	case VERDICT_POISON:
		return "poison";
	case VERDICT_MOVED:
		return "moved";
	case VERDICT_FATAL:
		return "fatal";
	}
	return "?";
}
