/*
 * Where PyPy's fields lie: every field that the JIT can see has a FieldDescr in the module's data,
 * which holds its name, offset and size. Its own members are in the order of the list of types:
 * header, what AbstractDescr has, then field size, index, name, offset
 * (rpython/jit/backend/llsupport/descr.py, 7.3.3 to 8.0.1).
 */
#include <inttypes.h>
#include <string.h>

#include "runtime/pypy/pypy.h"

#define NAME_MAX 300

#define FIELD_TEXT(name, text) text,
static const char *const names[] = { SCRY_PYPY_FIELDS(FIELD_TEXT) };

struct harvest {
	struct scry_pypy_scan scan;
	scry_addr name, offset, size;         /* of these members, from the start of a FieldDescr */
	unsigned rank[SCRY_PYPY_FIELD_COUNT]; /* 1 + which alternative has been found */
	unsigned count;                       /* FieldDescrs met */
};

/* Which of a field's alternatives `name` is, from 1; 0: none. */
static unsigned rank_of(const char *alternatives, const char *name, size_t len)
{
	unsigned rank = 1;

	for (const char *p = alternatives + (*alternatives == '!'); *p; rank++) {
		size_t n = strcspn(p, "|");

		if (n == len && !memcmp(p, name, n))
			return rank;
		p += n + (p[n] == '|');
	}
	return 0;
}

static void take(struct harvest *h, scry_addr at, const char *name, size_t len,
		 struct scry_slot slot)
{
	for (int f = 0; f < SCRY_PYPY_FIELD_COUNT; f++) {
		unsigned rank = rank_of(names[f], name, len);

		if (rank && (!h->rank[f] || rank < h->rank[f])) {
			h->rank[f] = rank;
			h->scan.pypy->field[f] = slot;
			if (f == SCRY_PYPY_FRAME_CODE)
				h->scan.pypy->code_descr = at;
		}
	}
}

/* Instances of Python classes keep their map at the end of what their RPython base has. */
static void take_map(struct scry_pypy *p, const char *name, size_t len, uint32_t offset)
{
	static const char map[] = ".inst_map";
	size_t n = len - (sizeof(map) - 1);

	if (len < sizeof(map) || memcmp(name + n, map, sizeof(map) - 1))
		return;
	/*
	 * several types may have one name (pypy.interpreter.typedef.W_ClassUserDictWeakrefable) and
	 * one form
	 */
	for (size_t i = 0; i < p->type_count; i++)
		if (!strncmp(p->types[i].name, name, n) && !p->types[i].name[n])
			scry_hash_put(&p->maps, p->types[i].tid, (void *)((uintptr_t)offset + 1));
}

/* Its field, and the name as it is in memory; false: it is none. */
static bool read_descr(struct harvest *h, scry_addr at, char name[NAME_MAX], uint64_t *ret_len,
		       struct scry_slot *ret)
{
	struct scry_pypy *p = h->scan.pypy;
	struct scry_session *s = p->runtime->session;
	uint64_t offset, size, len;
	scry_addr string;

	if (scry_read_ptr(s, at + h->name, &string) < 0 || string < p->start || string >= p->end ||
	    scry_read_uint(s, at + h->offset, 8, &offset) < 0 ||
	    scry_read_uint(s, at + h->size, 8, &size) < 0 || offset > 65536 ||
	    (size != 1 && size != 2 && size != 4 && size != 8))
		return false;
	if (scry_read_uint(s, string, 4, &len) < 0 || (uint32_t)len != p->string ||
	    scry_read_uint(s, string + 16, 8, ret_len) < 0 || *ret_len >= NAME_MAX ||
	    scry_read(s, string + 24, name, *ret_len) < 0)
		return false;
	*ret = (struct scry_slot) { (uint32_t)offset, (uint16_t)size };
	return true;
}

static bool is_descr(struct scry_pypy_scan *scan, scry_addr at)
{
	struct harvest *h = (struct harvest *)scan;
	char name[NAME_MAX];
	struct scry_slot slot;
	uint64_t len;

	if (!read_descr(h, at, name, &len, &slot))
		return true;
	h->count++;
	take(h, at, name, len, slot);
	take_map(scan->pypy, name, len, slot.offset);
	return true;
}

/* Which member of the list `name` is, from 0; -1: none. */
static int ordinal(const struct scry_pypy_type *t, const char *name)
{
	size_t n = strlen(name);
	int i = 0;

	for (const char *p = t->members; *p; i++) {
		p += strspn(p, " ,");
		size_t len = strcspn(p, " ,");

		if (len == n && !memcmp(p, name, n))
			return i;
		p += len;
	}
	return -1;
}

/*
 * The name is the first pointer that the collector knows of; size, index, name and offset have 8
 * bytes each.
 */
