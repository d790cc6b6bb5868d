/* Members of a type object by offset. */
#include "native/fatal.h"

/*
 * Include/cpython/object.h, in order from tp_name on; all have the size of a pointer, or its
 * alignment (tp_flags of Win64). The same since 2.6 but for the names in brackets.
 */
static const char *const names[] = {
	"tp_name",
	"tp_basicsize",
	"tp_itemsize",
	"tp_dealloc",
	"tp_vectorcall_offset (tp_print)",
	"tp_getattr",
	"tp_setattr",
	"tp_as_async (tp_compare)",
	"tp_repr",
	"tp_as_number",
	"tp_as_sequence",
	"tp_as_mapping",
	"tp_hash",
	"tp_call",
	"tp_str",
	"tp_getattro",
	"tp_setattro",
	"tp_as_buffer",
	"tp_flags",
	"tp_doc",
	"tp_traverse",
	"tp_clear",
	"tp_richcompare",
	"tp_weaklistoffset",
	"tp_iter",
	"tp_iternext",
	"tp_methods",
	"tp_members",
	"tp_getset",
	"tp_base",
	"tp_dict",
	"tp_descr_get",
	"tp_descr_set",
	"tp_dictoffset",
	"tp_init",
	"tp_alloc",
	"tp_new",
	"tp_free",
	"tp_is_gc",
	"tp_bases",
	"tp_mro",
	"tp_cache",
	"tp_subclasses",
	"tp_weaklist",
	"tp_del",
};

const char *scry_type_slot_name(const struct scry_runtime *r, uint64_t offset)
{
	if (!r->layout || !scry_layout_has(r->layout, SCRY_F_TYPE_NAME))
		return NULL;
	uint64_t first = r->layout->slot[SCRY_F_TYPE_NAME].offset,
		 size = r->session->target->abi.ptr_size, i = (offset - first) / size;

	return offset >= first && (offset - first) % size == 0 && i < sizeof(names) / sizeof(*names)
		       ? names[i]
		       : NULL;
}
