/**
 * Source lines of code that ran. A file is not the code's own only because it has the name: it may
 * have been edited since, or be another system's. What can be compared with the code is: where its
 * definition stands, and the names and constants of the line.
 */
#ifndef SCRY_SOURCE_FIT_H
#define SCRY_SOURCE_FIT_H

#include "runtime/runtime.h"

/** A line that nothing speaks against, or only the file's date. */
struct scry_source_text {
	const char *text; /* UTF-8, without its end; lives until refresh */
	size_t len;
	/*
	 * "newer than the process": the line may have been another one when it ran; NULL: no doubt
	 */
	const char *doubt;
};

/**
 * Line `line` of the file that `c` was compiled from; `lasti` is the instruction that stands there,
 * -1 for lines that are shown because they are near. SCRY_ENOTFOUND where there is no such file or
 * line, and where the file does not fit the code: that is said once for each file, as a warning.
 */
int scry_source_of_code(struct scry_code *c, int line, int64_t lasti, struct scry_source_text *ret);
/** Does the file's text fit the code as a whole? True also where there is no file. */
bool scry_source_fits(struct scry_code *c);

#endif
