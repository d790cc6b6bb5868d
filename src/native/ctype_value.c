/* Values of C types, by DWARF. */
#include <dwarf.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "native/ctype.h"
#include "object/model.h"

/* Of one line of output: a struct may have a thousand members, an array a million items. */
#define MEMBERS_MAX 16
#define ITEMS_MAX   8
#define TEXT_MAX    60
#define NESTED_MAX  3

static void put_value(struct scry_session *s, Dwarf_Die *type, const uint8_t *bytes,
		      const uint8_t *mask, size_t len, unsigned depth, struct scry_buf *out);

/*
 * `len` is 1, 2, 4 or 8: put_value() has shown wider ones (__int128, long double) as "…", and a
 * shift by 64 has no meaning in C.
 */
static void put_number(Dwarf_Die *type, const uint8_t *bytes, size_t len, bool big,
		       struct scry_buf *out)
{
	Dwarf_Attribute attr;
	Dwarf_Word encoding = DW_ATE_unsigned;
	uint64_t n = scry_load(bytes, (unsigned)len, big);

	dwarf_formudata(dwarf_attr(type, DW_AT_encoding, &attr), &encoding);
	if (encoding == DW_ATE_float && (len == 8 || len == 4)) {
		double d;
		float f;
		uint32_t half = (uint32_t)n;

		memcpy(&d, &n, 8);
		memcpy(&f, &half, 4);
		scry_buf_printf(out, "%.17g", len == 8 ? d : (double)f);
	} else if (encoding == DW_ATE_boolean) {
		scry_buf_puts(out, n ? "true" : "false");
	} else if (encoding == DW_ATE_signed || encoding == DW_ATE_signed_char) {
		int64_t i = (int64_t)(n << (64 - 8 * len)) >> (64 - 8 * len);

		scry_buf_printf(out, "%" PRId64, i);
		if (encoding == DW_ATE_signed_char && i >= ' ' && i < 127)
			scry_buf_printf(out, " '%c'", (int)i);
	} else {
		scry_buf_printf(out, "%" PRIu64, n);
	}
}

/* A pointer does not say which interpreter of the process its object belongs to: each is asked. */
static void put_object(struct scry_session *s, scry_addr at, struct scry_buf *out)
{
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		if (scry_is_object(r, at)) {
			scry_repr_short(r, at, TEXT_MAX, out);
			return;
		}
	scry_buf_printf(out, "0x%" PRIx64 " (no object)", at);
}

static void put_text(struct scry_session *s, scry_addr at, struct scry_buf *out)
{
	const char *text;

	scry_buf_printf(out, "0x%" PRIx64, at);
	if (scry_read_cstr(s, at, TEXT_MAX, &text) == SCRY_OK)
		scry_buf_printf(out, " \"%s\"", text);
}

/* Only char: an unsigned char is a byte of something, whose end no NUL marks. */
static bool is_char(Dwarf_Die *type)
{
	Dwarf_Die plain;
	Dwarf_Attribute attr;
	Dwarf_Word encoding = 0;

	return scry_ctype_plain(type, &plain) && dwarf_tag(&plain) == DW_TAG_base_type &&
	       dwarf_bytesize(&plain) == 1 &&
	       dwarf_formudata(dwarf_attr(&plain, DW_AT_encoding, &attr), &encoding) == 0 &&
	       encoding == DW_ATE_signed_char;
}

/* Names only where a symbol covers the address: the nearest one before it may be anything. */
static void put_pointer(struct scry_session *s, Dwarf_Die *plain, scry_addr at,
			struct scry_buf *out)
{
	Dwarf_Die to;
	struct scry_symbol symbol;

	if (!at)
		scry_buf_puts(out, "NULL");
	else if (scry_ctype_is_object(plain))
		put_object(s, at, out);
	else if (scry_ctype_inner(plain, &to) && is_char(&to))
		put_text(s, at, out);
	else if (scry_symbol_at(s, at, &symbol) == SCRY_OK && symbol.name &&
		 scry_symbol_covers(&symbol, at))
		scry_buf_printf(out, "0x%" PRIx64 " <%s+%" PRIu64 ">", at, symbol.name,
				at - symbol.addr);
	else
		scry_buf_printf(out, "0x%" PRIx64, at);
}

/*
 * _PyStackRef (3.13t, 3.14+): a word whose low bits are tags (Include/internal/pycore_stackref.h).
 */
