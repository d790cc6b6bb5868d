/*
 * A process that is not stopped (option no-stop): a thread's stack is read until two readings, one
 * after the other, agree, and its newest frame is the same after that. What never agrees is torn.
 */
#include "runtime/settle.h"

#include "base/hash.h"

#define READINGS_MAX 16
#define FRAMES_MAX   1000000

struct reading {
	uint64_t sum;
	bool damaged; /* or the pieces were of different moments */
};

/*
 * The frames and what they execute; that an instruction goes on changes nothing. False where the
 * thread has come to another frame meanwhile, or a generator is its oldest: one that was left after
 * it was found has no caller any more.
 */
static bool read_stack(struct scry_thread *t, struct reading *ret)
{
	struct scry_target *target = t->session->target;
	scry_addr before = 0, after = 0;
	struct scry_walk walk;
	struct scry_frame f = { 0 };

	t->followed = false;
	t->error = NULL;
	scry_target_read_anew(target);
	*ret = (struct reading) { .sum = SCRY_FNV1A_START };
	scry_walk_thread(&walk, t);
	before = walk.next;
	while (walk.depth < FRAMES_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM) {
		const uint64_t words[] = { f.addr, f.code_addr, f.kind };

		ret->sum = scry_fnv1a(ret->sum, words, sizeof(words));
		ret->damaged |= f.kind == SCRY_FRAME_DAMAGED;
	}
	/* what was read is kept for who asked */
	bool aside = scry_target_set_aside(target);
	bool sound = aside && scry_thread_top(t, &after) == SCRY_OK && after == before;
	if (aside)
		scry_target_take_back(target);
	return sound && f.kind != SCRY_FRAME_GENERATOR;
}

static bool settle(struct scry_thread *t)
{
	struct reading before, now;
	bool sound_before, sound = read_stack(t, &now), agree = false;

	for (unsigned i = 1; i < READINGS_MAX && !(agree && !now.damaged); i++) {
		before = now;
		sound_before = sound;
		sound = read_stack(t, &now);
		agree = sound && sound_before && now.sum == before.sum;
	}
	return agree;
}

void scry_thread_settle(struct scry_thread *t)
{
	struct scry_target *target = t->session->target;

	if (!t->session->options.no_stop || !scry_target_runs(target) || t->settling ||
	    (t->settled && t->settled == target->readings))
		return;
	t->settling = true;
	t->torn = false;
	t->torn = !settle(t);
	t->settled = target->readings;
	t->settling = false;
}
