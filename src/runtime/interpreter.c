/*
 * The interpreters of a runtime: walked from its roots, and checked, since a wrong root must not
 * look like a result.
 */
#include <inttypes.h>
#include <string.h>

#include "runtime/find.h"

#define INTERPS_MAX 100000

/* Py_TPFLAGS_DICT_SUBCLASS and TYPE_SUBCLASS, Include/object.h, v2.7 to v3.15. */
#define FLAG_DICT (1u << 29)
#define FLAG_TYPE (1u << 31)

/* The type of the type of everything is type, whose type is itself. */
static bool is_type(struct scry_runtime *r, scry_addr type)
{
	uint64_t meta, again;

	if (!type || type % r->session->target->abi.ptr_size ||
	    scry_field_read(r, type, SCRY_F_OBJECT_TYPE, &meta) < 0 ||
	    meta % r->session->target->abi.ptr_size ||
	    scry_field_read(r, meta, SCRY_F_OBJECT_TYPE, &again) < 0 || again != meta)
		return false;
	if (!r->type_type)
		r->type_type = meta;
	return true;
}

/* Does a dict object (by its type's flags) lie at `addr`, with a type whose type makes sense? */
static bool is_dict(struct scry_runtime *r, scry_addr addr)
{
	uint64_t type, flags;

	return addr && addr % r->session->target->abi.ptr_size == 0 &&
	       scry_field_read(r, addr, SCRY_F_OBJECT_TYPE, &type) == SCRY_OK && is_type(r, type) &&
	       scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags) == SCRY_OK &&
	       (flags & FLAG_DICT);
}

/* Does the target lack what would show whether a dictionary is there? Small dumps do. */
static bool is_unknown(struct scry_runtime *r, scry_addr addr)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	uint64_t type, meta, flags;

	if (!addr || addr % ptr)
		return false;
	return scry_field_read(r, addr, SCRY_F_OBJECT_TYPE, &type) < 0 ||
	       (type && type % ptr == 0 &&
		(scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags) < 0 ||
		 scry_field_read(r, type, SCRY_F_OBJECT_TYPE, &meta) < 0));
}

static int first_interp(struct scry_runtime *r, scry_addr *ret)
{
	struct scry_roots *roots = &r->roots;
	uint64_t thread;
	int rc;

	*ret = roots->interp;
	if (roots->interp)
		return SCRY_OK;
	if (roots->runtime)
		return scry_field_read(r, roots->runtime, SCRY_F_RUNTIME_INTERP_HEAD, ret);
	if (roots->interp_head)
		return scry_read_ptr(r->session, roots->interp_head, ret);
	rc = scry_read_ptr(r->session, roots->current, &thread);
	if (rc < 0 || !thread)
		return rc < 0 ? rc
			      : scry_fail(r->session, SCRY_ENOTFOUND, roots->current,
					  "no thread runs Python");
	return scry_field_read(r, thread, SCRY_F_THREAD_INTERP, ret);
}

/* Is one of the first thread states that of a thread which the target has? */
static bool has_live_thread(struct scry_runtime *r, uint64_t thread)
{
	struct scry_target *t = r->session->target;
	bool native = !t->abi.windows && scry_layout_has(r->layout, SCRY_F_THREAD_NATIVE_ID);
	uint64_t id;

	if (!t->abi.windows && !native)
		/* pthread_self(): what it is of is not known without the thread pointers */
		return true;
	for (unsigned i = 0; i < 64 && thread; i++) {
		if (scry_field_read(r, thread,
				    native ? SCRY_F_THREAD_NATIVE_ID : SCRY_F_THREAD_IDENT,
				    &id) == SCRY_OK &&
		    scry_os_thread_find(t, id))
			return true;
		if (scry_field_read(r, thread, SCRY_F_THREAD_NEXT, &thread) < 0)
			break;
	}
	return t->thread_count == 0;
}

