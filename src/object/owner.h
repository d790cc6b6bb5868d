/**
 * Who leads to some memory: the object that owns it, those that use its buffer, and all words that
 * refer to it, each with its holder. Found by a search of all memory that is written to.
 */
#ifndef SCRY_OWNER_H
#define SCRY_OWNER_H

#include "object/judge.h"
#include "object/part.h"

/** A word that leads into the memory asked for. */
struct scry_reference {
	scry_addr at, word;
	enum scry_holder {
		SCRY_HOLDER_OBJECT, /* in the object itself or in memory of its own */
		SCRY_HOLDER_STACK,  /* on a thread's C stack */
		SCRY_HOLDER_STATIC, /* in a module's data */
		SCRY_HOLDER_CHUNK,  /* in a block or chunk that no known object owns */
	} kind;
	scry_addr holder; /* the object; the start of the block or chunk */
	struct scry_type *type;
	const char *slot; /* "[3]", "['key']", ".name", "ob_item"; NULL not known */
};

struct scry_owners {
	bool found; /* an owner, which is ... */
	struct scry_part part;
	bool certain; /* by the table; else an object leads to its first byte */
	struct scry_export *exports;
	size_t export_count, export_room;
	struct scry_reference *references; /* where they were asked for */
	size_t reference_count, reference_room;
	bool cut; /* there are more than are kept */
};

/**
 * Who owns the memory [start, end), in which `addr` lies, and who uses it. With `references` all
 * words that lead there. In the session's arena. SCRY_OK also where nobody is found.
 */
int scry_owners_find(struct scry_runtime *r, scry_addr addr, scry_addr start, scry_addr end,
		     bool references, struct scry_owners *ret);
/** The object in whose memory a word stands, or SCRY_ENOTFOUND: cheap, by its block or chunk. */
int scry_object_around(struct scry_runtime *r, scry_addr at, scry_addr *ret_object,
		       struct scry_verdict *ret);

#endif
