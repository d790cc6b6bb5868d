/* The C function that a Python frame is in a call of. */
#include "object/c_call.h"

#include <string.h>

#include "object/known.h"
#include "object/printer.h"
#include "object/source_consts.h"
#include "object/stack_depth.h"

#define ARG_MAX 255 /* of one call */

/*
 * What a call finds on the value stack, from below: Python/ceval.c up to 3.11, Python/bytecodes.c
 * from 3.12 on.
 *   c  the callable        m  a method and its self, or NULL and the callable
 *   0  unused              s  the callable, and its self or NULL
 *   n  as many arguments as the instruction says
 *   p  the same in its low byte, and pairs of name and value as many as the next byte says
 *   t  a tuple of arguments       k  a tuple of the last arguments' names
 *   d  a dict of keywords         D  the same, where the instruction's lowest bit is set
 *   w  a context manager, or its __exit__(): what is called is its __enter__()
 */
static const struct shape {
	const char *name;
	uint32_t since, until;
	const char *stack;
} shapes[] = {
	{ "CALL_FUNCTION", 0, SCRY_VERSION_OF(3, 6), "cp" },
	{ "CALL_FUNCTION_VAR", 0, SCRY_VERSION_OF(3, 6), "cpt" },
	{ "CALL_FUNCTION_KW", 0, SCRY_VERSION_OF(3, 6), "cpd" },
	{ "CALL_FUNCTION_VAR_KW", 0, SCRY_VERSION_OF(3, 6), "cptd" },
	{ "CALL_FUNCTION", SCRY_VERSION_OF(3, 6), SCRY_VERSION_OF(3, 11), "cn" },
	{ "CALL_FUNCTION_KW", SCRY_VERSION_OF(3, 6), SCRY_VERSION_OF(3, 11), "cnk" },
	{ "CALL_METHOD", SCRY_VERSION_OF(3, 7), SCRY_VERSION_OF(3, 11), "mn" },
	{ "CALL_FUNCTION_EX", SCRY_VERSION_OF(3, 6), SCRY_VERSION_OF(3, 11), "ctD" },
	{ "CALL_FUNCTION_EX", SCRY_VERSION_OF(3, 11), SCRY_VERSION_OF(3, 13), "0ctD" },
	{ "CALL_FUNCTION_EX", SCRY_VERSION_OF(3, 13), SCRY_VERSION_OF(3, 14), "c0tD" },
	{ "CALL_FUNCTION_EX", SCRY_VERSION_OF(3, 14), 0, "c0td" },
	{ "PRECALL", SCRY_VERSION_OF(3, 11), SCRY_VERSION_OF(3, 12), "mn" },
	{ "CALL", SCRY_VERSION_OF(3, 11), SCRY_VERSION_OF(3, 13), "mn" },
	{ "CALL", SCRY_VERSION_OF(3, 13), 0, "sn" },
	{ "CALL_KW", SCRY_VERSION_OF(3, 13), 0, "snk" },
	{ "SETUP_WITH", 0, SCRY_VERSION_OF(3, 11), "w" },
	{ "BEFORE_WITH", SCRY_VERSION_OF(3, 11), SCRY_VERSION_OF(3, 14), "w" },
};

static const char *shape_of(const struct scry_runtime *r, const char *name)
{
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		if (!strcmp(shapes[i].name, name) &&
		    scry_version_in(r->version, shapes[i].since, shapes[i].until))
			return shapes[i].stack;
	return NULL;
}

/* The words that a letter stands for. */
static unsigned words_of(char letter, uint32_t arg)
{
	switch (letter) {
	case 'm':
	case 's':
		return 2;
	case 'n':
		return arg;
	case 'p':
		return (arg & 255) + 2 * (arg >> 8 & 255);
	case 'D':
		return arg & 1;
	default:
		return 1;
	}
}

/* --- the callable --- */

struct call {
	const struct scry_frame *f;
	struct scry_c_call *ret;
	struct scry_instruction at;
	const char *shape;
	unsigned base;   /* slot of the value stack where the call's words begin */
	scry_addr first; /* an argument before those on the stack: self of a method; 0 none */
};

