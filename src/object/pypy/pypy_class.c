/* PyPy's classes: names, the method resolution order, the class of an object. */
#include <inttypes.h>
#include <string.h>

#include "object/pypy/pypy_printers.h"

#define MRO_MAX    1000
#define VTABLE_MAX 2048

const char *scry_pypy_string_field(struct scry_pypy *y, scry_addr addr, enum scry_pypy_field f)
{
	const char *text;
	size_t len;

	return scry_pypy_string(y, scry_pypy_get(y, addr, f), 1000, &text, &len) == SCRY_OK ? text
											    : NULL;
}

/* What a class itself has under a name; through the cell in which it may stand. */
static bool class_get(struct scry_runtime *r, scry_addr cls, const char *name, scry_addr *ret)
{
	struct scry_pypy *y = r->pypy;
	struct scry_pypy_table t;

	return scry_pypy_table_open(y, scry_pypy_get(y, cls, SCRY_PYPY_TYPE_DICT), false, &t) ==
		       SCRY_OK &&
	       scry_pypy_table_get(r, &t, name, ret) == SCRY_OK;
}

/* __name__, or with `whole` "module.qualname" as repr() has it. */
const char *scry_pypy_class_name(struct scry_runtime *r, scry_addr cls, bool whole)
{
	const char *name = whole ? scry_pypy_string_field(r->pypy, cls, SCRY_PYPY_TYPE_QUALNAME)
				 : NULL,
		   *module;
	scry_addr text;

	const char *own = scry_pypy_string_field(r->pypy, cls, SCRY_PYPY_TYPE_NAME),
		   *dot = own ? strchr(own, '.') : NULL;

	/* a built-in type has its module in its name: getname(), pypy/objspace/std/typeobject.py */
	if (dot && !scry_pypy_get(r->pypy, cls, SCRY_PYPY_TYPE_IS_HEAP))
		return whole ? own : dot + 1;
	if (!name)
		name = own;
	if (!whole || !name || !class_get(r, cls, "__module__", &text) ||
	    scry_pypy_text_at(r, text, 1000, &module) < 0 || !strcmp(module, "builtins") ||
	    !strcmp(module, "__builtin__"))
		return name;
	return scry_arena_printf(&r->session->arena, "%s.%s", module, name);
}

/* __module__, of built-in types too. */
const char *scry_pypy_class_module(struct scry_runtime *r, scry_addr cls)
{
	const char *own = scry_pypy_string_field(r->pypy, cls, SCRY_PYPY_TYPE_NAME), *module,
		   *dot = own && !scry_pypy_get(r->pypy, cls, SCRY_PYPY_TYPE_IS_HEAP)
				  ? strrchr(own, '.')
				  : NULL;
	scry_addr text;

	if (dot)
		return scry_arena_text(&r->session->arena, own, (size_t)(dot - own));
	if (class_get(r, cls, "__module__", &text) &&
	    scry_pypy_text_at(r, text, 1000, &module) == SCRY_OK)
		return module;
	return scry_pypy_is_python2(r) ? "__builtin__" : "builtins";
}

/* The class of the MRO that has a name, and what it has there; 0: none is to be found. */
scry_addr scry_pypy_find_in_mro(struct scry_runtime *r, scry_addr cls, const char *name,
				scry_addr *ret)
{
	enum scry_pypy_kind kind;
	scry_addr items, of;
	uint64_t count;

	if (scry_pypy_items_open(r->pypy, scry_pypy_get(r->pypy, cls, SCRY_PYPY_TYPE_MRO), false,
				 &kind, &items, &count) < 0)
		return 0;
	for (uint64_t i = 0;
	     i < count && i < MRO_MAX && scry_read_ptr(r->session, items + 8 * i, &of) == SCRY_OK;
	     i++)
		if (scry_pypy_type_of(r->pypy, &of) && class_get(r, of, name, ret))
			return of;
	return 0;
}

bool scry_pypy_class_find(struct scry_runtime *r, scry_addr cls, const char *name, scry_addr *ret)
{
	return scry_pypy_find_in_mro(r, cls, name, ret);
}

/* Its map's terminator knows. */
scry_addr scry_pypy_class_of(struct scry_pypy *y, const struct scry_pypy_type *t, scry_addr addr)
{
	uintptr_t at = (uintptr_t)scry_hash_find(&y->maps, t->tid);
	scry_addr map = 0, cls;

	if (!at || scry_read_ptr(y->runtime->session, addr + at - 1, &map) < 0 ||
	    !scry_pypy_type_of(y, &map))
		return 0;
	cls = scry_pypy_get(y, scry_pypy_get(y, map, SCRY_PYPY_MAP_TERMINATOR),
			    SCRY_PYPY_TERMINATOR_CLASS);
	return scry_pypy_is(y, scry_pypy_type_of(y, &cls), SCRY_PYPY_CLASS_TYPE) ? cls : 0;
}

