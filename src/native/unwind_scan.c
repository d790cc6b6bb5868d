/*
 * Out of code that nothing describes (compiled at run time, or stripped and without a table): the
 * next return address on the stack that makes sense.
 */
#include <string.h>

#include "native/cfi.h"

#define SCAN_MAX  1024                 /* words: such code keeps little on the stack */
#define ABOVE_MAX ((scry_addr)1 << 20) /* bytes above the outermost frame: arguments, environment */
#define CHECKED   3  /* frames that must come out of a return address for it to be believed */
#define FOLLOWED  64 /* and by how many more nothing may contradict it */

bool scry_nothing_above(struct scry_session *s, const struct scry_regs *now, uint64_t bytes)
{
	const struct scry_arch *arch = now->arch;
	scry_addr at = now->value[arch->sp], word;
	const struct scry_map *map = scry_map_at(s->target, at);
	scry_addr end = map ? map->end : at;

	if (at % arch->ptr_size)
		return false;
	if (end - at > bytes)
		end = at + bytes;
	for (; at < end; at += arch->ptr_size)
		if (scry_read_ptr(s, at, &word) < 0 ||
		    (scry_module_at(s, word) && scry_follows_call(s, word, NULL)))
			return false;
	return true;
}

/*
 * What begins a stack (_start, clone()) has cleared the frame pointer, and above it there is no
 * return address any more. Code after a call that never comes back may look the same.
 */
bool scry_unwind_is_end(struct scry_session *s, const struct scry_regs *now)
{
	const struct scry_arch *arch = now->arch;
	scry_addr at = now->value[arch->sp], pc = now->value[arch->pc];
	const struct scry_map *map = scry_map_at(s->target, at);

	if (!map || !scry_module_at(s, pc))
		return false;
	if (scry_unwind_halts(s, pc)) {
		if ((now->valid >> arch->fp & 1) && now->value[arch->fp])
			return false;
	} else if (arch->link >= 0 || map->end - at > ABOVE_MAX) {
		return false;
	}
	return scry_nothing_above(s, now, ABOVE_MAX);
}

/*
 * Can it be unwound from here for some frames, or to the stack's end? Old frames that lie about can
 * be, too, until they end in the middle of what was written over them.
 */
static bool makes_sense(struct scry_session *s, const struct scry_regs *from)
{
	struct scry_regs now = *from, next;

	for (unsigned i = 0; i < FOLLOWED; i++) {
		scry_addr pc = now.value[now.arch->pc], sp = now.value[now.arch->sp];
		const struct scry_cfi_row *row =
			scry_module_at(s, pc - 1) ? scry_cfi_at(s, pc - 1) : NULL;
		bool certain;

		/* there may be more code that nothing describes, or a signal */
		if (i >= CHECKED && (!row || row->signal || !row->known))
			return scry_is_code(s, pc);
		if (!row || row->signal || !scry_follows_call(s, pc, NULL))
			return false;
		int rc = row->known ? scry_cfi_step(s, row, &now, &next)
			 : scry_unwind_code(s, &now, true, &next, &certain) ? SCRY_ITEM
									    : SCRY_EFAULT;
		if (rc == SCRY_OK)
			return i && scry_cfi_is_end(s, row, &next);
		if (rc != SCRY_ITEM)
			return !row->known && scry_unwind_is_end(s, &now);
		if (next.value[next.arch->sp] <= sp)
			return false;
		now = next;
	}
	return true;
}

bool scry_unwind_scan(struct scry_session *s, const struct scry_regs *now, struct scry_regs *ret)
{
	const struct scry_arch *arch = now->arch;
	scry_addr sp = now->value[arch->sp], pc;

	if (arch->link >= 0 || sp % arch->ptr_size)
		return false;
	for (unsigned i = 0; i < SCAN_MAX; i++, sp += arch->ptr_size) {
		if (scry_read_ptr(s, sp, &pc) < 0)
			return false;
		if (!scry_module_at(s, pc))
			continue;
		*ret = *now; /* the frame pointer may be its caller's still: it is tried out */
		ret->valid &= (uint64_t)1 << arch->fp;
		ret->value[arch->pc] = pc;
		ret->value[arch->sp] = sp + arch->ptr_size;
		ret->valid |= (uint64_t)1 << arch->pc | (uint64_t)1 << arch->sp;
		if (makes_sense(s, ret))
			return true;
	}
	return false;
}
