/* What code loads by name, and what that is in a frame: `self.lock` of self.lock.acquire(). */
#include <stdlib.h>
#include <string.h>

#include "object/known.h"
#include "object/model.h"
#include "object/opcodes.h"
#include "wait/wait.h"

#define CODE_MAX  (1u << 20) /* bytes of code that are looked at */
#define ROOM_STEP 16

static struct scry_load *add(struct scry_loads *l, struct scry_arena *arena,
			     const struct scry_load *load)
{
	struct scry_load *list =
		scry_arena_grow(arena, l->list, l->count, &l->room, sizeof(*list), ROOM_STEP);

	if (!list)
		return NULL;
	l->list = list;
	list[l->count] = *load;
	return &list[l->count++];
}

/* The argument of a call is how many it is given; of CALL_FUNCTION_EX and _VAR nobody knows. */
static void add_call(struct scry_loads *l, struct scry_arena *arena,
		     const struct scry_instruction *i)
{
	struct scry_call_made *calls = scry_arena_grow(arena, l->calls, l->call_count,
						       &l->call_room, sizeof(*calls), ROOM_STEP);

	if (!calls)
		return;
	l->calls = calls;
	calls[l->call_count++] =
		(struct scry_call_made) { i->offset + i->size, i->arg || strstr(i->name, "_EX") ||
								       strstr(i->name, "_VAR") };
}

/* Only jumps forward: they part what runs from what does not within one pass over the code. */
static void add_jump(struct scry_loads *l, struct scry_arena *arena, uint32_t at, int64_t target)
{
	struct scry_jump *jumps;

	if (target <= at || target > CODE_MAX)
		return;
	jumps = scry_arena_grow(arena, l->jumps, l->jump_count, &l->jump_room, sizeof(*jumps),
				ROOM_STEP);
	if (!jumps)
		return;
	l->jumps = jumps;
	jumps[l->jump_count++] = (struct scry_jump) { at, (uint32_t)target };
}

static bool starts(const char *name, const char *with)
{
	return !strncmp(name, with, strlen(with));
}

