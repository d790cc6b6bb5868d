/** Generators, coroutines and async generators that are not over, anywhere on the heap. */
#ifndef SCRY_GENERATOR_H
#define SCRY_GENERATOR_H

#include "task/await.h"
#include "task/task.h"

/** What a generator's task carries in `detail`. */
struct scry_generator {
	struct scry_chain chain;
	enum scry_suspension state;
	struct scry_chain_link own; /* its frame, where the chain is left out */
	bool cython;                /* made by Cython: without a frame */
	struct scry_task *awaits;   /* the generator that it awaits, or NULL */
	scry_addr *awaited_by;      /* ids of those that await it, `awaiters` of them */
	size_t awaiters;
};

/** generator.c's kinds: of plain ones, of coroutines, of async generators. */
extern const struct scry_task_ops *const scry_generator_kinds[];
/**
 * Of all tasks from `first` on, whose d->awaits is known: who awaits each, and its chain, by
 * `read`. Chains of a recursion share their frames: past some in all the rest have their own frame
 * only, and this is noted.
 */
void scry_generators_link(struct scry_runtime *r, struct scry_task *first,
			  void (*read)(void *arg, const struct scry_task *t,
				       struct scry_chain *ret),
			  void *arg);
/** scry_task_ops.collect of them for PyPy: pypy_generator.c. */
struct scry_task **scry_pypy_generators_collect(struct scry_runtime *r, struct scry_task **tail);

/** The list of all; each element's own ops name its kind. */
extern const struct scry_task_ops scry_task_generator;

#endif
