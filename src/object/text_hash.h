/**
 * The hash that a text keeps, against its characters: it shows even one changed letter. The key is
 * the interpreter's _Py_HashSecret (Include/pyhash.h), the function is the one that its own strings
 * agree with.
 */
#ifndef SCRY_TEXT_HASH_H
#define SCRY_TEXT_HASH_H

#include "memory/block.h"
#include "object/model.h"

/** Longer texts are not checked. */
#define SCRY_HASHED_MAX 65536

/**
 * False where the hash that a str, unicode or bytes object keeps is not that of its characters;
 * then SCRY_ECORRUPT is recorded. True also where it keeps none, or the right one cannot be known.
 */
bool scry_text_hash_fits(struct scry_runtime *r, scry_addr str, const struct scry_text_view *v);
/** The hash that a text of ASCII characters has in the target; false where that is not known. */
bool scry_ascii_hash(struct scry_runtime *r, const char *text, size_t len, uint64_t *ret);
/**
 * Is a str there, whatever its type pointer says: with its length, its state, the 0 after it, its
 * hash, in a block of the allocator that fits? For what says that it is something else.
 */
bool scry_text_is_there(struct scry_runtime *r, scry_addr addr);
/** Why a name of a code object cannot be believed; NULL: nothing speaks against it. */
const char *scry_name_doubt(struct scry_runtime *r, scry_addr str);
/**
 * The hash that a key keeps, or that an int has: what a table of keys must have noted for it. False
 * where it is not known, or where more than the built-in type may decide it.
 */
bool scry_key_hash(struct scry_runtime *r, scry_addr key, uint64_t *ret);

#endif
