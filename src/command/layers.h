/** What stands at an address, layer by layer, innermost first. Internal to src/command. */
#ifndef SCRY_COMMAND_LAYERS_H
#define SCRY_COMMAND_LAYERS_H

#include "object/owner.h"

enum scry_layer_what {
	SCRY_LAYER_OBJECT,
	SCRY_LAYER_PART,
	SCRY_LAYER_FREED,
	SCRY_LAYER_BLOCK,
	SCRY_LAYER_FREE_BLOCK,
	SCRY_LAYER_CHUNK,
	SCRY_LAYER_FREE_CHUNK,
	SCRY_LAYER_STACK,
	SCRY_LAYER_CODE,
	SCRY_LAYER_DATA,
	SCRY_LAYER_MAPPING,
	SCRY_LAYER_UNMAPPED,
};
extern const char *const scry_layer_names[];

struct scry_layer {
	enum scry_layer_what what;
	struct scry_runtime *runtime; /* whose `object` is */
	scry_addr object;             /* whose repr it shows, 0 none */
	scry_addr address;            /* where it begins */
	uint64_t size;                /* bytes, 0 not known */
	int64_t offset;               /* of the address asked for from there */
	const char *type, *field, *allocator, *module, *symbol, *path;
	const char *list; /* of free ones: which has it */
	enum { SCRY_ALIVE_UNKNOWN, SCRY_ALIVE_NO, SCRY_ALIVE_YES } alive;
	unsigned order; /* on that list, from 1 */
	int64_t frame;  /* of a stack, from 0; -1 none */
	uint64_t tid;   /* whose stack, 0 none */
	/* of a block with the debug hooks' marks */
	bool has_debug;
	struct scry_debug_block debug;
	bool owner; /* the object that the layer before is a part of */
	bool certain;
	bool first;
	bool quiet; /* the layers before say as much */
};

#define SCRY_LAYERS_MAX 12

struct scry_layers {
	struct scry_session *session;
	struct scry_runtime *runtime; /* to which it is an object, else the first */
	scry_addr addr;
	struct scry_layer list[SCRY_LAYERS_MAX];
	size_t count;
	/* the memory that was asked about: the object's, the part's, the block's */
	scry_addr start, end;
	bool searched; /* for owners */
	struct scry_owners owners;
};

/**
 * Find the layers. The owner of memory without an object is searched for; with `all` also who uses
 * and who refers to what stands there.
 */
void scry_layers_find(struct scry_session *s, scry_addr addr, bool all, struct scry_layers *ret);

/** Only stacks and modules: where a word stands that no object has. */
void scry_place_find(struct scry_session *s, scry_addr addr, struct scry_layers *ret);

#endif
