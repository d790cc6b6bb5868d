/* C frames of a merged stack: a line of text, an element of JSON. */
#include <inttypes.h>

#include "command/command.h"
#include "command/cvars.h"
#include "native/place.h"

static const char *name_of(const struct scry_frame *f)
{
	return f->function_of ? f->function_of->name : f->native->function;
}

static void put_where(struct scry_call *call, const struct scry_frame *f)
{
	const struct scry_c_function *in = f->function_of;
	struct scry_buf *out = call->out;

	if (in && in->file) {
		scry_put_safe(out, in->file);
		if (in->line > 0)
			scry_buf_printf(out, ":%d", in->line);
	} else if (f->native->module) {
		scry_put_safe(out, f->native->module);
		scry_buf_printf(out, "+0x%" PRIx64, f->native->offset);
	} else {
		scry_buf_printf(out, "0x%" PRIx64, f->addr);
	}
}

void scry_native_text(struct scry_call *call, const struct scry_frame *f)
{
	struct scry_buf *out = call->out;
	const char *name = name_of(f);

	scry_buf_printf(out, "%sC   ", scry_style(call, SCRY_STYLE_DIM));
	if (f->native->is_signal)
		scry_buf_puts(out, "<signal handler called>");
	else
		scry_put_safe(out, name ? name : "??");
	scry_buf_puts(out, " (");
	put_where(call, f);
	scry_buf_putc(out, ')');
	if (f->function_of && f->function_of->inlined)
		scry_buf_puts(out, " [inlined]");
	if (f->native->is_guess)
		scry_buf_puts(out, " [found by searching the stack]");
	if (call->verbose)
		scry_buf_printf(out, " [0x%" PRIx64 "]", f->addr);
	scry_buf_printf(out, "%s\n", scry_style(call, SCRY_STYLE_OFF));
}

void scry_native_json(struct scry_call *call, const struct scry_frame *f)
{
	static const char *const never[] = { "end_line", "column", "end_column", "source" };
	const struct scry_c_function *in = f->function_of;
	struct scry_json *j = call->json;

	scry_json_open(j, '{');
	scry_json_put_text(j, "kind", "native");
	scry_json_put_text(j, "function", name_of(f));
	scry_json_put_null(j, "qualname");
	scry_json_put_text(j, "file", in ? in->file : NULL);
	scry_json_put_positive(j, "line", in ? in->line : 0);
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
		scry_json_put_null(j, never[i]);
	}
	scry_json_put_addr(j, "address", f->addr);
	scry_json_put_text(j, "module", f->native->module);
	scry_json_put_int(j, "offset", (int64_t)f->native->offset);
	scry_json_put_bool(j, "inlined", in && in->inlined);
	scry_json_put_bool(j, "signal", f->native->is_signal);
	scry_json_put_text(j, "uncertain",
			   f->native->is_guess ? "found by searching the stack" : NULL);
	scry_json_put_bool(j, "runs_python", f->entry && !(in && in->inlined));
	if (call->s->options.locals)
		scry_variables_json(call, f);
	scry_json_close(j, '}');
}
