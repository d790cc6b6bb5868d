/* What an object refers to: the table, and the words of structs. */
#include "heap/visit.h"

#include "heap/visit_row.h"
#include "object/judge.h"
#include "object/object.h"

#define ITEMS_MAX   (1ull << 36)
#define BASES_MAX   64
#define WORDS_MAX   64 /* of a struct, that a bit of `certain` stands for */
#define MEMBERS_MAX 1000
#define HIDDEN_MAX  1000

/* Include/structmember.h (descrobject.h since 3.12) */
enum { T_OBJECT = 6, T_OBJECT_EX = 16, READONLY = 1 };

/* --- sequences --- */

static void visit_items(struct scry_visiting *v, scry_addr items, uint64_t count)
{
	struct scry_reference ref = {
		.from = v->addr, .kind = SCRY_SLOT_ITEM, .certain = true, .counted = true
	};

	if (count > ITEMS_MAX)
		return;
	for (; ref.index < count && !v->h->runtime->session->stopped; ref.index++) {
		ref.at = items + ref.index * v->rd->ptr;
		if (!scry_reader_word(v->rd, ref.at, &ref.to))
			break;
		scry_visit_say(v, &ref);
	}
}

static uint64_t length(struct scry_visiting *v)
{
	return scry_reader_field(v->rd, v->l, v->addr, SCRY_F_VAR_SIZE);
}

static void visit_list(struct scry_visiting *v)
{
	uint64_t room = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_LIST_ALLOCATED),
		 count = length(v);

	/* while a list is sorted it is empty and says -1: list_sort_impl() */
	if (count <= room)
		visit_items(v, scry_reader_field(v->rd, v->l, v->addr, SCRY_F_LIST_ITEMS), count);
}

/* A struct sequence has members that its length does not count: Objects/structseq.c. */
static int64_t hidden_items(struct scry_visiting *v, uint64_t count)
{
	const struct scry_type *t = v->type->type;
	struct scry_runtime *r = v->h->runtime;
	scry_addr dict = scry_known_type(t) == SCRY_IS_TUPLE ? 0 : scry_type_dict(r, t), number;
	int64_t all;

	if (!dict || scry_dict_get(r, dict, "n_sequence_fields", &number) < 0 ||
	    scry_dict_get(r, dict, "n_fields", &number) < 0 ||
	    scry_int_value(r, number, &all) < 0 || all < (int64_t)count || all > HIDDEN_MAX)
		return 0;
	return all - (int64_t)count;
}

static void visit_tuple(struct scry_visiting *v)
{
	uint64_t items = v->l->slot[SCRY_F_TUPLE_ITEMS].offset, count = length(v);

	if (v->type->hidden < 0)
		v->type->hidden = hidden_items(v, count);
	visit_items(v, v->addr + items, count + (uint64_t)v->type->hidden);
}

/* Types of which nothing is known but that they have pointers for items: immutable maps' nodes. */
static void visit_var_items(struct scry_visiting *v)
{
	const struct scry_type *t = v->type->type;
	int64_t n = scry_signed_size(v->h->runtime, length(v));

	for (int64_t i = 0; i < n && (uint64_t)i < ITEMS_MAX && !v->h->runtime->session->stopped;
	     i++)
		if (!scry_visit_word(v, v->addr + t->basicsize + (uint64_t)i * v->rd->ptr,
				     &(struct scry_reference) { .kind = SCRY_SLOT_ITEM,
								.index = (uint64_t)i,
								.counted = true }))
			break;
}

static void visit_weak(struct scry_visiting *v)
{
	scry_visit_word(v, v->addr + v->l->slot[SCRY_F_WEAKREF_CALLBACK].offset,
			&(struct scry_reference) { .kind = SCRY_SLOT_NAME,
						   .certain = true,
						   .counted = true,
						   .name = "__callback__" });
}

/* --- the table --- */

