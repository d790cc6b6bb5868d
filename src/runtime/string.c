/* Text out of str objects (and 2.7's str and unicode), type names, tagged references. */
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "base/utf8.h"
#include "runtime/runtime.h"

/* Py_TPFLAGS_*_SUBCLASS, Include/object.h, v2.7 (STRING/UNICODE) to v3.15 (BYTES/UNICODE). */
#define FLAG_BYTES   (1u << 27)
#define FLAG_UNICODE (1u << 28)

scry_addr scry_untag(struct scry_runtime *r, scry_addr word)
{
	/*
	 * all tag bits set: a tagged integer (3.14+), no reference;
	 * Include/internal/pycore_stackref.h
	 */
	if (r->tag_mask && (word & r->tag_mask) == r->tag_mask)
		return 0;
	return word & ~r->tag_mask;
}

/*
 * Characters of 1, 2 or 4 bytes to WTF-8 in the arena. Pairs of surrogates are joined only where
 * `pairs`.
 */
static int decode_units(struct scry_runtime *r, scry_addr data, unsigned width, size_t count,
			bool pairs, const char **ret)
{
	struct scry_session *s = r->session;
	struct scry_buf out = SCRY_BUF_INIT;
	uint8_t bytes[1024];
	unsigned high = 0;

	for (size_t done = 0; done < count;) {
		size_t n =
			count - done < sizeof(bytes) / width ? count - done : sizeof(bytes) / width;
		int rc = scry_read(s, data + done * width, bytes, n * width);

		if (rc < 0) {
			scry_buf_done(&out);
			return rc;
		}
		for (size_t i = 0; i < n; i++) {
			unsigned code = (unsigned)scry_load(bytes + i * width, width,
							    s->target->abi.big_endian);

			if (code > 0x10ffff) {
				scry_buf_done(&out);
				return scry_fail(s, SCRY_ECORRUPT, data,
						 "0x%x in a string is not a character", code);
			}
			if (high && code >= 0xdc00 && code < 0xe000) {
				scry_buf_cut(&out, out.len - 3);
				code = 0x10000 + ((high & 0x3ff) << 10) + (code & 0x3ff);
			}
			high = pairs && code >= 0xd800 && code < 0xdc00 ? code : 0;
			scry_buf_put_char(&out, code);
		}
		done += n;
	}
	*ret = out.failed ? NULL : scry_arena_text(&s->arena, out.text, out.len);
	scry_buf_done(&out);
	return *ret ? SCRY_OK : scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
}

/* 2.7's str: bytes. What is no UTF-8 becomes a lone surrogate, as os.fsdecode() would have it. */
static int decode_bytes(struct scry_runtime *r, scry_addr data, size_t count, const char **ret)
{
	struct scry_session *s = r->session;
	char *raw = scry_arena_alloc(&s->arena, count + 1);
	struct scry_buf out = SCRY_BUF_INIT;

	if (!raw)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	int rc = scry_read(s, data, raw, count);
	if (rc < 0)
		return rc;
	for (size_t i = 0; i < count;) {
		size_t at = i;
		unsigned code = scry_utf8_next(raw, count, &i);
		bool bad =
			(code == SCRY_UTF8_BAD && i == at + 1) || (code >= 0xd800 && code < 0xe000);

		if (bad)
			i = at + 1;
		scry_buf_put_char(&out, bad ? 0xdc00u + (unsigned char)raw[at] : code);
	}
	*ret = out.failed ? NULL : scry_arena_text(&s->arena, out.text, out.len);
	scry_buf_done(&out);
	return *ret ? SCRY_OK : scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
}

static int not_text(struct scry_runtime *r, scry_addr str)
{
	return scry_fail(r->session, SCRY_ECORRUPT, str, "no string at 0x%" PRIx64, str);
}

/* The length field is believed only where the mapping could hold that much. */
static bool plausible(struct scry_runtime *r, scry_addr data, uint64_t bytes)
{
	uint8_t byte;

	return bytes < (uint64_t)1 << 40 &&
	       (bytes == 0 || scry_read_some(r->session, data + bytes - 1, &byte, 1) == 1);
}

/*
 * PyASCIIObject and its two longer forms, PEP 393; Include/cpython/unicodeobject.h, v3.3 to v3.15.
 */
