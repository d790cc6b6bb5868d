/**
 * An interpreter found in the target, and its interpreters, threads, frames and code objects,
 * decoded.
 */
#ifndef SCRY_RUNTIME_H
#define SCRY_RUNTIME_H

#include "base/since.h"
#include "layout/layout.h"
#include "symbol/module.h"

struct scry_runtime;
struct scry_interp;
struct scry_pypy;
struct scry_frame;
struct scry_c_frame;
struct scry_c_function;

/** Where the interpreter's roots are; a finder fills in what it has. */
struct scry_roots {
	scry_addr runtime; /* _PyRuntime (3.7+), else 0 */
	/* address of the variable that points to the first interpreter, else 0 */
	scry_addr interp_head;
	scry_addr interp; /* the first interpreter itself, else 0 */
	/* address of the variable _PyThreadState_Current (<= 3.6), else 0 */
	scry_addr current;
	scry_addr debug_offsets; /* where the cookie stands (3.13+), else 0 */
};

/** One Python of the target. It and all that it leads to live in the arena until refresh. */
struct scry_runtime {
	struct scry_runtime *next;
	struct scry_session *session;
	const char *name;           /* "CPython", "Stackless", "PyPy" */
	const char *finder;         /* the name of the finder that found it */
	struct scry_module *module; /* may be NULL (found by cookie, no file) */
	struct scry_roots roots;
	/* its roots are a guess: only interpreters with dictionaries count */
	bool strict;
	struct scry_layout *layout;
	/* what differs by version as an algorithm, not as an offset */
	const struct scry_strategy *strategy;
	uint32_t version;            /* as PY_VERSION_HEX */
	char version_text[40];       /* "3.13.0", "2.7.18+" */
	struct scry_interp *interps; /* list */
	/* bytes from a struct's start to the end of its last known field, 0 not worked out yet */
	uint32_t span[SCRY_S_COUNT];
	/* bits of a stack slot that are not part of the address (3.13t, 3.14+), 0 none */
	uint64_t tag_mask;
	/* PyFrame_Type, Stackless's PyCFrame_Type ...; 0 unknown */
	scry_addr frame_type, cframe_type, cell_type, code_type;
	struct scry_hash codes; /* code objects by address, decoded once */
	struct scry_hash names; /* type names by type address */
	scry_addr type_type;    /* &PyType_Type, 0 unknown: ob_type of ob_type of anything */
	scry_addr none;         /* 0 until known: scry_none() */
	/* PyPy's description of itself (pypy/pypy.h); NULL: CPython's structs. For pypy/ only */
	struct scry_pypy *pypy;
	void *memory_state; /* the memory layer's cache */
	void *object_state; /* the object layer's cache */
	void *text_hashes;  /* how it hashes a text: object/text_hash.c */
	void *task_state;   /* the task layer's cache */
	void *steps;        /* what its instructions do: object/stack_depth.c */
	void *heap_state;   /* the heap's, and what frees it: it is too large for the arena */
	void (*heap_done)(void *state);
};

/** Bytes of a pointer of the target. */
static inline unsigned scry_ptr_size(const struct scry_runtime *r)
{
	return r->session->target->abi.ptr_size;
}

/** How far a runtime or an interpreter is in its life. */
enum scry_phase {
	SCRY_PHASE_RUNNING,
	SCRY_PHASE_UNSTARTED, /* not yet initialised */
	SCRY_PHASE_FINALIZING,
	SCRY_PHASE_FINALIZED,
};
/** "running", "not yet initialised", "finalizing", "finalized". */
extern const char *const scry_phase_names[];

/** A Python that is loaded but has no interpreter. */
struct scry_dormant {
	struct scry_dormant *next;
	const char *name, *version_text; /* as in struct scry_runtime */
	struct scry_module *module;
	enum scry_phase phase; /* UNSTARTED or FINALIZED */
};

