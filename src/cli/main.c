/* pyscry TARGET [COMMAND]: the command table on the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "debugger.h"
#include "base/nearest.h"
#include "guess.h"
#include "output.h"

/*
 * Options of the session; those of commands are in the table. The names are scry_session_set()'s.
 */
static const struct scry_flag session_flags[] = {
	{ "exe", 0, "FILE", "the program that dumped core, if it moved" },
	{ "sysroot", 0, "DIR", "directory that stands for the target's /" },
	{ "search", 0, "DIR", "look for programs, libraries and DLLs here" },
	{ "symbols", 0, "DIR", "symbol maps DIR/MODULE.nm, as nm prints them" },
	{ "source-map", 0, "FROM=TO", "sources under FROM are here under TO; repeatable" },
	{ "layout", 0, "SOURCE", "use only offsets, dwarf, members or rows" },
	{ "debuginfod", 0, NULL, "ask $DEBUGINFOD_URLS for missing files" },
	{ "hold", 0, "SECONDS", "stop a live process for at most so long (0.5)" },
	{ "untrusted", 0, NULL, "open no file that only the target names, ask no server" },
	{ "pid", 'p', "PID", "the process to look at, as TARGET" },
	{ "core", 'c', "FILE", "the core file or minidump to look at, as TARGET" },
	{ "version", 'V', NULL, "print pyscry's version" },
	{ NULL },
};

#define LOOKS_MAX (16 << 20) /* `info files` has a line for every section of every library */

struct arguments {
	struct scry_session *s;
	const char *target, *command;
	const char *pid, *core;        /* --pid, --core */
	struct scry_buf options, rest; /* of the command, quoted for it */
	const char *color;
	bool raw, help, version;
	struct scry_looks looks; /* with --from-debugger: instead of TARGET */
};

static const char help_head[] =
	"usage: pyscry [OPTION...] TARGET [COMMAND [ARGUMENT...]]\n"
	"\n"
	"Show what Python code a process runs, or ran when it died. TARGET is a core file, a "
	"Windows\n"
	"minidump (either may be compressed: gz, xz, zst, lz4), or the id of a live process.\n"
	"\n"
	"  pyscry core                    all threads: their Python stacks\n"
	"  pyscry 4711                    the same of a live process; it is stopped for an instant "
	"only\n"
	"  pyscry core bt-full            the thread that crashed, with local variables\n"
	"  pyscry core threads            one line for each thread\n"
	"  pyscry core --frame 2 locals   variables of one frame, by its number in bt\n"
	"  pyscry core print 'self.jobs[0].name'\n"
	"  pyscry core info               what was found, how, and which files are missing\n"
	"  pyscry --json core             everything for a program to read\n"
	"  pyscry --sysroot /srv/image core.zst       a core from another machine or a container\n"
	"\n"
	"Options may stand before or after TARGET and COMMAND. A path that is all digits needs ./ "
	"before it.\n"
	"\n"
	"Commands (the default is: bt --all):\n";

static const char help_tail[] = "\n"
				"pyscry COMMAND --help tells more of one. Exit status: 0 all was "
				"shown, 1 a part (the reasons are on\n"
				"stderr), 2 nothing could be shown, or bad usage.\n";

static void put_help(void)
{
	struct scry_buf text = SCRY_BUF_INIT;
	const struct scry_command *c;

	scry_buf_puts(&text, help_head);
	for (unsigned i = 0; (c = scry_command_at(i)); i++)
		scry_buf_printf(&text, "  %-12s %s\n", c->name, c->summary);
	scry_buf_puts(&text, "\nOptions for finding files:\n");
	scry_put_flags(&text, session_flags);
	scry_buf_puts(&text, "\nOptions of all commands:\n");
	scry_put_flags(&text, scry_common_flags);
	scry_buf_puts(&text, help_tail);
	scry_output_write(NULL, text.text, text.len);
	scry_buf_done(&text);
}

static int usage_error(const char *problem, const char *word)
{
	fprintf(stderr, "pyscry: %s%s\nTry: pyscry --help\n", problem, word);
	return 2;
}

