/* Slots (member descriptors), C members, and C getters that return a field. */
#include "object/member.h"
#include "object/known.h"

/* Include/structmember.h (descrobject.h since 3.12): the numbers never changed. */
enum {
	T_SHORT = 0,
	T_INT = 1,
	T_LONG = 2,
	T_FLOAT = 3,
	T_DOUBLE = 4,
	T_STRING = 5,
	T_OBJECT = 6,
	T_CHAR = 7,
	T_BYTE = 8,
	T_UBYTE = 9,
	T_USHORT = 10,
	T_UINT = 11,
	T_ULONG = 12,
	T_STRING_INPLACE = 13,
	T_BOOL = 14,
	T_OBJECT_EX = 16,
	T_LONGLONG = 17,
	T_ULONGLONG = 18,
	T_PYSSIZET = 19
};

/*
 * PyMemberDescrObject leads to a PyMemberDef, whose offset counts from the object
 * (Include/descrobject.h). One of another class's, which somebody put into this one's, raises
 * TypeError.
 */
int scry_member_of(struct scry_runtime *r, scry_addr obj, scry_addr descriptor,
		   struct scry_member *ret)
{
	struct scry_type *t, *of;
	scry_addr def, owner;
	uint64_t kind, offset;
	int rc = scry_type_for(r, descriptor, &t);

	if (rc < 0 || scry_known_type(t) != SCRY_IS_MEMBER_DESCRIPTOR)
		return SCRY_ENOTFOUND;
	rc = scry_field_read(r, descriptor, SCRY_F_MEMBER_DESCR_MEMBER, &def);
	rc = rc < 0 ? rc : scry_field_read(r, descriptor, SCRY_F_DESCR_TYPE, &owner);
	rc = rc < 0 ? rc : scry_type_for(r, obj, &of);
	if (rc == SCRY_OK && !scry_type_has_base(r, of->addr, owner))
		return SCRY_ENOTFOUND;
	rc = rc < 0 ? rc : scry_field_read(r, def, SCRY_F_MEMBER_DEF_KIND, &kind);
	rc = rc < 0 ? rc : scry_field_read(r, def, SCRY_F_MEMBER_DEF_OFFSET, &offset);
	if (rc < 0)
		return rc;
	/* no object has its struct's members a megabyte away: then the definition is not one */
	if (offset > 1u << 20)
		return scry_fail(r->session, SCRY_ECORRUPT, descriptor, "member at offset %" PRIu64,
				 offset);
	*ret = (struct scry_member) { .at = obj + offset,
				      .kind = (unsigned)kind,
				      .is_object = kind == T_OBJECT || kind == T_OBJECT_EX };
	return SCRY_OK;
}

/*
 * PyMember_GetOne(), Python/structmember.c: a NULL is None where the kind is T_OBJECT, and an
 * AttributeError where it is T_OBJECT_EX, as of __slots__.
 */
int scry_member_object(struct scry_runtime *r, const struct scry_member *m, const char *name,
		       scry_addr *ret)
{
	scry_addr value;

	if (!m->is_object)
		return scry_fail(r->session, SCRY_EUNSUPPORTED, m->at, "'%s' is a C value", name);
	int rc = scry_word(r, m->at, &value);
	if (rc < 0)
		return rc;
	if (!value && m->kind == T_OBJECT)
		value = scry_none(r);
	if (!value)
		return scry_fail(r->session, SCRY_ENOTFOUND, m->at, "'%s' is not set", name);
	*ret = value;
	return SCRY_OK;
}

static const struct {
	unsigned kind;
	int size; /* bytes; -1: of a C long, -2: of a pointer */
	bool is_signed;
} ints[] = {
	{ T_SHORT, 2, true },      { T_INT, 4, true },       { T_LONG, -1, true },
	{ T_BYTE, 1, true },       { T_UBYTE, 1, false },    { T_USHORT, 2, false },
	{ T_UINT, 4, false },      { T_ULONG, -1, false },   { T_LONGLONG, 8, true },
	{ T_ULONGLONG, 8, false }, { T_PYSSIZET, -2, true },
};

