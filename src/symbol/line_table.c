/* DWARF 5, 6.2, and the older forms of its header: DWARF 2 to 4, 6.2.4. */
#include "symbol/line_table.h"

#include <dwarf.h>
#include <string.h>

#include "base/bytes.h"

#define FORMATS_MAX 16 /* parts of an entry of version 5; five are defined */

/* --- bytes --- */

/*
 * Past the end everything reads as 0 and `bad` is set, once and for good: the callers need not ask
 * each time.
 */
static uint64_t take(struct scry_line_bytes *in, unsigned size)
{
	if ((size_t)(in->end - in->at) < size) {
		in->bad = true;
		in->at = in->end;
		return 0;
	}
	in->at += size;
	return scry_load(in->at - size, size, false);
}

static uint64_t take_leb(struct scry_line_bytes *in)
{
	uint64_t value = 0;

	for (unsigned shift = 0; in->at < in->end; shift += 7) {
		uint8_t byte = *in->at++;

		if (shift < 64)
			value |= (uint64_t)(byte & 127) << shift;
		if (!(byte & 128))
			return value;
	}
	in->bad = true;
	return 0;
}

/* DWARF 5, 7.6: bit 6 of the last byte is the sign. */
static int64_t take_signed_leb(struct scry_line_bytes *in)
{
	uint64_t value = 0;
	unsigned shift = 0;
	uint8_t byte = 128;

	for (; byte & 128 && in->at < in->end; shift += 7) {
		byte = *in->at++;
		if (shift < 64)
			value |= (uint64_t)(byte & 127) << shift;
	}
	in->bad |= byte & 128;
	if (byte & 64 && shift < 64)
		value |= ~0ull << shift;
	return (int64_t)value;
}

static void skip(struct scry_line_bytes *in, uint64_t size)
{
	if ((uint64_t)(in->end - in->at) < size)
		in->bad = true;
	in->at = in->bad ? in->end : in->at + size;
}

static const char *take_text(struct scry_line_bytes *in)
{
	const uint8_t *text = in->at, *end = memchr(text, 0, (size_t)(in->end - text));

	if (!end)
		in->bad = true;
	in->at = end ? end + 1 : in->end;
	return end ? (const char *)text : "";
}

/* --- opening --- */

static bool find_section(Elf *elf, const char *name, const uint8_t **ret, size_t *ret_size)
{
	size_t strings;
	GElf_Shdr header;

	if (elf_getshdrstrndx(elf, &strings) != 0)
		return false;
	for (Elf_Scn *section = NULL; (section = elf_nextscn(elf, section));) {
		const char *own = gelf_getshdr(section, &header)
					  ? elf_strptr(elf, strings, header.sh_name)
					  : NULL;

		if (!own || strcmp(own, name) || header.sh_type == SHT_NOBITS)
			continue;
		Elf_Data *data =
			header.sh_flags & SHF_COMPRESSED ? NULL : elf_rawdata(section, NULL);
		if (!data || !data->d_buf)
			return false;
		*ret = data->d_buf;
		*ret_size = data->d_size;
		return true;
	}
	return false;
}

/* The header up to the directories; `program` is what the unit's length spans. */
static bool read_header(struct scry_line_table *t)
{
	struct scry_line_bytes *in = &t->program;
	uint64_t length = take(in, 4);

	t->offset_size = length == 0xffffffff ? 8 : 4;
	if (t->offset_size == 8)
		length = take(in, 8);
	if (in->bad || length > (uint64_t)(in->end - in->at))
		return false;
	in->end = in->at + length;
	t->version = (unsigned)take(in, 2);
	if (t->version < 2 || t->version > 5)
		return false;
	if (t->version >= 5)
		skip(in, 2); /* sizes of an address and of a segment selector */
	uint64_t header = take(in, t->offset_size);
	if (in->bad || header > (uint64_t)(in->end - in->at))
		return false;
	const uint8_t *start = in->at + header;
	t->min_length = (uint8_t)take(in, 1);
	/* maximum_operations_per_instruction: more than one are VLIW machines' */
	if (t->version >= 4 && take(in, 1) != 1)
		return false;
	skip(in, 1); /* default_is_stmt */
	t->line_base = (int8_t)take(in, 1);
	t->line_range = (uint8_t)take(in, 1);
	t->opcode_base = (uint8_t)take(in, 1);
	t->lengths = in->at - 1;
	skip(in, t->opcode_base ? t->opcode_base - 1u : 0);
	if (in->bad || !t->line_range || !t->opcode_base || in->at > start)
		return false;
	t->directories = (struct scry_line_bytes) { in->at, start, false };
	in->at = start;
	return true;
}

/*
 * libdw decodes a unit's whole table for its first question, sorts it and keeps it; here one pass
 * finds one row. Whatever is not plain (compressed, split, big-endian) is left to libdw.
 */