static int compact_text(struct scry_runtime *r, scry_addr str, size_t max, const char **ret)
{
	struct scry_record rec;
	int rc = scry_record_read(r, SCRY_S_ASCII, str, &rec);

	if (rc < 0)
		return rc;
	uint64_t length = scry_record_uint(&rec, SCRY_F_ASCII_LENGTH);
	unsigned width = (unsigned)scry_record_uint(&rec, SCRY_F_ASCII_KIND);
	bool compact = scry_record_uint(&rec, SCRY_F_ASCII_COMPACT);
	bool ascii = scry_record_uint(&rec, SCRY_F_ASCII_ASCII);
	scry_addr data = str + r->layout->size[ascii ? SCRY_S_ASCII : SCRY_S_COMPACT];

	if (width != 1 && width != 2 && width != 4)
		return not_text(r, str);
	if (!compact && (rc = scry_field_read(r, str, SCRY_F_UNICODE_DATA, &data)) < 0)
		return rc;
	if (length > SIZE_MAX / 8 || !plausible(r, data, length * width))
		return not_text(r, str);
	return decode_units(r, data, width, length < max ? length : max, false, ret);
}

static int wide_text(struct scry_runtime *r, scry_addr str, size_t max, const char **ret)
{
	uint64_t length, data;
	unsigned width = r->layout->flavour.narrow ? 2 : 4;
	int rc = scry_field_read(r, str, SCRY_F_UNICODE_LENGTH, &length);

	if (rc == SCRY_OK)
		rc = scry_field_read(r, str, SCRY_F_UNICODE_STR, &data);
	if (rc < 0)
		return rc;
	if (length > SIZE_MAX / 8 || !plausible(r, data, length * width))
		return not_text(r, str);
	return decode_units(r, data, width, length < max ? length : max, width == 2, ret);
}

int scry_text_at(struct scry_runtime *r, scry_addr str, size_t max, const char **ret)
{
	uint64_t type, flags, size;

	if (r->strategy->text)
		return r->strategy->text(r, str, max, ret);
	int rc = scry_field_read(r, str, SCRY_F_OBJECT_TYPE, &type);
	if (rc == SCRY_OK)
		rc = scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags);
	if (rc < 0)
		return rc;
	if (flags & FLAG_UNICODE)
		return scry_layout_has(r->layout, SCRY_F_ASCII_KIND)
			       ? compact_text(r, str, max, ret)
			       : wide_text(r, str, max, ret);
	if (!(flags & FLAG_BYTES) || scry_layout_has(r->layout, SCRY_F_ASCII_KIND))
		return not_text(r, str);
	rc = scry_field_read(r, str, SCRY_F_VAR_SIZE, &size);
	if (rc < 0)
		return rc;
	scry_addr data = scry_field_addr(r, str, SCRY_F_BYTES_DATA);
	if (!plausible(r, data, size))
		return not_text(r, str);
	return decode_bytes(r, data, size < max ? size : max, ret);
}

/* Types that are not exported, by the one object they have. */
static const char *name_by_singleton(struct scry_runtime *r, scry_addr type)
{
	static const char *const singletons[][2] = {
		{ "_Py_NoneStruct", "NoneType" },
		{ "_Py_NotImplementedStruct", "NotImplementedType" },
		{ "_Py_EllipsisObject", "ellipsis" },
		{ "_Py_TrueStruct", "bool" },
	};
	struct scry_symbol symbol;
	uint64_t of;

	for (size_t i = 0; i < sizeof(singletons) / sizeof(*singletons); i++)
		if (scry_module_symbol(r->module, singletons[i][0], &symbol) == SCRY_OK &&
		    scry_field_read(r, symbol.addr, SCRY_F_OBJECT_TYPE, &of) == SCRY_OK &&
		    of == type)
			return singletons[i][1];
	return NULL;
}

/*
 * Static types by the symbol they are under, where .rodata with their names is not in the dump.
 */
static const char *name_by_symbol(struct scry_runtime *r, scry_addr type)
{
	/* the name, and 2.7's where it is another one */
	static const char *const names[][3] = {
		{ "PyLong_Type", "int", "long" },
		{ "PyInt_Type", "int" },
		{ "PyBool_Type", "bool" },
		{ "PyFloat_Type", "float" },
		{ "PyComplex_Type", "complex" },
		{ "PyUnicode_Type", "str", "unicode" },
		{ "PyString_Type", "str" },
		{ "PyBytes_Type", "bytes" },
		{ "PyByteArray_Type", "bytearray" },
		{ "PyTuple_Type", "tuple" },
		{ "PyList_Type", "list" },
		{ "PyDict_Type", "dict" },
		{ "PySet_Type", "set" },
		{ "PyFrozenSet_Type", "frozenset" },
		{ "PyType_Type", "type" },
		{ "PyBaseObject_Type", "object" },
		{ "PyModule_Type", "module" },
		{ "PyFunction_Type", "function" },
		{ "PyMethod_Type", "method", "instancemethod" },
		{ "PyCFunction_Type", "builtin_function_or_method" },
		{ "PyCode_Type", "code" },
		{ "PyFrame_Type", "frame" },
		{ "PyGen_Type", "generator" },
		{ "PyCoro_Type", "coroutine" },
		{ "PyAsyncGen_Type", "async_generator" },
		{ "PyCell_Type", "cell" },
		{ "PySlice_Type", "slice" },
		{ "PyRange_Type", "range" },
		{ "PyTraceBack_Type", "traceback" },
		{ "PyMemoryView_Type", "memoryview" },
		{ "PyProperty_Type", "property" },
		{ "PyClass_Type", "classobj" },
		{ "PyInstance_Type", "instance" },
		{ "_PyNone_Type", "NoneType" },
		{ "PyTasklet_Type", "_stackless.tasklet" },
		{ "PyChannel_Type", "_stackless.channel" },
		{ "PyCFrame_Type", "_stackless.cframe" },
		{ "PyBomb_Type", "_stackless.bomb" },
		{ "PyCStack_Type", "_stackless.cstack" },
	};
	struct scry_symbol symbol;

	if (!r->module)
		return NULL;
	if (scry_symbol_at(r->session, type, &symbol) == SCRY_OK && symbol.addr == type)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if (!strcmp(symbol.name, names[i][0]))
				return names[i][scry_trait(r, SCRY_TRAIT_PYTHON_2) && names[i][2]
							? 2
							: 1];
	return name_by_singleton(r, type);
}

