/* Byte code as text. The tables come from the interpreters themselves: tools/gen_opcodes.py. */
#include "object/opcodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "object/model.h"
#include "object/printer.h"

#define EXTENDED_MAX 3 /* prefixes that one instruction can have */

struct scry_opcode_row {
	uint32_t since;
	const char *words; /* NUMBER:[BASE/]NAME:KIND:CACHES, separated by spaces */
};

static const struct scry_opcode_row rows[] = {
#include "object/opcodes.inc"
};

static bool is_same_name(const char *word, const char *name)
{
	while (*name && (*word == *name || (*word == '+' && *name == '_'))) {
		word++;
		name++;
	}
	return !*name && *word == ':';
}

const char *scry_opcode_named(const char *name)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		for (const char *p = rows[i].words; p; p = strchr(p, ' '), p = p ? p + 1 : NULL) {
			const char *colon = strchr(p, ':');

			if (colon && is_same_name(colon + 1, name))
				return colon + 1;
		}
	return NULL;
}

/* An interpreter with byte codes of its own names them itself. */
static int open_own(struct scry_instructions *w, const struct scry_code_model *model)
{
	const char *const *words;
	int rc = model->opcodes(w->code->runtime, &words);

	if (rc == SCRY_OK)
		memcpy(w->words, words, sizeof(w->words));
	return rc;
}

int scry_instructions_open(struct scry_instructions *w, struct scry_code *c)
{
	uint32_t version = c->runtime->version;
	const struct scry_code_model *own = scry_model_of(c->runtime)->code;

	*w = (struct scry_instructions) { .code = c, .row = SCRY_SINCE(rows, version) };
	if (own)
		return open_own(w, own);
	if (!w->row || scry_version_is_newer(version, rows[sizeof(rows) / sizeof(*rows) - 1].since))
		return scry_fail(c->runtime->session, SCRY_EUNSUPPORTED, 0,
				 "no names of byte codes for Python %s", c->runtime->version_text);
	for (const char *p = w->row->words; p; p = strchr(p, ' '), p = p ? p + 1 : NULL) {
		char *name;
		unsigned long opcode = strtoul(p, &name, 10);

		if (*name == ':' && opcode < 256 && !w->words[opcode])
			w->words[opcode] = name + 1;
	}
	return SCRY_OK;
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
	len = len < size ? len : size - 1;
	memcpy(to, from, len);
	to[len] = '\0';
}

/*
 * What the row says of this number goes to `ret`, how many units of cache follow is returned.
 */
static unsigned look_up(const struct scry_instructions *w, unsigned opcode,
			struct scry_instruction *ret)
{
	const char *name = w->words[opcode & 255];

	if (!name) {
		snprintf(ret->name, sizeof(ret->name), "<%u>", opcode);
		ret->kind = '.';
		return 0;
	}
	const char *end = strchr(name, ':');
	const char *slash = memchr(name, '/', (size_t)(end - name));

	copy(ret->name, sizeof(ret->name), name, (size_t)((slash ? slash : end) - name));
	if (slash)
		copy(ret->adapted, sizeof(ret->adapted), slash + 1, (size_t)(end - slash - 1));
	ret->kind = end[1];
	return (unsigned)strtoul(end + 3, NULL, 10);
}

/* Up to 3.5: one byte, and two more where there is an argument. */
static int next_bytes(struct scry_instructions *w, struct scry_instruction *ret)
{
	struct scry_code *c = w->code;
	uint32_t extended = 0;
	uint8_t b[3];

	for (unsigned prefixes = 0;; prefixes++) {
		size_t n =
			scry_read_some(c->runtime->session, c->instructions + w->at, b, sizeof(b));

		if (!n)
			return scry_fail(c->runtime->session, SCRY_EFAULT, c->instructions + w->at,
					 "no byte code");
		ret->opcode = b[0];
		look_up(w, b[0], ret);
		ret->has_arg = ret->kind != '.' && n == 3;
		w->at += ret->has_arg ? 3 : 1;
		ret->arg = ret->has_arg ? extended << 16 | (uint32_t)(b[1] | b[2] << 8) : 0;
		ret->prefixes = 3 * prefixes;
		if (strcmp(ret->name, "EXTENDED_ARG") || prefixes >= EXTENDED_MAX)
			return SCRY_ITEM;
		extended = ret->arg;
	}
}

/*
 * 3.12+: sys.settrace() and sys.monitoring put instructions of their own in place; what was there
 * is in the code's monitoring data. Of lines there are two bytes a unit; later 3.13 and on say
 * themselves how many, and begin with that number (2 to 5, where the older form has the first
 * instruction's opcode): Python/instrumentation.c.
 */
