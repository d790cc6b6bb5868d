/** What gc says of objects that nothing leads to. */
#ifndef SCRY_LOST_SHOW_H
#define SCRY_LOST_SHOW_H

#include "command/command.h"
#include "heap/lost.h"
#include "memory/gc_state.h"

struct scry_lost_line {
	struct scry_call *call;
	const struct scry_gc_summary *s; /* of the collector that would find them */
	const struct scry_lost *lost;
	const struct scry_lost_group *group;
};
/** Of a struct scry_lost_line: "objects", "bytes", "address", "types", "kept". */
extern const struct scry_facts scry_facts_lost;

#endif