bool scry_line_table_open(Dwarf *dwarf, Dwarf_Die *unit, struct scry_line_table *ret)
{
	static const uint16_t one = 1;
	Dwarf_Attribute attr;
	Dwarf_Word offset;
	Elf *elf = dwarf_getelf(dwarf);
	const char *ident = elf ? elf_getident(elf, NULL) : NULL;
	const uint8_t *lines;
	size_t size;

	*ret = (struct scry_line_table) { 0 };
	if (!ident || ident[EI_DATA] != ELFDATA2LSB || !*(const uint8_t *)&one ||
	    dwarf_hasattr(unit, DW_AT_dwo_name) || dwarf_hasattr(unit, DW_AT_GNU_dwo_name) ||
	    dwarf_formudata(dwarf_attr(unit, DW_AT_stmt_list, &attr), &offset) != 0 ||
	    !find_section(elf, ".debug_line", &lines, &size) || offset >= size)
		return false;
	find_section(elf, ".debug_line_str", &ret->line_str, &ret->line_str_size);
	find_section(elf, ".debug_str", &ret->str, &ret->str_size);
	ret->directory = dwarf_formstring(dwarf_attr(unit, DW_AT_comp_dir, &attr));
	ret->program = (struct scry_line_bytes) { lines + offset, lines + size, false };
	return read_header(ret);
}

/* --- the program --- */

struct machine {
	const struct scry_line_table *table;
	struct scry_line_bytes in;
	Dwarf_Addr wanted, addr, best;
	uint64_t file, best_file;
	uint32_t line, best_line;
	bool found, ends; /* the best one ends a sequence */
};

/* DWARF 5, 6.2.2: the registers at the start of each sequence. */
static void restart(struct machine *m)
{
	m->addr = 0;
	m->file = m->line = 1;
}

/*
 * The last row at or before the address, as libdw sorts them: of several with one address those
 * that end a sequence come first, the others follow in the order of the program.
 */
static void row(struct machine *m, bool ends)
{
	if (m->addr > m->wanted ||
	    (m->found && (m->addr < m->best || (m->addr == m->best && ends && !m->ends))))
		return;
	m->found = true;
	m->ends = ends;
	m->best = m->addr;
	m->best_file = m->file;
	m->best_line = m->line;
}

static void extended(struct machine *m)
{
	uint64_t size = take_leb(&m->in);

	if (m->in.bad || !size || size > (uint64_t)(m->in.end - m->in.at)) {
		m->in.bad = true;
		return;
	}
	const uint8_t *next = m->in.at + size;
	switch (take(&m->in, 1)) {
	case DW_LNE_end_sequence:
		row(m, true);
		restart(m);
		break;
	case DW_LNE_set_address:
		m->addr = take(&m->in, size - 1 <= 8 ? (unsigned)size - 1 : 8);
		break;
	case DW_LNE_define_file:
		m->in.bad = true; /* of DWARF 4; nobody writes it */
		break;
	default:
		break;
	}
	m->in.at = next;
}

static void standard(struct machine *m, uint8_t opcode)
{
	const struct scry_line_table *t = m->table;

	switch (opcode) {
	case DW_LNS_copy:
		row(m, false);
		break;
	case DW_LNS_advance_pc:
		m->addr += take_leb(&m->in) * t->min_length;
		break;
	case DW_LNS_advance_line:
		m->line += (uint32_t)take_signed_leb(&m->in);
		break;
	case DW_LNS_set_file:
		m->file = take_leb(&m->in);
		break;
	case DW_LNS_const_add_pc:
		/* as special opcode 255 would, without a row (6.2.5.2) */
		m->addr += (255u - t->opcode_base) / t->line_range * t->min_length;
		break;
	case DW_LNS_fixed_advance_pc:
		/* not multiplied by the length of an instruction, unlike all the others */
		m->addr += take(&m->in, 2);
		break;
	default: /* flags, columns, and what is not known: all operands are LEB128 */
		for (unsigned i = 0; i < t->lengths[opcode]; i++)
			take_leb(&m->in);
	}
}

int scry_line_table_find(const struct scry_line_table *t, Dwarf_Addr addr, int *ret_line,
			 uint64_t *ret_file)
{
	struct machine m = { .table = t, .in = t->program, .wanted = addr };

	restart(&m);
	while (m.in.at < m.in.end && !m.in.bad) {
		uint8_t opcode = *m.in.at++;

		if (opcode >= t->opcode_base) {
			/* a special opcode moves both registers and makes a row (6.2.5.1) */
			unsigned step = (unsigned)opcode - t->opcode_base;

			m.addr += step / t->line_range * t->min_length;
			m.line += (uint32_t)(t->line_base + (int)(step % t->line_range));
			row(&m, false);
		} else if (opcode) {
			standard(&m, opcode);
		} else {
			extended(&m);
		}
	}
	if (m.in.bad)
		return -1;
	if (!m.found || m.ends || m.best_line > INT32_MAX)
		return 0;
	*ret_line = (int)m.best_line;
	*ret_file = m.best_file;
	return 1;
}

