/**
 * The references that an object holds. A table has a row for each type whose references are not all
 * in the words of its struct, as its tp_traverse knows them. For all other types, each word of the
 * struct that leads to an object counts; the type's members and the table say whether it certainly
 * is a reference.
 */
#ifndef SCRY_VISIT_H
#define SCRY_VISIT_H

#include "heap/index.h"

/** Where in an object or frame a reference is. */
enum scry_slot_kind {
	SCRY_SLOT_WORD,     /* a word of the struct: `index` is its offset */
	SCRY_SLOT_NAME,     /* the same with a name: `name` */
	SCRY_SLOT_TYPE,     /* its type pointer */
	SCRY_SLOT_ITEM,     /* item `index` */
	SCRY_SLOT_KEY,      /* a key of a dict, a member of a set */
	SCRY_SLOT_VALUE,    /* the value of the key `key` */
	SCRY_SLOT_ATTR,     /* an attribute kept in the object, whose name is `key` */
	SCRY_SLOT_VARIABLE, /* variable `name` of a frame */
	SCRY_SLOT_STACK,    /* word `index` of a frame's value stack */
	SCRY_SLOT_LOOSE,    /* word `index` of memory that may have references: PyPy's */
};

/** A word that refers, or may refer, to an object. */
struct scry_reference {
	scry_addr from; /* the object, or the frame, that has the word */
	scry_addr at;   /* the address of the word */
	scry_addr to;   /* what it leads to, which need not be an object */
	enum scry_slot_kind kind;
	bool certain; /* it is a reference, not a word that looks like one */
	bool counted; /* it is one of those that ob_refcnt counts */
	/* WORD: it is an object or NULL; false: it may be a pointer to something else */
	bool object;
	const char *name;
	uint64_t index;
	scry_addr key;
};

typedef void scry_visit(void *arg, const struct scry_reference *ref);

/** Call `visit` for all references of an object of the index. */
void scry_heap_visit(struct scry_heap *h, uint32_t object, scry_visit *visit, void *arg);
/** The same for an object that is not in the index yet. */
void scry_heap_visit_as(struct scry_heap *h, scry_addr addr, uint32_t type, scry_visit *visit,
			void *arg);
/** The references of an interpreter's frame (3.11+): variables, stack, function, code. */
void scry_heap_visit_frame(struct scry_heap *h, scry_addr frame, scry_visit *visit, void *arg);
/**
 * Is the frame part of an object of the index (a generator, a frame object), so visited with it?
 */
bool scry_heap_owns_frame(struct scry_heap *h, const struct scry_frame *f);
/** Append a reference's name: "[3]", ".name", "['key']", "closure variable x". */
void scry_slot_text(struct scry_heap *h, const struct scry_reference *ref, struct scry_buf *out);

/* rows of the kinds of interpreters: index.h */
void scry_cpython_visit(struct scry_heap *h, scry_addr addr, uint32_t type, scry_visit *visit,
			void *arg);
void scry_cpython_slot_text(struct scry_heap *h, const struct scry_reference *ref,
			    struct scry_buf *out);
const char *scry_cpython_field_at(struct scry_heap *h, scry_addr addr, uint64_t offset);
scry_addr scry_cpython_namespace_of(struct scry_heap *h, scry_addr module);

#endif
