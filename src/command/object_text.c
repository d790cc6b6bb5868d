/* One object's text, for debuggers' own printers. */
#include <inttypes.h>

#include "command/command.h"
#include "object/object.h"

#define TEXT_MAX 1024 /* debuggers show it in a line */

static struct scry_runtime *runtime_of(struct scry_session *s, scry_addr addr)
{
	scry_addr type;

	for (struct scry_runtime *r = scry_runtime_first(s); r; r = r->next)
		if (scry_type_of(r, addr, &type) == SCRY_OK)
			return r;
	return NULL;
}

int scry_object_text(struct scry_session *s, scry_addr addr, struct scry_buf *out)
{
	struct scry_buf text = SCRY_BUF_INIT;
	struct scry_printer p;

	if (!s->target)
		return scry_fail(s, SCRY_EINVAL, 0, "no target is open");
	scry_target_hold(s->target);
	struct scry_runtime *r = runtime_of(s, addr);
	if (r) {
		scry_printer_init(&p, r, &text);
		if (p.max_text > TEXT_MAX)
			p.max_text = TEXT_MAX;
		scry_print(&p, addr);
		scry_put_safe_bytes(out, text.text ? text.text : "", text.len);
	}
	scry_target_release(s->target);
	scry_buf_done(&text);
	return r ? SCRY_OK : scry_fail(s, SCRY_ENOTFOUND, addr, "no object at 0x%" PRIx64, addr);
}
