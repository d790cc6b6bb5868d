/* pyscry TARGET [COMMAND]: the command table on the command line. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "complete.h"
#include "debugger.h"
#include "flags.h"
#include "guess.h"
#include "help.h"
#include "manual.h"
#include "many/many.h"
#include "output.h"
#include "progress_line.h"

#define LOOKS_MAX (16 << 20) /* `info files` has a line for every section of every library */

struct arguments {
	struct scry_session *s;
	const char *target, *command;
	const char *pid, *core;        /* --pid, --core */
	const char *children, *name;   /* --children, --name */
	struct scry_many many;         /* more than one target */
	struct scry_buf options, rest; /* of the command, quoted for it */
	const char *color;
	bool raw, help, version, json;
	struct scry_looks looks; /* with --from-debugger: instead of TARGET */
};

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

/* A number above 0 in thousandths or whole; 2 after a message. */
static int take_number(const char *value, const char *option, double factor, unsigned *ret)
{
	char *end;
	double n = strtod(value, &end) * factor;

	if (end == value || *end || !(n >= 1 && n <= 1e9))
		return scry_usage_error(option, " wants a number above 0");
	*ret = (unsigned)n;
	return 0;
}

static int set_option(struct arguments *a, const struct scry_flag *flag, const char *value)
{
	if (!strcmp(flag->name, "version"))
		a->version = true;
	else if (!strcmp(flag->name, "pid"))
		a->pid = value;
	else if (!strcmp(flag->name, "core"))
		a->core = value;
	else if (!strcmp(flag->name, "children"))
		a->children = value;
	else if (!strcmp(flag->name, "name"))
		a->name = value;
	else if (!strcmp(flag->name, "jobs"))
		return take_number(value, "--jobs", 1, &a->many.jobs);
	else if (!strcmp(flag->name, "timeout"))
		return take_number(value, "--timeout", 1000, &a->many.timeout_ms);
	else
		return scry_session_set(a->s, flag->name, flag->value ? value : "1") < 0
			       ? scry_usage_error(scry_session_error(a->s), "")
			       : 0;
	return 0;
}

/*
 * An option: the command's own, ours, or one that the command will judge. *at moves over a value.
 */
static int take_option(struct arguments *a, char **argv, int argc, int *at)
{
	const char *word = argv[*at], *value = word[1] == '-' ? strchr(word, '=') : NULL;
	const struct scry_flag *own = scry_cli_flag_of(a->command, word), *ours = NULL, *flag = own;

	/* "info --layout" is a switch, "--layout=dwarf" ours */
	if (!own || (value && !own->value))
		flag = ours = scry_cli_flag(scry_session_flags, word);
	if (!flag)
		flag = scry_cli_flag(scry_common_flags, word);
	if (!flag && word[1] == '-' && !scry_cli_is_flag(word))
		return scry_unknown_option(word);
	if (flag && flag->value && !value && *at + 1 >= argc)
		return scry_usage_error("a value is missing after ", word);
	if (ours)
		return set_option(a, ours, value ? value + 1 : ours->value ? argv[++*at] : NULL);
	if (flag && !strcmp(flag->name, "help"))
		a->help = true;
	if (flag && !strcmp(flag->name, "json"))
		a->json = true;
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
	return scry_session_set(a->s, "exe", path) < 0
		       ? scry_usage_error(scry_session_error(a->s), "")
		       : 0;
}

/* The target; or a command that comes before it, or "help", where no file is called so. */
static int take_first(struct arguments *a, const char *word)
{
	const struct scry_command *c = a->command ? NULL : scry_cli_command(word);

	if (!scry_guess_is_file(word) && !strcmp(word, "help"))
		ask_help(a);
	else if (c && !scry_guess_is_file(word))
		set_command(a, c);
	else if (a->pid || a->core)
		return a->command ? (put_word(&a->rest, word, a->raw), 0)
				  : scry_unknown_command(word);
	else
		a->target = word;
	return 0;
}

