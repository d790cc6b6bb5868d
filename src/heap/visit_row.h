/** The table of visit.c: what a row is, and the rows' functions that are in other files. */
#ifndef SCRY_VISIT_ROW_H
#define SCRY_VISIT_ROW_H

#include "heap/visit.h"
#include "object/known.h"

/** One visit of one object. */
struct scry_visiting {
	struct scry_heap *h;
	struct scry_reader *rd;
	const struct scry_layout *l;
	struct scry_heap_type *type; /* NULL: a frame that is not an object */
	scry_addr addr;
	scry_visit *visit;
	void *arg;
};

/**
 * Where a type keeps its references: for the built-in type itself and all that derives from it.
 * What a subclass adds to the struct, after `whole`, is scanned.
 */
struct scry_visit_row {
	enum scry_known type;
	/* visits the references that are not words of the struct; NULL: there are none */
	void (*visit)(struct scry_visiting *v);
	/* the struct whose references `visit` names, every one; SCRY_S_COUNT: words are scanned */
	enum scry_struct whole;
	/* words of the built-in struct that lead to objects are counted references */
	bool certain;
	/* words whose pointers are not counted */
	enum scry_field weak[3];
	bool links_back; /* the first word after the head is such a word, too */
};

/** Report one reference, unless it is NULL. */
static inline void scry_visit_say(struct scry_visiting *v, const struct scry_reference *ref)
{
	if (ref->to)
		v->visit(v->arg, ref);
}
/**
 * Report the word at `at` as a reference; what else is known of it is in `like`. False where it
 * cannot be read, and the caller's loop ends: its length promised more than there is.
 */
static inline bool scry_visit_word(struct scry_visiting *v, scry_addr at,
				   const struct scry_reference *like)
{
	struct scry_reference ref = *like;

	ref.from = v->addr;
	ref.at = at;
	if (!scry_reader_word(v->rd, at, &ref.to))
		return false;
	scry_visit_say(v, &ref);
	return true;
}

/* visit_frame.c */
void scry_visit_frame_object(struct scry_visiting *v);
void scry_visit_generator(struct scry_visiting *v);
/* visit_more.c */
void scry_visit_deque(struct scry_visiting *v);
void scry_visit_ordered(struct scry_visiting *v);
void scry_visit_type(struct scry_visiting *v);
void scry_visit_dict(struct scry_visiting *v);
void scry_visit_set(struct scry_visiting *v);
/** What comes before or after an instance of a class: its dict, its values. */
void scry_visit_managed(struct scry_visiting *v);
/** The dict at the end of an object of variable size. */
void scry_visit_last_dict(struct scry_visiting *v);

#endif
