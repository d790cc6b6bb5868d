#include "complete.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flags.h"
#include "guess.h"
#include "many/many.h"

#define HELP_MAX 60

/* What is known of the words before the one that is asked for. */
struct before {
	const char *target, *command;
	const struct scry_flag *pending; /* its value is next */
	bool many;                       /* --children, --name */
};

static void offer(struct scry_buf *out, const char *word, const char *name, const char *help)
{
	if (strncmp(name, word, strlen(word)))
		return;
	scry_put_safe(out, name);
	scry_buf_putc(out, '\t');
	scry_put_safe_bytes(out, help, strlen(help));
	scry_buf_putc(out, '\n');
}

static const struct scry_command_row *row_of(const char *name)
{
	const struct scry_command *c = scry_cli_command(name);

	for (unsigned i = 0; c && scry_command_rows[i]; i++)
		if (&scry_command_rows[i]->public == c)
			return scry_command_rows[i];
	return NULL;
}

static const struct scry_flag *flag_of(const struct before *b, const char *word)
{
	const struct scry_flag *flag = scry_cli_flag_of(b->command, word);

	if (!flag)
		flag = scry_cli_flag(scry_session_flags, word);
	if (!flag)
		flag = scry_cli_flag(scry_common_flags, word);
	/* the command may be still to come */
	for (unsigned i = 0; !flag && !b->command && scry_command_rows[i]; i++)
		flag = scry_cli_flag(scry_command_rows[i]->flags, word);
	return flag;
}

static void take_option(struct before *b, const char *word)
{
	const struct scry_flag *flag = flag_of(b, word);

	if (!flag || !flag->value)
		return;
	if (!strcmp(flag->name, "children") || !strcmp(flag->name, "name"))
		b->many = true;
	if (!strcmp(flag->name, "pid") || !strcmp(flag->name, "core"))
		b->target = "";
	if (!strchr(word, '='))
		b->pending = flag;
}

static void take(struct before *b, const char *word)
{
	if (b->pending)
		b->pending = NULL;
	else if (word[0] == '-' && word[1])
		take_option(b, word);
	else if (!b->command && scry_cli_command(word) && !scry_guess_is_file(word))
		b->command = scry_cli_command(word)->name;
	else if (!b->target)
		b->target = word;
}

static void offer_flags(struct scry_buf *out, const char *word, const struct scry_flag *flags)
{
	char name[64];

	for (; flags && flags->name; flags++) {
		snprintf(name, sizeof(name), "--%s", flags->name);
		offer(out, word, name, flags->help);
	}
}

/* Every Python, as --name finds them; other processes may be typed. */
static void offer_processes(struct scry_buf *out, const char *word)
{
	DIR *proc = opendir("/proc");
	const struct dirent *entry;

	while (proc && (entry = readdir(proc))) {
		SCRY_AUTO_BUF(line);

		if (!scry_guess_is_pid(entry->d_name) ||
		    !scry_process_command(atoi(entry->d_name), &line))
			continue;
		if (!strstr(line.text, "python") && !strstr(line.text, "pypy"))
			continue;
		if (line.len > HELP_MAX)
			scry_buf_cut(&line, HELP_MAX);
		offer(out, word, entry->d_name, line.text);
	}
	if (proc)
		closedir(proc);
}

static void offer_value(struct scry_buf *out, const char *word, const struct scry_flag *flag)
{
	char one[32];

	if (flag->values) {
		for (const char *at = flag->values; *at; at += strspn(at, " ")) {
			size_t len = strcspn(at, " ");

			snprintf(one, sizeof(one), "%.*s", (int)len, at);
			offer(out, word, one, "");
			at += len;
		}
	} else if (!strcmp(flag->value, "DIR") || !strcmp(flag->value, "FROM=TO")) {
		scry_buf_puts(out, "\tdirectory\n");
	} else if (!strcmp(flag->value, "FILE")) {
		scry_buf_puts(out, "\tfile\n");
	} else if (!strcmp(flag->value, "PID")) {
		offer_processes(out, word);
	}
}

static void offer_commands(struct scry_buf *out, const char *word)
{
	const struct scry_command *c;

	for (unsigned i = 0; (c = scry_command_at(i)); i++)
		offer(out, word, c->name, c->summary);
}

/* Names that a dump has: nothing is stopped for a completion. */
static void offer_names(struct scry_buf *out, const char *word, const struct before *b)
{
	const struct scry_command_row *row = row_of(b->command);
	SCRY_AUTO_BUF(names);

	if (!row->complete || !b->target || !scry_guess_is_file(b->target))
		return;
	struct scry_session *s = scry_session_new();
	if (s && scry_session_open_dump(s, b->target) >= 0)
		scry_command_complete(s, b->command, word, &names);
	scry_session_free(s);
	for (const char *line = names.text; *line; line++) {
		size_t len = strcspn(line, "\n");

		scry_buf_put(out, line, len);
		scry_buf_puts(out, "\t\n");
		line += len;
	}
}

static void offer_words(struct scry_buf *out, const char *word, const struct before *b)
{
	const struct scry_command *c = scry_cli_command(b->command);
	bool targets = c && c->flags & SCRY_COMMAND_TARGETS,
	     machine = c && c->flags & SCRY_COMMAND_MACHINE;

	if (targets || (!b->target && !b->many && !machine)) {
		scry_buf_puts(out, "\tfile\n");
		offer_processes(out, word);
	}
	if (!b->command)
		offer_commands(out, word);
	else
		offer_names(out, word, b);
}

void scry_complete(char **words, int count, struct scry_buf *out)
{
	const char *word = count ? words[count - 1] : "", *equals = strchr(word, '=');
	struct before b = { 0 };

	for (int i = 0; i < count - 1; i++)
		take(&b, words[i]);
	if (b.pending) {
		offer_value(out, word, b.pending);
	} else if (!strncmp(word, "--", 2) && equals) {
		const struct scry_flag *flag = flag_of(&b, word);

		if (flag && flag->value)
			offer_value(out, equals + 1, flag);
	} else if (*word == '-') {
		const struct scry_command_row *row = row_of(b.command);

		offer_flags(out, word, row ? row->flags : NULL);
		offer_flags(out, word, scry_session_flags);
		offer_flags(out, word, scry_common_flags);
	} else {
		offer_words(out, word, &b);
	}
}
