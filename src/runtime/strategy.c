/* Which algorithms a version of CPython wants: a table and one loop. */
#include "runtime/code.h"
#include "runtime/frame.h"
#include "runtime/linetable.h"

static const struct scry_strategy strategies[] = {
	{ 0x02000000, "frame objects, lnotab", scry_object_frame_top, scry_object_frame_read,
	  scry_code_read_object, scry_line_from_lnotab, scry_lnotab_check,
	  &scry_chain_of_frame_objects, .newborn = SCRY_NEWBORN_COUNTER },
	{ 0x03060000, "frame objects, signed lnotab", scry_object_frame_top, scry_object_frame_read,
	  scry_code_read_object, scry_line_from_signed_lnotab, scry_lnotab_check,
	  &scry_chain_of_frame_objects, .newborn = SCRY_NEWBORN_COUNTER },
	{ 0x030a0000, "frame objects, line ranges", scry_object_frame_top, scry_object_frame_read,
	  scry_code_read_object, scry_line_from_ranges, scry_ranges_check,
	  &scry_chain_of_frame_objects, .newborn = SCRY_NEWBORN_COUNTER },
	{ 0x030b0000, "interpreter frames, location table", scry_interp_frame_top,
	  scry_interp_frame_read, scry_code_read_inline, scry_line_from_locations,
	  scry_locations_check, &scry_chain_of_interp_frames, .newborn = SCRY_NEWBORN_COUNTER },
	{ 0x030c0000, "interpreter frames, location table, late ids", scry_interp_frame_top,
	  scry_interp_frame_read, scry_code_read_inline, scry_line_from_locations,
	  scry_locations_check, &scry_chain_of_interp_frames, .newborn = SCRY_NEWBORN_NO_ID },
};

const struct scry_strategy *scry_strategy_for(uint32_t version)
{
	const struct scry_strategy *best = strategies;

	for (size_t i = 0; i < sizeof(strategies) / sizeof(*strategies); i++)
		if (version >= strategies[i].since)
			best = &strategies[i];
	return best;
}
