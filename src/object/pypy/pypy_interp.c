/* Printers of what the interpreter itself is made of: functions, methods, generators, exceptions. */
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
