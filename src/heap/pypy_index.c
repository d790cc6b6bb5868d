/*
 * All objects of PyPy's: what its collector would reach. A type is a class where a program can have
 * the object in hand, else what RPython calls it: storage of lists, tables of dicts, texts' bytes.
 * Each byte counts once, for the object that it is in.
 */
#include <string.h>

#include "heap/pypy_kind.h"
#include "heap/reach.h"
#include "object/known.h"
#include "object/pypy/pypy_printers.h"
#include "runtime/pypy/pypy_suspended.h"
#include "runtime/pypy/pypy_trace.h"

struct fill {
	struct scry_pypy_reach reach;
	struct scry_heap *h;
	bool full;
};

/*
 * RPython writes structs out, with their members: "GcArray of * GcStruct list { length, items }".
 * Here only what a struct's own entry has by name is kept: "GcArray of list".
 */
static void put_short(struct scry_buf *out, const char *name)
{
	static const char *const drop[] = { "* ", "GcStruct ", "Struct " };

	while (*name) {
		size_t n = 0, end = *name == '{' ? strcspn(name, ":}") : 0;

		for (size_t i = 0; i < sizeof(drop) / sizeof(*drop) && !n; i++)
			if (!strncmp(name, drop[i], strlen(drop[i])))
				n = strlen(drop[i]);
		if (end && name[end] == '}') {
			n = end + 1;
			if (out->len && out->text[out->len - 1] == ' ')
				out->len--;
		}
		if (!n)
			scry_buf_putc(out, *name);
		name += n ? n : 1;
	}
	while (out->len && out->text[out->len - 1] == ' ')
		out->len--;
}

static const char *inner_name(struct scry_heap *h, const struct scry_pypy_type *t)
{
	SCRY_AUTO_BUF(name);

	/* a class has its module: no class of a program has such a name */
	if (t->class_max)
		return t->name;
	scry_buf_puts(&name, "RPython ");
	put_short(&name, t->name);
	return scry_arena_text(&h->runtime->session->arena, name.text, name.len);
}

/* A type with its first object; `key` is its class, or the number of its RPython type. */
static uint32_t new_type(struct scry_heap *h, scry_addr key, scry_addr class,
			 const struct scry_pypy_type *t, scry_addr first)
{
	struct scry_runtime *r = h->runtime;
	struct scry_type *type = scry_arena_alloc(&r->session->arena, sizeof(*type));
	const char *name = class ? scry_pypy_class_name(r, class, true) : NULL;

	if (!type)
		return SCRY_HEAP_NONE;
	*type = (struct scry_type) {
		.addr = class,
		.name = name ? name : inner_name(h, t),
		.flags = scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_TYPE) ? TYPE_TYPE : 0,
		.known = scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_ROOT) ? scry_pypy_known(r, first)
									: SCRY_IS_OTHER,
	};
	uint32_t added =
		scry_heap_add_type(h, &(struct scry_heap_type) {
					      .type = type,
					      .name = type->name,
					      .inner = !class,
					      .no_repr = !class && t->tid != r->pypy->string,
				      });

	if (added != SCRY_HEAP_NONE)
		scry_hash_put(&h->type_index, key, (void *)((uintptr_t)added + 1));
	return added;
}

/* Classes are asked for once for each map, or each RPython type that has no maps. */
static uint32_t type_at(struct scry_heap *h, scry_addr addr, const struct scry_pypy_type *t)
{
	struct scry_pypy *y = h->runtime->pypy;
	uintptr_t at = (uintptr_t)scry_hash_find(&y->maps, t->tid), known;
	scry_addr key = t->tid, class = 0;

	if (at && !scry_reader_word(&h->reader, addr + at - 1, &key))
		key = t->tid;
	known = (uintptr_t)scry_hash_find(&h->type_index, key);
	if (known)
		return (uint32_t)known - 1;
	if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_ROOT))
		class = scry_pypy_type_object(h->runtime, t, addr);
	known = class ? (uintptr_t)scry_hash_find(&h->type_index, class) : 0;
	if (!known)
		known = (uintptr_t)new_type(h, class ? class : t->tid, class, t, addr) + 1;
	if (known != (uintptr_t)SCRY_HEAP_NONE + 1 && (class || key == t->tid))
		scry_hash_put(&h->type_index, key, (void *)known);
	return (uint32_t)known - 1;
}

static void found(struct scry_pypy_reach *out, scry_addr at, const struct scry_pypy_type *t)
{
	struct fill *f = (struct fill *)out;
	uint32_t type = f->full ? SCRY_HEAP_NONE : type_at(f->h, at, t);

	f->full |= type == SCRY_HEAP_NONE || !scry_heap_add(f->h, at, type);
	if (scry_pypy_place_of(f->h->runtime->pypy, at) == SCRY_PYPY_PREBUILT && !f->full)
		f->h->file_bytes += f->h->objects[f->h->count - 1].bytes;
}

static int fill(struct scry_heap *h)
{
	struct fill f = { .reach.found = found, .h = h };
	int rc = scry_pypy_reach(h->runtime->pypy, &f.reach);

	return rc == SCRY_OK && f.full
		       ? scry_fail(h->runtime->session, SCRY_ENOMEM, 0, "out of memory")
		       : rc;
}

static uint64_t measure(struct scry_heap *h, scry_addr addr, struct scry_heap_type *type)
{
	scry_addr at = addr;
	const struct scry_pypy_type *t = scry_pypy_type_of(h->runtime->pypy, &at);

	(void)type;
	return t ? scry_pypy_size_of(h->runtime->pypy, t, at) : 0;
}

/* Set when the type was added. */
static const char *type_name(struct scry_heap *h, struct scry_heap_type *t)
{
	(void)h;
	return t->name;
}

static const char *type_module(struct scry_heap *h, struct scry_heap_type *t)
{
	return t->inner ? "(of PyPy's own)" : scry_pypy_class_module(h->runtime, t->type->addr);
}

static scry_addr frame_of(struct scry_heap *h, scry_addr addr, bool generator)
{
	struct scry_pypy_generator g;

	if (!generator)
		return addr;
	return scry_pypy_generator_at(h->runtime, addr, &g) ? g.frame : 0;
}

static const char *field_at(struct scry_heap *h, scry_addr addr, uint64_t offset)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(h->runtime->pypy, &addr);
	const char *name = t ? scry_pypy_field_at(h->runtime->pypy, t, offset) : NULL;

	return name ? scry_arena_printf(&h->runtime->session->arena, ".%s", name) : NULL;
}

static scry_addr namespace_of(struct scry_heap *h, scry_addr module)
{
	return scry_pypy_get(h->runtime->pypy, module, SCRY_PYPY_MODULE_DICT);
}

const struct scry_heap_kind scry_heap_pypy = {
	.fill = fill,
	.measure = measure,
	.extent = measure,
	.type_name = type_name,
	.type_module = type_module,
	.visit = scry_pypy_visit_object,
	.slot_text = scry_pypy_slot_text,
	.roots = scry_pypy_roots,
	.frame_of = frame_of,
	.field_at = field_at,
	.namespace_of = namespace_of,
	.refs = scry_pypy_refs,
	.judge = scry_pypy_judge,
	.check = scry_pypy_check,
};
