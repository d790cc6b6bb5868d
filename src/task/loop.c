/*
 * Event loops of all libraries: one search over their lists and the heap, one order, and what their
 * tasks share.
 */
#include "task/loop.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "memory/gc.h"
#include "object/model.h"
#include "object/printer.h"
#include "task/asyncio.h"

/* some tenths of a second: where only loops without tasks are missing */
#define OBJECTS_LITTLE  500000
#define OBJECTS_MUCH    5000000 /* some seconds */
#define NAME_MAX_LENGTH 100000

static const struct scry_task_library *const libraries[] = {
	&scry_task_asyncio_library,
	&scry_task_trio_library,
	&scry_task_curio_library,
};
#define LIBRARIES (sizeof(libraries) / sizeof(*libraries))

/* --- attributes --- */

void scry_loop_note_set(struct scry_runtime *r, scry_addr set, int rc, uint64_t strangers,
			const char *words)
{
	if (strangers)
		scry_note(r->session, "%" PRIu64 " of the set of tasks at 0x%" PRIx64 " are %s",
			  strangers, set, words);
	if (rc < 0)
		scry_note(r->session, "the set of tasks at 0x%" PRIx64 " is damaged: %s", set,
			  r->session->error.text);
}

scry_addr scry_loop_attr(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr value;

	return !object || scry_attr(r, object, name, &value) < 0 || scry_is_none(r, value) ? 0
											   : value;
}

int64_t scry_loop_attr_int(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr value = scry_loop_attr(r, object, name);
	int64_t number = 0;

	return value && scry_int_value(r, value, &number) == SCRY_OK ? number : 0;
}

scry_addr scry_loop_module(struct scry_interp *interp, const char *name)
{
	scry_addr found;

	/* None: whoever imports it is told that it is not there */
	if (!interp->modules || scry_dict_get(interp->runtime, interp->modules, name, &found) < 0 ||
	    scry_is_none(interp->runtime, found))
		return 0;
	return found;
}

/* What the text of a C string cannot say: a name with NUL in it. */
static void long_name(struct scry_task *t, scry_addr name)
{
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_printer p;

	scry_printer_init(&p, t->runtime, &text);
	p.max_string = NAME_MAX_LENGTH;
	scry_print_str(&p, name);
	const char *copy =
		text.len ? scry_arena_text(&t->runtime->session->arena, text.text, text.len) : NULL;
	if (copy) {
		t->name = copy;
		t->name_size = text.len;
	}
	scry_buf_done(&text);
}

void scry_loop_name(struct scry_task *t, scry_addr name)
{
	struct scry_runtime *r = t->runtime;
	struct scry_text_view view;
	int64_t number;

	t->name = NULL;
	if (!name)
		return;
	if (scry_text_at(r, name, NAME_MAX_LENGTH, &t->name) == SCRY_OK) {
		if (scry_text_open(r, name, &view) == SCRY_OK && strlen(t->name) < view.length)
			long_name(t, name);
	} else if (scry_int_value(r, name, &number) == SCRY_OK) {
		t->name = scry_arena_printf(&r->session->arena, "Task-%" PRId64, number);
	} else {
		t->name = NULL;
	}
}

void scry_loop_get_loop(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, ((const struct scry_task *)subject)->loop);
}

void scry_loop_get_waits_for(const void *subject, struct scry_said *ret)
{
	const struct scry_task *t = subject;

	scry_said_value(ret, t, t->waits_for);
}

void scry_loop_get_parent(const void *subject, struct scry_said *ret)
{
	scry_said_id(ret, ((const struct scry_task *)subject)->parent);
}

/* --- loops --- */

struct scry_loop *scry_loop_at(struct scry_task_search *s, const struct scry_task_library *library,
			       scry_addr addr, bool *ret_new)
{
	struct scry_loop *loop = addr ? scry_hash_find(&s->loops->by_address, addr) : NULL;
	scry_addr type;

	if (ret_new)
		*ret_new = false;
	if (loop || !addr ||
	    (!scry_model_of(s->runtime)->suspended && scry_type_of(s->runtime, addr, &type) < 0))
		return loop;
	loop = scry_arena_alloc(&s->runtime->session->arena, sizeof(*loop));
	if (!loop || !scry_hash_put(&s->loops->by_address, addr, loop))
		return NULL;
	*loop = (struct scry_loop) {
		.library = library, .runtime = s->runtime, .interp = s->interp, .addr = addr
	};
	*s->loops->tail = loop;
	s->loops->tail = &loop->next;
	if (ret_new)
		*ret_new = true;
	return loop;
}

/* An OS thread may have a state in several interpreters. */
static void find_thread(struct scry_loop *loop)
{
	struct scry_thread *t =
		loop->thread_ident ? scry_thread_first(loop->runtime->session) : NULL;

	for (; t && !loop->thread; t = t->next)
		if (t->ident == loop->thread_ident && t->interp == loop->interp)
			loop->thread = t;
}

void scry_loop_has(struct scry_loop *loop, struct scry_task *t)
{
	if (!loop)
		return;
	loop->tasks++;
	t->thread = loop->thread;
	t->thread_ident = loop->thread_ident;
}