static int int_text(struct scry_runtime *r, const struct scry_member *m, size_t row,
		    const char **ret)
{
	const struct scry_abi *abi = &r->session->target->abi;
	int n = ints[row].size;
	unsigned size = n == -1 ? abi->long_size : n == -2 ? abi->ptr_size : (unsigned)n;
	uint64_t value;
	int64_t number = 0;
	int rc = scry_read_uint(r->session, m->at, size, &value);

	if (rc == SCRY_OK && ints[row].is_signed)
		rc = scry_read_int(r->session, m->at, size, &number);
	if (rc == SCRY_OK)
		*ret = ints[row].is_signed
			       ? scry_arena_printf(&r->session->arena, "%" PRId64, number)
			       : scry_arena_printf(&r->session->arena, "%" PRIu64, value);
	return rc;
}

static int double_text(struct scry_runtime *r, const struct scry_member *m, const char **ret)
{
	double value;
	char text[64];
	int rc = scry_double_at(r, m->at, &value);

	if (rc < 0)
		return rc;
	scry_format_double(value, true, text);
	*ret = scry_arena_text(&r->session->arena, text, strlen(text));
	return SCRY_OK;
}

/* T_STRING is a pointer to the text, None where it is NULL; T_STRING_INPLACE is the text itself. */
static int string_text(struct scry_runtime *r, scry_addr at, const char **ret)
{
	struct scry_buf buf = SCRY_BUF_INIT;
	struct scry_printer p;
	const char *text;
	int rc = at ? scry_read_cstr(r->session, at, 1000, &text) : SCRY_OK;

	if (rc < 0)
		return rc;
	scry_printer_init(&p, r, &buf);
	if (at)
		scry_print_quoted(&p, text);
	else
		scry_buf_puts(&buf, "None");
	*ret = buf.failed ? NULL : scry_arena_text(&r->session->arena, buf.text, buf.len);
	scry_buf_done(&buf);
	return *ret ? SCRY_OK : SCRY_ENOMEM;
}

int scry_member_text(struct scry_runtime *r, const struct scry_member *m, const char **ret)
{
	uint64_t value;
	scry_addr at = m->at;
	int rc;

	for (size_t i = 0; i < sizeof(ints) / sizeof(ints[0]); i++)
		if (ints[i].kind == m->kind)
			return int_text(r, m, i, ret);
	if (m->kind == T_DOUBLE)
		return double_text(r, m, ret);
	if (m->kind == T_BOOL) {
		rc = scry_read_uint(r->session, m->at, 1, &value);
		*ret = rc == SCRY_OK && value ? "True" : "False";
		return rc;
	}
	if (m->kind == T_STRING && (rc = scry_word(r, m->at, &at)) < 0)
		return rc;
	if (m->kind == T_STRING || m->kind == T_STRING_INPLACE)
		return string_text(r, at, ret);
	return scry_fail(r->session, SCRY_EUNSUPPORTED, m->at, "C member of kind %u", m->kind);
}

/* The type of the object that PyMember_GetOne() would make of the C value. */
const char *scry_member_type(const struct scry_member *m)
{
	switch (m->kind) {
	case T_FLOAT:
	case T_DOUBLE:
		return "float";
	case T_BOOL:
		return "bool";
	case T_STRING:
	case T_STRING_INPLACE:
	case T_CHAR:
		return "str";
	default:
		return "int";
	}
}

bool scry_member_is_optional(const struct scry_member *m)
{
	return m->kind == T_OBJECT;
}

