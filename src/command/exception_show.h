/** An exception as text or JSON: with traceback, attributes, members and what led to it. */
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
 * "HEAD ValueError: text", what belongs to it, and the chain of what led to it; each exception
 * once.
 */
void scry_chain_text(struct scry_shown *shown, const struct scry_exception *e, const char *head,
		     unsigned depth);
/**
 * A line in the place of one that cannot be read, by the session's last failure; the answer is
 * partial.
 */
void scry_exception_damage_text(struct scry_shown *shown, scry_addr addr, const char *head,
				unsigned depth);
/** The repr of a value, safe for terminals. */
void scry_value_text(struct scry_shown *shown, scry_addr value);
/** The exception as an object, with its causes in it. */
void scry_exception_json(struct scry_shown *shown, const struct scry_exception *e, unsigned depth);
/** The same by address; {"id", "error"} where it cannot be read. */
void scry_exception_json_at(struct scry_shown *shown, scry_addr addr, unsigned depth);

#endif
