/* What is said of a tasklet: words in its head line, lines below it, keys of its JSON. */
#include <inttypes.h>
#include <string.h>

#include "object/object.h"
#include "task/cstack.h"
#include "task/stackless.h"

void scry_tasklet_text(struct scry_task *t, struct scry_buf *out)
{
	const struct scry_tasklet *d = t->detail;
	static const char *const names[] = { "main",
					     "atomic",
					     "ignores nesting",
					     "block trap",
					     "zombie",
					     "interrupt pending",
					     "hard-switched",
					     "its saved C stack is stale",
					     "its thread has ended" };
	const bool is[] = { d->is_main,    d->atomic,    d->ignore_nesting,
			    d->block_trap, d->is_zombie, d->pending_irq,
			    d->hard,       d->stale,     d->orphaned };

	for (size_t i = 0; i < sizeof(is) / sizeof(*is); i++)
		if (is[i])
			scry_buf_printf(out, ", %s", names[i]);
}

static void bomb_type(struct scry_runtime *r, scry_addr bomb, struct scry_buf *out)
{
	scry_addr type = scry_field_get(r, bomb, SCRY_F_BOMB_TYPE);
	const char *name, *dot;

	if (!type || scry_type_name(r, type, &name) < 0) {
		scry_buf_putc(out, '?');
		return;
	}
	dot = strrchr(name, '.');
	scry_buf_puts(out, dot ? dot + 1 : name);
}

static void value_lines(struct scry_task *t, struct scry_buf *out, bool verbose)
{
	const struct scry_tasklet *d = t->detail;
	struct scry_runtime *r = t->runtime;

	if (!d->tempval || (!verbose && (d->tempval == t->addr || scry_is_none(r, d->tempval))))
		return;
	if (!scry_is_bomb(scry_stackless_of(r), d->tempval)) {
		scry_buf_puts(out, "    value ");
		scry_task_value_text(r, d->tempval, out);
		scry_buf_putc(out, '\n');
		return;
	}
	scry_addr value = scry_field_get(r, d->tempval, SCRY_F_BOMB_VALUE);

	scry_buf_puts(out, "    bomb of ");
	bomb_type(r, d->tempval, out);
	if (value && !scry_is_none(r, value)) {
		scry_buf_puts(out, ": ");
		scry_task_value_text(r, value, out);
	}
	scry_buf_putc(out, '\n');
}

/* run_cframe() below the Python frames is how every tasklet starts: only -v says so. */
static void cframe_lines(struct scry_task *t, struct scry_buf *out)
{
	for (const struct scry_slp_cframe *c = scry_tasklet_cframes(t); c; c = c->next) {
		scry_addr value = c->callable ? c->callable : c->object;

		scry_buf_printf(out, "    cframe after %zu frames: %s", c->after,
				c->function ? c->function : "of an unknown function");
		if (value) {
			scry_buf_puts(out, c->callable ? ", calls " : ", with ");
			scry_task_value_text(t->runtime, value, out);
		}
		scry_buf_putc(out, '\n');
	}
}

void scry_tasklet_lines(struct scry_task *t, struct scry_buf *out, bool verbose)
{
	const struct scry_tasklet *d = t->detail;

	if (d->channel)
		scry_buf_printf(out, "    on channel 0x%" PRIx64 " (balance %" PRId64 ")\n",
				d->channel, d->balance);
	if (d->entry) {
		scry_buf_puts(out, "    starts with ");
		scry_task_value_text(t->runtime, d->entry, out);
		scry_buf_putc(out, '\n');
	}
	value_lines(t, out, verbose);
	if (d->exception) {
		scry_buf_puts(out, "    handles ");
		scry_task_value_text(t->runtime, d->exception, out);
		scry_buf_putc(out, '\n');
	}
	if (verbose)
		scry_buf_printf(out,
				"    recursion depth %" PRId64 ", nesting level %" PRId64
				", C stack of %" PRIu64 " words in %u slices\n",
				d->recursion_depth, d->nesting_level, d->slice_words, d->slices);
	if (verbose)
		cframe_lines(t, out);
	if (verbose)
		scry_c_stack_lines(scry_tasklet_c_stack(t), out);
}

/*
 * The exception that a tasklet finds when it goes on: struct _bomb. Its value may be the arguments
 * only, or absent.
 */
static void bomb_json(struct scry_task *t, struct scry_json *j)
{
	const struct scry_tasklet *d = t->detail;
	struct scry_runtime *r = t->runtime;
	struct scry_buf type = SCRY_BUF_INIT;

	scry_json_key(j, "bomb");
	if (!scry_is_bomb(scry_stackless_of(r), d->tempval)) {
		scry_json_null(j);
		return;
	}
	bomb_type(r, d->tempval, &type);
	scry_json_open(j, '{');
	scry_json_key(j, "type");
	scry_json_bytes(j, type.text, type.len);
	scry_json_key(j, "value");
	scry_task_value_json(r, scry_field_get(r, d->tempval, SCRY_F_BOMB_VALUE), j);
	scry_json_key(j, "traceback");
	scry_task_id_json(j, scry_field_get(r, d->tempval, SCRY_F_BOMB_TRACEBACK));
	scry_json_close(j, '}');
	scry_buf_done(&type);
}

