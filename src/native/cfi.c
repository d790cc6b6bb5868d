/* Rules of call frame information: found by libdw, compiled once per pc, applied. */
#include "native/cfi.h"

#include <dwarf.h>
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/dwarf.h"
#include "symbol/elf.h"

#define MEMORY_MAX (64u << 20) /* bytes of an image that are copied out of target memory */

/* The handles of one module. */
struct handle {
	struct handle *next;
	struct scry_module *module;   /* NULL: the vDSO */
	const struct scry_elf *table; /* where .eh_frame_hdr is read, or NULL */
	Elf *elf;
	Dwarf_CFI *eh, *debug; /* `debug` belongs to the module's Dwarf */
	scry_addr start, end, bias;
	char *image; /* copied out of target memory, or NULL */
	const char *why;
};

/* What the session keeps: session->unwinding. */
struct unwinding {
	struct scry_hash rows; /* by pc */
	struct handle *handles, *last;
};

static struct unwinding *unwinding_of(struct scry_session *s)
{
	if (!s->unwinding)
		s->unwinding = scry_arena_alloc(&s->arena, sizeof(struct unwinding));
	return s->unwinding;
}

void scry_cfi_close(struct scry_session *s)
{
	struct unwinding *u = s->unwinding;

	for (struct handle *h = u ? u->handles : NULL; h; h = h->next) {
		if (h->eh)
			dwarf_cfi_end(h->eh);
		if (h->elf)
			elf_end(h->elf);
		free(h->image);
	}
	if (u)
		scry_hash_done(&u->rows);
	s->unwinding = NULL;
}

/* --- where the information is --- */

/* Section headers are not mapped: without them libdw goes by the program headers. */
static void drop_sections(char *image, bool is64)
{
	if (is64) {
		Elf64_Ehdr *e = (Elf64_Ehdr *)image;

		e->e_shoff = e->e_shnum = e->e_shstrndx = 0;
	} else {
		Elf32_Ehdr *e = (Elf32_Ehdr *)image;

		e->e_shoff = e->e_shnum = e->e_shstrndx = 0;
	}
}

/*
 * An image in target memory, laid out as its file was: the vDSO, or a dump with all pages and no
 * file at hand.
 */
static void from_memory(struct scry_session *s, struct handle *h, const struct scry_elf *e)
{
	const struct scry_segment *hdr = scry_elf_segment(e, PT_GNU_EH_FRAME);
	uint64_t size = 0;
	uint8_t byte;

	if (!hdr || !scry_elf_read(e, hdr->vaddr, &byte, 1))
		return;
	for (unsigned i = 0; i < e->count; i++) {
		const struct scry_segment *p = &e->segments[i];

		if (p->type == PT_LOAD && p->offset < MEMORY_MAX && p->filesz < MEMORY_MAX &&
		    p->offset + p->filesz > size)
			size = p->offset + p->filesz;
	}
	if (size < sizeof(Elf64_Ehdr) || size > MEMORY_MAX || !(h->image = calloc(1, size)))
		return;
	for (unsigned i = 0; i < e->count; i++) {
		const struct scry_segment *p = &e->segments[i];

		if (p->type == PT_LOAD && p->offset < size && p->filesz <= size - p->offset)
			scry_read_some(s, e->bias + p->vaddr, h->image + p->offset, p->filesz);
	}
	drop_sections(h->image, e->is64);
	h->elf = elf_memory(h->image, size);
	h->bias = e->bias;
}