/** One interpreter of a runtime; the main one comes first. */
struct scry_interp {
	struct scry_interp *next;
	struct scry_runtime *runtime;
	scry_addr addr;
	int64_t id;
	scry_addr modules, sysdict, builtins; /* dict objects, 0 unknown */
	scry_addr gil;        /* the struct with last_holder and locked, 0 unknown */
	scry_addr gil_holder; /* thread state that holds it, 0 none */
	bool gc_running;
	struct scry_thread *collector; /* the thread that collects, NULL none or not known */
	enum scry_phase phase;
	/* the thread state that finalizes it, the only one to run again; 0 none or not known */
	scry_addr finalizing;
	const char *cut; /* why the list of its thread states ends early, or NULL */
};

/** Has the operating system a thread for the thread state? */
enum scry_presence {
	SCRY_PRESENCE_HERE,
	SCRY_PRESENCE_STARTING, /* the state exists, but its thread has not taken it over yet */
	SCRY_PRESENCE_EXITED,   /* the process's first thread, which ended while others run on */
	SCRY_PRESENCE_MISSING,
};

/** Free-threaded builds: may it touch objects? _Py_THREAD_*, internal/pycore_pystate.h. */
enum scry_attached {
	SCRY_ATTACHED_UNKNOWN, /* or a build with a GIL */
	SCRY_ATTACHED_NO,
	SCRY_ATTACHED_YES,
	SCRY_ATTACHED_SUSPENDED, /* it is kept from that, since the world is stopped */
};

/** A thread: an OS thread, a Python thread state, or (mostly) both. */
struct scry_thread {
	struct scry_thread *next;
	struct scry_session *session;
	uint64_t tid;                    /* OS thread id; 0 unknown */
	const struct scry_os_thread *os; /* NULL: only Python knows it */
	const char *given_name;          /* or NULL: scry_thread_name(), object/thread_names.h */
	struct scry_runtime *runtime;    /* NULL: no Python state */
	struct scry_interp *interp;
	scry_addr state; /* PyThreadState, 0 none */
	uint64_t ident;  /* threading.get_ident() */
	bool crashed, main;
	bool named, asked; /* its own threading module was read; and those of others */
	bool has_name;     /* `given_name` is the threading module's */
	enum scry_presence presence;
	/* its interpreter is being finalized by another thread: it never runs Python code again */
	bool halted;
	enum scry_attached attached;
	scry_addr top; /* the newest frame, 0 none */
	enum scry_gil { SCRY_GIL_NONE, SCRY_GIL_HELD, SCRY_GIL_WAITING } gil;
	bool in_gc, looked_at;
	const char *error;   /* why its frames are missing or cut, or NULL */
	const char *trouble; /* scry_thread_trouble(), once `looked_at` */
	unsigned index;      /* as commands number it, from 1 */
	/* <= 3.10: its chain of frames, followed once without reading the frames (frame_own.c) */
	bool followed;
	scry_addr oldest;
	unsigned length;
	unsigned settled;    /* settle.c: when its stack was read, of a process that runs */
	bool settling, torn; /* that is under way; was in vain */
	/* its stacks, as the public API handed them out: without and with C frames (api.h); NULL */
	void *handed[2];
};

/** Interpreter frames of this owner or a greater one run no Python code (3.12+, frame_interp.c). */
#define SCRY_FIRST_SHIM_OWNER 3

/** What a frame is. */
enum scry_frame_kind {
	SCRY_FRAME_PYTHON,
	SCRY_FRAME_GENERATOR,
	SCRY_FRAME_SHIM,
	SCRY_FRAME_DAMAGED,
	SCRY_FRAME_NATIVE
};

/**
 * A code object, decoded once. Texts are WTF-8, never NULL ("?" where unreadable, and `damaged`
 * says why).
 */
