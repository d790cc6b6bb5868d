/* waits --watch: let a live process run for a while, and look again. */
#include "command/waits_watch.h"

#include <stdlib.h>
#include <time.h>

#include "target/target.h"
#include "wait/wait.h"

#define WATCH_MAX 3600 /* seconds */

/* A signal ends the command: it is looked for often enough not to be noticed. */
static void let_run(struct scry_session *s, double seconds)
{
	enum { STEPS = 50 }; /* a second */
	const struct timespec nap = { .tv_nsec = 1000000000 / STEPS };
	unsigned naps = (unsigned)(seconds * STEPS) + 1;

	while (naps-- && !s->stopped)
		nanosleep(&nap, NULL);
}

int scry_waits_watch(struct scry_call *call, const char *text, struct scry_gil_reading **ret)
{
	struct scry_session *s = call->s;
	char *end;
	double seconds = strtod(text, &end);

	if (end == text || *end || !(seconds > 0 && seconds <= WATCH_MAX))
		return scry_fail(s, SCRY_EINVAL, 0, "--watch takes seconds, up to %d, not '%s'",
				 WATCH_MAX, text);
	if (!s->target->ops->hold || s->held || s->threads_done)
		return scry_fail(s, SCRY_EUNSUPPORTED, 0,
				 "--watch is for a process that runs: pyscry PID waits --watch %s",
				 text);
	*ret = scry_gils_read(s);
	scry_command_release(s);
	let_run(s, seconds);
	scry_command_hold(s, false);
	return SCRY_OK;
}
