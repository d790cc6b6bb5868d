/**
 * Many stacks as one tree: what they have in common is in it once, and it branches where they
 * differ. The root's children are the oldest frames. Nothing here reads a target: frames are texts
 * and lines, from whichever process they come, and two are equal where kind, function, file and
 * line are. A fold takes at most SCRY_FOLD_BYTES; stacks past that are counted as `left`.
 */
#ifndef SCRY_FOLD_H
#define SCRY_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"

#define SCRY_FOLD_BYTES  (256u << 20)
#define SCRY_FOLD_DEPTH  4096 /* frames of one stack: of deeper ones the middle is one frame */
#define SCRY_FOLD_TEXT   4096 /* bytes of a name */
#define SCRY_FOLD_VALUES 16   /* different values kept of a variable */
#define SCRY_FOLD_VALUE  200  /* bytes of a value */
/* newest frames of a stack whose variables are compared */
#define SCRY_FOLD_VARIABLE_FRAMES 64

enum scry_fold_kind {
	SCRY_FOLD_PYTHON,
	SCRY_FOLD_C,
	SCRY_FOLD_DAMAGED,
	SCRY_FOLD_OMITTED, /* it stands for frames that are left out */
	SCRY_FOLD_SIGNAL,  /* the newest of a signature: what the process died of */
	SCRY_FOLD_KIND_COUNT
};
/** "python", "native", "damaged", "omitted", "signal". */
extern const char *const scry_fold_kind_names[];

/** A frame as stacks are compared: two of the same kind, function, file and line are one. */
struct scry_fold_frame {
	enum scry_fold_kind kind;
	int line;             /* 0 unknown */
	const char *function; /* never NULL */
	const char *qualname; /* the first that came with such a frame, or NULL */
	const char *file;     /* or NULL */
	/* the fold's own */
	struct scry_fold_frame *next, *same_hash;
	uint32_t index;
};

/** The thread or task whose stack it is. Texts may be NULL. */
struct scry_fold_member {
	uint64_t pid, tid; /* 0 unknown */
	const char *name, *target;
	/* the fold's own: processes are counted from 1 */
	uint32_t process, order;
	struct scry_fold_node *end;
	struct scry_fold_member *next_here, *next;
};

/** A value that a variable has in `count` stacks. */
struct scry_fold_value {
	struct scry_fold_value *next;
	const char *text;
	uint64_t count;
};

/** A local variable in all the stacks that have this frame. */
struct scry_fold_variable {
	struct scry_fold_variable *next;
	const char *name;
	struct scry_fold_value *values; /* in the order in which they came */
	unsigned kept;                  /* how many values are kept */
	uint64_t count;                 /* how many stacks have the variable */
	uint64_t more;                  /* how many of those have none of `values` */
};

/** A place in the tree: a frame that is called from that of `parent`. Lives as long as the fold. */
struct scry_fold_node {
	const struct scry_fold_frame *frame; /* NULL: the root */
	struct scry_fold_node *parent, *children, *next;
	struct scry_fold_node *older; /* all nodes, each before those that stand below it */
	struct scry_fold_member *members, **members_end; /* whose stacks end here */
	struct scry_fold_variable *variables;
	uint64_t count, ends; /* scry_fold_count() */
	uint32_t depth;       /* 0 for the root */
	uint32_t stamp;
};

/** What is counted. */
enum scry_fold_group { SCRY_FOLD_BY_THREAD, SCRY_FOLD_BY_PROCESS, SCRY_FOLD_BY_TASK };

/** The tree and its tables. Zeroed it is empty. */
struct scry_fold {
	struct scry_arena arena;
	struct scry_hash frames, edges;
	struct scry_fold_frame *first_frame, **frames_end;
	uint32_t frame_count;
	struct scry_fold_node root, *newest;
	struct scry_fold_member *first, **members_end;
	struct scry_fold_member *last; /* that of the current process, or NULL */
	uint32_t member_count, processes;
	uint64_t bytes;
	uint64_t left;  /* stacks for which there was no room */
	uint64_t empty; /* threads that had no frames */
	/* what was asked for: by the command that shows it */
	enum scry_fold_group group;
	bool signature, locals;
};

/** Free the tree with all its nodes; a zeroed one is fine. */
void scry_fold_done(struct scry_fold *f);

/** The fold's own frame that equals `like`; NULL when it is full or out of memory. */
const struct scry_fold_frame *scry_fold_intern(struct scry_fold *f,
					       const struct scry_fold_frame *like);

