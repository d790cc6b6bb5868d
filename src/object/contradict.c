/* Contradictions in types and objects: see contradict.h. */
#include "object/contradict.h"

#include "memory/chunk.h"
#include "memory/gc.h"
#include "object/judge.h"
#include "object/known.h"

#define DESCRIPTORS_MAX 64 /* values of a class's dict that are looked at */

/* --- types --- */

static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

/* A static type is in a file's data, a class never is. What was never readied has flags to come. */
static const char *flags_doubt(struct scry_runtime *r, const struct scry_type *t)
{
	struct scry_block b;
	bool class = t->flags & TYPE_HEAP;
	uint32_t kinds = t->flags >> 24; /* Py_TPFLAGS_LONG_SUBCLASS and so on: one at most */

	if ((!(t->flags & TYPE_READY) && t->mro && !t->never_readied) || kinds & (kinds - 1))
		return scry_arena_printf(&r->session->arena, "its flags, 0x%x, cannot be a type's",
					 t->flags);
	if (class && scry_type_is_own(r, t->addr))
		return "it says that it is a class, and stands among the interpreter's own types";
	if (!class && (scry_block_guess(r, t->addr, &b) ||
		       (!scry_module_at(r->session, t->addr) && scry_gc_is_linked(r, t->addr))))
		return "it says that it is static, and stands among objects";
	return NULL;
}

/* What a pointer of a type's leads to is read with this outcome: is the pointer wrong? */
static bool is_wrong(struct scry_runtime *r, scry_addr pointer, int rc)
{
	return rc == SCRY_ECORRUPT ||
	       (rc == SCRY_EFAULT && scry_target_lacks(r->session->target, pointer));
}

/* Does the dump lack a pointer of the type's own? Then that it is NULL is not known. */
static bool is_missing(struct scry_runtime *r, const struct scry_type *t, enum scry_field f)
{
	scry_addr word;

	return scry_field_read(r, t->addr, f, &word) < 0;
}

/*
 * Is it the dict of another class, to which its methods' and members' descriptors lead? Copies of a
 * class may keep these, but no two classes have one dict.
 */
static bool is_anothers(struct scry_runtime *r, const struct scry_type *t)
{
	struct scry_dict_view v;
	scry_addr key, value, owner;
	uint64_t it = 0;
	struct scry_type *of;

	if (scry_dict_open(r, t->dict, &v) < 0)
		return false;
	for (unsigned i = 0;
	     i < DESCRIPTORS_MAX && scry_dict_view_next(&v, &it, &key, &value) == SCRY_ITEM; i++) {
		enum scry_known known = scry_known_of(r, value);

		if ((known == SCRY_IS_GETSET_DESCRIPTOR || known == SCRY_IS_MEMBER_DESCRIPTOR ||
		     known == SCRY_IS_METHOD_DESCRIPTOR || known == SCRY_IS_WRAPPER_DESCRIPTOR) &&
		    scry_field_read(r, value, SCRY_F_DESCR_TYPE, &owner) == SCRY_OK &&
		    owner != t->addr && scry_type_at(r, owner, &of) == SCRY_OK)
			return of->dict == t->dict;
	}
	return false;
}

static const char *dict_doubt(struct scry_runtime *r, const struct scry_type *t)
{
	struct scry_type *of;
	int rc = t->dict ? scry_type_for(r, t->dict, &of) : SCRY_OK;

	if (is_wrong(r, t->dict, rc) || (rc == SCRY_OK && t->dict && !(of->flags & TYPE_DICT)) ||
	    (!t->dict && t->flags & TYPE_HEAP && t->flags & TYPE_READY &&
	     !is_missing(r, t, SCRY_F_TYPE_DICT)) ||
	    (rc == SCRY_OK && t->dict && is_anothers(r, t)))
		return scry_arena_printf(&r->session->arena, "0x%" PRIx64 " is not its dict",
					 t->dict);
	return NULL;
}

