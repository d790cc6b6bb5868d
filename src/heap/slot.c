/* How a reference is called. */
#include "heap/visit.h"

#include "object/known.h"
#include "object/printer.h"
#include "object/whatis.h"

#define KEY_TEXT 80 /* bytes of a key's repr */

/* How Python calls what the layout has under names of C. */
static const struct {
	enum scry_field field;
	const char *name;
} names[] = {
	{ SCRY_F_FUNCTION_CODE, "__code__" },
	{ SCRY_F_FUNCTION_GLOBALS, "__globals__" },
	{ SCRY_F_FUNCTION_NAME, "__name__" },
	{ SCRY_F_FUNCTION_QUALNAME, "__qualname__" },
	{ SCRY_F_FUNCTION_DEFAULTS, "__defaults__" },
	{ SCRY_F_FUNCTION_KWDEFAULTS, "__kwdefaults__" },
	{ SCRY_F_FUNCTION_CLOSURE, "__closure__" },
	{ SCRY_F_FUNCTION_DICT, "__dict__" },
	{ SCRY_F_FUNCTION_MODULE, "__module__" },
	{ SCRY_F_FUNCTION_DOC, "__doc__" },
	{ SCRY_F_FUNCTION_ANNOTATIONS, "__annotations__" },
	{ SCRY_F_METHOD_FUNC, "__func__" },
	{ SCRY_F_METHOD_SELF, "__self__" },
	{ SCRY_F_METHOD_CLASS, "im_class" },
	{ SCRY_F_CFUNCTION_SELF, "__self__" },
	{ SCRY_F_CFUNCTION_MODULE, "__module__" },
	{ SCRY_F_CELL_REF, "cell_contents" },
	{ SCRY_F_MODULE_DICT, "__dict__" },
	{ SCRY_F_MODULE_NAME, "__name__" },
	{ SCRY_F_TRACEBACK_NEXT, "tb_next" },
	{ SCRY_F_TRACEBACK_FRAME, "tb_frame" },
	{ SCRY_F_EXCEPTION_DICT, "__dict__" },
	{ SCRY_F_EXCEPTION_ARGS, "args" },
	{ SCRY_F_EXCEPTION_NOTES, "__notes__" },
	{ SCRY_F_EXCEPTION_TRACEBACK, "__traceback__" },
	{ SCRY_F_EXCEPTION_CONTEXT, "__context__" },
	{ SCRY_F_EXCEPTION_CAUSE, "__cause__" },
	{ SCRY_F_GEN_FRAME, "gi_frame" },
	{ SCRY_F_GEN_CODE, "gi_code" },
	{ SCRY_F_GEN_NAME, "__name__" },
	{ SCRY_F_GEN_QUALNAME, "__qualname__" },
	{ SCRY_F_CLASSOBJ_BASES, "__bases__" },
	{ SCRY_F_CLASSOBJ_DICT, "__dict__" },
	{ SCRY_F_CLASSOBJ_NAME, "__name__" },
	{ SCRY_F_OLD_INSTANCE_CLASS, "__class__" },
	{ SCRY_F_OLD_INSTANCE_DICT, "__dict__" },
	{ SCRY_F_PROPERTY_GET, "fget" },
	{ SCRY_F_STATICMETHOD_CALLABLE, "__func__" },
	{ SCRY_F_CLASSMETHOD_CALLABLE, "__func__" },
	{ SCRY_F_TYPE_DICT, "__dict__" },
	{ SCRY_F_TYPE_BASE, "__base__" },
	{ SCRY_F_TYPE_BASES, "__bases__" },
	{ SCRY_F_TYPE_MRO, "__mro__" },
	{ SCRY_F_TYPE_SUBCLASSES, "tp_subclasses" },
	{ SCRY_F_HEAP_TYPE_NAME, "__name__" },
	{ SCRY_F_HEAP_TYPE_QUALNAME, "__qualname__" },
	{ SCRY_F_HEAP_TYPE_SLOTS, "__slots__" },
	{ SCRY_F_HEAP_TYPE_MODULE, "ht_module" },
	{ SCRY_F_CODE_CONSTS, "co_consts" },
	{ SCRY_F_CODE_NAMES, "co_names" },
	{ SCRY_F_CODE_FILENAME, "co_filename" },
	{ SCRY_F_CODE_NAME, "co_name" },
	{ SCRY_F_FRAME_BACK, "f_back" },
	{ SCRY_F_FRAME_TRACE, "f_trace" },
	{ SCRY_F_MAPPINGPROXY_MAPPING, "mapping" },
	{ SCRY_F_SLICE_START, "start" },
	{ SCRY_F_SLICE_STOP, "stop" },
	{ SCRY_F_SLICE_STEP, "step" },
	{ SCRY_F_PARTIAL_FN, "func" },
	{ SCRY_F_PARTIAL_ARGS, "args" },
	{ SCRY_F_PARTIAL_KW, "keywords" },
	{ SCRY_F_DEFDICT_FACTORY, "default_factory" },
};

/* By offset within the struct: where two members of a union share one, the first row wins. */
static const char *known_name(struct scry_heap *h, enum scry_struct what, uint64_t offset)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (scry_field_struct(names[i].field) == what &&
		    scry_layout_has(h->runtime->layout, names[i].field) &&
		    h->runtime->layout->slot[names[i].field].offset == offset)
			return names[i].name;
	return NULL;
}