/* --- files --- */

struct entry {
	const char *name;
	uint64_t directory;
};

static const char *text_at(const uint8_t *texts, size_t size, uint64_t at)
{
	return texts && at < size && memchr(texts + at, 0, size - at) ? (const char *)texts + at
								      : NULL;
}

/* One part of an entry of version 5: what it says where it is a text or a number. */
static void take_form(const struct scry_line_table *t, struct scry_line_bytes *in, uint64_t form,
		      const char **ret_text, uint64_t *ret_number)
{
	switch (form) {
	case DW_FORM_string:
		*ret_text = take_text(in);
		break;
	case DW_FORM_line_strp:
		*ret_text = text_at(t->line_str, t->line_str_size, take(in, t->offset_size));
		break;
	case DW_FORM_strp:
		*ret_text = text_at(t->str, t->str_size, take(in, t->offset_size));
		break;
	case DW_FORM_udata:
		*ret_number = take_leb(in);
		break;
	case DW_FORM_data1:
		*ret_number = take(in, 1);
		break;
	case DW_FORM_data2:
		*ret_number = take(in, 2);
		break;
	case DW_FORM_data4:
		*ret_number = take(in, 4);
		break;
	case DW_FORM_data8:
		*ret_number = take(in, 8);
		break;
	case DW_FORM_data16:
		skip(in, 16);
		break;
	case DW_FORM_block:
		skip(in, take_leb(in));
		break;
	default:
		in->bad = true;
	}
}

/* A table of version 5, to its end: entry `wanted` of it. */
static bool take_table(const struct scry_line_table *t, struct scry_line_bytes *in, uint64_t wanted,
		       struct entry *ret)
{
	uint64_t kinds[FORMATS_MAX], forms[FORMATS_MAX], formats = take(in, 1);
	bool found = false;

	for (uint64_t i = 0; i < formats && i < FORMATS_MAX; i++) {
		kinds[i] = take_leb(in);
		forms[i] = take_leb(in);
	}
	uint64_t count = take_leb(in);
	if (in->bad || formats > FORMATS_MAX || (!formats && count))
		return false;
	for (uint64_t n = 0; n < count && !in->bad; n++) {
		struct entry e = { 0 };

		for (uint64_t i = 0; i < formats; i++) {
			const char *text = NULL;
			uint64_t number = 0;

			take_form(t, in, forms[i], &text, &number);
			if (kinds[i] == DW_LNCT_path)
				e.name = text;
			else if (kinds[i] == DW_LNCT_directory_index)
				e.directory = number;
		}
		if (n == wanted) {
			*ret = e;
			found = true;
		}
	}
	return found && !in->bad;
}

/* Numbers begin at 0 in version 5; directory 0 is the compilation's own (6.2.4.1). */
static bool find_5(const struct scry_line_table *t, uint64_t number, struct entry *ret,
		   const char **ret_directory)
{
	struct scry_line_bytes in = t->directories, again = in;
	struct entry directory;

	take_table(t, &in, 0, &directory);
	if (in.bad || !take_table(t, &in, number, ret))
		return false;
	if (!take_table(t, &again, ret->directory, &directory))
		return false;
	*ret_directory = directory.name;
	return true;
}

/* Up to version 4 a list of texts that an empty one ends, then files with three numbers each. */
static bool find_4(const struct scry_line_table *t, uint64_t number, struct entry *ret,
		   const char **ret_directory)
{
	struct scry_line_bytes in = t->directories, again = in;
	const char *text;

	while (*take_text(&in))
		;
	*ret = (struct entry) { 0 };
	for (uint64_t n = 1; !in.bad && n <= number; n++) {
		ret->name = take_text(&in);
		if (!*ret->name)
			return false;
		ret->directory = take_leb(&in);
		take_leb(&in);
		take_leb(&in);
	}
	if (in.bad || !ret->name)
		return false;
	*ret_directory = t->directory;
	for (uint64_t n = 1; n <= ret->directory; n++) {
		text = take_text(&again);
		if (!*text)
			return false;
		*ret_directory = text;
	}
	return true;
}

bool scry_line_table_file(const struct scry_line_table *t, uint64_t number, struct scry_buf *out)
{
	const char *directory = NULL;
	struct entry file = { 0 };

	if (!(t->version >= 5 ? find_5 : find_4)(t, number, &file, &directory) || !file.name)
		return false;
	/*
	 * relative to its directory, which may be relative to the compilation's: then as libdw
	 * leaves it
	 */
	if (*file.name != '/' && directory)
		scry_buf_printf(out, "%s/", directory);
	scry_buf_puts(out, file.name);
	return !out->failed;
}
