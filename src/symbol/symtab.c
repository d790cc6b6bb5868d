/*
 * Symbol tables. The hash sections make one find cheap; the sorted table is made only once it pays.
 */
#include "symbol/symtab.h"

#include <elf.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SYMBOLS         (1u << 24)
#define MAX_STRINGS         (1u << 28)
#define MAX_COPY            (32u << 20) /* bytes of one table copied out of target memory */
#define MAX_DYNAMIC         512         /* entries of a dynamic section */
#define FINDS_BEFORE_HASHES 2
#define ATS_BEFORE_SORT     2

struct scry_symtab_entry {
	uint64_t value;
	uint32_t index;
};

struct dynamic {
	uint64_t symtab, strtab, strsz, gnu_hash, hash;
};

static size_t symbol_size(const struct scry_elf *e)
{
	return e->is64 ? sizeof(Elf64_Sym) : sizeof(Elf32_Sym);
}

static const char *symbol_name(const struct scry_symtab *t, size_t index)
{
	uint64_t at = scry_elf_load(t->elf, t->symbols + index * symbol_size(t->elf), 4);

	return at < t->strings_size ? t->strings + at : "";
}

/* Decode a symbol: false for one without an address of its own. */
static bool symbol_at(const struct scry_symtab *t, size_t index, struct scry_symtab_symbol *ret,
		      bool *ret_global)
{
	const struct scry_elf *e = t->elf;
	const uint8_t *p = t->symbols + index * symbol_size(e);
	uint8_t info = e->is64 ? p[offsetof(Elf64_Sym, st_info)] : p[offsetof(Elf32_Sym, st_info)];
	unsigned type = ELF64_ST_TYPE(info);
	size_t section = e->is64 ? offsetof(Elf64_Sym, st_shndx) : offsetof(Elf32_Sym, st_shndx);

	if (scry_elf_load(e, p + section, 2) == SHN_UNDEF || type == STT_SECTION ||
	    type == STT_FILE || type == STT_TLS)
		return false;
	ret->is_function = type == STT_FUNC || type == STT_GNU_IFUNC;
	ret->is_data = type == STT_OBJECT || type == STT_COMMON;
	ret->value = e->is64 ? scry_elf_load(e, p + offsetof(Elf64_Sym, st_value), 8)
			     : scry_elf_load(e, p + offsetof(Elf32_Sym, st_value), 4);
	ret->size = e->is64 ? scry_elf_load(e, p + offsetof(Elf64_Sym, st_size), 8)
			    : scry_elf_load(e, p + offsetof(Elf32_Sym, st_size), 4);
	if (e->machine == EM_ARM && ret->is_function)
		ret->value &= ~(uint64_t)1; /* the bit says Thumb */
	*ret_global = ELF64_ST_BIND(info) != STB_LOCAL;
	return true;
}

void scry_symtab_from_section(struct scry_symtab *t, const struct scry_elf *e, uint32_t type)
{
	struct scry_elf_section section, strings;
	unsigned i = 1;

	*t = (struct scry_symtab) { .elf = e };
	while (scry_elf_section_at(e, i, &section) && section.type != type)
		i++;
	if (!scry_elf_section_at(e, i, &section) || !scry_elf_section_at(e, section.link, &strings))
		return;
	const uint8_t *names = scry_elf_section_data(e, &strings);
	if ((section.flags | strings.flags) & SHF_COMPRESSED || !names ||
	    strings.size > MAX_STRINGS)
		return;
	t->symbols = scry_elf_section_data(e, &section);
	t->count = t->symbols ? (size_t)(section.size / symbol_size(e)) : 0;
	if (t->count > MAX_SYMBOLS)
		t->count = MAX_SYMBOLS;
	t->strings = (const char *)names;
	t->strings_size = (size_t)strings.size;
	while (t->strings_size && t->strings[t->strings_size - 1])
		t->strings_size--; /* an unterminated last name is not one */
}

/* glibc relocates the pointers in a dynamic section, musl and the file do not. */
static uint64_t dynamic_pointer(const struct scry_elf *e, uint64_t value)
{
	uint64_t low, high;

	if (e->data || !e->bias || !scry_elf_span(e, &low, &high))
		return value;
	return value - e->bias >= low && value - e->bias < high ? value - e->bias : value;
}

