/* Signals by number, as Linux numbers them on x86, ARM and most others. */
#include <stdio.h>

#include "command/command.h"

const char *scry_signal_name(int number)
{
	static const char *const names[] = {
		NULL, "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL",
		"SIGUSR1", "SIGSEGV", "SIGUSR2", "SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT",
		"SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF",
		"SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
	};
	static __thread char text[24];

	if (number > 0 && (size_t)number < sizeof(names) / sizeof(*names))
		return names[number];
	snprintf(text, sizeof(text), "signal %d", number);
	return text;
}
