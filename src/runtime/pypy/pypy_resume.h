/** The JIT's resume data: what pypy_jit.c and pypy_virtual.c share. Internal to src/runtime. */
#ifndef SCRY_PYPY_RESUME_H
#define SCRY_PYPY_RESUME_H

#include "runtime/pypy/pypy.h"
#include "target/overlay.h"

/* no process has memory there: not a canonical address of a program */
#define SCRY_PYPY_PLACE      ((scry_addr)0x5c59 << 48)
#define SCRY_PYPY_ROOM       (4u << 20)
#define SCRY_PYPY_STATIC_MAX 16

struct scry_pypy_jit {
	uint8_t *bytes; /* what is at SCRY_PYPY_PLACE */
	size_t used;
	struct scry_overlay made; /* `bytes` */
	struct patch {
		struct patch *next;
		struct scry_overlay over; /* a heap frame, or its array, as the JIT has it */
	} * patches;
	struct scry_hash frames; /* by JitVirtualRef: the address of the frame that was made */
	struct scry_hash done;   /* JITFRAMEs */
	/* fields of a frame that the JIT keeps, in its order: where they lie */
	uint32_t order[SCRY_PYPY_STATIC_MAX];
	int order_count;
	bool ordered; /* it was looked for */
	struct scry_hash
		boxes; /* objects made of what a strategy keeps without one, by its place */
};

/** One JITFRAME's resume data. */
struct scry_pypy_resume {
	struct scry_pypy *pypy;
	struct scry_session *s;
	scry_addr slots; /* of the JITFRAME */
	uint8_t *code;   /* the numbering */
	uint64_t size, at;
	scry_addr locs, consts, virtuals;
	uint64_t loc_count, const_count, virtual_count, box_count;
	scry_addr *made; /* by number of the virtual, 0 not yet */
	unsigned depth;
};

/** Reserve the place for objects that are made; false where there is no memory. */
bool scry_pypy_room(struct scry_pypy *p);

/**
 * Where the n-th pointer of a type lies by the collector's table, 0: it has no such; how many there
 * are.
 */
scry_addr scry_pypy_pointer_at(struct scry_pypy *p, const struct scry_pypy_type *t, uint64_t n);
uint64_t scry_pypy_pointer_count(struct scry_pypy *p, const struct scry_pypy_type *t);
/** The n-th pointer of an object, 0 none. */
scry_addr scry_pypy_pointer_of(struct scry_pypy *p, scry_addr object, uint64_t n);
/** The items of an array or of a list of one; NULL has none. False where there is neither. */
bool scry_pypy_array_of(struct scry_pypy *p, scry_addr array, uint64_t *ret_count,
			scry_addr *ret_items);
/** Write a little-endian word of `size` bytes. */
void scry_pypy_store(uint8_t *to, uint64_t value, uint64_t size);
/**
 * The value that a tagged number stands for: a word, or an object, which is made now where the JIT
 * never did.
 */
uint64_t scry_pypy_decode(struct scry_pypy_resume *r, int64_t tagged);

/* --- frames that the JIT holds in its own form (pypy_jit.c) --- */
/**
 * The frame that a JitVirtualRef stands for, built from the JIT's resume data over the target's
 * memory; 0 (and scry_fail) where that cannot be done.
 */
scry_addr scry_pypy_jit_frame(struct scry_pypy *p, scry_addr vref);
/** Update a frame whose fields the JIT keeps: `token` is its vable_token. */
int scry_pypy_jit_update(struct scry_pypy *p, scry_addr token);
void scry_pypy_jit_done(struct scry_pypy *p);

#endif