struct scry_task *scry_loop_task(struct scry_task_search *s, const struct scry_task_ops *ops,
				 scry_addr addr, size_t size)
{
	void *detail = scry_hash_find(&s->seen, addr)
			       ? NULL
			       : scry_arena_alloc(&s->runtime->session->arena, size);
	struct scry_task *t = detail ? scry_task_add(s->runtime, ops, addr, &s->tail) : NULL;

	if (!t)
		return NULL;
	memset(detail, 0, size);
	t->detail = detail;
	scry_hash_put(&s->seen, addr, t);
	return t;
}

/* --- the stack of the thread that runs a loop --- */

/*
 * By the module's name in the frame's globals: paths differ by system and by how the library was
 * installed.
 */
static bool is_in_module(const struct scry_frame *f, const char *module)
{
	scry_addr name;

	return f->code && f->globals &&
	       scry_dict_get(f->runtime, f->globals, "__name__", &name) == SCRY_OK &&
	       scry_text_is(f->runtime, name, module);
}

scry_addr scry_loop_local(struct scry_thread *t, const char *module, const char *name)
{
	struct scry_walk walk;
	struct scry_frame f;
	struct scry_local local;

	scry_walk_thread(&walk, t);
	while (scry_walk_next(&walk, &f) == SCRY_ITEM)
		for (unsigned it = 0; is_in_module(&f, module) &&
				      scry_frame_local_next(&f, &it, &local) == SCRY_ITEM;)
			if (!strcmp(local.name, name))
				return local.value;
	return 0;
}

void scry_loop_runs(struct scry_task_search *s, const struct scry_chain *c)
{
	if (c->running && c->count)
		scry_hash_add(&s->loops->roots, c->frames[0].addr);
}

/*
 * Set the walk on the newest frame of a running task: false where its thread's stack has not its
 * coroutine.
 */
static bool begin_running(struct scry_task *t, scry_addr root, const struct scry_hash *roots,
			  struct scry_walk *walk)
{
	struct scry_thread *thread = (struct scry_thread *)(uintptr_t)t->thread;
	uint64_t begin = 0, n = 0;
	struct scry_frame f;

	scry_walk_thread(walk, thread);
	do {
		if (scry_walk_next(walk, &f) != SCRY_ITEM)
			return false;
		n++;
		if (f.addr != root && scry_hash_find(roots, f.addr))
			begin = n;
	} while (f.addr != root);
	scry_walk_thread(walk, thread);
	while (begin--)
		scry_walk_next(walk, &f);
	walk->depth = 0;
	return true;
}

int scry_loop_frame_next(struct scry_task *t, const struct scry_chain *c,
			 const struct scry_hash *roots, struct scry_walk *walk,
			 struct scry_frame *ret)
{
	int rc;

	if (!walk->runtime) {
		if (walk->depth || !c->running || !t->thread || !c->count)
			return scry_chain_frame_next(t->runtime, c, walk, ret);
		if (!begin_running(t, c->frames[0].addr, roots, walk)) {
			*walk = (struct scry_walk) { 0 };
			return scry_chain_frame_next(t->runtime, c, walk, ret);
		}
	}
	rc = scry_walk_next(walk, ret);
	if (rc == SCRY_ITEM && ret->addr == c->frames[0].addr)
		walk->ended = true;
	return rc;
}

/* --- the heap --- */

/*
 * What no list has: finished tasks of asyncio in 3.14+, those of 3.6, whose set only C knows, loops
 * that have no task. Of a large heap only a part is looked at unless all was asked for, or nothing
 * else has tasks.
 */
static void search_heap(struct scry_task_search *s, struct scry_interp *interp,
			enum scry_heap_share share)
{
	static const uint64_t limits[] = { 0, OBJECTS_LITTLE, OBJECTS_MUCH, UINT64_MAX };
	struct scry_session *session = s->runtime->session;
	uint64_t left = limits[share];
	struct scry_gc gc;
	scry_addr object;
	int rc = SCRY_OK;

	/* PyPy's tasks are all in asyncio's set */
	if (!left || scry_model_of(s->runtime)->suspended)
		return;
	if (scry_gc_open(&gc, interp) < 0) {
		if (share == SCRY_HEAP_ALL)
			scry_note(session, "tasks that are in no list are not shown: %s",
				  session->error.text);
		else if (share == SCRY_HEAP_MUCH)
			scry_remark(session, "finished tasks are not shown: %s",
				    session->error.text);
		return;
	}
	while (left-- && (rc = scry_gc_next(&gc, &object)) == SCRY_ITEM) {
		enum scry_kind kind = scry_kind_of(&s->kinds, object);

		for (size_t i = 0; kind && i < LIBRARIES; i++)
			if (kind >= libraries[i]->first && kind <= libraries[i]->last)
				libraries[i]->object(s, kind, object);
	}
	scry_gc_done(&gc);
	if (rc == SCRY_ITEM && share == SCRY_HEAP_MUCH)
		scry_warn(
			session,
			"finished tasks were looked for among %d objects only: --all looks at all",
			OBJECTS_MUCH);
	else if (rc == SCRY_ITEM && share == SCRY_HEAP_LITTLE)
		scry_remark(session,
			    "loops without tasks were looked for among %d objects only: --all "
			    "looks at all",
			    OBJECTS_LITTLE);
}

