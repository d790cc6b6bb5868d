/** Why a process died, as far as can be told: the signal, the instruction, what it touched. */
#ifndef SCRY_FATAL_H
#define SCRY_FATAL_H

#include "native/decode.h"
#include "native/meaning.h"

/** Nothing is mapped below this address (vm.mmap_min_addr). */
#define SCRY_CRASH_NULL_END 65536
#define SCRY_CRASH_FRAMES   64
#define SCRY_CRASH_LINES    16
#define SCRY_CRASH_OPERANDS 6

/** What the failed instruction did with memory. */
enum scry_access {
	SCRY_ACCESS_NONE, /* nothing, or it is not known */
	SCRY_ACCESS_READ,
	SCRY_ACCESS_WRITE,
	SCRY_ACCESS_EXECUTE,
};

/** A register that the instruction uses, and what its value is. */
struct scry_crash_operand {
	const char *name;
	uint64_t value;
	const char *is; /* "NULL", "object", "freed", "wild" ... */
	struct scry_meaning meaning;
};

/** Sentences, in the session's arena. */
struct scry_lines {
	const char *text[SCRY_CRASH_LINES];
	unsigned count;
};

/** All that was found out. Texts are in the session's arena. */
struct scry_crash {
	struct scry_session *session;
	struct scry_thread *thread;
	struct scry_words words; /* what a word means to this thread */
	int signal;              /* 0: it is Windows' `exception` */
	bool has_code;
	int code; /* si_code */
	uint32_t exception;
	bool sent; /* by somebody, as abort() does: no instruction failed */
	/* a handler ran (faulthandler) and raised the signal again: this is the first one */
	bool handled;
	const char *code_words; /* "no permission for the mapping", NULL unknown */
	bool has_address;
	scry_addr address;
	bool computed; /* the kernel gave no address: it follows from the instruction */
	enum scry_access access;
	uint64_t size; /* bytes of the access, 0 unknown */
	/* innermost first; registers of the first are those of the crash */
	struct scry_native_frame *frames;
	unsigned count;
	unsigned site; /* index of the frame to blame, whose instruction `instruction` is */
	const char *function, *file, *module;
	int line;
	bool has_insn;
	struct scry_insn insn;
	const char *instruction; /* as gdb writes it, NULL unknown */
	struct scry_crash_operand operands[SCRY_CRASH_OPERANDS];
	unsigned operand_count;
	struct scry_lines why;    /* what the address is, what was wrong */
	struct scry_lines origin; /* where the bad value came from, step by step */
	/* from where the bad value was loaded, and what led to it */
	scry_addr loads[SCRY_CRASH_LINES];
	unsigned load_count;
	const char *message; /* what it said before it ended; NULL: not known */
	bool stack_overflow;
	bool has_python;
	struct scry_frame python; /* the newest frame of the thread */
};

/**
 * Work out why a thread crashed. SCRY_ENOTFOUND where it did not. Release with scry_crash_done().
 */
int scry_crash_read(struct scry_session *s, struct scry_thread *t, struct scry_crash *ret);
void scry_crash_done(struct scry_crash *c);

