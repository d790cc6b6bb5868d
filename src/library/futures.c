/* asyncio's futures and tasks in C, as Lib/asyncio/base_futures.py and base_tasks.py print them. */
#include "object/contradict.h"
#include "object/cython.h"
#include "object/item.h"
#include "object/judge.h"
#include "object/known.h"

/* The same members under two prefixes: struct FutureObj and TaskObj, Modules/_asynciomodule.c. */
static const struct fields {
	enum scry_field state, exception, result, callback0, callbacks;
} future_fields = { SCRY_F_FUTURE_STATE, SCRY_F_FUTURE_EXCEPTION, SCRY_F_FUTURE_RESULT,
		    SCRY_F_FUTURE_CALLBACK0, SCRY_F_FUTURE_CALLBACKS },
  task_fields = { SCRY_F_TASK_STATE, SCRY_F_TASK_EXCEPTION, SCRY_F_TASK_RESULT,
		  SCRY_F_TASK_CALLBACK0, SCRY_F_TASK_CALLBACKS };

enum { STATE_PENDING, STATE_CANCELLED, STATE_FINISHED };

static scry_addr optional(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t value = 0;

	return scry_field_read(r, base, f, &value) == SCRY_OK ? value : 0;
}

/* --- generators: where they stand --- */

/*
 * The frame of a suspended or running coroutine: 3.11+ inside of it while its state says so
 * (Include/internal/ pycore_frame.h: finished is >= 1 up to 3.14, 5 since), before behind a pointer
 * that is NULL in the end.
 */
static const struct {
	uint32_t since;
	int64_t finished;
} states[] = { { 0, 1 }, { SCRY_VERSION_OF(3, 15), 5 } };

scry_addr scry_generator_frame(struct scry_runtime *r, scry_addr gen)
{
	int64_t state;

	if (!scry_layout_has(r->layout, SCRY_F_GEN_IFRAME))
		return optional(r, gen, SCRY_F_GEN_FRAME);
	if (scry_field_read_int(r, gen, SCRY_F_GEN_STATE, &state) < 0)
		return 0;
	return state >= SCRY_SINCE(states, r->version)->finished
		       ? 0
		       : scry_field_addr(r, gen, SCRY_F_GEN_IFRAME);
}

/*
 * Of Cython's the line is that of the frame that it makes when asked for one: up to 3.10 where
 * its function begins, later none.
 */
static bool print_cython_coroutine(struct scry_printer *p, scry_addr coro)
{
	struct scry_runtime *r = p->runtime;
	struct scry_cython_generator g;
	struct scry_frame f;
	const char *name = NULL;

	if (scry_cython_generator_read(r, coro, &g) < 0 || scry_cython_frame(r, coro, &f) < 0)
		return false;
	if (scry_text_at(r, g.qualname, 500, &name) < 0) {
		scry_buf_puts(p->out, "<coroutine without __name__>()");
		return true;
	}
	scry_printf(p, "%s() running at %s:", name, f.code->file);
	if (scry_trait(r, SCRY_TRAIT_FRAMES_ARE_OBJECTS))
		scry_printf(p, "%d", f.code->first_line);
	else
		scry_buf_puts(p->out, "None");
	return true;
}