/* --- order --- */

/* "Task-9" comes before "Task-10": by length where the beginnings differ only in digits. */
static int compare_names(const char *a, const char *b)
{
	while (*a && *a == *b)
		a++, b++;
	size_t m = strspn(a, "0123456789"), n = strspn(b, "0123456789");
	if ((m || n) && m != n)
		return m < n ? -1 : 1;
	return (unsigned char)*a - (unsigned char)*b;
}

static size_t rank(const struct scry_task *t)
{
	for (size_t i = 0; i < LIBRARIES; i++)
		if (libraries[i]->ops == t->ops)
			return i;
	return LIBRARIES;
}

static int compare(const void *x, const void *y)
{
	const struct scry_task *a = *(struct scry_task *const *)x,
			       *b = *(struct scry_task *const *)y;
	int order = 0;

	if (a->ops != b->ops)
		return rank(a) < rank(b) ? -1 : 1;
	if (a->loop != b->loop)
		return a->loop < b->loop ? -1 : 1;
	if (a->name && b->name)
		order = compare_names(a->name, b->name);
	return order ? order : a->addr < b->addr ? -1 : a->addr > b->addr;
}

static void sort(struct scry_task_search *s)
{
	size_t n = s->seen.count, i = 0;
	struct scry_task **all = n ? malloc(n * sizeof(*all)) : NULL;

	if (!all)
		return;
	for (struct scry_task *t = s->tasks; t && i < n; t = t->next)
		all[i++] = t;
	qsort(all, i, sizeof(*all), compare);
	s->tail = &s->tasks;
	for (size_t k = 0; k < i; k++) {
		*s->tail = all[k];
		s->tail = &all[k]->next;
	}
	*s->tail = NULL;
	free(all);
}

/* --- all of it --- */

/* awaited_by the other way round: counted first, then one array for all. */
static void link_awaits(struct scry_task_search *s)
{
	size_t all = 0;
	struct scry_task *by;

	for (struct scry_task *t = s->tasks; t; t = t->next)
		for (size_t i = 0; i < t->awaited_by_count; i++)
			if ((by = scry_hash_find(&s->seen, t->awaited_by[i])))
				by->awaits_count++, all++;
	scry_addr *at =
		all ? scry_arena_alloc(&s->runtime->session->arena, all * sizeof(*at)) : NULL;
	for (struct scry_task *t = s->tasks; t; t = t->next) {
		t->awaits = at;
		at = at ? at + t->awaits_count : NULL;
		t->awaits_count = 0;
	}
	for (struct scry_task *t = s->tasks; t && all; t = t->next)
		for (size_t i = 0; i < t->awaited_by_count; i++)
			if ((by = scry_hash_find(&s->seen, t->awaited_by[i])) && by->awaits)
				((scry_addr *)(uintptr_t)by->awaits)[by->awaits_count++] = t->addr;
}

static void finish(struct scry_task_search *s)
{
	for (struct scry_loop *loop = s->loops->first; loop; loop = loop->next)
		if (loop->runtime == s->runtime)
			find_thread(loop);
	for (struct scry_task *t = s->tasks; t; t = t->next)
		for (size_t i = 0; i < LIBRARIES; i++)
			if (libraries[i]->ops == t->ops)
				libraries[i]->finish(s, t);
	if (scry_model_of(s->runtime)->suspended)
		scry_pypy_find_awaiters(s);
}

static void search(struct scry_task_search *s)
{
	for (struct scry_interp *interp = s->runtime->interps; interp; interp = interp->next) {
		enum scry_heap_share share = SCRY_HEAP_NONE;

		s->interp = interp;
		for (size_t i = 0; i < LIBRARIES; i++) {
			enum scry_heap_share more = libraries[i]->find(s, interp);

			share = more > share ? more : share;
		}
		search_heap(s, interp, share && s->whole_heap ? SCRY_HEAP_ALL : share);
	}
	finish(s);
	sort(s);
	link_awaits(s);
}

struct scry_task *scry_loops_collect(struct scry_session *session, bool whole_heap,
				     struct scry_loops *ret)
{
	struct scry_task *first = NULL, **tail = &first;

	*ret = (struct scry_loops) { 0 };
	ret->tail = &ret->first;
	for (struct scry_runtime *r = scry_runtime_first(session); r; r = r->next) {
		struct scry_task_search s = { .runtime = r,
					      .kinds = SCRY_KINDS_INIT(r),
					      .loops = ret,
					      .whole_heap = whole_heap };

		s.tail = &s.tasks;
		search(&s);
		if (s.tasks) {
			*tail = s.tasks;
			tail = s.tail;
		}
		scry_hash_done(&s.seen);
		scry_kinds_done(&s.kinds);
	}
	return first;
}

void scry_loops_done(struct scry_loops *loops)
{
	scry_hash_done(&loops->by_address);
	scry_hash_done(&loops->roots);
}