/* What follows the target: a command; or a file, since gdb takes PROGRAM CORE and PROGRAM PID. */
static int take_second(struct arguments *a, const char *word)
{
	const struct scry_command *c = scry_cli_command(word);

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
		return scry_unknown_command(a->target);
	} else {
		return scry_unknown_command(word);
	}
	return 0;
}

static bool has_many(const struct arguments *a)
{
	return a->children || a->name;
}

/* Are the command's arguments more targets? */
static bool takes_targets(const struct arguments *a)
{
	return scry_cli_command(a->command)->flags & SCRY_COMMAND_TARGETS;
}

static int add_target(struct arguments *a, const char *word)
{
	return scry_many_add(&a->many, word) < 0 ? scry_usage_error(scry_session_error(a->s), "")
						 : 0;
}

static int take_word(struct arguments *a, const char *word)
{
	if (a->help && !a->command && !a->target && !scry_cli_command(word) &&
	    !scry_guess_is_file(word) && !scry_guess_is_pid(word))
		return scry_unknown_command(word);
	if (a->help && !a->command && scry_cli_command(word))
		set_command(a, scry_cli_command(word));
	else if (has_many(a) && !a->command)
		return scry_cli_command(word) ? (set_command(a, scry_cli_command(word)), 0)
					      : scry_unknown_command(word);
	else if (a->command && takes_targets(a) && (a->target || has_many(a)))
		return add_target(a, word);
	else if (!a->target && !has_many(a))
		return take_first(a, word);
	else if (!a->command)
		return take_second(a, word);
	else
		put_word(&a->rest, word, a->raw);
	return 0;
}

/* --pid and --core are targets; what was in the target's place is the program then. */
static int settle(struct arguments *a)
{
	const char *given = a->pid ? a->pid : a->core, *word = a->target;

	if (a->pid && a->core)
		return scry_usage_error("give --pid or --core, not both", "");
	if (!given)
		return 0;
	if (a->pid && !scry_guess_is_pid(a->pid))
		return scry_usage_error("--pid wants the number of a process, not ", a->pid);
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

/* Is the command about this machine? A target is not looked at, then, as in a debugger. */
static bool needs_none(const struct arguments *a)
{
	const struct scry_command *c = scry_cli_command(a->command);

	return c && c->flags & SCRY_COMMAND_MACHINE;
}

static void set_color(struct arguments *a)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM"),
		   *force = getenv("CLICOLOR_FORCE");
	bool wanted = isatty(1) && !(term && !strcmp(term, "dumb"));

	if (force && *force && strcmp(force, "0"))
		wanted = true;
	if (no && *no)
		wanted = false;

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
	return a->target && scry_guess_is_pid(a->target) && !a->core;
}

/* More targets than one, or as many as may be. */
static bool is_many(const struct arguments *a)
{
	return has_many(a) || a->many.count ||
	       (a->target && a->command && takes_targets(a) &&
		(!strcmp(a->target, "-") || scry_guess_is_directory(a->target)));
}

/* A failure stays in the session; the command reports it, in JSON too. */
static int open_target(struct scry_session *s, const char *word, bool core)
{
	bool live = scry_guess_is_pid(word) && !core;

	if (live && !scry_guess_is_process(word) && scry_guess_is_file(word))
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "no process %s; write ./%s for the file of that name", word, word);
	return live ? scry_session_open_pid(s, atoi(word)) : scry_session_open_dump(s, word);
}

static int open_one(struct scry_session *s, const char *word)
{
	return open_target(s, word, false);
}

static void complain(const char *reason)
{
	scry_progress_line_hide();
	fprintf(stderr, "pyscry: %s\n", reason);
}

static void write_reasons(struct scry_buf *err)
{
	char *line = err->text, *next;

	for (; *line; line = next) {
		next = line + strcspn(line, "\n");
		if (*next)
			*next++ = 0;
		complain(line);
	}
}

