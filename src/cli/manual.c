/* man(7) of the command table: what --help says, as pages. The same bytes at each build. */
#include "manual.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "flags.h"
#include "help.h"

/* Text of a line: nothing in it is a request, and a '-' is one that can be copied. */
static void put_text(struct scry_buf *out, const char *text, size_t len)
{
	if (len && (*text == '.' || *text == '\''))
		scry_buf_puts(out, "\\&");
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\\')
			scry_buf_puts(out, "\\e");
		else if (text[i] == '-')
			scry_buf_puts(out, "\\-");
		else
			scry_buf_putc(out, text[i]);
	}
}

static void put_words(struct scry_buf *out, const char *text)
{
	put_text(out, text, strlen(text));
}

/* Paragraphs; indented lines are kept as they are. */
static void put_paragraphs(struct scry_buf *out, const char *text)
{
	bool kept = false;

	for (const char *end; *text; text = *end ? end + 1 : end) {
		size_t len = strcspn(text, "\n");
		bool keep = *text == ' ' && len;

		end = text + len;
		if (keep != kept)
			scry_buf_puts(out, keep ? ".PP\n.nf\n" : ".fi\n");
		kept = keep;
		if (!len) {
			scry_buf_puts(out, ".PP\n");
			continue;
		}
		put_text(out, text, len);
		scry_buf_putc(out, '\n');
	}
	if (kept)
		scry_buf_puts(out, ".fi\n");
}

static void put_flags(struct scry_buf *out, const struct scry_flag *flags)
{
	for (; flags && flags->name; flags++) {
		scry_buf_puts(out, ".TP\n");
		if (flags->letter)
			scry_buf_printf(out, "\\fB\\-%c\\fR, ", flags->letter);
		scry_buf_puts(out, "\\fB\\-\\-");
		put_words(out, flags->name);
		scry_buf_puts(out, "\\fR");
		if (flags->value)
			scry_buf_printf(out, " \\fI%s\\fR", flags->value);
		scry_buf_putc(out, '\n');
		put_words(out, flags->help);
		scry_buf_putc(out, '\n');
	}
}

static void put_head(struct scry_buf *out, const char *name, const char *summary)
{
	scry_buf_puts(out, ".\\\" generated from the command table\n.TH \"");
	for (; *name; name++)
		scry_buf_putc(out,
			      *name >= 'a' && *name <= 'z' ? (char)(*name - 'a' + 'A') : *name);
	scry_buf_printf(out, "\" 1 \"\" \"pyscry %s\" \"User Commands\"\n.SH NAME\n",
			scry_version());
	put_words(out, summary);
}

static void put_status(struct scry_buf *out)
{
	scry_buf_puts(out,
		      ".SH EXIT STATUS\n"
		      "0 all was shown, 1 a part (the reasons are on the error stream), 2 nothing "
		      "could be shown, or bad usage.\n");
}

/* "Show the stack." as what a command does: "show the stack" */
static void put_summary(struct scry_buf *out, const char *summary)
{
	size_t len = strlen(summary);
	char first = *summary;

	scry_buf_putc(out, first >= 'A' && first <= 'Z' ? (char)(first - 'A' + 'a') : first);
	put_text(out, summary + 1, len - 1 - (summary[len - 1] == '.'));
	scry_buf_putc(out, '\n');
}

static void put_command(struct scry_buf *out, const struct scry_command_row *row)
{
	const struct scry_command *c = &row->public;
	bool alone = c->flags & SCRY_COMMAND_MACHINE;
	char name[64];

	snprintf(name, sizeof(name), "pyscry-%s", c->name);
	put_head(out, name, name);
	scry_buf_puts(out, " \\- ");
	put_summary(out, c->summary);
	scry_buf_printf(out, ".SH SYNOPSIS\n.B pyscry\n%s\\fB", alone ? "" : "\\fITARGET\\fR ");
	put_words(out, c->name);
	scry_buf_puts(out, "\\fR ");
	put_words(out, c->usage);
	scry_buf_puts(out, "\n.PP\nIn GDB and LLDB:\n\\fBpy\\-");
	put_words(out, c->name);
	scry_buf_puts(out, "\\fR ");
	put_words(out, c->usage);
	scry_buf_puts(out, "\n.SH DESCRIPTION\n");
	put_words(out, c->summary);
	scry_buf_puts(out, "\n.PP\n");
	put_paragraphs(out, c->help);
	scry_buf_puts(out, ".SH OPTIONS\n");
	put_flags(out, row->flags);
	scry_buf_puts(out, ".SS Options of every command\n");
	put_flags(out, scry_common_flags);
	scry_buf_puts(out, ".PP\nWhat TARGET may be, and the options for finding files: "
			   "\\fBpyscry\\fR(1).\n");
	put_status(out);
	scry_buf_puts(out, ".SH SEE ALSO\n\\fBpyscry\\fR(1), \\fBgdb\\fR(1)\n");
}

