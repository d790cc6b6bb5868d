/** What the parts of py-print share: intermediate values, and the state of an evaluation. */
#ifndef SCRY_EVALUATE_H
#define SCRY_EVALUATE_H

#include "eval/expr.h"
#include "eval/key.h"

/** An intermediate result: an object of the target, or a value that Python would have made. */
struct scry_eval_value {
	enum {
		SCRY_VALUE_OBJECT,
		SCRY_VALUE_TEXT,  /* only a text: nothing can be done with it */
		SCRY_VALUE_SLICE, /* of the sequence at addr */
		SCRY_VALUE_BOUND, /* a method: the function at addr, bound to self */
		/* attributes without a dict: a view of their names and values */
		SCRY_VALUE_NAMES,
		SCRY_VALUE_FRAME, /* a frame, which may have no object */
		SCRY_VALUE_LOCALS /* its variables */
	} kind;
	scry_addr addr, self;
	const char *wrap; /* of an object: "mappingproxy" where it was reached through one */
	int64_t start, stop, step, count; /* of a slice */
	const char *text, *type;
	bool is_property; /* its text stands for a value that only code gives */
	struct scry_dict_view names;
	struct scry_frame frame;
};

/** An expression being evaluated. On the caller's stack; it borrows the text. */
struct scry_eval {
	struct scry_session *s;
	struct scry_runtime *r;
	const struct scry_frame *f;
	const char *text; /* the whole expression */
	const char *at;   /* how far it was parsed */
	unsigned depth;   /* how many brackets it is nested in */
	scry_addr module; /* of MODULE:NAME: names in its brackets are looked up there first */
	struct scry_eval_value value;
};

/** Fail with "in 'a.b.c': why". */
int scry_eval_fail(struct scry_eval *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Make the value an object; a text of a type (NULL: out of memory); an integer. */
int scry_eval_set(struct scry_eval *e, scry_addr addr);
int scry_eval_set_text(struct scry_eval *e, const char *text, const char *type);
int scry_eval_set_int(struct scry_eval *e, int64_t number);
/**
 * Replace the value by its attribute: what its type's descriptors would give, as far as no code has
 * to run. Negative (scry_eval_fail) where there is none or code would have to run; so for the next
 * two.
 */
int scry_eval_attribute(struct scry_eval *e, const char *name);
int scry_eval_item(struct scry_eval *e, const struct scry_key *key);
int scry_eval_slice(struct scry_eval *e, const int64_t *bounds, const bool *given);
/** A whole expression, as scry_eval() takes it; `e` is filled in, with its value at the end. */
int scry_eval_start(struct scry_eval *e, struct scry_session *s, const struct scry_frame *f,
		    const char *expr);
/** Parse and apply the "[KEY]" or "[START:STOP:STEP]" at e->at. */
int scry_eval_subscript(struct scry_eval *e);
/** Does the program's own code decide what obj[key] is? */
bool scry_eval_has_own_items(struct scry_eval *e, scry_addr obj);
/**
 * The container that a wrapper (mappingproxy, UserDict, UserList) wraps; else the object itself.
 */
scry_addr scry_eval_container(struct scry_eval *e, scry_addr obj);
/** len() of the value; negative where it has none, or it cannot be read. */
int64_t scry_eval_length(struct scry_eval *e);
/**
 * Walk the items of the value: *it is 0 at first; SCRY_ITEM, SCRY_OK at the end, SCRY_EUNSUPPORTED
 * where code would have to run. *ret_key is the key of a mapping's item, else its kind is
 * SCRY_VALUE_TEXT without a text.
 */
int scry_eval_next(struct scry_eval *e, uint64_t *it, struct scry_eval_value *ret_key,
		   struct scry_eval_value *ret_value);
/** The text of a value that is not an object; NULL: out of memory. Its type goes to *ret_type. */
const char *scry_eval_text(struct scry_eval *e, const char **ret_type);
/** Set the value to what a C getter that we know would compute; SCRY_ENOTFOUND for others. */
int scry_eval_computed(struct scry_eval *e, scry_addr obj, const char *name);
/** Set the value to a frame's attribute (f_locals, f_lineno ...). */
int scry_eval_frame_attribute(struct scry_eval *e, const struct scry_frame *f, const char *name);
/** ". Did you mean 'x'?" (session's arena), or "". */
const char *scry_suggest_name(struct scry_eval *e, const char *name);
const char *scry_suggest_attribute(struct scry_eval *e, scry_addr obj, const char *name);
const char *scry_suggest_key(struct scry_eval *e, scry_addr dict, const struct scry_key *key);

#endif
