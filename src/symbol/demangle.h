/**
 * C++ and Rust functions by the names that people know them by: namespaces and classes, without
 * parameters, and with "<…>" for template arguments. Only what is needed for that is understood of
 * the Itanium C++ ABI's mangling (and of Rust's older one, which is built on it): the names may be
 * a target's, and a whole demangler's answer can be made to fill all memory.
 */
#ifndef SCRY_DEMANGLE_H
#define SCRY_DEMANGLE_H

#include "base/buf.h"

/**
 * Append the readable name: false, and nothing appended, where the name is not mangled or not
 * understood.
 */
bool scry_demangle(const char *name, struct scry_buf *out);

#endif
