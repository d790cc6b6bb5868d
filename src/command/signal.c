/* Windows' exceptions, and signals by number, as Linux numbers them on x86, ARM and most others. */
#include <inttypes.h>
#include <stdio.h>

#include "command/command.h"

const char *scry_signal_name(int number)
{
	static const char *const names[] = {
		NULL,       "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",  "SIGTRAP",   "SIGABRT",
		"SIGBUS",   "SIGFPE",  "SIGKILL",   "SIGUSR1", "SIGSEGV", "SIGUSR2",   "SIGPIPE",
		"SIGALRM",  "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP",   "SIGTSTP",
		"SIGTTIN",  "SIGTTOU", "SIGURG",    "SIGXCPU", "SIGXFSZ", "SIGVTALRM", "SIGPROF",
		"SIGWINCH", "SIGIO",   "SIGPWR",    "SIGSYS",
	};
	static __thread char text[24];

	if (number > 0 && (size_t)number < sizeof(names) / sizeof(*names))
		return names[number];
	snprintf(text, sizeof(text), "signal %d", number);
	return text;
}

/* Those that end processes: NTSTATUS values of ntstatus.h, in the words of their descriptions. */
const char *scry_exception_name(uint32_t code)
{
	static const struct {
		uint32_t code;
		const char *name;
	} rows[] = {
		{ 0xc0000005, "access violation" },
		{ 0xc00000fd, "stack overflow" },
		{ 0xc0000409, "fail fast" },
		{ 0xc0000374, "heap corruption" },
		{ 0xc000001d, "illegal instruction" },
		{ 0xc0000096, "privileged instruction" },
		{ 0xc0000094, "integer division by zero" },
		{ 0xc0000006, "in-page error" },
		{ 0xc0000008, "invalid handle" },
		{ 0xc0000017, "no memory" },
		{ 0xc000013a, "Ctrl-C" },
		{ 0x80000001, "guard page" },
		{ 0x80000002, "datatype misalignment" },
		{ 0x80000003, "breakpoint" },
		{ 0x80000004, "single step" },
		{ 0xe06d7363, "C++ exception" },
		{ 0x40000015, "fatal application exit" },
	};
	static __thread char text[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].code == code) {
			snprintf(text, sizeof(text), "exception 0x%08" PRIx32 " (%s)", code,
				 rows[i].name);
			return text;
		}
	snprintf(text, sizeof(text), "exception 0x%08" PRIx32, code);
	return text;
}
