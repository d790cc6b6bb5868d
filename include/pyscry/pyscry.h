/**
 * pyscry: the Python half of a dead or stuck process.
 *
 * One session looks at one target: an ELF core, a Windows minidump, a live process, or whatever a
 * debugger lends. Everything a session hands out (threads, frames, strings) lives in the session
 * and dies with scry_session_refresh() or scry_session_free(). A session is used by one thread at a
 * time. Nothing of a target is ever executed, and nothing in it is trusted.
 *
 * There are two ways to ask: commands, which give the text or JSON that a user sees, and walks over
 * threads, frames and objects. Sizes are in bytes. Texts are UTF-8, in which a lone surrogate of
 * the target's keeps its three-byte form (WTF-8). A session or handle must not be NULL except where
 * that is said. docs/api.md has examples.
 */
#ifndef PYSCRY_H
#define PYSCRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SCRY_API __attribute__((visibility("default")))

/** The version of this header; scry_version_number() is that of the library that runs. */
#define SCRY_VERSION_STRING "0.1.0"
#define SCRY_VERSION_NUMBER 0x000100 /* major << 16 | minor << 8 | micro */

typedef uint64_t scry_addr; /* an address in the target; never dereferenced here */

/** What every fallible function returns. `_next` functions return SCRY_ITEM until they run dry. */
enum scry_result {
	SCRY_OK = 0,            /* done, or no more items */
	SCRY_ITEM = 1,          /* one more item was produced */
	SCRY_ENOMEM = -1,       /* out of memory, in this process */
	SCRY_EFAULT = -2,       /* target memory missing or unreadable */
	SCRY_ECORRUPT = -3,     /* it was read, but makes no sense */
	SCRY_ENOFIELD = -4,     /* the layout has no such field */
	SCRY_ENOTFOUND = -5,    /* no such thread, symbol, runtime ... */
	SCRY_EUNSUPPORTED = -6, /* known, but not supported, or not without running code */
	SCRY_ELIMIT = -7,       /* a safety limit ended the walk */
	SCRY_EINVAL = -8,       /* the caller's mistake */
	SCRY_ESYSTEM = -9,      /* a system call or a library failed */
	SCRY_ESTOPPED = -10,    /* scry_session_stop(): what was found until then may be wrong */
};

/** Limits that a user can set; each truncates and says so, none turns a result into a failure. */
enum scry_limit {
	SCRY_LIMIT_FRAMES, /* frames shown of one stack; 0: all, folded */
	SCRY_LIMIT_TASKS,  /* tasks shown */
	SCRY_LIMIT_ITEMS,  /* items shown of one container */
	SCRY_LIMIT_DEPTH,  /* nesting of containers */
	SCRY_LIMIT_STRING, /* characters shown of one string */
	SCRY_LIMIT_TEXT,   /* bytes of one value's text altogether */
	SCRY_LIMIT_COUNT
};

struct scry_session;
struct scry_buf;
struct scry_thread;
struct scry_frame;
struct scry_code;
struct scry_task;

/** One command of the table that GDB, LLDB and the command line share. All strings are static. */
struct scry_command {
	const char *name;    /* "bt"; the debuggers register it as "py-bt" */
	const char *usage;   /* "[--all|THREAD] [-v] [--limit N]" */
	const char *summary; /* one line */
	const char *help;    /* paragraphs, plain text */
	unsigned flags;      /* enum scry_command_flags */
};

/**
 * How a debugger lends its target. Any function but `read` may be NULL. All are called on the
 * thread that uses the session, only while a call into the library is under way.
 */
struct scry_host_ops {
	/**
	 * sizeof(struct scry_host_ops) when the caller was compiled: later members count as NULL.
	 */
	size_t size;
	/**
	 * Copy up to `len` bytes at `addr`; return how many were readable from `addr` on (0: none).
	 */
	int64_t (*read)(void *arg, scry_addr addr, void *buf, size_t len);
	/** The OS thread id of thread `i`, counted from 0: SCRY_ITEM, or SCRY_OK past the last. */
	int (*thread)(void *arg, unsigned i, uint64_t *ret_tid);
	/** A register of a thread's innermost frame by its gdb name: SCRY_OK, or SCRY_ENOTFOUND. */
	int (*reg)(void *arg, uint64_t tid, const char *name, uint64_t *ret);
	/**
	 * Mapping `i`: SCRY_ITEM, or SCRY_OK past the last. `flags` ORs 4 read, 2 write, 1 execute.
	 */
	int (*map)(void *arg, unsigned i, scry_addr *ret_start, scry_addr *ret_end,
		   uint64_t *ret_offset, unsigned *ret_flags, const char **ret_path);
};