static bool read_dynamic(const struct scry_elf *e, struct dynamic *ret)
{
	const struct scry_segment *p = scry_elf_segment(e, PT_DYNAMIC);
	unsigned word = e->is64 ? 8 : 4;

	*ret = (struct dynamic) { 0 };
	for (unsigned i = 0; p && i < MAX_DYNAMIC && (i + 1) * 2 * word <= p->memsz; i++) {
		uint8_t bytes[16];

		if (!scry_elf_read(e, p->vaddr + i * 2 * word, bytes, 2 * word))
			break;
		uint64_t tag = scry_elf_load(e, bytes, word),
			 value = scry_elf_load(e, bytes + word, word);
		if (tag == DT_NULL)
			break;
		if (tag == DT_SYMTAB)
			ret->symtab = dynamic_pointer(e, value);
		else if (tag == DT_STRTAB)
			ret->strtab = dynamic_pointer(e, value);
		else if (tag == DT_STRSZ)
			ret->strsz = value;
		else if (tag == DT_GNU_HASH)
			ret->gnu_hash = dynamic_pointer(e, value);
		else if (tag == DT_HASH)
			ret->hash = dynamic_pointer(e, value);
	}
	return ret->symtab && ret->strtab && ret->strsz && ret->strsz <= MAX_STRINGS;
}

static bool read_word(const struct scry_elf *e, uint64_t at, uint32_t *ret)
{
	uint8_t bytes[4];

	if (!scry_elf_read(e, at, bytes, 4))
		return false;
	*ret = (uint32_t)scry_elf_load(e, bytes, 4);
	return true;
}

/* The end of the last chain is the end of the table. */
static size_t gnu_hash_count(const struct scry_elf *e, uint64_t table)
{
	uint32_t buckets, first, bloom, last = 0, value;

	if (!read_word(e, table, &buckets) || !read_word(e, table + 4, &first) ||
	    !read_word(e, table + 8, &bloom) || buckets > MAX_SYMBOLS || bloom > MAX_SYMBOLS)
		return 0;
	uint64_t bucket = table + 16 + (uint64_t)bloom * (e->is64 ? 8 : 4);
	for (uint32_t i = 0; i < buckets; i++) {
		if (!read_word(e, bucket + 4 * (uint64_t)i, &value))
			return 0;
		if (value > last)
			last = value;
	}
	if (last < first)
		return first;
	uint64_t chain = bucket + 4 * (uint64_t)buckets;
	do {
		if (last >= MAX_SYMBOLS ||
		    !read_word(e, chain + 4 * (uint64_t)(last - first), &value))
			return 0;
		last++;
	} while (!(value & 1));
	return last;
}

static size_t dynamic_count(const struct scry_elf *e, const struct dynamic *d)
{
	uint32_t chains;

	if (d->hash && read_word(e, d->hash + 4, &chains) && chains <= MAX_SYMBOLS)
		return chains;
	if (d->gnu_hash)
		return gnu_hash_count(e, d->gnu_hash);
	return d->strtab > d->symtab ? (size_t)((d->strtab - d->symtab) / symbol_size(e)) : 0;
}

/* The bytes of a table: in place in a file, copied out of target memory. */
static const void *table_bytes(const struct scry_elf *e, uint64_t vaddr, size_t len)
{
	size_t have = 0;

	if (e->data) {
		const void *p = scry_elf_bytes(e, vaddr, &have, NULL);
		return have >= len ? p : NULL;
	}
	void *copy = len <= MAX_COPY ? scry_arena_alloc(&e->session->arena, len + 1) : NULL;
	return copy && scry_elf_read(e, vaddr, copy, len) ? copy : NULL;
}

void scry_symtab_from_dynamic(struct scry_symtab *t, const struct scry_elf *e)
{
	struct dynamic d;

	*t = (struct scry_symtab) { .elf = e };
	if (!read_dynamic(e, &d))
		return;
	t->count = dynamic_count(e, &d);
	if (!t->count)
		return;
	t->symbols = table_bytes(e, d.symtab, t->count * symbol_size(e));
	t->strings = table_bytes(e, d.strtab, (size_t)d.strsz);
	if (!t->symbols || !t->strings || t->strings[d.strsz - 1]) {
		t->symbols = NULL;
		t->count = 0;
		return;
	}
	t->strings_size = (size_t)d.strsz;
	t->gnu_hash = d.gnu_hash;
	t->hash = d.hash;
}

