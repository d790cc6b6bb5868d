/**
 * Source lines of code that ran. A file is not the code's own just because it has its name: it may
 * have been edited since, or belong to another system. What can be compared with the code is: where
 * its definition is, and the names and constants of the line.
 */
#ifndef SCRY_SOURCE_FIT_H
#define SCRY_SOURCE_FIT_H

#include "runtime/runtime.h"

/** A line that nothing but perhaps the file's date speaks against. */
struct scry_source_text {
	const char *text; /* UTF-8, without its line end; lives until refresh */
	size_t len;
	/*
	 * "newer than the process": the line may have been another one when it ran; NULL: no doubt
	 */
	const char *doubt;
};

/**
 * Line `line` of the file that `c` was compiled from; `lasti` is the instruction on that line, -1
 * for lines that are shown only because they are near. SCRY_ENOTFOUND where there is no such file
 * or line, and where the file does not fit the code: a warning says so, once for each file.
 */
int scry_source_of_code(struct scry_code *c, int line, int64_t lasti, struct scry_source_text *ret);
/** Does the file's text fit the code as a whole? True also where there is no file. */
bool scry_source_fits(struct scry_code *c);

#endif
