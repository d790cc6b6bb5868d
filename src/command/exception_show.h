/** An exception: with traceback, attributes, members and what led to it. */
#ifndef SCRY_COMMAND_EXCEPTION_H
#define SCRY_COMMAND_EXCEPTION_H

#include "command/command.h"
#include "object/exception.h"

/** What has been shown: causes may lead in circles. */
struct scry_shown {
	struct scry_call *call;
	struct scry_runtime *runtime;
	struct scry_hash seen; /* exceptions by address; the owner frees it */
	unsigned count;        /* exceptions since the owner set it to 0: bounded */
};

/**
 * For text: "HEAD ValueError: text", what belongs to it, and the chain of what led to it; each
 * exception once.
 */
void scry_say_chain(struct scry_shown *shown, const struct scry_exception *e, const char *head,
		    unsigned depth);
/**
 * What stands in the place of one that cannot be read, by the session's last failure; the answer is
 * partial.
 */
void scry_say_unreadable(struct scry_shown *shown, scry_addr addr, const char *head,
			 unsigned depth);
/**
 * For a function of SAY_GET: the exception `e`, or where that is NULL the one at `addr`, with its
 * causes in it. What is said lives in the session's arena. Null when out of memory.
 */
void scry_said_exception(struct scry_said *ret, struct scry_shown *shown,
			 const struct scry_exception *e, scry_addr addr, unsigned depth);
/** What that says; and of one that cannot be read: a list that ends with NULL. */
extern const struct scry_facts scry_facts_exception;
extern const struct scry_facts *const scry_exception_kinds[];
/** The elements of "frames", oldest first; how many of the oldest --limit left out. */
uint64_t scry_say_traceback(struct scry_shown *shown, scry_addr traceback);

#endif
