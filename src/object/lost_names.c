/*
 * Names of static types where the dump has the types but not the names: those are C strings in
 * read-only data, which heap dumps leave out. Python's own dictionaries still name most of them,
 * and what a type inherits the rest.
 */
#include "object/printer.h"

/* What the attributes of the module `types` are called in C; Lib/types.py, 2.7 to 3.15. */
static const char *const in_types[][2] = {
	{ "FunctionType", "function" },
	{ "CodeType", "code" },
	{ "MappingProxyType", "mappingproxy" },
	{ "SimpleNamespace", "types.SimpleNamespace" },
	{ "CellType", "cell" },
	{ "GeneratorType", "generator" },
	{ "CoroutineType", "coroutine" },
	{ "AsyncGeneratorType", "async_generator" },
	{ "MethodType", "method" },
	{ "BuiltinFunctionType", "builtin_function_or_method" },
	{ "WrapperDescriptorType", "wrapper_descriptor" },
	{ "MethodWrapperType", "method-wrapper" },
	{ "MethodDescriptorType", "method_descriptor" },
	{ "ClassMethodDescriptorType", "classmethod_descriptor" },
	{ "ModuleType", "module" },
	{ "TracebackType", "traceback" },
	{ "FrameType", "frame" },
	{ "GetSetDescriptorType", "getset_descriptor" },
	{ "MemberDescriptorType", "member_descriptor" },
	{ "GenericAlias", "types.GenericAlias" },
	{ "UnionType", "types.UnionType" },
};
/* Objects of the builtins, by which their types are known. */
static const char *const in_builtins[][2] = {
	{ "None", "NoneType" },
	{ "Ellipsis", "ellipsis" },
	{ "NotImplemented", "NotImplementedType" },
	{ "len", "builtin_function_or_method" },
};
/* Attributes that one static type of the interpreter defines. */
static const char *const telltales[][2] = {
	{ "gi_frame", "generator" }, { "cr_frame", "coroutine" }, { "ag_frame", "async_generator" },
	{ "co_code", "code" },       { "f_lineno", "frame" },     { "tb_lineno", "traceback" },
	{ "cell_contents", "cell" },
};
/* Modules in C whose types say they are of the Python module in front of them. */
static const char *const fronts[] = { "_collections", "_functools", "_datetime", "_decimal",
				      "_operator" };

static bool is_lost(struct scry_runtime *r, scry_addr type)
{
	uint64_t name;
	char c;

	return scry_field_read(r, type, SCRY_F_TYPE_NAME, &name) == SCRY_OK && name &&
	       scry_read_some(r->session, name, &c, 1) == 0;
}

static bool is_type(struct scry_runtime *r, scry_addr obj)
{
	uint64_t meta, flags;

	return scry_field_read(r, obj, SCRY_F_OBJECT_TYPE, &meta) == SCRY_OK &&
	       scry_field_read(r, meta, SCRY_F_TYPE_FLAGS, &flags) == SCRY_OK &&
	       (flags & TYPE_TYPE);
}

/*
 * Other names of built-in types; before 3.6 they may come before the real ones. Lib/, 2.7 to 3.15.
 */
static bool is_alias(const struct scry_runtime *r, const char *name)
{
	bool old = scry_trait(r, SCRY_TRAIT_PYTHON_2);

	return old ? !strcmp(name, "bytes")
		   : !strcmp(name, "IOError") || !strcmp(name, "EnvironmentError") ||
			       !strcmp(name, "WindowsError");
}

/* The first name counts. */
static void learn(struct scry_runtime *r, scry_addr type, const char *name)
{
	if (name && is_type(r, type) && is_lost(r, type) && !scry_hash_find(&r->names, type))
		scry_hash_put(&r->names, type, (void *)(uintptr_t)name);
}

