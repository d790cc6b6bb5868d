/**
 * The session: one target and everything decoded from it. Internal; the public face is
 * pyscry/pyscry.h.
 */
#ifndef SCRY_SESSION_H
#define SCRY_SESSION_H

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/hash.h"
#include "pyscry/pyscry.h"

struct scry_target;
struct scry_module;
struct scry_runtime;
struct scry_dormant;
struct scry_thread;
struct scry_source_file;
struct scry_future;

/** The source of layouts that the user chose: option "layout". */
enum scry_layout_choice {
	SCRY_LAYOUT_AUTO,
	SCRY_LAYOUT_OFFSETS,
	SCRY_LAYOUT_DWARF,
	SCRY_LAYOUT_MEMBERS,
	SCRY_LAYOUT_ROWS
};

/** Files under `from` in the target are under `to` here; in the order in which they were given. */
struct scry_source_map {
	struct scry_source_map *next;
	const char *from, *to; /* prefixes of file names */
};

/** What the user asked for; strings are owned by `keep`. */
struct scry_options {
	const char *exe, *sysroot, *symbols, *search;
	struct scry_source_map *source_maps;
	enum scry_layout_choice layout;
	bool json, locals, color, debuginfod;
	bool interruptible; /* SIGINT stops a running command */
	/* files are opened only where the user says: sysroot, search, source-map */
	bool untrusted;
	const char *prefix; /* "py-" inside a debugger, "" on the command line */
	bool no_stop;       /* a live process is never stopped */
	unsigned hold_ms;   /* a live process is stopped for at most so many milliseconds */
	uint64_t limit[SCRY_LIMIT_COUNT];
};

/** A sentence about what could not be shown; `errors` of the JSON, stderr of the CLI. */
struct scry_note {
	struct scry_note *next;
	const char *text;
	bool said;   /* it was printed already */
	bool remark; /* nothing is missing: only py-info says it */
	/* said like the others, but nothing is missing, so the exit status stays the same */
	bool warning;
	bool passing; /* about one answer: forgotten after it */
};

/** The last failure. Saved and restored around attempts whose failure means nothing. */
struct scry_error {
	int code;
	scry_addr addr;
	char text[512];
};

/** One target, and all that was decoded from it. Not to be used by two threads at once. */
struct scry_session {
	/* what the tests put in place of the built-in rows (layout/rows.h), else NULL */
	const struct scry_future *future;
	/* a value of the current answer is damaged, which is said in its place */
	bool value_damaged;
	/* some place could not be searched for tasks, so there may be more */
	bool unsearched;
	struct scry_arena keep;  /* lives as long as the session: options */
	struct scry_arena arena; /* freed at refresh: all that was decoded */
	struct scry_options options;
	struct scry_error error;
	struct scry_note *notes, **notes_end;
	struct scry_note **notes_before_search; /* scry_runtimes_search_again() */
	struct scry_target *target;             /* NULL before open */
	/* list, in address order; filled on first use by scry_module_first() */
	struct scry_module *modules;
	struct scry_module *modules_last; /* the one added last, not the end of the list */
	bool modules_done;
	struct scry_source_file *sources; /* files whose lines were shown, symbol/source.h */
	struct scry_runtime *runtimes;    /* list; filled on first use by scry_runtime_first() */
	bool runtimes_done;
	struct scry_dormant *dormant; /* list: Pythons without an interpreter */
	const char *unread;           /* why no Python could be read though there is one, or NULL */
	struct scry_thread *threads;  /* list: every OS thread and every Python thread state */
	bool threads_done;
	struct scry_thread *selected; /* NULL: not chosen yet */
	unsigned selected_frame;      /* 0: the newest Python frame */
	/* what a debugger calls its threads: id to number (as a pointer); survives refresh */
	struct scry_hash numbers;
	unsigned highest_number;
	volatile sig_atomic_t stopped; /* the current command is to end: every read fails */
	struct {                       /* base/progress.h; another thread looks at it */
		_Atomic unsigned pass;
		_Atomic uint64_t done, total;
	} progress;
	uint64_t want_tid;        /* survives refresh: what the debugger selected, 0 none */
	void *unwinding, *places; /* src/native: what it remembers; NULL: nothing yet */
	void *handed;             /* src/api: what it remembers; NULL: nothing yet */
	uint64_t generation;      /* how many times it was refreshed */
	bool held;                /* stopped by scry_session_hold(): commands do not let it go */
	void (*log)(void *arg, const char *text);
	void *log_arg;
};

/** Record a failure and return `code`. Nothing is allocated, so an expected failure is cheap. */
int scry_fail(struct scry_session *s, int code, scry_addr addr, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/** Record a failure with errno's text after it; returns SCRY_ESYSTEM. */
int scry_fail_errno(struct scry_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/** Add a sentence to the reasons why an answer is partial; the same sentence is kept once. */
void scry_note(struct scry_session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The same for what only the current answer lacks: scry_notes_pass() forgets it. */
void scry_note_answer(struct scry_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
void scry_notes_pass(struct scry_session *s);
/** The same where nothing is missing, so the exit status stays. */
void scry_warn(struct scry_session *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** The same for what is just of interest: no answer is partial by it, and only py-info says it. */
void scry_remark(struct scry_session *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
