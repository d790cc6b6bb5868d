/** The attributes of an object, as obj shows them. */
#ifndef SCRY_ATTRIBUTE_SHOW_H
#define SCRY_ATTRIBUTE_SHOW_H

#include "command/command.h"
#include "object/model.h"

/** The object whose attributes are shown. */
struct scry_attributes {
	struct scry_call *call;
	struct scry_runtime *runtime;
	scry_addr object; /* 0: none are shown */
	bool cut;         /* set while they are shown: there are more */
};

/**
 * The map "attributes" of a struct scry_attributes, 1,000 at most; for text also "cut", where
 * --limit or this limit has cut it. The subject is written to.
 */
extern const struct scry_facts scry_facts_attributes;

#endif
