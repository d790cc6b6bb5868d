/* dis: the byte code of the selected frame's function, from the target's own memory, the current instruction marked. */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "object/object.h"
#include "object/opcodes.h"

#define AROUND 12 /* instructions before and behind the current one, without --all */

/* The item of one of the code's tuples, as text; nothing where the index is not one. */
static void put_item(struct scry_call *call, struct scry_code *c, enum scry_field tuple, uint32_t index, bool repr)
{
	struct scry_runtime *r = c->runtime;
	scry_addr object, items;
	uint64_t count, at;
	const char *text;

	if (scry_field_read(r, c->addr, tuple, &at) < 0 || scry_sequence(r, at, &count, &items) < 0 || index >= count ||
	    scry_read_ptr(r->session, items + (scry_addr)index * r->session->target->abi.ptr_size, &object) < 0)
		return;
	struct scry_buf out = SCRY_BUF_INIT;
	if (repr)
		scry_repr(r, object, &out);
	else if (scry_text_at(r, object, 200, &text) == SCRY_OK)
		scry_buf_puts(&out, text);
	if (out.len) {
		scry_buf_puts(call->out, " (");
		scry_put_safe_bytes(call->out, out.text, out.len);
		scry_buf_putc(call->out, ')');
	}
	scry_buf_done(&out);
}

/* Some instructions keep flags in the lowest bits of a name's index: Python/bytecodes.c, v3.11 to v3.15. */
static uint32_t name_index(const struct scry_runtime *r, const struct scry_instruction *i)
{
	static const struct {
		const char *name;
		uint32_t since;
		unsigned shift;
	} shifted[] = { { "LOAD_GLOBAL", 0x030b0000, 1 }, { "LOAD_ATTR", 0x030c0000, 1 },
			{ "LOAD_SUPER_ATTR", 0x030c0000, 2 } };

	for (size_t k = 0; k < sizeof(shifted) / sizeof(*shifted); k++)
		if (!strcmp(i->name, shifted[k].name) && r->version >= shifted[k].since)
			return i->arg >> shifted[k].shift;
	return i->arg;
}

static void put_local(struct scry_call *call, struct scry_code *c, uint32_t index)
{
	if (scry_code_locals(c) < 0 || index >= c->slots)
		return;
	scry_buf_puts(call->out, " (");
	scry_put_safe(call->out, c->locals[index].name);
	scry_buf_putc(call->out, ')');
}

static void put_argument(struct scry_call *call, struct scry_code *c, const struct scry_instruction *i)
{
	bool slots = scry_layout_has(c->runtime->layout, SCRY_F_CODE_LOCALSPLUSNAMES);
	const char *two = i->kind == 'l' ? strstr(i->name, "FAST_") : NULL;

	if (!i->has_arg)
		return;
	scry_buf_printf(call->out, " %" PRIu32, i->arg);
	if (i->kind == 'c')
		put_item(call, c, SCRY_F_CODE_CONSTS, i->arg, true);
	else if (i->kind == 'n')
		put_item(call, c, SCRY_F_CODE_NAMES, name_index(c->runtime, i), false);
	else if (i->kind == 'l' && two && strstr(two + 1, "_FAST")) { /* 3.13+: two variables, four bits each */
		put_local(call, c, i->arg >> 4);
		put_local(call, c, i->arg & 15);
	} else if (i->kind == 'l')
		put_local(call, c, i->arg);
	else if (i->kind == 'f') /* up to 3.10 cells are counted behind the locals */
		put_local(call, c, slots ? i->arg : c->nlocals + i->arg);
	else if (i->target >= 0)
		scry_buf_printf(call->out, " (to %" PRId64 ")", i->target);
}

