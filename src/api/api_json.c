/* What commands say of one thing, as JSON: for keys that the walks have no function for. */
#include "api/api.h"
#include "command/cvars.h"

static int put(struct scry_session *s, const struct scry_facts *facts, const void *subject,
	       const struct scry_newer *newer, struct scry_buf *out)
{
	struct scry_json json = { out, false };
	struct scry_call call = { .s = s,
				  .row = &scry_command_bt,
				  .line = "",
				  .out = out,
				  .json = &json,
				  .newer = newer };
	size_t before = out->len;
	int rc = scry_api_begin(s);

	if (rc < 0)
		return rc;
	scry_render_init(&call, &scry_render_json);
	if (facts)
		scry_say(&call.render.to, facts, subject);
	else
		scry_say_frame(&call, subject);
	scry_hash_done(&call.rendered);
	scry_variables_done(&call);
	rc = scry_api_end(s, SCRY_OK);
	if (rc < 0)
		scry_buf_cut(out, before);
	return out->failed ? scry_fail(s, SCRY_ENOMEM, 0, "out of memory") : rc;
}

int scry_api_json(struct scry_session *s, const struct scry_facts *facts, const void *subject,
		  struct scry_buf *out)
{
	return put(s, facts, subject, NULL, out);
}

int scry_api_frame_json(struct scry_session *s, const struct scry_frame *frame,
			const struct scry_newer *newer, struct scry_buf *out)
{
	return put(s, NULL, frame, newer, out);
}