static const struct scry_command *find_command(const char *name)
{
	const struct scry_command *c;

	if (name && !strncmp(name, "py-", 3))
		name += 3;
	for (unsigned i = 0; name && (c = scry_command_at(i)); i++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

static const struct scry_flag *find_flag(const struct scry_flag *flags, const char *word)
{
	size_t len = strcspn(word + 2, "=");

	for (; flags && flags->name; flags++)
		if (word[1] == '-'
			    ? strlen(flags->name) == len && !memcmp(flags->name, word + 2, len)
			    : flags->letter && flags->letter == word[1] && !word[2])
			return flags;
	return NULL;
}

static const struct scry_flag *find_command_flag(const char *command, const char *word)
{
	const struct scry_command *c = find_command(command);

	for (unsigned i = 0; c && scry_command_rows[i]; i++)
		if (&scry_command_rows[i]->public == c)
			return find_flag(scry_command_rows[i]->flags, word);
	return NULL;
}

/* Is it an option of any command? */
static bool is_anyones_flag(const char *word)
{
	for (unsigned i = 0; scry_command_rows[i]; i++)
		if (find_flag(scry_command_rows[i]->flags, word))
			return true;
	return false;
}

static void consider_flags(struct scry_nearest *near, const struct scry_flag *flags)
{
	for (; flags && flags->name; flags++)
		scry_nearest_consider(near, flags->name);
}

static int unknown_option(const char *word)
{
	char name[64];
	struct scry_nearest near;

	snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
	near = scry_nearest_to(name);
	consider_flags(&near, session_flags);
	consider_flags(&near, scry_common_flags);
	for (unsigned i = 0; scry_command_rows[i]; i++)
		consider_flags(&near, scry_command_rows[i]->flags);
	fprintf(stderr, "pyscry: no option --%s%s%s%s\nTry: pyscry --help\n", name,
		*near.best ? "; did you mean --" : "", near.best, *near.best ? "?" : "");
	return 2;
}

static int unknown_command(const char *word)
{
	struct scry_nearest near = scry_nearest_to(word);
	const struct scry_command *c;

	for (unsigned i = 0; (c = scry_command_at(i)); i++)
		scry_nearest_consider(&near, c->name);
	fprintf(stderr, "pyscry: no such command: %s%s%s%s\nTry: pyscry --help\n", word,
		*near.best ? "; did you mean " : "", near.best, *near.best ? "?" : "");
	return 2;
}

/* Quote a word for the command's own splitting. */
static void put_word(struct scry_buf *line, const char *word, bool raw)
{
	scry_buf_puts(line, " ");
	if (raw) {
		scry_buf_puts(line, word);
		return;
	}
	scry_buf_puts(line, "'");
	for (; *word; word++)
		scry_buf_put(line, *word == '\'' ? "'\\''" : word, *word == '\'' ? 4 : 1);
	scry_buf_puts(line, "'");
}

static int set_option(struct arguments *a, const struct scry_flag *flag, const char *value)
{
	if (!strcmp(flag->name, "version"))
		a->version = true;
	else if (!strcmp(flag->name, "pid"))
		a->pid = value;
	else if (!strcmp(flag->name, "core"))
		a->core = value;
	else
		return scry_session_set(a->s, flag->name, flag->value ? value : "1") < 0
			       ? usage_error(scry_session_error(a->s), "")
			       : 0;
	return 0;
}

/*
 * An option: the command's own, ours, or one that the command will judge. *at moves over a value.
 */
static int take_option(struct arguments *a, char **argv, int argc, int *at)
{
	const char *word = argv[*at], *value = word[1] == '-' ? strchr(word, '=') : NULL;
	const struct scry_flag *own = find_command_flag(a->command, word), *ours = NULL,
			       *flag = own;

	/* "info --layout" is a switch, "--layout=dwarf" ours */
	if (!own || (value && !own->value))
		flag = ours = find_flag(session_flags, word);
	if (!flag)
		flag = find_flag(scry_common_flags, word);
	if (!flag && word[1] == '-' && !is_anyones_flag(word))
		return unknown_option(word);
	if (flag && flag->value && !value && *at + 1 >= argc)
		return usage_error("a value is missing behind ", word);
	if (ours)
		return set_option(a, ours, value ? value + 1 : ours->value ? argv[++*at] : NULL);
	if (flag && !strcmp(flag->name, "help"))
		a->help = true;
	if (flag && !strcmp(flag->name, "color"))
		a->color = value ? value + 1 : argv[*at + 1];
	put_word(&a->options, word, false);
	if (flag && flag->value && !value)
		put_word(&a->options, argv[++*at], false);
	return 0;
}

static void set_command(struct arguments *a, const struct scry_command *c)
{
	a->command = c->name;
	a->raw = c->flags & SCRY_COMMAND_RAW;
}

static void ask_help(struct arguments *a)
{
	a->help = true;
	put_word(&a->options, "--help", false);
}

static int set_exe(struct arguments *a, const char *path)
{
	return scry_session_set(a->s, "exe", path) < 0 ? usage_error(scry_session_error(a->s), "")
						       : 0;
}

/* The target; or a command that stands before it, or "help", where no file is called so. */
static int take_first(struct arguments *a, const char *word)
{
	const struct scry_command *c = a->command ? NULL : find_command(word);

	if (!scry_guess_is_file(word) && !strcmp(word, "help"))
		ask_help(a);
	else if (c && !scry_guess_is_file(word))
		set_command(a, c);
	else if (a->pid || a->core)
		return a->command ? (put_word(&a->rest, word, a->raw), 0) : unknown_command(word);
	else
		a->target = word;
	return 0;
}

/* What follows the target: a command; or a file, since gdb takes PROGRAM CORE and PROGRAM PID. */
static int take_second(struct arguments *a, const char *word)
{
	const struct scry_command *c = find_command(word);

	if (c) {
		set_command(a, c);
	} else if (scry_guess_is_program(a->target) &&
		   (scry_guess_is_file(word) || scry_guess_is_pid(word))) {
		const char *exe = a->target;

		a->target = word;
		return set_exe(a, exe);
	} else if (scry_guess_is_program(word)) {
		return set_exe(a, word);
	} else if (!scry_guess_is_file(a->target) && !scry_guess_is_pid(a->target) &&
		   (scry_guess_is_file(word) || scry_guess_is_process(word))) {
		return unknown_command(a->target);
	} else {
		return unknown_command(word);
	}
	return 0;
}

static int take_word(struct arguments *a, const char *word)
{
	if (a->help && !a->command && !a->target && !find_command(word) &&
	    !scry_guess_is_file(word) && !scry_guess_is_pid(word))
		return unknown_command(word);
	if (a->help && !a->command && find_command(word))
		set_command(a, find_command(word));
	else if (!a->target)
		return take_first(a, word);
	else if (!a->command)
		return take_second(a, word);
	else
		put_word(&a->rest, word, a->raw);
	return 0;
}

/* --pid and --core are targets; what stood in the target's place is the program then. */
static int settle(struct arguments *a)
{
	const char *given = a->pid ? a->pid : a->core, *word = a->target;

	if (a->pid && a->core)
		return usage_error("give --pid or --core, not both", "");
	if (!given)
		return 0;
	if (a->pid && !scry_guess_is_pid(a->pid))
		return usage_error("--pid wants the number of a process, not ", a->pid);
	a->target = given;
	return word ? set_exe(a, word) : 0;
}

static int parse(struct arguments *a, char **argv, int argc)
{
	bool ended = false;
	int rc = 0;

	for (int i = 1; i < argc && !rc; i++) {
		if (!ended && !strcmp(argv[i], "--"))
			ended = true;
		else if (!ended && argv[i][0] == '-' && argv[i][1])
			rc = take_option(a, argv, argc, &i);
		else
			rc = take_word(a, argv[i]);
	}
	return rc ? rc : settle(a);
}

static void set_color(struct arguments *a)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");
	bool wanted = isatty(1) && !(no && *no) && !(term && !strcmp(term, "dumb"));

	if (a->color && !strcmp(a->color, "always"))
		wanted = true;
	scry_session_set(a->s, "color", wanted ? "always" : "never");
}

/*
 * The gdbinit's way for a GDB without Python: "--from-debugger" stands first, and standard input
 * has what GDB says of its target and of the selected thread.
 */
static void read_looks(struct arguments *a)
{
	struct scry_buf text = SCRY_BUF_INIT;
	char piece[4096];
	ssize_t n;

	while ((n = read(0, piece, sizeof(piece))) > 0 && text.len < LOOKS_MAX)
		scry_buf_put(&text, piece, (size_t)n);
	scry_looks_parse(&a->looks, text.text);
	scry_buf_done(&text);
	a->target = scry_looks_target(&a->looks);
	if (a->looks.thread.len) {
		put_word(&a->options, "--thread", false);
		put_word(&a->options, a->looks.thread.text, false);
	}
	if (a->looks.frame.len) {
		put_word(&a->options, "--frame", false);
		put_word(&a->options, a->looks.frame.text, false);
	}
}

static bool is_live(const struct arguments *a)
{
	return scry_guess_is_pid(a->target) && !a->core;
}

/* A failure stays in the session; the command reports it, in JSON too. */
static void open_target(struct arguments *a)
{
	if (is_live(a) && !scry_guess_is_process(a->target) && scry_guess_is_file(a->target))
		scry_fail(a->s, SCRY_ENOTFOUND, 0,
			  "no process %s; write ./%s for the file of that name", a->target,
			  a->target);
	else if (is_live(a))
		scry_session_open_pid(a->s, atoi(a->target));
	else
		scry_session_open_dump(a->s, a->target);
}

static void write_reasons(struct scry_buf *err)
{
	char *line = err->text, *next;

	for (; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		fprintf(stderr, "pyscry: %s\n", line);
	}
}

static int run(struct arguments *a)
{
	struct scry_buf out = SCRY_BUF_INIT, err = SCRY_BUF_INIT;
	int status;

	/* a RAW command's options stand before its argument */
	if (a->rest.len) {
		scry_buf_puts(&a->options, a->raw ? " --" : "");
		scry_buf_puts(&a->options, a->rest.text);
	}
	if (!a->command)
		scry_buf_puts(&a->options, is_live(a) ? " --all" : " --all --summary");
	/* a process is held until the command is done: it must not wait for a reader */
	if (!a->help && !is_live(a))
		out.sink = scry_output_write;
	status =
		scry_command_run(a->s, a->command ? a->command : "bt", a->options.text, &out, &err);
	scry_output_write(NULL, out.text, out.len);
	write_reasons(&err);
	scry_buf_done(&out);
	scry_buf_done(&err);
	return status;
}

static int start(struct arguments *a, char **argv, int argc)
{
	bool asked = argc > 1 && !strcmp(argv[1], "--from-debugger");
	int rc;

	if (asked)
		read_looks(a);
	rc = parse(a, argv + asked, argc - asked);
	if (rc)
		return rc;
	if (a->version) {
		SCRY_AUTO_BUF(text);

		scry_buf_printf(&text, "pyscry %s\n", scry_version());
		scry_output_write(NULL, text.text, text.len);
		return 0;
	}
	if (asked && !*a->target && !a->help)
		return usage_error("gdb has neither a core file nor a process", "");
	if (a->help && !a->command) {
		put_help();
		return 0;
	}
	if (!a->target && !a->help)
		return usage_error("which core file or process?",
				   a->command ? " It stands first: pyscry TARGET COMMAND" : "");
	set_color(a);
	if (!a->help)
		open_target(a);
	return run(a);
}

int main(int argc, char **argv)
{
	struct arguments a = { .s = scry_session_new(),
			       .options = SCRY_BUF_INIT,
			       .rest = SCRY_BUF_INIT };
	int status;

	scry_looks_parse(&a.looks, "");
	if (!a.s)
		return usage_error("out of memory", "");
	scry_output_init();
	status = scry_output_status(start(&a, argv, argc));
	scry_buf_done(&a.options);
	scry_buf_done(&a.rest);
	scry_looks_done(&a.looks);
	scry_session_free(a.s);
	return status;
}
