/* A command's line: words, options, help. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "command/command.h"

bool scry_parse_number(const char *text, uint64_t *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10);
	return !errno && !*end;
}

/*
 * Unquote the word at `text` in place and return what follows it; *ret_open where a quote is not
 * closed.
 */
static char *unquote(char *text, bool *ret_open)
{
	char *to = text, *end, quote = 0;

	for (; *text && (quote || !strchr(" \t\n", *text)); text++) {
		if (!quote && (*text == '\'' || *text == '"'))
			quote = *text;
		else if (*text == quote)
			quote = 0;
		else if (*text == '\\' && text[1] && quote != '\'')
			*to++ = *++text;
		else
			*to++ = *text;
	}
	end = *text ? text + 1 : text;
	*to = 0;
	*ret_open = quote != 0;
	return end;
}

int scry_split(struct scry_call *call)
{
	struct scry_arena *arena = &call->s->arena;
	size_t len = strlen(call->line), max = len / 2 + 2;
	char *copy = scry_arena_text(arena, call->line, len), *begin = copy;
	bool open = false;

	call->argv = scry_arena_alloc(arena, max * sizeof(*call->argv));
	call->at = scry_arena_alloc(arena, max * sizeof(*call->at));
	if (!copy || !call->argv || !call->at)
		return scry_fail(call->s, SCRY_ENOMEM, 0, "out of memory");
	while (*(copy += strspn(copy, " \t\n"))) {
		call->at[call->argc] = call->line + (copy - begin);
		call->argv[call->argc++] = copy;
		copy = unquote(copy, &open);
	}
	if (open && !(call->row->public.flags & SCRY_COMMAND_RAW))
		return scry_fail(call->s, SCRY_EINVAL, 0, "a quote is not closed in: %.200s",
				 call->line);
	return SCRY_OK;
}

/* What every command takes. */
enum common {
	OPT_VERBOSE,
	OPT_JSON,
	OPT_LOCALS,
	OPT_LIMIT,
	OPT_ITEMS,
	OPT_DEPTH,
	OPT_STRING,
	OPT_TEXT,
	OPT_THREAD,
	OPT_FRAME,
	OPT_COLOR,
	OPT_HELP
};

const struct scry_flag scry_common_flags[] = {
	[OPT_VERBOSE] = { "verbose", 'v', NULL, "addresses, calls from C, kinds of frames" },
	[OPT_JSON] = { "json", 0, NULL, "JSON in place of text" },
	[OPT_LOCALS] = { "locals", 0, NULL, "show or include local variables" },
	[OPT_LIMIT] = { "limit", 0, "N", "show at most N frames of one stack" },
	[OPT_ITEMS] = { "max-items", 0, "N", "show at most N items of one container" },
	[OPT_DEPTH] = { "max-depth", 0, "N", "show containers at most N levels deep" },
	[OPT_STRING] = { "max-string", 0, "N", "show at most N characters of one string" },
	[OPT_TEXT] = { "max-text", 0, "N", "show at most N bytes of one value" },
	[OPT_THREAD] = { "thread", 't', "THREAD", "act on this thread: its id, index or name" },
	[OPT_FRAME] = { "frame", 0, "N", "act on this frame, 0 being the newest" },
	[OPT_COLOR] = { "color", 0, "WHEN", "always, never, or auto: on a terminal",
			"always never auto" },
	[OPT_HELP] = { "help", 'h', NULL, "this text" },
	{ NULL },
};

static int set_limit(struct scry_call *call, const char *name, const char *value)
{
	static const struct {
		const char *name;
		enum scry_limit limit;
	} limits[] = {
		{ "limit", SCRY_LIMIT_FRAMES },    { "max-items", SCRY_LIMIT_ITEMS },
		{ "max-depth", SCRY_LIMIT_DEPTH }, { "max-string", SCRY_LIMIT_STRING },
		{ "max-text", SCRY_LIMIT_TEXT },
	};
	uint64_t n;

	if (!scry_parse_number(value, &n))
		return scry_fail(call->s, SCRY_EINVAL, 0, "--%s wants a number, not '%s'", name,
				 value);
	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		if (!strcmp(name, limits[i].name))
			call->s->options.limit[limits[i].limit] = n;
	return SCRY_OK;
}

