/**
 * C++ and Rust functions by the names that people know: with namespaces and classes, without
 * parameters, and with "<…>" for template arguments. Of the Itanium C++ ABI's mangling (and of
 * Rust's older one, which builds on it) only what that needs is understood: names may come from a
 * target, and a crafted one can make a full demangler's answer fill all memory.
 */
#ifndef SCRY_DEMANGLE_H
#define SCRY_DEMANGLE_H

#include "base/buf.h"

/**
 * Append the readable name. False, with nothing appended, where the name is not mangled or not
 * understood.
 */
bool scry_demangle(const char *name, struct scry_buf *out);

#endif
