/* pyscry TARGET [COMMAND]: the command table on the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "debugger.h"

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
	{ "version", 'V', NULL, "print pyscry's version" },
	{ NULL },
};

#define LOOKS_MAX (16 << 20) /* `info files` has a line for every section of every library */

struct arguments {
	struct scry_session *s;
	const char *target, *command;
	struct scry_buf options, rest; /* of the command, quoted for it */
	const char *color;
	bool raw, help;
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
	fputs(text.text, stdout);
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
	if (!strcmp(flag->name, "version")) {
		printf("pyscry %s\n", scry_version());
		exit(0);
	}
	if (scry_session_set(a->s, flag->name, flag->value ? value : "1") < 0)
		return usage_error(scry_session_error(a->s), "");
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

static int take_word(struct arguments *a, const char *word)
{
	if (!a->target) {
		a->target = word;
		return 0;
	}
	if (a->command) {
		put_word(&a->rest, word, a->raw);
		return 0;
	}
	const struct scry_command *c = find_command(word);
	if (!c)
		return usage_error("no such command: ", word);
	a->command = c->name;
	a->raw = c->flags & SCRY_COMMAND_RAW;
	return 0;
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
	return rc;
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
	return !a->target[strspn(a->target, "0123456789")] && strlen(a->target) < 10;
}

/* A failure stays in the session; the command reports it, in JSON too. */
static void open_target(struct arguments *a)
{
	if (is_live(a))
		scry_session_open_pid(a->s, atoi(a->target));
	else
		scry_session_open_dump(a->s, a->target);
}

static void write_all(void *unused, const char *text, size_t len)
{
	(void)unused;
	while (len) {
		ssize_t n = write(1, text, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return; /* the reader has seen enough */
		text += n;
		len -= (size_t)n;
	}
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
		scry_buf_puts(&a->options, " --all");
	/* a process is held until the command is done: it must not wait for a reader */
	if (!is_live(a))
		out.sink = write_all;
	status =
		scry_command_run(a->s, a->command ? a->command : "bt", a->options.text, &out, &err);
	write_all(NULL, out.text, out.len);
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
	if (asked && !*a->target && !a->help)
		return usage_error("gdb has neither a core file nor a process", "");
	if (a->help && !a->command && !find_command(a->target)) {
		put_help();
		return 0;
	}
	if (!a->target)
		return usage_error("which core file or process?", "");
	set_color(a);
	if (a->help && !a->command)
		a->command = a->target; /* pyscry bt --help */
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
	status = start(&a, argv, argc);
	scry_buf_done(&a.options);
	scry_buf_done(&a.rest);
	scry_looks_done(&a.looks);
	scry_session_free(a.s);
	return status;
}
