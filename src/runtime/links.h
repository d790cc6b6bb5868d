/** The links between frame objects (<= 3.10): f_back, read where it stands. */
#ifndef SCRY_LINKS_H
#define SCRY_LINKS_H

#include "runtime/runtime.h"

#define CHAIN_MAX 100000000 /* links that are followed */

/** The frame that a frame's f_back leads to (0: none); false where it cannot be read. */
bool scry_frame_link(struct scry_runtime *r, scry_addr frame, scry_addr *ret);
/**
 * Follow links only: the oldest frame, 0 where the chain is a cycle (Brent), and how many different
 * ones there are.
 */
void scry_frame_links(struct scry_runtime *r, scry_addr first, scry_addr *ret_oldest,
		      unsigned *ret_length);

#endif