/* Slot `index` of the value stack, 0 where nothing is there. */
static scry_addr value_at(const struct call *c, unsigned index)
{
	const struct scry_frame *f = c->f;
	unsigned ptr = scry_ptr_size(f->runtime);
	scry_addr word;

	if (scry_read_ptr(f->runtime->session, f->slots + (scry_addr)(f->code->slots + index) * ptr,
			  &word) < 0)
		return 0;
	word = scry_untag(f->runtime, word);
	return word % ptr ? 0 : word;
}

static const char *join(struct scry_runtime *r, const char *before, const char *name)
{
	return before && *before ? scry_arena_printf(&r->session->arena, "%s.%s", before, name)
				 : name;
}

static const char *method_of(struct scry_runtime *r, scry_addr type, const char *name)
{
	const char *full;

	return name && scry_type_full_name(r, type, &full) == SCRY_OK ? join(r, full, name) : name;
}

/* A function of a module by the module's name, one of the builtins by its own alone. */
static const char *of_module(struct scry_runtime *r, scry_addr function, const char *name)
{
	scry_addr module = scry_field_get(r, function, SCRY_F_CFUNCTION_MODULE);
	const char *text;

	if (!module || scry_is_none(r, module) || scry_text_at(r, module, 200, &text) < 0 ||
	    !strcmp(text, "builtins") || !strcmp(text, "__builtin__"))
		return name;
	return join(r, text, name);
}

static bool builtin(struct call *c, scry_addr callable)
{
	struct scry_runtime *r = c->f->runtime;
	scry_addr self = scry_field_get(r, callable, SCRY_F_CFUNCTION_SELF);
	struct scry_type *t = NULL;
	const char *name;

	if (scry_builtin_name(r, callable, &name) < 0 || (self && scry_type_for(r, self, &t) < 0))
		return false;
	c->ret->given = self;
	if (!t || scry_type_is(r, t->addr, SCRY_IS_MODULE)) {
		c->ret->function = of_module(r, callable, name);
	} else if (t->flags & TYPE_TYPE) {
		c->ret->function = method_of(r, self, name);
	} else {
		c->ret->function = method_of(r, t->addr, name);
		c->ret->self = self;
	}
	return c->ret->function;
}

/* What LOAD_METHOD finds without binding it, as far as that is of C. */
static bool is_descriptor(struct scry_runtime *r, scry_addr callable)
{
	enum scry_known what = scry_known_of(r, callable);

	return what == SCRY_IS_METHOD_DESCRIPTOR || what == SCRY_IS_CLASSMETHOD_DESCRIPTOR ||
	       what == SCRY_IS_WRAPPER_DESCRIPTOR;
}

/* The first argument is what the method is of. */
static bool descriptor(struct call *c, scry_addr callable)
{
	struct scry_runtime *r = c->f->runtime;
	const char *name = scry_own_name(r, callable, false);

	c->ret->function =
		name ? method_of(r, scry_field_get(r, callable, SCRY_F_DESCR_TYPE), name) : NULL;
	c->ret->self = c->ret->given = c->first;
	c->first = 0;
	return c->ret->function;
}

static bool wrapper(struct call *c, scry_addr callable)
{
	struct scry_runtime *r = c->f->runtime;
	const char *name = scry_own_name(r, callable, false);
	scry_addr descr = scry_field_get(r, callable, SCRY_F_WRAPPER_DESCR);

	c->ret->function =
		name ? method_of(r, scry_field_get(r, descr, SCRY_F_DESCR_TYPE), name) : NULL;
	c->ret->self = scry_field_get(r, callable, SCRY_F_WRAPPER_SELF);
	return c->ret->function;
}

/* A type of the interpreter's or of an extension: a class is what its __init__() shows. */
static bool type_call(struct call *c, scry_addr callable)
{
	struct scry_runtime *r = c->f->runtime;
	struct scry_type *t;

	return scry_type_at(r, callable, &t) == SCRY_OK && scry_type_is_own(r, callable) &&
	       scry_type_full_name(r, callable, &c->ret->function) == SCRY_OK;
}

