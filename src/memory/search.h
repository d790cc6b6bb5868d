/** A search of all writable memory for words that lead somewhere. */
#ifndef SCRY_SEARCH_H
#define SCRY_SEARCH_H

#include "runtime/runtime.h"

/** Where words may lead: [start, end). */
struct scry_goal {
	scry_addr start, end;
};

/**
 * Call `hit` for every aligned word that leads into one of the goals, in order of address, until it
 * returns false; it must not read the target. The goals are sorted by address and do not overlap. C
 * stacks and data of modules are memory like any other. SCRY_OK, also where the user stopped it
 * (s->stopped).
 */
int scry_search(struct scry_session *s, const struct scry_goal *goals, size_t count,
		bool (*hit)(void *arg, scry_addr at, scry_addr word), void *arg);

#endif
