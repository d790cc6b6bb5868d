/* Types of C, by DWARF: their names and sizes, and which are Python's objects. */
#include <dwarf.h>
#include <string.h>

#include "native/cfi.h"
#include "native/ctype.h"

#define DEPTH_MAX 12 /* of hostile DWARF, whose types may lead back to themselves */

bool scry_ctype_inner(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attr), ret) != NULL;
}

/*
 * What is left has a size and an encoding. Typedefs and qualifiers have neither of their own, but
 * for a typedef without a type, which stands for void.
 */
bool scry_ctype_plain(Dwarf_Die *type, Dwarf_Die *ret)
{
	*ret = *type;
	for (unsigned i = 0; i < DEPTH_MAX; i++) {
		int tag = dwarf_tag(ret);
		Dwarf_Die next;

		if (tag != DW_TAG_typedef && tag != DW_TAG_const_type &&
		    tag != DW_TAG_volatile_type && tag != DW_TAG_restrict_type &&
		    tag != DW_TAG_atomic_type)
			return true;
		if (!scry_ctype_inner(ret, &next))
			return false;
		*ret = next;
	}
	return false;
}

/*
 * The order is that of a reader of C, not of its grammar: "const char *", but never "char *const",
 * since whether a variable may be assigned says nothing about its value.
 */
static void put_name(Dwarf_Die *type, unsigned depth, struct scry_buf *out)
{
	int tag = dwarf_tag(type);
	const char *name = dwarf_diename(type);
	Dwarf_Die inner;
	bool has = depth < DEPTH_MAX && scry_ctype_inner(type, &inner);

	switch (tag) {
	case DW_TAG_pointer_type:
		if (has && dwarf_tag(&inner) == DW_TAG_subroutine_type) {
			scry_buf_puts(out, "function *");
			return;
		}
		if (has)
			put_name(&inner, depth + 1, out);
		else
			scry_buf_puts(out, "void");
		scry_buf_puts(out, out->len && out->text[out->len - 1] == '*' ? "*" : " *");
		return;
	case DW_TAG_const_type:
	case DW_TAG_volatile_type:
		/* a constant array is one of constants, and says so already */
		if (has && dwarf_tag(&inner) != DW_TAG_pointer_type &&
		    dwarf_tag(&inner) != DW_TAG_array_type)
			scry_buf_puts(out, tag == DW_TAG_const_type ? "const " : "volatile ");
		if (has)
			put_name(&inner, depth + 1, out);
		else
			scry_buf_puts(out, "void");
		return;
	case DW_TAG_restrict_type:
	case DW_TAG_atomic_type:
		if (has)
			put_name(&inner, depth + 1, out);
		return;
	case DW_TAG_array_type:
		if (has)
			put_name(&inner, depth + 1, out);
		scry_buf_puts(out, "[]");
		return;
	case DW_TAG_structure_type:
		scry_buf_printf(out, "struct %s", name ? name : "{...}");
		return;
	case DW_TAG_union_type:
		scry_buf_printf(out, "union %s", name ? name : "{...}");
		return;
	case DW_TAG_enumeration_type:
		scry_buf_printf(out, "enum %s", name ? name : "{...}");
		return;
	default:
		scry_buf_puts(out, name ? name : "?");
	}
}

void scry_ctype_name(Dwarf_Die *type, struct scry_buf *out)
{
	put_name(type, 0, out);
}

bool scry_ctype_code(Dwarf_Die *type, uint64_t *ret)
{
	Dwarf_Die plain;
	Dwarf_Attribute attr;
	Dwarf_Word encoding;

	if (!scry_ctype_plain(type, &plain) || dwarf_tag(&plain) != DW_TAG_base_type ||
	    dwarf_formudata(dwarf_attr(&plain, DW_AT_encoding, &attr), &encoding) != 0)
		return false;
	int size = dwarf_bytesize(&plain);
	bool sign = encoding == DW_ATE_signed || encoding == DW_ATE_signed_char;
	if (size < 1 || size > 8 ||
	    (!sign && encoding != DW_ATE_unsigned && encoding != DW_ATE_unsigned_char &&
	     encoding != DW_ATE_boolean && encoding != DW_ATE_address))
		return false;
	*ret = (uint64_t)size | (sign ? SCRY_CTYPE_SIGNED : 0);
	return true;
}

