/* C variables of a frame. */
#include "native/variables.h"

#include <dwarf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "native/api_function.h"
#include "native/called.h"
#include "native/cfi.h"
#include "native/ctype.h"
#include "native/place.h"
#include "object/object.h"
#include "symbol/dwarf.h"

#define FRAMES_MAX    20000
#define VARIABLES_MAX 200 /* of one function */
#define BLOCKS_MAX    32
#define VALUE_MAX     4096 /* bytes */
#define REPR_MAX      100
#define DOUBTFUL      "the frame was found by searching the stack: its registers are not known"

/* --- frames --- */

/* Doubled at each power of two: no count of the room is needed. */
static bool keep(void *arg, const struct scry_native_frame *frame)
{
	struct scry_frames *f = arg;

	if (!(f->count & (f->count - 1))) {
		size_t room = f->count ? 2 * f->count : 1;
		struct scry_native_frame *more = realloc(f->frames, room * sizeof(*more));

		if (!more)
			return false;
		f->frames = more;
	}
	f->frames[f->count++] = *frame;
	return f->count < FRAMES_MAX;
}

int scry_frames_read(struct scry_thread *t, struct scry_frames *ret)
{
	*ret = (struct scry_frames) { .thread = t };
	if (scry_thread_is_gone(t))
		return SCRY_OK;
	scry_unwind(t->session, scry_os_thread_regs(t->session->target, t->os), keep, ret);
	return SCRY_OK;
}

void scry_frames_done(struct scry_frames *f)
{
	free(f->frames);
	*f = (struct scry_frames) { 0 };
}

/* A recursion has one pc many times; the stack pointer tells the calls apart. */
size_t scry_frames_find(const struct scry_frames *f, const struct scry_c_frame *frame)
{
	for (size_t i = 0; i < f->count && !frame->is_saved; i++)
		if (f->frames[i].pc == frame->pc &&
		    f->frames[i].regs.value[f->frames[i].regs.arch->sp] == frame->sp)
			return i;
	return SIZE_MAX;
}

/* --- a scope --- */

static unsigned dies_at(struct scry_frames *f, size_t index, scry_addr *ret_bias, Dwarf_Die *list)
{
	const struct scry_native_frame *frame = &f->frames[index];

	return scry_place_dies(f->thread->session, frame->pc - frame->is_call, ret_bias, list);
}

bool scry_scope_open(struct scry_scope *scope, struct scry_frames *f, size_t index)
{
	Dwarf_Die list[SCRY_INLINED_MAX];
	const struct scry_native_frame *frame = &f->frames[index];
	unsigned count = dies_at(f, index, &scope->bias, list);

	if (!count)
		return false;
	scope->frames = f;
	scope->index = index;
	scope->frame = frame;
	/*
	 * the return address may be the first of another block, or of the next function after a
	 * call that does not return
	 */
	scope->at = frame->pc - frame->is_call - scope->bias;
	scope->function = list[0];
	return true;
}

/* --- one variable --- */

struct reading {
	struct scry_scope *scope;
	struct scry_session *session;
	scry_variable_fn *each;
	void *arg;
	bool doubtful; /* a guess of unwinding lies between: its registers may be anything */
	bool outer;    /* the function is not inlined: it was entered by a call */
	bool args_known;
	uint64_t args; /* how many objects its `args` has: PyObject *const *args, size_t nargsf */
	unsigned count, parameters;       /* met so far */
	const struct scry_called *called; /* Python called the function itself; NULL: no */
};

static const char *kept_text(struct reading *r, const struct scry_buf *text)
{
	return text->text ? scry_arena_text(&r->session->arena, text->text, text->len) : "";
}

/* The bytes of the value, in *room or where they stand; NULL where they cannot be read. */
static const uint8_t *bytes_of(struct reading *r, const struct scry_place_of *p, uint64_t size,
			       uint8_t *room)
{
	if (p->kind == SCRY_IN_BYTES || p->kind == SCRY_IN_PIECES)
		return p->len >= size ? p->bytes : NULL;
	if (p->kind == SCRY_IN_MEMORY)
		return scry_read(r->session, p->word, room, size) == SCRY_OK ? room : NULL;
	if (size > 8)
		return NULL;
	memcpy(room, &p->word, 8); /* all machines here are little-endian */
	return room;
}

/* What it points to, where that is an object. */
static void set_object(struct reading *r, Dwarf_Die *type, const uint8_t *bytes,
		       struct scry_variable *v)
{
	scry_addr at = scry_load(bytes, r->session->target->abi.ptr_size, false);

	if (!scry_ctype_is_object(type))
		return;
	for (struct scry_runtime *each = scry_runtime_first(r->session); each && !v->runtime;
	     each = each->next)
		if (scry_is_object(each, at)) {
			v->runtime = each;
			v->object = at;
		}
}