static int set_common(struct scry_call *call, enum common option, const char *value)
{
	switch (option) {
	case OPT_VERBOSE:
		call->verbose = true;
		return SCRY_OK;
	case OPT_JSON:
		call->s->options.json = true;
		return SCRY_OK;
	case OPT_LOCALS:
		call->s->options.locals = true;
		return SCRY_OK;
	case OPT_THREAD:
		call->thread = value;
		return SCRY_OK;
	case OPT_FRAME:
		call->frame = value;
		return SCRY_OK;
	case OPT_COLOR:
		if (strcmp(value, "always") && strcmp(value, "never") && strcmp(value, "auto"))
			return scry_fail(call->s, SCRY_EINVAL, 0,
					 "--color wants always, never or auto, not '%s'", value);
		if (strcmp(value, "auto"))
			call->s->options.color = !strcmp(value, "always");
		return SCRY_OK;
	case OPT_HELP:
		call->help = true;
		return SCRY_OK;
	default:
		return set_limit(call, scry_common_flags[option].name, value);
	}
}

static int find_flag(const struct scry_flag *flags, const char *name, size_t len, char letter)
{
	for (int i = 0; flags && flags[i].name; i++)
		if (name ? strlen(flags[i].name) == len && !memcmp(flags[i].name, name, len)
			 : flags[i].letter == letter)
			return i;
	return -1;
}

static int fail_unknown(struct scry_call *call, const char *word)
{
	const struct scry_flag *const lists[] = { call->row->flags, scry_common_flags };
	const char *prefix = call->s->options.prefix, *name = call->row->public.name;
	struct scry_nearest near = scry_nearest_to(word + strspn(word, "-"));

	for (size_t i = 0; word[1] == '-' && i < 2; i++)
		for (const struct scry_flag *f = lists[i]; f && f->name; f++)
			scry_nearest_consider(&near, f->name);
	return scry_fail(call->s, SCRY_EINVAL, 0, "%s%s has no option '%s'%s%s%s (try %s%s --help)",
			 prefix, name, word, *near.best ? "; did you mean --" : "", near.best,
			 *near.best ? "?" : "", prefix, name);
}

/*
 * The option `name` (or `letter`), whose value is `value` or the next word. *at is the word it
 * is in.
 */
static int take_option(struct scry_call *call, const char *name, size_t len, char letter,
		       const char *value, int *at)
{
	int own = find_flag(call->row->flags, name, len, letter);
	int common = own < 0 ? find_flag(scry_common_flags, name, len, letter) : -1;
	const char *word = call->argv[*at];

	if (own < 0 && common < 0)
		return fail_unknown(call, word);
	const struct scry_flag *flag =
		own >= 0 ? &call->row->flags[own] : &scry_common_flags[common];

	if (!flag->value && value)
		return scry_fail(call->s, SCRY_EINVAL, 0, "--%s takes no value", flag->name);
	if (flag->value && !value && *at + 1 < call->argc)
		value = call->argv[++*at];
	if (flag->value && !value)
		return scry_fail(call->s, SCRY_EINVAL, 0, "--%s needs a value: %s", flag->name,
				 flag->value);
	if (own < 0)
		return set_common(call, (enum common)common, value);
	call->flag[own] = value ? value : "";
	return SCRY_OK;
}

static int take_word(struct scry_call *call, int *at)
{
	const char *word = call->argv[*at];
	int rc = SCRY_OK;

	if (word[1] == '-') {
		const char *equals = strchr(word, '=');
		size_t len = equals ? (size_t)(equals - word) - 2 : strlen(word + 2);

		return take_option(call, word + 2, len, 0, equals ? equals + 1 : NULL, at);
	}
	for (int first = *at; *++word && rc == SCRY_OK && *at == first;)
		rc = take_option(call, NULL, 0, *word, NULL, at);
	return rc;
}

static bool is_known(const struct scry_call *call, const char *word)
{
	size_t len = strcspn(word + 2, "=");

	return !strncmp(word, "--", 2) && len &&
	       (find_flag(call->row->flags, word + 2, len, 0) >= 0 ||
		find_flag(scry_common_flags, word + 2, len, 0) >= 0);
}

