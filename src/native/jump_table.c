/*
 * Where the jumps of a switch lead: tables of addresses, or of offsets from the table, as compilers
 * make them for x86. Whatever the function names and that reads like one is taken for one: a label
 * too many ends a story early, one too few makes it wrong.
 */
#include <stdlib.h>

#include "native/decode.h"

#define ENTRIES_MAX 4096 /* of one table */
#define LABELS_MAX  65536

/* What an operand names without the value of a register, but that of an index. */
static bool table_of(const struct scry_decoder *d, const struct scry_insn *insn,
		     const struct scry_operand *o, scry_addr *ret)
{
	if (o->kind != SCRY_OPERAND_MEMORY || o->implicit || o->of_thread)
		return false;
	if (insn->kind == SCRY_INSN_ADDRESS && o->base == d->arch->pc && o->index < 0)
		*ret = insn->addr + insn->size + (scry_addr)o->offset;
	else if (o->base < 0 && o->index >= 0 && o->scale == d->arch->ptr_size)
		*ret = (scry_addr)o->offset;
	else
		return false;
	return true;
}

static bool add(struct scry_labels *l, scry_addr at)
{
	if (!(l->count & (l->count - 1))) {
		scry_addr *more = realloc(l->at, (l->count ? 2 * l->count : 1) * sizeof(*more));

		if (!more)
			return false;
		l->at = more;
	}
	l->at[l->count++] = at;
	return l->count < LABELS_MAX;
}

static void read_table(struct scry_decoder *d, const struct scry_listing *code, scry_addr table,
		       unsigned width, struct scry_labels *ret)
{
	bool is_address = width == d->arch->ptr_size;

	for (unsigned i = 0; i < ENTRIES_MAX; i++) {
		int64_t entry;

		if (scry_read_int(d->session, table + (scry_addr)i * width, width, &entry) < 0)
			return;
		scry_addr to = is_address ? (scry_addr)entry : table + (scry_addr)entry;
		if (d->arch->ptr_size == 4)
			to = (uint32_t)to;
		if (scry_listing_find(code, to) == SIZE_MAX || !add(ret, to))
			return;
	}
}

static int by_address(const void *a, const void *b)
{
	scry_addr x = *(const scry_addr *)a, y = *(const scry_addr *)b;

	return x < y ? -1 : x > y;
}

void scry_labels_read(struct scry_decoder *d, const struct scry_listing *code,
		      struct scry_labels *ret)
{
	scry_addr table;

	*ret = (struct scry_labels) { 0 };
	for (size_t i = 0; code->indirect && i < code->count; i++)
		for (unsigned k = 0; k < code->insns[i].count; k++)
			if (table_of(d, &code->insns[i], &code->insns[i].operands[k], &table)) {
				read_table(d, code, table, 4, ret);
				if (d->arch->ptr_size != 4)
					read_table(d, code, table, d->arch->ptr_size, ret);
			}
	if (ret->count)
		qsort(ret->at, ret->count, sizeof(*ret->at), by_address);
}

bool scry_labels_have(const struct scry_labels *l, scry_addr at)
{
	return l->count && bsearch(&at, l->at, l->count, sizeof(at), by_address);
}

void scry_labels_done(struct scry_labels *l)
{
	free(l->at);
	*l = (struct scry_labels) { 0 };
}
