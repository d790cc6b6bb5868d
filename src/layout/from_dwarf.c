/*
 * Layouts from DWARF. Speed decides what is read: only the top-level DIEs of a few compile units,
 * chosen by name. The rest (a build by LTO, whose units have no telling names; structs met nowhere
 * yet) is read only when DWARF is all there is, or all that the user wants.
 */
#include <dwarf.h>
#include <string.h>

#include "layout/from_dwarf.h"
#include "symbol/dwarf.h"

#define DEPTH_MAX  8
#define NAME_SLOTS 512 /* a power of two, well above the number of C names in fields.def */
#define UNITS_MAX  8192

/*
 * Units in order of worth: these hold what frames, threads and the commonest values need. The
 * function of each, which every version since 2.7 exports, finds it by its address; else all units
 * are gone through for the name of the file.
 */
static const struct {
	const char *file, *function;
} units[] = {
	{ "pystate.c", "PyThreadState_New" },
	{ "ceval.c", "PyEval_EvalCode" },
	{ "genobject.c", "PyGen_New" },
	{ "dictobject.c", "PyDict_New" },
	{ "typeobject.c", "PyType_Ready" },
	{ "exceptions.c", "PyUnicodeDecodeError_GetStart" },
	{ "descrobject.c", "PyDescr_NewMethod" },
	{ "_collectionsmodule.c", "PyInit__collections" },
	{ "funcobject.c", "PyFunction_New" },
};

#define UNITS  (sizeof(units) / sizeof(*units))
#define ENOUGH (UNITS - 1) /* a module of the library may be a file of its own */

struct scan {
	Dwarf *dwarf;
	struct scry_module *module; /* NULL: its symbols are not at hand */
	struct scry_layout *l;
	struct {
		const char *name;
		uint16_t len, of; /* of: enum scry_struct */
	} names[NAME_SLOTS];
	unsigned missing; /* structs not found yet */
};

static size_t hash_name(const char *name, size_t len)
{
	uint32_t h = 2166136261u;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)name[i]) * 16777619u;
	return (h ^ h >> 15) & (NAME_SLOTS - 1);
}

static void add_names(struct scan *scan, enum scry_struct s)
{
	for (const char *p = scry_struct_c_names(s); *p; p += *p == '|') {
		size_t len = strcspn(p, "|"), at = hash_name(p, len);

		while (scan->names[at].name)
			at = (at + 1) & (NAME_SLOTS - 1);
		scan->names[at].name = p;
		scan->names[at].len = (uint16_t)len;
		scan->names[at].of = (uint16_t)s;
		p += len;
	}
}

/* PyGC_Head was a union up to 3.7. */
static bool is_struct(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_union_type;
}

/*
 * dwarf_diename() also asks what the DIE stems from: three looks at each of the many that have no
 * name.
 */
static const char *name_of(Dwarf_Die *die)
{
	Dwarf_Attribute attr;

	return dwarf_formstring(dwarf_attr(die, DW_AT_name, &attr));
}

/* After typedefs and qualifiers; libdw's own dwarf_peel_type() stops at nothing else. */
static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	return dwarf_formref_die(dwarf_attr(die, DW_AT_type, &attr), ret) &&
	       dwarf_peel_type(ret, ret) == 0;
}

static Dwarf_Word number(Dwarf_Die *die, unsigned name, Dwarf_Word otherwise)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	return dwarf_attr(die, name, &attr) && dwarf_formudata(&attr, &value) == 0 ? value
										   : otherwise;
}

/*
 * The size of a member; a flexible array counts as one element, for size 0 means that there is no
 * such field.
 */
static Dwarf_Word size_of(Dwarf_Die *type)
{
	Dwarf_Word size;
	Dwarf_Die element;

	if (dwarf_aggregate_size(type, &size) == 0 && size)
		return size;
	if (dwarf_tag(type) == DW_TAG_array_type && type_of(type, &element) &&
	    dwarf_aggregate_size(&element, &size) == 0)
		return size;
	return 0;
}

