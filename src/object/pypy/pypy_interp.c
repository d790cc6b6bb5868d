/*
 * Printers of functions, generators and exceptions, and of containers that are not the language's
 * own.
 */
#include <inttypes.h>
#include <string.h>

#include "object/pypy/pypy_printers.h"

int scry_pypy_print_builtin(struct scry_printer *p, scry_addr addr)
{
	const char *name = scry_pypy_string_field(p->runtime->pypy, addr, SCRY_PYPY_FUNCTION_NAME);

	scry_printf(p, "<built-in function %s>", name ? name : "?");
	return SCRY_OK;
}

/* descr_method_repr(), pypy/interpreter/function.py: 2.7 names the class, 3.x the function. */
int scry_pypy_print_method(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	scry_addr function = scry_pypy_get(y, addr, SCRY_PYPY_METHOD_FUNCTION),
		  instance = scry_pypy_get(y, addr, SCRY_PYPY_METHOD_INSTANCE), at = instance;
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &at);
	scry_addr cls = t ? scry_pypy_type_object(p->runtime, t, at) : 0;
	const char *owner = cls ? scry_pypy_class_name(p->runtime, cls, false) : NULL, *name = NULL;

	if (scry_pypy_is(y, scry_pypy_type_of(y, &function), SCRY_PYPY_CLASS_FUNCTION)) {
		name = scry_pypy_string_field(y, function, SCRY_PYPY_FUNCTION_QUALNAME);
		if (!name)
			name = scry_pypy_string_field(y, function, SCRY_PYPY_FUNCTION_NAME);
	}
	scry_buf_puts(p->out, "<bound method ");
	if (scry_pypy_is_python2(p->runtime))
		scry_printf(p, "%s.", owner ? owner : "?");
	scry_printf(p, "%s of ", name ? name : "?");
	scry_print(p, instance);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* generator.py: 3.x by the qualified name, 2.7 by the code's. */
int scry_pypy_print_generator(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	const char *name = scry_pypy_string_field(y, addr, SCRY_PYPY_GENERATOR_QUALNAME),
		   *type = scry_pypy_type_name(p->runtime, addr);

	if (!name) {
		scry_addr code = scry_pypy_get(y, addr, SCRY_PYPY_GENERATOR_CODE);

		name = code ? scry_code_at(p->runtime, code)->name : NULL;
	}
	scry_printf(p, "<%s object %s at 0x%" PRIx64 ">", type ? type : "generator",
		    name ? name : "?", addr);
	return SCRY_OK;
}

int scry_pypy_print_not_implemented(struct scry_printer *p, scry_addr addr)
{
	(void)addr;
	scry_buf_puts(p->out, "NotImplemented");
	return SCRY_OK;
}

int scry_pypy_print_ellipsis(struct scry_printer *p, scry_addr addr)
{
	(void)addr;
	scry_buf_puts(p->out, "Ellipsis");
	return SCRY_OK;
}