/* Ends at `object`, begins with itself and has its base, unless a metaclass makes another one. */
static const char *mro_doubt(struct scry_runtime *r, const struct scry_type *t)
{
	bool plain = t->metatype == r->type_type && t->flags & TYPE_READY, base = !t->base;
	uint64_t n;
	scry_addr items, item = 0, first = 0;

	if (!plain || !r->type_type || (!t->mro && is_missing(r, t, SCRY_F_TYPE_MRO)))
		return NULL;
	int rc = t->mro ? scry_sequence(r, t->mro, &n, &items) : SCRY_ECORRUPT;
	for (uint64_t i = 0; rc == SCRY_OK && i < n && i < 1000; i++) {
		rc = scry_word(r, items + i * scry_ptr_size(r), &item);
		first = i ? first : item;
		base = base || item == t->base;
	}
	if (is_wrong(r, t->mro, rc) || (rc == SCRY_OK && first != t->addr))
		return scry_arena_printf(&r->session->arena, "0x%" PRIx64 " is not its MRO",
					 t->mro);
	return rc == SCRY_OK && !base ? scry_arena_printf(&r->session->arena,
							  "0x%" PRIx64 " is not its base", t->base)
				      : NULL;
}

/* A class keeps its name twice. */
static const char *name_doubt(struct scry_runtime *r, const struct scry_type *t)
{
	const char *text;
	scry_addr str = scry_field_get(r, t->addr, SCRY_F_HEAP_TYPE_NAME);

	if (!(t->flags & TYPE_HEAP) || t->nameless || !str)
		return NULL;
	int rc = scry_text_at(r, str, 65536, &text);
	if (rc < 0)
		return is_wrong(r, str, rc) ? "its name is not a text" : NULL;
	return strcmp(text, t->name) && strcmp(text, last_part(t->name))
		       ? scry_arena_printf(&r->session->arena, "it is called %s and %s", t->name,
					   text)
		       : NULL;
}

const char *scry_type_doubt(struct scry_runtime *r, struct scry_type *t)
{
	static const char *(*const checks[])(struct scry_runtime * r, const struct scry_type *t) = {
		flags_doubt,
		dict_doubt,
		mro_doubt,
		name_doubt,
	};

	if (t->doubted)
		return t->doubt;
	t->doubted = true;
	struct scry_error error = r->session->error; /* asking is not a failure */
	for (size_t i = 0; i < sizeof(checks) / sizeof(*checks) && !t->doubt; i++)
		t->doubt = checks[i](r, t);
	r->session->error = error;
	return t->doubt;
}

/* --- objects in blocks --- */

/* class X: with nothing but object behind it, whose instances have a dict that is not inline. */
static bool is_plain_class(struct scry_runtime *r, const struct scry_type *t)
{
	struct scry_type *base;

	return t->metatype == r->type_type && r->type_type && !t->itemsize &&
	       (t->dictoffset > 0 || t->flags & TYPE_MANAGED_DICT) && !(t->flags & TYPE_INLINE) &&
	       t->base && scry_type_at(r, t->base, &base) == SCRY_OK && !base->base;
}

/*
 * What an object needs, where that follows from its type and its length; 0 where it does not.
 * *ret_resized: it may have been longer when its block was given out.
 */