static int check_strictly(struct scry_runtime *r, const struct scry_interp *interp,
			  scry_addr thread)
{
	bool numbered = !scry_layout_has(r->layout, SCRY_F_INTERP_ID) ||
			(interp->id >= 0 && interp->id < INTERPS_MAX);

	if (thread && numbered && is_dict(r, interp->modules) && is_dict(r, interp->sysdict) &&
	    is_dict(r, interp->builtins))
		return SCRY_OK;
	return scry_fail(r->session, SCRY_ECORRUPT, interp->addr, "no interpreter at 0x%" PRIx64,
			 interp->addr);
}

/*
 * Its thread states must point back, and its dictionaries must be some; where these are not in the
 * dump a thread state that points back and is of a thread that the target has is enough.
 */
static int check(struct scry_runtime *r, const struct scry_interp *interp, bool missing)
{
	uint64_t thread = 0, back = 0, lacking = 0;
	int rc = scry_field_read(r, interp->addr, SCRY_F_INTERP_THREADS, &thread);

	if (rc == SCRY_OK && thread)
		rc = scry_field_read(r, thread, SCRY_F_THREAD_INTERP, &back);
	/* a state that the dump lacks says nothing for or against */
	if (rc < 0 && thread && scry_target_hole(r->session->target, r->session->error.addr)) {
		lacking = thread;
		thread = 0;
		rc = SCRY_OK;
	}
	if (rc < 0)
		return rc;
	if (thread && back != interp->addr)
		return scry_fail(r->session, SCRY_ECORRUPT, thread,
				 "thread state 0x%" PRIx64
				 " belongs to no interpreter at 0x%" PRIx64,
				 thread, interp->addr);
	/*
	 * a stack of frames has dictionaries too, and words that point back and forth: nothing of
	 * it is an interpreter
	 */
	if (r->strict)
		return check_strictly(r, interp, thread);
	if (is_dict(r, interp->modules) || is_dict(r, interp->sysdict))
		return SCRY_OK;
	if (lacking)
		return scry_field_read(r, lacking, SCRY_F_THREAD_INTERP, &back);
	if (!thread || !has_live_thread(r, thread) ||
	    !(missing || is_unknown(r, interp->modules) || is_unknown(r, interp->sysdict)))
		return scry_fail(r->session, SCRY_ECORRUPT, interp->addr,
				 "the interpreter at 0x%" PRIx64 " has no module dictionary",
				 interp->addr);
	return SCRY_OK;
}

static int load_one(struct scry_runtime *r, scry_addr addr, struct scry_interp *ret)
{
	uint64_t value = 0;

	*ret = (struct scry_interp) { .runtime = r, .addr = addr };
	bool missing = scry_field_read(r, addr, SCRY_F_INTERP_MODULES, &ret->modules) < 0;
	missing |= scry_field_read(r, addr, SCRY_F_INTERP_SYSDICT, &ret->sysdict) < 0;
	scry_field_read(r, addr, SCRY_F_INTERP_BUILTINS, &ret->builtins);
	if (scry_layout_has(r->layout, SCRY_F_INTERP_ID) &&
	    scry_field_read(r, addr, SCRY_F_INTERP_ID, &value) == SCRY_OK)
		ret->id = (int64_t)value;
	return check(r, ret, missing);
}

/* Before 3.7 interpreters have no number: count from the oldest, which stands last. */
static void number(struct scry_runtime *r, unsigned count)
{
	if (scry_layout_has(r->layout, SCRY_F_INTERP_ID))
		return;
	for (struct scry_interp *i = r->interps; i; i = i->next)
		i->id = --count;
}

int scry_interps_load(struct scry_runtime *r)
{
	struct scry_session *s = r->session;
	struct scry_interp **tail = &r->interps;
	struct scry_hash seen = { 0 };
	unsigned count = 0;
	scry_addr addr;

	r->interps = NULL;
	r->type_type = 0;
	int rc = first_interp(r, &addr);
	if (rc == SCRY_OK && !addr)
		rc = scry_fail(s, SCRY_ENOTFOUND, 0, "Python %s is loaded, but has no interpreter",
			       r->version_text);
	while (rc == SCRY_OK && addr && count < INTERPS_MAX && scry_hash_add(&seen, addr) > 0) {
		struct scry_interp *interp = scry_arena_alloc(&s->arena, sizeof(*interp));

		if (!interp) {
			rc = scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
			break;
		}
		rc = load_one(r, addr, interp);
		if (rc < 0 && r->interps && !r->strict) {
			scry_note(s, "the list of interpreters is damaged: %s", s->error.text);
			rc = SCRY_OK;
			break;
		}
		*tail = interp;
		tail = &interp->next;
		count++;
		if (rc == SCRY_OK)
			rc = scry_field_read(r, addr, SCRY_F_INTERP_NEXT, &addr);
	}
	scry_hash_done(&seen);
	if (rc < 0)
		r->interps = NULL;
	number(r, count);
	return rc;
}

