/*
 * What commands say, by their descriptions: a line "PATH KIND" for each key, "[]" for an element
 * and "{}" for a value of a map, with '-' before keys that only text has. And the phrases: a line
 * "! FACTS KEY" for each key that a phrase names and nobody has.
 */
#include <stdio.h>
#include <string.h>

#include "command/command.h"

#define DEPTH 12

static const char *const kinds[] = {
	[SCRY_SAY_TEXT] = "text",   [SCRY_SAY_CHARS] = "text",    [SCRY_SAY_BOOL] = "boolean",
	[SCRY_SAY_INT] = "integer", [SCRY_SAY_COUNT] = "integer", [SCRY_SAY_ADDR] = "address",
	[SCRY_SAY_ID] = "address",  [SCRY_SAY_NAME] = "text",     [SCRY_SAY_FACTS] = "object",
	[SCRY_SAY_AT] = "object",   [SCRY_SAY_ADDRS] = "array",   [SCRY_SAY_POINTER] = "object",
	[SCRY_SAY_GET] = "any",     [SCRY_SAY_PRINT] = "text",    [SCRY_SAY_LIST] = "array",
	[SCRY_SAY_MAP] = "map",     [SCRY_SAY_VIEW] = "view",     [SCRY_SAY_VIEWS] = "view",
};

static bool has_key(const struct scry_facts *facts, const char *key, size_t len, unsigned depth)
{
	for (const struct scry_say *f = facts->fields; f->key && depth < DEPTH; f++) {
		if (f->key[0] && strlen(f->key) == len && !memcmp(f->key, key, len))
			return true;
		if (!f->key[0] && f->facts && has_key(f->facts, key, len, depth + 1))
			return true;
		for (size_t i = 0; !f->key[0] && f->of && f->of[i]; i++)
			if (has_key(f->of[i], key, len, depth + 1))
				return true;
	}
	return false;
}

static void check_phrases(const struct scry_facts *facts, const char *const *phrases)
{
	for (; phrases && *phrases; phrases++)
		for (const char *at = *phrases; (at = strchr(at, '{'));) {
			at += strspn(at, "{?!");
			size_t len = strcspn(at, ",+%:=}");

			if (len && strncmp(at, "-v", len) && !has_key(facts, at, len, 0))
				printf("! %s %.*s\n", facts->name, (int)len, at);
		}
}

static void describe(const struct scry_facts *facts, const char *path, unsigned depth);

/*
 * What stands below a key. Bare facts are their first field's value, those of a map their second
 * one's: either may have keys of its own.
 */
static void describe_elements(const struct scry_facts *facts, bool map, const char *path,
			      unsigned depth)
{
	const struct scry_say *value = &facts->fields[map];
	char below[400];

	if (!map && !facts->bare) {
		describe(facts, path, depth);
		return;
	}
	check_phrases(facts, facts->text);
	if (!value->facts)
		return;
	snprintf(below, sizeof(below), "%s%s", path, value->how == SCRY_SAY_MAP ? "{}" : "");
	if (value->how == SCRY_SAY_MAP)
		printf("%s map\n", below);
	describe_elements(value->facts, value->how == SCRY_SAY_MAP, below, depth + 1);
}

static void describe_field(const struct scry_facts *facts, const struct scry_say *f,
			   const char *path, unsigned depth)
{
	const char *end = f->how == SCRY_SAY_MAP                                ? "{}"
			  : f->how == SCRY_SAY_LIST || f->how == SCRY_SAY_ADDRS ? "[]"
										: "";
	char below[400];

	if (f->how == SCRY_SAY_VIEW)
		check_phrases(facts, f->names);
	for (unsigned i = 0; i < f->view_count; i++)
		check_phrases(facts, f->views[i]);
	if (!f->key[0]) {
		if (f->facts)
			describe(f->facts, path, depth + 1);
		for (size_t i = 0; f->of && f->of[i]; i++)
			describe(f->of[i], path, depth + 1);
		return;
	}
	snprintf(below, sizeof(below), "%s%s%s%s", path, *path ? "." : "", f->key, end);
	bool nested = f->how == SCRY_SAY_GET && f->facts;
	bool maps = f->facts && f->facts->bare && f->facts->fields->how == SCRY_SAY_MAP;
	if (!maps) /* else its line is that of its elements */
		printf("%s%s %s\n", f->flags & SCRY_SAY_TEXT_ONLY ? "-" : "", below,
		       nested ? "object" : kinds[f->how]);
	if (f->facts && !(f->flags & SCRY_SAY_TEXT_ONLY))
		describe_elements(f->facts, f->how == SCRY_SAY_MAP, below, depth + 1);
	for (size_t i = 0; f->of && f->of[i]; i++)
		describe(f->of[i], below, depth + 1);
}

/* An exception has exceptions in it: what is within itself is described once. */
static void describe(const struct scry_facts *facts, const char *path, unsigned depth)
{
	static const struct scry_facts *open[DEPTH + 1];

	for (unsigned i = 0; i < depth; i++)
		if (open[i] == facts)
			return;
	if (depth > DEPTH)
		return;
	for (unsigned i = depth; i <= DEPTH; i++)
		open[i] = NULL;
	open[depth] = facts;
	check_phrases(facts, facts->text);
	for (const struct scry_say *f = facts->fields; f->key; f++)
		describe_field(facts, f, path, depth);
	open[depth] = NULL;
}

int main(void)
{
	describe(&scry_facts_head, "", 0);
	puts("threads[] array");
	describe(&scry_facts_thread_stack, "threads[]", 0);
	for (const struct scry_command_row *const *row = scry_command_rows; *row; row++)
		for (size_t i = 0; (*row)->says && (*row)->says[i]; i++)
			describe((*row)->says[i], "", 0);
	return 0;
}
