/*
 * What a tasklet's frame chain holds beside Python frames: Stackless' cframes, each a C function
 * that goes on when its turn comes. They show how a tasklet starts, and up to 3.6 which exception
 * it was handling when it was switched out.
 */
#include <string.h>

#include "native/native.h"
#include "object/known.h"
#include "object/object.h"
#include "task/stackless.h"

#define CHAIN_MAX   1000000 /* links of a chain that are followed */
#define CFRAMES_MAX 10000   /* cframes that are listed */
/* slp_get_saved_tstate() looks into the first 100, Stackless/module/scheduling.c */
#define SAVED_WORDS 128

static bool is_cframe(struct scry_runtime *r, scry_addr frame)
{
	scry_addr type = frame ? scry_field_get(r, frame, SCRY_F_OBJECT_TYPE) : 0;
	const char *name;

	if (!type || type == r->frame_type)
		return false;
	return type == r->cframe_type ||
	       (scry_type_name(r, type, &name) == SCRY_OK &&
		(!strcmp(name, "_stackless.cframe") || !strcmp(name, "stackless.cframe")));
}

/*
 * f_execute is a function's first instruction: any other symbol that comes before it is not its
 * own.
 */
static const char *function_of(struct scry_runtime *r, scry_addr cframe)
{
	struct scry_native_frame f = { .pc = scry_field_get(r, cframe, SCRY_F_SLP_CFRAME_EXECUTE) };

	if (!f.pc)
		return NULL;
	scry_native_name(r->session, &f);
	return f.symbol.name && f.symbol.addr == f.pc ? f.symbol.name : NULL;
}

static bool is_type(struct scry_runtime *r, scry_addr object, enum scry_known what)
{
	scry_addr type;

	return object && scry_type_of(r, object, &type) == SCRY_OK && scry_type_is(r, type, what);
}

/*
 * run_cframe() calls ob1 with the tuple ob2 and the dictionary ob3 (Stackless/core/cframeobject.c).
 * It is static, so that its name may be lost: no other cframe keeps a tuple there.
 */
static bool runs_callable(struct scry_runtime *r, scry_addr cframe, const char *function)
{
	if (function)
		return !strcmp(function, "run_cframe");
	return is_type(r, scry_field_get(r, cframe, SCRY_F_SLP_CFRAME_OB2), SCRY_IS_TUPLE);
}

/* What the other functions work on: a generator, an instance being made, a channel, a context. */
static scry_addr object_of(struct scry_runtime *r, scry_addr cframe, const char *function)
{
	static const struct {
		const char *function;
		enum scry_field object;
	} rows[] = {
		{ "gen_iternext_callback", SCRY_F_SLP_CFRAME_OB1 },
		{ "slp_gen_iternext_callback", SCRY_F_SLP_CFRAME_OB1 },
		{ "slp_tp_init_callback", SCRY_F_SLP_CFRAME_OB1 },
		{ "channel_seq_callback", SCRY_F_SLP_CFRAME_OB2 },
		{ "slp_channel_seq_callback", SCRY_F_SLP_CFRAME_OB2 },
		{ "context_run_callback", SCRY_F_SLP_CFRAME_OB1 },
		{ "slp_context_run_callback", SCRY_F_SLP_CFRAME_OB1 },
		{ "slp_restore_exception", SCRY_F_SLP_CFRAME_OB2 },
	};

	for (size_t i = 0; function && i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(function, rows[i].function))
			return scry_field_get(r, cframe, rows[i].object);
	return 0;
}

static void add(struct scry_task *t, struct scry_slp_cframe ***tail, scry_addr at, size_t after)
{
	struct scry_runtime *r = t->runtime;
	struct scry_slp_cframe *c = scry_arena_alloc(&r->session->arena, sizeof(*c));

	if (!c)
		return;
	*c = (struct scry_slp_cframe) { .addr = at,
					.function = function_of(r, at),
					.after = after };
	if (runs_callable(r, at, c->function))
		c->callable = scry_field_get(r, at, SCRY_F_SLP_CFRAME_OB1);
	else
		c->object = object_of(r, at, c->function);
	**tail = c;
	*tail = &c->next;
}

const struct scry_slp_cframe *scry_tasklet_cframes(struct scry_task *t)
{
	struct scry_tasklet *d = t->detail;
	struct scry_slp_cframe **tail = &d->cframes;
	struct scry_hash seen = { 0 };
	scry_addr at = t->frame;
	size_t frames = 0, count = 0;

	if (d->has_cframes)
		return d->cframes;
	d->has_cframes = true;
	while (at && frames + count < CHAIN_MAX && count < CFRAMES_MAX &&
	       scry_hash_add(&seen, at) > 0) {
		if (is_cframe(t->runtime, at)) {
			add(t, &tail, at, frames);
			count++;
		} else {
			frames++;
		}
		if (scry_field_read(t->runtime, at, SCRY_F_FRAME_BACK, &at) < 0)
			break;
	}
	scry_hash_done(&seen);
	return d->cframes;
}

/*
 * Where no Python frame is left, or none is there yet, the outermost callable is what the tasklet
 * runs.
 */