struct scry_code {
	struct scry_runtime *runtime;
	scry_addr addr;
	const char *name, *qualname, *file; /* qualname NULL before 3.11 */
	int first_line;
	uint32_t flags; /* CO_* */
	unsigned argcount, posonly, kwonly, nlocals;
	unsigned slots; /* co_nlocalsplus: locals, cells and free variables */
	bool slots_known;
	unsigned stack_size; /* words of the value stack */
	/* the first instruction: in the code object (3.11+), in co_code's bytes before */
	scry_addr instructions;
	uint32_t instructions_size; /* bytes */
	/* 3.11+: a frame before this instruction is still being set up */
	scry_addr first_traceable;
	const uint8_t *lines; /* lnotab, 3.10 line table or location table */
	uint32_t lines_size;
	scry_addr table; /* the bytes object that `lines` is of */
	/* what is wrong with the table, so that there are no lines; NULL nothing */
	const char *lines_bad;
	bool lines_checked;
	/* 3.12+: made by the interpreter for itself; its frames are never shown */
	bool shim;
	/* `slots` of them, decoded on demand by scry_code_locals() */
	const struct scry_local_name *locals;
	const char *locals_bad; /* why not all of them are known; NULL: they are */
	const char *damaged;    /* NULL: fine */
	bool none;              /* it is not a code object: only `damaged` is set */
	struct scry_line_memo {
		int64_t lasti;
		bool valid;
		struct scry_location location;
		/* the last places asked for: deep recursion asks for the same ones */
	} memo[4];
	unsigned memo_next;
	/* before 3.11: that of a function object that was met with this code, or NULL */
	const char *found_qualname;
	unsigned qualname_tries; /* frames whose caller was searched for one */
	void *depths; /* of its value stack; NULL: not worked out (object/stack_depth.c) */
	uint8_t source_verdict; /* does the source fit? 0: not worked out (object/source_fit.c) */
};

/** What a local variable is to its function. */
enum scry_local_kind { SCRY_LOCAL_ARG, SCRY_LOCAL_VAR, SCRY_LOCAL_CELL, SCRY_LOCAL_FREE };

/** What a code object says of one slot of its frames. */
struct scry_local_name {
	const char *name;
	enum scry_local_kind kind;
	bool in_cell; /* the slot holds a cell (an argument may be one too) */
	/* 3.12+: the variable of a comprehension that was inlined into a module or class body */
	bool hidden;
	/* <= 3.10: the slot of the cell that took over this argument's value, 0 none */
	unsigned cell;
	bool alias; /* it is such a cell, which is shown in its argument's place */
};

/** A frame, decoded: a copy, whose pointers live until refresh. */
struct scry_frame {
	struct scry_thread *thread; /* NULL: it belongs to a task or traceback */
	struct scry_runtime *runtime;
	enum scry_frame_kind kind;
	scry_addr addr; /* PyFrameObject (<= 3.10) or _PyInterpreterFrame (3.11+) */
	scry_addr code_addr;
	struct scry_code *code;              /* NULL for a damaged or shim frame */
	scry_addr back;                      /* the next older one; 0: this is the oldest */
	scry_addr frame_object;              /* PyFrameObject where there is one, else 0 */
	scry_addr function;                  /* function object (3.11+), else 0 */
	scry_addr globals, builtins, locals; /* objects, 0 none */
	scry_addr slots;                     /* address of the first fast local */
	int64_t lasti;  /* byte offset of the current instruction; -1: not started */
	unsigned owner; /* 3.11+: the frame's owner field */
	bool entry;     /* C code called into the interpreter here */
	/* 3.12+: the shim after it, which is on the C stack; 0 none */
	scry_addr shim;
	bool incomplete; /* still being set up: no line yet */
	bool unread;     /* nothing of it could be read */
	bool broken;     /* not a frame: the chain is broken here, and `damaged` says how */
	bool stopped;    /* <= 3.10: suspended, finished or not started */
	/* in a traceback: where it was then; NULL: where the frame says */
	const struct scry_location *where;
	/* the line that the frame object keeps while it is traced, 0 none */
	int traced_line;
	/*
	 * What compiled it ("Cython"), where it runs no byte code: function and file are known,
	 * variables are not, the line only where the frame has it (traced_line). NULL: byte code.
	 */
	const char *compiled;
	const char *compiled_place;        /* what else is known of where it is, or NULL */
	unsigned depth;                    /* 0 the newest Python frame */
	const char *damaged;               /* for SCRY_FRAME_DAMAGED: why */
	const struct scry_c_frame *native; /* SCRY_FRAME_NATIVE: the frame (native/c_stack.h) ... */
	/* ... and what DWARF says of it, or of one inlined there; NULL nothing */
	const struct scry_c_function *function_of;
};

