/**
 * Many targets in one call. Each is opened by a process of its own, so that one that cannot be
 * read, hangs or crashes our reader is just a line with its reason, and its memory is freed when
 * its answer is here. As many at once as there are processors; answers come in the targets' order.
 */
#ifndef SCRY_MANY_H
#define SCRY_MANY_H

#include "base/session.h"
#include "fold/fold.h"

/** What is to be done, and what came of it. */
struct scry_many {
	/* has the options, no target; every process opens its own in a copy */
	struct scry_session *s;
	int (*open)(struct scry_session *s, const char *target);
	void (*write)(void *unused, const char *text, size_t len);
	void (*complain)(const char *reason); /* a line for standard error */
	const char *command, *line;           /* and its arguments */
	bool json;
	unsigned jobs;        /* 0: one for each processor */
	unsigned timeout_ms;  /* for each target */
	const char **targets; /* in the session's `keep` */
	size_t count, room;
	/* what came of them */
	unsigned good, bad, worst;
	struct scry_fold fold;
};

/**
 * Add a target: a dump, the id of a process, "-" for answers on standard input, or every file of a
 * directory except hidden ones. Negative after scry_fail().
 */
int scry_many_add(struct scry_many *m, const char *word);
/** The same, before those that are there already. */
int scry_many_add_first(struct scry_many *m, const char *word);
/** Add a process and all its descendants. */
int scry_many_add_children(struct scry_many *m, const char *pid);
/** Add every running Python whose command line matches the extended regular expression. */
int scry_many_add_name(struct scry_many *m, const char *regex);
/** Fold the stacks of all, and show them; returns the exit status. */
int scry_many_stacks(struct scry_many *m);
/** Run the command on each, below a head line (JSON: a line each); returns the exit status. */
int scry_many_run(struct scry_many *m);
void scry_many_done(struct scry_many *m);

/** Append a process's command line, with blanks between the words; false where it has none. */
bool scry_process_command(int64_t pid, struct scry_buf *out);

/* --- the processes that read (workers.c) --- */
/** What a process left about its target. */
struct scry_answer {
	const char *target;
	int fd;              /* has its text, then the reasons; -1: none */
	uint64_t text;       /* bytes of text */
	uint64_t reasons;    /* bytes of reasons */
	int status;          /* 0, 1, 2 as commands have it */
	const char *problem; /* it did not end by itself: why; NULL */
	char problem_text[80];
};
/**
 * Call work() for each target in a process of its own, which writes to `fd` and *ret_text, and
 * deliver() for each here, in their order. "-" is delivered without a process.
 */
void scry_workers_run(struct scry_many *m,
		      int (*work)(struct scry_many *m, const char *target, int fd,
				  struct scry_buf *reasons, uint64_t *ret_text),
		      void (*deliver)(struct scry_many *m, struct scry_answer *a));

/* --- answers of pyscry --json, a line each (answers.c) --- */
/**
 * Fold the stacks of the answers on `fd`; lines that are not answers are noted in the session.
 * Returns how many were taken.
 */
unsigned scry_answers_fold(struct scry_many *m, int fd);
/** The same for one line. False after scry_fail(). */
bool scry_answer_fold(struct scry_many *m, const char *line, size_t len);

#endif