/* coroutines._format_coroutine() */
static void print_coroutine(struct scry_printer *p, scry_addr coro)
{
	struct scry_runtime *r = p->runtime;
	struct scry_location at = { 0 };
	struct scry_frame f;
	const char *name;
	scry_addr str = optional(r, coro, SCRY_F_GEN_QUALNAME),
		  frame = scry_generator_frame(r, coro);
	const struct scry_code *code = NULL;

	if (print_cython_coroutine(p, coro))
		return;
	if (!scry_is_exactly(r, coro, SCRY_IS_COROUTINE) ||
	    !scry_layout_has(r->layout, SCRY_F_GEN_QUALNAME)) {
		scry_print(p, coro);
		return;
	}
	if (scry_text_at(r, str, 500, &name) < 0) {
		scry_printer_damage(p, coro);
		return;
	}
	scry_printf(p, "%s()", name);
	if (scry_generator_doubt(r, coro, name))
		scry_printer_doubt(p, scry_generator_doubt(r, coro, name));
	if (frame && scry_frame_at(r, frame, &f) < 0) {
		scry_printer_damage(p, frame);
		return;
	}
	if (frame && f.code) {
		scry_frame_location(&f, &at);
		scry_printf(p, " running at %s:%d", f.code->file,
			    at.line ? at.line : f.code->first_line);
		return;
	}
	/* 3.12+ has no gi_code: the frame's stays */
	scry_addr code_addr = optional(r, coro, SCRY_F_GEN_CODE),
		  inner = scry_field_addr(r, coro, SCRY_F_GEN_IFRAME);
	if (!code_addr && inner)
		code_addr = scry_untag(r, optional(r, inner, SCRY_F_IFRAME_CODE));
	code = code_addr ? scry_code_at(r, code_addr) : NULL;
	if (code && code->damaged)
		scry_printer_doubt(p, code->damaged);
	else if (code)
		scry_printf(p, " done, defined at %s:%d", code->file, code->first_line);
}

/* --- callbacks --- */

/* The list's items are pairs of callback and context. */
static scry_addr callback_at(struct scry_runtime *r, scry_addr items, uint64_t i)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr pair, func, at;
	uint64_t n;

	if (scry_word(r, items + i * ptr, &pair) < 0)
		return 0;
	if (scry_sequence(r, pair, &n, &at) < 0)
		return pair; /* 3.6: no contexts */
	return n && scry_word(r, at, &func) == SCRY_OK ? func : 0;
}

static void print_callbacks(struct scry_printer *p, scry_addr future, const struct fields *f)
{
	struct scry_runtime *r = p->runtime;
	scry_addr first = optional(r, future, f->callback0),
		  list = optional(r, future, f->callbacks), items = 0;
	uint64_t n = 0;

	if (list && !scry_is_none(r, list) && scry_sequence(r, list, &n, &items) < 0) {
		scry_buf_puts(p->out, " cb=");
		scry_printer_damage(p, list);
		n = 0;
	}
	uint64_t all = n + (first != 0);
	if (!all)
		return;
	scry_buf_puts(p->out, " cb=[");
	scry_print_callback(p, first ? first : callback_at(r, items, 0), 0, false);
	if (all > 2)
		scry_printf(p, ", <%" PRIu64 " more>", all - 2);
	if (all > 1) {
		scry_buf_puts(p->out, ", ");
		scry_print_callback(p, callback_at(r, items, n - 1), 0, false);
	}
	scry_buf_putc(p->out, ']');
}

static void print_outcome(struct scry_printer *p, scry_addr future, const struct fields *f)
{
	scry_addr exception = optional(p->runtime, future, f->exception);

	if (exception && !scry_is_none(p->runtime, exception)) {
		scry_buf_puts(p->out, " exception=");
		scry_print(p, exception);
	} else {
		scry_buf_puts(p->out, " result=");
		scry_print(p, optional(p->runtime, future, f->result));
	}
}

static const char *state_name(uint64_t state)
{
	static const char *const names[] = { "pending", "cancelled", "finished" };

	return state < 3 ? names[state] : "?";
}

/*
 * What is over waits for nothing, and what is finished has a result (None is one) or an exception:
 * Modules/_asynciomodule.c, task_step_impl(), future_set_result().
 */
static void check_state(struct scry_printer *p, scry_addr future, const struct fields *f,
			uint64_t state, scry_addr waiter)
{
	struct scry_runtime *r = p->runtime;
	bool known = scry_layout_has(r->layout, f->result) &&
		     scry_layout_has(r->layout, f->exception),
	     has = optional(r, future, f->result) || optional(r, future, f->exception);

	if (state > STATE_FINISHED)
		scry_printer_doubt(p, "it has none of the three states");
	else if (state != STATE_PENDING && waiter && !scry_is_none(r, waiter))
		scry_printer_doubt(p, "it is over, and waits");
	else if (known && has != (state == STATE_FINISHED))
		scry_printer_doubt(p, has ? "it has a result" : "it has no result");
}

static int print_task(struct scry_printer *p, scry_addr addr, scry_addr type);

