/* The value stack of a frame: what its instruction works with, and the with blocks around it. */
#include <string.h>

#include "object/known.h"
#include "object/opcodes.h"
#include "wait/wait.h"

#define DEPTH_MAX 4096 /* words of a value stack */

static unsigned stack_size(const struct scry_frame *f)
{
	/* since 3.11 the code object itself says how many variables there are */
	bool known =
		f->code && f->slots &&
		(f->code->slots_known || !scry_trait(f->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS));

	if (!known)
		return 0;
	return f->code->stack_size > DEPTH_MAX ? DEPTH_MAX : f->code->stack_size;
}

/* Slot `index` of the value stack, which comes after the variables: 0 where nothing is there. */
static scry_addr value_at(const struct scry_frame *f, unsigned index)
{
	struct scry_runtime *r = f->runtime;
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr word, at = f->slots + (scry_addr)(f->code->slots + index) * ptr;

	if (scry_read_ptr(r->session, at, &word) < 0)
		return 0;
	word = scry_untag(r, word);
	return word % ptr ? 0 : word;
}

scry_addr scry_bound_to(struct scry_runtime *r, scry_addr method, const char **ret_name)
{
	scry_addr self = 0;

	*ret_name = NULL;
	switch (scry_known_of(r, method)) {
	case SCRY_IS_BUILTIN:
		self = scry_field_get(r, method, SCRY_F_CFUNCTION_SELF);
		if (scry_builtin_name(r, method, ret_name) < 0)
			*ret_name = NULL;
		break;
	case SCRY_IS_METHOD:
		self = scry_field_get(r, method, SCRY_F_METHOD_SELF);
		*ret_name = scry_own_name(r, scry_field_get(r, method, SCRY_F_METHOD_FUNC), false);
		break;
	default:
		break;
	}
	return self;
}

int scry_frame_value_next(const struct scry_frame *f, unsigned *it, scry_addr *ret)
{
	const char *name;

	/* two steps for each slot: the value, and what it is bound to */
	while (*it < 2 * stack_size(f)) {
		unsigned step = (*it)++;
		scry_addr value = value_at(f, step / 2);

		if (value && step % 2)
			value = scry_bound_to(f->runtime, value, &name);
		if (value) {
			*ret = value;
			return SCRY_ITEM;
		}
	}
	return SCRY_OK;
}

/*
 * Up to 3.10 a frame keeps the blocks that it is in: PyTryBlock, Include/frameobject.h: three ints:
 * type, handler, level. What stands below the level stays until the block ends.
 */
static unsigned kept_by_blocks(const struct scry_frame *f)
{
	struct scry_runtime *r = f->runtime;
	const struct scry_slot *blocks = &r->layout->slot[SCRY_F_FRAME_BLOCKSTACK];
	int64_t count = scry_field_get_int(r, f->addr, SCRY_F_FRAME_IBLOCK);
	uint64_t level;
	unsigned most = 0;

	if (!blocks->size || count > blocks->size / 12)
		return 0;
	for (int64_t i = 0; i < count; i++)
		if (scry_read_uint(r->session, f->addr + blocks->offset + (uint64_t)i * 12 + 8, 4,
				   &level) == SCRY_OK &&
		    level <= stack_size(f) && level > most)
			most = (unsigned)level;
	return most;
}

unsigned scry_frame_kept(const struct scry_frame *f)
{
	struct scry_exception_table t;
	struct scry_exception_entry e;

	if (!f->code || f->lasti < 0)
		return 0;
	if (scry_trait(f->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS))
		return kept_by_blocks(f);
	scry_exception_table_open(&t, f->code);
	while (scry_exception_table_next(&t, &e) == SCRY_ITEM)
		if (f->lasti >= e.start && f->lasti < e.end)
			return e.depth <= stack_size(f) ? e.depth : 0;
	return 0;
}

/*
 * A with block keeps __exit__ bound to its object; 3.14+ the function, and the object after it
 * where it is not bound (LOAD_SPECIAL, Python/bytecodes.c).
 */
static scry_addr exit_of(const struct scry_frame *f, unsigned index, unsigned depth,
			 const char **ret_name)
{
	scry_addr value = value_at(f, index), self;

	if (!value)
		return 0;
	self = scry_bound_to(f->runtime, value, ret_name);
	if (self || index + 1 >= depth)
		return self;
	struct scry_type *t;

	switch (scry_known_of(f->runtime, value)) {
	case SCRY_IS_FUNCTION:
	case SCRY_IS_METHOD_DESCRIPTOR:
		break;
	default:
		if (scry_type_for(f->runtime, value, &t) < 0 ||
		    !scry_is_cythons(f->runtime, t, "cython_function_or_method"))
			return 0;
	}
	*ret_name = scry_own_name(f->runtime, value, false);
	return value_at(f, index + 1);
}

int scry_frame_with_next(const struct scry_frame *f, unsigned *it, scry_addr *ret, bool *ret_async)
{
	unsigned depth = scry_frame_kept(f);

	while (*it < depth) {
		const char *name = NULL;
		scry_addr object = exit_of(f, (*it)++, depth, &name);

		if (!object || !name)
			continue;
		*ret_async = !strcmp(name, "__aexit__");
		if (*ret_async || !strcmp(name, "__exit__")) {
			*ret = object;
			return SCRY_ITEM;
		}
	}
	return SCRY_OK;
}
