/*
 * The structs of the extension greenlet. Their members depend on its own version and on Python's: src/greenlet/greenlet.h
 * (up to 1.1), greenlet_greenlet.hpp (2.0 to 3.1.0) and TGreenlet.hpp (3.1.1 to 3.5.3).
 */
#include <stdio.h>

#include "base/buf.h"
#include "layout/rows.h"
#include "object/internal.h"
#include "task/greenlet.h"

#define PY(minor) SCRY_SINCE(3, minor, 0)

/* Greenlet.__version__: "3.1.1", "1.0.0rc1"; the package's, or up to 0.4 the module's own. */
static bool find_version(struct scry_runtime *r, uint32_t *ret)
{
	static const char *const modules[] = { "greenlet", "greenlet._greenlet" };
	unsigned v[3] = { 0 };
	scry_addr module, version;
	const char *text;

	for (struct scry_interp *i = r->interps; i; i = i->next)
		for (size_t m = 0; m < sizeof(modules) / sizeof(*modules); m++)
			if (i->modules && scry_dict_get(r, i->modules, modules[m], &module) == SCRY_OK &&
			    scry_attr(r, module, "__version__", &version) == SCRY_OK &&
			    scry_text_at(r, version, 32, &text) == SCRY_OK &&
			    sscanf(text, "%3u.%3u.%3u", &v[0], &v[1], &v[2]) >= 2) {
				*ret = SCRY_SINCE(v[0] & 0xff, v[1] & 0xff, v[2] & 0xff);
				return true;
			}
	return false;
}

/* class PythonState behind _top_frame */
static void python_state(uint32_t version, uint32_t python, struct scry_buf *out)
{
	if (python >= PY(10) && python < PY(13))
		scry_buf_puts(out, " p 4"); /* cframe, use_tracing */
	if (python >= PY(14) && version >= SCRY_SINCE(3, 3, 0))
		scry_buf_puts(out, " 4 p p f:p"); /* py_recursion_depth, current_executor, stackpointer, c_stack_refs */
	else if (python >= PY(14) && version >= SCRY_SINCE(3, 2, 4))
		scry_buf_puts(out, " 4 p");
	else
		scry_buf_puts(out, python >= PY(12) && version >= SCRY_SINCE(3, 0, 0) ? " [2]4" : " 4");
	if (python >= PY(13))
		scry_buf_puts(out, version >= SCRY_SINCE(3, 5, 3) ? " [2]p" : " p"); /* delete_later, critical_section */
	else
		scry_buf_puts(out, " 4"); /* trash_delete_nesting */
	if (python >= PY(11))
		scry_buf_puts(out, " [4]p"); /* current_frame, datastack_* */
}

/* class UserGreenlet: the vtable, class Greenlet, its own members */
static void implementation(uint32_t version, uint32_t python, struct scry_buf *out)
{
	bool self_first = version >= SCRY_SINCE(3, 1, 1);

	scry_buf_puts(out, self_first ? "p p=self" : "p");
	scry_buf_puts(out, python >= PY(7) ? " p @EXC_INFO" : " [3]p");
	scry_buf_puts(out, " [2]p p=stack_start p=stack_stop p=stack_copy p=stack_saved p");
	scry_buf_puts(out, python >= PY(7) ? " p p=top_frame" : " p=top_frame");
	python_state(version, python, out);
	scry_buf_puts(out, self_first ? " p=main_greenlet" : " p=self p=main_greenlet");
	scry_buf_puts(out, " p=run_callable p=parent");
}

static bool lay_out(struct scry_runtime *r, enum scry_struct s, const char *text)
{
	const char *texts[SCRY_S_COUNT] = { NULL };

	scry_rows_choose(&scry_rows_cpython, r->layout->flavour.version, texts);
	texts[s] = text;
	return scry_row_lay_out(texts, s, &r->layout->flavour, &r->session->target->abi, r->layout);
}

bool scry_greenlet_lay_out(struct scry_runtime *r)
{
	struct scry_buf text = SCRY_BUF_INIT;
	uint32_t version;
	bool done;

	if (scry_layout_has(r->layout, SCRY_F_GREENLET_STACK_START) || scry_layout_has(r->layout, SCRY_F_GREENLET_PIMPL))
		return true;
	if (!find_version(r, &version)) {
		scry_note(r->session, "the version of greenlet was not found: its greenlets are not shown");
		return false;
	}
	if (version < SCRY_SINCE(2, 0, 0))
		return lay_out(r, SCRY_S_GREENLET,
			       "O p=stack_start p=stack_stop p=stack_copy p=stack_saved p p=parent p=run_info p=top_frame ...");
	implementation(version, r->version, &text);
	done = !text.failed && lay_out(r, SCRY_S_GREENLET, "O p p=dict p=pimpl") &&
	       lay_out(r, SCRY_S_GREENLET_IMPL, text.text);
	scry_buf_done(&text);
	return done;
}