/*
 * Up to 3.6 the current thread is a variable, up to 3.11 a field of the runtime; the GIL lets go by
 * clearing it.
 */
static scry_addr current_thread(struct scry_runtime *r)
{
	uint64_t current = 0;

	if (r->roots.current)
		scry_read_ptr(r->session, r->roots.current, &current);
	else if (r->roots.runtime && scry_layout_has(r->layout, SCRY_F_RUNTIME_CURRENT))
		scry_field_read(r, r->roots.runtime, SCRY_F_RUNTIME_CURRENT, &current);
	return current;
}

static void load_interp_gil(struct scry_runtime *r, struct scry_interp *interp)
{
	uint64_t value = 0, locked = 0;

	/* 3.12+: a pointer in the interpreter (PEP 684); before: part of the runtime */
	if (scry_layout_has(r->layout, SCRY_F_INTERP_GIL))
		scry_field_read(r, interp->addr, SCRY_F_INTERP_GIL, &interp->gil);
	else if (r->roots.runtime)
		interp->gil = scry_field_addr(r, r->roots.runtime, SCRY_F_RUNTIME_GIL);
	/*
	 * free-threaded builds have one, too, which is off unless somebody asks for it:
	 * Include/internal/pycore_gil.h
	 */
	if (interp->gil && scry_layout_has(r->layout, SCRY_F_GIL_ENABLED) &&
	    scry_field_read(r, interp->gil, SCRY_F_GIL_ENABLED, &value) == SCRY_OK && !value)
		interp->gil_holder = 0;
	else if (r->roots.current || scry_layout_has(r->layout, SCRY_F_RUNTIME_CURRENT))
		interp->gil_holder = current_thread(r);
	else if (interp->gil &&
		 scry_field_read(r, interp->gil, SCRY_F_GIL_LOCKED, &locked) == SCRY_OK &&
		 (int32_t)locked > 0 &&
		 scry_field_read(r, interp->gil, SCRY_F_GIL_HOLDER, &value) == SCRY_OK)
		interp->gil_holder = value;
	if (scry_layout_has(r->layout, SCRY_F_INTERP_GC_COLLECTING) &&
	    scry_field_read(r, interp->addr, SCRY_F_INTERP_GC_COLLECTING, &value) == SCRY_OK)
		interp->gc_running = value & 0xffffffff;
	else if (r->roots.runtime && scry_layout_has(r->layout, SCRY_F_RUNTIME_GC_COLLECTING) &&
		 scry_field_read(r, r->roots.runtime, SCRY_F_RUNTIME_GC_COLLECTING, &value) ==
			 SCRY_OK)
		interp->gc_running = value & 0xffffffff;
}

/* Up to 3.8/3.6 `collecting` is a static variable of gcmodule.c: only .symtab knows it. */
static bool collecting_by_symbol(struct scry_runtime *r)
{
	struct scry_symbol symbol;
	uint64_t value;

	return r->module && scry_trait(r, SCRY_TRAIT_COLLECTING_IS_STATIC) &&
	       scry_module_symbol(r->module, "collecting", &symbol) == SCRY_OK &&
	       scry_read_uint(r->session, symbol.addr, 4, &value) == SCRY_OK && value == 1;
}

void scry_gil_load(struct scry_runtime *r)
{
	bool collecting = collecting_by_symbol(r);

	for (struct scry_interp *i = r->interps; i; i = i->next) {
		load_interp_gil(r, i);
		i->gc_running |= collecting;
	}
}
