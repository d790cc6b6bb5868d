/* What belongs to an object without standing in it: one row for each kind of owner. */
#include "object/part.h"

#include "object/contradict.h"
#include "object/known.h"
#include "object/object.h"

#define SIZE_MAX_SANE  (1ull << 46)
#define DIMENSIONS_MAX 64 /* NPY_MAXDIMS */
#define CHAIN_MAX      (1u << 24)

/* numpy/core/include/numpy/ndarraytypes.h, NPY_ARRAY_OWNDATA */
#define ARRAY_OWNDATA 4

static uint64_t pointer_size(const struct scry_runtime *r)
{
	return r->session->target->abi.ptr_size;
}

static uint64_t sane(uint64_t size)
{
	return size < SIZE_MAX_SANE ? size : 0;
}

/* --- lengths --- */

typedef uint64_t length(struct scry_runtime *r, scry_addr owner, scry_addr start);

static uint64_t list_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_LIST_ALLOCATED) * pointer_size(r);
}

static uint64_t keys_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)owner;
	return scry_keys_sizeof(r, start);
}

static uint64_t table_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return (scry_field_get(r, owner, SCRY_F_DICT_MASK) + 1) * r->layout->size[SCRY_S_ENTRY];
}

static uint64_t set_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return (scry_field_get(r, owner, SCRY_F_SET_MASK) + 1) * r->layout->size[SCRY_S_SET_ENTRY];
}

/* What the program sees of it; there is room for more around. */
static uint64_t bytearray_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_VAR_SIZE);
}

static uint64_t array_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	scry_addr descr = scry_field_get(r, owner, SCRY_F_ARRAY_DESCR);

	(void)start;
	return scry_field_get(r, owner, SCRY_F_ARRAY_ALLOCATED) *
	       scry_field_get(r, descr, SCRY_F_ARRAY_DESCR_ITEMSIZE);
}

/* The characters of a str, or of a unicode of 2.7, with the 0 after them. */
static uint64_t text_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	struct scry_text_view v;

	return scry_text_open(r, owner, &v) == SCRY_OK && v.data == start ? (v.length + 1) * v.kind
									  : 0;
}

static uint64_t utf8_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_COMPACT_UTF8_LENGTH) + 1;
}

static uint64_t bytesio_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_BYTESIO_BUF_SIZE);
}

/* Py_UCS4 since 3.3, Py_UNICODE before */
static uint64_t stringio_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_STRINGIO_BUF_SIZE) *
	       (r->layout->flavour.narrow ? 2 : 4);
}

static uint64_t buffered_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_BUFFERED_BUFFER_SIZE);
}

static uint64_t ctypes_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_CTYPES_SIZE);
}

static uint64_t mmap_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	(void)start;
	return scry_field_get(r, owner, SCRY_F_MMAP_SIZE);
}

/* How large an item is depends on numpy's version; the strides of the first axis show it. */
static uint64_t numpy_length(struct scry_runtime *r, scry_addr owner, scry_addr start)
{
	uint64_t nd = scry_field_get(r, owner, SCRY_F_NDARRAY_ND), size = 1, n;
	scry_addr dims = scry_field_get(r, owner, SCRY_F_NDARRAY_DIMENSIONS),
		  strides = scry_field_get(r, owner, SCRY_F_NDARRAY_STRIDES);
	int64_t stride, largest = 0;

	(void)start;
	if (!nd || nd > DIMENSIONS_MAX)
		return 0;
	for (uint64_t i = 0; i < nd; i++) {
		if (scry_word(r, dims + i * pointer_size(r), &n) < 0 ||
		    scry_read_int(r->session, strides + i * pointer_size(r),
				  (unsigned)pointer_size(r), &stride) < 0 ||
		    stride < 0 || n >= SIZE_MAX_SANE)
			return 0;
		if (stride >= largest) {
			largest = stride;
			size = n * (uint64_t)stride;
		}
	}
	return size;
}

/* --- conditions --- */

typedef bool condition(struct scry_runtime *r, scry_addr owner);

static bool frees_its_memory(struct scry_runtime *r, scry_addr owner)
{
	return scry_field_get(r, owner, SCRY_F_CTYPES_NEEDSFREE);
}

