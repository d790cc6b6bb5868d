/*
 * Objects as C extensions see them: { ob_refcnt, ob_pypy_link, ob_type } of cpyext
 * (pypy/module/cpyext/pyobject.py, cpyext_object.h; 7.3.3 to 8.0.1). The link leads to PyPy's own
 * object; 0: C has made it, and PyPy has not yet seen it.
 */
#include "object/pypy/pypy_cpyext.h"

#include <inttypes.h>
#include <string.h>

#include "runtime/pypy/pypy_trace.h"

#define FROM_PYPY       SCRY_PYPY_REFCOUNT
#define FROM_PYPY_LIGHT SCRY_PYPY_REFCOUNT_LIGHT
#define REFCOUNT_MAX    ((uint64_t)1 << 40)

#define METATYPES_MAX 8
#define TYPE_NAME_MAX 300
#define ITEMS_MAX     ((uint64_t)1 << 32)

/* Py_TPFLAGS_READY and those of the built-in bases, as in CPython's Include/object.h */
#define FLAG_READY (1u << 12)
#define FLAG_INT   (1u << 23) /* 2.7 */
#define FLAG_TUPLE (1u << 26)
#define FLAG_TYPE  (1u << 31)

/* PyTypeObject and PyTupleObject: CPython's, with one word more in the head (cpyext_object.h) */
enum { LINK_AT = 8, TYPE_AT = 16, SIZE_AT = 24, TYPE_NAME = 32, TYPE_FLAGS = 176, ITEMS_AT = 32 };

static int read_name(struct scry_runtime *r, scry_addr type, const char **ret)
{
	scry_addr at;

	if (scry_read_ptr(r->session, type + TYPE_NAME, &at) < 0 ||
	    scry_read_cstr(r->session, at, TYPE_NAME_MAX, ret) < 0 || !**ret)
		return SCRY_ECORRUPT;
	for (const char *c = *ret; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return SCRY_ECORRUPT;
	return SCRY_OK;
}

/* A type whose types end at one that is its own: PyType_Type. */
static bool is_type(struct scry_runtime *r, scry_addr type)
{
	uint64_t flags;
	scry_addr of;

	for (unsigned i = 0; i < METATYPES_MAX; i++) {
		if (!type || type % 8 ||
		    scry_read_uint(r->session, type + TYPE_FLAGS, 8, &flags) < 0 ||
		    !(flags & FLAG_READY) || scry_read_ptr(r->session, type + TYPE_AT, &of) < 0)
			return false;
		if (of == type)
			return true;
		type = of;
	}
	return false;
}

int scry_pypy_ext_at(struct scry_runtime *r, scry_addr addr, struct scry_pypy_ext *ret)
{
	struct scry_pypy_ext e = { .addr = addr };
	struct scry_session *s = r->session;
	uint64_t count;

	if (!addr || addr % 8 || scry_read_uint(s, addr, 8, &count) < 0)
		return SCRY_ENOTFOUND;
	uint64_t held = count >= FROM_PYPY_LIGHT ? FROM_PYPY_LIGHT
			: count >= FROM_PYPY     ? FROM_PYPY
						 : 0;
	e.refcount = count - held;
	e.held = held != 0;
	if (e.refcount > REFCOUNT_MAX || (!held && !e.refcount) ||
	    scry_read_ptr(s, addr + TYPE_AT, &e.type) < 0 || !is_type(r, e.type) ||
	    scry_read_uint(s, e.type + TYPE_FLAGS, 8, &e.flags) < 0 ||
	    read_name(r, e.type, &e.type_name) < 0 ||
	    scry_read_ptr(s, addr + LINK_AT, &e.link) < 0 || (e.link != 0) != e.held)
		return SCRY_ENOTFOUND;
	if (e.link) {
		const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &e.link);

		if (!scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_ROOT))
			return SCRY_ENOTFOUND;
	}
	*ret = e;
	return SCRY_OK;
}

/* Headers of PyPy's old objects have flags that no count of references has. */
static bool may_be_ext(struct scry_runtime *r, scry_addr addr)
{
	uint64_t head;

	return scry_read_uint(r->session, addr, 8, &head) == SCRY_OK &&
	       (head >= FROM_PYPY || head <= UINT32_MAX);
}

bool scry_pypy_resolve(struct scry_runtime *r, scry_addr *addr, struct scry_pypy_ext *ret)
{
	if (!may_be_ext(r, *addr) || scry_pypy_ext_at(r, *addr, ret) < 0)
		return false;
	if (ret->link)
		*addr = ret->link;
	return true;
}

static int print_tuple(struct scry_printer *p, scry_addr addr)
{
	uint64_t count;

	if (scry_read_uint(p->runtime->session, addr + SIZE_AT, 8, &count) < 0 || count > ITEMS_MAX)
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, addr,
				 "a tuple of C's at 0x%" PRIx64 " with an impossible length", addr);
	if (!scry_printer_enter(p, addr, "(...)"))
		return SCRY_OK;
	scry_buf_putc(p->out, '(');
	for (uint64_t i = 0; scry_printer_more(p, i, count); i++)
		scry_print_at(p, addr + ITEMS_AT + 8 * i);
	scry_buf_puts(p->out, count == 1 ? ",)" : ")");
	scry_printer_leave(p);
	return SCRY_OK;
}

/* PyIntObject of 2.7, whose PyPy object is made when it is asked for. */
static int print_int(struct scry_printer *p, scry_addr addr)
{
	uint64_t value;
	int rc = scry_read_uint(p->runtime->session, addr + SIZE_AT, 8, &value);

	if (rc == SCRY_OK)
		scry_printf(p, "%" PRId64, (int64_t)value);
	return rc;
}

static int print_type(struct scry_printer *p, scry_addr addr)
{
	const char *name;
	int rc = read_name(p->runtime, addr, &name);

	if (rc == SCRY_OK)
		scry_printf(p, "<class '%s'>", name);
	return rc;
}

/* What C may have without PyPy's object and whose struct has all of the value. */
static const struct {
	uint32_t flag;
	const char *type; /* itself, no subclass: another repr might be theirs; NULL: any */
	int (*print)(struct scry_printer *p, scry_addr addr);
} ext_rows[] = {
	{ FLAG_TUPLE, "tuple", print_tuple },
	{ FLAG_INT, "int", print_int },
	{ FLAG_TYPE, NULL, print_type },
};

int scry_pypy_print_ext(struct scry_printer *p, const struct scry_pypy_ext *e)
{
	for (size_t i = 0; i < sizeof(ext_rows) / sizeof(*ext_rows); i++)
		if (e->flags & ext_rows[i].flag &&
		    (!ext_rows[i].type || !strcmp(ext_rows[i].type, e->type_name)))
			return ext_rows[i].print(p, e->addr);
	scry_printf(p, "<%s object at 0x%" PRIx64 ">", e->type_name, e->addr);
	return SCRY_OK;
}
