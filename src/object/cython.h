/**
 * Generators, coroutines and async generators that Cython made: objects of its own, without a
 * frame. They know their names, where their function was defined, what they wait for, and at which
 * of its yields they stand.
 */
#ifndef SCRY_CYTHON_H
#define SCRY_CYTHON_H

#include "object/model.h"

enum scry_cython_kind {
	SCRY_CYTHON_NONE,
	SCRY_CYTHON_GENERATOR,
	SCRY_CYTHON_COROUTINE,
	SCRY_CYTHON_ASYNC_GENERATOR,
	SCRY_CYTHON_PASSES_ON, /* an awaitable that begins with what it passes on to */
};

struct scry_cython_generator {
	scry_addr addr;
	scry_addr yields_from; /* what it yields from or awaits, 0 nothing */
	/* str objects and a code object, 0 none */
	scry_addr name, qualname, module, code;
	bool label_known;
	int label; /* -1 over, 0 not started, else which of its yields and awaits it stands at */
	bool running;
};

/** Which of them a type makes. */
enum scry_cython_kind scry_cython_kind(struct scry_runtime *r, const struct scry_type *t);
/** Read one; SCRY_ENOTFOUND where it is not one, SCRY_ECORRUPT where that cannot be true. */
int scry_cython_generator_read(struct scry_runtime *r, scry_addr addr,
			       struct scry_cython_generator *ret);
/** The qualified or plain name; NULL unknown. */
const char *scry_cython_generator_name(struct scry_runtime *r, scry_addr addr, bool qualified);
/** It as a frame, of which function and file are known; like scry_frame_at(). */
int scry_cython_frame(struct scry_runtime *r, scry_addr addr, struct scry_frame *ret);

#endif
