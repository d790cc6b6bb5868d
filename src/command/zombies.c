/* zombies: frames that Python keeps for the next call of a function. */
#include <inttypes.h>

#include "command/command.h"
#include "heap/zombie.h"

static void frames_text(struct scry_call *call, struct scry_runtime *r,
			const struct scry_kept_frames *list)
{
	struct scry_buf *out = call->out;
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_TASKS];

	for (size_t i = 0; i < list->count && (!limit || i < limit); i++) {
		const struct scry_kept_frame *f = &list->frames[i];
		const struct scry_code *code = f->code ? scry_code_at(r, f->code) : NULL;

		scry_buf_printf(out, "    0x%" PRIx64 " %8" PRIu64 " bytes", f->addr, f->size);
		if (code) {
			scry_buf_puts(out, "  ");
			scry_put_styled(call, SCRY_STYLE_FUNCTION, code->name);
			scry_buf_puts(out, " (");
			scry_put_styled(call, SCRY_STYLE_FILE, code->file);
			scry_buf_printf(out, ":%d)", code->first_line);
		}
		scry_buf_putc(out, '\n');
	}
	if (limit && list->count > limit)
		scry_buf_printf(out, "    ... %zu more\n", list->count - (size_t)limit);
}

static void list_text(struct scry_call *call, struct scry_runtime *r, const char *title,
		      const struct scry_kept_frames *list)
{
	scry_buf_printf(call->out, "%s: ", title);
	if (list->unreachable) {
		scry_buf_puts(call->out, "cannot be reached: ");
		scry_put_styled(call, SCRY_STYLE_ERROR, list->error);
		scry_buf_putc(call->out, '\n');
		return;
	}
	scry_put_count(call->out, list->count);
	scry_buf_puts(call->out, " frames, ");
	scry_put_count(call->out, list->bytes);
	scry_buf_puts(call->out, " bytes\n");
	if (list->error) {
		scry_buf_puts(call->out, "    ");
		scry_put_styled(call, SCRY_STYLE_ERROR, list->error);
		scry_buf_putc(call->out, '\n');
	}
	frames_text(call, r, list);
}

static void number_json(struct scry_json *j, const char *key, bool known, uint64_t value)
{
	if (known)
		scry_json_put_int(j, key, (int64_t)value);
	else
		scry_json_put_null(j, key);
}

static void list_json(struct scry_call *call, struct scry_runtime *r, const char *key,
		      const struct scry_kept_frames *list)
{
	struct scry_json *j = call->json;
	uint64_t limit = call->s->options.limit[SCRY_LIMIT_TASKS];

	scry_json_key(j, key);
	scry_json_open(j, '{');
	number_json(j, "count", !list->unreachable, list->count);
	number_json(j, "bytes", !list->unreachable, list->bytes);
	scry_json_put_text(j, "error", list->error);
	scry_json_key(j, "frames");
	scry_json_open(j, '[');
	for (size_t i = 0; i < list->count && (!limit || i < limit); i++) {
		const struct scry_kept_frame *f = &list->frames[i];
		const struct scry_code *code = f->code ? scry_code_at(r, f->code) : NULL;

		scry_json_open(j, '{');
		scry_json_put_addr(j, "id", f->addr);
		scry_json_put_int(j, "size", (int64_t)f->size);
		scry_json_put_text(j, "function", code ? code->name : NULL);
		scry_json_put_text(j, "file", code ? code->file : NULL);
		scry_json_put_positive(j, "line", code ? code->first_line : 0);
		scry_json_close(j, '}');
	}
	scry_json_close(j, ']');
	scry_json_close(j, '}');
}

static void show(struct scry_call *call, struct scry_runtime *r, const struct scry_zombies *z)
{
	if (call->json) {
		scry_json_open(call->json, '{');
		scry_json_put_text(call->json, "version", r->version_text);
		scry_json_put_int(call->json, "code_objects", (int64_t)z->codes);
		list_json(call, r, "zombies", &z->zombies);
		list_json(call, r, "free_list", &z->free_list);
		scry_json_close(call->json, '}');
		return;
	}
	scry_buf_printf(call->out, "%s %s: %" PRIu64 " code objects\n", r->name, r->version_text,
			z->codes);
	list_text(call, r, "Zombie frames", &z->zombies);
	list_text(call, r, "Free list", &z->free_list);
}

static int run(struct scry_call *call)
{
	int rc = SCRY_OK;
	bool any = false;

	if (call->json) {
		scry_json_key(call->json, "kept_frames");
		scry_json_open(call->json, '[');
	}
	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		struct scry_zombies z;

		rc = scry_zombies_find(r, &z);
		if (rc < 0)
			continue;
		any = true;
		show(call, r, &z);
	}
	if (call->json)
		scry_json_close(call->json, ']');
	if (!any && rc == SCRY_OK)
		return scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Python in the target");
	return any ? SCRY_OK : rc;
}

const struct scry_command_row scry_command_zombies = {
	.public = { "zombies", "",
		    "Show the frames that Python keeps for the next call (2.7 to 3.9).",
		    "Each code object keeps one frame after a call, and a free list others. They "
		    "hold memory, the largest\n"
		    "come first. The free list is a static variable: only the interpreter's "
		    ".symtab tells where it is.",
		    SCRY_COMMAND_CPYTHON },
	.run = run,
};
