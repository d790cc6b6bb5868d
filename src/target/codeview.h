/** CodeView debug records: in the module lists of minidumps, and in PE debug directories. */
#ifndef SCRY_CODEVIEW_H
#define SCRY_CODEVIEW_H

#include <stdint.h>

#include "base/arena.h"

/**
 * The id of a PDB 7.0 record ("RSDS"), as symbol servers spell it: 32 digits of GUID and the age,
 * lower-case hex. NULL where it is another record, cut, or out of memory. *ret_pdb: the path of the
 * PDB.
 */
const char *scry_codeview_id(struct scry_arena *a, const uint8_t *record, size_t len,
			     const char **ret_pdb);
/** Bytes as lower-case hex, in the arena; NULL when out of memory. */
const char *scry_hex(struct scry_arena *a, const uint8_t *bytes, size_t len);

#endif