/* The step of a range is left out where it is 1. */
int scry_pypy_print_range(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	scry_addr step = scry_pypy_get(y, addr, SCRY_PYPY_RANGE_STEP);
	int64_t by = 0;

	scry_buf_puts(p->out, "range(");
	scry_print(p, scry_pypy_get(y, addr, SCRY_PYPY_RANGE_START));
	scry_buf_puts(p->out, ", ");
	scry_print(p, scry_pypy_get(y, addr, SCRY_PYPY_RANGE_STOP));
	if (scry_pypy_int_value(p->runtime, step, &by) < 0 || by != 1) {
		scry_buf_puts(p->out, ", ");
		scry_print(p, step);
	}
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

int scry_pypy_print_slice(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;

	scry_buf_puts(p->out, "slice(");
	scry_print(p, scry_pypy_get(y, addr, SCRY_PYPY_SLICE_START));
	scry_buf_puts(p->out, ", ");
	scry_print(p, scry_pypy_get(y, addr, SCRY_PYPY_SLICE_STOP));
	scry_buf_puts(p->out, ", ");
	scry_print(p, scry_pypy_get(y, addr, SCRY_PYPY_SLICE_STEP));
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* A list of characters, of which the first ones may be gone. */
int scry_pypy_print_bytearray(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	struct scry_session *s = p->runtime->session;
	scry_addr list = scry_pypy_get(y, addr, SCRY_PYPY_BYTEARRAY_DATA), array, items;
	uint64_t gone = scry_pypy_get(y, addr, SCRY_PYPY_BYTEARRAY_OFFSET), count, room;
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &list);

	if (!t || strcmp(t->name, "list") || scry_read_uint(s, list + 8, 8, &count) < 0 ||
	    scry_read_ptr(s, list + 16, &array) < 0 ||
	    scry_pypy_array(y, array, &room, &items) < 0 || count > room || gone > count)
		return scry_fail(s, SCRY_ECORRUPT, addr, "a damaged bytearray at 0x%" PRIx64, addr);
	/* 8.0.1, whose bytearrays count exports, keeps a zero at the end for C (measured) */
	uint64_t last = 1;
	if (y->field[SCRY_PYPY_BYTEARRAY_EXPORTS].size && count > gone &&
	    scry_read_uint(s, items + count - 1, 1, &last) == SCRY_OK && !last)
		count--;
	scry_buf_puts(p->out, "bytearray(");
	int rc = scry_print_units(p, items + gone, count - gone, 1, "b");
	scry_buf_putc(p->out, ')');
	return rc;
}

static int print_sequence(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy_sequence seq;
	scry_addr item;
	int rc = scry_pypy_sequence(p->runtime, addr, &seq);

	for (uint64_t i = 0; rc == SCRY_OK && scry_printer_more(p, i, seq.count); i++)
		if ((rc = scry_pypy_item_at(&seq, i, &item)) == SCRY_OK)
			scry_print(p, item);
	return rc;
}

int scry_pypy_print_inner(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy_sequence seq;
	int rc = scry_pypy_sequence(p->runtime, addr, &seq);

	if (rc < 0 || !scry_printer_enter(p, addr, "(...)"))
		return rc < 0 ? rc : SCRY_OK;
	scry_buf_putc(p->out, '(');
	rc = print_sequence(p, addr);
	scry_buf_puts(p->out, seq.count == 1 ? ",)" : ")");
	scry_printer_leave(p);
	return rc;
}

int scry_pypy_print_deque(struct scry_printer *p, scry_addr addr)
{
	uint64_t most = scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_DEQUE_MOST);

	if (!scry_printer_enter(p, addr, "[...]"))
		return SCRY_OK;
	scry_buf_puts(p->out, "deque([");
	int rc = print_sequence(p, addr);
	scry_buf_putc(p->out, ']');
	if (most != INT64_MAX) /* sys.maxint: none was given */
		scry_printf(p, ", maxlen=%" PRIu64, most);
	scry_buf_putc(p->out, ')');
	scry_printer_leave(p);
	return rc;
}

int scry_pypy_print_array(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy_sequence seq;
	char code = scry_pypy_array_code(p->runtime->pypy, addr);

	if (scry_pypy_sequence(p->runtime, addr, &seq) < 0) {
		scry_printf(p, "<array.array('%c') at 0x%" PRIx64 ">", code, addr);
		return SCRY_OK;
	}
	scry_printf(p, "array('%c'", code);
	if (seq.count)
		scry_buf_puts(p->out, ", [");
	int rc = seq.count ? print_sequence(p, addr) : SCRY_OK;
	scry_buf_puts(p->out, seq.count ? "])" : ")");
	return rc;
}

/* dict_keys([...]): dictmultiobject.py; of a dict whose strategy cannot be walked its repr. */
int scry_pypy_print_dict_view(struct scry_printer *p, scry_addr addr)
{
	struct scry_runtime *r = p->runtime;
	scry_addr dict = scry_pypy_get(r->pypy, addr, SCRY_PYPY_VIEW_DICT), key, value;
	const char *name = scry_pypy_type_name(r, addr);
	bool keys = name && strstr(name, "keys"), values = name && strstr(name, "values");
	uint64_t it = 0, n = 0;
	int rc;

	if (!scry_printer_enter(p, addr, "..."))
		return SCRY_OK;
	scry_printf(p, "%s([", name ? name : "?");
	while ((rc = scry_pypy_dict_next(r, dict, &it, &key, &value)) == SCRY_ITEM &&
	       scry_printer_more(p, n++, UINT64_MAX)) {
		if (!keys && !values)
			scry_buf_putc(p->out, '(');
		if (!values)
			scry_print(p, key);
		if (!keys && !values)
			scry_buf_puts(p->out, ", ");
		if (!keys)
			scry_print(p, value);
		if (!keys && !values)
			scry_buf_putc(p->out, ')');
	}
	scry_buf_puts(p->out, "])");
	scry_printer_leave(p);
	return rc < 0 ? rc : SCRY_OK;
}

int scry_pypy_print_proxy(struct scry_printer *p, scry_addr addr)
{
	scry_buf_puts(p->out, scry_pypy_is_python2(p->runtime) ? "dict_proxy(" : "mappingproxy(");
	scry_print(p, scry_pypy_get(p->runtime->pypy, addr, SCRY_PYPY_PROXY_MAPPING));
	scry_buf_putc(p->out, ')');
	return SCRY_OK;
}

