/* The roots: interpreters, threads with their frames, data of files. */
#include "heap/roots.h"

#include <stdlib.h>

#include "object/judge.h"

#define STRUCT_MAX (1u << 20)  /* bytes of the interpreter's state */
#define DATA_MAX   (64u << 20) /* bytes of a mapping that are searched */

const char *const scry_root_names[] = {
	[SCRY_ROOT_MODULE] = "module", [SCRY_ROOT_INTERPRETER] = "interpreter",
	[SCRY_ROOT_FRAME] = "frame",   [SCRY_ROOT_THREAD] = "thread",
	[SCRY_ROOT_STATIC] = "static",
};

void scry_roots_add(struct scry_graph *g, scry_addr to, const struct scry_root *like)
{
	uint32_t object = to >= SCRY_NULL_PAGE ? scry_heap_find(g->h, to) : SCRY_HEAP_NONE;

	if (object == SCRY_HEAP_NONE)
		return;
	if (g->root_count == g->root_room) {
		size_t room = g->root_room ? g->root_room * 2 : 4096;
		struct scry_root *roots = realloc(g->roots, room * sizeof(*roots));

		if (!roots) {
			g->full = true;
			return;
		}
		g->roots = roots;
		g->root_room = room;
	}
	g->roots[g->root_count] = *like;
	g->roots[g->root_count++].to = object;
}

/* --- interpreters --- */

/*
 * Modules come first: a way from one reads as Python code does, "module.name", and is preferred to
 * a way of the same length from the interpreter's other words.
 */
static void add_modules(struct scry_graph *g, struct scry_interp *interp)
{
	scry_addr key, module;
	uint64_t it = 0;

	while (interp->modules &&
	       scry_dict_next(g->h->runtime, interp->modules, &it, &key, &module) == SCRY_ITEM)
		scry_roots_add(g, module,
			       &(struct scry_root) { .kind = SCRY_ROOT_MODULE,
						     .from = interp->addr,
						     .certain = true });
}

/* What an interpreter certainly holds. Its other words may be left from before: free lists. */
static void add_named(struct scry_graph *g, const struct scry_interp *i)
{
	const struct {
		scry_addr to;
		const char *name;
	} dicts[] = { { i->modules, "modules" },
		      { i->sysdict, "sysdict" },
		      { i->builtins, "builtins" } };

	for (size_t d = 0; d < sizeof(dicts) / sizeof(*dicts); d++)
		scry_roots_add(g, dicts[d].to,
			       &(struct scry_root) { .kind = SCRY_ROOT_INTERPRETER,
						     .from = i->addr,
						     .certain = true,
						     .slot = dicts[d].name });
}

void scry_roots_add_named(struct scry_graph *g)
{
	for (struct scry_interp *i = g->h->runtime->interps; i; i = i->next) {
		add_modules(g, i);
		add_named(g, i);
	}
}

/* Every word of a struct that leads to an object. */
static void add_words(struct scry_graph *g, scry_addr start, uint64_t size,
		      const struct scry_root *like)
{
	struct scry_heap *h = g->h;
	struct scry_root root = *like;
	uint64_t word;

	for (uint64_t at = 0; at + h->reader.ptr <= size; at += h->reader.ptr) {
		if (!scry_reader_word(&h->reader, start + at, &word) || !word)
			continue;
		root.at = start + at;
		scry_roots_add(g, word, &root);
	}
}

/* --- threads --- */

struct in_frame {
	struct scry_graph *g;
	struct scry_root root;
};

static void add_of_frame(void *arg, const struct scry_reference *ref)
{
	struct in_frame *in = arg;

	in->root.at = ref->at;
	in->root.counted = ref->counted;
	in->root.certain = ref->certain;
	in->root.slot = ref->name ? ref->name : ref->kind == SCRY_SLOT_STACK ? "value stack" : NULL;
	scry_roots_add(in->g, ref->to, &in->root);
}

/* Of a frame that is an object: what its stack may have. The rest the object itself refers to. */
static void add_of_stack(void *arg, const struct scry_reference *ref)
{
	if (ref->kind == SCRY_SLOT_STACK && !ref->certain)
		add_of_frame(arg, ref);
}

/*
 * From 3.11 on a frame is no object until somebody asks for one: its variables are roots
 * themselves.
 */
static void add_frames(struct scry_graph *g, struct scry_thread *t)
{
	bool objects = scry_trait(g->h->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS);
	struct scry_frame f;
	struct scry_walk w;

	scry_walk_thread(&w, t);
	while (scry_walk_next(&w, &f) == SCRY_ITEM) {
		struct in_frame in = { g,
				       { .kind = SCRY_ROOT_FRAME, .from = f.addr, .thread = t } };

		if (f.kind == SCRY_FRAME_DAMAGED && !f.code)
			continue;
		if (!objects && f.kind != SCRY_FRAME_GENERATOR && !scry_heap_owns_frame(g->h, &f))
			scry_heap_visit_frame(g->h, f.addr, add_of_frame, &in);
		uint32_t own = objects ? scry_heap_find(g->h, f.addr) : SCRY_HEAP_NONE;

		if (own != SCRY_HEAP_NONE)
			scry_heap_visit(g->h, own, add_of_stack, &in);
		/* a running generator's frame is the generator's, which the caller holds */
		in.root.at = 0;
		in.root.slot = NULL;
		in.root.counted = in.root.certain = objects;
		scry_roots_add(g, f.addr, &in.root);
	}
}