static int find_original(const struct scry_code *c, uint32_t unit, bool line, uint8_t *ret)
{
	struct scry_runtime *r = c->runtime;
	scry_addr data = scry_field_get(r, c->addr, SCRY_F_CODE_MONITORING);
	uint8_t width = 1;

	data = scry_field_get(r, data, line ? SCRY_F_MONITORING_LINES : SCRY_F_MONITORING_OPCODES);
	if (!data)
		return SCRY_ENOTFOUND;
	if (line && scry_read(r->session, data, &width, 1) == SCRY_OK) {
		bool told = scry_trait(r, SCRY_TRAIT_MONITORING_TELLS_WIDTH) && width >= 2 &&
			    width <= 6;

		data += told;
		width = told ? width : 2;
	}
	return scry_read(r->session, data + (scry_addr)unit * width, ret, 1);
}

/*
 * The opcode at a unit, looked up; instrumented forms lead to what they stand for. Units of cache
 * are returned.
 */
static unsigned look_up_unit(const struct scry_instructions *w, uint32_t unit, uint8_t opcode,
			     struct scry_instruction *ret)
{
	unsigned caches = look_up(w, opcode, ret);
	char found[sizeof(ret->adapted)];

	copy(found, sizeof(found), ret->name, strlen(ret->name));
	for (unsigned n = 0; n < 2 && !strncmp(ret->name, "INSTRUMENTED_", 13); n++) {
		*ret->adapted = '\0';
		if (find_original(w->code, unit, !strcmp(ret->name, "INSTRUMENTED_LINE"), &opcode) <
		    0)
			break;
		caches = look_up(w, opcode, ret);
		copy(ret->adapted, sizeof(ret->adapted), found, strlen(found));
	}
	return caches;
}

uint8_t scry_opcode_original(const struct scry_instructions *w, uint32_t unit, uint8_t opcode)
{
	struct scry_instruction i = { .offset = 0 };

	look_up(w, opcode, &i);
	for (unsigned n = 0; n < 2 && !strncmp(i.name, "INSTRUMENTED_", 13); n++) {
		if (find_original(w->code, unit, !strcmp(i.name, "INSTRUMENTED_LINE"), &opcode) < 0)
			break;
		look_up(w, opcode, &i);
	}
	return opcode;
}

/* From 3.6 on: an opcode and an argument of a byte each, then its caches. */
static int next_word(struct scry_instructions *w, struct scry_instruction *ret)
{
	struct scry_code *c = w->code;
	uint32_t extended = 0;
	uint8_t b[2];

	for (unsigned prefixes = 0;; prefixes++) {
		int rc = scry_read(c->runtime->session, c->instructions + w->at, b, sizeof(b));

		if (rc < 0)
			return rc;
		*ret->adapted = '\0';
		ret->opcode = b[0];
		w->at += 2 + 2 * look_up_unit(w, w->at / 2, b[0], ret);
		ret->has_arg = ret->kind != '.';
		ret->arg = extended << 8 | b[1];
		ret->prefixes = 2 * prefixes;
		if (strcmp(ret->name, "EXTENDED_ARG") || prefixes >= EXTENDED_MAX)
			return SCRY_ITEM;
		extended = ret->arg;
	}
}

/*
 * Where a jump leads: relative to the instruction after it, back where its name says so, or where
 * a loop began.
 */
static bool is_from(const struct scry_instruction *i)
{
	return !strcmp(i->name, "END_ASYNC_FOR");
}

static void find_target(const struct scry_instructions *w, struct scry_instruction *ret)
{
	int64_t distance = ret->arg;

	ret->target = -1;
	if (ret->kind != 'r' && ret->kind != 'a')
		return;
	if (scry_trait(w->code->runtime, SCRY_TRAIT_COUNTS_WORDS))
		distance *= 2;
	if (ret->kind == 'a')
		ret->target = distance;
	else
		ret->target =
			(int64_t)w->at +
			(strstr(ret->name, "BACKWARD") || is_from(ret) ? -distance : distance);
}

int scry_instruction_next(struct scry_instructions *w, struct scry_instruction *ret)
{
	struct scry_code *c = w->code;
	uint32_t start = w->at;

	if (w->at >= c->instructions_size)
		return SCRY_OK;
	*ret = (struct scry_instruction) { .offset = start, .target = -1 };
	int rc = scry_trait(c->runtime, SCRY_TRAIT_WORDCODE) ? next_word(w, ret)
							     : next_bytes(w, ret);
	if (rc != SCRY_ITEM)
		return rc;
	ret->size = w->at - start;
	find_target(w, ret);
	return SCRY_ITEM;
}