static bool put_stack_ref(struct scry_session *s, Dwarf_Die *plain, Dwarf_Die *named,
			  const uint8_t *bytes, size_t len, struct scry_buf *out)
{
	const char *name = dwarf_diename(named);
	struct scry_runtime *r = scry_runtime_first(s);

	if (!name)
		name = dwarf_diename(plain);
	if (!name || strcmp(name, "_PyStackRef") || len != s->target->abi.ptr_size || !r)
		return false;
	scry_addr at = scry_untag(r, scry_load(bytes, (unsigned)len, s->target->abi.big_endian));
	if (at)
		put_object(s, at, out);
	else
		scry_buf_puts(out, "NULL");
	return true;
}

/*
 * Where a member lies: a constant, in DWARF 2 an expression that adds one (5.6.6). A member of a
 * union says none. False where nothing is known.
 */
static bool member_offset(Dwarf_Die *member, Dwarf_Word *ret)
{
	Dwarf_Attribute attr;
	Dwarf_Op *ops;
	size_t count;

	*ret = 0;
	if (!dwarf_attr(member, DW_AT_data_member_location, &attr) ||
	    dwarf_formudata(&attr, ret) == 0)
		return true;
	if (dwarf_getlocation(&attr, &ops, &count) != 0 || count != 1 ||
	    ops[0].atom != DW_OP_plus_uconst)
		return false;
	*ret = ops[0].number;
	return true;
}

static const uint8_t *part(const uint8_t *mask, uint64_t offset)
{
	return mask ? mask + offset : NULL;
}

/* Is one of the bytes not known, or (`all`) none of them? */
static bool lacks(const uint8_t *mask, size_t len, bool all)
{
	size_t missing = 0;

	for (size_t i = 0; mask && i < len; i++)
		missing += !mask[i];
	return all ? len && missing == len : missing;
}

static void put_struct(struct scry_session *s, Dwarf_Die *plain, const uint8_t *bytes,
		       const uint8_t *mask, size_t len, unsigned depth, struct scry_buf *out)
{
	Dwarf_Die member, type;
	unsigned shown = 0;
	int rc = dwarf_child(plain, &member);

	scry_buf_putc(out, '{');
	/*
	 * bit-fields are left out: where one lies counts from the top of its storage unit up to
	 * DWARF 3 (DW_AT_bit_offset), from the start of the struct since; members of a union have
	 * no offset, and begin where it does
	 */
	for (; rc == 0; rc = dwarf_siblingof(&member, &member)) {
		Dwarf_Word offset;
		const char *name = dwarf_diename(&member);

		if (dwarf_tag(&member) != DW_TAG_member || !scry_ctype_inner(&member, &type) ||
		    dwarf_hasattr(&member, DW_AT_bit_size) || !member_offset(&member, &offset))
			continue;
		uint64_t size = scry_ctype_size(&type, s->target->abi.ptr_size);
		if (offset > len || size > len - offset)
			continue;
		if (shown++ == MEMBERS_MAX) {
			scry_buf_puts(out, ", …");
			break;
		}
		scry_buf_printf(out, "%s%s = ", shown > 1 ? ", " : "", name ? name : "");
		put_value(s, &type, bytes + offset, part(mask, offset), size, depth + 1, out);
	}
	scry_buf_putc(out, '}');
}

/* The items of the dimension `at`; `len` bytes are all of it. */
static void put_items(struct scry_session *s, Dwarf_Die *item, const struct scry_bounds *b,
		      unsigned at, const uint8_t *bytes, const uint8_t *mask, size_t len,
		      unsigned depth, struct scry_buf *out)
{
	uint64_t size = len / b->count[at];

	scry_buf_putc(out, '{');
	for (size_t i = 0; size && (i + 1) * size <= len; i++) {
		scry_buf_puts(out, i ? ", " : "");
		if (i == ITEMS_MAX) {
			scry_buf_puts(out, "…");
			break;
		}
		if (at + 1 < b->dimensions)
			put_items(s, item, b, at + 1, bytes + i * size, part(mask, i * size), size,
				  depth, out);
		else
			put_value(s, item, bytes + i * size, part(mask, i * size), size, depth + 1,
				  out);
	}
	scry_buf_putc(out, '}');
}

/* An array of char is a text, up to the first NUL. */
static void put_letters(const uint8_t *bytes, size_t len, struct scry_buf *out)
{
	size_t shown = strnlen((const char *)bytes, len);
	bool cut = shown > TEXT_MAX;

	scry_buf_putc(out, '"');
	scry_buf_put(out, (const char *)bytes, cut ? TEXT_MAX : shown);
	scry_buf_puts(out, cut ? "\"…" : "\"");
}

