#include "base/interrupt.h"

static struct scry_session *volatile running; /* that a signal is about */

static void stop(int signal)
{
	(void)signal;
	if (running)
		running->stopped = 1;
}

void scry_interrupt_begin(struct scry_session *s, struct scry_interrupt *in)
{
	struct sigaction action = { .sa_handler = stop, .sa_flags = SA_RESTART };

	*in = (struct scry_interrupt) { .before = running };
	if (!s->options.interruptible)
		return;
	sigemptyset(&action.sa_mask);
	running = s;
	in->set = !sigaction(SIGINT, &action, &in->action);
}

void scry_interrupt_end(struct scry_interrupt *in)
{
	if (!in->set)
		return;
	sigaction(SIGINT, &in->action, NULL);
	running = in->before;
}