static const struct scry_visit_row rows[] = {
	{ SCRY_IS_LIST, visit_list, SCRY_S_LIST, .certain = true },
	{ SCRY_IS_TUPLE, visit_tuple, SCRY_S_TUPLE, .certain = true },
	{ SCRY_IS_DICT, scry_visit_dict, SCRY_S_DICT, .certain = true },
	{ SCRY_IS_FROZENDICT, scry_visit_dict, SCRY_S_DICT },
	{ SCRY_IS_ODICT, scry_visit_ordered, SCRY_S_DICT },
	{ SCRY_IS_SET, scry_visit_set, SCRY_S_SET, .certain = true },
	{ SCRY_IS_FROZENSET, scry_visit_set, SCRY_S_SET, .certain = true },
	{ SCRY_IS_DEQUE, scry_visit_deque, SCRY_S_COUNT },
	{ SCRY_IS_FRAME, scry_visit_frame_object, SCRY_S_FRAME },
	{ SCRY_IS_GENERATOR, scry_visit_generator, SCRY_S_GEN },
	{ SCRY_IS_COROUTINE, scry_visit_generator, SCRY_S_GEN },
	{ SCRY_IS_ASYNC_GENERATOR, scry_visit_generator, SCRY_S_GEN },
	{ SCRY_IS_TYPE, scry_visit_type, SCRY_S_COUNT },
	/* who is referred to weakly, and the chain of such: Objects/weakrefobject.c */
	{ SCRY_IS_WEAKREF, visit_weak, SCRY_S_WEAKREF, .certain = true },
	/* the reference is the managed buffer's: Objects/memoryobject.c */
	{ SCRY_IS_MEMORYVIEW, NULL, SCRY_S_COUNT, .certain = true,
	  .weak = { SCRY_F_MEMORYVIEW_OBJ } },
	/* the list of links owns each of them once: Modules/_functoolsmodule.c */
	{ SCRY_IS_LRU_LINK, NULL, SCRY_S_COUNT, .links_back = true },
	{ SCRY_IS_LRU_CACHE, NULL, SCRY_S_COUNT, .links_back = true },
	{ SCRY_IS_FUNCTION, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_METHOD, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_BUILTIN, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_CELL, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_PROPERTY, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_STATICMETHOD, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_CLASSMETHOD, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_MODULE, NULL, SCRY_S_COUNT }, /* its definition is nobody's to count */
	{ SCRY_IS_SLICE, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_TRACEBACK, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_BASE_EXCEPTION, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_MAPPINGPROXY, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_CODE, NULL, SCRY_S_COUNT },
	{ SCRY_IS_OLD_CLASS, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_OLD_INSTANCE, NULL, SCRY_S_COUNT, .certain = true },
	{ SCRY_IS_PARTIAL, NULL, SCRY_S_COUNT, .certain = true },
};

/* The row of a type, or of the nearest base that has one. */
static const struct scry_visit_row *row_of(struct scry_heap *h, const struct scry_type *t)
{
	struct scry_type *base = (struct scry_type *)(uintptr_t)t;

	for (unsigned depth = 0; depth < BASES_MAX; depth++) {
		for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
			if (rows[i].type == scry_known_type(base) &&
			    (rows[i].whole == SCRY_S_COUNT ||
			     base->basicsize >= h->runtime->layout->size[rows[i].whole] ||
			     rows[i].visit))
				return &rows[i];
		if (!base->base || scry_type_at(h->runtime, base->base, &base) < 0)
			break;
	}
	return NULL;
}

/* --- the words of a struct --- */

static void add_weak(struct scry_heap_type *t, uint64_t offset)
{
	for (size_t i = 0; i < sizeof(t->weak) / sizeof(*t->weak) && offset; i++)
		if (!t->weak[i] || t->weak[i] == offset) {
			t->weak[i] = (uint32_t)offset;
			break;
		}
}

static bool is_weak(const struct scry_heap_type *t, uint32_t offset)
{
	for (size_t i = 0; i < sizeof(t->weak) / sizeof(*t->weak) && t->weak[i]; i++)
		if (t->weak[i] == offset)
			return true;
	return false;
}