static void cframes_json(struct scry_task *t, struct scry_json *j)
{
	scry_json_key(j, "cframes");
	scry_json_open(j, '[');
	for (const struct scry_slp_cframe *c = scry_tasklet_cframes(t); c; c = c->next) {
		scry_json_open(j, '{');
		scry_json_key(j, "id");
		scry_json_addr(j, c->addr);
		scry_json_key(j, "function");
		scry_json_text(j, c->function);
		scry_json_key(j, "callable");
		scry_task_value_json(t->runtime, c->callable, j);
		scry_json_key(j, "object");
		scry_task_value_json(t->runtime, c->object, j);
		scry_json_key(j, "after");
		scry_json_int(j, (int64_t)c->after);
		scry_json_close(j, '}');
	}
	scry_json_close(j, ']');
}

static void cstate_json(struct scry_task *t, struct scry_json *j)
{
	const struct scry_tasklet *d = t->detail;
	struct scry_runtime *r = t->runtime;

	scry_json_key(j, "cstate");
	if (!d->cstate) {
		scry_json_null(j);
	} else {
		scry_json_open(j, '{');
		scry_json_key(j, "id");
		scry_json_addr(j, d->cstate);
		scry_json_key(j, "size");
		scry_json_int(j, (int64_t)scry_field_get(r, d->cstate, SCRY_F_VAR_SIZE));
		scry_json_key(j, "startaddr");
		scry_task_id_json(j, scry_field_get(r, d->cstate, SCRY_F_CSTACK_STARTADDR));
		scry_json_key(j, "nesting_level");
		scry_json_int(j, scry_field_get_int(r, d->cstate, SCRY_F_CSTACK_NESTING_LEVEL));
		scry_json_key(j, "serial");
		scry_json_int(j, scry_field_get_int(r, d->cstate, SCRY_F_CSTACK_SERIAL));
		scry_json_key(j, "task");
		scry_task_id_json(j, scry_field_get(r, d->cstate, SCRY_F_CSTACK_TASK));
		scry_json_close(j, '}');
	}
	scry_json_key(j, "slices");
	scry_json_int(j, d->slices);
}

void scry_tasklet_json(struct scry_task *t, struct scry_json *j)
{
	const struct scry_tasklet *d = t->detail;
	const struct {
		const char *key;
		bool value;
	} flags[] = { { "alive", d->alive },
		      { "blocked", d->blocked != 0 },
		      { "scheduled", d->scheduled },
		      { "paused", d->paused },
		      { "restorable", d->restorable },
		      { "atomic", d->atomic },
		      { "block_trap", d->block_trap },
		      { "ignore_nesting", d->ignore_nesting },
		      { "autoschedule", d->autoschedule },
		      { "is_zombie", d->is_zombie },
		      { "is_main", d->is_main },
		      { "is_current", d->is_current },
		      { "orphaned", d->orphaned },
		      { "hard_switched", d->hard },
		      { "stale", d->stale } };

	scry_json_key(j, "type");
	scry_json_text(j, d->type);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		scry_json_key(j, flags[i].key);
		scry_json_bool(j, flags[i].value);
	}
	scry_json_key(j, "recursion_depth");
	scry_json_int(j, d->recursion_depth);
	scry_json_key(j, "nesting_level");
	scry_json_int(j, d->nesting_level);
	scry_json_key(j, "thread_id");
	scry_json_int(j, d->thread_id);
	scry_json_key(j, "next");
	scry_task_id_json(j, d->next);
	scry_json_key(j, "prev");
	scry_task_id_json(j, d->prev);
	scry_json_key(j, "channel");
	scry_task_id_json(j, d->channel);
	scry_json_key(j, "balance");
	if (d->channel)
		scry_json_int(j, d->balance);
	else
		scry_json_null(j);
	scry_json_key(j, "direction");
	scry_json_text(j, d->blocked ? d->blocked > 0 ? "send" : "receive" : NULL);
	scry_json_key(j, "tempval");
	scry_task_value_json(t->runtime, d->tempval, j);
	scry_json_key(j, "entry");
	scry_task_value_json(t->runtime, d->entry, j);
	scry_json_key(j, "exception");
	scry_task_value_json(t->runtime, d->exception, j);
	bomb_json(t, j);
	cframes_json(t, j);
	cstate_json(t, j);
	scry_c_stack_json(scry_tasklet_c_stack(t), j);
}
