/* Byte code as text. The tables come from the interpreters themselves: tools/gen_opcodes.py. */
#include "object/opcodes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WORDCODE 0x03060000   /* from 3.6 on every instruction is two bytes */
#define UNIT_JUMPS 0x030a0000 /* from 3.10 on jumps count code units */
#define EXTENDED_MAX 3        /* prefixes that one instruction can have */

struct scry_opcode_row {
	uint32_t since;
	const char *words; /* NUMBER:[BASE/]NAME:KIND:CACHES, separated by spaces */
};

static const struct scry_opcode_row rows[] = {
#include "object/opcodes.inc"
};

int scry_instructions_open(struct scry_instructions *w, struct scry_code *c)
{
	uint32_t version = c->runtime->version;

	*w = (struct scry_instructions){ .code = c };
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].since <= version)
			w->row = &rows[i];
	if (!w->row || (version >> 16) > (rows[sizeof(rows) / sizeof(*rows) - 1].since >> 16))
		return scry_fail(c->runtime->session, SCRY_EUNSUPPORTED, 0, "no names of byte codes for Python %s",
				 c->runtime->version_text);
	return SCRY_OK;
}

static void copy(char *to, size_t size, const char *from, size_t len)
{
	snprintf(to, size, "%.*s", (int)(len < size ? len : size - 1), from);
}

/* The word that begins with this number; what it says goes to `ret`, how many units of cache follow is returned. */
static unsigned look_up(const struct scry_opcode_row *row, unsigned opcode, struct scry_instruction *ret)
{
	char key[8];
	size_t n = (size_t)snprintf(key, sizeof(key), "%u:", opcode);

	for (const char *p = row->words; p; p = strchr(p, ' '), p = p ? p + 1 : NULL) {
		if (strncmp(p, key, n))
			continue;
		const char *name = p + n, *end = strchr(name, ':');
		const char *slash = memchr(name, '/', (size_t)(end - name));

		copy(ret->name, sizeof(ret->name), name, (size_t)((slash ? slash : end) - name));
		if (slash)
			copy(ret->adapted, sizeof(ret->adapted), slash + 1, (size_t)(end - slash - 1));
		ret->kind = end[1];
		return (unsigned)strtoul(end + 3, NULL, 10);
	}
	snprintf(ret->name, sizeof(ret->name), "<%u>", opcode);
	ret->kind = '.';
	return 0;
}

/* Up to 3.5: one byte, and two more where there is an argument. */
static int next_bytes(struct scry_instructions *w, struct scry_instruction *ret)
{
	struct scry_code *c = w->code;
	uint32_t extended = 0;
	uint8_t b[3];

	for (unsigned prefixes = 0;; prefixes++) {
		size_t n = scry_read_some(c->runtime->session, c->instructions + w->at, b, sizeof(b));

		if (!n)
			return scry_fail(c->runtime->session, SCRY_EFAULT, c->instructions + w->at, "no byte code");
		ret->opcode = b[0];
		look_up(w->row, b[0], ret);
		ret->has_arg = ret->kind != '.' && n == 3;
		w->at += ret->has_arg ? 3 : 1;
		ret->arg = ret->has_arg ? extended << 16 | (uint32_t)(b[1] | b[2] << 8) : 0;
		if (strcmp(ret->name, "EXTENDED_ARG") || prefixes >= EXTENDED_MAX)
			return SCRY_ITEM;
		extended = ret->arg;
	}
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
		w->at += 2 + 2 * look_up(w->row, b[0], ret);
		ret->has_arg = ret->kind != '.';
		ret->arg = extended << 8 | b[1];
		if (strcmp(ret->name, "EXTENDED_ARG") || prefixes >= EXTENDED_MAX)
			return SCRY_ITEM;
		extended = ret->arg;
	}
}

/* Where a jump leads: relative to the instruction behind it, back where its name says so. */
static void find_target(const struct scry_instructions *w, struct scry_instruction *ret)
{
	int64_t distance = ret->arg;

	ret->target = -1;
	if (ret->kind != 'r' && ret->kind != 'a')
		return;
	if (w->code->runtime->version >= UNIT_JUMPS)
		distance *= 2;
	if (ret->kind == 'a')
		ret->target = distance;
	else
		ret->target = (int64_t)w->at + (strstr(ret->name, "BACKWARD") ? -distance : distance);
}

int scry_instruction_next(struct scry_instructions *w, struct scry_instruction *ret)
{
	struct scry_code *c = w->code;
	uint32_t start = w->at;

	if (w->at >= c->instructions_size)
		return SCRY_OK;
	*ret = (struct scry_instruction){ .offset = start, .target = -1 };
	int rc = c->runtime->version >= WORDCODE ? next_word(w, ret) : next_bytes(w, ret);
	if (rc != SCRY_ITEM)
		return rc;
	ret->size = w->at - start;
	find_target(w, ret);
	return SCRY_ITEM;
}