/** "0.1.0", and the same as SCRY_VERSION_NUMBER has it. */
SCRY_API const char *scry_version(void);
SCRY_API unsigned scry_version_number(void);

/** Create an empty session; NULL when out of memory. Free it with scry_session_free(). */
SCRY_API struct scry_session *scry_session_new(void);
/** Close and free a session and everything that it handed out; takes NULL. */
SCRY_API void scry_session_free(struct scry_session *s);
/**
 * Set an option by name before opening: "exe", "sysroot", "symbols", "search" (each call adds a
 * directory), "source-map" (each call adds one FROM=TO), "layout" (auto|offsets|dwarf|members|rows:
 * the only source to use), "debuginfod" (0|1), "untrusted" (0|1), "color" (always|never), "json"
 * (0|1), "locals" (0|1), "hold" (seconds that a process is stopped at most), "prefix" ("py-" in a
 * debugger: how commands name each other in text), "interruptible" (0|1: while a command runs,
 * SIGINT is the library's, and stops it as scry_session_stop() does). SCRY_EINVAL for an unknown
 * name or value.
 */
SCRY_API int scry_session_set(struct scry_session *s, const char *name, const char *value);
/** Set a limit, at any time; 0 is none. An unknown one is ignored. */
SCRY_API void scry_session_set_limit(struct scry_session *s, enum scry_limit limit, uint64_t value);
/**
 * End the call under way: nothing more is read, a command comes back with 3 and no text, a walk
 * with SCRY_ESTOPPED. For a host's callbacks, other threads and signal handlers; without a call
 * under way it does nothing. What the session has found out so far may be wrong: refresh it, or
 * open another one.
 */
SCRY_API void scry_session_stop(struct scry_session *s);
/**
 * Open a core or minidump, compressed or not; its content says which it is. A session has one
 * target: SCRY_EINVAL where it has one already, from this or the functions below.
 */
SCRY_API int scry_session_open_dump(struct scry_session *s, const char *path);
/** Open a live process. It is stopped only while it is being read, and never left stopped. */
SCRY_API int scry_session_open_pid(struct scry_session *s, int pid);
/**
 * Open what a debugger has. `pid` is the process on this machine, 0 none. The ops are copied, `arg`
 * must outlive the session. SCRY_EINVAL where they have no size, or no `read`.
 */
SCRY_API int scry_session_open_host(struct scry_session *s, const struct scry_host_ops *ops,
				    void *arg, int pid);
/**
 * Say which signal stopped thread `tid` of a debugger's target; `fault` is the address concerned,
 * NULL none. It holds until refresh. SCRY_ENOTFOUND where there is no such thread.
 */
SCRY_API int scry_session_set_signal(struct scry_session *s, uint64_t tid, int signal,
				     const scry_addr *fault);
/**
 * Forget all that was read, since a live target has run on: whatever was handed out before is dead.
 */
SCRY_API void scry_session_refresh(struct scry_session *s);
/** The text of the last failure; never NULL, valid until the next call. */
SCRY_API const char *scry_session_error(struct scry_session *s);
/**
 * Say which number a debugger has given to a thread: commands show and take it in place of their
 * own. It holds as long as the session; threads without one get numbers above the highest.
 * SCRY_EINVAL where either is 0.
 */
SCRY_API int scry_session_number(struct scry_session *s, uint64_t tid, unsigned number);
/**
 * Choose the OS thread that commands act on; its Python frame 0 becomes the selected one. 0: none
 * is preferred. SCRY_ENOTFOUND where the target has no such thread.
 */
SCRY_API int scry_session_select(struct scry_session *s, uint64_t tid);

/** An empty buffer; NULL when out of memory. Free it with scry_buf_free(), which takes NULL. */
SCRY_API struct scry_buf *scry_buf_new(void);
SCRY_API void scry_buf_free(struct scry_buf *b);
/** The text so far, NUL-terminated; valid until the next append. Never NULL. */
SCRY_API const char *scry_buf_text(struct scry_buf *b);
/** Its length without that NUL; a text of the target's may have others inside it. */
SCRY_API size_t scry_buf_len(const struct scry_buf *b);
/** Forget the text, keep the buffer. */
SCRY_API void scry_buf_clear(struct scry_buf *b);

