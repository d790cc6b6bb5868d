/** How memory is shown: an allocator's block, and words with the names of fields. */
#ifndef SCRY_MEMORY_SHOW_H
#define SCRY_MEMORY_SHOW_H

#include "base/facts.h"

extern const struct scry_facts scry_facts_block;       /* a struct scry_block */
extern const struct scry_facts scry_facts_debug_block; /* a struct scry_debug_block */
/** A struct scry_dump_word: its facts, or its line as one text. */
extern const struct scry_facts scry_facts_word, scry_facts_word_line;

#endif
