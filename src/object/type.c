/* Types: checked before they are believed, and remembered. */
#include <ctype.h>

#include "object/judge.h"
#include "object/known.h"
#include "object/mro.h"
#include "object/printer.h"

#define NAME_MAX_LENGTH 4000

struct scry_type_state *scry_type_state(struct scry_runtime *r)
{
	if (!r->object_state)
		r->object_state =
			scry_arena_alloc(&r->session->arena, sizeof(struct scry_type_state));
	return r->object_state;
}

static struct scry_type **bucket_of(struct scry_runtime *r, scry_addr addr)
{
	struct scry_type_state *cache = scry_type_state(r);

	return cache ? &cache->bucket[(addr >> 4) * 0x9e3779b97f4a7c15ull >> 54] : NULL;
}

/* Objects/obmalloc.c: 0xCB 0xDB 0xFB up to 3.7, 0xCD 0xDD 0xFD since 3.8 */
const char *scry_pattern_name(uint64_t word, unsigned size)
{
	static const struct {
		uint8_t byte;
		const char *name;
	} rows[] = {
		{ 0xdd, "freed (debug allocator, 0xdd)" },
		{ 0xdb, "freed (debug allocator, 0xdb)" },
		{ 0xfd, "guard bytes (debug allocator, 0xfd)" },
		{ 0xfb, "guard bytes (debug allocator, 0xfb)" },
		{ 0xcd, "never initialised (debug allocator, 0xcd)" },
		{ 0xcb, "never initialised (debug allocator, 0xcb)" },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (word == (rows[i].byte * 0x0101010101010101ull &
			     (size < 8 ? (1ull << 8 * size) - 1 : ~0ull)))
			return rows[i].name;
	return NULL;
}

static bool aligned(struct scry_runtime *r, scry_addr addr)
{
	return addr && addr % r->session->target->abi.ptr_size == 0;
}

int scry_type_pointer(struct scry_runtime *r, scry_addr obj, scry_addr *ret)
{
	if (!aligned(r, obj))
		return scry_fail(r->session, SCRY_ECORRUPT, obj,
				 "0x%" PRIx64 " is not an object: not aligned", obj);
	int rc = scry_field_read(r, obj, SCRY_F_OBJECT_TYPE, ret);
	if (rc < 0)
		return rc;
	const char *pattern = scry_pattern_name(*ret, r->session->target->abi.ptr_size);
	if (pattern)
		return scry_fail(r->session, SCRY_ECORRUPT, obj, "its type pointer is %s", pattern);
	if (!aligned(r, *ret))
		return scry_fail(r->session, SCRY_ECORRUPT, obj, "its type pointer is 0x%" PRIx64,
				 *ret);
	return SCRY_OK;
}

/*
 * A static type that PyType_Ready() never saw: its own type pointer is NULL still, as
 * PyVarObject_HEAD_INIT(NULL, 0) left it. The rest must look like a type in a module's data.
 */
static bool is_never_readied(struct scry_runtime *r, scry_addr type)
{
	uint64_t meta, flags = scry_field_get(r, type, SCRY_F_TYPE_FLAGS),
		       size = scry_field_get(r, type, SCRY_F_TYPE_BASICSIZE),
		       at = scry_field_get(r, type, SCRY_F_TYPE_NAME);
	const char *name;

	if (scry_field_read(r, type, SCRY_F_OBJECT_TYPE, &meta) < 0 || meta || !r->type_type ||
	    flags & (TYPE_HEAP | TYPE_READY) || size < r->layout->size[SCRY_S_OBJECT] ||
	    size > 1u << 20 || !scry_module_at(r->session, type) ||
	    scry_module_at(r->session, at) != scry_module_at(r->session, type) ||
	    scry_read_cstr(r->session, at, 200, &name) < 0 || !*name)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && *name != '_' && *name != '.')
			return false;
	return true;
}