/* --- what arguments mean --- */

static const struct argument_row {
	uint32_t since;
	const char *lines; /* OPCODE, how its number is taken, words by value; tabs between them */
} argument_rows[] = {
#include "object/opcode_args.inc"
};

/* What follows the opcode's name in the line for it, or NULL. */
static const char *argument_words(uint32_t version, const char *opcode)
{
	const struct argument_row *row = SCRY_SINCE(argument_rows, version);
	const char *lines = row ? row->lines : NULL;
	size_t n = strlen(opcode);

	for (; lines && *lines; lines = strchr(lines, '\n') + 1)
		if (!strncmp(lines, opcode, n) && lines[n] == '\t')
			return lines + n + 1;
	return NULL;
}

static void put_word(const char *words, uint32_t number, struct scry_buf *out)
{
	for (words = strpbrk(words, "\t\n"); number && *words == '\t'; number--)
		words = strpbrk(words + 1, "\t\n");
	if (*words == '\t')
		scry_buf_put(out, words + 1, strcspn(words + 1, "\t\n"));
}

static void put_flags(const char *words, uint32_t bits, struct scry_buf *out)
{
	bool any = false;

	for (unsigned bit = 0; bit < 8; bit++)
		if (bits >> bit & 1) {
			scry_buf_puts(out, any ? ", " : "");
			put_word(words, bit, out);
			any = true;
		}
}

static void put_number(uint32_t version, const struct scry_instruction *i, struct scry_buf *out)
{
	const char *words = argument_words(version, i->name);

	if (!words)
		return;
	if (!strncmp(words, "flags", 5)) {
		put_flags(words, i->arg, out);
	} else if (!strncmp(words, "nargs", 5)) { /* CALL_FUNCTION up to 3.5 */
		scry_buf_printf(out, "%" PRIu32 " positional, %" PRIu32 " keyword pair",
				i->arg & 255, i->arg >> 8 & 255);
	} else if (!strncmp(words, "format", 6)) { /* FORMAT_VALUE up to 3.12 */
		put_word(words, i->arg & 3, out);
		if (i->arg & 4)
			scry_buf_puts(out, i->arg & 3 ? ", with format" : "with format");
	} else {
		unsigned shift = (unsigned)strtoul(words, NULL, 10);
		bool as_bool = shift == 5 && i->arg & 16; /* COMPARE_OP since 3.13 */

		scry_buf_puts(out, as_bool ? "bool(" : "");
		put_word(words, i->arg >> shift, out);
		scry_buf_puts(out, as_bool ? ")" : "");
	}
}

/* The item of one of the code's tuples. */
static int item_of(struct scry_code *c, bool constant, uint32_t index, scry_addr *ret)
{
	struct scry_runtime *r = c->runtime;
	scry_addr items;
	uint64_t count, at;

	if (scry_model_of(r)->code)
		return scry_model_of(r)->code->item(c, constant, index, ret);
	int rc =
		scry_field_read(r, c->addr, constant ? SCRY_F_CODE_CONSTS : SCRY_F_CODE_NAMES, &at);

	rc = rc < 0 ? rc : scry_sequence(r, at, &count, &items);
	if (rc < 0 || index >= count)
		return rc < 0 ? rc : SCRY_ENOTFOUND;
	return scry_word(r, items + (scry_addr)index * r->session->target->abi.ptr_size, ret);
}

static void put_unreadable(struct scry_code *c, int rc, struct scry_buf *out)
{
	struct scry_session *s = c->runtime->session;

	if (rc != SCRY_EFAULT && rc != SCRY_ECORRUPT)
		return; /* it is not an index */
	scry_buf_printf(out, "<unreadable at 0x%" PRIx64 ": %s>", c->addr, s->error.text);
	s->value_damaged = true;
}

/* A constant's repr, or a name; nothing where the index is not one. */
static void put_item(struct scry_code *c, bool constant, uint32_t index, struct scry_buf *out)
{
	scry_addr object;
	const char *text;
	int rc = item_of(c, constant, index, &object);

	if (rc == SCRY_OK && constant) {
		scry_repr(c->runtime, object, out);
		return;
	}
	rc = rc < 0 ? rc : scry_text_at(c->runtime, object, 200, &text);
	if (rc == SCRY_OK)
		scry_buf_puts(out, text);
	else
		put_unreadable(c, rc, out);
}