/** The command at `index` in the table, or NULL past the last. */
SCRY_API const struct scry_command *scry_command_at(unsigned index);
/**
 * Run a command by its name, with or without "py-". `args` are as a user types them, NULL or "" for
 * none. The text goes to `out`, the reasons for what is missing to `err` (may be NULL). Returns the
 * command line's exit status: 0 all was shown, 1 a part, 2 nothing could be shown, or bad usage; or
 * 3 where it was stopped (scry_session_stop()).
 */
SCRY_API int scry_command_run(struct scry_session *s, const char *name, const char *args,
			      struct scry_buf *out, struct scry_buf *err);
/** Append the completions of `word` as an argument of a command, one a line. */
SCRY_API int scry_command_complete(struct scry_session *s, const char *name, const char *word,
				   struct scry_buf *out);
/**
 * The text of the object at `addr`; damage becomes text. Returns a negative scry_result only where
 * nothing at all can be said.
 */
SCRY_API int scry_object_text(struct scry_session *s, scry_addr addr, struct scry_buf *out);
/**
 * For a debugger's own printers ("print args"): the C types of which scry_pointer_text() has
 * something to say, by index, NULL past the last. A name of a struct or typedef; '*' in it stands
 * for any characters.
 */
SCRY_API const char *scry_pointer_type(unsigned index);
/**
 * The text for a variable of type `type *` (of `type` itself where that is one word, as _PyStackRef
 * is) with the value `word`, cut at about `max_text` bytes (0: the session's limit). `type` NULL is
 * any struct that begins with an object's fields. Garbage becomes text too. SCRY_ENOTFOUND where
 * there is nothing better to show than the pointer.
 */
SCRY_API int scry_pointer_text(struct scry_session *s, const char *type, scry_addr word,
			       uint64_t max_text, struct scry_buf *out);

/* --- threads and stacks ---
 *
 * A walk begins with *it NULL (or 0) and goes on while SCRY_ITEM comes back; SCRY_OK is its end, a
 * negative result a failure, after which *it is as it was. What was handed out stays as it is until
 * refresh, and walking again hands out the same. Fields are called what JSON calls them.
 *
 * Of a live process the first scry_thread_next() reads all Python stacks at once, while the process
 * is stopped. Values are read when they are asked for, of a process that has gone on meanwhile:
 * between hold and release it is stopped as a whole, for the time of the option "hold" at most
 * (seconds, 0.5 where it is not set).
 */
SCRY_API int scry_session_hold(struct scry_session *s);
SCRY_API void scry_session_release(struct scry_session *s);
/** How many times it was refreshed: a handle from another generation is dead. */
SCRY_API uint64_t scry_session_generation(const struct scry_session *s);

enum scry_thread_flags {
	SCRY_THREAD_PYTHON = 1,     /* it has Python state; others have only C frames */
	SCRY_THREAD_MAIN = 2,       /* the interpreter's main thread */
	SCRY_THREAD_CRASHED = 4,    /* what it did ended or stopped the process */
	SCRY_THREAD_HAS_GIL = 8,    /* it holds the global interpreter lock */
	SCRY_THREAD_WANTS_GIL = 16, /* it waits for it */
	SCRY_THREAD_IN_GC = 32,     /* it collects garbage */
};

/** Every thread, in the order of the command threads. SCRY_ENOTFOUND where there is none. */
SCRY_API int scry_thread_next(struct scry_session *s, struct scry_thread **it);
/** The system's id of the thread; 0 where only Python knows it. */
SCRY_API uint64_t scry_thread_tid(const struct scry_thread *t);
/** threading's name, else the system's; NULL: none. */
SCRY_API const char *scry_thread_name(struct scry_thread *t);
/** enum scry_thread_flags, ORed. */
SCRY_API unsigned scry_thread_flags(const struct scry_thread *t);
/** Why its frames are missing or cut short; NULL where they are not. */
SCRY_API const char *scry_thread_error(struct scry_thread *t);
/** Append all that the command threads says of it, as a JSON object. */
SCRY_API int scry_thread_json(struct scry_thread *t, struct scry_buf *out);

/** A thread's Python frames, newest first. Damage is a frame of kind "damaged". */
SCRY_API int scry_frame_next(struct scry_thread *t, struct scry_frame **it);
/**
 * Python's and C frames as one stack: each run of Python frames after the C frame of kind "native"
 * that runs it.
 */
