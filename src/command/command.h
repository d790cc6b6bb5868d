/**
 * A command: one file with its function and its row, and its name in SCRY_COMMANDS below. What all
 * commands share is here: the call with its parsed options, and the pieces of text and JSON that
 * several of them show.
 */
#ifndef SCRY_COMMAND_H
#define SCRY_COMMAND_H

#include "base/json.h"
#include "command/render/render.h"
#include "native/merge.h"
#include "runtime/runtime.h"
#include "symbol/source.h"

/** What is special about a command. */
enum scry_command_flags {
	SCRY_COMMAND_MOVES = 1, /* it changes the selected frame (debuggers keep the session) */
	/* what follows the options is one argument, as typed: an expression */
	SCRY_COMMAND_RAW = 2,
	SCRY_COMMAND_CPYTHON = 4, /* it knows only CPython's structs */
	/* it takes a value: what is not one for us may be an expression of the debugger */
	SCRY_COMMAND_VALUE = 8,
	/* its arguments on the command line are targets; showing what was gathered needs none */
	SCRY_COMMAND_TARGETS = 16,
	SCRY_COMMAND_MACHINE = 32, /* it is about this machine, and needs no target */
};

#define SCRY_MAX_FLAGS 8

/** An option of one command; the common ones (--json, --limit ...) are in options.c. */
struct scry_flag {
	const char *name;  /* "all": --all */
	char letter;       /* 'a': -a; 0: none */
	const char *value; /* the name of its value in the help ("N"); NULL: it is a switch */
	const char *help;
	/* the words that its value may be, separated by blanks; NULL: anything */
	const char *values;
};

struct scry_frames;

/** One invocation. A command writes text to `out`, or JSON where `json` is set. */
struct scry_call {
	struct scry_session *s;
	const struct scry_command_row *row;
	const char *line; /* as typed, without the command's name */
	char **argv;      /* its words without options */
	const char **at;  /* where in `line` each word began */
	int argc;
	struct scry_buf *out;
	struct scry_json *json;    /* NULL: text */
	struct scry_render render; /* where the command's facts go: text or JSON */
	bool color;
	bool verbose; /* -v */
	bool help;
	/* --thread, --frame: for this call only; NULL: not given */
	const char *thread, *frame;
	/*
	 * The caller's, for stacks of many targets: with an open target the command stacks adds its
	 * stacks, and without one it shows them. NULL: it does both for one target.
	 */
	struct scry_fold *gathered;
	bool partial;     /* set by the command: something could not be shown (exit status 1) */
	bool unsound;     /* set by the command: it found what it looked for (exit status 1) */
	bool has_threads; /* the command has written the JSON's "threads" */
	struct scry_frames *c_frames; /* cvars.h: unwound once; NULL: not yet */
	struct scry_hash rendered;    /* frames already written, by code and instruction */
	/* in a stack: the frame before the current one; NULL: not known (object/c_call.h) */
	const struct scry_newer *newer;
	/* by index in row->flags: NULL where not given, "" for a switch */
	const char *flag[SCRY_MAX_FLAGS];
};

struct scry_fold;

/** One command: all that the debuggers, the command line, its help and completion need of it. */
struct scry_command_row {
	struct scry_command public;
	/** SCRY_OK, or a negative result after scry_fail(): nothing could be shown. */
	int (*run)(struct scry_call *call);
	const struct scry_flag *flags; /* ends with a NULL name; may be NULL */
	/** Why a CPYTHON one has nothing to say of PyPy; NULL: it does not know its objects. */
	const char *pypy;
	/* more arguments are refused; a RAW command has at most one */
	int max_args;
	/** The facts whose keys it adds to the answer; the list ends with NULL. NULL: none. */
	const struct scry_facts *const *says;
	/**
	 * Completions of an argument (options are completed without it), one a line; may be NULL.
	 */
	void (*complete)(struct scry_session *s, const char *word, struct scry_buf *out);
};

/** THE list of commands: scry_command_NAME is the row of each, in the command's own file. */
/* clang-format off */
#define SCRY_COMMANDS(X) \
	X(bt) X(bt_full) X(threads) X(up) X(down) X(frame) X(list) X(locals) X(print) \
	X(heap) X(refs) X(verify) \
	X(info) X(dis) X(exc) X(obj) X(regs) X(tasks) X(generators) X(greenlets) \
	X(tasklets) X(channels) X(zombies) X(crash) X(cvars) X(whatis) X(gc) \
	X(waits) X(locks) X(stacks) X(modules) X(doctor)
/* clang-format on */

#define COMMAND(name) extern const struct scry_command_row scry_command_##name;
SCRY_COMMANDS(COMMAND)
#undef COMMAND
extern const struct scry_command_row *const scry_command_rows[]; /* ends with NULL */

