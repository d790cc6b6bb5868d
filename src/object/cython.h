/**
 * Generators, coroutines and async generators made by Cython: objects of its own types, without a
 * frame. They know their names, where their function was defined, what they wait for, and at which
 * of its yields they are.
 */
#ifndef SCRY_CYTHON_H
#define SCRY_CYTHON_H

#include "object/model.h"

/** What a type of Cython's makes. */
enum scry_cython_kind {
	SCRY_CYTHON_NONE,
	SCRY_CYTHON_GENERATOR,
	SCRY_CYTHON_COROUTINE,
	SCRY_CYTHON_ASYNC_GENERATOR,
	SCRY_CYTHON_PASSES_ON, /* an awaitable whose first member is what it passes on to */
};

/** One of them, decoded. */
struct scry_cython_generator {
	scry_addr addr;
	scry_addr yields_from; /* what it yields from or awaits, 0 nothing */
	/* str objects and a code object, 0 none */
	scry_addr name, qualname, module, code;
	bool label_known;
	int label; /* -1 finished, 0 not started, else the yield or await that it is at */
	bool running;
};

/** Which of them a type makes; SCRY_CYTHON_NONE for every other type. */
enum scry_cython_kind scry_cython_kind(struct scry_runtime *r, const struct scry_type *t);
/** Read one; SCRY_ENOTFOUND where it is not one, SCRY_ECORRUPT where its members make no sense. */
int scry_cython_generator_read(struct scry_runtime *r, scry_addr addr,
			       struct scry_cython_generator *ret);
/** The qualified or plain name; NULL unknown. */
const char *scry_cython_generator_name(struct scry_runtime *r, scry_addr addr, bool qualified);
/** Present it as a frame whose function and file are known; like scry_frame_at(). */
int scry_cython_frame(struct scry_runtime *r, scry_addr addr, struct scry_frame *ret);

#endif
