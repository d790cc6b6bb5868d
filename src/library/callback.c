/*
 * Functions that an event loop is to call, as Lib/asyncio/format_helpers.py prints them
 * (_format_callback_source()), and asyncio's handles of such calls.
 */
#include "object/judge.h"
#include "object/known.h"
#include "object/printer.h"

#define WRAPPED_MAX 20 /* partials and __wrapped__ */

/*
 * Whether the arguments of a partial are written: from 3.13 on only in debug mode, which changed
 * with a fix of some 3.12; then the function has an argument `debug`.
 */
static bool shows_arguments(struct scry_runtime *r)
{
	scry_addr module, function;

	for (struct scry_interp *i = r->interps; i; i = i->next)
		if (i->modules &&
		    scry_dict_get(r, i->modules, "asyncio.format_helpers", &module) == SCRY_OK &&
		    scry_attr(r, module, "_format_args_and_kwargs", &function) == SCRY_OK) {
			const struct scry_code *code =
				scry_code_at(r, scry_field_get(r, function, SCRY_F_FUNCTION_CODE));

			return !code || !code->kwonly;
		}
	return true;
}

static void put_arguments(struct scry_printer *p, scry_addr args, scry_addr keywords, bool shown)
{
	struct scry_runtime *r = p->runtime;
	uint64_t n = 0, it = 0;
	scry_addr items = 0, key, value;
	const char *between = "";

	scry_buf_putc(p->out, '(');
	if (shown) {
		if (scry_sequence(r, args, &n, &items) == SCRY_OK && n) {
			scry_print_items(p, items, n);
			between = ", ";
		}
		while (scry_dict_next(r, keywords, &it, &key, &value) == SCRY_ITEM) {
			scry_buf_puts(p->out, between);
			scry_print_plain(p, key);
			scry_buf_putc(p->out, '=');
			scry_print(p, value);
			between = ", ";
		}
	}
	scry_buf_putc(p->out, ')');
}

/* The innermost function first: "print('a')('b')()" of partial(partial(print, 'a'), 'b'). */
static void put_callable(struct scry_printer *p, scry_addr func, bool shown, unsigned depth)
{
	struct scry_runtime *r = p->runtime;
	const char *name;

	if (depth < WRAPPED_MAX &&
	    scry_type_is(r, scry_field_get(r, func, SCRY_F_OBJECT_TYPE), SCRY_IS_PARTIAL)) {
		put_callable(p, scry_field_get(r, func, SCRY_F_PARTIAL_FN), shown, depth + 1);
		put_arguments(p, scry_field_get(r, func, SCRY_F_PARTIAL_ARGS),
			      scry_field_get(r, func, SCRY_F_PARTIAL_KW), shown);
		return;
	}
	name = scry_name_of(r, func, true);
	name = name && *name ? name : scry_name_of(r, func, false);
	if (name && *name)
		scry_buf_puts(p->out, name);
	else
		scry_print(p, func);
}

/* inspect.unwrap(), then a function's own code or that of a partial's; a method has none. */
static const struct scry_code *source_of(struct scry_runtime *r, scry_addr func)
{
	scry_addr inner;

	for (unsigned i = 0; i < WRAPPED_MAX; i++) {
		if (scry_attr(r, func, "__wrapped__", &inner) == SCRY_OK)
			func = inner;
		else if (scry_type_is(r, scry_field_get(r, func, SCRY_F_OBJECT_TYPE),
				      SCRY_IS_PARTIAL))
			func = scry_field_get(r, func, SCRY_F_PARTIAL_FN);
		else
			break;
	}
	return scry_is_exactly(r, func, SCRY_IS_FUNCTION)
		       ? scry_code_at(r, scry_field_get(r, func, SCRY_F_FUNCTION_CODE))
		       : NULL;
}

void scry_print_callback(struct scry_printer *p, scry_addr func, scry_addr args, bool debug)
{
	bool shown = debug || shows_arguments(p->runtime);
	struct scry_type *t;

	if (scry_type_for(p->runtime, func, &t) < 0 ||
	    scry_judge_reference(p->runtime, func, t) < 0) {
		scry_printer_damage(p, func);
		return;
	}
	put_callable(p, func, shown, 0);
	put_arguments(p, args, 0, shown);
	const struct scry_code *code = source_of(p->runtime, func);
	if (code)
		scry_printf(p, " at %s:%d", code->file, code->first_line);
}

/* --- handles: Lib/asyncio/events.py --- */

static bool is_true(struct scry_runtime *r, scry_addr obj, const char *attr)
{
	scry_addr value;

	return scry_attr(r, obj, attr, &value) == SCRY_OK && scry_truth(r, value, false);
}

/* In debug mode a handle knows who made it: the last of a list of FrameSummary. */
static void put_origin(struct scry_printer *p, scry_addr handle)
{
	struct scry_runtime *r = p->runtime;
	scry_addr list, items, last, file, line;
	uint64_t n;

	if (scry_attr(r, handle, "_source_traceback", &list) < 0 ||
	    scry_sequence(r, list, &n, &items) < 0 || !n ||
	    scry_word(r, items + (n - 1) * r->session->target->abi.ptr_size, &last) < 0 ||
	    scry_attr(r, last, "filename", &file) < 0 || scry_attr(r, last, "lineno", &line) < 0)
		return;
	scry_buf_puts(p->out, " created at ");
	scry_print_plain(p, file);
	scry_buf_putc(p->out, ':');
	scry_print(p, line);
}

/* Handle, and TimerHandle, which knows when. Cancelled in debug mode, one keeps its text. */
static int print_handle(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	struct scry_runtime *r = p->runtime;
	scry_addr kept, callback, args, when, loop;

	if (scry_attr(r, addr, "_repr", &kept) < 0 ||
	    scry_attr(r, addr, "_callback", &callback) < 0 ||
	    scry_attr(r, addr, "_args", &args) < 0)
		return SCRY_ECORRUPT;
	if (!scry_is_none(r, kept)) {
		scry_print_plain(p, kept);
		return SCRY_OK;
	}
	scry_printf(p, "<%s", scry_type_short(r, type));
	if (is_true(r, addr, "_cancelled"))
		scry_buf_puts(p->out, " cancelled");
	if (scry_attr(r, addr, "_when", &when) == SCRY_OK) {
		scry_buf_puts(p->out, " when=");
		scry_print_plain(p, when);
	}
	if (!scry_is_none(r, callback)) {
		scry_buf_putc(p->out, ' ');
		scry_print_callback(p, callback, args,
				    scry_attr(r, addr, "_loop", &loop) == SCRY_OK &&
					    is_true(r, loop, "_debug"));
	}
	put_origin(p, addr);
	scry_buf_putc(p->out, '>');
	return SCRY_OK;
}

const struct scry_printer_row scry_printers_callback[] = {
	{ "asyncio.events.Handle", 0, print_handle },
	{ NULL },
};
