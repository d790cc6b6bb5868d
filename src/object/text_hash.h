/**
 * The hash that a text keeps, against its characters: one changed letter is seen by it. The key is
 * the interpreter's _Py_HashSecret, the function is the one that its own strings agree with.
 */
#ifndef SCRY_TEXT_HASH_H
#define SCRY_TEXT_HASH_H

#include "object/model.h"

/** Longer texts are not asked. */
#define SCRY_HASHED_MAX 65536

/**
 * False where the hash that a str, unicode or bytes object keeps is another one than its characters
 * have; then SCRY_ECORRUPT is recorded. True where it keeps none, or nothing can be known of it.
 */
bool scry_text_hash_fits(struct scry_runtime *r, scry_addr str, const struct scry_text_view *v);
/** The hash that a text of ASCII characters has in the target; false where that is not known. */
bool scry_ascii_hash(struct scry_runtime *r, const char *text, size_t len, uint64_t *ret);
/** Why a name, as code objects have them, is not to be believed; NULL nothing. */
const char *scry_name_doubt(struct scry_runtime *r, scry_addr str);
/**
 * The hash that a key keeps, or that an int has: what a table of keys must have noted of it. False
 * where that is not known, or not the built-in type's alone to say.
 */
bool scry_key_hash(struct scry_runtime *r, scry_addr key, uint64_t *ret);

#endif
