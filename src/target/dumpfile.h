/** The file of a dump: opened, decompressed where it is compressed, mapped. */
#ifndef SCRY_DUMPFILE_H
#define SCRY_DUMPFILE_H

#include "target/target.h"

/** Map the file at t->path into t->file. Notes say where compressed data ended early. */
int scry_dumpfile_map(struct scry_target *t);
/** Fail (scry_fail) with what the file is instead of a dump. */
int scry_dumpfile_foreign(struct scry_target *t);
/**
 * Decompress `fd` into an unlinked temporary file and return that one's descriptor; SCRY_ENOTFOUND
 * where the bytes at its beginning are those of no compressor.
 */
int scry_compressed_unpack(struct scry_target *t, int fd, const uint8_t *head, size_t len);

#endif