static bool owns_its_data(struct scry_runtime *r, scry_addr owner)
{
	return scry_field_get(r, owner, SCRY_F_NDARRAY_FLAGS) & ARRAY_OWNDATA;
}

/* What heap types have after the type's own struct */
static bool is_heap_type(struct scry_runtime *r, scry_addr owner)
{
	return scry_field_get(r, owner, SCRY_F_TYPE_FLAGS) & TYPE_HEAP;
}

/* A compact str of ASCII characters has these at once after its short head. */
static bool has_utf8(struct scry_runtime *r, scry_addr owner)
{
	return !scry_field_get(r, owner, SCRY_F_ASCII_ASCII) ||
	       !scry_field_get(r, owner, SCRY_F_ASCII_COMPACT);
}

static bool is_text(struct scry_runtime *r, scry_addr owner)
{
	return !scry_field_get(r, owner, SCRY_F_ASCII_COMPACT);
}

/* Modules/_io/bytesio.c: until 3.4 memory of its own, then a bytes object */
static bool is_raw(struct scry_runtime *r, scry_addr owner)
{
	(void)owner;
	return scry_layout_has(r->layout, SCRY_F_BYTESIO_BUF_SIZE);
}

/* --- THE table --- */

static const struct row {
	uint32_t flag;         /* Py_TPFLAGS_..._SUBCLASS, or ... */
	enum scry_known known; /* ... the type or a base, or ... */
	const char *name;      /* ... its full name */
	enum scry_field field;
	const char *member;
	length *length;       /* NULL: not known */
	condition *condition; /* NULL: always */
	bool begins;          /* what was given out begins there */
} rows[] = {
	{ TYPE_LIST, .field = SCRY_F_LIST_ITEMS, .member = "ob_item", .length = list_length },
	{ TYPE_DICT, .field = SCRY_F_DICT_KEYS, .member = "ma_keys", .length = keys_length,
	  .begins = true },
	{ TYPE_DICT, .field = SCRY_F_DICT_VALUES, .member = "ma_values" },
	{ TYPE_DICT, .field = SCRY_F_DICT_TABLE, .member = "ma_table", .length = table_length,
	  .begins = true },
	{ TYPE_UNICODE, .field = SCRY_F_UNICODE_DATA, .member = "data", .length = text_length,
	  .condition = is_text, .begins = true },
	{ TYPE_UNICODE, .field = SCRY_F_UNICODE_STR, .member = "str", .length = text_length,
	  .begins = true },
	{ TYPE_UNICODE, .field = SCRY_F_COMPACT_UTF8, .member = "utf8", .length = utf8_length,
	  .condition = has_utf8, .begins = true },
	{ TYPE_TYPE, .field = SCRY_F_TYPE_DOC, .member = "tp_doc", .condition = is_heap_type },
	{ TYPE_TYPE, .field = SCRY_F_HEAP_TYPE_CACHED_KEYS, .member = "ht_cached_keys",
	  .length = keys_length, .condition = is_heap_type, .begins = true },
	{ .known = SCRY_IS_SET,
	  .field = SCRY_F_SET_TABLE,
	  .member = "table",
	  .length = set_length,
	  .begins = true },
	{ .known = SCRY_IS_FROZENSET,
	  .field = SCRY_F_SET_TABLE,
	  .member = "table",
	  .length = set_length,
	  .begins = true },
	{ .known = SCRY_IS_BYTEARRAY,
	  .field = SCRY_F_BYTEARRAY_START,
	  .member = "ob_start",
	  .length = bytearray_length },
	{ .known = SCRY_IS_BYTEARRAY,
	  .field = SCRY_F_BYTEARRAY_BYTES,
	  .member = "ob_bytes",
	  .length = bytearray_length },
	{ .known = SCRY_IS_ARRAY,
	  .field = SCRY_F_ARRAY_ITEMS,
	  .member = "ob_item",
	  .length = array_length,
	  .begins = true },
	{ .known = SCRY_IS_MODULE, .field = SCRY_F_MODULE_STATE, .member = "md_state" },
	{ .known = SCRY_IS_CODE, .field = SCRY_F_CODE_CELL2ARG, .member = "co_cell2arg" },
	{ .known = SCRY_IS_CODE, .field = SCRY_F_CODE_MONITORING, .member = "_co_monitoring" },
	{ .known = SCRY_IS_CODE, .field = SCRY_F_CODE_TLBC, .member = "co_tlbc" },
	{ .known = SCRY_IS_NDARRAY,
	  .field = SCRY_F_NDARRAY_DATA,
	  .member = "data",
	  .length = numpy_length,
	  .condition = owns_its_data },
	{ .known = SCRY_IS_NDARRAY, .field = SCRY_F_NDARRAY_DIMENSIONS, .member = "dimensions" },
	{ .name = "_io.BytesIO",
	  .field = SCRY_F_BYTESIO_BUF,
	  .member = "buf",
	  .length = bytesio_length,
	  .condition = is_raw,
	  .begins = true },
	{ .name = "_io.StringIO",
	  .field = SCRY_F_STRINGIO_BUF,
	  .member = "buf",
	  .length = stringio_length,
	  .begins = true },
	{ .name = "_io.BufferedReader",
	  .field = SCRY_F_BUFFERED_BUFFER,
	  .member = "buffer",
	  .length = buffered_length,
	  .begins = true },
	{ .name = "_io.BufferedWriter",
	  .field = SCRY_F_BUFFERED_BUFFER,
	  .member = "buffer",
	  .length = buffered_length,
	  .begins = true },
	{ .name = "_io.BufferedRandom",
	  .field = SCRY_F_BUFFERED_BUFFER,
	  .member = "buffer",
	  .length = buffered_length,
	  .begins = true },
	{ .name = "_ctypes._CData",
	  .field = SCRY_F_CTYPES_PTR,
	  .member = "b_ptr",
	  .length = ctypes_length,
	  .condition = frees_its_memory },
	{ .name = "mmap.mmap", .field = SCRY_F_MMAP_DATA, .member = "data", .length = mmap_length },
};