static void set_value(struct reading *r, Dwarf_Die *type, const struct scry_place_of *p,
		      struct scry_variable *v);

/* A pointer to what has no address any more (DWARF 5, 2.6.1.1.4): what it would lead to. */
static void set_pointed(struct reading *r, Dwarf_Die *type, const struct scry_place_of *p,
			struct scry_variable *v)
{
	struct scry_variable of = { .name = v->name, .state = SCRY_VARIABLE_LOST, .reg = -1 };
	struct scry_place_of place = { .kind = SCRY_IN_NOTHING };
	Dwarf_Die to = p->to, plain, what;
	Dwarf_Attribute attr;
	SCRY_AUTO_BUF(text);

	v->location = p->text;
	v->how = "it points to a value that has no address any more";
	if (p->offset || !scry_ctype_plain(type, &plain) || !scry_ctype_inner(&plain, &what))
		return;
	if (dwarf_attr(&to, DW_AT_location, &attr))
		scry_location(r->scope, &attr, &place);
	if (place.kind == SCRY_IN_NOTHING || place.kind == SCRY_IN_POINTER)
		return;
	set_value(r, &what, &place, &of);
	if (!of.value)
		return;
	scry_buf_printf(&text, "-> %s", of.value);
	v->value = kept_text(r, &text);
	v->location = scry_arena_printf(&r->session->arena, "%s to %s", p->text,
					of.location ? of.location : "?");
	v->state = of.state;
	v->how = of.how;
}

static void set_value(struct reading *r, Dwarf_Die *type, const struct scry_place_of *p,
		      struct scry_variable *v)
{
	uint64_t size = scry_ctype_size(type, r->session->target->abi.ptr_size);
	uint8_t *room = size && size <= VALUE_MAX ? malloc(size + 8) : NULL;
	const uint8_t *bytes =
		room && p->kind != SCRY_IN_POINTER ? bytes_of(r, p, size, room) : NULL;
	SCRY_AUTO_BUF(text);

	if (p->kind == SCRY_IN_POINTER) {
		set_pointed(r, type, p, v);
	} else if (bytes) {
		scry_ctype_value(r->session, type, bytes, p->mask, size, &text);
		if (r->args_known && !strcmp(v->name, "args") && scry_ctype_is_objects(type)) {
			scry_buf_putc(&text, ' ');
			scry_ctype_objects(r->session, scry_load(bytes, (unsigned)size, false),
					   r->args, &text);
		}
		if (!p->mask || !memchr(p->mask, 0, size))
			set_object(r, type, bytes, v);
		v->value = kept_text(r, &text);
		v->location = p->text;
		v->address = p->kind == SCRY_IN_MEMORY ? p->word : 0;
		v->reg = p->kind == SCRY_IN_REGISTER ? p->reg : -1;
		v->state = p->recovered ? SCRY_VARIABLE_RECOVERED : SCRY_VARIABLE_HERE;
		v->how = p->recovered ? p->how : NULL;
	} else {
		v->location = p->text;
		v->how = p->how ? p->how : "its memory cannot be read";
	}
	free(room);
}

/*
 * An argument that is nowhere any more: where it was when the function was entered, and what. The
 * location list says where the argument was on entry: a register, whose value then the caller or
 * its code may still have, or a place relative to one.
 */
static void recover_argument(struct reading *r, Dwarf_Attribute *attr, Dwarf_Die *type,
			     struct scry_variable *v)
{
	struct scry_place_of p = { .kind = SCRY_IN_VALUE, .recovered = true };
	Dwarf_Addr entry;
	Dwarf_Op *ops;
	size_t count;

	if (!r->outer || dwarf_entrypc(&r->scope->function, &entry) != 0 ||
	    dwarf_getlocation_addr(attr, entry, &ops, &count, 1) != 1 || count != 1)
		return;
	bool in_register = ops[0].atom >= DW_OP_reg0 && ops[0].atom <= DW_OP_reg31;
	bool behind = ops[0].atom >= DW_OP_breg0 && ops[0].atom <= DW_OP_breg31;
	unsigned base = in_register ? DW_OP_reg0 : DW_OP_breg0;
	int reg = in_register || behind
			  ? scry_reg_by_dwarf(r->scope->frame->regs.arch, ops[0].atom - base)
			  : -1;
	if (reg < 0 || !scry_entry_value(r->scope, reg, &p.word, &p.how))
		return;
	if (behind) {
		p.kind = SCRY_IN_MEMORY;
		p.word += ops[0].number;
		p.text = scry_arena_printf(&r->session->arena, "0x%" PRIx64, p.word);
	}
	set_value(r, type, &p, v);
}