/* Getters (tp_getset) that return a field; the type is the one that has the getter. */
static const struct {
	enum scry_known type;
	const char *name;
	enum scry_field field;
} getters[] = {
	{ SCRY_IS_BASE_EXCEPTION, "args", SCRY_F_EXCEPTION_ARGS },
	{ SCRY_IS_BASE_EXCEPTION, "__cause__", SCRY_F_EXCEPTION_CAUSE },
	{ SCRY_IS_BASE_EXCEPTION, "__context__", SCRY_F_EXCEPTION_CONTEXT },
	{ SCRY_IS_BASE_EXCEPTION, "__traceback__", SCRY_F_EXCEPTION_TRACEBACK },
	{ SCRY_IS_FUNCTION, "__code__", SCRY_F_FUNCTION_CODE },
	{ SCRY_IS_FUNCTION, "__name__", SCRY_F_FUNCTION_NAME },
	{ SCRY_IS_FUNCTION, "__qualname__", SCRY_F_FUNCTION_QUALNAME },
	{ SCRY_IS_FUNCTION, "__defaults__", SCRY_F_FUNCTION_DEFAULTS },
	{ SCRY_IS_FUNCTION, "__kwdefaults__", SCRY_F_FUNCTION_KWDEFAULTS },
	{ SCRY_IS_FUNCTION, "__closure__", SCRY_F_FUNCTION_CLOSURE },
	{ SCRY_IS_FUNCTION, "__globals__", SCRY_F_FUNCTION_GLOBALS },
	{ SCRY_IS_FUNCTION, "__module__", SCRY_F_FUNCTION_MODULE },
	{ SCRY_IS_CELL, "cell_contents", SCRY_F_CELL_REF },
	{ SCRY_IS_GENERATOR, "gi_code", SCRY_F_GEN_CODE },
	{ SCRY_IS_COROUTINE, "cr_code", SCRY_F_GEN_CODE },
	{ SCRY_IS_ASYNC_GENERATOR, "ag_code", SCRY_F_GEN_CODE },
	{ SCRY_IS_GENERATOR, "__name__", SCRY_F_GEN_NAME },
	{ SCRY_IS_GENERATOR, "__qualname__", SCRY_F_GEN_QUALNAME },
	{ SCRY_IS_COROUTINE, "__name__", SCRY_F_GEN_NAME },
	{ SCRY_IS_COROUTINE, "__qualname__", SCRY_F_GEN_QUALNAME },
	{ SCRY_IS_ASYNC_GENERATOR, "__name__", SCRY_F_GEN_NAME },
	{ SCRY_IS_ASYNC_GENERATOR, "__qualname__", SCRY_F_GEN_QUALNAME },
	{ SCRY_IS_BUILTIN, "__self__", SCRY_F_CFUNCTION_SELF },
	{ SCRY_IS_BUILTIN, "__module__", SCRY_F_CFUNCTION_MODULE },
	{ SCRY_IS_METHOD, "__func__", SCRY_F_METHOD_FUNC },
	{ SCRY_IS_METHOD, "__self__", SCRY_F_METHOD_SELF },
	{ SCRY_IS_FRAME, "f_globals", SCRY_F_FRAME_GLOBALS },
	{ SCRY_IS_TRACEBACK, "tb_next", SCRY_F_TRACEBACK_NEXT },
	{ SCRY_IS_TRACEBACK, "tb_frame", SCRY_F_TRACEBACK_FRAME },
	{ SCRY_IS_MAPPINGPROXY, "mapping", SCRY_F_MAPPINGPROXY_MAPPING },
	{ SCRY_IS_MEMORYVIEW, "obj", SCRY_F_MEMORYVIEW_OBJ },
	{ SCRY_IS_PARTIAL, "func", SCRY_F_PARTIAL_FN },
	{ SCRY_IS_PARTIAL, "args", SCRY_F_PARTIAL_ARGS },
	{ SCRY_IS_PARTIAL, "keywords", SCRY_F_PARTIAL_KW },
	{ SCRY_IS_STATICMETHOD, "__func__", SCRY_F_STATICMETHOD_CALLABLE },
	{ SCRY_IS_CLASSMETHOD, "__func__", SCRY_F_CLASSMETHOD_CALLABLE },
	{ SCRY_IS_TYPE, "__base__", SCRY_F_TYPE_BASE },
	{ SCRY_IS_TYPE, "__mro__", SCRY_F_TYPE_MRO },
	{ SCRY_IS_TYPE, "__bases__", SCRY_F_TYPE_BASES },
};

