/* The session's public face: options, opening, refreshing. */
#include "base/session.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "api/api.h"
#include "native/native.h"
#include "target/target.h"

static const uint64_t default_limits[SCRY_LIMIT_COUNT] = {
	[SCRY_LIMIT_FRAMES] = 0, /* all, folded */
	[SCRY_LIMIT_TASKS] = 0,  /* all */
	[SCRY_LIMIT_ITEMS] = 32,    [SCRY_LIMIT_DEPTH] = 6,
	[SCRY_LIMIT_STRING] = 1024, [SCRY_LIMIT_TEXT] = 65536,
};

const char *scry_version(void)
{
	return SCRY_VERSION_TEXT;
}

unsigned scry_version_number(void)
{
	return SCRY_VERSION_NUMBER;
}

struct scry_session *scry_session_new(void)
{
	struct scry_session *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->options.prefix = "";
	s->options.hold_ms = 500;
	memcpy(s->options.limit, default_limits, sizeof(default_limits));
	return s;
}

/*
 * All that was decoded; the options and the target stay. Order matters: what was handed out and
 * unwound points into runtimes, those into modules, all of it into the arena.
 */
static void forget(struct scry_session *s)
{
	scry_api_forget(s);
	scry_native_close(s);
	scry_runtimes_done(s);
	scry_modules_close(s);
	s->runtimes = NULL;
	s->dormant = NULL;
	s->unread = NULL;
	s->modules = NULL;
	s->threads = s->selected = NULL;
	s->runtimes_done = s->modules_done = s->threads_done = false;
	s->selected_frame = 0;
	s->notes = NULL;
	s->notes_end = NULL;
	scry_arena_done(&s->arena);
}

void scry_session_free(struct scry_session *s)
{
	if (!s)
		return;
	forget(s);
	scry_target_close(s->target);
	scry_arena_done(&s->keep);
	scry_hash_done(&s->numbers);
	free(s);
}

/*
 * The generation is counted even where there is no target: handles from before are dead in any
 * case.
 */
void scry_session_refresh(struct scry_session *s)
{
	forget(s);
	s->generation++;
	if (s->target)
		scry_target_refresh(s->target);
}

uint64_t scry_session_generation(const struct scry_session *s)
{
	return s->generation;
}

/* --- options --- */

/* The index of `value` in `words` (ends with NULL), or -1. */
static int word_index(const char *const *words, const char *value)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], value))
			return i;
	return -1;
}

static int set_text(struct scry_session *s, const char **at, const char *value)
{
	char *copy = scry_arena_text(&s->keep, value, strlen(value));

	if (!copy)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	*at = copy;
	return SCRY_OK;
}

/* "never" and "always" for colour, as the command line has it: the even words are false. */
static int set_flag(struct scry_session *s, const char *name, const char *value, bool *at)
{
	static const char *const words[] = { "0", "1", "never", "always", NULL };
	int i = word_index(words, value);

	if (i < 0)
		return scry_fail(s, SCRY_EINVAL, 0, "option %s takes 0 or 1, not \"%s\"", name,
				 value);
	*at = i & 1;
	return SCRY_OK;
}

static int set_layout(struct scry_session *s, const char *value)
{
	static const char *const words[] = { "auto", "offsets", "dwarf", "members", "rows", NULL };
	int i = word_index(words, value);

	if (i < 0)
		return scry_fail(
			s, SCRY_EINVAL, 0,
			"option layout takes auto, offsets, dwarf, members or rows, not \"%s\"",
			value);
	s->options.layout = (enum scry_layout_choice)i;
	return SCRY_OK;
}

static int set_hold(struct scry_session *s, const char *value)
{
	char *end;
	double seconds = strtod(value, &end);

	if (end == value || *end || !(seconds >= 0.001 && seconds <= 3600))
		return scry_fail(s, SCRY_EINVAL, 0,
				 "option hold takes seconds, from 0.001 to 3600, not \"%s\"",
				 value);
	s->options.hold_ms = (unsigned)(seconds * 1000);
	return SCRY_OK;
}

static int add_source_map(struct scry_session *s, const char *value)
{
	const char *equals = strchr(value, '=');
	struct scry_source_map *map, **end = &s->options.source_maps;

	if (!equals || equals == value)
		return scry_fail(s, SCRY_EINVAL, 0, "option source-map takes FROM=TO, not \"%s\"",
				 value);
	map = scry_arena_alloc(&s->keep, sizeof(*map));
	if (!map)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	map->from = scry_arena_text(&s->keep, value, (size_t)(equals - value));
	map->to = scry_arena_text(&s->keep, equals + 1, strlen(equals + 1));
	if (!map->from || !map->to)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	while (*end)
		end = &(*end)->next;
	*end = map;
	return SCRY_OK;
}

