/** Expressions over the target's objects: what py-print takes. Nothing is executed. */
#ifndef SCRY_EXPR_H
#define SCRY_EXPR_H

#include "object/object.h"

/**
 * What an expression yields: an object of the target, or the text of a value that has no object
 * there.
 */
struct scry_value {
	scry_addr addr; /* 0: only text */
	/* "<property>", "[1, 2]" of a slice, "3" of a C member; NULL where addr is set */
	const char *text;
	const char *type;   /* name of the type, never NULL */
	scry_addr function; /* that of a bound method without an object of its own, 0 none */
};

/**
 * EXPR: NAME (local, enclosing, global, builtin), MODULE:NAME, @0xADDRESS; after it .ATTRIBUTE,
 * [KEY] (string, integer, None, True, False, a tuple of them, or another NAME.ATTRIBUTE, which
 * after MODULE: is looked up there first) and [START:STOP:STEP], repeated. `f` may be NULL:
 * then names are builtins and modules only. Negative (scry_fail): the error says which part of the
 * expression failed, and why.
 */
int scry_eval(struct scry_session *s, const struct scry_frame *f, const char *expr,
	      struct scry_value *ret);
/** Append the repr of a value. */
void scry_print_value(struct scry_printer *p, const struct scry_value *value);

#endif
