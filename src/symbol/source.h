/** Lines of Python source files, as UTF-8. Files are the target's: see scry_target_open_file(). */
#ifndef SCRY_SOURCE_H
#define SCRY_SOURCE_H

#include "base/session.h"

#define SCRY_SOURCE_LINE_MAX 4096 /* bytes of a line; a longer one is cut */

/**
 * Line `line` (from 1) of `file`, without its line end. The text is UTF-8 whatever the file's
 * coding (PEP 263), so that the byte columns of 3.11 and newer fit it; it lives until refresh.
 * SCRY_ENOTFOUND where the file or the line does not exist.
 */
int scry_source_line(struct scry_session *s, const char *file, int line, const char **ret_text,
		     size_t *ret_len);
/**
 * The file's bytes from the beginning of `line` on, not recoded; valid until the next call.
 * SCRY_ENOTFOUND as above.
 */
int scry_source_bytes(struct scry_session *s, const char *file, int line, const char **ret_text,
		      size_t *ret_len);
/**
 * What speaks against the file as a whole, in words that follow "the file is": it was written after
 * the process began, or after the dump; or part of it is not what ran. NULL: nothing does.
 */
const char *scry_source_doubt(struct scry_session *s, const char *file);
/** Remember that part of the file is not what ran; true the first time. */
bool scry_source_misfits(struct scry_session *s, const char *file);
/** Forget all files. */
void scry_sources_close(struct scry_session *s);

#endif
