/** Functions of CPython's C API whose parameters are known without debug information. */
#ifndef SCRY_API_FUNCTION_H
#define SCRY_API_FUNCTION_H

#include <stddef.h>

/** The parameters of a function, for scry_api_parameter(); NULL: it is not known. Static. */
const char *scry_api_function(const char *name);
/**
 * The first of `parameters`: its name in `name`, and in *ret_kind 0 for an object, "*" for another
 * pointer, "#" for a number, "$" for a text. The rest of the parameters, or NULL at their end.
 */
const char *scry_api_parameter(const char *parameters, char *name, size_t size, char *ret_kind);

#endif