static struct scry_slot bit_slot(Dwarf_Die *member, Dwarf_Word base, Dwarf_Word unit,
				 Dwarf_Word bits)
{
	Dwarf_Word at = number(member, DW_AT_data_bit_offset, (Dwarf_Word)-1);

	if (at == (Dwarf_Word)-1) /* before DWARF 4: counted from the highest bit of the unit */
		at = 8 * (number(member, DW_AT_data_member_location, 0) + unit) -
		     number(member, DW_AT_bit_offset, 0) - bits;
	Dwarf_Word start = at / (8 * unit) * unit;

	return (struct scry_slot) { (uint32_t)(base + start), (uint16_t)unit,
				    (uint8_t)(at - 8 * start), (uint8_t)bits };
}

static struct scry_slot slot_of(Dwarf_Die *member, Dwarf_Die *type, Dwarf_Word base)
{
	Dwarf_Word size = size_of(type), bits = number(member, DW_AT_bit_size, 0);

	if (bits && size)
		return bit_slot(member, base, size, bits);
	return (struct scry_slot) { (uint32_t)(base +
					       number(member, DW_AT_data_member_location, 0)),
				    (uint16_t)(size > UINT16_MAX ? UINT16_MAX : size) };
}

/* Does any field of the struct lie below this path? */
static bool leads_on(enum scry_struct s, const char *path, size_t len)
{
	int f = scry_struct_first_field(s);

	for (; f < SCRY_F_COUNT && scry_field_struct((enum scry_field)f) == s; f++)
		for (const char *p = scry_field_paths((enum scry_field)f); p;
		     p = strchr(p, '|'), p = p ? p + 1 : p)
			if (strncmp(p, path, len) == 0 && p[len] == '.')
				return true;
	return false;
}

struct path {
	char text[128];
	size_t len;
	unsigned depth;
	/* 1 + which alternative filled the field: an earlier one replaces a later one */
	uint8_t rank[SCRY_F_COUNT];
};

static void take(struct scan *scan, enum scry_struct s, struct path *path, struct scry_slot slot)
{
	enum scry_field f = scry_field_by_path(s, path->text, path->len);

	if (f == SCRY_F_COUNT || !slot.size)
		return;
	unsigned rank = 1 + (unsigned)scry_field_path_rank(f, path->text, path->len);

	if (path->rank[f] && path->rank[f] <= rank)
		return;
	path->rank[f] = (uint8_t)rank;
	scan->l->slot[f].size = 0;
	scry_layout_put(scan->l, f, slot, SCRY_FROM_DWARF);
}

static void members(struct scan *scan, enum scry_struct s, Dwarf_Die *type, struct path *path,
		    Dwarf_Word base)
{
	Dwarf_Die member, inner;
	size_t len = path->len;

	if (++path->depth > DEPTH_MAX || dwarf_child(type, &member) != 0)
		return (void)path->depth--;
	do {
		const char *name = dwarf_tag(&member) == DW_TAG_member ? name_of(&member) : NULL;
		size_t n = name ? strlen(name) : 0;

		if (dwarf_tag(&member) != DW_TAG_member || len + n + 2 > sizeof(path->text) ||
		    !type_of(&member, &inner))
			continue;
		if (len && n)
			path->text[path->len++] = '.';
		memcpy(path->text + path->len, name ? name : "", n);
		path->len += n;
		struct scry_slot slot = slot_of(&member, &inner, base);
		int tag = dwarf_tag(&inner);

		if (n)
			take(scan, s, path, slot);
		if (is_struct(tag) && (!n || leads_on(s, path->text, path->len)))
			members(scan, s, &inner, path, slot.offset);
		path->len = len;
	} while (dwarf_siblingof(&member, &member) == 0);
	path->depth--;
}

static void read_struct(struct scan *scan, enum scry_struct s, Dwarf_Die *type, Dwarf_Word size)
{
	static const struct path empty;
	struct path path = empty;

	scan->l->size[s] = (uint32_t)size;
	scan->missing--;
	members(scan, s, type, &path, 0);
	if (scan->l->source[s] == SCRY_FROM_NOWHERE)
		scan->l->source[s] = SCRY_FROM_DWARF;
}

