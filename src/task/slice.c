/*
 * Two forms of saved stack on x86-64: slp_switch() with inline assembly, and the stackman library's
 * (3.8).
 */
#include "task/slice.h"

#include "base/session.h"

/*
 * `guess` takes what nobody can name for right: an interpreter that was stripped has no names, and
 * then the layout of the words must be proof enough.
 */
static bool returns_to(const struct scry_slice *slice, size_t word, const char *function,
		       bool guess)
{
	int answer = slice->returns_to(slice->arg, slice->words[word], function);

	return answer > 0 || (guess && answer < 0);
}

/*
 * Preserved registers as they stand pushed, from `first` on, and where the function returns to. The
 * six registers that a function must preserve for its caller (System V psABI for AMD64, 3.2.1). rsp
 * is what it was before the call that pushed the return address.
 */
static void fill(const struct scry_slice *slice, struct scry_regs *regs, const char *const names[6],
		 size_t first)
{
	for (size_t i = 0; i < 6; i++)
		scry_regs_set(regs, names[i], slice->words[first + i]);
	scry_regs_set(regs, "rip", slice->words[first + 6]);
	scry_regs_set(regs, "rsp", slice->sp + 8 * (first + 7));
}

/*
 * stackman's stackman_switch (stackman/platforms/switch_x86_64_gcc.S, prebuilt, so fixed): two
 * words with the control words of the floating point units and one of padding, rbx, rbp, r12-r15,
 * the return address into slp_switch().
 */
static bool from_stackman(const struct scry_slice *slice, struct scry_regs *regs, bool guess)
{
	static const char *const names[6] = { "rbx", "rbp", "r12", "r13", "r14", "r15" };

	if (slice->count < 10 || !returns_to(slice, 9, "slp_switch", guess))
		return false;
	fill(slice, regs, names, 3);
	return true;
}

/*
 * slp_switch() of Stackless/platf/switch_amd64_unix.h keeps its own rbp in one of its first words.
 * rbp points at the caller's, below which all other preserved registers were pushed, and above
 * which the return address stands.
 */
static bool from_inline(const struct scry_slice *slice, struct scry_regs *regs, bool guess)
{
	static const char *const names[6] = { "rbx", "r12", "r13", "r14", "r15", "rbp" };

	for (size_t k = 0; k < 12 && k < slice->count; k++) {
		uint64_t distance = slice->words[k] - slice->sp;
		size_t m = distance / 8;

		/*
		 * a frame of slp_switch() is small: its rbp is a few words above the slice, with
		 * room for the five pushed registers below it and the return address above
		 */
		if (distance % 8 || distance > 24 * 8 || m <= k || m < 5 || m + 1 >= slice->count)
			continue;
		if (!returns_to(slice, m + 1, "slp_transfer", guess))
			continue;
		fill(slice, regs, names, m - 5);
		return true;
	}
	return false;
}

int scry_slice_regs(const struct scry_slice *slice, const struct scry_arch *arch,
		    struct scry_regs *ret)
{
	*ret = (struct scry_regs) { .arch = arch };
	if (!arch || !arch->knows_switch)
		return SCRY_EUNSUPPORTED;
	/* a name decides; without one the form that checks itself comes first */
	if (from_stackman(slice, ret, false) || from_inline(slice, ret, false) ||
	    from_inline(slice, ret, true) || from_stackman(slice, ret, true))
		return SCRY_OK;
	return SCRY_ENOTFOUND;
}
