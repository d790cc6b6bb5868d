/* Instructions of the target, one by one and as functions. */
#include "native/decode.h"

#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/loadable.h"
#include "native/place.h"
#include "symbol/elf_image.h"
#include "symbol/pe.h"

#define LONGEST      16     /* bytes of an instruction */
#define FUNCTION_MAX 262144 /* bytes of a function */

/*
 * Two handles, since capstone makes operands and AT&T's text from one setting: one for what
 * instructions do, one for how gdb writes them.
 */
bool scry_decoder_open(struct scry_decoder *d, struct scry_session *s)
{
	const struct scry_arch *arch = s->target->arch;

	*d = (struct scry_decoder) { .session = s, .arch = arch };
	d->library = arch && arch->code.decode ? scry_capstone_library() : NULL;
	if (!d->library ||
	    d->library->cs_open(arch->code.arch, arch->code.mode, &d->details) != CS_ERR_OK)
		return false;
	if (d->library->cs_open(arch->code.arch, arch->code.mode, &d->words) != CS_ERR_OK) {
		d->library->cs_close(&d->details);
		return false;
	}
	d->library->cs_option(d->details, CS_OPT_DETAIL, CS_OPT_ON);
	if (arch->code.att)
		d->library->cs_option(d->words, CS_OPT_SYNTAX, CS_OPT_SYNTAX_ATT);
	return true;
}

void scry_decoder_close(struct scry_decoder *d)
{
	d->library->cs_close(&d->details);
	d->library->cs_close(&d->words);
}

static void convert(const struct scry_decoder *d, const cs_insn *insn, struct scry_insn *ret)
{
	*ret = (struct scry_insn) { .addr = insn->address, .size = insn->size };
	d->arch->code.decode(d->arch, insn, ret);
}

/* What capstone has no name for. */
static bool decode_other(const struct scry_decoder *d, const uint8_t *bytes, size_t len,
			 scry_addr at, struct scry_insn *ret)
{
	*ret = (struct scry_insn) { .addr = at };
	return d->arch->code.decode_other && d->arch->code.decode_other(d->arch, bytes, len, ret);
}

bool scry_decode(struct scry_decoder *d, scry_addr at, struct scry_insn *ret)
{
	uint8_t bytes[LONGEST];
	size_t len = scry_read_some(d->session, at, bytes, sizeof(bytes));
	cs_insn *insn;

	if (len && decode_other(d, bytes, len, at, ret))
		return true;
	if (!len || !d->library->cs_disasm(d->details, bytes, len, at, 1, &insn))
		return false;
	convert(d, insn, ret);
	d->library->cs_free(insn, 1);
	return true;
}

/* --- as gdb writes it --- */

/* capstone has small numbers in decimal, gdb all in hexadecimal; and no space after a comma */
static void put_operands(const char *from, struct scry_buf *out)
{
	for (char before = ' '; *from; before = *from++) {
		bool number = *from >= '0' && *from <= '9' && strchr(" ,$-(#", before);

		if (*from == ' ' && before == ',')
			continue;
		if (number && from[1] != 'x' && !strchr("#", before) &&
		    !(before == ',' && strchr("1248", *from) && from[1] == ')'))
			scry_buf_puts(out, "0x");
		scry_buf_putc(out, *from);
	}
}

/* AT&T's letter for the size is left out where a register gives the size. */
static size_t mnemonic_len(const cs_insn *insn, const char *plain)
{
	size_t len = strlen(plain), have = strlen(insn->mnemonic);
	const char *o = insn->op_str;
	bool named = false;

	if (have != len + 1 || strncmp(plain, insn->mnemonic, len))
		return have;
	/* a register that stands by itself, not in brackets */
	for (int open = 0; *o; o++) {
		open += *o == '(' ? 1 : *o == ')' ? -1 : 0;
		named |= *o == '%' && !open && strncmp(o + 1, "fs:", 3) && strncmp(o + 1, "gs:", 3);
	}
	return named || !strcmp(plain, "call") || !strcmp(plain, "jmp") || !strcmp(plain, "ret") ||
			       !strcmp(plain, "push") || !strcmp(plain, "pop") ||
			       !strcmp(plain, "leave")
		       ? len
		       : have;
}

