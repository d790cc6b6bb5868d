/**
 * What the printers share. A printer knows one type; versions differ by what the layout has, or by
 * rows.
 */
#ifndef SCRY_PRINTER_H
#define SCRY_PRINTER_H

#include <gmp.h>

#include "object/model.h"

/* --- text --- */
/** Append str(obj) of a str object (no quotes), as it is; damage in place. */
void scry_print_str(struct scry_printer *p, scry_addr str);
/** Append the repr of text that is here already. */
void scry_print_quoted(struct scry_printer *p, const char *text);
/**
 * The same with a length, within the limits; `escape`: as 2.7 writes unicode, \u for all that is
 * not ASCII.
 */
void scry_print_quoted_text(struct scry_printer *p, const char *text, size_t len, bool escape);

/* --- the driver --- */
/**
 * The row of a class by name, or NULL: for old-style classes, whose instances all have one type.
 */
const struct scry_printer_row *scry_printer_named(const struct scry_runtime *r, const char *key);
/** The row of a built-in kind by Py_TPFLAGS_*_SUBCLASS, or NULL. */
const struct scry_printer_row *scry_printer_by_flags(const struct scry_runtime *r, uint32_t flags);
/** Fill in what of a type says how its objects are printed: row, row_is_default, overridden ... */
void scry_printer_choose(struct scry_runtime *r, struct scry_type *t);
/**
 * Enter a container: false where it is open already, or too deep; then `text` ("[...]") was
 * written. 0 for what has no guard of its own (Py_ReprEnter(), recursive_repr()): the containers in
 * it end a cycle, or the depth does.
 */
bool scry_printer_enter(struct scry_printer *p, scry_addr addr, const char *text);
void scry_printer_leave(struct scry_printer *p);
/**
 * Before item `i` of `n`: writes ", " between items; false (and says how many are left out) past a
 * limit.
 */
bool scry_printer_more(struct scry_printer *p, uint64_t i, uint64_t n);
/**
 * After the items of a container that says how many it has: where others are there than it says,
 * "<damaged: it says 3, 2 are there>", and the printer knows of it.
 */
void scry_printer_count(struct scry_printer *p, uint64_t said, uint64_t found);
/** " <damaged: why>" after what was printed, and the printer knows of it. */
void scry_printer_doubt(struct scry_printer *p, const char *why);
/** "<unreadable at 0x...: why>" by the session's last failure. */
void scry_printer_damage(struct scry_printer *p, scry_addr addr);
/** The pointer at `addr`, printed; damage in place. */
void scry_print_at(struct scry_printer *p, scry_addr addr);
/** An attribute's repr; false where there is no such attribute (nothing written). */
bool scry_print_attr(struct scry_printer *p, scry_addr obj, const char *name);
/** As print, but without the quotes where it is text: str(). */
void scry_print_plain(struct scry_printer *p, scry_addr obj);
void scry_printf(struct scry_printer *p, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** "<module.Type at 0x...>": a type whose repr we do not know. */
int scry_print_unknown(struct scry_printer *p, scry_addr addr, scry_addr type);
/**
 * An int of any size (bool, 2.7's int and long too) into `ret`, which the caller has initialised;
 * untouched or partly set on failure. SCRY_EUNSUPPORTED where `obj` is not an int, SCRY_ECORRUPT
 * where its digits make no sense.
 */
int scry_int_mpz(struct scry_runtime *r, scry_addr obj, mpz_t ret);
/**
 * One that is not negative as `size` bytes, the highest first: SCRY_ECORRUPT where it does not fit.
 */
int scry_int_bytes(struct scry_runtime *r, scry_addr obj, uint8_t *ret, size_t size);
/** A number of 64 bits into `ret`, whatever a C long has here. */
void scry_mpz_set(mpz_t ret, int64_t value);
/** The digits of an int (2.7: a long, without its L), the leading ones of a huge one. */
int scry_print_digits(struct scry_printer *p, scry_addr addr);
/** The decimal digits of a number of any size. */
void scry_put_mpz(struct scry_buf *out, const mpz_t z);
/**
 * "x=1, y=2": the fields of a dataclass's instance that its repr has. SCRY_EUNSUPPORTED where a
 * descriptor of the class would have to be asked (what was written is to be cut off).
 */
int scry_print_dataclass_fields(struct scry_printer *p, scry_addr addr);
/** Digits of a double as repr() writes them; `dot0` adds ".0" to whole numbers. */
void scry_format_double(double value, bool dot0, char text[64]);
/** The same for narrower floats, which need fewer digits: `width` 8, 4 or 2 bytes. */
void scry_format_float(double value, unsigned width, bool dot0, char text[64]);
/**
 * "print('a')() at file:line": what asyncio says of a function that it calls with the tuple `args`,
 * 0 none. Since 3.13 arguments are shown only where the loop is in `debug` mode.
 */
void scry_print_callback(struct scry_printer *p, scry_addr func, scry_addr args, bool debug);
/** Print items of an array of pointers, comma separated, from `first` on. */
void scry_print_items(struct scry_printer *p, scry_addr items, uint64_t n);
/** "key: value", or "(key, value)" where `form` is "(". */
void scry_print_pair(struct scry_printer *p, scry_addr key, scry_addr value, const char *form);

/**
 * Print by a form, for classes whose __repr__ is Python code that we know: %C the class's name, %Q
 * with module, %A the address (%D in decimal), {attr.attr} its repr, {attr:s} its str(), {attr:n}
 * how many items, {attr:*} its items, {attr:yes|no} one of two texts by its truth, [attr:...] only
 * where the attribute is not None. Backslash takes the next one as it is.
 */
int scry_print_form(struct scry_printer *p, scry_addr addr, scry_addr type, const char *form);
/**
 * Print the characters [start, end) of a str or bytes as their repr, cut to `most` characters of
 * text (0: not).
 */
int scry_print_text_range(struct scry_printer *p, scry_addr str, uint64_t start, uint64_t end,
			  size_t most);
/**
 * Print every `step`-th character of a str, bytes or bytearray: `count` of them from `start`, as
 * their repr.
 */
int scry_print_text_stepped(struct scry_printer *p, scry_addr str, int64_t start, int64_t step,
			    int64_t count);
/** The typecode of an array ('?' unknown), and the repr of one of its items. */
char scry_array_code(struct scry_runtime *r, scry_addr array);
int scry_print_array_item(struct scry_printer *p, scry_addr array, uint64_t index);
/** Cut what was appended since `start` to `most` characters, as "%.200R" does. */
void scry_printer_cut(struct scry_printer *p, size_t start, size_t most);
/** Text units that stand in memory: wchar_t arrays and the like, `size` bytes each. */
int scry_print_units(struct scry_printer *p, scry_addr data, uint64_t n, unsigned size,
		     const char *prefix);

/**
 * THE list of families of printers, each an array that ends with a NULL type; the list ends with
 * NULL: src/registry.c
 */
extern const struct scry_printer_row *const scry_printer_families[];

#endif