/* The struct of a type, or of the nearest base whose struct is known. */
static enum scry_struct struct_of(struct scry_heap *h, struct scry_type *t)
{
	static const struct {
		enum scry_known type;
		enum scry_struct what;
	} structs[] = {
		{ SCRY_IS_STATICMETHOD, SCRY_S_STATICMETHOD },
		{ SCRY_IS_CLASSMETHOD, SCRY_S_CLASSMETHOD },
		{ SCRY_IS_PROPERTY, SCRY_S_PROPERTY },
		{ SCRY_IS_OLD_CLASS, SCRY_S_CLASSOBJ },
		{ SCRY_IS_OLD_INSTANCE, SCRY_S_OLD_INSTANCE },
		{ SCRY_IS_PARTIAL, SCRY_S_PARTIAL },
		{ SCRY_IS_MAPPINGPROXY, SCRY_S_MAPPINGPROXY },
		{ SCRY_IS_DEFAULTDICT, SCRY_S_DEFDICT },
		{ SCRY_IS_ASYNC_GENERATOR, SCRY_S_GEN },
	};

	for (unsigned depth = 0; depth < 64; depth++) {
		enum scry_struct what = scry_whatis_struct(h->runtime, t->addr);

		if (what != SCRY_S_OBJECT)
			return what;
		for (size_t i = 0; i < sizeof(structs) / sizeof(*structs); i++)
			if (structs[i].type == scry_known_type(t))
				return structs[i].what;
		if (!t->base || scry_type_at(h->runtime, t->base, &t) < 0)
			break;
	}
	return SCRY_S_OBJECT;
}

/* The name of a word of a struct, or NULL. */
static const char *word_name(struct scry_heap *h, const struct scry_reference *ref)
{
	struct scry_type *t;
	enum scry_struct what;
	const char *name;

	if (scry_type_for(h->runtime, ref->from, &t) < 0)
		return NULL;
	/* wherever the class has put it: no field of the layout has that */
	if (t->dictoffset > 0 && (uint64_t)t->dictoffset == ref->index)
		return "__dict__";
	what = struct_of(h, t);
	name = known_name(h, what, ref->index);
	/* a class is a PyHeapTypeObject, which begins with the PyTypeObject */
	if (!name && what == SCRY_S_TYPE)
		name = known_name(h, SCRY_S_HEAP_TYPE, ref->index);
	return name ? name : scry_whatis_member(h->runtime, t, ref->index);
}

/* Names of attributes are shown bare, as they are written in code; a key is shown as its repr. */
static void put_attribute(struct scry_heap *h, scry_addr name, struct scry_buf *out)
{
	const char *text;

	scry_buf_printf(out, ".%s",
			scry_text_at(h->runtime, name, KEY_TEXT, &text) < 0 ? "?" : text);
}

void scry_slot_text(struct scry_heap *h, const struct scry_reference *ref, struct scry_buf *out)
{
	h->kind->slot_text(h, ref, out);
}

void scry_cpython_slot_text(struct scry_heap *h, const struct scry_reference *ref,
			    struct scry_buf *out)
{
	const char *name;

	switch (ref->kind) {
	case SCRY_SLOT_WORD:
		name = word_name(h, ref);
		if (name)
			scry_buf_printf(out, ".%s", name);
		else
			scry_buf_printf(out, "+0x%" PRIx64, ref->index);
		break;
	case SCRY_SLOT_NAME:
		scry_buf_printf(out, ".%s", ref->name);
		break;
	case SCRY_SLOT_TYPE:
		scry_buf_puts(out, ".__class__");
		break;
	case SCRY_SLOT_ITEM:
		scry_buf_printf(out, "[%" PRIu64 "]", ref->index);
		break;
	case SCRY_SLOT_KEY:
		scry_buf_puts(out, "key");
		break;
	case SCRY_SLOT_VALUE:
		scry_buf_puts(out, "[");
		scry_repr_short(h->runtime, ref->key, KEY_TEXT, out);
		scry_buf_puts(out, "]");
		break;
	case SCRY_SLOT_ATTR:
		put_attribute(h, ref->key, out);
		break;
	case SCRY_SLOT_VARIABLE:
		scry_buf_puts(out, ref->name ? ref->name : "a variable");
		break;
	case SCRY_SLOT_LOOSE:
		scry_buf_printf(out, "word %" PRIu64, ref->index);
		break;
	case SCRY_SLOT_STACK:
		scry_buf_printf(out, "value stack [%" PRIu64 "]", ref->index);
		break;
	}
}

const char *scry_cpython_field_at(struct scry_heap *h, scry_addr addr, uint64_t offset)
{
	return scry_field_name_at(h->runtime, addr, offset);
}

scry_addr scry_cpython_namespace_of(struct scry_heap *h, scry_addr module)
{
	return scry_field_get(h->runtime, module, SCRY_F_MODULE_DICT);
}

const char *scry_heap_field_at(struct scry_heap *h, uint32_t object, uint64_t offset)
{
	return offset ? h->kind->field_at(h, h->objects[object].addr, offset) : NULL;
}