/* "vpcmpb 0x20(%rdi)": no more is known of it */
static void put_other(const struct scry_decoder *d, const struct scry_insn *insn,
		      struct scry_buf *out)
{
	scry_buf_puts(out, insn->name);
	for (unsigned i = 0; i < insn->count; i++) {
		const struct scry_operand *o = &insn->operands[i];

		scry_buf_puts(out, o->offset < 0 ? " -" : " ");
		if (o->offset)
			scry_buf_printf(out, "0x%" PRIx64,
					(uint64_t)(o->offset < 0 ? -o->offset : o->offset));
		scry_buf_putc(out, '(');
		if (o->base >= 0)
			scry_buf_printf(out, "%%%s", d->arch->regs[o->base].name);
		if (o->index >= 0)
			scry_buf_printf(out, ",%%%s,%u", d->arch->regs[o->index].name, o->scale);
		scry_buf_putc(out, ')');
	}
}

void scry_decode_text(struct scry_decoder *d, const struct scry_insn *at, struct scry_buf *out)
{
	uint8_t bytes[LONGEST];
	size_t len = scry_read_some(d->session, at->addr, bytes, at->size);
	cs_insn *insn, *plain;

	if (at->name) {
		put_other(d, at, out);
		return;
	}
	if (len < at->size || !d->library->cs_disasm(d->words, bytes, len, at->addr, 1, &insn))
		return;
	size_t shown = strlen(insn->mnemonic);
	if (d->arch->code.att &&
	    d->library->cs_disasm(d->details, bytes, len, at->addr, 1, &plain)) {
		shown = mnemonic_len(insn, plain->mnemonic);
		d->library->cs_free(plain, 1);
	}
	scry_buf_put(out, insn->mnemonic, shown);
	if (*insn->op_str)
		scry_buf_putc(out, ' ');
	if (d->arch->code.att)
		put_operands(insn->op_str, out);
	else
		scry_buf_puts(out, insn->op_str);
	d->library->cs_free(insn, 1);
}

/* --- functions --- */

/*
 * .eh_frame_hdr: version 1, three encodings, then a table of the first addresses of functions and
 * their entries, as 32-bit offsets from itself (DW_EH_PE_datarel | DW_EH_PE_sdata4): Linux
 * Standard Base 5.0, 10.6.2. An entry begins with its length, its CIE, the first address and the
 * size of its code: as compilers write them, 32-bit numbers.
 */
#define EH_TABLE  0x3b
#define EH_HEADER 12
#define ENTRIES   (1u << 22)

static bool table_entry(struct scry_session *s, scry_addr hdr, uint64_t i, scry_addr *ret_start,
			scry_addr *ret_entry)
{
	int64_t start, entry;

	if (scry_read_int(s, hdr + EH_HEADER + 8 * i, 4, &start) < 0 ||
	    scry_read_int(s, hdr + EH_HEADER + 8 * i + 4, 4, &entry) < 0)
		return false;
	*ret_start = hdr + (scry_addr)start;
	*ret_entry = hdr + (scry_addr)entry;
	return true;
}

static bool by_unwind_table(struct scry_session *s, scry_addr at, scry_addr *ret_start,
			    scry_addr *ret_end)
{
	struct scry_module *m = scry_module_at(s, at);
	const struct scry_elf *e = m ? m->image : NULL;
	const struct scry_segment *p = e ? scry_elf_segment(e, PT_GNU_EH_FRAME) : NULL;
	scry_addr hdr = p ? e->bias + p->vaddr : 0, start, entry;
	uint64_t count, low = 0, size;
	uint8_t head[4];

	if (!p || scry_read(s, hdr, head, 4) < 0 || head[0] != 1 || head[3] != EH_TABLE ||
	    scry_read_uint(s, hdr + 8, 4, &count) < 0 || count > ENTRIES)
		return false;
	for (uint64_t high = count; low < high;) {
		uint64_t mid = low + (high - low) / 2;

		if (!table_entry(s, hdr, mid, &start, &entry))
			return false;
		if (start <= at)
			low = mid + 1;
		else
			high = mid;
	}
	if (!low || !table_entry(s, hdr, low - 1, &start, &entry) ||
	    scry_read_uint(s, entry + 12, 4, &size) < 0 || at - start >= size)
		return false;
	*ret_start = start;
	*ret_end = start + size;
	return true;
}

