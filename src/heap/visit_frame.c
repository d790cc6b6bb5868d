/* The references of frames, and of generators, which have one in them or refer to one. */
#include "heap/visit_row.h"

#define SLOTS_MAX (1u << 20)

struct span {
	scry_addr at;
	unsigned count;
	bool certain; /* how many there are is known */
};

/* The variables: `slots` words from the frame's first on. A tagged one is borrowed (3.14+). */
static void visit_slots(struct scry_visiting *v, const struct scry_frame *f, scry_addr from)
{
	struct scry_reference ref = { .from = from, .kind = SCRY_SLOT_VARIABLE, .certain = true };
	bool named = scry_code_locals(f->code) == SCRY_OK;
	uint64_t word;

	for (unsigned i = 0; i < f->code->slots && i < SLOTS_MAX; i++) {
		ref.at = f->slots + i * v->rd->ptr;
		if (!scry_reader_word(v->rd, ref.at, &word))
			break;
		ref.to = scry_untag(v->h->runtime, word);
		ref.counted = !(word & v->h->runtime->tag_mask);
		ref.name = named ? f->code->locals[i].name : NULL;
		ref.index = i;
		scry_visit_say(v, &ref);
	}
}

/*
 * The value stack. How much of it is in use a frame keeps only while it does not run: else all of
 * its words are looked at, of which some may be left from before.
 */
static void visit_stack(struct scry_visiting *v, const struct scry_frame *f, scry_addr from,
			struct span stack)
{
	struct scry_reference ref = { .from = from, .kind = SCRY_SLOT_STACK };
	uint64_t word;

	if (stack.count > f->code->stack_size)
		stack.count = f->code->stack_size;
	for (unsigned i = 0; i < stack.count && i < SLOTS_MAX; i++) {
		ref.at = stack.at + i * v->rd->ptr;
		if (!scry_reader_word(v->rd, ref.at, &word))
			break;
		ref.to = scry_untag(v->h->runtime, word);
		ref.certain = stack.certain;
		ref.counted = stack.certain && !(word & v->h->runtime->tag_mask);
		ref.index = i;
		scry_visit_say(v, &ref);
	}
}

/* --- up to 3.10: frames are objects --- */

static struct span stack_of_object(struct scry_visiting *v, const struct scry_frame *f)
{
	scry_addr top = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_FRAME_STACKTOP);
	struct span s = { .at = scry_reader_field(v->rd, v->l, v->addr, SCRY_F_FRAME_VALUESTACK),
			  .count = f->code->stack_size };

	if (scry_layout_has(v->l, SCRY_F_FRAME_STACKDEPTH)) {
		int64_t depth = scry_field_get_int(v->h->runtime, v->addr, SCRY_F_FRAME_STACKDEPTH);

		s.certain = f->stopped && depth >= 0;
		s.count = s.certain ? (unsigned)depth : s.count;
	} else if (top >= s.at && top - s.at <= (uint64_t)f->code->stack_size * v->rd->ptr) {
		s.certain = true;
		s.count = (unsigned)((top - s.at) / v->rd->ptr);
	}
	return s;
}

static void visit_old_frame(struct scry_visiting *v)
{
	static const struct {
		enum scry_field field;
		const char *name;
	} fields[] = {
		{ SCRY_F_FRAME_BACK, "f_back" },
		{ SCRY_F_FRAME_CODE, "f_code" },
		{ SCRY_F_FRAME_BUILTINS, "f_builtins" },
		{ SCRY_F_FRAME_GLOBALS, "f_globals" },
		{ SCRY_F_FRAME_LOCALS, "f_locals" },
		{ SCRY_F_FRAME_TRACE, "f_trace" },
		{ SCRY_F_FRAME_EXC_TYPE, "f_exc_type" },
		{ SCRY_F_FRAME_EXC_VALUE, "f_exc_value" },
		{ SCRY_F_FRAME_EXC_TRACEBACK, "f_exc_traceback" },
	};
	struct scry_frame f;

	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		if (scry_layout_has(v->l, fields[i].field))
			scry_visit_word(v, v->addr + v->l->slot[fields[i].field].offset,
					&(struct scry_reference) { .kind = SCRY_SLOT_NAME,
								   .certain = true,
								   .counted = true,
								   .name = fields[i].name });
	if (scry_frame_at(v->h->runtime, v->addr, &f) < 0 || !f.code || f.code->none ||
	    !f.code->slots_known)
		return;
	visit_slots(v, &f, v->addr);
	visit_stack(v, &f, v->addr, stack_of_object(v, &f));
}

/* --- from 3.11 on: frames are structs, of a thread, a generator or a frame object --- */

static struct span stack_of_struct(struct scry_visiting *v, const struct scry_frame *f)
{
	struct span s = { .at = f->slots + (uint64_t)f->code->slots * v->rd->ptr,
			  .count = f->code->stack_size };
	scry_addr top = scry_reader_field(v->rd, v->l, f->addr, SCRY_F_IFRAME_STACKPOINTER);
	int64_t all = scry_field_get_int(v->h->runtime, f->addr, SCRY_F_IFRAME_STACKTOP);