/* A type's type says Py_TPFLAGS_TYPE_SUBCLASS: checked without recursion. */
static int check_metatype(struct scry_runtime *r, scry_addr type, scry_addr *ret)
{
	uint64_t flags = 0;
	int rc = scry_type_pointer(r, type, ret);

	if (rc == SCRY_ECORRUPT && is_never_readied(r, type))
		return *ret = r->type_type, SCRY_OK;
	if (rc == SCRY_OK)
		rc = scry_field_read(r, *ret, SCRY_F_TYPE_FLAGS, &flags);
	if (rc < 0)
		return rc;
	if (*ret == r->type_type || (flags & TYPE_TYPE))
		return SCRY_OK;
	return scry_fail(r->session, SCRY_ECORRUPT, type, "0x%" PRIx64 " is not a type", type);
}

/*
 * Its name is not in the dump: other ways to know it. The flag comes first, since finding names
 * looks at types.
 */
static int find_lost_name(struct scry_runtime *r, scry_addr type, const char **ret)
{
	struct scry_type_state *cache = r->object_state;

	if (cache && !cache->names_found) {
		cache->names_found = true;
		scry_lost_names_find(r);
	}
	*ret = scry_hash_find(&r->names, type);
	if (*ret)
		return SCRY_OK;
	*ret = scry_lost_name(r, type);
	if (*ret && strcmp(*ret, "?"))
		scry_hash_put(&r->names, type, (void *)(uintptr_t)*ret);
	return *ret ? SCRY_OK : SCRY_EFAULT;
}

static int read_name(struct scry_runtime *r, scry_addr type, const char **ret, bool *ret_nameless)
{
	int rc = scry_type_name(r, type, ret);

	if (rc != SCRY_EFAULT)
		return rc;
	struct scry_error why = r->session->error; /* looking for another one may fail, too */
	if (find_lost_name(r, type, ret) == SCRY_OK)
		return *ret_nameless = !strcmp(*ret, "?"), SCRY_OK;
	r->session->error = why;
	return rc;
}

static int decode(struct scry_runtime *r, struct scry_type *t)
{
	int rc = check_metatype(r, t->addr, &t->metatype);

	if (rc == SCRY_OK)
		rc = read_name(r, t->addr, &t->name, &t->nameless);
	if (rc < 0)
		return rc;
	t->base = scry_field_get(r, t->addr, SCRY_F_TYPE_BASE);
	t->dict = scry_field_get(r, t->addr, SCRY_F_TYPE_DICT);
	t->mro = scry_field_get(r, t->addr, SCRY_F_TYPE_MRO);
	t->repr = scry_field_get(r, t->addr, SCRY_F_TYPE_REPR);
	t->flags = (uint32_t)scry_field_get(r, t->addr, SCRY_F_TYPE_FLAGS);
	t->basicsize = scry_field_get(r, t->addr, SCRY_F_TYPE_BASICSIZE);
	t->itemsize = scry_field_get(r, t->addr, SCRY_F_TYPE_ITEMSIZE);
	scry_field_read_int(r, t->addr, SCRY_F_TYPE_DICTOFFSET, &t->dictoffset);
	t->never_readied = !scry_field_get(r, t->addr, SCRY_F_OBJECT_TYPE);
	if (t->basicsize > 1u << 20 || t->itemsize > 1u << 20)
		return scry_fail(r->session, SCRY_ECORRUPT, t->addr, "type %s has size %" PRIu64,
				 t->name, t->basicsize);
	return SCRY_OK;
}

int scry_type_at(struct scry_runtime *r, scry_addr addr, struct scry_type **ret)
{
	struct scry_type **bucket = bucket_of(r, addr), *t = bucket ? *bucket : NULL;

	while (t && t->addr != addr)
		t = t->next;
	if (!t) {
		struct scry_type new = { .addr = addr };
		int rc = decode(r, &new);

		if (rc < 0)
			return rc;
		t = bucket ? scry_arena_alloc(&r->session->arena, sizeof(*t)) : NULL;
		if (!t)
			return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
		*t = new;
		t->next = *bucket;
		*bucket = t;
		t->known = scry_known_find(r, t); /* which may ask for types, this one too */
	}
	*ret = t;
	return SCRY_OK;
}