/* An object that C code calls: functools.partial, a foreign function of ctypes. */
static bool instance(struct call *c, scry_addr callable, const struct scry_type *t)
{
	struct scry_runtime *r = c->f->runtime;
	scry_addr call, owner;

	if (scry_type_lookup(r, t->addr, "__call__", &call, &owner) < 0 ||
	    !scry_is_exactly(r, call, SCRY_IS_WRAPPER_DESCRIPTOR))
		return false;
	c->ret->function = method_of(r, owner, "__call__");
	c->ret->self = callable;
	return true;
}

/* Fills in the function and what it is of; false for what is no C function. */
static bool resolve(struct call *c, scry_addr callable)
{
	struct scry_runtime *r = c->f->runtime;
	struct scry_type *t;

	if (!callable || scry_type_for(r, callable, &t) < 0)
		return false;
	if (is_descriptor(r, callable))
		return c->first && descriptor(c, callable);
	switch (scry_known_type(t)) {
	case SCRY_IS_BUILTIN:
		return builtin(c, callable);
	case SCRY_IS_METHOD_WRAPPER:
		return wrapper(c, callable);
	case SCRY_IS_FUNCTION:
	case SCRY_IS_METHOD:
		return false; /* Python's own, or most often so */
	default:
		return t->flags & TYPE_TYPE ? type_call(c, callable) : instance(c, callable, t);
	}
}

/* --- arguments --- */

static void add(struct scry_c_call *ret, const char *name, scry_addr value)
{
	if (!value)
		return;
	if (ret->count < SCRY_C_CALL_ARGUMENTS)
		ret->arguments[ret->count++] = (struct scry_c_argument) { name, value };
	else
		ret->more = true;
}

static const char *text_of(struct scry_runtime *r, scry_addr str)
{
	const char *text;

	return str && scry_text_at(r, str, 200, &text) == SCRY_OK ? text : "?";
}

/* The last arguments get the names of a tuple. */
static void name_last(struct scry_runtime *r, struct scry_c_call *ret, unsigned total,
		      scry_addr tuple)
{
	unsigned ptr = scry_ptr_size(r);
	scry_addr items, word;
	uint64_t count;

	if (scry_sequence(r, tuple, &count, &items) < 0 || count > total)
		return;
	for (uint64_t i = 0; i < count; i++) {
		uint64_t at = total - count + i;

		if (at < ret->count && scry_word(r, items + i * ptr, &word) == SCRY_OK)
			ret->arguments[at].name = text_of(r, word);
	}
}

static void add_tuple(struct scry_runtime *r, struct scry_c_call *ret, scry_addr tuple)
{
	unsigned ptr = scry_ptr_size(r);
	scry_addr items, word;
	uint64_t count;

	/* a list, say, was made a tuple that only the call holds: Python/ceval.c */
	if (!scry_is_exactly(r, tuple, SCRY_IS_TUPLE) ||
	    scry_sequence(r, tuple, &count, &items) < 0) {
		ret->more = true;
		return;
	}
	for (uint64_t i = 0; i < count && !ret->more; i++)
		add(ret, NULL, scry_word(r, items + i * ptr, &word) == SCRY_OK ? word : 0);
}

static void add_dict(struct scry_runtime *r, struct scry_c_call *ret, scry_addr dict)
{
	scry_addr key, value;

	ret->more |= dict && !scry_is_exactly(r, dict, SCRY_IS_DICT);
	for (uint64_t it = 0;
	     dict && !ret->more && scry_dict_next(r, dict, &it, &key, &value) == SCRY_ITEM;)
		add(ret, text_of(r, key), value);
}