/**
 * SCRY_EUNSUPPORTED (scry_fail names the interpreter) where the target has no interpreter with
 * CPython's objects: to answer that it has none of something would be wrong.
 */
int scry_refuse_others(struct scry_call *call);
/** The value of one of the command's own options: NULL where not given, "" for a switch. */
const char *scry_call_flag(const struct scry_call *call, const char *name);
/** A whole decimal or 0x number; false for anything else. */
bool scry_parse_number(const char *text, uint64_t *ret);

/** scry_command_run() of a command whose arguments are targets, for many of them. */
int scry_command_run_many(struct scry_session *s, const char *name, const char *args,
			  struct scry_fold *gathered, struct scry_buf *out, struct scry_buf *err);

/* --- text --- */
/** Colours, by what they mean. */
enum scry_style {
	SCRY_STYLE_OFF,
	SCRY_STYLE_FUNCTION,
	SCRY_STYLE_FILE,
	SCRY_STYLE_LINE,
	SCRY_STYLE_NAME,
	SCRY_STYLE_ERROR,
	SCRY_STYLE_DIM,
	SCRY_STYLE_MARK
};
/** The escape sequence of a style; "" where colour is off. */
const char *scry_style(const struct scry_call *call, enum scry_style style);
/**
 * Append a target's text so that it cannot drive a terminal: control, bidirectional and
 * invisible characters, lone surrogates and bytes that are not UTF-8 become \xNN, \uNNNN or
 * \UNNNNNNNN. Tabs stay.
 */
void scry_put_safe(struct scry_buf *out, const char *text);
void scry_put_safe_bytes(struct scry_buf *out, const char *text, size_t len);
/** The same in a style's colour. */
void scry_put_styled(struct scry_call *call, enum scry_style style, const char *text);
/** Append 199990 as "199,990". */
void scry_put_count(struct scry_buf *out, uint64_t n);
/** How many terminal columns a code point takes: 0, 1 or 2, or those of its escape. */
unsigned scry_char_width(unsigned code);

/* --- frames and stacks --- */
/**
 * The selected thread with Python frames, and the selected frame of it. Negative after scry_fail().
 */
int scry_selected_thread(struct scry_session *s, struct scry_thread **ret);
int scry_selected_frame(struct scry_session *s, struct scry_thread **ret_thread,
			struct scry_frame *ret);
/** The selected frame, if it has code; SCRY_ECORRUPT for a damaged one. */
int scry_selected_code(struct scry_session *s, struct scry_frame *ret);
/**
 * Frame `number` (0 the newest) of a thread: SCRY_ENOTFOUND past the oldest, whose number is in
 * *ret_count - 1.
 */
int scry_frame_number(struct scry_thread *t, unsigned number, struct scry_frame *ret,
		      unsigned *ret_count);

/** Of a struct scry_frame with code: "f (x.py:7)". */
extern const struct scry_facts scry_facts_place;
/** What is wrong with the frame, or with the chain of frames at it; NULL: nothing. */
const char *scry_frame_damage_of(const struct scry_frame *f);
/**
 * Write "#3  f (x.py:7)" and the source line, or an element of "frames", with "locals" where the
 * user asked for them. Damage makes the answer partial.
 */
void scry_say_frame(struct scry_call *call, const struct scry_frame *f);
/** The same as the whole answer: in JSON as the one frame of its thread. */
void scry_say_frame_of(struct scry_call *call, struct scry_thread *t, struct scry_frame *f);
/** The same with the frames that frames(call, arg) writes. */
void scry_say_frames_of(struct scry_call *call, struct scry_thread *t,
			void (*frames)(struct scry_call *call, void *arg), void *arg);
/** Only a C frame of a merged stack. */
void scry_say_native(struct scry_call *call, const struct scry_frame *f);
/** Of a struct scry_frame: what scry_say_frame() says; of a C frame of a merged stack. */
extern const struct scry_facts scry_facts_frame, scry_facts_native;
/** Write the frame's variables: indented "name = repr" lines, or the key "locals"; how many. */
unsigned scry_say_locals(struct scry_call *call, const struct scry_frame *f, const char *indent);
extern const struct scry_facts scry_facts_locals;
/** Call `each` for every variable, with its repr. */
void scry_locals_each(struct scry_call *call, const struct scry_frame *f,
		      void (*each)(void *arg, const char *name, const char *repr), void *arg);

/**
 * Write the byte code of `c`, with the instruction at `lasti` marked (-1 none); without `all` only
 * what is around it. In JSON the keys "instructions" and "exception_table".
 */
