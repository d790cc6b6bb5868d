/* Finders that know where to look: symbols, sections, and code that returns the list's head. */
#include <string.h>

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

/* The first absolute load before the return. */
static scry_addr decode_accessor(struct scry_session *s, scry_addr code)
{
	const struct scry_capstone_library *lib = scry_capstone_library();
	const struct scry_machine_code *how = s->target->arch ? &s->target->arch->code : NULL;
	uint8_t bytes[64];
	size_t len = scry_read_some(s, code, bytes, sizeof(bytes));
	scry_addr found = 0, base = 0;
	cs_insn *insns;
	csh cs;

	if (!lib || !how || !how->load || lib->cs_open(how->arch, how->mode, &cs) != CS_ERR_OK)
		return 0;
	lib->cs_option(cs, CS_OPT_DETAIL, CS_OPT_ON);
	size_t n = lib->cs_disasm(cs, bytes, len, code, 12, &insns);
	for (size_t i = 0; i < n && !found && !lib->cs_insn_group(cs, &insns[i], CS_GRP_RET); i++)
		found = how->load(&insns[i], &base);
	if (n)
		lib->cs_free(insns, n);
	lib->cs_close(&cs);
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
