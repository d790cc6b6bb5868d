/**
 * The model: types, attributes, dictionaries and text of the target's objects, read without running
 * anything. Printing is in printer.h. Versions differ by what the layout has, or by rows.
 */
#ifndef SCRY_MODEL_H
#define SCRY_MODEL_H

#include <gmp.h>
#include <inttypes.h>
#include <string.h>

#include "base/bytes.h"
#include "object/object.h"

/* Include/object.h, the same bits since 2.6 */
#define TYPE_HEAP         (1u << 9)
#define TYPE_READY        (1u << 12)
#define TYPE_GC           (1u << 14)
#define TYPE_INT          (1u << 23) /* 2.7 only */
#define TYPE_LONG         (1u << 24)
#define TYPE_LIST         (1u << 25)
#define TYPE_TUPLE        (1u << 26)
#define TYPE_BYTES        (1u << 27)
#define TYPE_UNICODE      (1u << 28)
#define TYPE_DICT         (1u << 29)
#define TYPE_EXCEPTION    (1u << 30)
#define TYPE_TYPE         (1u << 31)
#define TYPE_INLINE       (1u << 2) /* 3.13+: Py_TPFLAGS_INLINE_VALUES */
#define TYPE_MANAGED_DICT (1u << 4) /* 3.11+ */

struct scry_verdict; /* judge.h */

/** A value: an object, or the repr of a value without an object in the target; its type's name. */
struct scry_found {
	scry_addr addr;   /* 0: only text */
	const char *text; /* in the arena, NULL where addr is set */
	const char *type;
};

/**
 * Where an attribute was found: in the object (its dict, a slot, a field); in the dict of the class
 * that the object itself is, or of its bases; in its type.
 */
enum scry_attr_place { SCRY_ATTR_VALUE, SCRY_ATTR_CLASS, SCRY_ATTR_TYPE };

struct scry_exception_model;

/** What is in the brackets of obj[key]. */
struct scry_subscript {
	enum {
		SCRY_SUBSCRIPT_NONE,
		SCRY_SUBSCRIPT_BOOL,
		SCRY_SUBSCRIPT_INT,
		SCRY_SUBSCRIPT_TEXT,
		SCRY_SUBSCRIPT_BYTES,
		SCRY_SUBSCRIPT_OBJECT
	} kind;
	int64_t number;
	const char *text;
	scry_addr addr;
};

/** What is known of an object that a collector may move, or that has a second form for C. */
struct scry_described {
	scry_addr addr;        /* the object, where it is now */
	scry_addr asked;       /* the address that was asked for */
	const char *problem;   /* why it is not an object: nothing else is set then; NULL: it is */
	const char *type_name; /* never NULL for an object */
	scry_addr type;        /* its type object, 0 not known */
	const char *form;      /* the interpreter's own name for such objects, NULL none */
	const char *place;     /* "young, in the nursery ..."; NULL: C alone has it */
	uint64_t size;         /* bytes, without what it refers to; 0 unknown */
	bool moved;            /* a collection has moved it away from `asked` */
	/* an extension's object: `asked` is that one, addr the interpreter's, 0 none */
	bool is_c;
	int64_t refcount; /* references from C */
	scry_addr c_type;
};

/**
 * How the objects of one kind of interpreter are read: a row per kind. What object.h and this
 * header offer for all kinds goes through it; the rest is for CPython only. Contracts are those of
 * the functions of the same name.
 */
/** What an interpreter's byte code has that CPython's of its version has not. */
struct scry_code_model {
	/*
	 * what is known of a number, as in the rows of opcodes.c: "NAME:KIND:CACHES"; NULL nothing.
	 * SCRY_EUNSUPPORTED where the interpreter's names are not found
	 */
	int (*opcodes)(struct scry_runtime *r, const char *const **ret);
	/* a constant or a name of a code object; SCRY_ENOTFOUND where there is no such index */
	int (*item)(struct scry_code *c, bool constant, uint32_t index, scry_addr *ret);
	/* where its exception table stands; false: it has none */
	bool (*exception_table)(const struct scry_code *c, scry_addr *ret, uint64_t *ret_size);
	/* the code object that a function, a method or a generator has, or that `obj` is; 0 none */
	scry_addr (*of)(struct scry_runtime *r, scry_addr obj);
};