static void open_handle(struct scry_session *s, struct handle *h)
{
	struct scry_module *m = h->module;
	const struct scry_elf *file = m ? scry_module_elf_file(m) : NULL;
	struct scry_elf *vdso = m ? NULL : scry_arena_alloc(&s->arena, sizeof(*vdso));

	elf_version(EV_CURRENT);
	h->table = file ? file : m ? m->image : NULL;
	if (file) {
		h->elf = elf_memory((char *)(uintptr_t)file->data, file->size);
		h->bias = m->bias;
	} else if (m && m->image) {
		h->bias = m->image->bias;
		from_memory(s, h, m->image);
	} else if (vdso && scry_elf_in_memory(s, h->start, vdso) == SCRY_OK) {
		from_memory(s, h, vdso);
	}
	if (h->elf)
		h->eh = dwarf_getcfi_elf(h->elf);
	if (!h->eh && m && !h->image && scry_module_has_dwarf(m, NULL)) {
		Dwarf *dwarf = scry_module_dwarf(m, NULL, NULL);

		h->debug = dwarf ? dwarf_getcfi(dwarf) : NULL;
	}
	if (h->eh || h->debug)
		return;
	if (!m)
		h->why = "the vDSO has no unwind table";
	else if (!m->file)
		h->why = scry_arena_printf(&s->arena, "%s %s%s", m->name,
					   m->problem ? "cannot be used: " : "was not found",
					   m->problem ? m->problem : "");
	else
		h->why = scry_arena_printf(&s->arena, "%s has no unwind table%s%s", m->name,
					   m->problem ? ": " : "", m->problem ? m->problem : "");
}

static bool covers(const struct handle *h, scry_addr pc)
{
	return pc >= h->start && pc < h->end;
}

/* The handle of whatever is mapped at `pc`; NULL: nothing that could have any. */
static struct handle *handle_at(struct scry_session *s, struct unwinding *u, scry_addr pc)
{
	struct handle *h = u->last && covers(u->last, pc) ? u->last : u->handles;

	while (h && !covers(h, pc))
		h = h->next;
	if (h)
		return u->last = h;
	struct scry_module *m = scry_module_at(s, pc);
	const struct scry_map *map = scry_map_at(s->target, pc);
	scry_addr vdso = s->target->vdso;
	if (!m && !(vdso && map && map->start == vdso))
		return NULL;
	h = scry_arena_alloc(&s->arena, sizeof(*h));
	if (!h)
		return NULL;
	*h = (struct handle) { .next = u->handles,
			       .module = m,
			       .start = m ? m->start : vdso,
			       .end = m ? m->end : map->end };
	u->handles = u->last = h;
	open_handle(s, h);
	if (m) { /* opening may have told more */
		h->start = m->start;
		h->end = m->end;
	}
	return h;
}

/* --- rules --- */

int scry_reg_by_dwarf(const struct scry_arch *arch, uint64_t number)
{
	for (unsigned i = 0; i < arch->count; i++)
		if (arch->regs[i].dwarf >= 0 && (uint64_t)arch->regs[i].dwarf == number)
			return (int)i;
	return -1;
}

static struct scry_rule expression(struct scry_session *s, const Dwarf_Op *ops, size_t count)
{
	Dwarf_Op *copy = scry_arena_alloc(&s->arena, count * sizeof(*copy));

	if (!copy)
		return (struct scry_rule) { SCRY_RULE_LOST };
	memcpy(copy, ops, count * sizeof(*copy));
	return (struct scry_rule) { .kind = SCRY_RULE_EXPRESSION, .ops = copy, .count = count };
}

static struct scry_rule frame_rule(struct scry_session *s, Dwarf_Frame *frame)
{
	Dwarf_Op *ops;
	size_t count;

	if (dwarf_frame_cfa(frame, &ops, &count) < 0 || !count)
		return (struct scry_rule) { SCRY_RULE_LOST };
	int reg = count == 1 && ops[0].atom == DW_OP_bregx
			  ? scry_reg_by_dwarf(s->target->arch, ops[0].number)
			  : -1;
	if (reg >= 0)
		return (struct scry_rule) { .kind = SCRY_RULE_REGISTER,
					    .reg = reg,
					    .offset = (int64_t)ops[0].number2 };
	return expression(s, ops, count);
}

