/* Finders that know where to look: symbols, sections, and code that returns the list's head. */
#include <string.h>

#include "base/loadable.h"
#include "runtime/find.h"

static scry_addr symbol(struct scry_module *m, const char *name)
{
	struct scry_symbol found;

	return scry_module_symbol(m, name, &found) == SCRY_OK ? found.addr : 0;
}

void scry_find_by_section(struct scry_search *search)
{
	/* Include/internal/pycore_runtime.h, 3.10+; a PE file keeps eight characters of the name */
	static const char *const names[] = { ".PyRuntime", "PyRuntim" };

	for (struct scry_module *m = NULL; (m = scry_search_module(search, m));)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
			struct scry_section section;

			if (scry_module_section(m, names[i], &section) < 0)
				continue;
			scry_search_try(search, m,
					&(struct scry_roots) { .runtime = section.addr });
		}
}

/* mov rax, [rip+x] / mov eax, [x]: the first absolute load before the return. */
static scry_addr x86_load(const cs_insn *insn)
{
	const cs_x86 *x = &insn->detail->x86;

	if (insn->id != X86_INS_MOV || x->op_count != 2 || x->operands[0].type != X86_OP_REG ||
	    x->operands[1].type != X86_OP_MEM)
		return 0;
	const x86_op_mem *mem = &x->operands[1].mem;
	if (mem->base == X86_REG_RIP)
		return insn->address + insn->size + (uint64_t)mem->disp;
	if (mem->base == X86_REG_INVALID && mem->index == X86_REG_INVALID)
		return (uint64_t)mem->disp & 0xffffffff;
	return 0;
}

/* i386 PIC: call thunk; add eax, n; mov eax, [eax+x]. `base` is what the register holds then. */
static scry_addr i386_load(const cs_insn *insn, scry_addr *base)
{
	const cs_x86 *x = &insn->detail->x86;

	if (insn->id == X86_INS_CALL)
		*base = insn->address + insn->size;
	else if (insn->id == X86_INS_ADD && x->op_count == 2 && x->operands[1].type == X86_OP_IMM &&
		 *base)
		*base = (*base + (uint64_t)x->operands[1].imm) & 0xffffffff;
	else if (insn->id == X86_INS_MOV && x->op_count == 2 && x->operands[1].type == X86_OP_MEM &&
		 x->operands[1].mem.base != X86_REG_INVALID &&
		 x->operands[1].mem.base != X86_REG_ESP && *base)
		return (*base + (uint64_t)x->operands[1].mem.disp) & 0xffffffff;
	return x86_load(insn);
}

/* adrp xN, page; ldr x0, [xN, x], perhaps with an add between. */
static scry_addr arm64_load(const cs_insn *insn, scry_addr *base)
{
	const cs_arm64 *a = &insn->detail->arm64;

	if (insn->id == ARM64_INS_ADRP && a->op_count == 2)
		*base = (uint64_t)a->operands[1].imm;
	else if (insn->id == ARM64_INS_ADD && a->op_count == 3 &&
		 a->operands[2].type == ARM64_OP_IMM && *base)
		*base += (uint64_t)a->operands[2].imm;
	else if (insn->id == ARM64_INS_LDR && a->op_count == 2 &&
		 a->operands[1].type == ARM64_OP_MEM && *base)
		return *base + (uint64_t)(int64_t)a->operands[1].mem.disp;
	return 0;
}

static scry_addr decode_accessor(struct scry_session *s, scry_addr code)
{
	static const struct {
		const char *arch;
		cs_arch cs;
		cs_mode mode;
	} machines[] = { { "x86_64", CS_ARCH_X86, CS_MODE_64 },
			 { "i386", CS_ARCH_X86, CS_MODE_32 },
			 { "aarch64", CS_ARCH_ARM64, CS_MODE_ARM } };
	const struct scry_capstone_library *lib = scry_capstone_library();
	const char *arch = s->target->arch ? s->target->arch->name : "";
	uint8_t bytes[64];
	size_t len = scry_read_some(s, code, bytes, sizeof(bytes));
	scry_addr found = 0, base = 0;
	cs_insn *insns;
	csh cs;

	for (size_t m = 0; lib && m < sizeof(machines) / sizeof(*machines); m++) {
		if (strcmp(arch, machines[m].arch) ||
		    lib->cs_open(machines[m].cs, machines[m].mode, &cs) != CS_ERR_OK)
			continue;
		lib->cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
		size_t n = lib->cs_disasm(cs, bytes, len, code, 12, &insns);
		for (size_t i = 0;
		     i < n && !found && !lib->cs_insn_group(cs, &insns[i], CS_GRP_RET); i++)
			found = m == 0   ? x86_load(&insns[i])
				: m == 1 ? i386_load(&insns[i], &base)
					 : arm64_load(&insns[i], &base);
		if (n)
			lib->cs_free(insns, n);
		lib->cs_close(&cs);
	}
	return found;
}

static scry_addr decode_head(struct scry_session *s, struct scry_module *m)
{
	scry_addr code = symbol(m, "PyInterpreterState_Head");

	return code ? decode_accessor(s, code) : 0;
}

void scry_find_by_symbol(struct scry_search *search)
{
	for (struct scry_module *m = NULL; (m = scry_search_module(search, m));) {
		/* 3.7+: exported. Up to 3.6 the list's head is static: only .symtab has it */
		struct scry_roots roots = { .runtime = symbol(m, "_PyRuntime") };

		if (!roots.runtime) {
			roots.interp_head = symbol(m, "interp_head");
			roots.current = symbol(m, "_PyThreadState_Current");
		}
		/*
		 * the current thread's interpreter need not be the first of the list: the accessor
		 * knows
		 */
		if (!roots.interp_head && roots.current)
			roots.interp_head = decode_head(search->s, m);
		if (roots.runtime || roots.interp_head || roots.current)
			scry_search_try(search, m, &roots);
	}
}

void scry_find_by_accessor(struct scry_search *search)
{
	for (struct scry_module *m = NULL; (m = scry_search_module(search, m));) {
		struct scry_roots roots = { .interp_head = decode_head(search->s, m),
					    .current = symbol(m, "_PyThreadState_Current") };

		if (roots.interp_head)
			scry_search_try(search, m, &roots);
	}
}
