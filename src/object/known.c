/* Which types are known by name, and how a type of that name is told from others. */
#include "object/known.h"

#define BASES_MAX 2000

struct known_row {
	const char *name;
	enum scry_known known;
	uint32_t until; /* 0: all versions */
};

static const struct known_row rows[] = {
#define ROW(symbol, name) { name, SCRY_IS_##symbol, 0 },
	SCRY_KNOWN_TYPES(ROW)
#undef ROW
	/* other names of theirs */
	{ "builtin_method", SCRY_IS_BUILTIN, 0 },        /* 3.9+: one that is told its class */
	{ "weakref.ReferenceType", SCRY_IS_WEAKREF, 0 }, /* 3.12+ */
	{ "weakproxy", SCRY_IS_WEAKREF, 0 },             /* the same struct */
	{ "weakref.ProxyType", SCRY_IS_WEAKREF, 0 },
	{ "weakcallableproxy", SCRY_IS_WEAKREF, 0 },
	{ "weakref.CallableProxyType", SCRY_IS_WEAKREF, 0 },
	{ "instancemethod", SCRY_IS_METHOD,
	  SCRY_VERSION_OF(3, 0) }, /* 3.x has another type of this name */
	{ "dictproxy", SCRY_IS_MAPPINGPROXY, SCRY_VERSION_OF(3, 0) },
	{ "EnvironmentError", SCRY_IS_OS_ERROR, SCRY_VERSION_OF(3, 0) },
	{ "_collections._tuplegetter", SCRY_IS_TUPLEGETTER, 0 }, /* 3.8 to 3.11 */
	{ "ctypes.CField", SCRY_IS_CTYPES_FIELD, 0 },            /* 3.14+ */
	{ "eventlet.timeout.Timeout", SCRY_IS_TIMEOUT, 0 },
	{ "UserDict.UserDict", SCRY_IS_USER_DICT, SCRY_VERSION_OF(3, 0) },
	{ "UserList.UserList", SCRY_IS_USER_LIST, SCRY_VERSION_OF(3, 0) },
	{ "UserString.UserString", SCRY_IS_USER_STRING, SCRY_VERSION_OF(3, 0) },
	/* a module that was imported a second time, from its file */
	{ "importlib._bootstrap.BuiltinImporter", SCRY_IS_BUILTIN_IMPORTER, 0 },
	{ "importlib._bootstrap.FrozenImporter", SCRY_IS_FROZEN_IMPORTER, 0 },
	/* 3.3 and 3.4; 3.5 to 3.10 */
	{ "_frozen_importlib.NamespaceLoader", SCRY_IS_NAMESPACE_LOADER, 0 },
	{ "_frozen_importlib._NamespaceLoader", SCRY_IS_NAMESPACE_LOADER, 0 },
	{ "_frozen_importlib_external._NamespaceLoader", SCRY_IS_NAMESPACE_LOADER, 0 },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

static bool row_fits(const struct scry_runtime *r, const struct known_row *row)
{
	return scry_version_in(r->version, 0, row->until);
}

/* A row by the name of a static type, or of one made by PyType_FromSpec(), which has it whole. */
static enum scry_known by_whole_name(const struct scry_runtime *r, const char *name, bool dotted)
{
	for (size_t i = 0; i < ROWS; i++)
		if (!strcmp(rows[i].name, name) && row_fits(r, &rows[i]) &&
		    (!dotted || strchr(name, '.')))
			return rows[i].known;
	return SCRY_IS_OTHER;
}

/* Only of a class whose last name a row has the module is read. */
static bool may_be_known(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strchr(rows[i].name, '.') && !strcmp(last_part(rows[i].name), name))
			return true;
	return false;
}

/* 2.7: Objects/exceptions.c */
static const char *plain_name(const char *name)
{
	return strncmp(name, "exceptions.", 11) ? name : name + 11;
}

enum scry_known scry_known_find(struct scry_runtime *r, const struct scry_type *t)
{
	const char *full;

	if (!(t->flags & TYPE_HEAP)) {
		const char *name = plain_name(t->name);
		bool bare = !strchr(name, '.');

		return bare && !scry_type_is_own(r, t->addr) ? SCRY_IS_OTHER
							     : by_whole_name(r, name, false);
	}
	if (!may_be_known(last_part(t->name)) || scry_type_full_name(r, t->addr, &full) < 0)
		return SCRY_IS_OTHER;
	return by_whole_name(r, full, true);
}

int scry_cpython_known(struct scry_runtime *r, scry_addr obj)
{
	struct scry_type *t;

	return scry_type_for(r, obj, &t) == SCRY_OK ? scry_known_type(t) : SCRY_IS_OTHER;
}

enum scry_known scry_known_named(const struct scry_runtime *r, const char *name)
{
	return by_whole_name(r, name, false);
}

bool scry_is_type(struct scry_runtime *r, scry_addr obj, enum scry_known what)
{
	struct scry_type *t;

	return scry_type_for(r, obj, &t) == SCRY_OK && t->flags & TYPE_TYPE &&
	       scry_type_at(r, obj, &t) == SCRY_OK && scry_known_type(t) == what;
}

bool scry_type_is(struct scry_runtime *r, scry_addr type, enum scry_known what)
{
	struct scry_type *t;

	for (unsigned i = 0; type && i < BASES_MAX && scry_type_at(r, type, &t) == SCRY_OK; i++) {
		if (scry_known_type(t) == what)
			return true;
		type = t->base;
	}
	return false;
}

bool scry_is_cythons_own(const struct scry_type *t)
{
	return !strncmp(t->name, "_cython_", 8);
}

/*
 * Up to 0.29 "generator", a static type or (as a limited API's) a class in each module; 3.0 and
 * later "_cython_3_1_6.generator", shared by all: Cython/Utility/CommonStructures.c.
 */
bool scry_is_cythons(struct scry_runtime *r, const struct scry_type *t, const char *name)
{
	if (strcmp(last_part(t->name), name))
		return false;
	if (scry_is_cythons_own(t))
		return true;
	return t->name == last_part(t->name) && !(t->flags & TYPE_HEAP) &&
	       !scry_type_is_own(r, t->addr);
}
