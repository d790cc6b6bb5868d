/* Places of machine code: symbols at once, DWARF when asked for. */
#include "native/place.h"

#include <dwarf.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/pypy/pypy_codemap.h"
#include "symbol/demangle.h"
#include "symbol/dwarf.h"
#include "symbol/line_table.h"
#include "symbol/pe.h"

#define INLINED_MAX SCRY_INLINED_MAX
#define DEPTH_MAX   256 /* nested blocks */

static struct scry_hash *places_of(struct scry_session *s)
{
	if (!s->places)
		s->places = scry_arena_alloc(&s->arena, sizeof(struct scry_hash));
	return s->places;
}

void scry_places_close(struct scry_session *s)
{
	if (s->places)
		scry_hash_done(s->places);
	s->places = NULL;
}

/* Machine code in no file may be a JIT's. */
static void name_machine_code(struct scry_session *s, scry_addr addr, struct scry_symbol *ret)
{
	const struct scry_map *map = scry_map_at(s->target, addr);
	struct scry_pypy_machine_code code;

	for (struct scry_runtime *r = s->runtimes; r; r = r->next)
		if (r->pypy && map && map->flags & SCRY_MAP_EXEC &&
		    scry_pypy_machine_code_at(r->pypy, addr, &code)) {
			*ret = (struct scry_symbol) {
				.name = scry_pypy_machine_code_name(r->pypy, &code),
				.addr = code.start,
				.size = code.size,
				.is_function = true,
			};
			return;
		}
}

struct scry_place *scry_place_at(struct scry_session *s, scry_addr addr)
{
	struct scry_hash *places = places_of(s);
	struct scry_place *p = places ? scry_hash_find(places, addr) : NULL;

	if (p || !places)
		return p;
	p = scry_arena_alloc(&s->arena, sizeof(*p));
	if (!p || !scry_hash_put(places, addr, p))
		return NULL;
	p->module = scry_module_at(s, addr);
	scry_addr begin, end, root;
	/*
	 * of a DLL only exports are known: without .pdata the one before the address may be of any
	 * other function
	 */
	if (p->module && s->target->abi.windows &&
	    scry_pe_function(p->module, addr, &begin, &end, &root) < 0)
		return p;
	/*
	 * a symbol that ends before the address is another function's: this one has none in the
	 * table
	 */
	if (!p->module || scry_symbol_at(s, addr, &p->symbol) < 0 ||
	    !scry_symbol_covers(&p->symbol, addr))
		p->symbol = (struct scry_symbol) { 0 };
	if (!p->module)
		name_machine_code(s, addr, &p->symbol);
	return p;
}

void scry_native_name(struct scry_session *s, struct scry_native_frame *f)
{
	const struct scry_place *p = scry_place_at(s, f->pc - f->is_call);

	f->module = p ? p->module : NULL;
	f->symbol = p ? p->symbol : (struct scry_symbol) { 0 };
}

/* --- DWARF --- */

void scry_native_prepare(struct scry_session *s)
{
	for (struct scry_module *m = scry_module_first(s); m; m = m->next)
		if ((scry_module_is_python(m) || !strncmp(m->name, "libc.so", 7)) &&
		    scry_module_has_dwarf(m, NULL))
			scry_module_dwarf(m, NULL, NULL);
}

/* The unit that has code at `at`: by .debug_aranges, or (clang writes none) by asking each. */
static bool find_unit(Dwarf *dwarf, Dwarf_Addr at, Dwarf_Die *ret)
{
	Dwarf_Off offset = 0, next;
	size_t header;

	if (dwarf_addrdie(dwarf, at, ret))
		return true;
	while (dwarf_nextcu(dwarf, offset, &next, &header, NULL, NULL, NULL) == 0) {
		if (dwarf_offdie(dwarf, offset + header, ret) && dwarf_haspc(ret, at) == 1)
			return true;
		offset = next;
	}
	return false;
}

static const char *keep(struct scry_session *s, const char *text)
{
	return text ? scry_arena_text(&s->arena, text, strlen(text)) : NULL;
}

/* Mangled names in their readable form, others as they are. */
static const char *readable(struct scry_session *s, const char *name)
{
	struct scry_buf text = SCRY_BUF_INIT;
	const char *found = NULL;

	if (name && scry_demangle(name, &text) && !text.failed)
		found = scry_arena_text(&s->arena, text.text, text.len);
	scry_buf_done(&text);
	return found ? found : keep(s, name);
}

/* C++ keeps the namespaces and classes of a function in the name that the linker sees. */
static const char *name_of(struct scry_session *s, Dwarf_Die *die)
{
	Dwarf_Attribute attr;
	const char *linkage =
		dwarf_formstring(dwarf_attr_integrate(die, DW_AT_linkage_name, &attr));

	return readable(s, linkage && !strncmp(linkage, "_Z", 2) ? linkage : dwarf_diename(die));
}

/* A unit and its lines, which libdw is asked for only where we cannot read them. */
struct unit {
	struct scry_session *s;
	Dwarf_Die die;
	struct scry_line_table lines;
	bool has_lines;
};

static const char *file_of(struct unit *unit, uint64_t number)
{
	struct scry_buf path = SCRY_BUF_INIT;
	const char *found = NULL;
	Dwarf_Files *files;
	size_t count;

	if (unit->has_lines && scry_line_table_file(&unit->lines, number, &path))
		found = keep(unit->s, path.text);
	else if (dwarf_getsrcfiles(&unit->die, &files, &count) == 0 && number < count)
		found = keep(unit->s, dwarf_filesrc(files, number, NULL, NULL));
	scry_buf_done(&path);
	return found;
}