/* An argument by the Python frame that called the function. */
static void recover_called(struct reading *r, unsigned number, Dwarf_Die *type,
			   struct scry_variable *v)
{
	struct scry_called_parameter c;
	struct scry_place_of p = { .kind = SCRY_IN_VALUE, .recovered = true };

	if (!r->called || !scry_called_parameter(r->called, number, &c) || !c.known ||
	    scry_ctype_is_object(type) != c.is_object)
		return;
	p.word = c.value;
	p.how = r->called->how;
	set_value(r, type, &p, v);
}

static void read_variable(struct reading *r, Dwarf_Die *die)
{
	unsigned number = r->parameters;

	struct scry_variable v = { .is_parameter = dwarf_tag(die) == DW_TAG_formal_parameter,
				   .state = SCRY_VARIABLE_LOST,
				   .reg = -1 };
	Dwarf_Attribute attr;
	Dwarf_Die type;

	r->parameters += v.is_parameter;
	const char *name = dwarf_formstring(dwarf_attr_integrate(die, DW_AT_name, &attr));
	bool typed = dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attr), &type) != NULL;
	struct scry_place_of p = { .kind = SCRY_IN_NOTHING };

	if (!name || !typed || r->count++ >= VARIABLES_MAX)
		return;
	SCRY_AUTO_BUF(text);
	scry_ctype_name(&type, &text);
	v.type = kept_text(r, &text);
	v.name = scry_arena_text(&r->session->arena, name, strlen(name));
	if (dwarf_attr(die, DW_AT_location, &attr)) {
		scry_location(r->scope, &attr, &p);
	} else if (dwarf_attr_integrate(die, DW_AT_const_value, &attr)) {
		Dwarf_Word word;

		if (dwarf_formudata(&attr, &word) == 0)
			p = (struct scry_place_of) { .kind = SCRY_IN_VALUE,
						     .word = word,
						     .text = "constant" };
	} else {
		p.how = "the compiler kept no location of it";
	}
	if (r->doubtful)
		p = (struct scry_place_of) { .kind = SCRY_IN_NOTHING, .how = DOUBTFUL };
	v.how = p.how;
	v.ctype = type;
	if (p.kind != SCRY_IN_NOTHING)
		set_value(r, &type, &p, &v);
	else if (v.is_parameter && !r->doubtful && dwarf_attr(die, DW_AT_location, &attr))
		recover_argument(r, &attr, &type, &v);
	if (v.state == SCRY_VARIABLE_LOST && v.is_parameter && r->outer)
		recover_called(r, number, &type, &v);
	r->each(r->arg, &v);
}

/* PY_VECTORCALL_ARGUMENTS_OFFSET: the highest bit of nargsf is a flag (abstract.h, 3.8+). */
static void count_args(struct reading *r, Dwarf_Die *function)
{
	Dwarf_Die die;
	unsigned bits = 8 * r->session->target->abi.ptr_size;

	for (int rc = dwarf_child(function, &die); rc == 0; rc = dwarf_siblingof(&die, &die)) {
		Dwarf_Attribute attr;
		struct scry_place_of p;
		const char *name = dwarf_formstring(dwarf_attr_integrate(&die, DW_AT_name, &attr));

		if (dwarf_tag(&die) != DW_TAG_formal_parameter || !name ||
		    (strcmp(name, "nargs") && strcmp(name, "nargsf")) ||
		    !dwarf_attr(&die, DW_AT_location, &attr))
			continue;
		scry_location(r->scope, &attr, &p);
		r->args = p.word & (((uint64_t)1 << (bits - 1)) - 1);
		r->args_known = p.kind == SCRY_IN_REGISTER || p.kind == SCRY_IN_VALUE;
	}
}

/* A block counts only where the pc is in it: two variables of one name in two blocks are two. */
static void read_block(struct reading *r, Dwarf_Die *block, unsigned depth)
{
	Dwarf_Die die;

	for (int rc = dwarf_child(block, &die); rc == 0; rc = dwarf_siblingof(&die, &die)) {
		int tag = dwarf_tag(&die);

		if ((tag == DW_TAG_formal_parameter || tag == DW_TAG_variable) &&
		    !dwarf_hasattr(&die, DW_AT_external))
			read_variable(r, &die);
		else if (tag == DW_TAG_lexical_block && depth < BLOCKS_MAX &&
			 dwarf_haspc(&die, r->scope->at) == 1)
			read_block(r, &die, depth + 1);
	}
}

static void put_word(const char *type, uint64_t word, struct scry_buf *out)
{
	if (strchr(type, '*'))
		scry_buf_printf(out, "0x%" PRIx64, word);
	else if (!strcmp(type, "int")) /* the upper half of its register is not its own */
		scry_buf_printf(out, "%" PRId32, (int32_t)word);
	else if (!strcmp(type, "Py_ssize_t"))
		scry_buf_printf(out, "%" PRId64, (int64_t)word);
	else
		scry_buf_printf(out, "%" PRIu64, word);
}

