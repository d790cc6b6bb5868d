/**
 * Values: any object of the target as the text that repr() would have given, without running
 * anything.
 */
#ifndef SCRY_OBJECT_H
#define SCRY_OBJECT_H

#include "runtime/runtime.h"

/** One printing job: where the text goes, and what bounds it. */
struct scry_printer {
	struct scry_runtime *runtime;
	struct scry_buf *out;
	uint64_t max_items, max_depth, max_string, max_text;
	unsigned depth;          /* of open containers */
	unsigned level;          /* of calls: values in values that are not containers */
	size_t start;            /* out->len at the start: for max_text */
	scry_addr open[64];      /* containers being printed, for [...] */
	bool verbose;            /* -v: attributes of unknown types */
	bool truncated, damaged; /* what happened on the way */
};

/** Start a printer with the session's limits. */
void scry_printer_init(struct scry_printer *p, struct scry_runtime *r, struct scry_buf *out);
/** Append the repr of the object at `addr`; damage becomes text in place. */
void scry_print(struct scry_printer *p, scry_addr addr);
/** scry_print() with a fresh printer. */
void scry_repr(struct scry_runtime *r, scry_addr addr, struct scry_buf *out);
/** A repr that fits a line: of about `max` bytes, two levels deep, eight items of each. */
void scry_repr_short(struct scry_runtime *r, scry_addr addr, unsigned max, struct scry_buf *out);

/**
 * A type printer: one row. It is selected by the type that *defines* the repr of an object: a
 * subclass that does not override __repr__ prints as its base, one that does is known by a row of
 * its own or printed as unknown.
 */
struct scry_printer_row {
	/* "collections.deque": module and qualified name of who defines __repr__ */
	const char *type;
	/* Py_TPFLAGS_*_SUBCLASS that selects it where the classes are too damaged, or 0 */
	uint32_t flag;
	int (*print)(struct scry_printer *p, scry_addr addr, scry_addr type);
	uint32_t since, until; /* versions it is for, [since, until) as PY_VERSION_HEX; 0: any */
	/* where `print` is NULL: the text with attributes in it, see form.c */
	const char *form;
	/*
	 * what that repr calls or looks up by name, separated by spaces, besides what its code (of
	 * Python) loads: where a class of the program's has one of its own, the text is not its
	 * repr and only shown beside it
	 */
	const char *uses;
	const char
		*knows; /* and what `print` looks up as Python does: each class may have its own */
};

/**
 * Type of the object at `addr`, checked: refcount, type pointer and the type's own type make sense.
 */
int scry_type_of(struct scry_runtime *r, scry_addr addr, scry_addr *ret_type);
/** Does an object stand at an address of which nothing is known? */
bool scry_is_object(struct scry_runtime *r, scry_addr addr);
/** "module.Type" as repr() writes it; WTF-8. */
int scry_type_full_name(struct scry_runtime *r, scry_addr type, const char **ret);
/** None, or nothing at all. */
bool scry_is_none(struct scry_runtime *r, scry_addr obj);
/**
 * An attribute by name without running code: instance dict, inline values, slots, then the type's
 * MRO.
 */
int scry_attr(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret);

/**
 * Iterate a dict object of any generation: *it is 0 at first; SCRY_ITEM with a live key and value.
 * Also subclasses.
 */
int scry_dict_next(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
		   scry_addr *ret_value);
/** Look a str key up by its text: SCRY_OK, or SCRY_ENOTFOUND. */
int scry_dict_get(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret);
/** Same for sets: live members. */
int scry_set_next(struct scry_runtime *r, scry_addr set, uint64_t *it, scry_addr *ret);
/**
 * Items of a list or tuple (or subclass): how many, and where they stand. SCRY_ECORRUPT where the
 * size is absurd.
 */
int scry_sequence(struct scry_runtime *r, scry_addr seq, uint64_t *ret_count, scry_addr *ret_items);
/**
 * The instance dictionary of an object, materialised or not: calls back through scry_attr_next().
 */
int scry_attr_next(struct scry_runtime *r, scry_addr obj, uint64_t *it, const char **ret_name,
		   scry_addr *ret_value);
/**
 * An int (any size that fits), bool, or 2.7 int/long as int64: SCRY_EUNSUPPORTED where it does not
 * fit.
 */
int scry_int_value(struct scry_runtime *r, scry_addr obj, int64_t *ret);

#endif
