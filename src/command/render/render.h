/**
 * Renderers: what makes text, JSON ... of facts (base/facts.h). One file each: its ops, and
 * nothing that knows a command. A command writes through call->render and does not ask which it is.
 */
#ifndef SCRY_RENDER_H
#define SCRY_RENDER_H

#include "base/facts.h"

struct scry_call;

/** A renderer of one call: its text goes to the call's `out`, JSON to its `json`. */
struct scry_render {
	struct scry_renderer to;
	struct scry_call *call;
	bool in_map; /* JSON: the facts that come are a map's */
};

extern const struct scry_renderer_ops scry_render_text, scry_render_json;

/** Make the call write by `ops`. */
void scry_render_init(struct scry_call *call, const struct scry_renderer_ops *ops);

#endif