static void put_text(struct scry_call *call, struct scry_code *c, const struct scry_instruction *i, int line,
		     bool current)
{
	struct scry_buf *out = call->out;

	if (line > 0)
		scry_buf_printf(out, "%s%6d%s", scry_style(call, SCRY_STYLE_LINE), line,
				scry_style(call, SCRY_STYLE_OFF));
	else
		scry_buf_puts(out, "      ");
	scry_buf_printf(out, " %s %6" PRIu32 " %-24s", current ? "-->" : "   ", i->offset, i->name);
	put_argument(call, c, i);
	if (*i->adapted)
		scry_buf_printf(out, "  [%s]", i->adapted);
	scry_buf_putc(out, '\n');
}

static void put_json(struct scry_json *j, const struct scry_instruction *i, int line, bool current)
{
	scry_json_open(j, '{');
	scry_json_key(j, "offset");
	scry_json_int(j, i->offset);
	scry_json_key(j, "line");
	scry_json_positive(j, line);
	scry_json_key(j, "opcode");
	scry_json_int(j, i->opcode);
	scry_json_key(j, "name");
	scry_json_text(j, i->name);
	scry_json_key(j, "adapted");
	scry_json_text(j, *i->adapted ? i->adapted : NULL);
	scry_json_key(j, "argument");
	if (i->has_arg)
		scry_json_int(j, i->arg);
	else
		scry_json_null(j);
	scry_json_key(j, "current");
	scry_json_bool(j, current);
	scry_json_close(j, '}');
}

static bool is_current(const struct scry_instruction *i, int64_t lasti)
{
	return lasti >= i->offset && lasti < (int64_t)i->offset + i->size;
}

/* Which instruction is the current one, counted from 0: the first where none is yet, the count where there is none such. */
static unsigned find_current(struct scry_code *c, int64_t lasti)
{
	struct scry_instructions w;
	struct scry_instruction i;
	unsigned n = 0;

	if (lasti < 0 || scry_instructions_open(&w, c) < 0)
		return 0;
	while (scry_instruction_next(&w, &i) == SCRY_ITEM && !is_current(&i, lasti))
		n++;
	return n;
}

int scry_put_instructions(struct scry_call *call, struct scry_code *c, int64_t lasti, bool all)
{
	struct scry_instructions w;
	struct scry_instruction i;
	unsigned n = 0, current = find_current(c, lasti);
	int last = 0, rc = scry_instructions_open(&w, c);

	if (call->json) {
		scry_json_key(call->json, "instructions");
		scry_json_open(call->json, '[');
	}
	while (rc >= 0 && (rc = scry_instruction_next(&w, &i)) == SCRY_ITEM) {
		struct scry_location at = { 0 };
		unsigned this = n++;

		if (!all && (this + AROUND < current || this > current + AROUND))
			continue;
		scry_code_location(c, i.offset, &at);
		if (call->json)
			put_json(call->json, &i, at.line, is_current(&i, lasti));
		else
			put_text(call, c, &i, at.line != last ? at.line : 0, is_current(&i, lasti));
		last = at.line;
	}
	if (call->json)
		scry_json_close(call->json, ']');
	return rc;
}

static int run_dis(struct scry_call *call)
{
	struct scry_thread *t;
	struct scry_frame f;
	int rc = scry_selected_frame(call->s, &t, &f);

	if (rc < 0)
		return rc;
	if (!f.code)
		return scry_fail(call->s, SCRY_ECORRUPT, f.addr, "the frame is damaged: %s", f.damaged);
	return scry_put_instructions(call, f.code, f.lasti, scry_call_flag(call, "all"));
}

static const struct scry_flag flags[] = {
	{ "all", 'a', NULL, "the whole function, not only what is around the current instruction" },
	{ NULL },
};

const struct scry_command_row scry_command_dis = {
	.public = {
		"dis", "[--all]", "Show the byte code of the selected frame's function.",
		"The current instruction is marked with '-->'. Where the interpreter has put a specialised or\n"
		"instrumented form in an instruction's place, it stands in brackets behind it. The code is the\n"
		"target's own: no source and no file is needed.",
		0 },
	.run = run_dis, .flags = flags,
};
