/* up, down, frame: choose the Python frame that other commands act on. */
#include "command/command.h"

static int take_number(struct scry_call *call, uint64_t *ret)
{
	if (call->argc && !scry_parse_number(call->argv[0], ret))
		return scry_fail(call->s, SCRY_EINVAL, 0, "'%s' is not a number; usage: %s %s",
				 call->argv[0], call->row->public.name, call->row->public.usage);
	return SCRY_OK;
}

/* What CPython's own py-up and py-down say at the ends, word by word: scripts look for it. */
#define OLDEST "Unable to find an older python frame"
#define NEWEST "Unable to find a newer python frame"

/* Select a frame and show it; beyond the oldest is a failure that selects nothing. */
static int go(struct scry_call *call, uint64_t number, const char *past)
{
	struct scry_thread *t;
	struct scry_frame f;
	unsigned count = 0;
	int rc = scry_selected_thread(call->s, &t);

	if (rc < 0)
		return rc;
	if (number > UINT32_MAX)
		number = UINT32_MAX;
	rc = scry_frame_number(t, (unsigned)number, &f, &count);
	if (rc < 0)
		return count && past ? scry_fail(call->s, rc, 0, "%s", past) : rc;
	call->s->selected = t;
	call->s->selected_frame = (unsigned)number;
	scry_say_frame_of(call, t, &f);
	return SCRY_OK;
}

static int run_up(struct scry_call *call)
{
	uint64_t n = 1;
	int rc = take_number(call, &n);

	if (rc < 0)
		return rc;
	return go(call, n > UINT32_MAX ? n : call->s->selected_frame + n, OLDEST);
}

static int run_down(struct scry_call *call)
{
	uint64_t n = 1;
	int rc = take_number(call, &n);

	if (rc < 0)
		return rc;
	if (n > call->s->selected_frame)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, NEWEST);
	return go(call, call->s->selected_frame - n, NULL);
}

static int run_frame(struct scry_call *call)
{
	uint64_t n = call->s->selected_frame;
	int rc = take_number(call, &n);

	return rc < 0 ? rc : go(call, n, NULL);
}

const struct scry_command_row scry_command_up = {
	.public = { "up", "[N]", "Select the N-th older Python frame (the caller) and show it.",
		    "Every Python frame counts, even where one C function of the interpreter runs "
		    "several.",
		    SCRY_COMMAND_MOVES },
	.run = run_up,
	.max_args = 1,
};

const struct scry_command_row scry_command_frame = {
	.public = { "frame", "[N]", "Select the Python frame with this number and show it.",
		    "Numbers are those of bt, 0 being the newest. Without one the selected frame "
		    "is shown.",
		    SCRY_COMMAND_MOVES },
	.run = run_frame,
	.max_args = 1,
};

const struct scry_command_row scry_command_down = {
	.public = { "down", "[N]", "Select the N-th newer Python frame (the callee) and show it.",
		    "The opposite of up.", SCRY_COMMAND_MOVES },
	.run = run_down,
	.max_args = 1,
};
