/*
 * Finding the interpreters of a target: a table of finders, a list of candidates, and validation.
 */
#include "runtime/find.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define COOKIE "xdebugpy" /* _Py_Debug_Cookie, Include/internal/pycore_debug_offsets.h, 3.13+ */

static const struct scry_finder finders[] = {
	{ "symbol", scry_find_by_symbol },
	{ "section .PyRuntime", scry_find_by_section },
	{ "accessor PyInterpreterState_Head", scry_find_by_accessor },
	{ "PyPy's list of types", scry_find_pypy },
	{ "cookie", scry_find_by_cookie, true },
	{ "scan", scry_find_by_scan, true },
	{ NULL, NULL, false },
};

struct scry_module *scry_search_module(struct scry_search *search, struct scry_module *m)
{
	for (m = m ? m->next : scry_module_first(search->s); m; m = m->next)
		if (scry_module_is_python(m) != search->all)
			return m;
	return NULL;
}

bool scry_module_owns(const struct scry_module *m, const struct scry_map *map)
{
	return (map->flags & SCRY_MAP_WRITE) && map->start >= m->start && map->start < m->end;
}

static scry_addr find_cookie(struct scry_session *s, const struct scry_roots *roots)
{
	char cookie[8];

	if (!roots->runtime || scry_read_some(s, roots->runtime, cookie, 8) != 8 ||
	    memcmp(cookie, COOKIE, 8))
		return 0;
	return roots->runtime;
}

static bool is_known(struct scry_search *search, const struct scry_roots *roots)
{
	for (struct scry_runtime *r = search->s->runtimes; r; r = r->next)
		if ((roots->runtime && r->roots.runtime == roots->runtime) ||
		    (roots->interp_head && r->roots.interp_head == roots->interp_head))
			return true;
	return false;
}

static void name_version(struct scry_runtime *r)
{
	static const char *const levels[16] = { [0xa] = "a", [0xb] = "b", [0xc] = "rc" };
	uint32_t v = r->version;
	const char *level = levels[v >> 4 & 15];

	if (level)
		snprintf(r->version_text, sizeof(r->version_text), "%u.%u.%u%s%u",
			 SCRY_VERSION_MAJOR(v), SCRY_VERSION_MINOR(v), SCRY_VERSION_MICRO(v), level,
			 v & 15);
	else if ((v & 0xffff) == 0)
		snprintf(r->version_text, sizeof(r->version_text), "%u.%u", SCRY_VERSION_MAJOR(v),
			 SCRY_VERSION_MINOR(v));
	else
		snprintf(r->version_text, sizeof(r->version_text), "%u.%u.%u",
			 SCRY_VERSION_MAJOR(v), SCRY_VERSION_MINOR(v), SCRY_VERSION_MICRO(v));
}

/* One try with one idea of how it was built. */
static int build(struct scry_search *search, struct scry_runtime *r,
		 const struct scry_flavour *flavour)
{
	struct scry_layout_hints hints = { .flavour = *flavour,
					   .module = r->module,
					   .debug_offsets = r->roots.debug_offsets,
					   .choice = search->s->options.layout };
	int rc = scry_layout_resolve(search->s, &hints, &r->layout);

	if (rc < 0)
		return rc;
	r->version = r->layout->flavour.version;
	r->name = flavour->stackless ? "Stackless" : "CPython";
	r->strategy = scry_strategy_for(r->version);
	/*
	 * the two lowest bits of a stack reference: Include/internal/pycore_stackref.h, 3.14; 3.13t
	 * deferred ones
	 */
	r->tag_mask = scry_trait(r, SCRY_TRAIT_TAGGED_REFERENCES) ? 3 : 0;
	memset(r->span, 0, sizeof(r->span));
	scry_hash_done(&r->names);
	r->object_state = NULL;
	name_version(r);
	rc = scry_interps_load(r);
	if (rc == SCRY_OK)
		scry_layout_confirm(r);
	return rc;
}