/*
 * The rest of the line as the one argument, without white space at its end, and without options
 * that are known ("print x --max-items 9"), but after "--".
 */
static int keep_raw(struct scry_call *call, int first, bool ended)
{
	size_t len = strlen(call->at[first]);
	int rc = SCRY_OK;

	for (int i = first + 1; !ended && i < call->argc && rc >= 0; i++) {
		if (!is_known(call, call->argv[i]))
			continue;
		if (call->at[i] < call->at[first] + len)
			len = (size_t)(call->at[i] - call->at[first]);
		rc = take_word(call, &i);
	}
	if (rc < 0)
		return rc;
	while (len && strchr(" \t\n", call->at[first][len - 1]))
		len--;
	call->argv[0] = scry_arena_text(&call->s->arena, call->at[first], len);
	call->argc = 1;
	return call->argv[0] ? SCRY_OK : scry_fail(call->s, SCRY_ENOMEM, 0, "out of memory");
}

int scry_parse_options(struct scry_call *call)
{
	bool raw = call->row->public.flags & SCRY_COMMAND_RAW, ended = false;
	int kept = 0, rc;

	for (int i = 0; i < call->argc; i++) {
		const char *word = call->argv[i];

		if (!ended && !strcmp(word, "--")) {
			ended = true;
		} else if (ended || word[0] != '-' || !word[1]) {
			if (raw)
				return keep_raw(call, i, ended);
			call->argv[kept++] = call->argv[i];
		} else if ((rc = take_word(call, &i)) < 0) {
			return rc;
		}
	}
	call->argc = kept;
	if (!call->help && kept > call->row->max_args)
		return scry_fail(call->s, SCRY_EINVAL, 0, "unexpected argument '%s'; usage: %s %s",
				 call->argv[call->row->max_args], call->row->public.name,
				 call->row->public.usage);
	return SCRY_OK;
}

const char *scry_call_flag(const struct scry_call *call, const char *name)
{
	int i = find_flag(call->row->flags, name, strlen(name), 0);

	return i < 0 ? NULL : call->flag[i];
}

void scry_put_flags(struct scry_buf *out, const struct scry_flag *flags)
{
	for (; flags && flags->name; flags++) {
		char left[64], letter[5] = "    ";

		if (flags->letter)
			snprintf(letter, sizeof(letter), "-%c, ", flags->letter);
		snprintf(left, sizeof(left), "%s--%s%s%s", letter, flags->name,
			 flags->value ? " " : "", flags->value ? flags->value : "");
		scry_buf_printf(out, "  %-27s %s\n", left, flags->help);
	}
}

void scry_put_usage(struct scry_call *call)
{
	const struct scry_command *c = &call->row->public;
	const char *prefix = call->s->options.prefix;

	scry_buf_printf(call->out, "usage: %s%s%s%s\n\n%s\n", prefix, c->name, *c->usage ? " " : "",
			c->usage, c->summary);
	if (*c->help)
		scry_buf_printf(call->out, "\n%s\n", c->help);
	if (call->row->flags)
		scry_buf_puts(call->out, "\nOptions:\n");
	scry_put_flags(call->out, call->row->flags);
	scry_buf_puts(call->out, "\nOptions of every command:\n");
	scry_put_flags(call->out, scry_common_flags);
}

void scry_complete_options(const struct scry_command_row *row, const char *word,
			   struct scry_buf *out)
{
	const struct scry_flag *const lists[] = { row->flags, scry_common_flags };

	for (size_t i = 0; i < 2 && word[0] == '-'; i++)
		for (const struct scry_flag *flag = lists[i]; flag && flag->name; flag++)
			if (!strncmp(word, "--", strnlen(word, 2)) &&
			    (!word[1] || !strncmp(flag->name, word + 2, strlen(word + 2))))
				scry_buf_printf(out, "--%s\n", flag->name);
}

void scry_offer(struct scry_buf *out, const char *word, const char *name)
{
	if (!*name || strncmp(name, word, strlen(word)) || strpbrk(name, " \t\r\n\f\v"))
		return;
	scry_put_safe(out, name);
	scry_buf_putc(out, '\n');
}