/*
 * libdw says all but the first two in expressions; the common ones get a rule of their own
 * (dwarf_frame_register()).
 */
static struct scry_rule register_rule(struct scry_session *s, Dwarf_Frame *frame, int number)
{
	Dwarf_Op memory[3], *ops;
	size_t count;

	if (number < 0 || dwarf_frame_register(frame, number, memory, &ops, &count) < 0)
		return (struct scry_rule) { SCRY_RULE_LOST };
	if (!count)
		return (struct scry_rule) { ops ? SCRY_RULE_LOST : SCRY_RULE_SAME };
	int reg = count == 1 && ops[0].atom == DW_OP_regx
			  ? scry_reg_by_dwarf(s->target->arch, ops[0].number)
			  : -1;
	if (reg >= 0)
		return (struct scry_rule) { .kind = SCRY_RULE_REGISTER, .reg = reg };
	if (ops != memory || ops[0].atom != DW_OP_call_frame_cfa)
		return expression(s, ops, count);
	struct scry_rule rule = { SCRY_RULE_MEMORY };
	size_t at = 1;
	if (at < count && ops[at].atom == DW_OP_plus_uconst)
		rule.offset = (int64_t)ops[at++].number;
	if (at < count && ops[at].atom == DW_OP_stack_value) {
		rule.kind = SCRY_RULE_VALUE;
		at++;
	}
	return at == count ? rule : expression(s, ops, count);
}

/*
 * Where a table says nothing of a register the ABI's rule holds, of which libdw's list has rax in
 * rbx's place (elfutils' backends/x86_64_cfi.c, 0.188 and others): then rbx alone is lost. A table
 * that gives up what the ABI preserves (GCC's functions that never return) gives up all of them.
 */
static void mend_default(const struct scry_arch *arch, struct scry_cfi_row *row)
{
	unsigned lost = 0;
	int last = -1;

	for (unsigned i = 0; i < arch->count; i++)
		if (arch->regs[i].sysv == SCRY_PRESERVED && row->regs[i].kind == SCRY_RULE_LOST) {
			last = (int)i;
			lost++;
		}
	if (lost == 1 && last != row->link && last != arch->pc)
		row->regs[last].kind = SCRY_RULE_SAME;
}

static void compile(struct scry_session *s, struct scry_cfi_row *row, Dwarf_Frame *frame)
{
	const struct scry_arch *arch = s->target->arch;
	int link = dwarf_frame_info(frame, NULL, NULL, &row->signal);

	row->link = link < 0 ? -1 : scry_reg_by_dwarf(arch, (uint64_t)link);
	row->frame = frame_rule(s, frame);
	for (unsigned i = 0; i < arch->count; i++)
		row->regs[i] = register_rule(s, frame, arch->regs[i].dwarf);
	mend_default(arch, row);
	row->known = row->link >= 0 && row->frame.kind != SCRY_RULE_LOST;
	if (!row->known)
		row->why = "its unwind table's entry makes no sense";
}

static bool compile_from(struct scry_session *s, Dwarf_CFI *cfi, uint64_t vaddr,
			 struct scry_cfi_row *row)
{
	Dwarf_Frame *frame;

	if (!cfi || dwarf_cfi_addrframe(cfi, vaddr, &frame) != 0)
		return false;
	compile(s, row, frame);
	free(frame);
	return true;
}

static void look_up(struct scry_session *s, struct unwinding *u, scry_addr pc,
		    struct scry_cfi_row *row)
{
	struct handle *h = handle_at(s, u, pc);
	struct scry_cfi_entry entry;

	row->why = !h ? "in no module" : h->why ? h->why : "no entry of the unwind table covers it";
	if (!h || compile_from(s, h->eh, pc - h->bias, row) ||
	    compile_from(s, h->debug, pc - h->bias, row))
		return;
	if (h->table && scry_cfi_entry_open(h->table, pc - h->bias, &entry)) {
		compile_from(s, entry.cfi, pc - h->bias, row);
		scry_cfi_entry_close(&entry);
	}
}