/*
 * Some keep flags in the lowest bits of a name's index: Python/bytecodes.c, v3.11 to v3.15. `mark`:
 * what bit 0 is.
 */
static const struct {
	const char *name;
	uint32_t since;
	unsigned shift;
	const char *mark, *mark2;
} shifted[] = {
	{ "LOAD_GLOBAL", SCRY_VERSION_OF(3, 11), 1, "NULL", "" },
	{ "LOAD_ATTR", SCRY_VERSION_OF(3, 12), 1, "NULL|self", "" },
	{ "LOAD_SUPER_ATTR", SCRY_VERSION_OF(3, 12), 2, "NULL|self", "" },
	{ "IMPORT_NAME", SCRY_VERSION_OF(3, 15), 2, "lazy", "eager" },
};

/* Which name of the code's it is, and what is pushed beside it ("" nothing). */
static uint32_t name_index(const struct scry_code *c, const struct scry_instruction *i,
			   const char **ret_mark)
{
	unsigned shift = 0;

	*ret_mark = "";
	if (scry_model_of(c->runtime)->code)
		return i->arg;
	for (size_t k = 0; k < sizeof(shifted) / sizeof(*shifted); k++)
		if (!strcmp(i->name, shifted[k].name) &&
		    scry_version_in(c->runtime->version, shifted[k].since, 0)) {
			shift = shifted[k].shift;
			*ret_mark = i->arg & 1                ? shifted[k].mark
				    : i->arg & 2 && shift > 1 ? shifted[k].mark2
							      : "";
		}
	return i->arg >> shift;
}

static void put_name(struct scry_code *c, const struct scry_instruction *i, struct scry_buf *out)
{
	const char *mark;
	uint32_t index = name_index(c, i, &mark);
	bool behind = scry_trait(c->runtime, SCRY_TRAIT_DIS_MARKS_AFTER);

	if (*mark && !behind)
		scry_buf_printf(out, "%s + ", mark);
	put_item(c, false, index, out);
	if (*mark && behind)
		scry_buf_printf(out, " + %s", mark);
}

const char *scry_instruction_name(struct scry_code *c, const struct scry_instruction *i)
{
	const char *mark, *text;
	scry_addr object;

	if (i->kind != 'n' || item_of(c, false, name_index(c, i, &mark), &object) < 0 ||
	    scry_text_at(c->runtime, object, 1000, &text) < 0)
		return NULL;
	return text;
}

static void put_local(struct scry_code *c, uint32_t index, struct scry_buf *out)
{
	int rc = scry_code_locals(c);

	if (rc < 0)
		put_unreadable(c, rc, out);
	else if (index < c->slots)
		scry_buf_puts(out, c->locals[index].name);
}

void scry_instruction_text(struct scry_code *c, const struct scry_instruction *i,
			   struct scry_buf *out)
{
	bool slots = scry_layout_has(c->runtime->layout, SCRY_F_CODE_LOCALSPLUSNAMES);
	const char *two = i->kind == 'l' ? strstr(i->name, "FAST_") : NULL;

	if (!i->has_arg)
		return;
	if (i->kind == 'c')
		put_item(c, true, i->arg, out);
	else if (i->kind == 'n')
		put_name(c, i, out);
	else if (two && strstr(two + 1, "_FAST")) { /* 3.13+: two variables, four bits each */
		put_local(c, i->arg >> 4, out);
		scry_buf_puts(out, ", ");
		put_local(c, i->arg & 15, out);
	} else if (i->kind == 'l')
		put_local(c, i->arg, out);
	else if (i->kind == 'f') /* up to 3.10 cells are counted after the locals */
		put_local(c, slots ? i->arg : c->nlocals + i->arg, out);
	else if (i->target >= 0)
		scry_buf_printf(out, "%s %" PRId64, is_from(i) ? "from" : "to", i->target);
	else
		put_number(c->runtime->version, i, out);
}

bool scry_code_is_cleanup(struct scry_code *c, uint32_t target)
{
	struct scry_instructions w;
	struct scry_instruction i;

	if (scry_instructions_open(&w, c) < 0)
		return false;
	w.at = target;
	if (scry_instruction_next(&w, &i) != SCRY_ITEM || strcmp(i.name, "COPY") || i.arg != 3)
		return false;
	return scry_instruction_next(&w, &i) == SCRY_ITEM && !strcmp(i.name, "POP_EXCEPT");
}
