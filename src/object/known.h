/**
 * The types that are known by name, in one place. A type of the interpreter is recognised as a
 * static object in the interpreter's own file, a type of a library by its module and its name. A
 * class of the program that has the same name is neither.
 */
#ifndef SCRY_KNOWN_H
#define SCRY_KNOWN_H

#include "object/model.h"

/*
 * A row for each: its name here, and the type's name; one without a dot is the interpreter's. Where
 * other versions name it otherwise, known.c has a row.
 */
#define SCRY_KNOWN_TYPES(X)                                               \
	X(OBJECT, "object")                                               \
	X(TYPE, "type")                                                   \
	X(NONE, "NoneType")                                               \
	X(ELLIPSIS, "ellipsis")                                           \
	X(BOOL, "bool")                                                   \
	X(INT, "int")                                                     \
	X(LONG, "long")                                                   \
	X(FLOAT, "float")                                                 \
	X(COMPLEX, "complex")                                             \
	X(STR, "str")                                                     \
	X(UNICODE, "unicode")                                             \
	X(BYTES, "bytes")                                                 \
	X(BYTEARRAY, "bytearray")                                         \
	X(MEMORYVIEW, "memoryview")                                       \
	X(LIST, "list")                                                   \
	X(TUPLE, "tuple")                                                 \
	X(DICT, "dict")                                                   \
	X(FROZENDICT, "frozendict")                                       \
	X(SET, "set")                                                     \
	X(FROZENSET, "frozenset")                                         \
	X(SET_DUMMY, "<dummy key> type")                                  \
	X(RANGE, "range")                                                 \
	X(XRANGE, "xrange")                                               \
	X(SLICE, "slice")                                                 \
	X(MAPPINGPROXY, "mappingproxy")                                   \
	X(MODULE, "module")                                               \
	X(CODE, "code")                                                   \
	X(FRAME, "frame")                                                 \
	X(TRACEBACK, "traceback")                                         \
	X(CELL, "cell")                                                   \
	X(FUNCTION, "function")                                           \
	X(METHOD, "method")                                               \
	X(BUILTIN, "builtin_function_or_method")                          \
	X(PROPERTY, "property")                                           \
	X(STATICMETHOD, "staticmethod")                                   \
	X(CLASSMETHOD, "classmethod")                                     \
	X(METHOD_DESCRIPTOR, "method_descriptor")                         \
	X(CLASSMETHOD_DESCRIPTOR, "classmethod_descriptor")               \
	X(MEMBER_DESCRIPTOR, "member_descriptor")                         \
	X(GETSET_DESCRIPTOR, "getset_descriptor")                         \
	X(WRAPPER_DESCRIPTOR, "wrapper_descriptor")                       \
	X(METHOD_WRAPPER, "method-wrapper")                               \
	X(GENERATOR, "generator")                                         \
	X(COROUTINE, "coroutine")                                         \
	X(ASYNC_GENERATOR, "async_generator")                             \
	X(COROUTINE_WRAPPER, "coroutine_wrapper")                         \
	X(ASEND, "async_generator_asend")                                 \
	X(ATHROW, "async_generator_athrow")                               \
	X(ANEXT, "anext_awaitable")                                       \
	X(OLD_CLASS, "classobj")                                          \
	X(OLD_INSTANCE, "instance")                                       \
	X(WEAKREF, "weakref")                                             \
	X(ODICT, "collections.OrderedDict")                               \
	X(LRU_CACHE, "functools._lru_cache_wrapper")                      \
	X(LRU_LINK, "functools._lru_list_elem")                           \
	X(BASE_EXCEPTION, "BaseException")                                \
	X(BASE_EXCEPTION_GROUP, "BaseExceptionGroup")                     \
	X(KEY_ERROR, "KeyError")                                          \
	X(OS_ERROR, "OSError")                                            \
	X(SYNTAX_ERROR, "SyntaxError")                                    \
	X(UNICODE_DECODE_ERROR, "UnicodeDecodeError")                     \
	X(UNICODE_ENCODE_ERROR, "UnicodeEncodeError")                     \
	X(UNICODE_TRANSLATE_ERROR, "UnicodeTranslateError")               \
	X(IMPORT_ERROR, "ImportError")                                    \
	X(ATTRIBUTE_ERROR, "AttributeError")                              \
	X(NAME_ERROR, "NameError")                                        \
	X(UNICODE_ERROR, "UnicodeError")                                  \
	X(STOP_ITERATION, "StopIteration")                                \
	X(SYSTEM_EXIT, "SystemExit")                                      \
	X(DEQUE, "collections.deque")                                     \
	X(TUPLEGETTER, "collections._tuplegetter")                        \
	X(CHAIN_MAP, "collections.ChainMap")                              \
	X(COUNTER, "collections.Counter")                                 \
	X(DEFAULTDICT, "collections.defaultdict")                         \
	X(USER_DICT, "collections.UserDict")                              \
	X(USER_LIST, "collections.UserList")                              \
	X(USER_STRING, "collections.UserString")                          \
	X(ARRAY, "array.array")                                           \
	X(PARTIAL, "functools.partial")                                   \
	X(ITEMGETTER, "operator.itemgetter")                              \
	X(DATE, "datetime.date")                                          \
	X(TIME, "datetime.time")                                          \
	X(DATETIME, "datetime.datetime")                                  \
	X(TEXT_IO_WRAPPER, "_io.TextIOWrapper")                           \
	X(BUFFERED_IO_BASE, "_io._BufferedIOBase")                        \
	X(NAMESPACE, "types.SimpleNamespace")                             \
	X(ENUM, "enum.Enum")                                              \
	X(FRACTION, "fractions.Fraction")                                 \
	X(THREAD, "threading.Thread")                                     \
	X(TYPE_ALIAS_TYPE, "typing.TypeAliasType")                        \
	X(PARAM_SPEC, "typing.ParamSpec")                                 \
	X(CONCATENATE_ALIAS, "typing._ConcatenateGenericAlias")           \
	X(SIGNATURE_EMPTY, "inspect._empty")                              \
	X(BUILTIN_IMPORTER, "_frozen_importlib.BuiltinImporter")          \
	X(FROZEN_IMPORTER, "_frozen_importlib.FrozenImporter")            \
	X(NAMESPACE_LOADER, "_frozen_importlib_external.NamespaceLoader") \
	X(TASKLET, "_stackless.tasklet")                                  \
	X(CHANNEL, "_stackless.channel")                                  \
	X(BOMB, "_stackless.bomb")                                        \
	X(C_FUTURE, "_asyncio.Future")                                    \
	X(C_TASK, "_asyncio.Task")                                        \
	X(CTYPES_FIELD, "_ctypes.CField")                                 \
	X(C_SIMPLE_DATA, "_ctypes._SimpleCData")                          \
	X(NDARRAY, "numpy.ndarray")                                       \
	X(ATTRS_FACTORY, "attr._make.Factory")                            \
	X(TIMEOUT, "gevent.timeout.Timeout")