/*
 * Symbols know where a function ends; without them the unwind table does, for what has an entry
 * there.
 */
bool scry_function_at(struct scry_session *s, scry_addr at, scry_addr *ret_start,
		      scry_addr *ret_end)
{
	const struct scry_place *place = scry_place_at(s, at);
	scry_addr root;

	if (!place || !place->module)
		return false;
	if (s->target->abi.windows)
		return scry_pe_function(place->module, at, ret_start, ret_end, &root) == SCRY_OK;
	if (place->symbol.name && place->symbol.size) {
		*ret_start = place->symbol.addr;
		*ret_end = place->symbol.addr + place->symbol.size;
		return true;
	}
	return by_unwind_table(s, at, ret_start, ret_end);
}

static bool is_indirect(const struct scry_insn *insn)
{
	return insn->kind == SCRY_INSN_JUMP && !insn->target;
}

static struct scry_insn *add_insns(struct scry_listing *l, size_t n)
{
	struct scry_insn *more = realloc(l->insns, (l->count + n) * sizeof(*more));

	if (!more)
		return NULL;
	l->insns = more;
	l->count += n;
	return more + l->count - n;
}

/* What capstone reads in one go; the bytes that it took. */
static size_t list_known(struct scry_decoder *d, const uint8_t *bytes, size_t len, scry_addr at,
			 struct scry_listing *ret)
{
	cs_insn *insns;
	size_t n = d->library->cs_disasm(d->details, bytes, len, at, 0, &insns), taken = 0;
	struct scry_insn *to = n ? add_insns(ret, n) : NULL;

	for (size_t i = 0; to && i < n; i++) {
		convert(d, &insns[i], &to[i]);
		ret->indirect |= is_indirect(&to[i]);
		taken += insns[i].size;
	}
	if (n)
		d->library->cs_free(insns, n);
	return taken;
}

static bool list(struct scry_decoder *d, const uint8_t *bytes, size_t len, struct scry_listing *ret)
{
	struct scry_insn other, *to;

	for (size_t at = 0; at < len;) {
		size_t taken = list_known(d, bytes + at, len - at, ret->start + at, ret);

		at += taken;
		if (at < len && decode_other(d, bytes + at, len - at, ret->start + at, &other) &&
		    (to = add_insns(ret, 1))) {
			*to = other;
			at += other.size;
		} else if (!taken) {
			break;
		}
	}
	return ret->count != 0;
}

bool scry_listing_read(struct scry_decoder *d, scry_addr at, struct scry_listing *ret)
{
	struct scry_session *s = d->session;
	uint8_t *bytes;

	*ret = (struct scry_listing) { 0 };
	/* the interpreter's loop has some 40 KiB in a 3.11, and nothing else comes near */
	if (!scry_function_at(s, at, &ret->start, &ret->end) || ret->end <= ret->start ||
	    ret->end - ret->start > FUNCTION_MAX || !(bytes = malloc(ret->end - ret->start)))
		return false;
	size_t len = scry_read_some(s, ret->start, bytes, ret->end - ret->start);
	/*
	 * an address that is no instruction of the listing: data lies between, and the rest was
	 * read out of step
	 */
	bool ok = list(d, bytes, len, ret) && scry_listing_find(ret, at) != SIZE_MAX;
	free(bytes);
	if (!ok)
		scry_listing_done(ret);
	return ok;
}

void scry_listing_done(struct scry_listing *l)
{
	free(l->insns);
	*l = (struct scry_listing) { 0 };
}

size_t scry_listing_find(const struct scry_listing *l, scry_addr at)
{
	size_t low = 0, high = l->count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (l->insns[mid].addr < at)
			low = mid + 1;
		else
			high = mid;
	}
	return low < l->count && l->insns[low].addr == at ? low : SIZE_MAX;
}
