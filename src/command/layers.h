/** What is at an address, layer by layer, innermost first. Internal to src/command. */
#ifndef SCRY_COMMAND_LAYERS_H
#define SCRY_COMMAND_LAYERS_H

#include "object/owner.h"

/** What a layer is. */
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

/** One layer: something that contains the address. Texts are in the arena. */
struct scry_layer {
	enum scry_layer_what what;
	struct scry_runtime *runtime; /* that of `object` */
	scry_addr object;             /* the object whose repr is shown, 0 none */
	scry_addr address;            /* where it begins */
	uint64_t size;                /* bytes, 0 not known */
	int64_t offset;               /* from there to the address asked for */
	const char *type, *field, *allocator, *module, *symbol, *path;
	const char *list; /* the list of free ones that has it, or NULL */
	enum { SCRY_ALIVE_UNKNOWN, SCRY_ALIVE_NO, SCRY_ALIVE_YES } alive;
	unsigned order; /* its place on that list, from 1 */
	int64_t frame;  /* the frame of a stack, from 0; -1 none */
	uint64_t tid;   /* the thread whose stack it is, 0 none */
	/* the block has the debug hooks' marks */
	bool has_debug;
	struct scry_debug_block debug;
	bool unreached; /* an object that nothing leads to, and that is not freed yet */
	bool owner;     /* the object that the layer before is a part of */
	bool certain;
	bool first;
	bool quiet; /* the layers before it say the same */
};

#define SCRY_LAYERS_MAX 12

/** All layers of an address. */
struct scry_layers {
	struct scry_session *session;
	struct scry_runtime *runtime; /* the one whose object is there, else the first */
	scry_addr addr;
	struct scry_layer list[SCRY_LAYERS_MAX];
	size_t count;
	/* the memory that was asked about: the object's, the part's, the block's */
	scry_addr start, end;
	const char *error; /* why objects are not known, or NULL */
	bool searched;     /* owners were searched for */
	struct scry_owners owners;
};

/**
 * Find the layers. Where there is no object, the owner of the memory is searched for; with `all`
 * also what uses it, and what refers to it.
 */
void scry_layers_find(struct scry_session *s, scry_addr addr, bool all, struct scry_layers *ret);

/** Add one; of more than there is room for, the last is kept. */
struct scry_layer *scry_layer_add(struct scry_layers *l, enum scry_layer_what what,
				  scry_addr address, uint64_t size);
/** Those of PyPy's objects and of its collector's memory (layers_pypy.c). */
void scry_layers_find_pypy(struct scry_layers *l);
/** The object whose memory of C's that is, and the memory as a part of it. */
void scry_layers_find_pypy_owner(struct scry_layers *l, scry_addr start, uint64_t size);
/** Every word that leads into the object there, or to the address where there is none. */
void scry_layers_find_pypy_words(struct scry_layers *l);

/** Only stacks and modules: for a word that is in no object. */
void scry_place_find(struct scry_session *s, scry_addr addr, struct scry_layers *ret);

#endif