/*
 * --- classes of what is not an instance of a class written in Python ---
 *
 * A typedef (pypy/interpreter/typedef.py) is in the vtable of each RPython class that has
 * objects, and in the layout of the type object: a constant that is not an object itself, so only
 * its address identifies it. Its place in vtables is found by some that are known.
 */

/* type_info, rpython/memory/gctypelayout.py: four words, of arrays eight, then the vtable */
static scry_addr vtable_of(struct scry_pypy *y, const struct scry_pypy_type *t)
{
	uint64_t bits = 0;

	scry_read_uint(y->runtime->session, y->group + t->tid, 8, &bits);
	return y->group + t->tid + (bits & 0x10000 ? 64 : 32);
}

static uint64_t mro_length(struct scry_pypy *y, scry_addr type)
{
	enum scry_pypy_kind kind;
	uint64_t count = 0;
	scry_addr items;

	return scry_pypy_items_open(y, scry_pypy_get(y, type, SCRY_PYPY_TYPE_MRO), false, &kind,
				    &items, &count) == SCRY_OK
		       ? count
		       : UINT64_MAX;
}

/* Subclasses share the layout: the type that has it first has the fewest bases. */
static bool take_class(struct scry_pypy_scan *scan, scry_addr at)
{
	struct scry_pypy *y = scan->pypy;
	scry_addr layout = scry_pypy_get(y, at, SCRY_PYPY_TYPE_LAYOUT), typedef_, known;

	if (!scry_pypy_type_of(y, &layout))
		return true;
	typedef_ = scry_pypy_get(y, layout, SCRY_PYPY_LAYOUT_TYPEDEF);
	if (typedef_ < y->start || typedef_ >= y->end)
		return true;
	known = (scry_addr)(uintptr_t)scry_hash_find(&y->classes, typedef_);
	if (!known || mro_length(y, at) < mro_length(y, known))
		scry_hash_put(&y->classes, typedef_, (void *)(uintptr_t)at);
	return true;
}

static scry_addr class_in_vtable(struct scry_pypy *y, enum scry_pypy_class c, unsigned at)
{
	const struct scry_pypy_type *t = y->class[c];
	scry_addr typedef_;

	if (!t || scry_read_ptr(y->runtime->session, vtable_of(y, t) + at, &typedef_) < 0)
		return 0;
	return (scry_addr)(uintptr_t)scry_hash_find(&y->classes, typedef_);
}

/* Where the vtables of int, float, list and dict name the types of these names. */
static bool fits(struct scry_pypy *y, unsigned at)
{
	static const struct {
		enum scry_pypy_class of;
		const char *name;
	} known[] = { { SCRY_PYPY_CLASS_FLOAT, "float" },
		      { SCRY_PYPY_CLASS_LIST, "list" },
		      { SCRY_PYPY_CLASS_INT, "int" },
		      { SCRY_PYPY_CLASS_COMPLEX, "complex" } };

	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		scry_addr cls = class_in_vtable(y, known[i].of, at);
		const char *name = cls ? scry_pypy_string_field(y, cls, SCRY_PYPY_TYPE_NAME) : NULL;

		if (!name || strcmp(name, known[i].name))
			return false;
	}
	return true;
}

static void load_classes(struct scry_pypy *y)
{
	const struct scry_pypy_type *t = y->class[SCRY_PYPY_CLASS_TYPE];
	struct scry_pypy_scan scan = { .pypy = y, .found = take_class };

	y->classes_done = true;
	if (!t)
		return;
	scan.low = t->tid;
	scry_pypy_scan(&scan);
	for (unsigned at = 40; at < VTABLE_MAX && !y->typedef_at; at += 8)
		if (fits(y, at))
			y->typedef_at = at;
}

scry_addr scry_pypy_type_object(struct scry_runtime *r, const struct scry_pypy_type *t,
				scry_addr addr)
{
	struct scry_pypy *y = r->pypy;
	scry_addr cls = scry_pypy_class_of(y, t, addr), typedef_;

	if (cls || !scry_pypy_is(y, t, SCRY_PYPY_CLASS_ROOT))
		return cls;
	if (!y->classes_done)
		load_classes(y);
	if (!y->typedef_at ||
	    scry_read_ptr(r->session, vtable_of(y, t) + y->typedef_at, &typedef_) < 0)
		return 0;
	return (scry_addr)(uintptr_t)scry_hash_find(&y->classes, typedef_);
}