/* Directories add up, in the order in which they are given: "one:two". */
static int add_search(struct scry_session *s, const char *value)
{
	const char *before = s->options.search;

	s->options.search = scry_arena_printf(&s->keep, "%s%s%s", before ? before : "",
					      before && *before ? ":" : "", value);
	return s->options.search ? SCRY_OK : scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
}

int scry_session_set(struct scry_session *s, const char *name, const char *value)
{
	struct scry_options *o = &s->options;
	const struct {
		const char *name;
		const char **at;
	} texts[] = { { "exe", &o->exe },
		      { "sysroot", &o->sysroot },
		      { "symbols", &o->symbols },
		      { "prefix", &o->prefix } };
	const struct {
		const char *name;
		bool *at;
	} flags[] = { { "debuginfod", &o->debuginfod }, { "untrusted", &o->untrusted },
		      { "color", &o->color },           { "json", &o->json },
		      { "locals", &o->locals },         { "interruptible", &o->interruptible },
		      { "no-stop", &o->no_stop } };

	if (!name || !value)
		return scry_fail(s, SCRY_EINVAL, 0, "an option needs a name and a value");
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		if (!strcmp(name, texts[i].name))
			return set_text(s, texts[i].at, value);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		if (!strcmp(name, flags[i].name))
			return set_flag(s, name, value, flags[i].at);
	if (!strcmp(name, "search"))
		return add_search(s, value);
	if (!strcmp(name, "layout"))
		return set_layout(s, value);
	if (!strcmp(name, "hold"))
		return set_hold(s, value);
	if (!strcmp(name, "source-map"))
		return add_source_map(s, value);
	return scry_fail(s, SCRY_EINVAL, 0, "no option is called \"%s\"", name);
}

/* A word that is written and nothing else: this may be a signal handler. */
void scry_session_stop(struct scry_session *s)
{
	s->stopped = 1;
}

void scry_session_set_limit(struct scry_session *s, enum scry_limit limit, uint64_t value)
{
	if ((unsigned)limit < SCRY_LIMIT_COUNT)
		s->options.limit[limit] = value;
}

/* --- opening --- */

/* One session, one target: what was decoded belongs to it. */
static int check_unopened(struct scry_session *s)
{
	return s->target ? scry_fail(s, SCRY_EINVAL, 0, "this session has a target already")
			 : SCRY_OK;
}

int scry_session_open_dump(struct scry_session *s, const char *path)
{
	int rc = check_unopened(s);

	return rc < 0 ? rc : scry_target_open_dump(s, path);
}

int scry_session_open_pid(struct scry_session *s, int pid)
{
	int rc = check_unopened(s);

	return rc < 0 ? rc : scry_target_open_pid(s, pid);
}

int scry_session_open_host(struct scry_session *s, const struct scry_host_ops *ops, void *arg,
			   int pid)
{
	int rc = check_unopened(s);

	if (rc < 0)
		return rc;
	/*
	 * a caller that was compiled with an older header has a smaller struct: what it does not
	 * know is NULL
	 */
	struct scry_host_ops lent = { 0 };
	if (ops && ops->size >= offsetof(struct scry_host_ops, thread))
		memcpy(&lent, ops, ops->size < sizeof(lent) ? ops->size : sizeof(lent));
	if (!lent.read)
		return scry_fail(s, SCRY_EINVAL, 0,
				 "a host must lend a way to read memory, and say its size");
	return scry_target_open_host(s, &lent, arg, pid);
}

int scry_session_number(struct scry_session *s, uint64_t tid, unsigned number)
{
	if (!tid || !number)
		return scry_fail(s, SCRY_EINVAL, 0, "a thread's id and number are above 0");
	if (!scry_hash_put(&s->numbers, tid, (void *)(uintptr_t)number))
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	if (number > s->highest_number)
		s->highest_number = number;
	scry_threads_number(s);
	return SCRY_OK;
}

/* Python's thread is looked up later, at the first question: choosing one costs nothing. */
int scry_session_select(struct scry_session *s, uint64_t tid)
{
	s->want_tid = tid;
	s->selected = NULL;
	s->selected_frame = 0;
	if (tid && s->target && s->target->thread_count && !scry_os_thread_find(s->target, tid))
		return scry_fail(s, SCRY_ENOTFOUND, 0, "the target has no thread %" PRIu64, tid);
	return SCRY_OK;
}

int scry_session_set_signal(struct scry_session *s, uint64_t tid, int signal,
			    const scry_addr *fault)
{
	struct scry_os_thread *os = s->target ? scry_os_thread_find(s->target, tid) : NULL;

	if (!os)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "the target has no thread %" PRIu64, tid);
	os->crashed = true;
	os->signal = signal;
	s->target->signal = signal;
	s->target->has_fault = fault;
	s->target->fault_addr = fault ? *fault : 0;
	for (struct scry_thread *t = s->threads; t; t = t->next)
		t->crashed = t->tid == tid;
	return SCRY_OK;
}