/** A stack while it is read, newest frame first. */
struct scry_fold_stack {
	struct scry_fold *fold;
	const struct scry_fold_frame **frames;
	size_t count, room, older; /* older: where the frames after the gap begin to wrap */
	uint64_t total;
	bool failed;
};
/**
 * One more frame, older than those before. `like` is copied; its texts are the fold's afterwards.
 */
void scry_fold_stack_put(struct scry_fold_stack *st, const struct scry_fold_frame *like);
/**
 * Keep equal runs once, so that recursion of any depth becomes the same: for signatures, before the
 * stack is added.
 */
void scry_fold_stack_collapse(struct scry_fold_stack *st);
/**
 * Put the stack into the tree, for one more member; it is then empty and can be used again. Returns
 * the node of its newest frame; NULL where it was left out, or had no frames.
 */
struct scry_fold_node *scry_fold_stack_add(struct scry_fold_stack *st,
					   const struct scry_fold_member *m);
/** Empty it without adding it. */
void scry_fold_stack_forget(struct scry_fold_stack *st);
void scry_fold_stack_done(struct scry_fold_stack *st);

/** What is added from here on belongs to another process, whatever its id. */
void scry_fold_next_process(struct scry_fold *f);
/** Piece by piece: the node of a frame below `parent`, and a member whose stack ends there. */
struct scry_fold_node *scry_fold_child(struct scry_fold *f, struct scry_fold_node *parent,
				       const struct scry_fold_frame *frame);
bool scry_fold_member_put(struct scry_fold *f, const struct scry_fold_member *m,
			  struct scry_fold_node *end);

/**
 * Count one more stack in which the variable of this frame has that value. Addresses of objects
 * make no difference: "0x7f…" becomes "0x…"; a long text is cut.
 */
void scry_fold_value_put(struct scry_fold *f, struct scry_fold_node *node, const char *name,
			 const char *repr);
/** The same for `count` stacks, and a value that was put before. */
void scry_fold_variable(struct scry_fold *f, struct scry_fold_node *node, const char *name,
			const char *value, uint64_t count);

/**
 * Write all that a fold has as bytes; add such bytes, which need not be trusted, to another fold.
 * False where they are not whole: what came before the fault is then in the tree.
 */
void scry_fold_write(struct scry_fold *f, struct scry_buf *out);
bool scry_fold_read(struct scry_fold *f, const void *data, size_t len);

/* --- the tree, once all is in it --- */
/** Count by f->group, and sort: what few have in common comes first. */
void scry_fold_count(struct scry_fold *f);
/** How many threads, processes or tasks are counted. */
uint64_t scry_fold_total(const struct scry_fold *f);

#define SCRY_FOLD_BRANCHES 200 /* one below another: deeper ones are beside each other */

/** A run of frames without a branch. */
struct scry_fold_branch {
	const struct scry_fold_node *above; /* the frames begin below it */
	const struct scry_fold_node *last;  /* the newest; `above` where there is none */
	bool ends;                          /* only those whose stacks end at `last` */
	uint64_t count;
	unsigned level; /* 1: it begins at the root */
};
/**
 * The branches below `b` (NULL: the root), those that few have first; returns how many, and the
 * caller frees *ret. A stack that ends where others go on is a branch without frames.
 */
size_t scry_fold_branches(const struct scry_fold *f, const struct scry_fold_branch *b,
			  struct scry_fold_branch **ret);
/** Is there nothing below it? */
bool scry_fold_is_leaf(const struct scry_fold_branch *b);
/** Its nodes, oldest first; the caller frees *ret. */
size_t scry_fold_branch_nodes(const struct scry_fold_branch *b, const struct scry_fold_node ***ret);
/** The members counted there, in the order in which they came; the caller frees *ret. */
size_t scry_fold_members(const struct scry_fold *f, const struct scry_fold_branch *b,
			 const struct scry_fold_member ***ret);
/** Every different stack, what few have first: leaves that begin at the root. */
size_t scry_fold_leaves(const struct scry_fold *f, struct scry_fold_branch **ret);
/** The last part of a file's name, after "/" or "\\". */
const char *scry_fold_file_name(const char *path);
/** Does the variable have more than one value? */
bool scry_fold_differs(const struct scry_fold_variable *v);
/**
 * A number for the stack that ends at `last`, made of kinds, functions and the last parts of file
 * names, not of lines and addresses. Frames for signatures have no line, and such a part as their
 * file.
 */
uint64_t scry_fold_signature(const struct scry_fold_node *last);

#endif
