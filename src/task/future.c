/*
 * Futures and tasks: struct FutureObj and TaskObj of the C module, and the attributes of those
 * written in Python.
 */
#include <string.h>

#include "object/known.h"
#include "object/model.h"
#include "task/asyncio.h"

static scry_addr object_at(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t value = 0;

	if (!scry_layout_has(r->layout, f) || scry_field_read(r, base, f, &value) < 0 ||
	    scry_is_none(r, value))
		return 0;
	return value;
}

static uint64_t number_at(struct scry_runtime *r, scry_addr base, enum scry_field f)
{
	uint64_t value = 0;

	return scry_layout_has(r->layout, f) && scry_field_read(r, base, f, &value) == SCRY_OK
		       ? value
		       : 0;
}

static void read_c(struct scry_runtime *r, struct scry_future *f)
{
	static const enum scry_field at[] = { SCRY_F_FUTURE_LOOP,      SCRY_F_FUTURE_EXCEPTION,
					      SCRY_F_FUTURE_RESULT,    SCRY_F_FUTURE_CALLBACK0,
					      SCRY_F_FUTURE_CALLBACKS, SCRY_F_FUTURE_AWAITED_BY };
	scry_addr *const to[] = { &f->loop,      &f->exception, &f->result,
				  &f->callback0, &f->callbacks, &f->awaited_by };
	uint64_t state = number_at(r, f->addr, SCRY_F_FUTURE_STATE);

	for (size_t i = 0; i < sizeof(at) / sizeof(*at); i++)
		*to[i] = object_at(r, f->addr, at[i]);
	/* enum fut_state, Modules/_asynciomodule.c, 3.6 to 3.15 */
	f->state_number = state;
	f->state = state <= 2 ? (enum scry_future_state)state : SCRY_FUTURE_UNKNOWN;
	/* None is a result too: future_set_result() */
	bool has = number_at(r, f->addr, SCRY_F_FUTURE_RESULT) ||
		   number_at(r, f->addr, SCRY_F_FUTURE_EXCEPTION);
	f->contradicts = scry_layout_has(r->layout, SCRY_F_FUTURE_RESULT) &&
			 scry_layout_has(r->layout, SCRY_F_FUTURE_EXCEPTION) &&
			 has != (f->state == SCRY_FUTURE_FINISHED);
	f->flags = number_at(r, f->addr, SCRY_F_FUTURE_LOG_TB);
	f->log_traceback = f->flags != 0;
}

static void read_c_task(struct scry_runtime *r, struct scry_future *f)
{
	f->coro = object_at(r, f->addr, SCRY_F_TASK_CORO);
	f->waiter = object_at(r, f->addr, SCRY_F_TASK_WAITER);
	f->name = object_at(r, f->addr, SCRY_F_TASK_NAME);
	uint64_t must_cancel = number_at(r, f->addr, SCRY_F_TASK_MUST_CANCEL);

	f->flags |= must_cancel;
	f->must_cancel = must_cancel != 0;
	f->cancels = (int32_t)number_at(r, f->addr, SCRY_F_TASK_CANCEL_REQUESTED);
}

static scry_addr attr(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr value;

	return scry_attr(r, object, name, &value) < 0 || scry_is_none(r, value) ? 0 : value;
}

static bool is_true(struct scry_runtime *r, scry_addr object, const char *name)
{
	scry_addr value = attr(r, object, name);
	int64_t number;

	return value && scry_int_value(r, value, &number) == SCRY_OK && number;
}

static void read_python(struct scry_runtime *r, struct scry_future *f)
{
	static const char *const states[] = { "PENDING", "CANCELLED", "FINISHED" };
	scry_addr state = attr(r, f->addr, "_state");
	const char *text;

	f->state = SCRY_FUTURE_UNKNOWN;
	for (int i = 0; state && scry_text_at(r, state, 16, &text) == SCRY_OK && i < 3; i++)
		if (!strcmp(text, states[i]))
			f->state = (enum scry_future_state)i;
	f->loop = attr(r, f->addr, "_loop");
	f->exception = attr(r, f->addr, "_exception");
	f->result = attr(r, f->addr, "_result");
	f->callbacks = attr(r, f->addr, "_callbacks");
	f->awaited_by = attr(r, f->addr, "_Future__asyncio_awaited_by");
	/* __log_traceback from 3.7 on */
	f->log_traceback = is_true(r, f->addr, "_Future__log_traceback") ||
			   is_true(r, f->addr, "_log_traceback");
}

static void read_python_task(struct scry_runtime *r, struct scry_future *f)
{
	scry_addr cancels = attr(r, f->addr, "_num_cancels_requested");

	f->coro = attr(r, f->addr, "_coro");
	f->waiter = attr(r, f->addr, "_fut_waiter");
	f->name = attr(r, f->addr, "_name");
	f->must_cancel = is_true(r, f->addr, "_must_cancel");
	if (cancels)
		scry_int_value(r, cancels, &f->cancels);
}

/*
 * In 3.6 a task written in Python is built on the C module's future (Lib/asyncio/tasks.py), and so
 * may tasks of other makes.
 */
static bool is_c(struct scry_runtime *r, const struct scry_future *f)
{
	scry_addr type;

	return f->kind == SCRY_KIND_C_FUTURE || f->kind == SCRY_KIND_C_TASK ||
	       (f->kind == SCRY_KIND_PY_TASK && scry_type_of(r, f->addr, &type) == SCRY_OK &&
		scry_type_is(r, type, SCRY_IS_C_FUTURE));
}

int scry_future_read(struct scry_kinds *k, scry_addr addr, struct scry_future *ret)
{
	*ret = (struct scry_future) { .addr = addr, .kind = scry_kind_of(k, addr) };
	if (!scry_kind_is_future(ret->kind))
		return SCRY_ECORRUPT;
	if (is_c(k->runtime, ret))
		read_c(k->runtime, ret);
	else
		read_python(k->runtime, ret);
	if (ret->kind == SCRY_KIND_C_TASK)
		read_c_task(k->runtime, ret);
	else if (ret->kind == SCRY_KIND_PY_TASK)
		read_python_task(k->runtime, ret);
	return SCRY_OK;
}

/* An element of the list is a callable, or from 3.7 on a tuple that begins with it. */
static scry_addr callable_of(struct scry_runtime *r, scry_addr item)
{
	scry_addr type, items, first;
	uint64_t count;

	bool tuple = scry_model_of(r)->suspended ? scry_is_exactly(r, item, SCRY_IS_TUPLE)
						 : scry_type_of(r, item, &type) == SCRY_OK &&
							   scry_type_is(r, type, SCRY_IS_TUPLE);

	if (tuple && scry_sequence(r, item, &count, &items) == SCRY_OK && count &&
	    scry_read_ptr(r->session, items, &first) == SCRY_OK)
		return first;
	return item;
}

int scry_future_callback_next(struct scry_runtime *r, const struct scry_future *f, uint64_t *it,
			      scry_addr *ret)
{
	uint64_t count, index;
	scry_addr items, item;

	if (*it == 0) {
		++*it;
		if (f->callback0) {
			*ret = f->callback0;
			return SCRY_ITEM;
		}
	}
	index = *it - 1;
	if (!f->callbacks || scry_sequence(r, f->callbacks, &count, &items) < 0 || index >= count ||
	    scry_read_ptr(r->session, items + index * r->session->target->abi.ptr_size, &item) < 0)
		return SCRY_OK;
	++*it;
	*ret = callable_of(r, item);
	return SCRY_ITEM;
}
