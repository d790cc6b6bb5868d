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

/** The list of all; each element's own ops name its kind. */
extern const struct scry_task_ops scry_task_generator;

#endif