/* A RAW command's options come before its argument. */
static void finish_options(struct arguments *a)
{
	if (a->rest.len) {
		scry_buf_puts(&a->options, a->raw ? " --" : "");
		scry_buf_puts(&a->options, a->rest.text);
	}
	if (!a->command)
		scry_buf_puts(&a->options,
			      has_many(a) || is_live(a) ? " --all" : " --all --summary");
}

static int run(struct arguments *a)
{
	struct scry_buf out = SCRY_BUF_INIT, err = SCRY_BUF_INIT;
	int status;

	finish_options(a);
	/* a process is held until the command is done: it must not wait for a reader */
	if (!a->help && !is_live(a))
		out.sink = scry_output_write;
	status =
		scry_command_run(a->s, a->command ? a->command : "bt", a->options.text, &out, &err);
	scry_progress_line_end();
	scry_output_write(NULL, out.text, out.len);
	write_reasons(&err);
	scry_buf_done(&out);
	scry_buf_done(&err);
	return status;
}

static int run_many(struct arguments *a)
{
	struct scry_many *m = &a->many;
	bool stacks = a->command && takes_targets(a);
	int rc = SCRY_OK;

	if (a->target && !stacks)
		return scry_usage_error("--children and --name stand for the target: what is ",
					a->target);
	/* the first one that was named comes first */
	if (a->target)
		rc = scry_many_add_first(m, a->target);
	if (rc >= 0 && a->children)
		rc = scry_many_add_children(m, a->children);
	if (rc >= 0 && a->name)
		rc = scry_many_add_name(m, a->name);
	if (rc < 0)
		return scry_usage_error(scry_session_error(a->s), "");
	finish_options(a);
	m->open = open_one;
	m->write = scry_output_write;
	m->complain = complain;
	m->command = a->command ? a->command : "bt";
	m->line = a->options.text;
	m->json = a->json;
	return stacks ? scry_many_stacks(m) : scry_many_run(m);
}

/* What builds and shells ask for, by a first word that nobody else types. */
static int serve(char **argv, int argc, bool *ret_served)
{
	const char *word = argc > 1 ? argv[1] : "";

	*ret_served = true;
	if (!strcmp(word, "--manual-pages") && argc == 3)
		return scry_manual_write(argv[2]);
	if (!strcmp(word, "--complete")) {
		SCRY_AUTO_BUF(text);

		scry_complete(argv + 2, argc - 2, &text);
		scry_output_write(NULL, text.text, text.len);
		return 0;
	}
	*ret_served = false;
	return 0;
}

static int start(struct arguments *a, char **argv, int argc)
{
	bool asked = argc > 1 && !strcmp(argv[1], "--from-debugger"), served;
	int rc = serve(argv, argc, &served);

	if (served)
		return rc;
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
		return scry_usage_error("gdb has neither a core file nor a process", "");
	if (a->help && !a->command) {
		scry_help_put();
		return 0;
	}
	if (!needs_none(a) && !a->target && !a->help && !is_many(a))
		return scry_usage_error("which core file or process?",
					a->command ? " It stands first: pyscry TARGET COMMAND"
						   : "");
	set_color(a);
	if (!a->help && is_many(a))
		return run_many(a);
	if (!a->help && !needs_none(a))
		open_target(a->s, a->target, a->core);
	return run(a);
}

int main(int argc, char **argv)
{
	struct arguments a = { .s = scry_session_new(),
			       .options = SCRY_BUF_INIT,
			       .rest = SCRY_BUF_INIT };
	int status;

	a.many.s = a.s;
	a.many.timeout_ms = 30000;
	scry_looks_parse(&a.looks, "");
	if (!a.s)
		return scry_usage_error("out of memory", "");
	scry_output_init();
	scry_progress_line_begin(a.s);
	status = scry_output_status(start(&a, argv, argc));
	scry_progress_line_end();
	scry_buf_done(&a.options);
	scry_buf_done(&a.rest);
	scry_looks_done(&a.looks);
	scry_many_done(&a.many);
	scry_session_free(a.s);
	return status;
}