void scry_symtab_done(struct scry_symtab *t)
{
	free(t->hashes);
	free(t->sorted);
	t->hashes = NULL;
	t->sorted = NULL;
}

static bool is_named(const struct scry_symtab *t, size_t index, const char *name,
		     struct scry_symtab_symbol *ret, bool *ret_global)
{
	if (index >= t->count || strcmp(symbol_name(t, index), name))
		return false;
	ret->name = symbol_name(t, index);
	return symbol_at(t, index, ret, ret_global);
}

static uint32_t gnu_hash(const char *name)
{
	uint32_t h = 5381;

	while (*name)
		h = h * 33 + (uint8_t)*name++;
	return h;
}

/*
 * System V ABI, "Hash Table", as extended by GNU: bloom filter, buckets, chains whose last entry is
 * odd.
 */
static bool gnu_find(struct scry_symtab *t, const char *name, struct scry_symtab_symbol *ret)
{
	const struct scry_elf *e = t->elf;
	uint32_t buckets, first, bloom, shift, at, value, h = gnu_hash(name);
	unsigned word = e->is64 ? 8 : 4, bits = word * 8;
	uint8_t bytes[8];
	bool global;

	if (!read_word(e, t->gnu_hash, &buckets) || !read_word(e, t->gnu_hash + 4, &first) ||
	    !read_word(e, t->gnu_hash + 8, &bloom) || !read_word(e, t->gnu_hash + 12, &shift) ||
	    !buckets || !bloom || shift > 31)
		return false;
	if (!scry_elf_read(e, t->gnu_hash + 16 + (uint64_t)(h / bits % bloom) * word, bytes, word))
		return false;
	uint64_t filter = scry_elf_load(e, bytes, word);
	if (!(filter >> (h % bits) & 1) || !(filter >> ((h >> shift) % bits) & 1))
		return false;
	uint64_t bucket = t->gnu_hash + 16 + (uint64_t)bloom * word;
	uint64_t chain = bucket + 4 * (uint64_t)buckets;
	if (!read_word(e, bucket + 4 * (uint64_t)(h % buckets), &at) || at < first)
		return false;
	for (; at < t->count && read_word(e, chain + 4 * (uint64_t)(at - first), &value); at++) {
		if ((value | 1) == (h | 1) && is_named(t, at, name, ret, &global))
			return true;
		if (value & 1)
			break;
	}
	return false;
}

static bool make_hashes(struct scry_symtab *t)
{
	t->hashes = malloc(t->count * sizeof(*t->hashes));
	if (!t->hashes)
		return false;
	for (size_t i = 0; i < t->count; i++)
		t->hashes[i] = gnu_hash(symbol_name(t, i));
	return true;
}

/* A global symbol wins over a static one of the same name. */
static bool linear_find(struct scry_symtab *t, const char *name, struct scry_symtab_symbol *ret)
{
	uint32_t h = gnu_hash(name);
	bool found = false, global = false;
	struct scry_symtab_symbol symbol;

	if (!t->hashes && ++t->finds > FINDS_BEFORE_HASHES)
		make_hashes(t);
	for (size_t i = 0; i < t->count && !global; i++) {
		if (t->hashes && t->hashes[i] != h)
			continue;
		if (!is_named(t, i, name, &symbol, &global))
			continue;
		if (!found || global)
			*ret = symbol;
		found = true;
	}
	return found;
}

bool scry_symtab_find(struct scry_symtab *t, const char *name, struct scry_symtab_symbol *ret)
{
	if (!t->symbols || !*name)
		return false;
	return t->gnu_hash ? gnu_find(t, name, ret) : linear_find(t, name, ret);
}

static bool covers(const struct scry_symtab_symbol *s, uint64_t addr)
{
	return addr - s->value < s->size;
}

/* Of two names of one function the one that people use: raise, not gsignal or __GI_raise. */
static bool nicer(const char *a, const char *b)
{
	size_t under_a = strspn(a, "_"), under_b = strspn(b, "_");

	return under_a != under_b ? under_a < under_b : strlen(a) < strlen(b);
}