const struct scry_cfi_row *scry_cfi_at(struct scry_session *s, scry_addr pc)
{
	struct unwinding *u = unwinding_of(s);
	struct scry_cfi_row *row = u ? scry_hash_find(&u->rows, pc) : NULL;

	if (row || !u)
		return row;
	row = scry_arena_alloc(&s->arena,
			       sizeof(*row) + s->target->arch->count * sizeof(row->regs[0]));
	if (!row || !scry_hash_put(&u->rows, pc, row))
		return NULL;
	look_up(s, u, pc, row);
	return row;
}

/* --- applying them --- */

static bool apply(struct scry_session *s, const struct scry_rule *rule, const struct scry_regs *now,
		  scry_addr frame, uint64_t *ret)
{
	switch (rule->kind) {
	case SCRY_RULE_MEMORY:
		return scry_read_ptr(s, frame + (uint64_t)rule->offset, ret) == SCRY_OK;
	case SCRY_RULE_VALUE:
		*ret = frame + (uint64_t)rule->offset;
		return true;
	case SCRY_RULE_REGISTER:
		*ret = now->value[rule->reg] + (uint64_t)rule->offset;
		return now->valid >> rule->reg & 1;
	case SCRY_RULE_EXPRESSION:
		return scry_cfi_expression(s, rule, now, frame, ret);
	default:
		return false;
	}
}

/*
 * A register of the caller. What a call may change is lost, but where the table says where it was
 * saved.
 */
static bool restore(struct scry_session *s, const struct scry_cfi_row *row,
		    const struct scry_regs *now, scry_addr frame, unsigned i, uint64_t *ret)
{
	const struct scry_arch *arch = now->arch;

	if ((int)i == arch->sp &&
	    (row->regs[i].kind == SCRY_RULE_SAME || row->regs[i].kind == SCRY_RULE_LOST)) {
		*ret = frame; /* by definition, where nothing else is said */
		return true;
	}
	if (row->regs[i].kind != SCRY_RULE_SAME)
		return apply(s, &row->regs[i], now, frame, ret);
	*ret = now->value[i];
	return (now->valid >> i & 1) &&
	       (arch->regs[i].sysv == SCRY_PRESERVED || (int)i == row->link);
}

/* So far above a return address of 0 a stack that was overwritten has others. */
#define OVERWRITTEN 4096

bool scry_cfi_is_end(struct scry_session *s, const struct scry_cfi_row *row,
		     const struct scry_regs *outer)
{
	return row->regs[row->link].kind == SCRY_RULE_LOST ||
	       scry_nothing_above(s, outer, OVERWRITTEN);
}

int scry_cfi_step(struct scry_session *s, const struct scry_cfi_row *row,
		  const struct scry_regs *now, struct scry_regs *ret)
{
	const struct scry_arch *arch = now->arch;
	scry_addr pc = now->value[arch->pc], frame = 0;

	if (row->regs[row->link].kind == SCRY_RULE_LOST)
		return SCRY_OK; /* the outermost function says so itself */
	if (!apply(s, &row->frame, now, 0, &frame))
		return scry_fail(s, SCRY_EFAULT, pc,
				 "the address of its frame cannot be worked out");
	*ret = (struct scry_regs) { .arch = arch };
	for (unsigned i = 0; i < arch->count; i++)
		if (restore(s, row, now, frame, i, &ret->value[i]))
			ret->valid |= (uint64_t)1 << i;
	if (!(ret->valid >> row->link & 1))
		return scry_fail(s, SCRY_EFAULT, frame, "its return address cannot be read");
	ret->value[arch->pc] = ret->value[row->link];
	ret->valid |= (uint64_t)1 << arch->pc;
	return ret->value[arch->pc] ? SCRY_ITEM : SCRY_OK;
}