/** SCRY_IS_LIST and so on. */
enum scry_known {
	SCRY_IS_OTHER, /* none of these */
#define SCRY_KNOWN_ENUM(symbol, name) SCRY_IS_##symbol,
	SCRY_KNOWN_TYPES(SCRY_KNOWN_ENUM)
#undef SCRY_KNOWN_ENUM
};

/** Which one a type is: the type itself, not a base of it. Found when it was decoded. */
static inline enum scry_known scry_known_type(const struct scry_type *t)
{
	return (enum scry_known)t->known;
}
/** Which one an object's type is, PyPy's too; SCRY_IS_OTHER for what is not an object. */
enum scry_known scry_known_of(struct scry_runtime *r, scry_addr obj);
/**
 * Is it a generator of the interpreter's own? Nothing derives from these but Nuitka's
 * "compiled_generator", which has other members.
 */
static inline bool scry_is_generator(const struct scry_type *t)
{
	enum scry_known known = scry_known_type(t);

	return known == SCRY_IS_GENERATOR || known == SCRY_IS_COROUTINE ||
	       known == SCRY_IS_ASYNC_GENERATOR;
}
/** Is the object's type this one? False for what is not an object. */
static inline bool scry_is_exactly(struct scry_runtime *r, scry_addr obj, enum scry_known what)
{
	return scry_known_of(r, obj) == what;
}
/** Is `type` the one named, or does it derive from it? Follows tp_base, for so many steps. */
bool scry_type_is(struct scry_runtime *r, scry_addr type, enum scry_known what);
/** Which one a built-in type of this name is: for models that recognise types in other ways. */
enum scry_known scry_known_named(const struct scry_runtime *r, const char *name);
/** Is `obj` itself the type named? */
bool scry_is_type(struct scry_runtime *r, scry_addr obj, enum scry_known what);
/** Find which one `t` is: for type.c, which calls it once per type. */
enum scry_known scry_known_find(struct scry_runtime *r, const struct scry_type *t);
/** Is the type one of those that all modules of one version of Cython (3.0 and later) share? */
bool scry_is_cythons_own(const struct scry_type *t);
/** Is it the type that Cython calls by this name ("generator"), whatever its __module__? */
bool scry_is_cythons(struct scry_runtime *r, const struct scry_type *t, const char *name);

#endif