static int print_future(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	uint64_t state;

	/* up to 3.8 it inherits the function */
	if (scry_type_is(p->runtime, type, SCRY_IS_C_TASK))
		return print_task(p, addr, type);
	int rc = scry_field_read(p->runtime, addr, SCRY_F_FUTURE_STATE, &state);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	scry_printf(p, "<%s %s", scry_type_short(p->runtime, type), state_name(state));
	check_state(p, addr, &future_fields, state, 0);
	if (state == STATE_FINISHED)
		print_outcome(p, addr, &future_fields);
	print_callbacks(p, addr, &future_fields);
	scry_buf_putc(p->out, '>');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* From 3.8 on a task has a name; 3.12+ keeps the number until somebody asks for the name. */
static void print_task_name(struct scry_printer *p, scry_addr task)
{
	scry_addr name = optional(p->runtime, task, SCRY_F_TASK_NAME);
	struct scry_type *t;
	int64_t number;

	if (!name)
		return;
	scry_buf_puts(p->out, " name=");
	if (scry_int_value(p->runtime, name, &number) == SCRY_OK)
		scry_printf(p, "'Task-%" PRId64 "'", number);
	else
		scry_print(p, name);
	if (scry_type_for(p->runtime, name, &t) == SCRY_OK &&
	    !(t->flags & (TYPE_UNICODE | TYPE_LONG)))
		scry_printer_doubt(p, "it is not a name");
}

static bool is_cancelling(struct scry_runtime *r, scry_addr task)
{
	enum scry_field f = scry_layout_has(r->layout, SCRY_F_TASK_CANCEL_REQUESTED)
				    ? SCRY_F_TASK_CANCEL_REQUESTED
				    : SCRY_F_TASK_MUST_CANCEL;

	return optional(r, task, f) != 0;
}

static int print_task(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	uint64_t state;
	int rc = scry_field_read(r, addr, SCRY_F_TASK_STATE, &state);

	if (rc < 0 || !scry_printer_enter(p, addr, "..."))
		return rc;
	bool cancelling = state == STATE_PENDING && is_cancelling(r, addr);
	scry_addr coro = optional(r, addr, SCRY_F_TASK_CORO),
		  waiter = optional(r, addr, SCRY_F_TASK_WAITER);
	scry_printf(p, "<%s %s", scry_type_short(r, type),
		    cancelling ? "cancelling" : state_name(state));
	check_state(p, addr, &task_fields, state, waiter);
	if (optional(r, addr, SCRY_F_TASK_MUST_CANCEL) > 1)
		scry_printer_doubt(p, "its task_must_cancel is no flag");
	print_task_name(p, addr);
	if (coro) {
		scry_buf_puts(p->out, " coro=<");
		print_coroutine(p, coro);
		scry_buf_putc(p->out, '>');
	}
	if (waiter && !scry_is_none(r, waiter)) {
		scry_buf_puts(p->out, " wait_for=");
		scry_print(p, waiter);
	}
	if (state == STATE_FINISHED)
		print_outcome(p, addr, &task_fields);
	print_callbacks(p, addr, &task_fields);
	scry_buf_putc(p->out, '>');
	scry_printer_leave(p);
	return SCRY_OK;
}

/* --- Lib/asyncio/locks.py, queues.py --- */

static void print_count_of(struct scry_printer *p, scry_addr addr, const char *attribute,
			   const char *form)
{
	scry_addr value;
	int64_t n = scry_attr(p->runtime, addr, attribute, &value) < 0
			    ? 0
			    : scry_length(p->runtime, value);

	if (n > 0)
		scry_printf(p, "%s%" PRId64 "%s", form, n, strchr(form, '[') ? "]" : "");
}

/* "[locked]", "[unlocked, value:2, waiters:1]"; 3.6 has no blank after the commas */
static int print_lock_state(struct scry_printer *p, scry_addr addr, scry_addr type,
			    const char *state, bool counts)
{
	bool blank = scry_trait(p->runtime, SCRY_TRAIT_LOCK_STATE_SPACED);

	scry_printf(p, "<%s.%s object at 0x%" PRIx64 " [%s", scry_type_module(p->runtime, type),
		    scry_type_qualname(p->runtime, type), addr, state);
	int64_t value;
	if (counts && scry_attr_int(p->runtime, addr, "_value", &value) == SCRY_OK)
		scry_printf(p, ",%svalue:%" PRId64, blank ? " " : "", value);
	print_count_of(p, addr, "_waiters", blank ? ", waiters:" : ",waiters:");
	scry_buf_puts(p->out, "]>");
	return SCRY_OK;
}

static int print_event(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr value;
	bool set = scry_attr(p->runtime, addr, "_value", &value) == SCRY_OK &&
		   scry_truth(p->runtime, value, false);

	return print_lock_state(p, addr, type, set ? "set" : "unset", false);
}

static int print_asyncio_lock(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr value;
	bool locked = scry_attr(p->runtime, addr, "_locked", &value) == SCRY_OK &&
		      scry_truth(p->runtime, value, false);

	return print_lock_state(p, addr, type, locked ? "locked" : "unlocked", false);
}

static int print_semaphore(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	int64_t value;
	int rc = scry_attr_int(p->runtime, addr, "_value", &value);

	return rc < 0 ? rc
		      : print_lock_state(p, addr, type, value ? "unlocked" : "locked", value != 0);
}

static int print_queue(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_item item;
	scry_addr queue;
	int64_t tasks = 0, n = 0;

	scry_printf(p, "<%s at 0x%" PRIx64 " maxsize=", scry_type_short(p->runtime, type), addr);
	scry_print_attr(p, addr, "_maxsize");
	if (scry_attr(p->runtime, addr, "_queue", &queue) == SCRY_OK)
		n = scry_length(p->runtime, queue);
	if (n > 0 && scry_printer_enter(p, addr, "")) {
		scry_buf_puts(p->out, " _queue=[");
		for (int64_t i = 0; scry_printer_more(p, (uint64_t)i, (uint64_t)n); i++)
			if (scry_item_at(p->runtime, queue, i, &item) == SCRY_OK)
				scry_print(p, item.addr);
		scry_buf_putc(p->out, ']');
		scry_printer_leave(p);
	}
	print_count_of(p, addr, "_getters", " _getters[");
	print_count_of(p, addr, "_putters", " _putters[");
	if (scry_attr_int(p->runtime, addr, "_unfinished_tasks", &tasks) == SCRY_OK && tasks)
		scry_printf(p, " tasks=%" PRId64, tasks);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* Lib/asyncio/taskgroups.py (3.11+). */
static int print_task_group(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr aborting, entered;

	(void)type;
	if (scry_attr(r, addr, "_aborting", &aborting) < 0 ||
	    scry_attr(r, addr, "_entered", &entered) < 0)
		return SCRY_ECORRUPT;
	scry_buf_puts(p->out, "<TaskGroup");
	print_count_of(p, addr, "_tasks", " tasks=");
	print_count_of(p, addr, "_errors", " errors=");
	if (scry_truth(r, aborting, false))
		scry_buf_puts(p->out, " cancelling");
	else if (scry_truth(r, entered, false))
		scry_buf_puts(p->out, " entered");
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

/* what Lib/asyncio/base_futures.py asks them for */
#define OF_FUTURES "_state _exception _result _callbacks _source_traceback __getattribute__"

const struct scry_printer_row scry_printers_asyncio[] = {
	{ "_asyncio.Future", 0, print_future, .uses = "_repr_info " OF_FUTURES },
	{ "_asyncio.Task", 0, print_task,
	  .uses = "_repr_info get_name _coro _fut_waiter _must_cancel cancelling "
		  "done " OF_FUTURES },
	{ "asyncio.locks.Lock", 0, print_asyncio_lock, .needs = "_locked _waiters" },
	{ "asyncio.locks.Event", 0, print_event, .needs = "_value _waiters" },
	{ "asyncio.locks.Semaphore", 0, print_semaphore, .uses = "locked",
	  .needs = "_value _waiters" },
	{ "asyncio.queues.Queue", 0, print_queue, .uses = "_format",
	  .needs = "_maxsize _getters _putters" },
	{ "asyncio.taskgroups.TaskGroup", 0, print_task_group },
	{ NULL },
};
