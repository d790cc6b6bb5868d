/**
 * What the public calls share. Each does its work between scry_api_begin() and scry_api_end(), and
 * what it hands out is in the session's arena.
 */
#ifndef SCRY_API_H
#define SCRY_API_H

#include "command/command.h"
#include "eval/evaluate.h"
#include "task/task.h"

struct scry_heap;
struct scry_loops;
struct scry_newer;

/** What a session remembers of what it handed out; in its arena. */
struct scry_handed {
	struct scry_task *tasks[4]; /* by api_task.c's rows, once `collected` */
	bool collected[4];
	struct scry_loops *loops; /* what the tasks of event loops need; NULL: not yet */
	/*
	 * for the last name asked for, a byte for each of the heap's types: does the name mean it?
	 */
	const char *instances_of;
	uint8_t *instance_types;
	size_t instance_type_count;
	/* the references to the object asked for last */
	scry_addr referred;
	struct scry_referrer *referrers;
	size_t referrer_count;
};

/** Negative where no target is open; else an earlier stop is forgotten. */
int scry_api_begin(struct scry_session *s);
/** The result of the call: SCRY_ESTOPPED where it was stopped, else `rc`. */
int scry_api_end(struct scry_session *s, int rc);
/** Free what is not in the arena; `s->handed` may be NULL. */
void scry_api_forget(struct scry_session *s);
/** NULL (and scry_fail()) when out of memory. */
struct scry_handed *scry_api_handed(struct scry_session *s);
/** The heap of the first interpreter that has one; negative after scry_fail(). */
int scry_api_heap(struct scry_session *s, struct scry_heap **ret);

/** Make a public object of a value. SCRY_ENOMEM when out of memory. */
int scry_api_hand(struct scry_session *s, struct scry_runtime *r,
		  const struct scry_eval_value *value, struct scry_object *ret);
/** The same for an object. */
void scry_api_hand_object(struct scry_session *s, struct scry_runtime *r, scry_addr addr,
			  struct scry_object *ret);
/**
 * Begin a call about an object: `e` gets its value. Failures will name it by `name`, which the
 * caller keeps as long as `e`; `more` is appended to that name.
 */
int scry_api_open(const struct scry_object *o, const char *more, struct scry_buf *name,
		  struct scry_eval *e);

/** Read the Python frames of a thread to the end; failures are kept for the walk over them. */
void scry_api_read_stack(struct scry_thread *t);

/** Write facts about something as a JSON object. */
int scry_api_json(struct scry_session *s, const struct scry_facts *facts, const void *subject,
		  struct scry_buf *out);
/** The same of a frame; `newer`: the one before it on a thread's stack, NULL: not known. */
int scry_api_frame_json(struct scry_session *s, const struct scry_frame *frame,
			const struct scry_newer *newer, struct scry_buf *out);

#endif
