/* The options of the command line, and whose one is. */
#include "flags.h"

#include <string.h>

const struct scry_flag scry_session_flags[] = {
	{ "exe", 0, "FILE", "the program that dumped core, if it moved" },
	{ "sysroot", 0, "DIR", "directory that stands for the target's /" },
	{ "search", 0, "DIR", "look for programs, libraries and DLLs here" },
	{ "symbols", 0, "DIR", "symbol maps DIR/MODULE.nm, as nm prints them" },
	{ "source-map", 0, "FROM=TO", "sources under FROM are here under TO; repeatable" },
	{ "layout", 0, "SOURCE", "use only offsets, dwarf, members or rows",
	  "offsets dwarf members rows" },
	{ "debuginfod", 0, NULL, "ask $DEBUGINFOD_URLS for missing files" },
	{ "hold", 0, "SECONDS", "stop a live process for at most so long (0.5)" },
	{ "no-stop", 0, NULL, "never stop a live process: read each stack until it is the same" },
	{ "untrusted", 0, NULL, "open no file that only the target names, ask no server" },
	{ "pid", 'p', "PID", "the process to look at, as TARGET" },
	{ "core", 'c', "FILE", "the core file or minidump to look at, as TARGET" },
	{ "children", 0, "PID", "this process and all its descendants, as TARGETs" },
	{ "name", 0, "REGEX", "every Python whose command line matches, as TARGETs" },
	{ "jobs", 0, "N", "of many targets, read so many at once (the processors)" },
	{ "timeout", 0, "SECONDS", "of many targets, give one up after so long (30)" },
	{ "version", 'V', NULL, "print pyscry's version" },
	{ NULL },
};

const struct scry_command *scry_cli_command(const char *name)
{
	const struct scry_command *c;

	if (name && !strncmp(name, "py-", 3))
		name += 3;
	for (unsigned i = 0; name && (c = scry_command_at(i)); i++)
		if (!strcmp(c->name, name))
			return c;
	return NULL;
}

const struct scry_flag *scry_cli_flag(const struct scry_flag *flags, const char *word)
{
	size_t len = strcspn(word + 2, "=");

	for (; flags && flags->name; flags++)
		if (word[1] == '-'
			    ? strlen(flags->name) == len && !memcmp(flags->name, word + 2, len)
			    : flags->letter && flags->letter == word[1] && !word[2])
			return flags;
	return NULL;
}

const struct scry_flag *scry_cli_flag_of(const char *command, const char *word)
{
	const struct scry_command *c = scry_cli_command(command);

	for (unsigned i = 0; c && scry_command_rows[i]; i++)
		if (&scry_command_rows[i]->public == c)
			return scry_cli_flag(scry_command_rows[i]->flags, word);
	return NULL;
}

bool scry_cli_is_flag(const char *word)
{
	for (unsigned i = 0; scry_command_rows[i]; i++)
		if (scry_cli_flag(scry_command_rows[i]->flags, word))
			return true;
	return false;
}
