/**
 * Values: any object of the target as the text that repr() would give, without running anything.
 */
#ifndef SCRY_OBJECT_H
#define SCRY_OBJECT_H

#include "runtime/runtime.h"

/** One printing job: where the text goes, and what bounds it. */
struct scry_printer {
	struct scry_runtime *runtime;
	struct scry_buf *out;
	uint64_t max_items, max_depth, max_string, max_text;
	unsigned depth;     /* how many containers are open */
	unsigned level;     /* depth of calls, for values within values that are not containers */
	size_t start;       /* out->len at the start, for max_text */
	scry_addr open[64]; /* containers being printed, for [...] */
	bool verbose;       /* -v: attributes of unknown types */
	bool truncated, damaged; /* out: a limit was met; something was damaged */
};

/** Start a printer with the session's limits. */
void scry_printer_init(struct scry_printer *p, struct scry_runtime *r, struct scry_buf *out);
/** Append the repr of the object at `addr`; where it is damaged, the text says so. */
void scry_print(struct scry_printer *p, scry_addr addr);
/** scry_print() with a fresh printer. */
void scry_repr(struct scry_runtime *r, scry_addr addr, struct scry_buf *out);
/** A repr that fits on a line: about `max` bytes, two levels deep, eight items per container. */
void scry_repr_short(struct scry_runtime *r, scry_addr addr, unsigned max, struct scry_buf *out);

/**
 * A type printer: one row. It is selected by the type that *defines* the repr of an object: a
 * subclass that does not override __repr__ prints as its base; one that does has a row of its own,
 * or is printed as unknown.
 */
struct scry_printer_row {
	/* "collections.deque": module and qualified name of the class that defines __repr__ */
	const char *type;
	/* Py_TPFLAGS_*_SUBCLASS, by which it is selected where the classes are damaged; or 0 */
	uint32_t flag;
	int (*print)(struct scry_printer *p, scry_addr addr, scry_addr type);
	uint32_t since, until; /* versions [since, until) that it is for, PY_VERSION_HEX; 0: any */
	/* where `print` is NULL: the text with attributes in it, see form.c */
	const char *form;
	/*
	 * names that this repr calls or looks up, separated by spaces, besides those that its
	 * Python code loads: where a class of the program defines one, the text is not that
	 * object's repr, and is only shown next to it
	 */
	const char *uses;
	/* names that `print` looks up as Python does: a class may well define them */
	const char *knows;
	/* attributes without which this repr raises, although `print` could do without them */
	const char *needs;
};

/**
 * The type of the object at `addr`. SCRY_ECORRUPT (scry_fail) where refcount, type pointer or the
 * type's own type make no sense.
 */
int scry_type_of(struct scry_runtime *r, scry_addr addr, scry_addr *ret_type);
/** Is there an object at an address of which nothing is known? */
bool scry_is_object(struct scry_runtime *r, scry_addr addr);
/** "module.Type", as repr() writes it; WTF-8, in the arena. */
int scry_type_full_name(struct scry_runtime *r, scry_addr type, const char **ret);
/** Is it None, or 0? */
bool scry_is_none(struct scry_runtime *r, scry_addr obj);
/**
 * An attribute by name, without running code: from the instance dict, inline values, slots, then
 * the type's MRO. SCRY_ENOTFOUND where there is none, SCRY_EUNSUPPORTED where code would have to
 * run.
 */
int scry_attr(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret);

/**
 * Iterate over a dict (or subclass) of any version, in its order: *it is 0 at first; SCRY_ITEM with
 * a key and its value, SCRY_OK at the end, negative where it is damaged.
 */
int scry_dict_next(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
		   scry_addr *ret_value);
/** Look up a str key by its text: SCRY_OK, or SCRY_ENOTFOUND. */
int scry_dict_get(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret);
/** The same for the members of a set or frozenset. */
int scry_set_next(struct scry_runtime *r, scry_addr set, uint64_t *it, scry_addr *ret);
/**
 * The items of a list or tuple (or subclass): how many, and the address of their array of pointers.
 * SCRY_ECORRUPT where the size is absurd.
 */
int scry_sequence(struct scry_runtime *r, scry_addr seq, uint64_t *ret_count, scry_addr *ret_items);
/**
 * Iterate over what an object itself has: its dictionary, materialised or not, then its slots. *it
 * is 0 at first; SCRY_ITEM with a name (arena) and its value, SCRY_OK at the end.
 */
int scry_attr_next(struct scry_runtime *r, scry_addr obj, uint64_t *it, const char **ret_name,
		   scry_addr *ret_value);
/**
 * The value of an int, bool, or 2.7 int/long. SCRY_EUNSUPPORTED where it exceeds 64 bits, or `obj`
 * is something else.
 */
int scry_int_value(struct scry_runtime *r, scry_addr obj, int64_t *ret);

#endif