static uint64_t needed(struct scry_runtime *r, scry_addr addr, const struct scry_type *t,
		       bool *ret_resized)
{
	struct scry_text_view v;

	*ret_resized = t->itemsize || t->flags & (TYPE_UNICODE | TYPE_BYTES);
	if (t->flags & (TYPE_LONG | TYPE_TYPE))
		return 0;
	/* one of the program's may have an allocator or a layout of its own: not a plain class */
	if (t->flags & TYPE_HEAP)
		return is_plain_class(r, t) ? t->basicsize : 0;
	if (t->flags & (TYPE_UNICODE | TYPE_BYTES))
		return scry_text_open(r, addr, &v) == SCRY_OK && v.own
			       ? v.data - addr + (v.length + 1) * v.kind
			       : 0;
	if (t->flags & TYPE_TUPLE && !(t->flags & TYPE_INLINE))
		return scry_object_extent(r, addr, t);
	/* some own types without links have more than their struct says: EncodingMap */
	if (t->itemsize || !scry_type_is_own(r, t->addr) ||
	    !(t->flags & TYPE_GC || scry_known_type(t) != SCRY_IS_OTHER) ||
	    scry_object_least(r, t) != t->basicsize)
		return 0;
	return t->basicsize;
}

int scry_check_block(struct scry_runtime *r, scry_addr addr, const struct scry_type *t,
		     const struct scry_block *b)
{
	bool resized;
	uint64_t size = needed(r, addr, t, &resized),
		 head = addr - b->start; /* the collector's header; the debug hooks' two words */
	bool hooks = head != scry_object_head(r, addr, t);
	uint64_t marks = hooks ? scry_ptr_size(r) : 0; /* the debug hooks' bytes after it */

	/* where its length promises too much the printers say so */
	if (!size || (resized && head + size > b->size) ||
	    scry_block_suits(b, head + size + marks, resized) ||
	    (hooks && scry_block_suits(b, head + size + 2 * marks, resized)))
		return SCRY_OK;
	return scry_fail(r->session, SCRY_ECORRUPT, addr,
			 "%s of %" PRIu64 " bytes would not be in a block of %" PRIu64, t->name,
			 size, b->size);
}

/* From 3.6 on what is small is the allocator's, whoever asks: PyMem_Malloc(). */
static const struct {
	uint32_t since;
	uint64_t small;
} smalls[] = { { 0, 0 }, { SCRY_VERSION_OF(3, 6), 512 } };

/* Is it known who gives out what is small? Else it may be in a block of an unknown shape. */
static bool small_is_known(struct scry_runtime *r)
{
	struct scry_chunk chunk;
	struct scry_block b;
	bool sure;
	scry_addr dict = r->interps->builtins;

	return scry_block_guess(r, dict, &b) ||
	       scry_chunk_at(r, dict - scry_gc_head_size(r, &sure), &chunk);
}

/* May an allocator have given out `start`, for `size` bytes (0: not known) that `owner` has? */
static bool is_given(struct scry_runtime *r, scry_addr owner, scry_addr start, uint64_t size)
{
	struct scry_debug_block debug;
	struct scry_chunk chunk;
	struct scry_block b;
	uint64_t word;
	unsigned ptr = scry_ptr_size(r);

	if (scry_block_guess(r, start, &b))
		return start == b.start ? !size || scry_block_suits(&b, size, true)
					: start == b.start + 2 * ptr;
	/* malloc's own word is missing: nothing is known then */
	if (scry_is_static(r, start) || scry_debug_block_at(r, start, &debug) ||
	    scry_word(r, start - ptr, &word) < 0)
		return true;
	if (size && size <= SCRY_SINCE(smalls, r->version)->small &&
	    scry_block_guess(r, owner, &b) && !scry_block_lost(r, start))
		return false;
	return !scry_chunks_sure(r) || scry_chunk_at(r, start, &chunk) || !small_is_known(r);
}

int scry_check_items(struct scry_runtime *r, scry_addr list, scry_addr start, uint64_t size)
{
	return is_given(r, list, start, size)
		       ? SCRY_OK
		       : scry_fail(r->session, SCRY_ECORRUPT, list,
				   "no items of %" PRIu64 " bytes would be given out at 0x%" PRIx64,
				   size, start);
}

int scry_check_given(struct scry_runtime *r, scry_addr start)
{
	return is_given(r, 0, start, 0)
		       ? SCRY_OK
		       : scry_fail(r->session, SCRY_ECORRUPT, start,
				   "no allocator would give out 0x%" PRIx64, start);
}