/*
 * How many items a range has. 0 where that is not a constant: the subrange of a flexible array
 * member has no bound at all, that of a variable-length array an expression (DWARF 5, 5.13), which
 * only the frame at hand could evaluate.
 */
static uint64_t range_count(Dwarf_Die *range)
{
	Dwarf_Attribute attr;
	Dwarf_Word n;

	if (dwarf_formudata(dwarf_attr(range, DW_AT_count, &attr), &n) == 0)
		return n < INT32_MAX ? n : 0;
	return dwarf_formudata(dwarf_attr(range, DW_AT_upper_bound, &attr), &n) == 0 &&
			       n < INT32_MAX
		       ? n + 1
		       : 0;
}

bool scry_ctype_bounds(Dwarf_Die *array, struct scry_bounds *ret)
{
	Dwarf_Die range;
	uint64_t items = 1;

	ret->dimensions = 0;
	for (int rc = dwarf_child(array, &range); rc == 0; rc = dwarf_siblingof(&range, &range)) {
		uint64_t n = dwarf_tag(&range) == DW_TAG_subrange_type ? range_count(&range) : 0;

		if (!n || n > INT32_MAX / items || ret->dimensions == SCRY_DIMENSIONS_MAX)
			return false;
		ret->count[ret->dimensions++] = n;
		items *= n;
	}
	return ret->dimensions;
}

static uint64_t array_size(Dwarf_Die *array, unsigned ptr_size)
{
	struct scry_bounds b;
	Dwarf_Die item;
	uint64_t size = scry_ctype_inner(array, &item) && scry_ctype_bounds(array, &b)
				? scry_ctype_size(&item, ptr_size)
				: 0;

	for (unsigned i = 0; size && i < b.dimensions; i++)
		size *= b.count[i];
	return size;
}

/*
 * DW_AT_byte_size is optional where it follows from something else: clang leaves it out of
 * pointers, and no compiler gives it to arrays.
 */
uint64_t scry_ctype_size(Dwarf_Die *type, unsigned ptr_size)
{
	Dwarf_Die plain;
	int size;

	if (!scry_ctype_plain(type, &plain))
		return 0;
	if (dwarf_tag(&plain) == DW_TAG_pointer_type)
		return ptr_size;
	if (dwarf_tag(&plain) == DW_TAG_array_type)
		return array_size(&plain, ptr_size);
	size = dwarf_bytesize(&plain);
	return size > 0 ? (uint64_t)size : 0;
}

/* The first member of each struct that begins as an object does, down to ob_refcnt. */
static bool begins_object(Dwarf_Die *type, unsigned depth)
{
	Dwarf_Die plain, member, inner;
	const char *name;

	if (!scry_ctype_plain(type, &plain) || dwarf_tag(&plain) != DW_TAG_structure_type)
		return false;
	name = dwarf_diename(&plain);
	if (name && !strcmp(name, "_object"))
		return true;
	/*
	 * _object itself, PyVarObject, a struct of the interpreter, one of an extension: no deeper
	 */
	if (depth > 4 || dwarf_child(&plain, &member) != 0 || dwarf_tag(&member) != DW_TAG_member)
		return false;
	name = dwarf_diename(&member);
	if (name && !strcmp(name, "ob_refcnt"))
		return true;
	return name &&
	       (!strcmp(name, "ob_base") || !strcmp(name, "base") || !strcmp(name, "_base") ||
		!strcmp(name, "heap_type") || !strcmp(name, "ht_type") ||
		!strcmp(name, "ob_type")) &&
	       scry_ctype_inner(&member, &inner) && begins_object(&inner, depth + 1);
}

bool scry_ctype_is_object(Dwarf_Die *type)
{
	Dwarf_Die plain, to;

	return scry_ctype_plain(type, &plain) && dwarf_tag(&plain) == DW_TAG_pointer_type &&
	       scry_ctype_inner(&plain, &to) && begins_object(&to, 0);
}
