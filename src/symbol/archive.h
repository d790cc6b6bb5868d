/** Files that are packed inside another one, unpacked into memory. */
#ifndef SCRY_ARCHIVE_H
#define SCRY_ARCHIVE_H

#include <stddef.h>

/**
 * A member of a zip file (an egg, a zipapp): a descriptor of its unpacked bytes, which the caller
 * closes, or -1. `fd` stays the caller's.
 */
int scry_archive_member(int fd, const char *name);
/**
 * Bytes packed by xz and the like: a descriptor of them unpacked, for the caller to close, or -1.
 */
int scry_archive_unpack(const void *data, size_t len);

#endif