	if (scry_layout_has(v->l, SCRY_F_IFRAME_STACKTOP) && all >= f->code->slots) {
		s.certain = true;
		s.count = (unsigned)(all - f->code->slots);
	} else if (top >= s.at && top - s.at <= (uint64_t)f->code->stack_size * v->rd->ptr) {
		s.certain = true;
		s.count = (unsigned)((top - s.at) / v->rd->ptr);
	}
	return s;
}

/* Globals and built-ins are borrowed from the function: Include/internal/pycore_frame.h. */
static void visit_struct(struct scry_visiting *v, scry_addr frame, scry_addr from)
{
	static const struct {
		enum scry_field field;
		const char *name;
		bool borrowed;
	} fields[] = {
		{ SCRY_F_IFRAME_CODE, "f_code", false },
		{ SCRY_F_IFRAME_FUNCTION, "f_func", false },
		{ SCRY_F_IFRAME_GLOBALS, "f_globals", true },
		{ SCRY_F_IFRAME_BUILTINS, "f_builtins", true },
		{ SCRY_F_IFRAME_LOCALS, "f_locals", false },
		{ SCRY_F_IFRAME_FRAME_OBJECT, "frame object", false },
	};
	struct scry_frame f;
	uint64_t word;

	if (scry_frame_at(v->h->runtime, frame, &f) < 0 || !f.code || f.code->none)
		return;
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		struct scry_reference ref = { .from = from,
					      .kind = SCRY_SLOT_NAME,
					      .certain = true,
					      .name = fields[i].name };

		if (!scry_layout_has(v->l, fields[i].field))
			continue;
		ref.at = frame + v->l->slot[fields[i].field].offset;
		if (!scry_reader_word(v->rd, ref.at, &word))
			continue;
		ref.to = scry_untag(v->h->runtime, word);
		ref.counted = !fields[i].borrowed && !(word & v->h->runtime->tag_mask);
		/* a frame object that has its frame in itself does not count itself */
		if (ref.to != from)
			scry_visit_say(v, &ref);
	}
	visit_slots(v, &f, from);
	visit_stack(v, &f, from, stack_of_struct(v, &f));
}

static void visit_new_frame(struct scry_visiting *v)
{
	uint32_t owned = v->l->slot[SCRY_F_FRAME_OWNED].offset,
		 inner = v->l->slot[SCRY_F_FRAME_INNER].offset;

	for (uint32_t at = v->l->size[SCRY_S_OBJECT]; at < owned; at += v->rd->ptr)
		if (at != inner)
			scry_visit_word(v, v->addr + at,
					&(struct scry_reference) { .kind = SCRY_SLOT_WORD,
								   .index = at,
								   .counted = true });
	if (owned && scry_reader_field(v->rd, v->l, v->addr, SCRY_F_FRAME_INNER) == v->addr + owned)
		visit_struct(v, v->addr + owned, v->addr);
}

void scry_visit_frame_object(struct scry_visiting *v)
{
	if (scry_trait(v->h->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS))
		visit_old_frame(v);
	else
		visit_new_frame(v);
}

/* --- generators --- */

void scry_visit_generator(struct scry_visiting *v)
{
	uint32_t weak = v->type->weak[0], end = v->l->slot[SCRY_F_GEN_IFRAME].offset;
	scry_addr frame;

	/* up to 3.10 the frame is an object that it refers to, and all words are references */
	if (!end)
		end = v->l->size[SCRY_S_GEN];
	for (uint32_t at = v->l->size[SCRY_S_OBJECT]; at < end; at += v->rd->ptr)
		if (at != weak)
			scry_visit_word(v, v->addr + at,
					&(struct scry_reference) { .kind = SCRY_SLOT_WORD,
								   .index = at,
								   .counted = true });
	frame = v->l->slot[SCRY_F_GEN_IFRAME].offset ? scry_generator_frame(v->h->runtime, v->addr)
						     : 0;
	if (frame)
		visit_struct(v, frame, v->addr);
}

void scry_heap_visit_frame(struct scry_heap *h, scry_addr frame, scry_visit *visit, void *arg)
{
	struct scry_visiting v = { .h = h,
				   .rd = &h->reader,
				   .l = h->runtime->layout,
				   .addr = frame,
				   .visit = visit,
				   .arg = arg };

	visit_struct(&v, frame, frame);
}

bool scry_heap_owns_frame(struct scry_heap *h, const struct scry_frame *f)
{
	uint32_t i = scry_heap_before(h, f->addr);

	/* the object's extent is not asked: what is suspended in it may be damaged */
	return i != SCRY_HEAP_NONE && f->addr != h->objects[i].addr &&
	       f->addr - h->objects[i].addr < scry_heap_bytes(h, i) &&
	       (f->addr - h->objects[i].addr ==
			h->runtime->layout->slot[SCRY_F_GEN_IFRAME].offset ||
		f->addr - h->objects[i].addr ==
			h->runtime->layout->slot[SCRY_F_FRAME_OWNED].offset);
}
