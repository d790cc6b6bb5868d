/*
 * Layouts from PyMemberDef tables: what the interpreter tells Python code about its own structs
 * (co_*, f_*, gi_*, tb_* ...) as name and offset. Needs the symbols of a few types, which survive
 * strip in .dynsym, and tp_members.
 */
#include <string.h>

#include "layout/sources.h"
#include "symbol/module.h"

#define MEMBERS_MAX  64
#define NAME_MAX_LEN 40

/* Names that Python code sees under another name than C. */
static const struct {
	uint8_t of;
	const char *python, *path;
} aliases[] = {
	{ SCRY_S_FUNCTION, "__closure__", "func_closure" },
	{ SCRY_S_FUNCTION, "__globals__", "func_globals" },
	{ SCRY_S_FUNCTION, "__module__", "func_module" },
	{ SCRY_S_METHOD, "__func__", "im_func" },
	{ SCRY_S_METHOD, "__self__", "im_self" },
	{ SCRY_S_TYPE, "__basicsize__", "tp_basicsize" },
	{ SCRY_S_TYPE, "__itemsize__", "tp_itemsize" },
	{ SCRY_S_TYPE, "__flags__", "tp_flags" },
	{ SCRY_S_TYPE, "__weakrefoffset__", "tp_weaklistoffset" },
	{ SCRY_S_TYPE, "__base__", "tp_base" },
	{ SCRY_S_TYPE, "__dictoffset__", "tp_dictoffset" },
	{ SCRY_S_TYPE, "__mro__", "tp_mro" },
	{ SCRY_S_COMPLEX, "real", "cval.real" },
	{ SCRY_S_COMPLEX, "imag", "cval.imag" },
	{ SCRY_S_STATICMETHOD, "__func__", "sm_callable" },
	{ SCRY_S_CLASSMETHOD, "__func__", "cm_callable" },
	{ SCRY_S_PROPERTY, "fget", "prop_get" },
	{ SCRY_S_SUPER, "__thisclass__", "type" },
	{ SCRY_S_SUPER, "__self__", "obj" },
};

static const struct {
	uint8_t of;
	const char *symbol;
} types[] = {
	{ SCRY_S_CODE, "PyCode_Type" },
	{ SCRY_S_FRAME, "PyFrame_Type" },
	{ SCRY_S_GEN, "PyGen_Type" },
	{ SCRY_S_CORO, "PyCoro_Type" },
	{ SCRY_S_ASYNC_GEN, "PyAsyncGen_Type" },
	{ SCRY_S_TRACEBACK, "PyTraceBack_Type" },
	{ SCRY_S_FUNCTION, "PyFunction_Type" },
	{ SCRY_S_METHOD, "PyMethod_Type" },
	{ SCRY_S_TYPE, "PyType_Type" },
	{ SCRY_S_COMPLEX, "PyComplex_Type" },
	{ SCRY_S_SLICE, "PySlice_Type" },
	{ SCRY_S_RANGE, "PyRange_Type" },
	{ SCRY_S_STATICMETHOD, "PyStaticMethod_Type" },
	{ SCRY_S_CLASSMETHOD, "PyClassMethod_Type" },
	{ SCRY_S_PROPERTY, "PyProperty_Type" },
	{ SCRY_S_SUPER, "PySuper_Type" },
};

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

/*
 * The width of a member's `type`; Include/structmember.h (T_INT ...), the same numbers since 2.7.
 */
static unsigned width(uint64_t kind, const struct scry_abi *abi)
{
	switch (kind) {
	case 7:
	case 8:
	case 9:
	case 14: /* char, byte, ubyte, bool */
		return 1;
	case 0:
	case 10: /* short, ushort */
		return 2;
	case 1:
	case 3:
	case 11: /* int, float, uint */
		return 4;
	case 2:
	case 12: /* long, ulong */
		return abi->long_size;
	case 4:
	case 17:
	case 18: /* double, long long, unsigned long long */
		return 8;
	case 5:
	case 6:
	case 16:
	case 19: /* string, object, object_ex, Py_ssize_t */
		return abi->ptr_size;
	}
	return 0;
}

static enum scry_field field_of(enum scry_struct s, const char *name)
{
	for (size_t i = 0; i < COUNT(aliases); i++)
		if (aliases[i].of == s && strcmp(aliases[i].python, name) == 0)
			return scry_field_by_path(s, aliases[i].path, strlen(aliases[i].path));
	return scry_field_by_path(s, name, strlen(name));
}

/* One PyMemberDef at `addr`: 1 it was read, 0 the table's end, < 0 unreadable or senseless. */
static int member_def(struct scry_session *s, enum scry_struct of, scry_addr addr,
		      const struct scry_layout *base, struct scry_layout *l)
{
	const struct scry_slot *slot = base->slot;
	scry_addr name_at;
	uint64_t kind, offset;
	const char *name;
	int rc;

	if ((rc = scry_read_ptr(s, addr + slot[SCRY_F_MEMBER_DEF_NAME].offset, &name_at)) < 0 ||
	    name_at == 0)
		return rc;
	if ((rc = scry_read_cstr(s, name_at, NAME_MAX_LEN, &name)) < 0 ||
	    (rc = scry_read_uint(s, addr + slot[SCRY_F_MEMBER_DEF_KIND].offset, 4, &kind)) < 0 ||
	    (rc = scry_read_ptr(s, addr + slot[SCRY_F_MEMBER_DEF_OFFSET].offset, &offset)) < 0)
		return rc;
	if (kind > 64 || offset > 1 << 16)
		return SCRY_ECORRUPT;
	enum scry_field f = field_of(of, name);

	if (f < SCRY_F_COUNT)
		scry_layout_put(l, f,
				(struct scry_slot) { (uint32_t)offset,
						     (uint16_t)width(kind, &s->target->abi) },
				SCRY_FROM_MEMBERS);
	return 1;
}

static void read_table(struct scry_session *s, enum scry_struct of, scry_addr type,
		       const struct scry_layout *base, struct scry_layout *l)
{
	scry_addr table;

	if (scry_read_ptr(s, type + base->slot[SCRY_F_TYPE_MEMBERS].offset, &table) < 0 ||
	    table == 0)
		return;
	for (int i = 0; i < MEMBERS_MAX; i++, table += base->size[SCRY_S_MEMBER_DEF])
		if (member_def(s, of, table, base, l) != 1)
			return;
}

int scry_layout_from_members(struct scry_session *s, struct scry_module *m,
			     const struct scry_layout *base, struct scry_layout *l)
{
	bool found = false;

	memset(l, 0, sizeof(*l));
	if (!m || !scry_layout_has(base, SCRY_F_TYPE_MEMBERS) || !base->size[SCRY_S_MEMBER_DEF])
		return SCRY_ENOTFOUND;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct scry_symbol symbol;

		if (scry_module_symbol(m, types[i].symbol, &symbol) == SCRY_OK)
			read_table(s, types[i].of, symbol.addr, base, l);
		found = found || l->source[types[i].of] != SCRY_FROM_NOWHERE;
	}
	return found ? SCRY_OK : SCRY_ENOTFOUND;
}