/* Where the function that contains an inlined one "calls" it. */
static void call_site(struct unit *unit, Dwarf_Die *inlined, struct scry_c_function *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Word value;

	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_line, &attr), &value) == 0 &&
	    value <= INT32_MAX)
		ret->line = (int)value;
	if (dwarf_formudata(dwarf_attr(inlined, DW_AT_call_file, &attr), &value) == 0)
		ret->file = file_of(unit, value);
}

/* False: no line covers it. */
static bool line_at(struct unit *unit, Dwarf_Addr at, struct scry_c_function *ret)
{
	uint64_t file;
	int rc = unit->has_lines ? scry_line_table_find(&unit->lines, at, &ret->line, &file) : -1;

	if (rc >= 0) {
		ret->file = rc ? file_of(unit, file) : NULL;
		return rc;
	}
	Dwarf_Line *line = dwarf_getsrc_die(&unit->die, at);
	if (!line)
		return false;
	dwarf_lineno(line, &ret->line);
	ret->file = keep(unit->s, dwarf_linesrc(line, NULL, NULL));
	return true;
}

/* The child of `parent` whose code covers `at`: a function, a block, or an inlined function. */
static bool child_at(Dwarf_Die *parent, Dwarf_Addr at, unsigned depth, Dwarf_Die *ret)
{
	int rc = dwarf_child(parent, ret);

	for (; rc == 0; rc = dwarf_siblingof(ret, ret)) {
		int tag = dwarf_tag(ret);

		if (tag == DW_TAG_namespace || tag == DW_TAG_module ||
		    tag == DW_TAG_structure_type || tag == DW_TAG_class_type) {
			Dwarf_Die inner;

			if (depth < DEPTH_MAX && child_at(ret, at, depth + 1, &inner)) {
				*ret = inner;
				return true;
			}
		} else if ((tag == DW_TAG_subprogram || tag == DW_TAG_inlined_subroutine ||
			    tag == DW_TAG_lexical_block || tag == DW_TAG_try_block ||
			    tag == DW_TAG_catch_block) &&
			   dwarf_haspc(ret, at) == 1) {
			return true;
		}
	}
	return false;
}

/* The functions on the way down to the address, outermost first. */
static unsigned functions_down(Dwarf_Die *unit, Dwarf_Addr at, Dwarf_Die *list)
{
	Dwarf_Die in = *unit, next;
	unsigned n = 0;

	for (unsigned depth = 0;
	     depth < DEPTH_MAX && n < INLINED_MAX && child_at(&in, at, 0, &next); depth++) {
		int tag = dwarf_tag(&next);

		in = next;
		if (tag == DW_TAG_subprogram)
			n = 0; /* a function inside another one's source (Ada, lambdas) */
		if (tag == DW_TAG_subprogram || (n && tag == DW_TAG_inlined_subroutine))
			list[n++] = next;
	}
	return n;
}

unsigned scry_place_dies(struct scry_session *s, scry_addr addr, scry_addr *ret_bias,
			 Dwarf_Die *ret)
{
	struct scry_module *m = scry_module_at(s, addr);
	Dwarf *dwarf =
		m && scry_module_has_dwarf(m, NULL) ? scry_module_dwarf(m, NULL, NULL) : NULL;
	Dwarf_Die unit;

	if (!dwarf || !find_unit(dwarf, addr - m->bias, &unit))
		return 0;
	*ret_bias = m->bias;
	return functions_down(&unit, addr - m->bias, ret);
}

static size_t functions(struct unit *unit, Dwarf_Addr at, struct scry_c_function *list)
{
	Dwarf_Die down[INLINED_MAX];
	unsigned count = functions_down(&unit->die, at, down);
	bool line = line_at(unit, at, &list[0]);

	for (unsigned i = 0; i < count; i++) {
		Dwarf_Die *die = &down[count - 1 - i];

		list[i].name = name_of(unit->s, die);
		list[i].inlined = i + 1 < count;
		if (list[i].inlined)
			call_site(unit, die, &list[i + 1]);
	}
	return count || !line ? count : 1;
}

void scry_place_functions(struct scry_session *s, struct scry_place *p, scry_addr addr)
{
	struct scry_c_function list[INLINED_MAX] = { 0 };
	struct unit unit = { .s = s };

	if (p->searched || !p->module)
		return;
	p->searched = true;
	list[0].name = readable(s, p->symbol.name);
	Dwarf *dwarf = scry_module_has_dwarf(p->module, NULL)
			       ? scry_module_dwarf(p->module, NULL, NULL)
			       : NULL;
	size_t count = 0;
	if (dwarf && find_unit(dwarf, addr - p->module->bias, &unit.die)) {
		unit.has_lines = scry_line_table_open(dwarf, &unit.die, &unit.lines);
		count = functions(&unit, addr - p->module->bias, list);
	}
	if (!count && list[0].name)
		count = 1; /* no more than the symbol */
	p->functions = count ? scry_arena_alloc(&s->arena, count * sizeof(*list)) : NULL;
	if (!p->functions)
		return;
	memcpy(p->functions, list, count * sizeof(*list));
	p->count = count;
	if (!p->functions[count - 1].name)
		p->functions[count - 1].name = readable(s, p->symbol.name);
}