/* Instructions that may stand between a load and what uses it, and leave it on top. */
static bool passes(const char *name)
{
	static const char *const names[] = { "PUSH_NULL", "NOP", "CACHE", "EXTENDED_ARG",
					     "PRECALL" };

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/*
 * The variable that an instruction loads last, NULL none. Two of LOAD_FAST_LOAD_FAST (3.13+):
 * Include/internal/pycore_opcode_metadata.h.
 */
static const char *variable_of(struct scry_code *c, const struct scry_instruction *i,
			       bool *ret_global)
{
	const char *second = starts(i->name, "LOAD_FAST") ? strstr(i->name + 5, "LOAD_FAST") : NULL;
	uint32_t index = second ? i->arg & 15 : i->arg;

	*ret_global = i->kind == 'n';
	if (!starts(i->name, "LOAD_") || strstr(i->name, "SUPER") || strstr(i->name, "BUILD_CLASS"))
		return NULL;
	if (i->kind == 'n')
		return scry_instruction_name(c, i);
	if ((i->kind != 'l' && i->kind != 'f') || scry_code_locals(c) < 0)
		return NULL;
	/* up to 3.10 cells and free variables are counted by themselves */
	if (i->kind == 'f' && !scry_layout_has(c->runtime->layout, SCRY_F_CODE_LOCALSPLUSNAMES))
		index += c->nlocals;
	return index < c->slots ? c->locals[index].name : NULL;
}

/* 3.12+ has methods loaded by LOAD_ATTR too, with a bit in its argument: the names say both. */
static bool is_attribute(const struct scry_instruction *i)
{
	return i->kind == 'n' && (starts(i->name, "LOAD_ATTR") || starts(i->name, "LOAD_METHOD"));
}

/*
 * One pass in order of the code: a load is followed by attributes of what it loaded, until another
 * instruction takes it. Loops and branches make no difference to what a name means.
 */
static void decode(struct scry_loads *l, struct scry_arena *arena)
{
	struct scry_instructions w;
	struct scry_instruction i;
	struct scry_load now = { 0 };

	if (scry_instructions_open(&w, l->code) < 0)
		return;
	while (scry_instruction_next(&w, &i) == SCRY_ITEM && i.offset < CODE_MAX) {
		bool global;
		const char *name;

		if (is_attribute(&i) && now.count && now.count < SCRY_LOAD_PARTS &&
		    (name = scry_instruction_name(l->code, &i))) {
			now.parts[now.count++] = name;
		} else if (!is_attribute(&i) && (name = variable_of(l->code, &i, &global))) {
			now = (struct scry_load) { .at = i.offset, .parts = { name }, .count = 1 };
			now.global = global;
		} else {
			if (starts(i.name, "CALL"))
				add_call(l, arena, &i);
			/*
			 * SETUP_FINALLY and SETUP_WITH name a handler, which is no way that the
			 * code goes by itself
			 */
			if (!starts(i.name, "SETUP_"))
				add_jump(l, arena, i.offset, i.target);
			if (!passes(i.name))
				now.count = 0;
			continue;
		}
		now.end = i.offset + i.size;
		if (!add(l, arena, &now))
			return;
	}
}

/* Beside the codes themselves: their addresses are even. */
static uint64_t key_of(const struct scry_code *c)
{
	return c->addr | 1;
}

const struct scry_loads *scry_loads_of(struct scry_waits *w, struct scry_code *c)
{
	struct scry_loads *l = scry_hash_find(&w->codes, key_of(c));

	if (l || c->damaged)
		return l;
	l = scry_arena_alloc(&w->session->arena, sizeof(*l));
	if (!l || !scry_hash_put(&w->codes, key_of(c), l))
		return NULL;
	l->code = c;
	decode(l, &w->session->arena);
	return l;
}

/* LOAD_NAME of a module or class body looks into its namespace first. */
static scry_addr global_value(const struct scry_frame *f, const char *name)
{
	scry_addr value;

	if (f->locals && scry_dict_get(f->runtime, f->locals, name, &value) == SCRY_OK)
		return value;
	value = scry_frame_global(f, name);
	if (!value && f->builtins && scry_dict_get(f->runtime, f->builtins, name, &value) < 0)
		value = 0;
	return value;
}

scry_addr scry_load_value(const struct scry_frame *f, const struct scry_load *l, unsigned count)
{
	scry_addr value =
		l->global ? global_value(f, l->parts[0]) : scry_frame_variable(f, l->parts[0]);

	for (unsigned i = 1; value && i < count; i++)
		if (scry_attr(f->runtime, value, l->parts[i], &value) < 0)
			value = 0;
	return value;
}

static const char *text_of(struct scry_waits *w, const struct scry_load *l, unsigned count)
{
	struct scry_buf text = SCRY_BUF_INIT;

	for (unsigned i = 0; i < count; i++) {
		if (i)
			scry_buf_putc(&text, '.');
		scry_buf_puts(&text, l->parts[i]);
	}
	const char *copy = scry_arena_text(&w->session->arena, text.text, text.len);
	scry_buf_done(&text);
	return copy;
}

/* The first parts of `a.acquire` where that is a method of the object itself, 0 where it is not. */
static unsigned owner_parts(const struct scry_frame *f, const struct scry_load *l, scry_addr object)
{
	scry_addr value =
		(int64_t)l->at <= f->lasti && l->count > 1 ? scry_load_value(f, l, l->count) : 0;

	return value && scry_is_exactly(f->runtime, value, SCRY_IS_BUILTIN) &&
			       scry_field_get(f->runtime, value, SCRY_F_CFUNCTION_SELF) == object
		       ? l->count - 1
		       : 0;
}

scry_addr scry_owner_in_frame(struct scry_waits *w, const struct scry_frame *f, scry_addr object)
{
	const struct scry_loads *l = f->code && object ? scry_loads_of(w, f->code) : NULL;

	for (size_t i = l ? l->count : 0; i-- > 0;) {
		unsigned parts = owner_parts(f, &l->list[i], object);

		if (parts)
			return scry_load_value(f, &l->list[i], parts);
	}
	return 0;
}

/* What it loaded last before the instruction that it is in; else any variable that has it. */
const char *scry_name_in_frame(struct scry_waits *w, const struct scry_frame *f, scry_addr object)
{
	const struct scry_loads *l = f->code && object ? scry_loads_of(w, f->code) : NULL;
	struct scry_local local;

	for (size_t i = l ? l->count : 0; i-- > 0;) {
		unsigned count = l->list[i].count;
		scry_addr value = (int64_t)l->list[i].at <= f->lasti
					  ? scry_load_value(f, &l->list[i], count)
					  : 0;

		if (value && value == object)
			return text_of(w, &l->list[i], count);
		if ((count = owner_parts(f, &l->list[i], object)))
			return text_of(w, &l->list[i], count);
	}
	for (unsigned it = 0; scry_frame_local_next(f, &it, &local) == SCRY_ITEM;)
		if (local.value == object)
			return local.name;
	return NULL;
}