/* Is RPython's class of an object called so, or does its name begin with that ("W_CDataNew*")? */
static bool is_class(struct scry_pypy *y, scry_addr addr, const char *name)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &addr);
	const char *dot = t ? strrchr(t->name, '.') : NULL, *star = strchr(name, '*');

	return dot &&
	       (star ? !strncmp(dot + 1, name, (size_t)(star - name)) : !strcmp(dot + 1, name));
}

/* Bytes that were allocated for one: an array's by its length, which is -1 of most others. */
static uint64_t owned_bytes(struct scry_pypy *y, scry_addr addr)
{
	scry_addr type = scry_pypy_get(y, addr, SCRY_PYPY_CDATA_TYPE);
	uint64_t length = scry_pypy_get(y, addr, SCRY_PYPY_CDATA_LENGTH);
	bool array = is_class(y, type, "W_CTypeArray");
	scry_addr item = array || is_class(y, type, "W_CTypePointer")
				 ? scry_pypy_get(y, type, SCRY_PYPY_CTYPE_ITEM)
				 : 0;
	uint64_t size = scry_pypy_get(y, item ? item : type, SCRY_PYPY_CTYPE_SIZE);

	if ((int64_t)length < 0 || (item && !array))
		return array ? scry_pypy_get(y, type, SCRY_PYPY_CTYPE_SIZE) : size;
	return array ? length * size : length;
}

/*
 * cdataobj.py: what a pointer points to is not read, so that numbers are told by where they are.
 */
int scry_pypy_print_cdata(struct scry_printer *p, scry_addr addr)
{
	struct scry_pypy *y = p->runtime->pypy;
	scry_addr type = scry_pypy_get(y, addr, SCRY_PYPY_CDATA_TYPE), kept;
	scry_addr memory = scry_pypy_get(y, addr, SCRY_PYPY_CDATA_ADDRESS);
	const char *name = scry_pypy_string_field(y, type, SCRY_PYPY_CTYPE_NAME);
	bool owning = is_class(y, addr, "W_CDataNew*"),
	     by_struct = is_class(y, addr, "W_CDataPtrToStructOrUnion");

	scry_printf(p, "<cdata '%s%s' ", name ? name : "?",
		    !owning && (is_class(y, type, "W_CTypeStruct*") ||
				is_class(y, type, "W_CTypeUnion*"))
			    ? " &"
			    : "");
	if (is_class(y, addr, "W_CDataHandle") &&
	    (kept = scry_pypy_get(y, addr, SCRY_PYPY_CDATA_KEPT))) {
		scry_buf_puts(p->out, "handle to ");
		scry_print(p, kept);
		scry_buf_putc(p->out, '>');
	} else if ((owning || by_struct) && y->field[SCRY_PYPY_CDATA_LENGTH].size &&
		   y->field[SCRY_PYPY_CTYPE_SIZE].size && y->field[SCRY_PYPY_CTYPE_ITEM].size) {
		scry_addr owner = by_struct ? scry_pypy_get(y, addr, SCRY_PYPY_CDATA_STRUCT) : addr;

		scry_printf(p, "owning %" PRIu64 " bytes>", owned_bytes(y, owner));
	} else if (is_class(y, addr, "W_CDataMem") || !is_class(y, type, "W_CTypePointer")) {
		scry_printf(p, "with memory at 0x%" PRIx64 ">", memory);
	} else if (memory) {
		scry_printf(p, "0x%" PRIx64 ">", memory);
	} else {
		scry_buf_puts(p->out, "NULL>");
	}
	return SCRY_OK;
}

/* interp_exceptions.py: the class's name and the arguments; 2.7 always as a tuple. */
int scry_pypy_print_exception(struct scry_printer *p, scry_addr addr)
{
	struct scry_runtime *r = p->runtime;
	const char *name = scry_pypy_type_name(r, addr);
	scry_addr args = scry_pypy_get(r->pypy, addr, SCRY_PYPY_EXCEPTION_ARGS);
	struct scry_pypy_sequence seq;
	int rc = scry_pypy_sequence(r, args, &seq);

	if (rc < 0 || !scry_printer_enter(p, addr, "(...)"))
		return rc < 0 ? rc : SCRY_OK;
	scry_printf(p, "%s(", name ? name : "?");
	rc = print_sequence(p, args);
	scry_buf_puts(p->out,
		      seq.count == 1 && !scry_trait(r, SCRY_TRAIT_ONE_ARGUMENT_ALONE) ? ",)" : ")");
	scry_printer_leave(p);
	return rc;
}
