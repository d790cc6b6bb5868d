/* A bad value that was read from memory which is free now: was it free then? */
#include <inttypes.h>
#include <string.h>

#include "native/doubt.h"
#include "native/fatal.h"
#include "object/freed.h"

/* Do all who could have given the memory back wait for the crashed thread? */
static bool is_alone(const struct scry_crash *c, scry_addr at)
{
	const struct scry_thread *t = c->thread;
	struct scry_memory_at m;

	if (c->session->target->thread_count == 1)
		return true;
	/* pymalloc's blocks are given back under the GIL; malloc()'s chunks by anybody */
	return t->runtime && t->runtime->layout && !t->runtime->layout->flavour.free_threaded &&
	       t->gil == SCRY_GIL_HELD && scry_memory_at(t->runtime, at, &m) && m.has_block;
}

/*
 * Debug hooks fill what is given back, and fill it anew before it is given out: who read that, read
 * it in between. All else (a link, a count) may have been there before.
 */
static bool is_mark(const struct scry_crash *c, const struct scry_load *l)
{
	return l->has_value && scry_pattern_doubt(l->value, c->session->target->abi.ptr_size).freed;
}

bool scry_crash_tell_freed(struct scry_crash *c, const struct scry_load *l)
{
	struct scry_meaning m;
	SCRY_AUTO_BUF(doubt);

	scry_words_read(&c->words, l->at, &m);
	if (!m.freed)
		return false;
	if (!is_mark(c, l)) {
		if (l->calls == 1)
			scry_buf_printf(&doubt,
					"; it was read before %s was called, which may "
					"have freed it",
					l->callee ? l->callee : "a function");
		else if (l->calls)
			scry_buf_printf(&doubt,
					"; it was read before %u calls (the last: %s), of "
					"which any may have freed it",
					l->calls, l->callee ? l->callee : "of a function");
		else if (!is_alone(c, l->at))
			scry_buf_puts(&doubt, "; another thread may have freed it since");
	}
	scry_crash_say(c, &c->why, "%suse after free: %s came from 0x%" PRIx64 ", %s%s",
		       doubt.len ? "perhaps " : "", l->reg, l->at, m.doubt,
		       doubt.text ? doubt.text : "");
	return true;
}