static bool try_flavours(struct scry_search *search, struct scry_runtime *r,
			 struct scry_flavour *flavour)
{
	static const struct {
		bool debug, trace_refs;
	} others[] = { { false, false }, { true, false }, { true, true } };
	char first[sizeof(search->s->error.text)];

	if (build(search, r, flavour) == SCRY_OK)
		return true;
	memcpy(first, search->s->error.text, sizeof(first));
	scry_addr at = search->s->error.addr;
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		if (others[i].debug == flavour->debug &&
		    others[i].trace_refs == flavour->trace_refs)
			continue;
		struct scry_flavour other = *flavour;

		other.debug = others[i].debug;
		other.trace_refs = others[i].trace_refs;
		if (build(search, r, &other) == SCRY_OK)
			return true;
	}
	scry_fail(search->s, SCRY_ECORRUPT, at, "%s", first);
	return false;
}

/* The versions to try where the target names none: from the newest, each once. */
static bool try_versions(struct scry_search *search, struct scry_runtime *r,
			 struct scry_flavour *flavour)
{
	static const uint8_t minors[] = { 12, 11, 10, 9, 8, 7, 6, 5, 4, 3 };

	if (flavour->version || r->roots.debug_offsets)
		return try_flavours(search, r, flavour);
	for (size_t i = 0; i < sizeof(minors); i++) {
		flavour->version = SCRY_VERSION_OF(3, minors[i]);
		if (build(search, r, flavour) == SCRY_OK) {
			scry_note(
				search->s,
				"the version of Python is a guess: nothing in the target names it");
			return true;
		}
	}
	flavour->version = SCRY_VERSION_OF(2, 7);
	return build(search, r, flavour) == SCRY_OK;
}

/*
 * Does a symbol or section say that here is the list of interpreters, and is nothing in it? What a
 * scan found proves nothing.
 */
static bool is_empty(struct scry_runtime *r)
{
	scry_addr head = 1;

	if (!r->module || r->strict || !r->layout)
		return false;
	scry_addr at = r->roots.runtime
			       ? scry_field_addr(r, r->roots.runtime, SCRY_F_RUNTIME_INTERP_HEAD)
			       : r->roots.interp_head;

	if (!at)
		return false;
	/* a module's variables that nobody wrote to are not in a core: they are 0 */
	if (scry_read_ptr(r->session, at, &head) < 0)
		return scry_target_hole(r->session->target, at) == SCRY_HOLE_UNTOUCHED;
	return !head;
}

static void add_dormant(struct scry_session *s, struct scry_runtime *r)
{
	struct scry_dormant *dormant = s->dormant;

	while (dormant && dormant->module != r->module)
		dormant = dormant->next;
	if (dormant || !(dormant = scry_arena_alloc(&s->arena, sizeof(*dormant))))
		return;
	*dormant = (struct scry_dormant) {
		.next = s->dormant,
		.name = r->name,
		.version_text = scry_arena_printf(&s->arena, "%s", r->version_text),
		.module = r->module,
		.phase = scry_phase_of_empty(r),
	};
	s->dormant = dormant;
}

struct scry_dormant *scry_dormant_first(struct scry_session *s)
{
	return s->dormant;
}

bool scry_search_try(struct scry_search *search, struct scry_module *m,
		     const struct scry_roots *roots)
{
	struct scry_session *s = search->s;

	if (is_known(search, roots))
		return true;
	search->tried++;
	struct scry_runtime *r = scry_arena_alloc(&s->arena, sizeof(*r));
	if (!r)
		return false;
	*r = (struct scry_runtime) { .session = s,
				     .finder = search->finder,
				     .module = m,
				     .roots = *roots,
				     .strict = search->strict };
	r->roots.debug_offsets = find_cookie(s, roots);
	struct scry_flavour flavour = { 0 };

	scry_flavour_detect(s, m, &r->roots, &flavour);
	if (!try_versions(search, r, &flavour)) {
		/* of a root that a symbol names; what is found by chance may be anything */
		if (m && !r->strict && !search->hole && scry_target_hole(s->target, s->error.addr))
			search->hole = scry_arena_printf(&s->arena, "%s", s->error.text);
		if (is_empty(r))
			add_dormant(s, r);
		scry_hash_done(&r->names);
		return false;
	}
	scry_width_learn(r);
	scry_gil_load(r);
	scry_phases_load(r);
	*search->tail = r;
	search->tail = &r->next;
	search->found++;
	return true;
}