static void add_pairs(const struct call *c, unsigned index, bool skip)
{
	unsigned plain = c->at.arg & 255;

	for (unsigned i = skip; i < plain; i++)
		add(c->ret, NULL, value_at(c, index + i));
	for (unsigned i = 0; i < (c->at.arg >> 8 & 255); i++)
		add(c->ret, text_of(c->f->runtime, value_at(c, index + plain + 2 * i)),
		    value_at(c, index + plain + 2 * i + 1));
}

static scry_addr keywords_of(const struct call *c)
{
	struct scry_runtime *r = c->f->runtime;
	uint64_t count;
	scry_addr items, word;
	uint32_t index;

	if (!scry_keywords_of(c->f->code, c->f->lasti, &index) ||
	    !scry_code_tuple(c->f->code, SCRY_F_CODE_CONSTS, &count, &items) || index >= count ||
	    scry_word(r, items + (scry_addr)index * scry_ptr_size(r), &word) < 0)
		return 0;
	return word;
}

/* Past what belongs to the callable. `skip`: of the first ones, self already told. */
static void collect(const struct call *c, bool skip)
{
	struct scry_runtime *r = c->f->runtime;
	unsigned index = c->base, total = 0;
	scry_addr names;

	if (c->first)
		add(c->ret, NULL, c->first);
	for (const char *p = c->shape; *p; index += words_of(*p++, c->at.arg)) {
		if (*p == 'n') {
			c->ret->stack =
				c->f->slots +
				(scry_addr)(c->f->code->slots + index + skip) * scry_ptr_size(r);
			for (unsigned i = skip; i < c->at.arg; i++)
				add(c->ret, NULL, value_at(c, index + i));
			total = c->ret->count;
			if ((names = keywords_of(c)))
				name_last(r, c->ret, total, names);
			c->ret->names = names;
		} else if (*p == 'p') {
			add_pairs(c, index, skip);
		} else if (*p == 'k') {
			c->ret->names = value_at(c, index);
			name_last(r, c->ret, total, c->ret->names);
		} else if (*p == 't') {
			add_tuple(r, c->ret, value_at(c, index));
		} else if ((*p == 'd' || *p == 'D') && words_of(*p, c->at.arg)) {
			add_dict(r, c->ret, value_at(c, index));
		}
	}
}

/* --- the frame --- */

/* Where the arguments begin, after the words of the callable. */
static unsigned arguments_at(const struct call *c)
{
	unsigned index = c->base;

	for (const char *p = c->shape; strchr("c0ms", *p) && *p; p++)
		index += words_of(*p, c->at.arg);
	return index;
}

/* A method of the value stack's two words, in either order; else the callable. */
static scry_addr callable_of(struct call *c)
{
	scry_addr one = value_at(c, c->base), two = value_at(c, c->base + 1);

	/* where something else is in the first place, that is the result by now */
	switch (*c->shape) {
	case 'm': /* a method and its self; NULL and the callable */
		if (!one)
			return two;
		c->first = two;
		return is_descriptor(c->f->runtime, one) ? one : 0;
	case 's':
		c->first = two;
		return one;
	case '0':
		return one ? 0 : two;
	default:
		return one;
	}
}

static bool is_call(struct call *c)
{
	scry_addr callable = callable_of(c);
	bool any = strchr(c->shape, 'n') ? c->at.arg : strchr(c->shape, 'p') ? c->at.arg & 255 : 0;
	bool skip = false;

	/* a descriptor called by itself: list.append(a, 1) */
	if (!c->first && any && callable && is_descriptor(c->f->runtime, callable)) {
		c->first = value_at(c, arguments_at(c));
		skip = true;
	}
	if (!resolve(c, callable))
		return false;
	c->ret->callable = callable;
	collect(c, skip);
	return true;
}

/*
 * The with statement has ended its __enter__() once its block is on the frame's stack of blocks: up
 * to 3.10 (PyTryBlock, Include/frameobject.h: three ints: type, handler, level).
 */