/** Of an interpreter whose generators and containers are not CPython's structs. */
struct scry_suspended_model {
	/* classes of an object along its MRO, *it 0 at first: SCRY_ITEM, SCRY_OK at the end */
	int (*class_next)(struct scry_runtime *r, scry_addr obj, uint64_t *it, scry_addr *ret,
			  const char **ret_full);
	/* scry_sequence() and scry_set_next(); a weak reference in a set leads to its object */
	int (*sequence)(struct scry_runtime *r, scry_addr seq, uint64_t *ret_count,
			scry_addr *ret_items);
	int (*set_next)(struct scry_runtime *r, scry_addr set, uint64_t *it, scry_addr *ret);
};

struct scry_model {
	/* tp_name, or type(x).__name__ where there is nothing else; NULL unknown */
	const char *(*type_name)(struct scry_runtime *r, scry_addr obj);
	int (*attr)(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret,
		    enum scry_attr_place *ret_place);
	/* an attribute, bound as the language does it; NULL: scry_eval_attribute() does that */
	int (*bound_attr)(struct scry_runtime *r, scry_addr obj, const char *name,
			  struct scry_found *ret);
	int (*dict_next)(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
			 scry_addr *ret_value);
	int (*dict_get)(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret);
	int (*int_value)(struct scry_runtime *r, scry_addr obj, int64_t *ret);
	/* scry_int_mpz(); NULL: int_value reaches all ints that can be read */
	int (*int_mpz)(struct scry_runtime *r, scry_addr obj, mpz_t ret);
	/* enum scry_known of the object's type: known.h */
	int (*known)(struct scry_runtime *r, scry_addr obj);
	/* scry_judge(), for any address; NULL: is_object checks as strictly */
	int (*judge)(struct scry_runtime *r, scry_addr addr, struct scry_verdict *ret);
	/* scry_is_object() */
	bool (*is_object)(struct scry_runtime *r, scry_addr addr);
	/* for interpreters without reference counts; NULL: scry_whatis() knows all of it */
	void (*describe)(struct scry_runtime *r, scry_addr addr, struct scry_described *ret);
	/* scry_attr_next(), for values that may have no object; NULL: all have one */
	int (*found_next)(struct scry_runtime *r, scry_addr obj, uint64_t *it,
			  const char **ret_name, struct scry_found *ret);
	/* exception.h; NULL: by the layout's fields */
	const struct scry_exception_model *exceptions;
	/* append the repr of an object; negative after scry_fail() */
	int (*print)(struct scry_printer *p, scry_addr addr);
	/* opcodes.h; NULL: rows by version, by the layout's fields */
	const struct scry_code_model *code;
	/* what tasks are read by; NULL: CPython's structs */
	const struct scry_suspended_model *suspended;
	/* obj[key], an object; NULL: scry_eval_item() does that. Fails where code would run */
	int (*item)(struct scry_runtime *r, scry_addr obj, const struct scry_subscript *key,
		    scry_addr *ret);
};

/** THE list, by kind: src/registry.c */
extern const struct scry_model *const scry_models[];
extern const struct scry_model scry_model_cpython, scry_model_pypy;

/** The model of the runtime's kind of interpreter; never NULL. */
static inline const struct scry_model *scry_model_of(const struct scry_runtime *r)
{
	return scry_models[r->strategy->model];
}

/** Append the repr of a value, whether it is an object or not. */
void scry_print_found(struct scry_printer *p, const struct scry_found *found);

/* the rows of CPython's model; a file each */
const char *scry_cpython_type_name(struct scry_runtime *r, scry_addr obj);
int scry_cpython_attr(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret,
		      enum scry_attr_place *ret_place);
int scry_cpython_dict_next(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
			   scry_addr *ret_value);
int scry_cpython_dict_get(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret);
int scry_cpython_int_value(struct scry_runtime *r, scry_addr obj, int64_t *ret);
int scry_cpython_int_mpz(struct scry_runtime *r, scry_addr obj, mpz_t ret);
int scry_cpython_known(struct scry_runtime *r, scry_addr obj);
int scry_cpython_print(struct scry_printer *p, scry_addr addr);