/** A local variable's value. */
struct scry_local {
	const char *name;
	enum scry_local_kind kind;
	/* dereferenced from its cell, untagged; never 0 (unbound ones are skipped) */
	scry_addr value;
	/* a comprehension's, which runs inside a module or class body: not one of their names */
	bool hidden;
};

struct scry_line_table;
struct scry_record;

/** Which interpreter's objects a runtime has, so how they are read: scry_model_of(), model.h. */
enum scry_model_kind { SCRY_MODEL_CPYTHON, SCRY_MODEL_PYPY, SCRY_MODEL_COUNT };

/**
 * What differs by version as an algorithm, not as an offset: one row per range of versions, chosen
 * once when the runtime is found (strategy.c).
 */
struct scry_strategy {
	uint32_t since; /* first version, as PY_VERSION_HEX */
	const char *name;
	int (*thread_top)(struct scry_thread *t, scry_addr *ret_frame);
	int (*frame_read)(struct scry_runtime *r, scry_addr addr, struct scry_frame *f);
	int (*code_read)(struct scry_runtime *r, const struct scry_record *rec,
			 struct scry_code *c);
	int (*line)(const struct scry_line_table *t, int64_t lasti, struct scry_location *ret);
	/* what is wrong with a line table, NULL nothing; may be NULL */
	const char *(*line_check)(const struct scry_line_table *t);
	/* what the frames of a thread can prove of each other (frame.h); NULL: nothing */
	const struct scry_chain_ops *chain;
	/* for interpreters that do not have CPython's structs; NULL: by the layout's fields */
	void (*code_whole)(struct scry_code *c);
	/* the thread state after `state` (0: the first of all), 0 at the end */
	int (*next_state)(struct scry_interp *interp, scry_addr state, scry_addr *ret);
	int (*state_ident)(struct scry_interp *interp, scry_addr state, uint64_t *ret);
	bool (*waits_for_gil)(const struct scry_thread *t); /* sleeps for it? t->os is known */
	scry_addr (*slot_value)(struct scry_runtime *r, scry_addr value, bool in_cell);
	/* scry_text_at() */
	int (*text)(struct scry_runtime *r, scry_addr str, size_t max, const char **ret);
	/* read again what changes while the target runs */
	void (*reload)(struct scry_runtime *r);
	/* free what is not in the arena; NULL: nothing */
	void (*done)(struct scry_runtime *r);
	enum scry_model_kind model;
	/* how a thread state is recognised that was made for a thread that does not run yet */
	enum scry_newborn {
		SCRY_NEWBORN_UNKNOWN,
		SCRY_NEWBORN_COUNTER, /* it has its creator's ids, and is not counted yet */
		SCRY_NEWBORN_NO_ID,   /* it has no id */
	} newborn;
};

/** Facts that hold in some versions only; traits.def says what each means. */
#define TRAIT(name, since, until) SCRY_TRAIT_##name,
enum scry_trait {
#include "runtime/traits.def"
	SCRY_TRAIT_COUNT
};
#undef TRAIT
/** Does it hold for the runtime's version? */
bool scry_trait(const struct scry_runtime *r, enum scry_trait trait);

/** The row for a version, the last whose `since` is not newer; never NULL. */
const struct scry_strategy *scry_strategy_for(uint32_t version);

/* --- runtimes --- */
/**
 * The runtimes of the target, validated; NULL where there is none (the session's error and notes
 * say why).
 */
struct scry_runtime *scry_runtime_first(struct scry_session *s);
/** Pythons that are loaded without an interpreter; known once scry_runtime_first() was called. */
struct scry_dormant *scry_dormant_first(struct scry_session *s);
/** Free what the runtimes keep outside of the arena. */
void scry_runtimes_done(struct scry_session *s);
/**
 * Search once more, and take back the notes of the last search: it saw a process that was still
 * running, and threads that have ended since.
 */
void scry_runtimes_search_again(struct scry_session *s);
/** Read interpreters and GILs again: for a target just stopped, before threads are asked for. */
void scry_runtimes_reload(struct scry_session *s);