static void put_commands(struct scry_buf *out)
{
	scry_buf_puts(out, ".SH COMMANDS\n");
	for (unsigned i = 0; scry_command_rows[i]; i++) {
		scry_buf_puts(out, ".TP\n\\fBpyscry\\-");
		put_words(out, scry_command_rows[i]->public.name);
		scry_buf_puts(out, "\\fR(1)\n");
		put_words(out, scry_command_rows[i]->public.summary);
		scry_buf_putc(out, '\n');
	}
}

static void put_program(struct scry_buf *out)
{
	put_head(out, "pyscry", "pyscry");
	scry_buf_puts(
		out,
		" \\- show what Python code a process runs, or ran when it died\n"
		".SH SYNOPSIS\n.B pyscry\n"
		"[\\fIOPTION\\fR...] \\fITARGET\\fR [\\fICOMMAND\\fR [\\fIARGUMENT\\fR...]]\n"
		".SH DESCRIPTION\n"
		"TARGET is an ELF core, a Windows minidump, either compressed or not, or the id of "
		"a live process. Without COMMAND all\n"
		"threads are shown. Options may stand before or after TARGET and COMMAND.\n"
		".SH EXAMPLES\n.nf\n");
	put_words(out, scry_help_examples);
	scry_buf_puts(out, ".fi\n");
	put_commands(out);
	scry_buf_puts(out, ".SH OPTIONS\n.SS Options for finding files\n");
	put_flags(out, scry_session_flags);
	scry_buf_puts(out, ".SS Options of every command\n");
	put_flags(out, scry_common_flags);
	put_status(out);
	scry_buf_puts(out, ".SH ENVIRONMENT\n"
			   ".TP\n\\fBNO_COLOR\\fR\nnot empty: no colours\n"
			   ".TP\n\\fBCLICOLOR_FORCE\\fR\nneither empty nor 0: colours, even where "
			   "output is not a terminal\n"
			   ".TP\n\\fBDEBUGINFOD_URLS\\fR\nservers that \\-\\-debuginfod asks\n"
			   ".SH FILES\n.TP\n\\fI/usr/share/pyscry/gdbinit\\fR, "
			   "\\fI/usr/share/pyscry/lldbinit\\fR\n"
			   "the same commands in GDB (\\fBsource\\fR) and LLDB (\\fBcommand "
			   "source\\fR), as \\fBpy\\-bt\\fR and so on\n"
			   ".SH SEE ALSO\n\\fBgdb\\fR(1), \\fBlldb\\fR(1), \\fBgcore\\fR(1), "
			   "\\fBcore\\fR(5)\n");
}

static int write_page(const char *directory, const char *name, const struct scry_buf *text)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%s.1", directory, name);
	FILE *file = fopen(path, "w");
	bool good = file && fwrite(text->text, 1, text->len, file) == text->len;

	if (file)
		good &= !fclose(file);
	if (good)
		return 0;
	fprintf(stderr, "pyscry: cannot write %s: %s\n", path, strerror(errno));
	return 2;
}

int scry_manual_write(const char *directory)
{
	SCRY_AUTO_BUF(text);
	char name[64];
	int status;

	put_program(&text);
	status = write_page(directory, "pyscry", &text);
	for (unsigned i = 0; scry_command_rows[i] && !status; i++) {
		scry_buf_cut(&text, 0);
		put_command(&text, scry_command_rows[i]);
		snprintf(name, sizeof(name), "pyscry-%s", scry_command_rows[i]->public.name);
		status = write_page(directory, name, &text);
	}
	return status;
}