/** What is known of a type, decoded once; lives in the session's arena. */
struct scry_type {
	struct scry_type *next; /* of the cache's bucket */
	scry_addr addr, metatype, base, dict, mro, repr;
	const char *name; /* tp_name */
	const char *full; /* "module.qualname", NULL until scry_type_full_name() */
	uint32_t flags;
	uint64_t basicsize, itemsize;
	int64_t dictoffset;
	const struct scry_printer_row *row; /* valid with row_known; NULL: it has none */
	bool row_known;
	bool row_is_default;  /* the repr is object's */
	bool overridden;      /* a class overrides what that row shows: object/overrides.h */
	bool repr_damaged;    /* a class's dict cannot tell whether it has a repr of its own */
	scry_addr repr_owner; /* the class that defines the repr, 0 not known */
	bool never_readied;   /* a static type whose own type pointer is NULL */
	bool doubted;         /* scry_type_doubt() has worked out `doubt` */
	const char *doubt;
	bool nameless;           /* its name is not in the dump: `name` is "?" */
	int known;               /* enum scry_known (known.h): which of those it is */
	scry_addr repr_function; /* the Python function that is its repr, else 0 */
	/* by judge.c: scry_type_is_sound() */
	enum { SCRY_TYPE_NOT_JUDGED, SCRY_TYPE_SOUND, SCRY_TYPE_UNSOUND } judged;
	/* for part.c: which rows of its table (bit n: row n) are for objects of this type */
	uint64_t parts;
	bool parts_known;
};

/** The type at `addr`, checked and remembered: SCRY_ECORRUPT (and why) where it is not one. */
int scry_type_at(struct scry_runtime *r, scry_addr addr, struct scry_type **ret);
/** The type of an object, checked as by scry_type_of(). */
int scry_type_for(struct scry_runtime *r, scry_addr obj, struct scry_type **ret);
/**
 * The dict of a type, also of a static one that has it in the interpreter's state (3.12+); 0
 * unknown.
 */
scry_addr scry_type_dict(struct scry_runtime *r, const struct scry_type *t);
/**
 * Walk the method resolution order, of old-style classes too: *it is 0 at first. SCRY_ITEM, SCRY_OK
 * at the end, negative where it is damaged.
 */
int scry_mro_next(struct scry_runtime *r, scry_addr type, uint64_t *it, scry_addr *ret);
/** Is a class in the MRO of a type? */
bool scry_type_has_base(struct scry_runtime *r, scry_addr type, scry_addr base);
/** Is a class of this full name ("enum.Flag") in the MRO? */
bool scry_type_derives(struct scry_runtime *r, scry_addr type, const char *full);
/**
 * Look a name up in the dicts along the MRO of a type (or of an old-style class): the value, and
 * the class that has it. SCRY_ENOTFOUND where none has.
 */
int scry_type_lookup(struct scry_runtime *r, scry_addr type, const char *name, scry_addr *ret,
		     scry_addr *ret_owner);
/**
 * Find the names of types whose own are not in the dump, as far as dictionaries have the types by
 * name; they go into r->names.
 */
void scry_lost_names_find(struct scry_runtime *r);
/**
 * A name for a type whose own is not in the dump: by what there is of it (the name object of a heap
 * type, flags, an attribute), else "?". NULL: its own is there.
 */
const char *scry_lost_name(struct scry_runtime *r, scry_addr type);
/** What a word with an allocator's fill pattern means (freed, fence ...), static; or NULL. */
const char *scry_pattern_name(uint64_t word, unsigned size);