/* --- fields --- */
/** A struct of the target, copied in one read; fields are then taken from the copy. */
#define SCRY_RECORD_MAX 512
struct scry_record {
	struct scry_runtime *runtime;
	scry_addr addr;
	uint32_t len; /* bytes that could be read; a field past them counts as missing */
	uint8_t data[SCRY_RECORD_MAX];
};
/**
 * Copy as much of the struct at `addr` as its known fields span (at most SCRY_RECORD_MAX bytes,
 * fewer at the end of a mapping). SCRY_EFAULT where not even the first pointer is readable.
 */
int scry_record_read(struct scry_runtime *r, enum scry_struct what, scry_addr addr,
		     struct scry_record *ret);
/** True where the layout has the field and the copy reaches it. */
bool scry_record_has(const struct scry_record *rec, enum scry_field f);
/** An unsigned or pointer field; 0 where !scry_record_has(). */
uint64_t scry_record_uint(const struct scry_record *rec, enum scry_field f);
/** The same, sign-extended. */
int64_t scry_record_int(const struct scry_record *rec, enum scry_field f);
/** One field, straight from the target. SCRY_ENOFIELD (scry_fail names it), or SCRY_EFAULT. */
int scry_field_read(struct scry_runtime *r, scry_addr base, enum scry_field f, uint64_t *ret);
int scry_field_read_int(struct scry_runtime *r, scry_addr base, enum scry_field f, int64_t *ret);
/** The field's value, or 0 where it cannot be had or `base` is 0: for what may be missing. */
uint64_t scry_field_get(struct scry_runtime *r, scry_addr base, enum scry_field f);
int64_t scry_field_get_int(struct scry_runtime *r, scry_addr base, enum scry_field f);
/** base + offset, 0 where the layout lacks the field. */
scry_addr scry_field_addr(struct scry_runtime *r, scry_addr base, enum scry_field f);
/** A pointer-sized word at `addr`; SCRY_EFAULT where it cannot be read. */
int scry_word(struct scry_runtime *r, scry_addr addr, uint64_t *ret);

/* --- threads and frames --- */
/** Every thread, Python's first (in interpreter order), then OS threads without Python state. */
struct scry_thread *scry_thread_first(struct scry_session *s);
/** Give all threads their `index`: the debugger's numbers, or from 1 on. */
void scry_threads_number(struct scry_session *s);
/** A thread by OS thread id, index ("1") or threading name, for commands; SCRY_ENOTFOUND. */
int scry_thread_find(struct scry_session *s, const char *text, struct scry_thread **ret);
/** The thread that commands act on: the user's choice, else the crashed one, else the main one. */
struct scry_thread *scry_thread_selected(struct scry_session *s);
/** Has the thread ended: the system has no such thread, or only its id is left? */
static inline bool scry_thread_is_gone(const struct scry_thread *t)
{
	return !t->os || t->os->exited;
}
/** The address of a thread's newest frame, 0 none. */
int scry_thread_top(struct scry_thread *t, scry_addr *ret);
/**
 * The used part of an OS thread's C stack, [start, end): from its stack pointer to the end of the
 * mapping. False where either is not known.
 */
bool scry_os_thread_stack(struct scry_target *t, const struct scry_os_thread *os,
			  scry_addr *ret_start, scry_addr *ret_end);

/** A position in a thread's data stack (3.11+, datastack.h). */
struct scry_data_stack {
	struct scry_runtime *runtime;
	bool known;   /* false: there is none, or it makes no sense */
	scry_addr at; /* the next older frame ends here */
	struct scry_data_chunk {
		scry_addr addr, previous; /* 0 none */
		scry_addr first, used, end;
	} chunk;
	unsigned chunks; /* how many it has gone back over */
};

