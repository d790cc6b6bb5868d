/* Which algorithms a version of CPython wants: a table and one loop. */
#include "runtime/code.h"
#include "runtime/frame.h"
#include "runtime/linetable.h"

static const struct scry_strategy strategies[] = {
	{ SCRY_VERSION_OF(2, 0), "frame objects, lnotab", scry_object_frame_top,
	  scry_object_frame_read, scry_code_read_object, scry_line_from_lnotab, scry_lnotab_check,
	  &scry_chain_of_frame_objects, .newborn = SCRY_NEWBORN_COUNTER },
	{ SCRY_VERSION_OF(3, 6), "frame objects, signed lnotab", scry_object_frame_top,
	  scry_object_frame_read, scry_code_read_object, scry_line_from_signed_lnotab,
	  scry_lnotab_check, &scry_chain_of_frame_objects, .newborn = SCRY_NEWBORN_COUNTER },
	{ SCRY_VERSION_OF(3, 10), "frame objects, line ranges", scry_object_frame_top,
	  scry_object_frame_read, scry_code_read_object, scry_line_from_ranges, scry_ranges_check,
	  &scry_chain_of_frame_objects, .newborn = SCRY_NEWBORN_COUNTER },
	{ SCRY_VERSION_OF(3, 11), "interpreter frames, location table", scry_interp_frame_top,
	  scry_interp_frame_read, scry_code_read_inline, scry_line_from_locations,
	  scry_locations_check, &scry_chain_of_interp_frames, .newborn = SCRY_NEWBORN_COUNTER },
	{ SCRY_VERSION_OF(3, 12), "interpreter frames, location table, late ids",
	  scry_interp_frame_top, scry_interp_frame_read, scry_code_read_inline,
	  scry_line_from_locations, scry_locations_check, &scry_chain_of_interp_frames,
	  .newborn = SCRY_NEWBORN_NO_ID },
};

#define TRAIT(name, since, until) [SCRY_TRAIT_##name] = { since, until },
static const struct {
	uint32_t since, until;
} traits[SCRY_TRAIT_COUNT] = {
#include "runtime/traits.def"
};
#undef TRAIT

bool scry_trait(const struct scry_runtime *r, enum scry_trait trait)
{
	return scry_version_in(r->version, traits[trait].since, traits[trait].until);
}

const struct scry_strategy *scry_strategy_for(uint32_t version)
{
	const struct scry_strategy *row = SCRY_SINCE(strategies, version);

	return row ? row : strategies;
}