extern const struct scry_facts scry_facts_instructions;
int scry_put_instructions(struct scry_call *call, struct scry_code *c, int64_t lasti, bool all);
/**
 * The code of what `name` means: a function, a method or anything else with code, as print finds
 * it, or code on the stack. Negative after scry_fail().
 */
int scry_find_function(struct scry_call *call, const char *name, struct scry_code **ret);

/**
 * Where the frames of a stack come from: SCRY_ITEM, SCRY_OK at the end, negative after scry_fail().
 */
struct scry_stack {
	int (*next)(struct scry_stack *stack, struct scry_frame *ret);
	/* for scry_stack_of_thread(); others embed the struct in their own */
	struct scry_walk walk;
	struct scry_merge *merge; /* C frames too; NULL: only Python frames */
	bool runs;                /* a thread's: the C functions that it calls are shown */
	bool locals;              /* text: "name = repr" lines below each frame */
	bool whole;               /* text: do not fold repeated frames */
};
struct scry_stack scry_stack_of_thread(struct scry_thread *t);
/** C and Python frames; `m` is initialized, and the caller's while the stack is in use. */
struct scry_stack scry_stack_merged(struct scry_merge *m);
/**
 * Write all frames, newest first. In text, runs of equal frames are folded ("... 199,990 more
 * frames of f at x.py:3"), and --limit cuts and says so; in JSON they are the elements of an open
 * list. Returns how many frames there are, shown or not; *ret_omitted: how many older ones --limit
 * cut.
 */
uint64_t scry_say_frames(struct scry_call *call, struct scry_stack *stack, uint64_t *ret_omitted);
/** In text, a line that so many were omitted, where the count is not 0. */
void scry_say_omitted(struct scry_call *call, uint64_t count);

/* --- threads --- */
/** Append `Thread 4711 "MainThread" [crashed: SIGSEGV at 0x10, holds the GIL]`, no line end. */
void scry_thread_text(struct scry_call *call, const struct scry_thread *t);
/** Why the thread's frames are missing, or its newest one is damaged; NULL: neither. */
const char *scry_thread_trouble(struct scry_thread *t);
/**
 * In text, lines about what is unusual: a Python that is not initialised yet, is being finalized or
 * is gone, a collection whose thread is not known, a build without a GIL. JSON has it in
 * "runtimes".
 */
void scry_phases_text(struct scry_call *call);
/** " free-threaded", also saying whether its GIL is on nevertheless; "" for other builds. */
const char *scry_free_threaded_text(const struct scry_runtime *r);
/** The facts of a struct scry_target, a struct scry_runtime, and a struct scry_dormant. */
extern const struct scry_facts scry_facts_target, scry_facts_runtime, scry_facts_dormant;
/** The answer's list "threads". */
void scry_threads_open(struct scry_call *call);
void scry_threads_close(struct scry_call *call);
/** The facts of a struct scry_thread, with its head line as text. */
extern const struct scry_facts scry_facts_thread;
/** The same with its stack: the elements of "threads". */
extern const struct scry_facts scry_facts_thread_stack;
/** What comes before every command's own keys. */
extern const struct scry_facts scry_facts_head;
extern const char *const scry_thread_phrases[];
/** "SIGSEGV", or "signal 99" (in a static buffer of the call's thread). */
const char *scry_signal_name(int number);
/** "exception 0xc0000005 (access violation)" (in a static buffer of the call's thread). */
const char *scry_exception_name(uint32_t code);

/**
 * Stop the target, find its threads and name them; what takes long is done before, while it still
 * runs. scry_command_release() lets it go, unless the session holds it.
 */
void scry_command_hold(struct scry_session *s, bool native);
void scry_command_release(struct scry_session *s);

/* --- what run.c needs of options.c --- */
/**
 * Split call->line into argv as a shell does: quotes and backslashes. Negative after scry_fail()
 * for an open quote, which a RAW command may have.
 */
int scry_split(struct scry_call *call);
/**
 * Take the options out of argv: the command's own into call->flag, common ones into the session's
 * options. A RAW command's options end at the first other word, and the rest of the line, as typed,
 * is its one argument.
 */
int scry_parse_options(struct scry_call *call);
/** What every command takes. */
extern const struct scry_flag scry_common_flags[];
void scry_put_flags(struct scry_buf *out, const struct scry_flag *flags);
void scry_put_usage(struct scry_call *call);
/** Append `name` as a completion, if it begins with `word` and is one word. */
void scry_offer(struct scry_buf *out, const char *word, const char *name);
void scry_complete_options(const struct scry_command_row *row, const char *word,
			   struct scry_buf *out);
/** The JSON around a command's own keys. */
void scry_envelope_open(struct scry_call *call);
void scry_envelope_close(struct scry_call *call, int rc);

#endif
