/** The table of visit.c: what a row is, and the rows that stand in other files. */
#ifndef SCRY_VISIT_ROW_H
#define SCRY_VISIT_ROW_H

#include "heap/visit.h"
#include "object/known.h"

/** One visit of one object. */
struct scry_visiting {
	struct scry_heap *h;
	struct scry_reader *rd;
	const struct scry_layout *l;
	struct scry_heap_type *type; /* NULL: of a frame that is not an object */
	scry_addr addr;
	scry_visit *visit;
	void *arg;
};

/**
 * Where a type keeps its references. Of the built-in type itself and of all that derives from it;
 * what a subclass adds to the struct is scanned after `whole`.
 */
struct scry_visit_row {
	enum scry_known type;
	/* what stands elsewhere than in words of the struct; NULL: nothing */
	void (*visit)(struct scry_visiting *v);
	/* the struct of which `visit` names every reference; SCRY_S_COUNT: all words are scanned */
	enum scry_struct whole;
	/* the words of the built-in struct are references that count, where they lead to objects */
	bool certain;
	/* words that hold pointers which nobody counts */
	enum scry_field weak[3];
	bool links_back; /* the first word after the head is one, too */
};

/** Say one reference. */
static inline void scry_visit_say(struct scry_visiting *v, const struct scry_reference *ref)
{
	if (ref->to)
		v->visit(v->arg, ref);
}
/**
 * The word at `at`, as a reference of a kind; what else is known of it stands in `like`. False
 * where it cannot be read: a length that promises more than there is ends there.
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
/** What stands before or after an instance of a class: its dict, its values. */
void scry_visit_managed(struct scry_visiting *v);
/** The dict at the end of an object of variable size. */
void scry_visit_last_dict(struct scry_visiting *v);

#endif
