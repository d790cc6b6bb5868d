/** The words of a C frame that mean something: what regs --stack shows. */
#ifndef SCRY_STACK_WORDS_H
#define SCRY_STACK_WORDS_H

#include "command/command.h"
#include "native/fatal.h"

/** The part of the stack that belongs to a C frame. */
struct scry_stack_part {
	struct scry_crash *of; /* its session, thread and `words` are used */
	scry_addr start, end;
};
/** What is said of each word there that is an object, part of one, a return address or a frame. */
extern const struct scry_facts scry_facts_stack_word;
void scry_each_stack_word(const struct scry_stack_part *part, struct scry_renderer *to);

#endif