static void set_object(struct scry_heap *h, struct scry_heap_type *t, uint64_t offset, bool certain)
{
	uint64_t word = offset / h->reader.ptr;

	if (word >= WORDS_MAX)
		return;
	t->certain |= (uint64_t)certain << word;
	t->objects |= 1ull << word;
}

/*
 * A member that can be set lets go of what it had: PyMember_SetOne(). One that is only read need
 * not own it: those of sqlite3.Connection that are exceptions borrow them (Modules/_sqlite/
 * connection.c, 2.7 to 3.15). The interpreter's own types do own theirs.
 */
static bool owns_member(struct scry_heap *h, const struct scry_type *type, scry_addr member)
{
	return !(scry_reader_field(&h->reader, h->runtime->layout, member,
				   SCRY_F_MEMBER_DEF_FLAGS) &
		 READONLY) ||
	       scry_type_is_own(h->runtime, type->addr);
}

/* Members that hold objects, of the type and its bases: slots too. */
static void read_members(struct scry_heap *h, struct scry_heap_type *t)
{
	const struct scry_layout *l = h->runtime->layout;
	uint32_t size = l->size[SCRY_S_MEMBER_DEF];
	struct scry_type *base = t->type;

	for (unsigned depth = 0; depth < BASES_MAX && size; depth++) {
		scry_addr at = scry_reader_field(&h->reader, l, base->addr, SCRY_F_TYPE_MEMBERS);

		for (unsigned i = 0; at && i < MEMBERS_MAX; i++, at += size) {
			uint64_t kind =
				scry_reader_field(&h->reader, l, at, SCRY_F_MEMBER_DEF_KIND);

			if (!scry_reader_field(&h->reader, l, at, SCRY_F_MEMBER_DEF_NAME))
				break;
			if (kind == T_OBJECT || kind == T_OBJECT_EX)
				set_object(h, t,
					   scry_reader_field(&h->reader, l, at,
							     SCRY_F_MEMBER_DEF_OFFSET),
					   owns_member(h, base, at));
		}
		if (!base->base || scry_type_at(h->runtime, base->base, &base) < 0)
			break;
	}
}

/* What an instance has at least, without items: of a var-sized type the struct without them. */
static uint32_t struct_end(struct scry_heap *h, const struct scry_type *t)
{
	uint64_t end = t->basicsize;

	/* static types have no more than the struct of such */
	if (t->flags & TYPE_TYPE)
		end = h->runtime->layout->size[SCRY_S_TYPE];
	return (uint32_t)(end / h->reader.ptr * h->reader.ptr);
}

static void plan(struct scry_heap *h, struct scry_heap_type *t)
{
	const struct scry_layout *l = h->runtime->layout;
	const struct scry_type *type = t->type;
	uint64_t weak = scry_field_get(h->runtime, type->addr, SCRY_F_TYPE_WEAKLISTOFFSET);

	t->planned = true;
	t->row = row_of(h, type);
	t->own = scry_type_is_own(h->runtime, type->addr);
	t->scan_from = l->size[type->itemsize ? SCRY_S_VAR : SCRY_S_OBJECT];
	if (!t->scan_from)
		t->scan_from = l->size[SCRY_S_OBJECT];
	t->scan_to = struct_end(h, type);
	t->managed = type->flags & TYPE_MANAGED_DICT && scry_layout_has(l, SCRY_F_VALUES_VALUES);
	/* what comes after a tuple's head are its items, also where members name them */
	if (type->flags & TYPE_TUPLE && t->scan_to > l->slot[SCRY_F_TUPLE_ITEMS].offset)
		t->scan_to = l->slot[SCRY_F_TUPLE_ITEMS].offset;
	if ((int64_t)weak > 0 && weak < 1u << 20)
		add_weak(t, weak);
	if (t->row && t->row->whole != SCRY_S_COUNT && l->size[t->row->whole])
		t->scan_from = l->size[t->row->whole];
	if (t->row && t->row->links_back)
		add_weak(t, l->size[SCRY_S_OBJECT]);
	/* a static type's base is nobody's to let go: visit_type() */
	if (type->flags & TYPE_TYPE)
		add_weak(t, l->slot[SCRY_F_TYPE_BASE].offset);
	for (size_t i = 0; t->row && i < 3 && t->row->weak[i]; i++)
		add_weak(t, l->slot[t->row->weak[i]].offset);
	if (t->row && t->row->certain && t->own)
		t->certain = UINT64_MAX;
	read_members(h, t);
	if (type->dictoffset > 0)
		set_object(h, t, (uint64_t)type->dictoffset, true);
}

