/** What the parts of py-print share: a value on the way, and the state of an evaluation. */
#ifndef SCRY_EVALUATE_H
#define SCRY_EVALUATE_H

#include "eval/expr.h"
#include "eval/key.h"

/** An intermediate result: an object of the target, or what Python would have made. */
struct scry_eval_value {
	enum {
		SCRY_VALUE_OBJECT,
		SCRY_VALUE_TEXT,  /* after which nothing can follow */
		SCRY_VALUE_SLICE, /* of the sequence at addr */
		SCRY_VALUE_BOUND, /* a method: the function at addr, bound to self */
		/* attributes that stand without a dict: a view of names and values */
		SCRY_VALUE_NAMES,
		SCRY_VALUE_FRAME, /* a frame, which may have no object */
		SCRY_VALUE_LOCALS /* its variables */
	} kind;
	scry_addr addr, self;
	const char *wrap; /* of an object: "mappingproxy" where it is seen through one */
	int64_t start, stop, step, count; /* of a slice */
	const char *text, *type;
	bool is_property; /* its text stands for what code would give */
	struct scry_dict_view names;
	struct scry_frame frame;
};

/** An expression under way. On the caller's stack; it borrows the text. */
struct scry_eval {
	struct scry_session *s;
	struct scry_runtime *r;
	const struct scry_frame *f;
	const char *text; /* the whole expression */
	const char *at;   /* what comes next */
	unsigned depth;   /* of expressions in brackets */
	scry_addr module; /* of MODULE:NAME: names in its brackets are looked up there first */
	struct scry_eval_value value;
};

/** Fail with "in 'a.b.c': why". */
int scry_eval_fail(struct scry_eval *e, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int scry_eval_set(struct scry_eval *e, scry_addr addr);
int scry_eval_set_text(struct scry_eval *e, const char *text, const char *type);
int scry_eval_set_int(struct scry_eval *e, int64_t number);
/**
 * The attribute of the value: what its type's descriptors would give, as far as no code has to run.
 */
int scry_eval_attribute(struct scry_eval *e, const char *name);
int scry_eval_item(struct scry_eval *e, const struct scry_key *key);
int scry_eval_slice(struct scry_eval *e, const int64_t *bounds, const bool *given);
/** A whole expression, as scry_eval() takes it; `e` is filled in, with its value at the end. */
int scry_eval_start(struct scry_eval *e, struct scry_session *s, const struct scry_frame *f,
		    const char *expr);
/** `e->at` stands at "[KEY]" or "[START:STOP:STEP]", and after it then. */
int scry_eval_subscript(struct scry_eval *e);
/** Does code of the program's decide what obj[key] is? */
bool scry_eval_has_own_items(struct scry_eval *e, scry_addr obj);
/** What keeps the items of a wrapper (mappingproxy, UserDict, UserList); else the object itself. */
scry_addr scry_eval_container(struct scry_eval *e, scry_addr obj);
/** len() of the value: negative where it has none that can be read. */
int64_t scry_eval_length(struct scry_eval *e);
/**
 * Walk the items of the value: *it is 0 at first. Of mappings the key is in *ret_key, else its kind
 * is SCRY_VALUE_TEXT without a text. SCRY_EUNSUPPORTED where code would have to run.
 */
int scry_eval_next(struct scry_eval *e, uint64_t *it, struct scry_eval_value *ret_key,
		   struct scry_eval_value *ret_value);
/** The text of a value that is not an object; NULL: out of memory. Its type goes to *ret_type. */
const char *scry_eval_text(struct scry_eval *e, const char **ret_type);
/** What C getters compute and we know: SCRY_ENOTFOUND for others. Sets the value. */
int scry_eval_computed(struct scry_eval *e, scry_addr obj, const char *name);
int scry_eval_frame_attribute(struct scry_eval *e, const struct scry_frame *f, const char *name);
/** ". Did you mean 'x'?", or "" */
const char *scry_suggest_name(struct scry_eval *e, const char *name);
const char *scry_suggest_attribute(struct scry_eval *e, scry_addr obj, const char *name);
const char *scry_suggest_key(struct scry_eval *e, scry_addr dict, const struct scry_key *key);

#endif