/** Is this the reference count of an immortal object, by the rules of the version? */
bool scry_is_immortal(const struct scry_runtime *r, uint64_t count);
/** Do the digits of an int fit one another? `t` is its type. */
bool scry_int_is_sound(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/** Bytes of an object, as one type's __sizeof__() computes them; 0 unknown. */
typedef uint64_t scry_sizer(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/** The one for a type's objects; NULL: its __sizeof__() is not known here. */
scry_sizer *scry_object_sizer(struct scry_runtime *r, const struct scry_type *t);
/** What __sizeof__() would say, 0 where that is not known. */
uint64_t scry_object_sizeof(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/** Bytes from the object's start that are its own, without what it keeps elsewhere. */
uint64_t scry_object_extent(struct scry_runtime *r, scry_addr addr, const struct scry_type *t);
/** The least bytes that an instance of the type has: some are shorter than its struct. */
uint64_t scry_object_least(struct scry_runtime *r, const struct scry_type *t);

/** The value of a Py_ssize_t that was read as unsigned. */
static inline int64_t scry_signed_size(const struct scry_runtime *r, uint64_t n)
{
	return r->session->target->abi.ptr_size == 4 ? (int32_t)n : (int64_t)n;
}

/* --- dicts, opened once --- */
/** What a walk or a look-up needs to know of a dict's tables. */
struct scry_dict_view {
	struct scry_runtime *runtime;
	/* values: of a split dict, else 0; order: insertion order bytes, else 0 */
	scry_addr entries, values, order;
	uint64_t count, used, stride, key, value;
	int order_step; /* bytes from one order byte to the next */
	int hash;       /* offset of the key's hash in an entry, -1: it keeps none */
	/* the slots by hash, each the number of an entry; 0 none, or a table of entries */
	scry_addr indices;
	uint64_t slots;
	unsigned index_size;
};
/**
 * A view of a dict, for walks and look-ups; it borrows nothing and needs no release. SCRY_ECORRUPT
 * where it contradicts itself.
 */
int scry_dict_open(struct scry_runtime *r, scry_addr dict, struct scry_dict_view *ret);
/** What __sizeof__() says of a dict; the share of its keys object. 0 unknown. */
uint64_t scry_dict_sizeof(struct scry_runtime *r, scry_addr dict, const struct scry_type *t);
uint64_t scry_keys_sizeof(struct scry_runtime *r, scry_addr keys);
/** The next pair in the dict's order, *it being 0 at first: SCRY_ITEM, SCRY_OK at the end. */
int scry_dict_view_next(const struct scry_dict_view *v, uint64_t *it, scry_addr *ret_key,
			scry_addr *ret_value);
/** The value of a str key; SCRY_ENOTFOUND, which records no error, where there is none. */
int scry_dict_view_get(const struct scry_dict_view *v, const char *name, scry_addr *ret);
/**
 * The entries that a hash leads to in a table of slots, by is_it(), until it says true: SCRY_ITEM.
 * SCRY_OK: it said so of none, up to the first free slot. Negative where a slot is not readable,
 * SCRY_EUNSUPPORTED where the table has no slots or they make no sense.
 */
int scry_dict_view_probe(const struct scry_dict_view *v, uint64_t hash,
			 bool (*is_it)(void *arg, uint64_t index), void *arg);
/**
 * Is the key that scry_dict_view_next() gave where its hash says? `it` as that call left it. True
 * also where this is not known.
 */
bool scry_dict_view_fits(const struct scry_dict_view *v, uint64_t it, scry_addr key);
/** The same for a member of a set that scry_set_next() gave. */
bool scry_set_fits(struct scry_runtime *r, scry_addr set, uint64_t it, scry_addr key);
/** A view of a keys object alone; the values are elsewhere, as inline values are. */
int scry_keys_open(struct scry_runtime *r, scry_addr keys, struct scry_dict_view *ret);
/**
 * Add the values of a split dict or of an object to a view of its keys: sets values, order and
 * count. SCRY_ECORRUPT where there is no room for so many, or the order is not one of them.
 */
int scry_values_open(struct scry_runtime *r, scry_addr values, struct scry_dict_view *v);
/**
 * The dict of an instance, or 0 where it has none; and a view of its inline values, where it has
 * these instead of a dict (else its `runtime` is NULL).
 */
int scry_instance_dict(struct scry_runtime *r, scry_addr obj, scry_addr *ret_dict,
		       struct scry_dict_view *ret_inline);

/* --- text --- */
/** Where the characters of a text are, and how they are stored. */
struct scry_text_view {
	scry_addr data;
	uint64_t length; /* characters */
	unsigned kind;   /* bytes per character */
	bool bytes;      /* it is bytes, or a str of 2.7 */
	bool own;        /* the characters are a part of the object */
	bool ascii;      /* the object says that no character is above 127 */
};
/** The characters of a str, unicode or bytes object; negative where it is damaged. */
int scry_text_open(struct scry_runtime *r, scry_addr str, struct scry_text_view *ret);
/** The same, taking for a str of 3.3+ whatever is there; *v must be zeroed. */
int scry_text_open_compact(struct scry_runtime *r, scry_addr str, struct scry_text_view *v);
/**
 * Does a text end with a 0 where its length says, and within its block? SCRY_ECORRUPT where it does
 * not. For text that is shown; names are not checked.
 */
int scry_text_check(struct scry_runtime *r, scry_addr str, const struct scry_text_view *v);
/** True where a str (2.7: str or unicode) has exactly this text. */
bool scry_text_is(struct scry_runtime *r, scry_addr str, const char *text);
/** A text that many objects are compared with. */
struct scry_wanted {
	const char *text;
	size_t len;
	bool ascii;
	uint32_t length_at; /* offset of the length in each object; 0: it is not always the same */
};
/** Prepare one; it keeps the pointer `text`. */
struct scry_wanted scry_wanted(struct scry_runtime *r, const char *text);
/** scry_text_is() for one of them. */
bool scry_text_matches(struct scry_runtime *r, scry_addr str, const struct scry_wanted *w);
/** str.isprintable() of a character, in the Unicode version of that Python (PY_VERSION_HEX). */
bool scry_char_printable(unsigned code, uint32_t version);
/* --- names and attributes --- */
/** type.__name__ and type.__qualname__ as texts in the arena ("?" where unknown). */
const char *scry_type_short(struct scry_runtime *r, scry_addr type);
const char *scry_type_qualname(struct scry_runtime *r, scry_addr type);
/** type.__module__, likewise. */
const char *scry_type_module(struct scry_runtime *r, scry_addr type);
/** The name object of a stream, that of the raw file: textio.buffer.raw.name. False: none. */
bool scry_stream_name(struct scry_runtime *r, scry_addr stream, scry_addr *ret);
/** __name__ of a built-in function or method; negative where it is damaged. */
int scry_builtin_name(struct scry_runtime *r, scry_addr obj, const char **ret);
/**
 * The code of a function, and the module whose globals it runs with: what it really is, since
 * functools.wraps() gives it another's name. NULL where it is not a function, or is damaged.
 */
const struct scry_code *scry_function_code(struct scry_runtime *r, scry_addr function,
					   const char **ret_module);
/**
 * __name__ or __qualname__ of an object whose type has it as a C getter: functions, classes,
 * descriptors, generators. NULL: none.
 */
const char *scry_own_name(struct scry_runtime *r, scry_addr obj, bool qualified);
/** The same for any object, whose attributes are looked up; NULL: none. */
const char *scry_name_of(struct scry_runtime *r, scry_addr obj, bool qualified);
/**
 * For a repr() that is made by str(): does a subclass that is not of `module` define a __str__?
 */
bool scry_has_own_str(struct scry_runtime *r, scry_addr type, const char *module);
/** The frame of a generator or coroutine that is not finished, else 0. */
scry_addr scry_generator_frame(struct scry_runtime *r, scry_addr gen);
/** The name of an object's type: tp_name, "?" unknown. */
const char *scry_type_name_of(struct scry_runtime *r, scry_addr obj);
/** scry_attr(), and where it was found: what is in a type or class may be a descriptor. */
int scry_attr_from(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret,
		   enum scry_attr_place *ret_place);
/** None's address, 0 while it is not known. */
scry_addr scry_none(struct scry_runtime *r);
/** A str attribute as text in the arena; NULL where there is none. */
const char *scry_attr_text(struct scry_runtime *r, scry_addr obj, const char *name);
/** An int attribute; SCRY_ENOTFOUND where there is none, else as scry_int_value(). */
int scry_attr_int(struct scry_runtime *r, scry_addr obj, const char *name, int64_t *ret);
/** The value of an IEEE float of 2, 4 or 8 bytes. */
double scry_float_of_bits(uint64_t bits, unsigned size);
/** How a float is written that is not Python's own. */
struct scry_float_form {
	unsigned width;     /* 8, 4 or 2 bytes: narrower ones need fewer digits */
	double fixed_below; /* from here on, and below 1e-4, with an exponent */
};
/** Append a complex number as repr() writes it; `form` NULL: Python's. */
void scry_put_complex(struct scry_buf *out, double real, double imag,
		      const struct scry_float_form *form);
/** The same without parentheses. */
void scry_put_bare_complex(struct scry_buf *out, double real, double imag,
			   const struct scry_float_form *form);
/** A C double of the target at `addr`. */
int scry_double_at(struct scry_runtime *r, scry_addr addr, double *ret);
/** Follow an attribute path "a.b.c" of `len` bytes; results as scry_attr(). */
int scry_attr_path(struct scry_runtime *r, scry_addr obj, const char *path, size_t len,
		   scry_addr *ret);
/** bool() of None, bool, int, str, containers, objects without __bool__; else `otherwise`. */
bool scry_truth(struct scry_runtime *r, scry_addr obj, bool otherwise);
/** len() of a list, tuple, dict, set, deque ...; negative for anything else. */
int64_t scry_length(struct scry_runtime *r, scry_addr obj);
/** Start and step of a range (2.7: xrange); SCRY_EUNSUPPORTED where one exceeds 64 bits. */
int scry_range_parts(struct scry_runtime *r, scry_addr range, int64_t *ret_start,
		     int64_t *ret_step);

#endif