#define ROWS ((unsigned)(sizeof(rows) / sizeof(*rows)))

static bool has_name(struct scry_runtime *r, const struct scry_type *t, const char *name)
{
	uint64_t it = 0;
	scry_addr base;
	const char *full;

	for (unsigned i = 0; i < 64 && scry_mro_next(r, t->addr, &it, &base) == SCRY_ITEM; i++)
		if (scry_type_full_name(r, base, &full) == SCRY_OK && !strcmp(full, name))
			return true;
	return false;
}

static bool is_of(struct scry_runtime *r, const struct scry_type *t, const struct row *row)
{
	if (row->flag)
		return t->flags & row->flag;
	return row->name ? has_name(r, t, row->name) : scry_type_is(r, t->addr, row->known);
}

static bool read_row(struct scry_runtime *r, scry_addr owner, const struct scry_type *t,
		     const struct row *row, struct scry_part *ret)
{
	scry_addr start;

	if ((row->condition && !row->condition(r, owner)) ||
	    scry_field_read(r, owner, row->field, &start) < 0 || !start)
		return false;
	/* in the object itself: a set's small table, what a ctypes object keeps in itself */
	if (start >= owner && start - owner < scry_object_least(r, t) + 64 &&
	    start - owner < scry_object_extent(r, owner, t))
		return false;
	ret->field = row->member;
	ret->start = start;
	ret->size = row->length ? sane(row->length(r, owner, start)) : 0;
	return true;
}

/* --- a deque's blocks --- */

bool scry_type_has_chain(struct scry_runtime *r, const struct scry_type *t)
{
	return scry_type_is(r, t->addr, SCRY_IS_DEQUE);
}

static bool next_block(struct scry_parts *p, struct scry_part *ret)
{
	struct scry_runtime *r = p->runtime;

	if (!p->block || p->steps++ >= CHAIN_MAX)
		return false;
	ret->field = "block";
	ret->start = p->block;
	ret->size = r->layout->size[SCRY_S_DEQUE_BLOCK];
	p->block = p->block == scry_field_get(r, p->owner, SCRY_F_DEQUE_RIGHT)
			   ? 0
			   : scry_field_get(r, p->block, SCRY_F_DEQUE_BLOCK_RIGHT);
	return true;
}

/*
 * Attributes of an instance without a dict, in memory of their own: 3.11 and 3.12, later they stand
 * in the object. Their number of bytes is not kept.
 */
static bool read_values(struct scry_runtime *r, scry_addr owner, const struct scry_type *t,
			struct scry_part *ret)
{
	struct scry_dict_view v = { 0 };
	scry_addr dict;