void scry_tasklet_find_entry(struct scry_task *t)
{
	struct scry_tasklet *d = t->detail;
	struct scry_runtime *r = t->runtime;
	scry_addr at = t->frame, entry = 0;

	for (unsigned n = 0; at && n < 64; n++) {
		if (!is_cframe(r, at))
			return;
		if (runs_callable(r, at, function_of(r, at)))
			entry = scry_field_get(r, at, SCRY_F_SLP_CFRAME_OB1);
		at = scry_field_get(r, at, SCRY_F_FRAME_BACK);
	}
	d->entry = at ? 0 : entry;
}

/*
 * A soft switch of up to 3.6 puts a cframe in front that brings sys.exc_info() back: ob1 to ob3 are
 * type, value and traceback (slp_schedule_task_prepared(), Stackless/module/scheduling.c). Another
 * for tracing may be before it.
 */
static scry_addr from_cframe(struct scry_runtime *r, scry_addr at)
{
	struct scry_symbol restores;

	if (!is_cframe(r, at))
		return 0;
	bool known = r->module &&
		     scry_module_symbol(r->module, "slp_restore_exception", &restores) == SCRY_OK;

	for (unsigned n = 0; at && n < 4 && is_cframe(r, at); n++) {
		scry_addr type = scry_field_get(r, at, SCRY_F_SLP_CFRAME_OB1);
		scry_addr value = scry_field_get(r, at, SCRY_F_SLP_CFRAME_OB2);

		if (known ? scry_field_get(r, at, SCRY_F_SLP_CFRAME_EXECUTE) == restores.addr
			  : type && scry_field_get(r, value, SCRY_F_OBJECT_TYPE) == type &&
				    is_type(r, value, SCRY_IS_BASE_EXCEPTION))
			return value;
		at = scry_field_get(r, at, SCRY_F_FRAME_BACK);
	}
	return 0;
}

/*
 * A hard switch of up to 3.6 leaves it on the C stack: saved_tstat_with_magic_t of
 * transfer_with_exc() in Stackless/module/scheduling.c. Its first and last word belong together,
 * and nothing else looks like that: its own address plus one, eight words (tracing, four of the
 * trace functions, type, value, traceback), its address negated.
 */
static bool is_saved_state(struct scry_runtime *r, const uint64_t words[10], uint64_t mask)
{
	const struct scry_map *map = scry_map_at(r->session->target, words[0] - 1);

	return map && (map->flags & SCRY_MAP_EXEC) && ((words[0] - 1 + words[9]) & mask) == 0;
}

static scry_addr from_slice(struct scry_runtime *r, scry_addr cstate)
{
	unsigned size = r->session->target->abi.ptr_size;
	scry_addr stack = scry_field_addr(r, cstate, SCRY_F_CSTACK_STACK);
	uint64_t words[SAVED_WORDS], count = scry_field_get(r, cstate, SCRY_F_VAR_SIZE);
	uint64_t mask = size == 8 ? ~(uint64_t)0 : 0xffffffff;

	if (count > SAVED_WORDS)
		count = SAVED_WORDS;
	for (uint64_t i = 0; i < count; i++)
		if (scry_read_uint(r->session, stack + i * size, size, &words[i]) < 0)
			return 0;
	for (uint64_t i = 0; i + 9 < count; i++)
		if (is_saved_state(r, &words[i], mask))
			return words[i + 7];
	return 0;
}

/* From 3.7 on a chain of _PyErr_StackItem; what is innermost and not None is being handled. */
static scry_addr from_chain(struct scry_runtime *r, scry_addr item)
{
	for (unsigned depth = 0; item && depth < 1000; depth++) {
		scry_addr value = scry_field_get(r, item, SCRY_F_EXC_INFO_VALUE);

		if (value && !scry_is_none(r, value))
			return value;
		item = scry_field_get(r, item, SCRY_F_EXC_INFO_PREVIOUS);
	}
	return 0;
}

void scry_tasklet_find_exception(struct scry_task *t, const struct scry_scheduler *c)
{
	struct scry_tasklet *d = t->detail;
	struct scry_runtime *r = t->runtime;
	scry_addr state = c ? c->thread->state : 0;
	/*
	 * a thread that is blocked as a whole has no current tasklet: the one whose frames it has
	 * is on its stack
	 */
	bool running = state && (d->is_current ||
				 (!c->current && t->frame &&
				  t->frame == scry_field_get(r, state, SCRY_F_THREAD_FRAME)));

	if (scry_layout_has(r->layout, SCRY_F_TASKLET_EXC_INFO))
		d->exception = from_chain(
			r, running ? scry_field_get(r, state, SCRY_F_THREAD_EXC_INFO)
				   : scry_field_get(r, t->addr, SCRY_F_TASKLET_EXC_INFO));
	else if (running)
		d->exception = scry_field_get(r, state, SCRY_F_THREAD_EXC_VALUE);
	else if (d->hard)
		d->exception = from_slice(r, d->cstate);
	else
		d->exception = from_cframe(r, t->frame);
	if (scry_is_none(r, d->exception))
		d->exception = 0;
}