static void put_array(struct scry_session *s, Dwarf_Die *plain, const uint8_t *bytes,
		      const uint8_t *mask, size_t len, unsigned depth, struct scry_buf *out)
{
	struct scry_bounds b;
	Dwarf_Die item;

	if (!scry_ctype_inner(plain, &item) || !scry_ctype_bounds(plain, &b)) {
		scry_buf_puts(out, "{…}");
		return;
	}
	if (b.dimensions == 1 && is_char(&item) && !lacks(mask, len, false))
		put_letters(bytes, len, out);
	else
		put_items(s, &item, &b, 0, bytes, mask, len, depth, out);
}

/*
 * DW_FORM_sdata makes an enumerator of -1 all ones in 64 bits, while the variable may have 32: what
 * the variable has room for is compared.
 */
static void put_enum(Dwarf_Die *plain, uint64_t n, size_t len, struct scry_buf *out)
{
	uint64_t mask = UINT64_MAX >> (64 - 8 * len);
	Dwarf_Die item;

	for (int rc = dwarf_child(plain, &item); rc == 0; rc = dwarf_siblingof(&item, &item)) {
		Dwarf_Attribute attr;
		Dwarf_Word value;

		if (dwarf_formudata(dwarf_attr(&item, DW_AT_const_value, &attr), &value) == 0 &&
		    (value & mask) == n && dwarf_diename(&item)) {
			scry_buf_puts(out, dwarf_diename(&item));
			return;
		}
	}
	scry_buf_printf(out, "%" PRIu64, n);
}

static void put_value(struct scry_session *s, Dwarf_Die *type, const uint8_t *bytes,
		      const uint8_t *mask, size_t len, unsigned depth, struct scry_buf *out)
{
	Dwarf_Die plain;
	bool big = s->target->abi.big_endian, word = len == 1 || len == 2 || len == 4 || len == 8;

	if (!scry_ctype_plain(type, &plain) || depth > NESTED_MAX) {
		scry_buf_puts(out, "…");
		return;
	}
	int tag = dwarf_tag(&plain);
	bool whole = tag != DW_TAG_structure_type && tag != DW_TAG_class_type &&
		     tag != DW_TAG_union_type && tag != DW_TAG_array_type;
	if (whole ? lacks(mask, len, false) : lacks(mask, len, true)) {
		scry_buf_puts(out, "<optimized out>");
		return;
	}
	switch (tag) {
	case DW_TAG_pointer_type:
	case DW_TAG_reference_type:
		if (word)
			put_pointer(s, &plain, scry_load(bytes, (unsigned)len, big), out);
		return;
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
		if (!lacks(mask, len, false) && put_stack_ref(s, &plain, type, bytes, len, out))
			return;
		put_struct(s, &plain, bytes, mask, len, depth, out);
		return;
	case DW_TAG_array_type:
		put_array(s, &plain, bytes, mask, len, depth, out);
		return;
	case DW_TAG_enumeration_type:
		if (word)
			put_enum(&plain, scry_load(bytes, (unsigned)len, big), len, out);
		return;
	default:
		if (word)
			put_number(&plain, bytes, len, big, out);
		else
			scry_buf_puts(out, "…");
	}
}

bool scry_ctype_is_objects(Dwarf_Die *type)
{
	Dwarf_Die plain, to;

	return scry_ctype_plain(type, &plain) && dwarf_tag(&plain) == DW_TAG_pointer_type &&
	       scry_ctype_inner(&plain, &to) && scry_ctype_is_object(&to);
}

/* An array whose end nobody knows is cut at the first item that cannot be read. */
void scry_ctype_objects(struct scry_session *s, scry_addr at, uint64_t count, struct scry_buf *out)
{
	unsigned size = s->target->abi.ptr_size;
	scry_addr item;

	scry_buf_putc(out, '{');
	for (uint64_t i = 0; i < count && scry_read_ptr(s, at + i * size, &item) == SCRY_OK; i++) {
		scry_buf_puts(out, i ? ", " : "");
		if (i == ITEMS_MAX) {
			scry_buf_puts(out, "…");
			break;
		}
		if (item)
			put_object(s, item, out);
		else
			scry_buf_puts(out, "NULL");
	}
	scry_buf_putc(out, '}');
}

void scry_ctype_value(struct scry_session *s, Dwarf_Die *type, const uint8_t *bytes,
		      const uint8_t *mask, size_t len, struct scry_buf *out)
{
	put_value(s, type, bytes, mask, len, 0, out);
}