/* Is `a` a better answer than `b` for addr? Both lie at or before it. */
static bool better(const struct scry_symtab_symbol *a, const struct scry_symtab_symbol *b,
		   uint64_t addr)
{
	if (covers(a, addr) != covers(b, addr))
		return covers(a, addr);
	if (a->value != b->value || a->size != b->size)
		return a->value > b->value || (a->value == b->value && a->size > b->size);
	return nicer(a->name, b->name);
}

/*
 * Labels without a type (_edata, parts of assembly code) name no place that one would want to hear
 * of.
 */
static bool is_place(const struct scry_symtab_symbol *s)
{
	return s->is_function || s->is_data;
}

static bool linear_at(const struct scry_symtab *t, uint64_t addr, struct scry_symtab_symbol *ret)
{
	struct scry_symtab_symbol symbol;
	bool found = false, global;

	for (size_t i = 0; i < t->count; i++) {
		if (!symbol_at(t, i, &symbol, &global) || !is_place(&symbol) || symbol.value > addr)
			continue;
		symbol.name = symbol_name(t, i);
		if (found && !better(&symbol, ret, addr))
			continue;
		*ret = symbol;
		found = true;
	}
	return found;
}

#define DIGIT 11 /* bits */

/* By value, equal ones in their order: digit by digit, from the lowest. False: out of memory. */
static bool sort(struct scry_symtab_entry **list, size_t count)
{
	struct scry_symtab_entry *from = *list, *to = malloc(count * sizeof(*to)), *swap;
	size_t start[1u << DIGIT];
	uint64_t all = 0;

	if (!to)
		return false;
	for (size_t i = 0; i < count; i++)
		all |= from[i].value;
	for (unsigned shift = 0; shift < 64 && all >> shift; shift += DIGIT) {
		size_t sum = 0;

		memset(start, 0, sizeof(start));
		for (size_t i = 0; i < count; i++)
			start[from[i].value >> shift & ((1u << DIGIT) - 1)]++;
		for (size_t d = 0; d < 1u << DIGIT; d++) {
			size_t n = start[d];

			start[d] = sum;
			sum += n;
		}
		for (size_t i = 0; i < count; i++)
			to[start[from[i].value >> shift & ((1u << DIGIT) - 1)]++] = from[i];
		swap = from;
		from = to;
		to = swap;
	}
	*list = from;
	free(to);
	return true;
}

static void make_sorted(struct scry_symtab *t)
{
	struct scry_symtab_symbol symbol;
	bool global;

	t->sorted = malloc(t->count * sizeof(*t->sorted));
	for (size_t i = 0; t->sorted && i < t->count; i++)
		if (symbol_at(t, i, &symbol, &global) && is_place(&symbol))
			t->sorted[t->sorted_count++] =
				(struct scry_symtab_entry) { symbol.value, (uint32_t)i };
	if (t->sorted && t->sorted_count && !sort(&t->sorted, t->sorted_count)) {
		free(t->sorted);
		t->sorted = NULL;
		t->sorted_count = 0;
	}
}

/*
 * Symbols do not nest, but aliases of different sizes share an address: some steps back are enough.
 */
static bool sorted_at(const struct scry_symtab *t, uint64_t addr, struct scry_symtab_symbol *ret)
{
	size_t low = 0, high = t->sorted_count;
	bool found = false, global;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (t->sorted[mid].value <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	for (size_t back = 0; back < 16 && back < low; back++) {
		struct scry_symtab_symbol symbol;
		size_t index = t->sorted[low - 1 - back].index;

		symbol.name = symbol_name(t, index);
		/* where nothing tells them apart the first in the table, as linear_at() */
		if (!symbol_at(t, index, &symbol, &global) || (found && better(ret, &symbol, addr)))
			continue;
		*ret = symbol;
		found = true;
	}
	return found;
}

bool scry_symtab_at(struct scry_symtab *t, uint64_t addr, struct scry_symtab_symbol *ret)
{
	if (!t->symbols)
		return false;
	if (!t->sorted && ++t->ats > ATS_BEFORE_SORT)
		make_sorted(t);
	return t->sorted ? sorted_at(t, addr, ret) : linear_at(t, addr, ret);
}