static void learn_type_of(struct scry_runtime *r, scry_addr obj, const char *name)
{
	uint64_t type;

	if (scry_field_read(r, obj, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK)
		learn(r, type, name);
}

static void from_builtins(struct scry_runtime *r, scry_addr dict)
{
	uint64_t it = 0;
	scry_addr key, value;
	const char *name;

	while (scry_dict_next(r, dict, &it, &key, &value) == SCRY_ITEM) {
		if (scry_text_at(r, key, 100, &name) < 0)
			continue;
		if (!is_alias(r, name))
			learn(r, value, name);
		for (size_t i = 0; i < sizeof(in_builtins) / sizeof(*in_builtins); i++)
			if (!strcmp(name, in_builtins[i][0]))
				learn_type_of(r, value, in_builtins[i][1]);
	}
}

static void from_types(struct scry_runtime *r, scry_addr dict)
{
	scry_addr value;

	for (size_t i = 0; i < sizeof(in_types) / sizeof(*in_types); i++)
		if (scry_dict_get(r, dict, in_types[i][0], &value) == SCRY_OK)
			learn(r, value, in_types[i][1]);
}

/*
 * Types that a module names: "module.name", as they say of themselves but for some private modules.
 */
static void from_module(struct scry_runtime *r, const char *module, scry_addr dict)
{
	uint64_t it = 0;
	scry_addr key, value;
	const char *name;

	for (size_t i = 0; i < sizeof(fronts) / sizeof(*fronts); i++)
		if (!strcmp(module, fronts[i]))
			module++;
	while (scry_dict_next(r, dict, &it, &key, &value) == SCRY_ITEM) {
		if (!is_type(r, value) || !is_lost(r, value) || scry_hash_find(&r->names, value) ||
		    scry_text_at(r, key, 100, &name) < 0)
			continue;
		if (!strcmp(module, "_thread") && !strcmp(name, "LockType"))
			name = "lock";
		learn(r, value, scry_arena_printf(&r->session->arena, "%s.%s", module, name));
	}
}

/* By the type's tp_dictoffset: not every layout has PyModuleObject. */
static bool module_dict(struct scry_runtime *r, scry_addr module, scry_addr *ret)
{
	uint64_t type, flags;
	int64_t at;

	return scry_field_read(r, module, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK &&
	       scry_field_read_int(r, type, SCRY_F_TYPE_DICTOFFSET, &at) == SCRY_OK && at > 0 &&
	       at < 4096 && scry_word(r, module + (uint64_t)at, ret) == SCRY_OK && *ret &&
	       scry_field_read(r, *ret, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK &&
	       scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags) == SCRY_OK && flags & TYPE_DICT;
}

/* Of modules in C; others only import types from them. A frozen module has the first function. */
static void from_modules(struct scry_runtime *r, scry_addr modules)
{
	uint64_t it = 0;
	scry_addr key, module, dict, value;
	const char *name;

	while (scry_dict_next(r, modules, &it, &key, &module) == SCRY_ITEM) {
		if (scry_text_at(r, key, 200, &name) < 0)
			continue;
		if (!strcmp(name, "sys"))
			learn_type_of(r, module, "module");
		if (!module_dict(r, module, &dict))
			continue;
		if (!strcmp(name, "types") || !strcmp(name, "_types")) /* 3.14 */
			from_types(r, dict);
		else if (!strcmp(name, "_frozen_importlib") &&
			 scry_dict_get(r, dict, "_wrap", &value) == SCRY_OK)
			learn_type_of(r, value, "function");
		else if (scry_dict_get(r, dict, "__file__", &value) < 0)
			from_module(r, name, dict);
	}
}

void scry_lost_names_find(struct scry_runtime *r)
{
	for (struct scry_interp *i = r->interps; i; i = i->next) {
		if (i->builtins)
			from_builtins(r, i->builtins);
		if (i->modules)
			from_modules(r, i->modules);
	}
}

/* Cython's generators have gi_frame too: only of the interpreter's own types. */
static const char *by_attribute(struct scry_runtime *r, scry_addr type)
{
	struct scry_type t = { .addr = type, .dict = scry_field_get(r, type, SCRY_F_TYPE_DICT) };
	scry_addr dict = scry_type_is_own(r, type) ? scry_type_dict(r, &t) : 0, value;

	for (size_t i = 0; dict && i < sizeof(telltales) / sizeof(*telltales); i++)
		if (scry_dict_get(r, dict, telltales[i][0], &value) == SCRY_OK)
			return telltales[i][1];
	return NULL;
}

/* Only the built-in type itself has this flag and derives from object directly. */
static const char *by_flags(const struct scry_runtime *r, uint64_t flags)
{
	bool old = scry_trait(r, SCRY_TRAIT_PYTHON_2);

	return flags & TYPE_LONG         ? (old ? "long" : "int")
	       : flags & TYPE_LIST       ? "list"
	       : flags & TYPE_TUPLE      ? "tuple"
	       : flags & TYPE_BYTES      ? (old ? "str" : "bytes")
	       : flags & TYPE_UNICODE    ? (old ? "unicode" : "str")
	       : flags & TYPE_DICT       ? "dict"
	       : flags & TYPE_EXCEPTION  ? "BaseException"
	       : flags & TYPE_TYPE       ? "type"
	       : old && flags & TYPE_INT ? "int"
					 : NULL;
}

const char *scry_lost_name(struct scry_runtime *r, scry_addr type)
{
	uint64_t flags, base = 0, above = 0, heap;
	const char *name = NULL;

	if (!is_lost(r, type) || scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags) < 0)
		return NULL;
	/* made by PyType_FromSpec(): the name as an object is there */
	if (flags & TYPE_HEAP &&
	    scry_field_read(r, type, SCRY_F_HEAP_TYPE_NAME, &heap) == SCRY_OK &&
	    scry_text_at(r, heap, 200, &name) == SCRY_OK)
		return name;
	if (scry_field_read(r, type, SCRY_F_TYPE_BASE, &base) < 0)
		return "?";
	if (!base)
		return "object";
	if (scry_field_read(r, base, SCRY_F_TYPE_BASE, &above) < 0 || !above)
		/* of a base that the dump lacks nothing speaks against object */
		name = by_flags(r, flags);
	if (!name && !above)
		name = by_attribute(r, type);
	return name ? name : "?";
}