/*
 * A C identifier with dots, or any text of a heap type's name: no control characters, valid UTF-8,
 * not empty.
 */
static bool is_name(const char *text)
{
	size_t len = strlen(text), i = 0;

	while (i < len) {
		size_t at = i;
		unsigned code = scry_utf8_next(text, len, &i);

		if (code < 0x20 || code == 0x7f || (code == SCRY_UTF8_BAD && i == at + 1))
			return false;
	}
	return len > 0;
}

#define TYPE_NAME_MAX    4000
#define TPFLAGS_HEAPTYPE (1u << 9) /* Include/object.h, 2.7 to 3.15 */

/*
 * A class may be called anything, also nothing: type("", (), {}). Then the name as an object, which
 * the class keeps beside it, says the same.
 */
static bool is_class_name(struct scry_runtime *r, scry_addr type, const char *name)
{
	const char *text;
	uint64_t flags = scry_field_get(r, type, SCRY_F_TYPE_FLAGS);
	scry_addr str = scry_field_get(r, type, SCRY_F_HEAP_TYPE_NAME);

	return flags & TPFLAGS_HEAPTYPE && str &&
	       scry_text_at(r, str, TYPE_NAME_MAX, &text) == SCRY_OK && !strcmp(text, name);
}

int scry_type_name(struct scry_runtime *r, scry_addr type, const char **ret)
{
	const char *name = scry_hash_find(&r->names, type);
	uint64_t at;

	if (name) {
		*ret = name;
		return SCRY_OK;
	}
	if (type % r->session->target->abi.ptr_size)
		return scry_fail(r->session, SCRY_ECORRUPT, type, "0x%" PRIx64 " is not a type",
				 type);
	int rc = scry_field_read(r, type, SCRY_F_TYPE_NAME, &at);
	if (rc < 0)
		return rc;
	if (!at)
		return scry_fail(r->session, SCRY_ECORRUPT, type,
				 "its type has no name (tp_name is NULL)");
	rc = scry_read_cstr(r->session, at, TYPE_NAME_MAX, &name);
	if (rc < 0 && !(name = name_by_symbol(r, type)))
		return rc;
	if (!is_name(name) && !is_class_name(r, type, name))
		return scry_fail(r->session, SCRY_ECORRUPT, type,
				 "0x%" PRIx64 " is not a type: it has no name", type);
	if (strlen(name) == TYPE_NAME_MAX)
		name = scry_arena_printf(&r->session->arena, "%s…", name);
	if (!name)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	scry_hash_put(&r->names, type, (void *)(uintptr_t)name);
	*ret = name;
	return SCRY_OK;
}

int scry_type_own_name(struct scry_runtime *r, scry_addr type, const char **ret)
{
	scry_addr at;
	int rc = scry_field_read(r, type, SCRY_F_TYPE_NAME, &at);

	return rc < 0 ? rc : scry_read_cstr(r->session, at, 256, ret);
}

static bool same_module(struct scry_session *s, scry_addr a, scry_addr b)
{
	return scry_module_at(s, a) == scry_module_at(s, b);
}

bool scry_type_is_own(struct scry_runtime *r, scry_addr type)
{
	const struct scry_map *map = scry_map_at(r->session->target, type), *meta;
	uint64_t metatype, flags;

	if (scry_field_read(r, type, SCRY_F_OBJECT_TYPE, &metatype) < 0 ||
	    scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags) < 0 || flags & TPFLAGS_HEAPTYPE)
		return false;
	meta = scry_map_at(r->session->target, metatype);
	if (map && meta && (map == meta || (map->path && meta->path)))
		return map == meta || !strcmp(map->path, meta->path);
	return same_module(r->session, type, metatype);
}
