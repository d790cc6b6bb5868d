/**
 * pyscry: the Python half of a dead or stuck process.
 *
 * One session looks at one target: an ELF core, a Windows minidump, a live process, or whatever a
 * debugger lends. Everything a session hands out (threads, frames, strings) lives in the session
 * and dies with scry_session_refresh() or scry_session_free(). A session is used by one thread at a
 * time. Nothing of a target is ever executed, and nothing in it is trusted.
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

typedef uint64_t scry_addr; /* an address in the target; never dereferenced here */

/** What every fallible function returns. `_next` functions return SCRY_ITEM until they run dry. */
enum scry_result {
	SCRY_OK = 0,            /* done, or no more items */
	SCRY_ITEM = 1,          /* one more item was produced */
	SCRY_ENOMEM = -1,       /* no memory here */
	SCRY_EFAULT = -2,       /* target memory missing or unreadable */
	SCRY_ECORRUPT = -3,     /* read fine, makes no sense */
	SCRY_ENOFIELD = -4,     /* the layout has no such field */
	SCRY_ENOTFOUND = -5,    /* no such thread, symbol, runtime ... */
	SCRY_EUNSUPPORTED = -6, /* known, but not handled */
	SCRY_ELIMIT = -7,       /* a safety limit ended the walk */
	SCRY_EINVAL = -8,       /* the caller's mistake */
	SCRY_ESYSTEM = -9,      /* a system call or a library failed */
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

/** One command of the table that gdb, lldb and the command line share. All strings are static. */
struct scry_command {
	const char *name;    /* "bt"; the debuggers register it as "py-bt" */
	const char *usage;   /* "[--all|THREAD] [-v] [--limit N]" */
	const char *summary; /* one line */
	const char *help;    /* paragraphs, plain text */
	unsigned flags;      /* enum scry_command_flags */
};

/**
 * How a debugger lends its target. Any member but `read` may be NULL. All are called on the thread
 * that uses the session, only while a call into the library is under way.
 */
struct scry_host_ops {
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

SCRY_API const char *scry_version(void);

/** Create an empty session, or NULL when out of memory. */
SCRY_API struct scry_session *scry_session_new(void);
/** Close and free a session and all it handed out; takes NULL. */
SCRY_API void scry_session_free(struct scry_session *s);
/**
 * Set an option by name before opening: "exe", "sysroot", "symbols", "search", "source-map" (each
 * call adds one FROM=TO), "layout" (auto|offsets|dwarf|members|rows: the only source to use),
 * "debuginfod" (0|1), "untrusted" (0|1), "color" (always|never), "json" (0|1), "locals" (0|1),
 * "prefix" ("py-" in a debugger: how commands name each other in text), "interruptible" (0|1: while
 * a command runs, SIGINT is the library's, and stops it as scry_session_stop() does). SCRY_EINVAL
 * for an unknown name or value.
 */
SCRY_API int scry_session_set(struct scry_session *s, const char *name, const char *value);
SCRY_API void scry_session_set_limit(struct scry_session *s, enum scry_limit limit, uint64_t value);
/**
 * End the command under way: nothing is read any more, and it comes back with 3 and no text. For a
 * host's callbacks, other threads and signal handlers; without a command it does nothing. What the
 * session has found out until then may be wrong: refresh it, or open another one.
 */
SCRY_API void scry_session_stop(struct scry_session *s);
/** Open a core or minidump, told apart by content, compressed or not. */
SCRY_API int scry_session_open_dump(struct scry_session *s, const char *path);
/** Open a live process. It is stopped only while a command reads it, and never left stopped. */
SCRY_API int scry_session_open_pid(struct scry_session *s, int pid);
/** Open what a debugger has. `pid` may be 0. The ops must outlive the session. */
SCRY_API int scry_session_open_host(struct scry_session *s, const struct scry_host_ops *ops,
				    void *arg, int pid);
/**
 * Tell by which signal thread `tid` of a debugger's target stopped; `fault` is the address it is
 * about, NULL none. It holds until refresh.
 */
SCRY_API int scry_session_set_signal(struct scry_session *s, uint64_t tid, int signal,
				     const scry_addr *fault);
/** Forget all that was read: a live target went on. */
SCRY_API void scry_session_refresh(struct scry_session *s);
/** The last failure: its text (never NULL). */
SCRY_API const char *scry_session_error(struct scry_session *s);
/**
 * Tell which number a debugger has given to a thread: commands show and take it in place of their
 * own. It holds as long as the session; threads that have none get numbers above the highest.
 */
SCRY_API int scry_session_number(struct scry_session *s, uint64_t tid, unsigned number);
/** Choose the OS thread that commands act on (its Python frame 0 becomes the selected one). */
SCRY_API int scry_session_select(struct scry_session *s, uint64_t tid);

SCRY_API struct scry_buf *scry_buf_new(void);
SCRY_API void scry_buf_free(struct scry_buf *b);
/** The text so far, NUL-terminated; valid until the next append. */
SCRY_API const char *scry_buf_text(struct scry_buf *b);

/** The command at `index` in the table, or NULL past the last. */
SCRY_API const struct scry_command *scry_command_at(unsigned index);
/**
 * Run a command by its name, with or without "py-". The text goes to `out`, reasons for what is
 * missing to `err` (may be NULL). Returns 0 all shown, 1 partial, 2 nothing could be shown or bad
 * usage: the CLI's exit status; 3 it was stopped (scry_session_stop()).
 */
SCRY_API int scry_command_run(struct scry_session *s, const char *name, const char *args,
			      struct scry_buf *out, struct scry_buf *err);
/** Completions of `word` for a command's arguments, one a line. */
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
 * The text for a variable of type `type *` (of `type` itself where that is a word, as _PyStackRef)
 * with the value `word`, cut at about `max_text` bytes (0: the session's limit). `type` NULL is any
 * struct that begins with an object's fields. Garbage becomes text too. SCRY_ENOTFOUND where there
 * is nothing better to show than the pointer.
 */
SCRY_API int scry_pointer_text(struct scry_session *s, const char *type, scry_addr word,
			       uint64_t max_text, struct scry_buf *out);

#ifdef __cplusplus
}
#endif
#endif
