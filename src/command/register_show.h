/** How a register is shown: its value, whether calls preserve it, and what the word means. */
#ifndef SCRY_REGISTER_SHOW_H
#define SCRY_REGISTER_SHOW_H

#include "base/facts.h"
#include "native/meaning.h"

/** One register of one frame. All pointers are borrowed while it is being written. */
struct scry_shown_register {
	struct scry_session *session;
	const struct scry_reg_row *row;
	uint64_t word;
	bool known;            /* false: unwinding did not restore it; `word` and `m` are not set */
	bool innermost;        /* it is the thread's own, not one of an outer frame */
	struct scry_meaning m; /* of `word`, by scry_words_read() */
};

/** What is said of a struct scry_shown_register. */
extern const struct scry_facts scry_facts_register;

#endif