/*
 * Two items of a tuple, the second a type, look like an object whose count is the first one's
 * address.
 */
static bool is_address(struct scry_runtime *r, scry_addr obj, uint64_t count)
{
	const struct scry_slot *slot = &r->layout->slot[SCRY_F_OBJECT_REFCNT];
	unsigned ptr = scry_ptr_size(r);

	/* 3.14+: half a word, whose other half has flags; free-threaded: beside flags */
	if (slot->size < ptr && (scry_layout_has(r->layout, SCRY_F_OBJECT_REF_SHARED) ||
				 scry_word(r, obj + slot->offset / ptr * ptr, &count) < 0))
		return false;
	return count >> (ptr == 8 ? 32 : 24) && scry_map_at(r->session->target, count) &&
	       !scry_is_initial_count(r, obj, count);
}

/* 0 is let pass: an object is at 0 while its tp_dealloc runs. */
static int check_refcount(struct scry_runtime *r, scry_addr obj)
{
	const struct scry_slot *slot = &r->layout->slot[SCRY_F_OBJECT_REFCNT];
	uint64_t value;
	int rc = scry_field_read(r, obj, SCRY_F_OBJECT_REFCNT, &value);

	if (rc < 0)
		return rc == SCRY_ENOFIELD ? SCRY_OK : rc;
	const char *pattern = scry_pattern_name(value, slot->size);
	if (pattern)
		return scry_fail(r->session, SCRY_ECORRUPT, obj, "its reference count is %s",
				 pattern);
	if (slot->size == 8 && value >> 62 == 3)
		return scry_fail(r->session, SCRY_ECORRUPT, obj, "its reference count is %" PRId64,
				 (int64_t)value);
	if (is_address(r, obj, value))
		return scry_fail(r->session, SCRY_ECORRUPT, obj,
				 "its reference count is an address, 0x%" PRIx64, value);
	return SCRY_OK;
}

int scry_type_for(struct scry_runtime *r, scry_addr obj, struct scry_type **ret)
{
	scry_addr type;
	int rc = scry_type_pointer(r, obj, &type);

	if (rc == SCRY_OK)
		rc = check_refcount(r, obj);
	return rc < 0 ? rc : scry_type_at(r, type, ret);
}

int scry_type_of(struct scry_runtime *r, scry_addr addr, scry_addr *ret_type)
{
	struct scry_type *t;
	int rc = scry_type_for(r, addr, &t);

	if (rc == SCRY_OK)
		*ret_type = t->addr;
	return rc;
}

const char *scry_cpython_type_name(struct scry_runtime *r, scry_addr obj)
{
	struct scry_type *t;

	return scry_type_for(r, obj, &t) == SCRY_OK && !t->nameless ? t->name : NULL;
}

/*
 * From 3.12 the dicts of static built-in types (3.13: of some extensions too) are in the
 * interpreter's state, and tp_subclasses holds their index there plus one (Objects/typeobject.c,
 * static_builtin_index_get()).
 */
static scry_addr managed_dict_of(struct scry_runtime *r, const struct scry_type *t,
				 enum scry_field array)
{
	const struct scry_layout *l = r->layout;
	uint64_t index = scry_field_get(r, t->addr, SCRY_F_TYPE_SUBCLASSES);
	uint32_t size = l->size[SCRY_S_STATIC_TYPE];

	if (!r->interps || !size || !index || index > l->slot[array].size / size)
		return 0;
	scry_addr row = scry_field_addr(r, r->interps->addr, array) + (index - 1) * size;
	if (scry_field_get(r, row, SCRY_F_STATIC_TYPE_TYPE) != t->addr)
		return 0;
	return scry_field_get(r, row, SCRY_F_STATIC_TYPE_DICT);
}

