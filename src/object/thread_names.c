/* threading's names of threads: sys.modules["threading"]._active maps ids to Thread objects. */
#include "object/thread_names.h"

#include <string.h>

#include "object/object.h"

#define NAME_MAX_CHARS 256

static int active_threads(struct scry_interp *interp, scry_addr *ret)
{
	struct scry_runtime *r = interp->runtime;
	scry_addr module;
	int rc = scry_dict_get(r, interp->modules, "threading", &module);

	/*
	 * by the type's tp_dictoffset: not every layout source has PyModuleObject, a struct of
	 * moduleobject.c
	 */
	return rc == SCRY_OK ? scry_attr(r, module, "_active", ret) : rc;
}

/* Thread._name; in 2.7 the private name was mangled: Lib/threading.py. */
static const char *name_of(struct scry_runtime *r, scry_addr thread)
{
	static const char *const names[] = { "_name", "_Thread__name" };
	const char *text;
	scry_addr str;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (scry_attr(r, thread, names[i], &str) == SCRY_OK &&
		    scry_text_at(r, str, NAME_MAX_CHARS, &text) == SCRY_OK)
			return text;
	return NULL;
}

/* Names of one interpreter's threads by their ids. */
static void read_names(struct scry_interp *interp, struct scry_hash *names)
{
	scry_addr active, key, value;
	uint64_t it = 0;

	if (active_threads(interp, &active) < 0)
		return;
	while (scry_dict_next(interp->runtime, active, &it, &key, &value) == SCRY_ITEM) {
		int64_t ident;

		if (scry_int_value(interp->runtime, key, &ident) < 0)
			continue;
		const char *name = name_of(interp->runtime, value);
		if (name)
			scry_hash_put(names, (uint64_t)ident, (void *)name);
	}
}

/* One thread may have several states; a thread that is being started has no name of its own yet. */
static void name_interp(struct scry_interp *interp, struct scry_thread *first)
{
	struct scry_hash names = { 0 };

	read_names(interp, &names);
	for (struct scry_thread *t = first; t; t = t->next) {
		const char *name =
			t->interp == interp && t->ident && t->presence != SCRY_PRESENCE_STARTING
				? scry_hash_find(&names, t->ident)
				: NULL;

		if (!name)
			continue;
		t->name = name;
		t->has_name = true;
	}
	scry_hash_done(&names);
}

/* What another interpreter's threading calls the same thread is better than the kernel's name. */
static void share_names(struct scry_thread *first)
{
	struct scry_hash names = { 0 };

	for (struct scry_thread *t = first; t; t = t->next)
		if (t->has_name && t->tid && !scry_hash_find(&names, t->tid))
			scry_hash_put(&names, t->tid, (void *)t->name);
	for (struct scry_thread *t = first; names.count && t; t = t->next) {
		const char *name =
			t->has_name || !t->runtime ? NULL : scry_hash_find(&names, t->tid);

		if (name)
			t->name = name;
	}
	scry_hash_done(&names);
}

void scry_threads_name(struct scry_session *s)
{
	struct scry_thread *first = scry_thread_first(s);

	if (!first || first->named)
		return;
	first->named = true;
	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		for (struct scry_interp *interp = r->interps; interp; interp = interp->next)
			name_interp(interp, first);
	share_names(first);
}