/* --- generators --- */

/* The code that it runs, up to 3.10 or of its frame; NULL not known. */
static const struct scry_code *code_of(struct scry_runtime *r, scry_addr gen)
{
	scry_addr code, frame = scry_generator_frame(r, gen);

	if (scry_field_read(r, gen, SCRY_F_GEN_CODE, &code) < 0 &&
	    (!frame || scry_field_read(r, frame, SCRY_F_IFRAME_CODE, &code) < 0))
		return NULL;
	return scry_code_at_checked(r, scry_untag(r, code));
}

/* What a function returns when it is called is of a type that its code's flags choose. */
static const char *kind_doubt(struct scry_runtime *r, scry_addr gen, const struct scry_code *c)
{
	static const struct {
		enum scry_known type;
		uint32_t flag;
	} rows[] = {
		/* Include/cpython/code.h: CO_GENERATOR and so on, since 3.5 and 3.6 */
		{ SCRY_IS_GENERATOR, 0x20 },
		{ SCRY_IS_COROUTINE, 0x80 },
		{ SCRY_IS_ASYNC_GENERATOR, 0x200 },
	};
	enum scry_known known = scry_known_of(r, gen);
	uint32_t flags = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		flags |= c->flags & rows[i].flag;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].type == known)
			return flags && !(flags & rows[i].flag) ? "its code makes something else"
								: NULL;
	return NULL;
}

/* enum _framestate: Include/internal/pycore_frame.h */
static const struct frame_states {
	uint32_t since;
	int8_t lowest, highest, other;
} frame_states[] = {
	{ 0, -2, 1, 4 },
	{ SCRY_VERSION_OF(3, 13), -3, 1, 4 },
	{ SCRY_VERSION_OF(3, 15), 0, 5, 5 },
};

/* 3.11+ say in which state they are; before, their code is their frame's. */
static const char *state_doubt(struct scry_runtime *r, scry_addr gen)
{
	scry_addr frame, code, of_frame;
	int64_t state;

	if (scry_layout_has(r->layout, SCRY_F_GEN_IFRAME)) {
		const struct frame_states *known = SCRY_SINCE(frame_states, r->version);

		if (scry_field_read_int(r, gen, SCRY_F_GEN_STATE, &state) < 0 || !known)
			return NULL;
		state = (int8_t)state;
		return (state >= known->lowest && state <= known->highest) || state == known->other
			       ? NULL
			       : "no generator is in its state";
	}
	if (scry_field_read(r, gen, SCRY_F_GEN_FRAME, &frame) < 0 || !frame ||
	    scry_field_read(r, gen, SCRY_F_GEN_CODE, &code) < 0 ||
	    scry_field_read(r, frame, SCRY_F_FRAME_CODE, &of_frame) < 0)
		return NULL;
	return code != of_frame ? "its code is not its frame's" : NULL;
}

const char *scry_generator_state_doubt(struct scry_runtime *r, scry_addr gen)
{
	const struct scry_code *c = code_of(r, gen);
	const char *doubt = state_doubt(r, gen);

	return doubt || !c ? doubt : kind_doubt(r, gen, c);
}

/* Either may be renamed; both are by functools.wraps(). */
const char *scry_generator_doubt(struct scry_runtime *r, scry_addr gen, const char *qualname)
{
	const struct scry_code *c = code_of(r, gen);
	const char *code = c ? c->name : NULL, *last = last_part(qualname), *text;
	const char *doubt = scry_generator_state_doubt(r, gen);
	scry_addr name;

	if (doubt)
		return doubt;
	if (!code || !strcmp(code, last) || scry_field_read(r, gen, SCRY_F_GEN_NAME, &name) < 0 ||
	    scry_text_at(r, name, 65536, &text) < 0 || strcmp(code, text))
		return NULL;
	return "its name is another function's";
}
