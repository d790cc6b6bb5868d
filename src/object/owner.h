/**
 * What leads to a piece of memory: the object that owns it, those that use it as a buffer, and all
 * words that point to it, each with its holder. Found by a search of all writable memory.
 */
#ifndef SCRY_OWNER_H
#define SCRY_OWNER_H

#include "object/judge.h"
#include "object/part.h"

/** A word that points into the memory asked for. */
struct scry_pointing {
	scry_addr at, word;
	enum scry_holder {
		SCRY_HOLDER_OBJECT, /* in the object itself or in memory of its own */
		SCRY_HOLDER_STACK,  /* on a thread's C stack */
		SCRY_HOLDER_STATIC, /* in a module's data */
		SCRY_HOLDER_CHUNK,  /* in a block or chunk that no known object owns */
	} kind;
	scry_addr holder; /* the object, or the start of the block or chunk; else 0 */
	struct scry_type *type;
	const char *slot; /* "[3]", "['key']", ".name", "ob_item"; NULL not known */
	bool no_repr;     /* a structure of the interpreter's own, which is no value */
};

/** All that was found, in the session's arena. */
struct scry_owners {
	bool found; /* there is an owner: `part` */
	struct scry_part part;
	bool certain; /* by part.h's table; else just an object that points to its first byte */
	struct scry_export *exports;
	size_t export_count, export_room;
	struct scry_pointing *references; /* where they were asked for */
	size_t reference_count, reference_room;
	bool cut; /* there are more than are kept */
};

/**
 * Find who owns the memory [start, end), which contains `addr`, and who uses it; with `references`
 * also all words that point there. SCRY_OK also where nothing is found.
 */
int scry_owners_find(struct scry_runtime *r, scry_addr addr, scry_addr start, scry_addr end,
		     bool references, struct scry_owners *ret);
/** The object whose memory contains a word, or SCRY_ENOTFOUND: cheap, by its block or chunk. */
int scry_object_around(struct scry_runtime *r, scry_addr at, scry_addr *ret_object,
		       struct scry_verdict *ret);

#endif
