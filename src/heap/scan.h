/** Every word of a target's memory that leads into a range; the caller decides what it means. */
#ifndef SCRY_SCAN_H
#define SCRY_SCAN_H

#include "heap/index.h"

/** Which memory: that of neither files nor stacks; data of files; C stacks and threads' data. */
enum { SCRY_SCAN_HEAPS = 1, SCRY_SCAN_FILES = 2, SCRY_SCAN_STACKS = 4, SCRY_SCAN_ALL = 7 };

/** Called with the word at `at`; it may read the target. */
typedef void scry_scan_word(void *arg, scry_addr at, scry_addr word);

/**
 * Call `word` for each aligned word whose value is in [low, high), in order of address. Where one
 * thread alone uses a stack, what is below its stack pointer is left out as unused. Ends early
 * where the command is stopped. Negative when out of memory: not all words were looked at.
 */
int scry_scan_words(struct scry_heap *h, unsigned where, scry_addr low, scry_addr high,
		    scry_scan_word *word, void *arg);
/** Bytes of writable memory that the dump lacks, of *ret_all: what they lead to is not known. */
uint64_t scry_scan_lacks(struct scry_heap *h, uint64_t *ret_all);

#endif