/* --- its parts --- */
/** Append a sentence; beyond SCRY_CRASH_LINES it is dropped. */
void scry_crash_say(struct scry_crash *c, struct scry_lines *to, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/** Which access failed, and at which address (fault.c). */
void scry_crash_fault(struct scry_crash *c, struct scry_decoder *d);
/** What the address is: sentences in c->why (fault_address.c). */
void scry_crash_explain(struct scry_crash *c);
/**
 * Where the value of a register at the crash came from (-1: no register), and how the function was
 * called: c->origin (origin.c).
 */
void scry_crash_origin(struct scry_crash *c, struct scry_decoder *d, int reg);
/** Was a Py_buffer used after it was released? Then c->why has it (buffer_use.c). */
void scry_crash_tell_buffer(struct scry_crash *c);
/** A value that was loaded, and what ran between that and the crash. */
struct scry_load {
	scry_addr at;
	const char *reg;    /* what it was loaded into */
	unsigned calls;     /* of functions, in between */
	const char *callee; /* the last of them; NULL: not known */
	bool has_value;
	uint64_t value; /* as it was loaded */
};
/**
 * Say in c->why that the value comes from memory that is free, with "perhaps" where that may be so
 * only since (freed_load.c). False: it is not free.
 */
bool scry_crash_tell_freed(struct scry_crash *c, const struct scry_load *l);
/** Is the function a part of how a Rust program panics, and ends? */
bool scry_is_rust_panic(const struct scry_symbol *symbol);
/** What the parameters of a Windows exception tell: c->why (windows_exception.c). */
void scry_crash_explain_exception(struct scry_crash *c);
/** Type and what() of a C++ exception that nobody caught on Windows; NULL where it is none. */
const char *scry_crash_cxx_of_windows(struct scry_crash *c);
#define SCRY_CRASH_TEXT_MAX 1000 /* bytes of what a program said */
/** What an abort said: c->message, and who asked for it (aborted.c). */
void scry_crash_message(struct scry_crash *c, struct scry_decoder *d);
/** The address of a memory operand, by a frame's registers; false where one is not known. */
bool scry_operand_address(struct scry_crash *c, const struct scry_regs *regs,
			  const struct scry_insn *insn, const struct scry_operand *o,
			  scry_addr *ret);
/** "NULL", "object", "wild" ...: for JSON and text. */
const char *scry_crash_is(struct scry_crash *c, uint64_t value, const struct scry_meaning *m);
/** Append what is at an address, or what a word means: "list [1, 2]", "stack". */
void scry_crash_put_meaning(struct scry_crash *c, uint64_t value, struct scry_buf *out);
/** The function that an address is in, or that its PLT stub jumps to; NULL unknown. */
const char *scry_crash_function(struct scry_crash *c, struct scry_decoder *d, scry_addr at);
/** Gives a register's value on entry to the frame's function; fn NULL: none is known. */
struct scry_entry {
	bool (*fn)(void *arg, int reg, uint64_t *ret, bool *ret_doubtful);
	void *arg;
};
struct scry_scope;
/** What unwinding, or the callers of the scope's function, tell of that (recover.c). */
struct scry_entry scry_entry_of(struct scry_scope *scope);
/**
 * The value of a register before the instruction at `at` of a frame whose registers are known there
 * or at the call that it is in; false where that cannot be told. Where it was read from memory that
 * a function may have written to since, *ret_doubtful is set; NULL: such a value is not known
 * (code_path.c).
 */
bool scry_value_before(struct scry_crash *c, struct scry_decoder *d,
		       const struct scry_native_frame *f, scry_addr at, int reg,
		       struct scry_entry entry, uint64_t *ret, bool *ret_doubtful);
/**
 * Has the frame's function, which is at the instruction `at`, left a register as it was when it was
 * entered, and called nobody before? False where that cannot be told (code_path.c).
 */
bool scry_untouched(struct scry_crash *c, struct scry_decoder *d, const struct scry_native_frame *f,
		    scry_addr at, int reg);
/** Where the call or jump at `at` leads, by its own operand; the rest is as above (origin.c). */
bool scry_call_target(struct scry_crash *c, struct scry_decoder *d,
		      const struct scry_native_frame *f, scry_addr at, struct scry_entry entry,
		      scry_addr *ret);
/**
 * Argument `number` (from 0) of the function of frame `i`: by the code of its caller, or of the
 * function that the caller called and that jumped on to it at its end (call_argument.c).
 */
bool scry_call_argument(struct scry_crash *c, struct scry_decoder *d, unsigned i, unsigned number,
			uint64_t *ret);
/** A text without the line's end, in the arena; NULL where nothing is left. */
const char *scry_crash_trimmed(struct scry_crash *c, const char *text);
/** The text that it points to, without the line's end; NULL where none does. */
const char *scry_call_text(struct scry_crash *c, struct scry_decoder *d, unsigned i,
			   unsigned number);
/** "Fatal Python error: …"; what it says of a reference count is in c->why (fatal_error.c). */
const char *scry_crash_of_python(struct scry_crash *c, struct scry_decoder *d);
/** The name of the member at an offset of a type object: "tp_dealloc"; NULL none. */
const char *scry_type_slot_name(const struct scry_runtime *r, uint64_t offset);

#endif
