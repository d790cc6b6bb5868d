/* What the program says of itself, and of words that it does not know. */
#include "help.h"

#include <stdio.h>
#include <string.h>

#include "base/nearest.h"
#include "flags.h"
#include "output.h"

static const char help_head[] =
	"usage: pyscry [OPTION...] TARGET [COMMAND [ARGUMENT...]]\n"
	"\n"
	"Show what Python code a process runs, or ran when it died. TARGET is a core file, a "
	"Windows\n"
	"minidump (either may be compressed: gz, xz, zst, lz4), or the id of a live process.\n"
	"\n";

const char scry_help_examples[] =
	"  pyscry core                    all threads: their Python stacks\n"
	"  pyscry 4711                    the same of a live process; it is stopped for an instant "
	"only\n"
	"  pyscry core bt-full            the thread that crashed, with local variables\n"
	"  pyscry core threads            one line for each thread\n"
	"  pyscry core --frame 2 locals   variables of one frame, by its number in bt\n"
	"  pyscry core print 'self.jobs[0].name'\n"
	"  pyscry core info               what was found, how, and which files are missing\n"
	"  pyscry --json core             everything for a program to read\n"
	"  pyscry stacks cores/ 4711      many at once: equal stacks are shown once\n"
	"  pyscry --children 4711 threads   a command for a process and its descendants\n"
	"  pyscry --sysroot /srv/image core.zst       a core from another machine or a container\n";

static const char help_middle[] =
	"\n"
	"Options may stand before or after TARGET and COMMAND. A path that is all digits needs ./ "
	"before it.\n"
	"\n"
	"Commands (the default is: bt --all):\n";

static const char help_tail[] = "\n"
				"pyscry COMMAND --help has more on each. Exit status: 0 all was "
				"shown, 1 a part (the reasons are on\n"
				"stderr), 2 nothing could be shown, or bad usage.\n";

void scry_help_put(void)
{
	struct scry_buf text = SCRY_BUF_INIT;
	const struct scry_command *c;

	scry_buf_puts(&text, help_head);
	scry_buf_puts(&text, scry_help_examples);
	scry_buf_puts(&text, help_middle);
	for (unsigned i = 0; (c = scry_command_at(i)); i++)
		scry_buf_printf(&text, "  %-12s %s\n", c->name, c->summary);
	scry_buf_puts(&text, "\nOptions for finding files:\n");
	scry_put_flags(&text, scry_session_flags);
	scry_buf_puts(&text, "\nOptions of all commands:\n");
	scry_put_flags(&text, scry_common_flags);
	scry_buf_puts(&text, help_tail);
	scry_output_write(NULL, text.text, text.len);
	scry_buf_done(&text);
}

int scry_usage_error(const char *problem, const char *word)
{
	fprintf(stderr, "pyscry: %s%s\nTry: pyscry --help\n", problem, word);
	return 2;
}

static void consider_flags(struct scry_nearest *near, const struct scry_flag *flags)
{
	for (; flags && flags->name; flags++)
		scry_nearest_consider(near, flags->name);
}

int scry_unknown_option(const char *word)
{
	char name[64];
	struct scry_nearest near;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	near = scry_nearest_to(name);
	consider_flags(&near, scry_session_flags);
	consider_flags(&near, scry_common_flags);
	for (unsigned i = 0; scry_command_rows[i]; i++)
		consider_flags(&near, scry_command_rows[i]->flags);
	fprintf(stderr, "pyscry: no option --%s%s%s%s\nTry: pyscry --help\n", name,
		*near.best ? "; did you mean --" : "", near.best, *near.best ? "?" : "");
	return 2;
}

int scry_unknown_command(const char *word)
{
	struct scry_nearest near = scry_nearest_to(word);
	const struct scry_command *c;

	for (unsigned i = 0; (c = scry_command_at(i)); i++)
		scry_nearest_consider(&near, c->name);
	fprintf(stderr, "pyscry: no such command: %s%s%s%s\nTry: pyscry --help\n", word,
		*near.best ? "; did you mean " : "", near.best, *near.best ? "?" : "");
	return 2;
}
