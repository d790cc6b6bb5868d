/**
 * What the printers share. A printer knows one type. Versions differ by what the layout has, or by
 * rows.
 */
#ifndef SCRY_PRINTER_H
#define SCRY_PRINTER_H

#include <gmp.h>

#include "object/model.h"

/* --- text --- */
/** Append a str object as str() gives it, without quotes; where it is damaged, the text says so. */
void scry_print_str(struct scry_printer *p, scry_addr str);
/** Append the repr of a text of this process. */
void scry_print_quoted(struct scry_printer *p, const char *text);
/**
 * The same for `len` bytes, within the limits; `escape`: as 2.7 writes unicode, \u for all that is
 * not ASCII.
 */
void scry_print_quoted_text(struct scry_printer *p, const char *text, size_t len, bool escape);

/* --- the driver --- */
/**
 * The row of a class by its full name, or NULL: for old-style classes, whose instances all have one
 * type.
 */
const struct scry_printer_row *scry_printer_named(const struct scry_runtime *r, const char *key);
/** The row of a built-in kind by Py_TPFLAGS_*_SUBCLASS, or NULL. */
const struct scry_printer_row *scry_printer_by_flags(const struct scry_runtime *r, uint32_t flags);
/** Fill in those members of a type that say how its objects are printed: row, overridden ... */
void scry_printer_choose(struct scry_runtime *r, struct scry_type *t);
/**
 * Enter a container: false where it is open already, or too deep; then `text` ("[...]") was
 * written. `addr` 0 for types whose repr has no such guard (Py_ReprEnter(), recursive_repr()):
 * containers within them end a cycle, or the depth does. scry_printer_leave() after true.
 */
bool scry_printer_enter(struct scry_printer *p, scry_addr addr, const char *text);
void scry_printer_leave(struct scry_printer *p);
/**
 * To be called before item `i` of `n`: appends ", " between items. False past a limit, and the text
 * then says how many are left out.
 */
bool scry_printer_more(struct scry_printer *p, uint64_t i, uint64_t n);
/**
 * To be called after the items of a container: where there were not as many as it says, append
 * "<damaged: it says 3, 2 are there>" and set p->damaged.
 */
void scry_printer_count(struct scry_printer *p, uint64_t said, uint64_t found);
/** Append " <damaged: why>", and set p->damaged. */
void scry_printer_doubt(struct scry_printer *p, const char *why);
/** Append "<unreadable at 0x...: why>", by the session's last error, and set p->damaged. */
void scry_printer_damage(struct scry_printer *p, scry_addr addr);
/** Print the object that the pointer at `addr` leads to. */
void scry_print_at(struct scry_printer *p, scry_addr addr);
/** Print an attribute's repr; false, with nothing written, where there is no such attribute. */
bool scry_print_attr(struct scry_printer *p, scry_addr obj, const char *name);
/** Print str(obj): like scry_print(), but a str without its quotes. */
void scry_print_plain(struct scry_printer *p, scry_addr obj);
/** Append text. */
void scry_printf(struct scry_printer *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Append "<module.Type at 0x...>", for a type whose repr we do not know. */
int scry_print_unknown(struct scry_printer *p, scry_addr addr, scry_addr type);
/**
 * An int of any size (bool, 2.7's int and long too) into `ret`, which the caller has initialised;
 * untouched or partly set on failure. SCRY_EUNSUPPORTED where `obj` is not an int, SCRY_ECORRUPT
 * where its digits make no sense.
 */
int scry_int_mpz(struct scry_runtime *r, scry_addr obj, mpz_t ret);
/**
 * A non-negative one as `size` bytes, big-endian: SCRY_ECORRUPT where it does not fit.
 */
int scry_int_bytes(struct scry_runtime *r, scry_addr obj, uint8_t *ret, size_t size);
/** Set `ret` to a number of 64 bits, whatever size a C long has here. */
void scry_mpz_set(mpz_t ret, int64_t value);
/** Append the digits of an int (2.7: a long, without its L); of a huge one the leading ones. */
int scry_print_digits(struct scry_printer *p, scry_addr addr);
/** Append the decimal digits of a number of any size. */
void scry_put_mpz(struct scry_buf *out, const mpz_t z);
/**
 * Append "x=1, y=2": the fields that the repr of a dataclass's instance shows. SCRY_EUNSUPPORTED
 * where a descriptor of the class would have to run; the caller then cuts off what was written.
 */
int scry_print_dataclass_fields(struct scry_printer *p, scry_addr addr);
/** The digits of a double, as repr() writes them; `dot0` adds ".0" to whole numbers. */
void scry_format_double(double value, bool dot0, char text[64]);
/** The same of other floats; `form` NULL: Python's. */
void scry_format_float(double value, const struct scry_float_form *form, bool dot0, char text[64]);
/**
 * Append "print('a')() at file:line": what asyncio says of a function that it calls with the tuple
 * `args` (0 none). Since 3.13 it shows arguments only in `debug` mode.
 */
void scry_print_callback(struct scry_printer *p, scry_addr func, scry_addr args, bool debug);
/** Print the `n` objects of an array of pointers, separated by commas, within the limits. */
void scry_print_items(struct scry_printer *p, scry_addr items, uint64_t n);
/** Append "key: value", or "(key, value)" where `form` is "(". */
void scry_print_pair(struct scry_printer *p, scry_addr key, scry_addr value, const char *form);

/**
 * Print by a form, for classes whose __repr__ is Python code that we know. %C: the class's name;
 * %Q: with its module; %A: the address (%D: in decimal); {attr.attr}: its repr; {attr:s}: its
 * str(); {attr:n}: how many items it has; {attr:*}: its items; {attr:yes|no}: one of two texts, by
 * its truth; [attr:...]: only where the attribute is not None. A backslash quotes the next
 * character.
 */
int scry_print_form(struct scry_printer *p, scry_addr addr, scry_addr type, const char *form);
/**
 * Print the repr of the characters [start, end) of a str or bytes, cut to `most` characters of text
 * (0: not cut).
 */
int scry_print_text_range(struct scry_printer *p, scry_addr str, uint64_t start, uint64_t end,
			  size_t most);
/**
 * Print the repr of every `step`-th character of a str, bytes or bytearray: `count` of them from
 * `start` on.
 */
int scry_print_text_stepped(struct scry_printer *p, scry_addr str, int64_t start, int64_t step,
			    int64_t count);
/** The typecode of an array.array, '?' unknown. */
char scry_array_code(struct scry_runtime *r, scry_addr array);
/** Print one of its items; negative where it cannot be read. */
int scry_print_array_item(struct scry_printer *p, scry_addr array, uint64_t index);
/** Cut what was appended since `start` to `most` characters, as "%.200R" does. */
void scry_printer_cut(struct scry_printer *p, size_t start, size_t most);
/** Print `n` text units in memory (wchar_t arrays and the like) of `size` bytes each. */
int scry_print_units(struct scry_printer *p, scry_addr data, uint64_t n, unsigned size,
		     const char *prefix);

/**
 * THE list of families of printers (src/registry.c): each is an array that ends with a NULL type,
 * and the list ends with NULL.
 */
extern const struct scry_printer_row *const scry_printer_families[];

#endif
