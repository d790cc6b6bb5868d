/*
 * ELF modules: .dynsym by its hash section, .symtab, the separate debug file's .symtab, sections,
 * read-only bytes.
 */
#include "symbol/elf.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#include "symbol/dwarf.h"
#include "symbol/list.h"
#include "symbol/locate.h"
#include "symbol/symtab.h"

struct elf_state {
	struct scry_elf elf; /* the file, or what target memory has of the image */
	struct scry_symtab dynamic, symtab, debug;
	bool symtab_done, debug_done;
};

/*
 * Tables in the order of their cost; the latter two are looked for when the first gave no answer.
 */
static struct scry_symtab *table_at(struct scry_module *m, unsigned index)
{
	struct elf_state *state = m->state;

	if (index == 0)
		return &state->dynamic;
	if (index == 1) {
		if (!state->symtab_done)
			scry_symtab_from_section(&state->symtab, &state->elf, SHT_SYMTAB);
		state->symtab_done = true;
		return &state->symtab;
	}
	if (index == 2 && !state->debug_done) {
		const struct scry_elf *debug =
			state->symtab.symbols ? NULL : scry_module_debug_elf(m);

		if (debug)
			scry_symtab_from_section(&state->debug, debug, SHT_SYMTAB);
		state->debug_done = true;
	}
	return index == 2 ? &state->debug : NULL;
}

static void to_symbol(const struct scry_module *m, const struct scry_symtab_symbol *from,
		      struct scry_symbol *ret)
{
	*ret = (struct scry_symbol) { from->name, from->value + m->bias, from->size,
				      from->is_function };
}

static int elf_find(struct scry_module *m, const char *name, struct scry_symbol *ret)
{
	struct scry_symtab_symbol symbol;
	struct scry_symtab *t;

	for (unsigned i = 0; (t = table_at(m, i)); i++) {
		if (!scry_symtab_find(t, name, &symbol))
			continue;
		to_symbol(m, &symbol, ret);
		return SCRY_OK;
	}
	return SCRY_ENOTFOUND;
}

/* A full table knows the static functions too; .dynsym is only the last resort. */
static int elf_at(struct scry_module *m, scry_addr addr, struct scry_symbol *ret)
{
	static const unsigned order[] = { 1, 2, 0 };
	struct scry_symtab_symbol symbol;

	for (unsigned i = 0; i < 3; i++) {
		if (!scry_symtab_at(table_at(m, order[i]), addr - m->bias, &symbol))
			continue;
		to_symbol(m, &symbol, ret);
		return SCRY_OK;
	}
	return SCRY_ENOTFOUND;
}

static int elf_section(struct scry_module *m, const char *name, struct scry_section *ret)
{
	struct elf_state *state = m->state;
	const struct scry_elf *debug;
	struct scry_elf_section section;

	/* a separate debug file has all section headers of the stripped one */
	if (!scry_elf_section_find(&state->elf, name, &section) &&
	    (state->elf.data || !(debug = scry_module_debug_elf(m)) ||
	     !scry_elf_section_find(debug, name, &section)))
		return SCRY_ENOTFOUND;
	if (!(section.flags & SHF_ALLOC))
		return SCRY_ENOTFOUND;
	*ret = (struct scry_section) { section.addr + m->bias, section.size };
	return SCRY_OK;
}

/* Writable segments are never served: what the target did to them is not in the file. */
static const uint8_t *elf_image(struct scry_module *m, scry_addr addr, size_t *ret_len)
{
	struct elf_state *state = m->state;
	uint32_t flags = PF_W;
	size_t len = 0;

	if (!m->verified)
		return NULL;
	const uint8_t *p = scry_elf_bytes(&state->elf, addr - m->bias, &len, &flags);
	if (!p || flags & PF_W)
		return NULL;
	*ret_len = len;
	return p;
}

static void elf_close(struct scry_module *m)
{
	struct elf_state *state = m->state;

	scry_symtab_done(&state->dynamic);
	scry_symtab_done(&state->symtab);
	scry_symtab_done(&state->debug);
	scry_elf_close(&state->elf);
}

static const struct scry_module_ops file_ops = {
	.name = "elf",
	.find = elf_find,
	.at = elf_at,
	.section = elf_section,
	.image = elf_image,
	.close = elf_close,
};

static const struct scry_module_ops memory_ops = {
	.name = "elf in memory",
	.find = elf_find,
	.at = elf_at,
	.section = elf_section,
	.close = elf_close,
};

static void take_file(struct scry_module *m, struct elf_state *state,
		      const struct scry_located *found)
{
	state->elf = found->elf;
	m->file = found->path;
	m->verified = found->verified;
	if (!m->build_id && found->verified && scry_is_build_id(found->elf.build_id))
		m->build_id = scry_arena_text(&m->session->arena, found->elf.build_id,
					      strlen(found->elf.build_id));
	scry_module_place(m, &state->elf);
	m->ops = &file_ops;
}

int scry_elf_module_open(struct scry_module *m)
{
	struct elf_state *state = scry_arena_alloc(&m->session->arena, sizeof(*state));
	struct scry_located found;

	if (!state)
		return SCRY_ENOMEM;
	state->elf.fd = -1;
	m->state = state;
	if (scry_locate(m, &found, &m->problem) == SCRY_OK) {
		take_file(m, state, &found);
	} else if (m->image) {
		state->elf = *m->image;
		m->ops = &memory_ops;
	} else if (m->build_id) {
		state->elf = (struct scry_elf) { .session = m->session, .fd = -1, .is64 = true };
		m->ops = &memory_ops; /* perhaps there is a debug file */
	} else {
		return SCRY_ENOTFOUND;
	}
	scry_symtab_from_dynamic(&state->dynamic, &state->elf);
	if (state->elf.data && !state->dynamic.symbols)
		scry_symtab_from_section(&state->dynamic, &state->elf, SHT_DYNSYM);
	return SCRY_OK;
}

const struct scry_elf *scry_module_elf_file(struct scry_module *m)
{
	scry_module_open(m);
	return m->ops == &file_ops && m->verified ? m->state : NULL;
}