SCRY_API int scry_frame_next_native(struct scry_thread *t, struct scry_frame **it);
/** The frames of a task, newest first. */
SCRY_API int scry_frame_next_of_task(struct scry_task *t, struct scry_frame **it);
/** "python", "native", "damaged"; static. */
SCRY_API const char *scry_frame_kind(const struct scry_frame *f);
/** Its number, as commands take it: 0 the newest Python frame; -1 of a C frame. */
SCRY_API int64_t scry_frame_depth(const struct scry_frame *f);
/** Where the frame's struct is in the target; of a C frame its pc. */
SCRY_API scry_addr scry_frame_address(const struct scry_frame *f);
/** Name of the function, and its qualified name where that is known; NULL: not known. */
SCRY_API const char *scry_frame_function(const struct scry_frame *f);
SCRY_API const char *scry_frame_qualname(const struct scry_frame *f);
/** The source file as the target names it, for C frames by debug information; NULL: not known. */
SCRY_API const char *scry_frame_file(const struct scry_frame *f);
/** For a C frame the file (library) that has its code; NULL: not known, or not a C frame. */
SCRY_API const char *scry_frame_module(const struct scry_frame *f);
/** 0: unknown. Columns count UTF-8 bytes from 1, the end one past the last. */
struct scry_location {
	int line, end_line, column, end_column;
};
/** Where it stands: SCRY_OK, also where that is not known (zeros). */
SCRY_API int scry_frame_place(const struct scry_frame *f, struct scry_location *ret);
/** What is wrong with it; NULL: nothing. */
SCRY_API const char *scry_frame_error(const struct scry_frame *f);
/** Append what bt --json says of it, as a JSON object: the source line too. */
SCRY_API int scry_frame_json(const struct scry_frame *f, struct scry_buf *out);
/** Its code; NULL: a C frame, or damaged. */
SCRY_API struct scry_code *scry_frame_code(const struct scry_frame *f);
/** Texts are never NULL, but for the qualified name where it is not known (none before 3.11). */
SCRY_API const char *scry_code_name(const struct scry_code *c);
SCRY_API const char *scry_code_qualname(const struct scry_code *c);
SCRY_API const char *scry_code_file(const struct scry_code *c);
SCRY_API int scry_code_first_line(const struct scry_code *c);
SCRY_API scry_addr scry_code_address(const struct scry_code *c);

/* --- objects --- */
/**
 * A value of the target. Copy it freely; it dies at refresh like everything else. Calls with a dead
 * one fail with SCRY_EINVAL as long as its session lives.
 */
struct scry_object {
	scry_addr addr; /* 0: no object stands for it there (a slice, a member of a C struct) */
	struct scry_session *session;
	const void *of, *value; /* the library's own */
	uint64_t generation;
};

struct scry_named_object {
	const char *name;
	const char *kind; /* of a frame's: "arg", "local", "cell", "free"; static */
	struct scry_object value;
};

/**
 * A frame's bound variables in source order; for modules and class bodies their names. *it is 0 at
 * first. The end is negative where some are not known; scry_session_error() says why.
 */
SCRY_API int scry_frame_variable_next(struct scry_frame *f, unsigned *it,
				      struct scry_named_object *ret);
/** The object at an address; SCRY_ECORRUPT where there is none. */
SCRY_API int scry_object_at(struct scry_session *s, scry_addr addr, struct scry_object *ret);
/**
 * What the command print finds: "self.jobs[3].name", "package.module:NAME", "@0x7f0123456780".
 * Names are those of frame `f`; NULL: only of builtins and modules.
 */
SCRY_API int scry_object_eval(struct scry_session *s, const struct scry_frame *f, const char *expr,
			      struct scry_object *ret);
/** The name of its type, without its module; never NULL ("?" where unknown). */
SCRY_API const char *scry_object_type(const struct scry_object *o);
/** Its type; SCRY_EUNSUPPORTED where no object stands for the value. */
SCRY_API int scry_object_class(const struct scry_object *o, struct scry_object *ret);
/** Append its repr. Damage in it becomes text in its place, not a failure. */
SCRY_API int scry_object_repr(const struct scry_object *o, struct scry_buf *out);
/**
 * The attribute that Python would give (data descriptors of the class, the object's own, the rest
 * of the class), as far as no code has to run. SCRY_ENOTFOUND: there is none; SCRY_EUNSUPPORTED:
 * code would have to run.
 */
SCRY_API int scry_object_attr(const struct scry_object *o, const char *name,
			      struct scry_object *ret);