	if (!(t->flags & TYPE_MANAGED_DICT) || t->flags & TYPE_INLINE ||
	    !scry_layout_has(r->layout, SCRY_F_VALUES_VALUES) ||
	    scry_instance_dict(r, owner, &dict, &v) < 0 || dict || !v.values)
		return false;
	ret->field = "values";
	ret->start = v.values;
	ret->size = 0;
	return true;
}

/* Which rows are for a type, as bits: worked out once. */
static uint64_t rows_of(struct scry_runtime *r, struct scry_type *t)
{
	_Static_assert(ROWS < 63, "more rows than bits");
	if (!t->parts_known)
		for (unsigned i = 0; i < ROWS; i++)
			if (r->layout->slot[rows[i].field].size && is_of(r, t, &rows[i]))
				t->parts |= 1ull << i;
	t->parts_known = true;
	return t->parts;
}

/* Are its objects those whose row has the field? */
static bool has_row(struct scry_runtime *r, struct scry_type *t, enum scry_field field)
{
	uint64_t wanted = rows_of(r, t);

	for (unsigned i = 0; wanted >> i; i++)
		if (wanted >> i & 1 && rows[i].field == field)
			return true;
	return false;
}

bool scry_type_has_parts(struct scry_runtime *r, struct scry_type *t)
{
	return rows_of(r, t) || t->flags & TYPE_MANAGED_DICT || scry_type_has_chain(r, t);
}

int scry_parts_check(struct scry_runtime *r, scry_addr owner, struct scry_type *t)
{
	uint64_t wanted = rows_of(r, t);
	struct scry_part part;
	int rc = SCRY_OK;

	for (unsigned i = 0; wanted >> i && rc == SCRY_OK; i++)
		if (wanted >> i & 1 && rows[i].begins && read_row(r, owner, t, &rows[i], &part))
			rc = scry_check_given(r, part.start);
	return rc;
}

int scry_part_next(struct scry_parts *p, struct scry_part *ret)
{
	struct scry_part part = { .owner = p->owner, .type = p->type };
	uint64_t wanted = rows_of(p->runtime, p->type);

	while (p->row < ROWS) {
		unsigned i = p->row++;

		if (wanted >> i & 1 && read_row(p->runtime, p->owner, p->type, &rows[i], &part)) {
			*ret = part;
			return SCRY_ITEM;
		}
	}
	if (p->row == ROWS && scry_type_has_chain(p->runtime, p->type))
		p->block = scry_field_get(p->runtime, p->owner, SCRY_F_DEQUE_LEFT);
	if (p->row++ == ROWS && read_values(p->runtime, p->owner, p->type, &part)) {
		*ret = part;
		return SCRY_ITEM;
	}
	if (!next_block(p, &part))
		return SCRY_OK;
	*ret = part;
	return SCRY_ITEM;
}

/* --- who uses a buffer --- */

bool scry_export_of(struct scry_runtime *r, scry_addr user, struct scry_type *t,
		    struct scry_export *ret)
{
	struct scry_export e = { .user = user };

	if (scry_type_is(r, t->addr, SCRY_IS_MEMORYVIEW)) {
		e.start = scry_field_get(r, user, SCRY_F_MEMORYVIEW_BUF);
		e.size = sane(scry_field_get(r, user, SCRY_F_MEMORYVIEW_LEN));
		e.of = scry_field_get(r, user, SCRY_F_MEMORYVIEW_OBJ);
	} else if (has_row(r, t, SCRY_F_CTYPES_PTR) && !frees_its_memory(r, user)) {
		e.start = scry_field_get(r, user, SCRY_F_CTYPES_PTR);
		e.size = sane(scry_field_get(r, user, SCRY_F_CTYPES_SIZE));
		e.of = scry_field_get(r, user, SCRY_F_CTYPES_BASE);
	} else if (scry_type_is(r, t->addr, SCRY_IS_NDARRAY) && !owns_its_data(r, user)) {
		e.start = scry_field_get(r, user, SCRY_F_NDARRAY_DATA);
		e.size = sane(numpy_length(r, user, e.start));
		e.of = scry_field_get(r, user, SCRY_F_NDARRAY_BASE);
	}
	*ret = e;
	return e.start && e.start - user > scry_object_extent(r, user, t);
}