/* Properties of the library that return an attribute. */
static const struct {
	enum scry_known type;
	const char *name, *attribute;
} aliases[] = {
	{ SCRY_IS_ENUM, "value", "_value_" },
	{ SCRY_IS_ENUM, "name", "_name_" },
	{ SCRY_IS_THREAD, "name", "_name" },
	{ SCRY_IS_THREAD, "ident", "_ident" },
	{ SCRY_IS_THREAD, "daemon", "_daemonic" },
	/* 2.7 */
	{ SCRY_IS_THREAD, "name", "_Thread__name" },
	{ SCRY_IS_THREAD, "ident", "_Thread__ident" },
	{ SCRY_IS_THREAD, "daemon", "_Thread__daemonic" },
	{ SCRY_IS_FRACTION, "numerator", "_numerator" },
	{ SCRY_IS_FRACTION, "denominator", "_denominator" },
};

/*
 * __class__ and __dict__ are getters of every object, so that no row of a type has them. An object
 * that has made no dict yet has an empty one.
 */
static int dunder(struct scry_runtime *r, scry_addr obj, const struct scry_type *t,
		  const char *name, scry_addr *ret)
{
	struct scry_dict_view v;

	if (!strcmp(name, "__class__") && scry_layout_has(r->layout, SCRY_F_OLD_INSTANCE_CLASS) &&
	    scry_known_type(t) == SCRY_IS_OLD_INSTANCE)
		return scry_field_read(r, obj, SCRY_F_OLD_INSTANCE_CLASS, ret);
	if (!strcmp(name, "__class__"))
		return *ret = t->addr, SCRY_OK;
	if (strcmp(name, "__dict__"))
		return SCRY_ENOTFOUND;
	int rc = scry_instance_dict(r, obj, ret, &v);
	return rc == SCRY_OK && *ret ? SCRY_OK : SCRY_ENOTFOUND;
}

int scry_getset_field(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret)
{
	struct scry_type *t;
	scry_addr value;

	if (scry_type_for(r, obj, &t) < 0)
		return SCRY_ENOTFOUND;
	if (dunder(r, obj, t, name, ret) == SCRY_OK)
		return SCRY_OK;
	for (size_t i = 0; i < sizeof(aliases) / sizeof(aliases[0]); i++)
		if (!strcmp(aliases[i].name, name) && scry_type_is(r, t->addr, aliases[i].type) &&
		    scry_attr(r, obj, aliases[i].attribute, ret) == SCRY_OK)
			return SCRY_OK;
	for (size_t i = 0; i < sizeof(getters) / sizeof(getters[0]); i++) {
		bool generators = getters[i].field == SCRY_F_GEN_CODE ||
				  getters[i].field == SCRY_F_GEN_NAME ||
				  getters[i].field == SCRY_F_GEN_QUALNAME;

		/*
		 * a coroutine is no subclass of a generator, but their structs begin alike
		 * (_PyGenObject_HEAD)
		 */
		if (strcmp(getters[i].name, name) || !scry_type_is(r, t->addr, getters[i].type) ||
		    (generators && !scry_is_generator(t)) ||
		    scry_field_read(r, obj, getters[i].field, &value) < 0)
			continue;
		/* a NULL is None, but of a cell: Objects/cellobject.c, cell_get_contents() */
		if (!value && getters[i].type != SCRY_IS_CELL)
			value = scry_none(r);
		if (!value)
			return scry_fail(r->session, SCRY_ENOTFOUND, obj, "'%s' is not set", name);
		*ret = value;
		return SCRY_OK;
	}
	return SCRY_ENOTFOUND;
}