/** The object's own attributes (__dict__, __slots__), in no order; *it is 0 at first. */
SCRY_API int scry_object_attr_next(const struct scry_object *o, uint64_t *it,
				   struct scry_named_object *ret);
/** o[key], with the key as print takes it: "3", "-1", "'name'", "(1, 'a')", "1:5". */
SCRY_API int scry_object_item(const struct scry_object *o, const char *key,
			      struct scry_object *ret);
/** len(o); SCRY_EUNSUPPORTED where that would run code, or there is none. */
SCRY_API int scry_object_length(const struct scry_object *o, uint64_t *ret);
/**
 * Items in the container's order: for mappings key and value, for others only values, with the key
 * zeroed. *it is 0 at first. SCRY_EUNSUPPORTED where that would run code, or there are none.
 */
SCRY_API int scry_object_next(const struct scry_object *o, uint64_t *it,
			      struct scry_object *ret_key, struct scry_object *ret_value);

/** A value that C has too. */
struct scry_plain {
	enum scry_plain_kind {
		SCRY_PLAIN_NONE = 1,
		SCRY_PLAIN_BOOL,
		SCRY_PLAIN_INT,
		SCRY_PLAIN_FLOAT,
		SCRY_PLAIN_TEXT,
		SCRY_PLAIN_BYTES, /* bytes, and the str of 2.7 */
	} kind;
	bool big;       /* an int that does not fit: the text is "0x...", "-0x..." */
	int64_t number; /* BOOL, INT */
	double real;    /* FLOAT */
};
/**
 * The value of None, a bool, int, float, text or bytes, or of a subclass; all characters or bytes
 * are appended to `text`, which may be NULL. SCRY_EUNSUPPORTED for others, SCRY_ELIMIT above 1 GiB,
 * SCRY_ECORRUPT where it contradicts itself.
 */
SCRY_API int scry_object_plain(const struct scry_object *o, struct scry_plain *ret,
			       struct scry_buf *text);

/* --- tasks, the heap, references --- */
/**
 * Tasks as the command of that name lists them: "tasks" (asyncio, trio, curio), "greenlets",
 * "tasklets", "generators". SCRY_EINVAL for another name.
 */
SCRY_API int scry_task_next(struct scry_session *s, const char *command, struct scry_task **it);
/** "asyncio", "greenlet" ...; static. */
SCRY_API const char *scry_task_kind(const struct scry_task *t);
/** Its id(); its name, NULL none; its state, static: "running", "suspended" ... */
SCRY_API scry_addr scry_task_id(const struct scry_task *t);
SCRY_API const char *scry_task_name(const struct scry_task *t);
SCRY_API const char *scry_task_state(const struct scry_task *t);
/** The thread that it belongs to; NULL: none, or not known. */
SCRY_API struct scry_thread *scry_task_thread(const struct scry_task *t);
/** Append all that its command says of it, as a JSON object. */
SCRY_API int scry_task_json(struct scry_task *t, struct scry_buf *out);

/** A type that has objects. */
struct scry_heap_count {
	const char *type; /* "module.Type" */
	uint64_t count, bytes;
};
/** Every type that has objects, in no order; *it is 0 at first. SCRY_ENOTFOUND without a Python. */
SCRY_API int scry_heap_next(struct scry_session *s, unsigned *it, struct scry_heap_count *ret);
/**
 * Every object of the type "module.Type", or of those whose last part is that name where no type
 * has it whole; not of subclasses. In order of address; *it is 0 at first. SCRY_ENOTFOUND: no such
 * type.
 */
SCRY_API int scry_instance_next(struct scry_session *s, const char *type, uint64_t *it,
				struct scry_object *ret);
/** One reference to an object. */
struct scry_referrer {
	const char *kind;        /* "object", "frame", "task", "thread", "static"; static */
	const char *slot;        /* how: ".name", "['key']", "[3]", a variable; NULL unknown */
	struct scry_object from; /* who; `of` is NULL where it is not an object */
	scry_addr addr;          /* of the object, frame, thread state, or the word */
	uint64_t tid;            /* a thread's, 0 none */
	bool certain;            /* false: a word that may be something else */
};
/**
 * Every reference to the object that was found; *it is 0 at first. SCRY_EUNSUPPORTED where no
 * object stands for the value.
 */
SCRY_API int scry_referrer_next(const struct scry_object *o, unsigned *it,
				struct scry_referrer *ret);

#ifdef __cplusplus
}
#endif
#endif