static scry_addr static_type_dict(struct scry_runtime *r, const struct scry_type *t)
{
	scry_addr dict = managed_dict_of(r, t, SCRY_F_INTERP_STATIC_TYPES);

	return dict ? dict : managed_dict_of(r, t, SCRY_F_INTERP_STATIC_EXT_TYPES);
}

scry_addr scry_type_dict(struct scry_runtime *r, const struct scry_type *t)
{
	return t->dict ? t->dict : static_type_dict(r, t);
}

/* --- names --- */

static const char *last_part(const char *name)
{
	const char *dot = strrchr(name, '.');

	return dot ? dot + 1 : name;
}

static const char *heap_name(struct scry_runtime *r, const struct scry_type *t, enum scry_field f)
{
	scry_addr str;
	const char *text;

	if (!(t->flags & TYPE_HEAP) || scry_field_read(r, t->addr, f, &str) < 0 || !str ||
	    scry_text_at(r, str, NAME_MAX_LENGTH, &text) < 0)
		return NULL;
	return text;
}

const char *scry_type_short(struct scry_runtime *r, scry_addr type)
{
	struct scry_type *t;
	scry_addr old;
	const char *text;

	if (scry_is_old_class(r, type))
		return scry_field_read(r, type, SCRY_F_CLASSOBJ_NAME, &old) == SCRY_OK &&
				       scry_text_at(r, old, NAME_MAX_LENGTH, &text) == SCRY_OK
			       ? text
			       : "?";
	if (scry_type_at(r, type, &t) < 0)
		return "?";
	const char *name = heap_name(r, t, SCRY_F_HEAP_TYPE_NAME);
	return name ? name : last_part(t->name);
}

const char *scry_type_qualname(struct scry_runtime *r, scry_addr type)
{
	struct scry_type *t;

	if (scry_type_at(r, type, &t) < 0)
		return "?";
	const char *name = heap_name(r, t, SCRY_F_HEAP_TYPE_QUALNAME);
	return name ? name : scry_type_short(r, type);
}

static const char *builtins_name(struct scry_runtime *r)
{
	return scry_layout_has(r->layout, SCRY_F_CLASSOBJ_DICT) ? "__builtin__" : "builtins";
}

const char *scry_type_module(struct scry_runtime *r, scry_addr type)
{
	struct scry_type *t;
	scry_addr str;
	const char *text;

	if (scry_type_at(r, type, &t) < 0)
		return "?";
	if (t->flags & TYPE_HEAP) {
		scry_addr dict = scry_type_dict(r, t);
		int rc = dict ? scry_dict_get(r, dict, "__module__", &str) : SCRY_EFAULT;

		if (rc == SCRY_OK && scry_text_at(r, str, NAME_MAX_LENGTH, &text) == SCRY_OK)
			return text;
		if (rc < 0 && rc != SCRY_ENOTFOUND && r->layout && r->layout->guessed)
			return "?"; /* each class has one; where its dict stands is not known */
		/* Cython's metaclass says it for types that describe their objects' there */
		if (!scry_is_cythons_own(t))
			return builtins_name(r);
	}
	const char *dot = strrchr(t->name, '.');
	text = dot ? scry_arena_text(&r->session->arena, t->name, (size_t)(dot - t->name)) : NULL;
	return text ? text : builtins_name(r);
}

int scry_type_full_name(struct scry_runtime *r, scry_addr type, const char **ret)
{
	struct scry_type *t;
	int rc = scry_type_at(r, type, &t);

	if (rc < 0)
		return rc;
	if (!t->full) {
		const char *module = scry_type_module(r, type), *name = scry_type_qualname(r, type);

		t->full = !strcmp(module, builtins_name(r))
				  ? name
				  : scry_arena_printf(&r->session->arena, "%s.%s", module, name);
	}
	if (!t->full)
		return scry_fail(r->session, SCRY_ENOMEM, 0, "out of memory");
	*ret = t->full;
	return SCRY_OK;
}
