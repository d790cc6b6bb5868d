/**
 * A target made of byte blocks here in memory, for tests of all the layers above. A test may write
 * to the blocks at any time; scry_session_refresh() forgets what was decoded.
 */
#ifndef SCRY_IMAGE_H
#define SCRY_IMAGE_H

#include "target/target.h"

/**
 * A session whose target is an empty image of the given machine (EM_X86_64 is 62), or NULL when out
 * of memory.
 */
struct scry_session *scry_image_session(unsigned elf_machine, bool is64, bool big_endian);
/**
 * Add `len` zero bytes at `addr`, mapped readable and writable: where to write them; NULL when out
 * of memory.
 */
uint8_t *scry_image_add(struct scry_session *s, scry_addr addr, size_t len);
/** Add a copy of `len` bytes; false when out of memory. */
bool scry_image_add_bytes(struct scry_session *s, scry_addr addr, const void *bytes, size_t len);
/** Write an integer in the target's byte order; false where it is not within one block. */
bool scry_image_put(struct scry_session *s, scry_addr addr, unsigned size, uint64_t value);
/** Write a pointer. */
bool scry_image_put_ptr(struct scry_session *s, scry_addr addr, scry_addr value);
/** Remove the block that begins at `addr`. */
void scry_image_remove(struct scry_session *s, scry_addr addr);

#endif