static bool has_entered(const struct call *c)
{
	struct scry_runtime *r = c->f->runtime;
	const struct scry_slot *blocks = &r->layout->slot[SCRY_F_FRAME_BLOCKSTACK];
	int64_t count = scry_field_get_int(r, c->f->addr, SCRY_F_FRAME_IBLOCK);
	uint64_t level = 0;

	return blocks->size && count > 0 && count <= blocks->size / 12 &&
	       scry_read_uint(r->session,
			      c->f->addr + blocks->offset + (uint64_t)(count - 1) * 12 + 8, 4,
			      &level) == SCRY_OK &&
	       level == c->base + 1;
}

/* SETUP_WITH, BEFORE_WITH: up to 3.11 the bound __exit__ has replaced the manager by now. */
static bool is_enter(struct call *c)
{
	struct scry_runtime *r = c->f->runtime;
	scry_addr manager = value_at(c, c->base), function, owner;
	struct scry_type *t;
	const char *name;

	if (!manager || has_entered(c))
		return false;
	if (scry_is_exactly(r, manager, SCRY_IS_BUILTIN)) {
		if (scry_builtin_name(r, manager, &name) < 0 || strcmp(name, "__exit__"))
			return false;
		manager = scry_field_get(r, manager, SCRY_F_CFUNCTION_SELF);
	}
	if (!manager || scry_type_for(r, manager, &t) < 0 ||
	    scry_type_lookup(r, t->addr, "__enter__", &function, &owner) < 0 ||
	    !scry_is_exactly(r, function, SCRY_IS_METHOD_DESCRIPTOR))
		return false;
	c->ret->function = method_of(r, owner, "__enter__");
	c->ret->self = manager;
	return true;
}

/*
 * A tool's function (sys.settrace(), sys.setprofile()) gets the frame as an argument; it may be
 * called before the C function is, or after.
 */
static bool is_told(const struct scry_frame *f, const struct scry_newer *newer)
{
	unsigned ptr = scry_ptr_size(f->runtime);
	scry_addr word;

	for (unsigned i = 0; i < 2 && newer->slots && f->frame_object; i++)
		if (scry_word(f->runtime, newer->slots + i * ptr, &word) == SCRY_OK &&
		    scry_untag(f->runtime, word) == f->frame_object)
			return true;
	return false;
}

void scry_newer_set(struct scry_newer *n, const struct scry_frame *f)
{
	if (f->kind == SCRY_FRAME_NATIVE)
		return;
	*n = (struct scry_newer) { .any = true,
				   .entry = f->entry,
				   .doubtful = !f->code || f->code->damaged || f->compiled,
				   .slots = f->slots };
}

static bool can_be(const struct scry_frame *f, const struct scry_newer *newer)
{
	bool in_one = !scry_trait(f->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS);

	return f->code && !f->code->damaged && !f->stopped && !f->incomplete && !f->compiled &&
	       f->kind != SCRY_FRAME_DAMAGED && f->lasti >= 0 && f->slots && !f->where &&
	       !f->runtime->pypy && !newer->doubtful && (!newer->any || newer->entry || !in_one) &&
	       (f->code->slots_known || in_one);
}

bool scry_c_call_of(const struct scry_frame *f, const struct scry_newer *newer,
		    struct scry_c_call *ret)
{
	struct call c = { .f = f, .ret = ret };
	unsigned words = 0;

	if (!can_be(f, newer) || !scry_instruction_at(f->code, f->lasti, &c.at) ||
	    !(c.shape = shape_of(f->runtime, c.at.name)) || c.at.arg > ARG_MAX << 8)
		return false;
	for (const char *p = c.shape; *p; p++)
		words += words_of(*p, c.at.arg);
	int depth = scry_stack_depth(f->code, f->lasti);
	if (depth < 0 || (unsigned)depth < words || words > ARG_MAX ||
	    (unsigned)depth > f->code->stack_size)
		return false;
	struct scry_error before = f->runtime->session->error;
	c.base = (unsigned)depth - words;
	*ret = (struct scry_c_call) { .runtime = f->runtime };
	bool found = *c.shape == 'w' ? is_enter(&c) : is_call(&c);
	f->runtime->session->error = before;
	return found && !is_told(f, newer);
}