static int find_members(struct harvest *h, const struct scry_pypy_type *t)
{
	struct scry_pypy *p = h->scan.pypy;
	struct scry_session *s = p->runtime->session;
	int name = ordinal(t, "inst_name"), offset = ordinal(t, "inst_offset"),
	    size = ordinal(t, "inst_field_size");
	scry_addr pointers;
	uint64_t first;

	if (name < 0 || offset < 0 || size < 0 ||
	    scry_read_ptr(s, p->group + t->tid + 24, &pointers) < 0 ||
	    scry_read_uint(s, pointers + 8, 8, &first) < 0 || first > 4096)
		return SCRY_ECORRUPT;
	h->name = first;
	h->offset = first + 8 * (scry_addr)(offset - name);
	h->size = first + 8 * (scry_addr)(size - name);
	return SCRY_OK;
}

int scry_pypy_load_fields(struct scry_pypy *p)
{
	struct harvest h = { .scan = { .pypy = p, .found = is_descr } };
	const struct scry_pypy_type *descr = scry_pypy_type_named(p, SCRY_PYPY_FIELD_DESCR);

	if (!descr || find_members(&h, descr) < 0)
		return scry_fail(p->runtime->session, SCRY_EUNSUPPORTED, 0,
				 "this PyPy has no JIT, which would tell where its fields lie");
	h.scan.low = descr->tid;
	scry_pypy_scan(&h.scan);
	for (int f = 0; f < SCRY_PYPY_FIELD_COUNT; f++)
		if (*names[f] == '!' && !p->field[f].size)
			return scry_fail(p->runtime->session, SCRY_EUNSUPPORTED, 0,
					 "this PyPy has no %s (%u fields are known)", names[f] + 1,
					 h.count);
	if (!p->field[SCRY_PYPY_CODE_LNOTAB].size && !p->field[SCRY_PYPY_CODE_LINETABLE].size)
		return scry_fail(p->runtime->session, SCRY_EUNSUPPORTED, 0,
				 "this PyPy has neither lnotab nor linetable");
	return SCRY_OK;
}

/* --- names by place --- */

static uint64_t key_of(const char *type, size_t len, uint64_t offset)
{
	uint64_t h = 14695981039346656037u ^ offset << 40;

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)type[i]) * 1099511628211u;
	return h;
}

/* "pypy.interpreter.function.Function.inst_name": the type, and the member. */
static bool keep_name(struct scry_pypy_scan *scan, scry_addr at)
{
	struct harvest *h = (struct harvest *)scan;
	struct scry_pypy *p = scan->pypy;
	char name[NAME_MAX], *dot;
	struct scry_slot slot;
	uint64_t len;

	if (!read_descr(h, at, name, &len, &slot))
		return true;
	name[len] = '\0';
	dot = strrchr(name, '.');
	if (!dot)
		return true;
	const char *member = strncmp(dot + 1, "inst_", 5) ? dot + 1 : dot + 6,
		   *kept = scry_arena_text(&p->runtime->session->arena, member, strlen(member));

	if (kept)
		scry_hash_put(&p->names, key_of(name, (size_t)(dot - name), slot.offset),
			      (void *)(uintptr_t)kept);
	return true;
}

const char *scry_pypy_field_at(struct scry_pypy *p, const struct scry_pypy_type *t, uint64_t offset)
{
	struct harvest h = { .scan = { .pypy = p, .found = keep_name } };
	const struct scry_pypy_type *descr = scry_pypy_type_named(p, SCRY_PYPY_FIELD_DESCR);
	const char *name;

	if (!p->names_done && descr && find_members(&h, descr) == SCRY_OK) {
		h.scan.low = descr->tid;
		scry_pypy_scan(&h.scan);
	}
	p->names_done = true;
	name = scry_hash_find(&p->names, key_of(t->name, strlen(t->name), offset));
	/* or a base's, which has the class in its range */
	for (size_t i = 0; !name && t->class_max && i < p->type_count; i++) {
		const struct scry_pypy_type *base = &p->types[i];

		if (base->class_min < t->class_min && base->class_max >= t->class_max)
			name = scry_hash_find(&p->names,
					      key_of(base->name, strlen(base->name), offset));
	}
	return name;
}

int scry_pypy_read(struct scry_pypy *p, scry_addr object, enum scry_pypy_field f, uint64_t *ret)
{
	struct scry_slot slot = p->field[f];

	if (!slot.size)
		return scry_fail(p->runtime->session, SCRY_ENOFIELD, object, "this PyPy has no %s",
				 names[f]);
	return scry_read_uint(p->runtime->session, object + slot.offset, slot.size, ret);
}

uint64_t scry_pypy_get(struct scry_pypy *p, scry_addr object, enum scry_pypy_field f)
{
	uint64_t value = 0;

	if (object && p->field[f].size)
		scry_read_uint(p->runtime->session, object + p->field[f].offset, p->field[f].size,
			       &value);
	return value;
}

int scry_pypy_text_at(struct scry_runtime *r, scry_addr str, size_t max, const char **ret)
{
	struct scry_pypy *y = r->pypy;
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &str);
	size_t len;

	if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_UNICODE))
		str = scry_pypy_get(y, str, SCRY_PYPY_UNICODE_UTF8);
	else if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_BYTES))
		str = scry_pypy_get(y, str, SCRY_PYPY_BYTES_VALUE);
	return scry_pypy_string(y, str, max, ret, &len);
}