/* Numbers, text and borrowed pointers have nothing to say: most objects end here. */
static bool is_plain(const struct scry_heap_type *t)
{
	const struct scry_type *type = t->type;

	return type->flags & (TYPE_LONG | TYPE_UNICODE | TYPE_BYTES | TYPE_INT) &&
	       !(type->flags & TYPE_HEAP);
}

static void visit_words(struct scry_visiting *v)
{
	const struct scry_heap_type *t = v->type;
	struct scry_reference ref = { .from = v->addr, .kind = SCRY_SLOT_WORD, .counted = true };
	unsigned ptr = v->rd->ptr;

	if (t->type->flags & (TYPE_LONG | TYPE_UNICODE | TYPE_BYTES | TYPE_INT) &&
	    t->type->flags & TYPE_HEAP) {
		if (t->type->dictoffset > 0)
			scry_visit_last_dict(v);
		return;
	}
	for (uint32_t at = t->scan_from; at < t->scan_to; at += ptr) {
		if (!scry_reader_word(v->rd, v->addr + at, &ref.to) || ref.to < SCRY_NULL_PAGE ||
		    ref.to % ptr || is_weak(t, at))
			continue;
		ref.index = at;
		ref.at = v->addr + at;
		ref.certain = at / ptr < WORDS_MAX && t->certain >> at / ptr & 1;
		ref.object = at / ptr < WORDS_MAX && t->objects >> at / ptr & 1;
		v->visit(v->arg, &ref);
	}
}

static void visit_all(struct scry_visiting *v)
{
	struct scry_heap_type *t = v->type;
	const struct scry_type *type = t->type;

	if (!t->planned)
		plan(v->h, t);
	if (type->flags & TYPE_HEAP)
		v->visit(v->arg, &(struct scry_reference) {
					 .from = v->addr,
					 .at = v->addr + v->l->slot[SCRY_F_OBJECT_TYPE].offset,
					 .to = type->addr,
					 .kind = SCRY_SLOT_TYPE,
					 .counted = true });
	if (is_plain(t))
		return;
	if (t->row && t->row->visit)
		t->row->visit(v);
	visit_words(v);
	if (t->managed)
		scry_visit_managed(v);
	else if (type->dictoffset < 0)
		scry_visit_last_dict(v);
	if (!t->row && type->itemsize == v->rd->ptr)
		visit_var_items(v);
}

void scry_cpython_visit(struct scry_heap *h, scry_addr addr, uint32_t type, scry_visit *visit,
			void *arg)
{
	struct scry_visiting v = { .h = h,
				   .rd = &h->reader,
				   .l = h->runtime->layout,
				   .type = h->types[type],
				   .addr = addr,
				   .visit = visit,
				   .arg = arg };

	visit_all(&v);
}

void scry_heap_visit_as(struct scry_heap *h, scry_addr addr, uint32_t type, scry_visit *visit,
			void *arg)
{
	h->kind->visit(h, addr, type, visit, arg);
}

void scry_heap_visit(struct scry_heap *h, uint32_t object, scry_visit *visit, void *arg)
{
	scry_heap_visit_as(h, h->objects[object].addr, h->objects[object].type, visit, arg);
}