/** A walk over a chain of frames; shims are skipped, damage is an item where it is met. */
struct scry_walk {
	struct scry_thread *thread; /* may be NULL */
	struct scry_runtime *runtime;
	scry_addr next;
	unsigned depth;
	bool ended;
	scry_addr anchor; /* Brent's cycle detection */
	uint64_t power, steps;
	/* what a thread's chain is checked against */
	struct scry_data_stack data;
	struct scry_own_frames *own;    /* <= 3.10; NULL: no frame is in doubt */
	bool tracing;                   /* <= 3.10: inside a trace function */
	bool alien;                     /* not plain CPython: Stackless has its own chains */
	bool fresh;                     /* C code called the next frame, or it is the newest */
	bool any;                       /* a frame was read */
	unsigned run, breaks, readings; /* damage in a row; links to nowhere; settle.c */
};
/** Begin at a thread's newest frame; *w borrows the thread, and needs no release. */
void scry_walk_thread(struct scry_walk *w, struct scry_thread *t);
/** Begin at any frame: that of a suspended generator, a tasklet, a traceback. */
void scry_walk_from(struct scry_walk *w, struct scry_runtime *r, scry_addr frame);
/**
 * The next older Python frame in *ret (storage is the caller's): SCRY_ITEM, SCRY_OK at the end.
 * Shims are skipped and mark the frame before them as `entry`. A frame that cannot be true gets the
 * kind SCRY_FRAME_DAMAGED, and keeps its code where that is sound. A link that leads where it
 * cannot, or a chain that ends too early, is an item of that kind too, without code; the walk then
 * goes on where the thread's own stack proves what comes next, or else ends.
 */
int scry_walk_next(struct scry_walk *w, struct scry_frame *ret);
/** Where the frame is in its source. SCRY_OK with zeros where the table has no line for it. */
int scry_frame_location(const struct scry_frame *f, struct scry_location *ret);
/** Why the frame's line is not known; NULL where it is, or where its instruction has none. */
const char *scry_frame_line_lost(const struct scry_frame *f);
/** Decode the frame at `addr` without a walk: for frame objects met as values. */
int scry_frame_at(struct scry_runtime *r, scry_addr addr, struct scry_frame *ret);
/**
 * The next bound local variable, in source order; *it is 0 at first. SCRY_ITEM, or SCRY_OK at the
 * end. Fast locals only: those of a module or class body are in its dict, f->locals.
 */
int scry_frame_local_next(const struct scry_frame *f, unsigned *it, struct scry_local *ret);
/** The code object at `addr`, decoded and remembered; NULL only when out of memory. */
struct scry_code *scry_code_at(struct scry_runtime *r, scry_addr addr);
/** The same, but NULL where there is no sound code object. */
struct scry_code *scry_code_at_checked(struct scry_runtime *r, scry_addr addr);
/** Fill in c->locals, once. Negative where they are not all known: c->locals_bad says why. */
int scry_code_locals(struct scry_code *c);
/** Where an instruction is in the source; SCRY_OK with zeros where the table does not say. */
int scry_code_location(struct scry_code *c, int64_t lasti, struct scry_location *ret);

/** The object that a tagged reference means (3.13t deferred, 3.14+ on stacks); 0 for none. */
scry_addr scry_untag(struct scry_runtime *r, scry_addr word);
/**
 * The text of a str (or 2.7 str/unicode) object as WTF-8 in the arena, cut at `max` characters.
 * SCRY_ECORRUPT for other objects.
 */
int scry_text_at(struct scry_runtime *r, scry_addr str, size_t max, const char **ret);
/**
 * Why the text of a str object (2.7: bytes) cannot be believed; NULL: nothing speaks against it.
 * Set in src/registry.c, for this room does not know of objects.
 */
extern const char *(*const scry_text_doubt)(struct scry_runtime *r, scry_addr str);
/**
 * Is it one of the interpreter's own types: not made by a class statement or PyType_FromSpec(), but
 * in the same file as its metatype?
 */
bool scry_type_is_own(struct scry_runtime *r, scry_addr type);
/** tp_name of a type object, cached; SCRY_ECORRUPT where it is not a type. */
int scry_type_name(struct scry_runtime *r, scry_addr type, const char **ret);
/**
 * The same, but only what the target itself has: a dump may lack the names of static types, and
 * scry_type_name() then gives a name under which the type was met somewhere.
 */
int scry_type_own_name(struct scry_runtime *r, scry_addr type, const char **ret);

#endif
