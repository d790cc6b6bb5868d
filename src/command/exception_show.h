/** An exception: with traceback, attributes, members and what led to it. */
#ifndef SCRY_COMMAND_EXCEPTION_H
#define SCRY_COMMAND_EXCEPTION_H

#include "command/command.h"
#include "object/exception.h"

/** What has been shown already, since causes may form a cycle. */
struct scry_shown {
	struct scry_call *call;
	struct scry_runtime *runtime;
	struct scry_hash seen; /* exceptions by address; the owner frees it */
	unsigned count;        /* exceptions since the owner set it to 0: bounded */
};

/**
 * In text: "HEAD ValueError: text", its traceback, attributes and members, and the chain of what
 * led to it; each exception once.
 */
void scry_say_chain(struct scry_shown *shown, const struct scry_exception *e, const char *head,
		    unsigned depth);
/**
 * Write, in place of an exception that cannot be read, the session's last error; the answer is
 * partial.
 */
void scry_say_unreadable(struct scry_shown *shown, scry_addr addr, const char *head,
			 unsigned depth);
/**
 * For a function of SAY_GET: the exception `e`, or where that is NULL the one at `addr`, including
 * its causes. The subject lives in the session's arena. Null when out of memory.
 */
void scry_said_exception(struct scry_said *ret, struct scry_shown *shown,
			 const struct scry_exception *e, scry_addr addr, unsigned depth);
/** Its facts; and a list (ending with NULL) of them and those of an unreadable one. */
extern const struct scry_facts scry_facts_exception;
extern const struct scry_facts *const scry_exception_kinds[];
/** Write the elements of "frames", oldest first; returns how many old ones --limit left out. */
uint64_t scry_say_traceback(struct scry_shown *shown, scry_addr traceback);

#endif