/*
 * Every word of the state, since which of them are references changes with each version:
 * exceptions, dict, context, hooks, async exceptions.
 */
static void add_thread(struct scry_graph *g, struct scry_thread *t)
{
	const struct scry_layout *l = g->h->runtime->layout;
	uint64_t size =
		l->size[SCRY_S_THREAD_IMPL] ? l->size[SCRY_S_THREAD_IMPL] : l->size[SCRY_S_THREAD];
	struct scry_root root = {
		.kind = SCRY_ROOT_THREAD,
		.from = t->state,
		.thread = t,
		.certain = true,
		.counted = true,
	};

	if (t->state && size < STRUCT_MAX)
		add_words(g, t->state, size, &root);
}

/* --- data of files --- */

scry_addr scry_file_data_end(struct scry_runtime *r, const struct scry_map *m)
{
	if (!(m->flags & SCRY_MAP_WRITE))
		return 0;
	if (m->flags & SCRY_MAP_FILE)
		return m->end;
	/* bss is anonymous memory to the kernel, but within the module */
	const struct scry_module *module = scry_module_at(r->session, m->start);
	return !module ? 0 : module->end < m->end ? module->end : m->end;
}

/*
 * Static variables of extensions and of the interpreter. Nothing says that a word there is a
 * reference, so none is certain. Words of objects that are there are those objects' own
 * references.
 */
static void add_data(struct scry_graph *g, scry_addr start, scry_addr end)
{
	struct scry_heap *h = g->h;
	unsigned ptr = h->reader.ptr;
	scry_addr least = h->count ? h->objects[0].addr : 0,
		  most = h->count ? h->objects[h->count - 1].addr : 0;
	uint64_t word;

	for (scry_addr at = start; at + ptr <= end; at += ptr) {
		if (!scry_reader_word(&h->reader, at, &word) || word < least || word > most ||
		    word % ptr || scry_heap_find(h, word) == SCRY_HEAP_NONE ||
		    scry_heap_inside(h, at) != SCRY_HEAP_NONE)
			continue;
		scry_roots_add(g, word,
			       &(struct scry_root) {
				       .kind = SCRY_ROOT_STATIC, .at = at, .counted = true });
	}
}

static bool is_interpreters(struct scry_runtime *r, scry_addr at)
{
	for (struct scry_interp *i = r->interps; i; i = i->next)
		if (at - i->addr < r->layout->size[SCRY_S_INTERP])
			return true;
	return false;
}

static void add_files(struct scry_graph *g)
{
	struct scry_runtime *r = g->h->runtime;
	struct scry_target *t = r->session->target;

	for (size_t i = 0; i < t->map_count && !r->session->stopped; i++) {
		const struct scry_map *m = &t->maps[i];
		scry_addr at = m->start, end = scry_file_data_end(r, m), stop;

		if (!end)
			continue;
		if (end - at > DATA_MAX)
			end = at + DATA_MAX;
		while (at < end && scry_data_next(r->session, &at, end, &stop)) {
			add_data(g, at, stop < end ? stop : end);
			at = stop;
		}
	}
	/* what is in an interpreter's state was said of that */
	size_t n = 0;

	for (size_t i = 0; i < g->root_count; i++)
		if (g->roots[i].kind != SCRY_ROOT_STATIC || !is_interpreters(r, g->roots[i].at))
			g->roots[n++] = g->roots[i];
	g->root_count = n;
}

/* The order is that of preference: of two roots of one object the first is shown. */
int scry_cpython_roots(struct scry_graph *g)
{
	struct scry_runtime *r = g->h->runtime;
	uint64_t size = r->layout->size[SCRY_S_INTERP];

	scry_roots_add_named(g);
	for (struct scry_thread *t = scry_thread_first(r->session); t; t = t->next)
		if (t->runtime == r) {
			add_frames(g, t);
			add_thread(g, t);
		}
	for (struct scry_interp *i = r->interps; i; i = i->next)
		add_words(g, i->addr, size < STRUCT_MAX ? size : STRUCT_MAX,
			  &(struct scry_root) { .kind = SCRY_ROOT_INTERPRETER, .from = i->addr });
	add_files(g);
	return g->full ? scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory") : SCRY_OK;
}

int scry_roots_find(struct scry_graph *g)
{
	return g->h->kind->roots(g);
}