/* The files that could have told, and how to give them. */
static void explain_missing(struct scry_session *s)
{
	struct scry_buf missing = SCRY_BUF_INIT;

	if (s->target->ops->probe && scry_modules_missing(s, true, &missing) && missing.text) {
		for (char *line = missing.text, *end; (end = strchr(line, '\n')); line = end + 1)
			scry_note(s, "missing: %.*s", (int)(end - line), line);
		scry_note(s, "missing files can be given: the executable (exe), a directory like "
			     "the target's root "
			     "(sysroot), or the output of nm (symbols)");
	}
	scry_buf_done(&missing);
}

static void explain_nothing(struct scry_search *search)
{
	struct scry_session *s = search->s;

	if (s->dormant) {
		scry_fail(s, SCRY_ENOTFOUND, 0, "Python %s is loaded, but %s%s",
			  s->dormant->version_text,
			  s->dormant->phase == SCRY_PHASE_FINALIZED ? "it has been " : "",
			  scry_phase_names[s->dormant->phase]);
		return;
	}
	if (search->tried)
		s->unread = scry_arena_printf(&s->arena, "%s",
					      search->hole ? search->hole : s->error.text);
	if (search->hole)
		scry_note(s, "a Python is there, but its memory is not: %s", search->hole);
	else if (search->tried)
		scry_note(s, "something like a Python was found, but it makes no sense: %s",
			  s->error.text);
	else
		scry_note(s, "no Python interpreter was found in the target");
	explain_missing(s);
	if (s->target->advice)
		scry_note(s, "%s", s->target->advice);
	/* not whatever the last candidate failed with */
	scry_fail(s, SCRY_ENOTFOUND, 0, "no thread has Python state");
}

struct scry_runtime *scry_runtime_first(struct scry_session *s)
{
	if (s->runtimes_done || !s->target)
		return s->runtimes;
	s->runtimes_done = true;
	s->notes_before_search = s->notes_end;
	struct scry_search search = { .s = s, .tail = &s->runtimes };

	for (int round = 0; round < 2 && !search.found; round++) {
		search.all = round == 1;
		/* one that has no interpreter is an answer: what a scan finds then is chance */
		for (const struct scry_finder *f = finders;
		     f->name && !search.found && !((s->dormant || search.hole) && f->by_chance);
		     f++) {
			search.finder = f->name;
			f->find(&search);
		}
	}
	if (!search.found)
		explain_nothing(&search);
	return s->runtimes;
}

void scry_runtimes_done(struct scry_session *s)
{
	for (struct scry_runtime *r = s->runtimes; r; r = r->next) {
		scry_hash_done(&r->codes);
		scry_hash_done(&r->names);
		if (r->strategy->done)
			r->strategy->done(r);
		if (r->heap_state)
			r->heap_done(r->heap_state);
		r->heap_state = NULL;
	}
	s->runtimes = NULL;
	s->runtimes_done = false;
}

void scry_runtimes_search_again(struct scry_session *s)
{
	s->runtimes_done = false;
	s->dormant = NULL;
	s->unread = NULL;
	s->notes_end = s->notes_before_search;
	if (s->notes_end)
		*s->notes_end = NULL;
	else
		s->notes = NULL;
	scry_runtime_first(s);
}

void scry_runtimes_reload(struct scry_session *s)
{
	for (struct scry_runtime *r = s->runtimes; r; r = r->next) {
		/* it ran meanwhile: what was looked up is of before */
		scry_hash_done(&r->names);
		r->object_state = NULL;
		if (r->strategy->reload) {
			r->strategy->reload(r);
		} else if (scry_interps_load(r) == SCRY_OK) {
			scry_gil_load(r);
			scry_phases_load(r);
		}
	}
}