/* A struct or typedef at the top level: is it one of ours, and complete? */
static void consider(struct scan *scan, Dwarf_Die *die)
{
	const char *name = name_of(die);
	size_t len = name ? strlen(name) : 0;

	for (size_t at = hash_name(name, len); len && scan->names[at].name;
	     at = (at + 1) & (NAME_SLOTS - 1)) {
		enum scry_struct s = scan->names[at].of;
		Dwarf_Die type = *die;
		Dwarf_Word size;

		if (scan->names[at].len != len || memcmp(scan->names[at].name, name, len) != 0 ||
		    scan->l->size[s])
			continue;
		if (dwarf_tag(&type) == DW_TAG_typedef && dwarf_peel_type(&type, &type) != 0)
			continue;
		if (is_struct(dwarf_tag(&type)) && !dwarf_hasattr(&type, DW_AT_declaration) &&
		    (size = number(&type, DW_AT_byte_size, 0)) != 0)
			read_struct(scan, s, &type, size);
	}
}

static void read_unit(struct scan *scan, Dwarf_Off off)
{
	Dwarf_Die unit, die;

	if (!dwarf_offdie(scan->dwarf, off, &unit) || dwarf_child(&unit, &die) != 0)
		return;
	do {
		int tag = dwarf_tag(&die);

		if (is_struct(tag) || tag == DW_TAG_typedef)
			consider(scan, &die);
	} while (scan->missing && dwarf_siblingof(&die, &die) == 0);
}

/* Which of `units` this compile unit is, or UNITS. */
static size_t worth(Dwarf *dwarf, Dwarf_Off off)
{
	Dwarf_Die die;
	const char *name = dwarf_offdie(dwarf, off, &die) ? name_of(&die) : NULL, *slash;
	size_t i = 0;

	if (!name)
		return UNITS;
	slash = strrchr(name, '/');
	name = slash ? slash + 1 : name;
	while (i < UNITS && strcmp(units[i].file, name) != 0)
		i++;
	return i;
}

/*
 * By .debug_aranges: the names of 300 units need 300 tables of abbreviations. How many were found.
 */
static size_t choose_by_address(struct scan *scan, Dwarf_Off *chosen)
{
	Dwarf_Aranges *ranges;
	size_t count, found = 0;

	if (!scan->module || dwarf_getaranges(scan->dwarf, &ranges, &count) != 0)
		return 0;
	for (size_t w = 0; w < UNITS; w++) {
		struct scry_symbol symbol;
		Dwarf_Off off;

		if (scry_module_symbol(scan->module, units[w].function, &symbol) != SCRY_OK)
			continue;
		Dwarf_Arange *range =
			dwarf_getarange_addr(ranges, symbol.addr - scan->module->bias);
		if (range && dwarf_getarangeinfo(range, NULL, NULL, &off) == 0 &&
		    worth(scan->dwarf, off) == w) {
			chosen[w] = off;
			found++;
		}
	}
	return found;
}

static void choose_by_name(struct scan *scan, Dwarf_Off *chosen, size_t found)
{
	Dwarf_Off off = 0, next;
	size_t head;

	for (int i = 0; i < UNITS_MAX && found < UNITS &&
			dwarf_nextcu(scan->dwarf, off, &next, &head, NULL, NULL, NULL) == 0;
	     i++, off = next) {
		size_t w = worth(scan->dwarf, off + head);

		if (w < UNITS && !chosen[w]) {
			chosen[w] = off + head;
			found++;
		}
	}
}

static void read_units(struct scan *scan, bool all)
{
	Dwarf_Off chosen[UNITS] = { 0 }, off = 0, next;
	size_t head, found = choose_by_address(scan, chosen);

	if (found < ENOUGH)
		choose_by_name(scan, chosen, found);
	for (size_t w = 0; w < UNITS && scan->missing; w++)
		if (chosen[w])
			read_unit(scan, chosen[w]);
	for (int i = 0; all && i < UNITS_MAX && scan->missing &&
			dwarf_nextcu(scan->dwarf, off, &next, &head, NULL, NULL, NULL) == 0;
	     i++, off = next)
		read_unit(scan, off + head);
}

int scry_layout_scan_dwarf(Dwarf *dwarf, struct scry_module *m, bool all, struct scry_layout *l)
{
	struct scan scan = { .dwarf = dwarf, .module = m, .l = l, .missing = SCRY_S_COUNT };

	memset(l, 0, sizeof(*l));
	for (int s = 0; s < SCRY_S_COUNT; s++)
		add_names(&scan, (enum scry_struct)s);
	read_units(&scan, all);
	return l->size[SCRY_S_OBJECT] ? SCRY_OK : SCRY_ENOTFOUND;
}