/* A parameter of a function that no debug information describes. */
static void give_parameter(struct reading *r, struct scry_runtime *runtime,
			   const struct scry_called_parameter *c, const char *how)
{
	struct scry_variable v = { .name = c->name,
				   .type = c->type,
				   .is_parameter = true,
				   .state = SCRY_VARIABLE_LOST,
				   .how = "only the call has it",
				   .reg = -1 };
	SCRY_AUTO_BUF(text);

	if (c->known) {
		if (c->is_object && c->value)
			scry_repr_short(runtime, c->value, REPR_MAX, &text);
		else if (strchr(c->type, '*') && !c->value)
			scry_buf_puts(&text, "NULL");
		else
			put_word(c->type, c->value, &text);
		v.value = kept_text(r, &text);
		v.state = SCRY_VARIABLE_RECOVERED;
		v.how = how;
		v.runtime = c->is_object && c->value ? runtime : NULL;
		v.object = v.runtime ? c->value : 0;
	}
	r->each(r->arg, &v);
}

/* Without debug information: what the way in which Python called the function gives. */
static int variables_of_call(struct reading *r, const struct scry_called *called)
{
	struct scry_called_parameter c;

	for (unsigned n = 0; scry_called_parameter(called, n, &c); n++)
		give_parameter(r, called->call.runtime, &c, called->how);
	return SCRY_OK;
}

/* The parameters of a function of the interpreter's, if it is of the C API; NULL: it is not. */
static const char *api_parameters(struct scry_frames *f, size_t index)
{
	const struct scry_native_frame *frame = index < f->count ? &f->frames[index] : NULL;
	struct scry_runtime *r = f->thread->runtime;

	return frame && r && frame->module && frame->module == r->module && !frame->is_guess
		       ? scry_api_function(frame->symbol.name)
		       : NULL;
}

/* By the ABI, as the function was entered. */
static int variables_of_api(struct reading *r, struct scry_frames *f, size_t index,
			    const char *parameters)
{
	const struct scry_arch *arch = r->session->target->arch;
	const int8_t *args =
		r->session->target->abi.windows ? arch->code.win64_args : arch->code.args;
	struct scry_scope scope = { .frames = f, .index = index, .frame = &f->frames[index] };
	struct scry_decoder decoder;
	char name[32], kind;

	if (scry_decoder_open(&decoder, r->session))
		scope.decoder = &decoder;
	for (; *parameters && *args >= 0; args++) {
		struct scry_called_parameter c = { .known = false };
		const char *how = NULL;

		parameters = scry_api_parameter(parameters, name, sizeof(name), &kind);
		if (!parameters)
			break;
		c.name = scry_arena_text(&r->session->arena, name, strlen(name));
		c.type = kind == '#'   ? "Py_ssize_t"
			 : kind == '%' ? "int"
			 : kind == '^' ? "size_t"
			 : kind == '$' ? "const char *"
			 : kind        ? "PyObject *const *"
				       : "PyObject *";
		c.is_object = !kind;
		c.known = scry_entry_value(&scope, *args, &c.value, &how);
		give_parameter(r, f->thread->runtime, &c,
			       how ? scry_arena_printf(&r->session->arena,
						       "a function of the C API: %s", how)
				   : NULL);
	}
	if (scope.decoder)
		scry_decoder_close(&decoder);
	return SCRY_OK;
}

int scry_variables(struct scry_frames *f, size_t index, size_t function, scry_variable_fn *each,
		   void *arg)
{
	struct scry_session *s = f->thread->session;
	struct scry_scope scope = { 0 };
	struct scry_decoder decoder;
	Dwarf_Die list[SCRY_INLINED_MAX];
	unsigned count = index < f->count ? dies_at(f, index, &scope.bias, list) : 0;
	struct reading r = { .scope = &scope, .session = s, .each = each, .arg = arg };

	struct scry_called called = { .flags = 0 };

	for (size_t i = 0; i <= index && i < f->count; i++)
		r.doubtful |= f->frames[i].is_guess;
	if (index < f->count && !r.doubtful && scry_called_read(f, index, &called))
		r.called = &called;
	if (!count && r.called)
		return variables_of_call(&r, r.called);
	const char *parameters = count || r.doubtful ? NULL : api_parameters(f, index);
	if (parameters)
		return variables_of_api(&r, f, index, parameters);
	if (function >= count || !scry_scope_open(&scope, f, index))
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no debug information covers this frame");
	if (scry_decoder_open(&decoder, s))
		scope.decoder = &decoder;
	r.outer = function + 1 == count;
	count_args(&r, &list[count - 1 - function]);
	read_block(&r, &list[count - 1 - function], 0);
	if (scope.decoder)
		scry_decoder_close(&decoder);
	return SCRY_OK;
}
