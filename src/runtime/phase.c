/* How far a Python is in its life: what is said of one that starts, ends or has ended. */
#include "runtime/find.h"

#define TPFLAGS_READY (1u << 12) /* PyType_Ready() was there: Include/object.h, v2.7 to v3.6 */

/*
 * The thread state that finalizes all interpreters, 0 none: a variable from 3.3 to 3.6
 * (Python/pylifecycle.c), then a member of the runtime.
 */
static scry_addr runtime_finalizer(struct scry_runtime *r)
{
	struct scry_symbol symbol;
	uint64_t state = 0;

	if (r->roots.runtime)
		return scry_field_get(r, r->roots.runtime, SCRY_F_RUNTIME_FINALIZING);
	if (r->module && scry_module_symbol(r->module, "_Py_Finalizing", &symbol) == SCRY_OK)
		scry_read_ptr(r->session, symbol.addr, &state);
	return state;
}

/*
 * 3.12+ each interpreter has a pointer of its own; from 3.8 on it is a flag (Py_EndInterpreter()).
 */
static void read_phase(struct scry_interp *interp, scry_addr finalizer)
{
	struct scry_runtime *r = interp->runtime;
	uint64_t own = scry_field_get(r, interp->addr, SCRY_F_INTERP_FINALIZING), initialized;

	if (!finalizer && r->layout->slot[SCRY_F_INTERP_FINALIZING].size > 4)
		finalizer = own;
	interp->finalizing = finalizer;
	interp->phase = finalizer || own ? SCRY_PHASE_FINALIZING : SCRY_PHASE_RUNNING;
	if (interp->phase == SCRY_PHASE_RUNNING && r->roots.runtime &&
	    scry_field_read(r, r->roots.runtime, SCRY_F_RUNTIME_INITIALIZED, &initialized) ==
		    SCRY_OK &&
	    !initialized)
		interp->phase = SCRY_PHASE_UNSTARTED;
}

void scry_phases_load(struct scry_runtime *r)
{
	bool other = r->strategy->model != SCRY_MODEL_CPYTHON;
	scry_addr finalizer = other ? 0 : runtime_finalizer(r);

	for (struct scry_interp *i = r->interps; i && !other; i = i->next)
		read_phase(i, finalizer);
}

const char *const scry_phase_names[] = {
	[SCRY_PHASE_RUNNING] = "running",
	[SCRY_PHASE_UNSTARTED] = "not yet initialised",
	[SCRY_PHASE_FINALIZING] = "finalizing",
	[SCRY_PHASE_FINALIZED] = "finalized",
};

/*
 * Without an interpreter: was there one? Their number never goes back (interpreters.next_id, 3.7+;
 * it is -1 or 0 at first). Before 3.7 it shows in the types that were made ready.
 */
enum scry_phase scry_phase_of_empty(struct scry_runtime *r)
{
	struct scry_symbol symbol;
	uint64_t flags;
	int64_t next = 0;

	if (r->roots.runtime) {
		scry_field_read_int(r, r->roots.runtime, SCRY_F_RUNTIME_NEXT_ID, &next);
		return next > 0 ? SCRY_PHASE_FINALIZED : SCRY_PHASE_UNSTARTED;
	}
	if (r->module && scry_module_symbol(r->module, "PyType_Type", &symbol) == SCRY_OK &&
	    scry_field_read(r, symbol.addr, SCRY_F_TYPE_FLAGS, &flags) == SCRY_OK &&
	    (flags & TPFLAGS_READY))
		return SCRY_PHASE_FINALIZED;
	return SCRY_PHASE_UNSTARTED;
}
