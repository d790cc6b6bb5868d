/* obj: whatever stands at an address. */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "object/expr.h"
#include "object/whatis.h"

#define DUMP_WORDS 12  /* of something that is no object */
#define ATTRS_MAX 1000

static const char *gc_name(const struct scry_whatis *w)
{
	return w->gc == SCRY_GC_TRACKED ? "tracked" : w->gc == SCRY_GC_UNTRACKED ? "not tracked" : "not collected";
}

static void put_attributes(struct scry_call *call, struct scry_runtime *r, scry_addr addr)
{
	uint64_t it = 0, limit = call->s->options.limit[SCRY_LIMIT_ITEMS];
	struct scry_json *j = call->json;
	const char *name;
	scry_addr value;

	if (j) {
		scry_json_key(j, "attributes");
		scry_json_open(j, '{');
	}
	for (uint64_t n = 0; n < ATTRS_MAX && scry_attr_next(r, addr, &it, &name, &value) == SCRY_ITEM; n++) {
		struct scry_buf repr = SCRY_BUF_INIT;

		if (limit && n >= limit && !call->verbose) {
			if (!j)
				scry_buf_puts(call->out, "  ...\n");
			break;
		}
		scry_repr(r, value, &repr);
		if (j) {
			scry_json_key(j, name);
			scry_json_bytes(j, repr.text ? repr.text : "", repr.len);
		} else {
			scry_buf_puts(call->out, "  .");
			scry_put_styled(call, SCRY_STYLE_NAME, name);
			scry_buf_puts(call->out, " = ");
			scry_put_safe_bytes(call->out, repr.text ? repr.text : "", repr.len);
			scry_buf_putc(call->out, '\n');
		}
		scry_buf_done(&repr);
	}
	if (j)
		scry_json_close(j, '}');
}

static void put_counts_text(struct scry_buf *out, const struct scry_whatis *w)
{
	if (w->immortal)
		scry_buf_puts(out, "immortal");
	else if (w->merged)
		scry_buf_printf(out, "%" PRId64 " references, of no thread in particular%s", w->refcount + w->shared,
				w->deferred ? ", deferred" : "");
	else if (w->biased)
		scry_buf_printf(out, "%" PRId64 " references of its thread 0x%" PRIx64 ", %" PRId64 " of others%s",
				w->refcount, w->owner, w->shared, w->deferred ? ", deferred" : "");
	else
		scry_buf_printf(out, "%" PRId64 " references", w->refcount);
}

static void object_text(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w)
{
	struct scry_buf *out = call->out, repr = SCRY_BUF_INIT;

	scry_buf_printf(out, "0x%" PRIx64 ": ", w->addr);
	scry_put_styled(call, SCRY_STYLE_NAME, w->type_name);
	scry_buf_printf(out, " (type at 0x%" PRIx64 "), ", w->type);
	put_counts_text(out, w);
	if (w->size)
		scry_buf_printf(out, ", %" PRIu64 " bytes", w->size);
	scry_buf_printf(out, ", %s%s%s%s\n", gc_name(w), w->gc_frozen ? ", frozen" : "",
			w->gc_finalized ? ", finalized" : "", w->gc_collecting ? ", being collected" : "");
	if (w->pattern) {
		scry_buf_puts(out, "  ");
		scry_put_styled(call, SCRY_STYLE_ERROR, w->pattern);
		scry_buf_putc(out, '\n');
	}
	scry_repr(r, w->addr, &repr);
	scry_buf_puts(out, "  ");
	scry_put_safe_bytes(out, repr.text ? repr.text : "", repr.len);
	scry_buf_putc(out, '\n');
	scry_buf_done(&repr);
	put_attributes(call, r, w->addr);
}

/* No object: the words with the names that an object's fields would have, and the nearest that is one. */
static void damage_text(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w)
{
	struct scry_buf dump = SCRY_BUF_INIT;
	struct scry_buf repr = SCRY_BUF_INIT;

	scry_buf_printf(call->out, "0x%" PRIx64 ": no object: %s\n", w->addr, w->problem ? w->problem : "unknown");
	if (w->pattern)
		scry_buf_printf(call->out, "  %s\n", w->pattern);
	scry_whatis_dump(r, w->addr & ~(uint64_t)(call->s->target->abi.ptr_size - 1), SCRY_S_OBJECT, DUMP_WORDS, &dump);
	scry_buf_put(call->out, dump.text ? dump.text : "", dump.len);
	scry_buf_done(&dump);
	if (w->near) {
		scry_repr(r, w->near, &repr);
		scry_buf_printf(call->out, "  nearest object before: 0x%" PRIx64 " (%" PRIu64 " bytes back) ", w->near,
				w->addr - w->near);
		scry_put_safe_bytes(call->out, repr.text ? repr.text : "", repr.len);
		scry_buf_putc(call->out, '\n');
		scry_buf_done(&repr);
	}
}

static void json_addr_or_null(struct scry_json *j, const char *key, scry_addr addr)
{
	scry_json_key(j, key);
	if (addr)
		scry_json_addr(j, addr);
	else
		scry_json_null(j);
}

static void object_json(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w)
{
	struct scry_json *j = call->json;
	struct scry_buf repr = SCRY_BUF_INIT;

	scry_json_key(j, "object");
	scry_json_open(j, '{');
	json_addr_or_null(j, "address", w->addr);
	scry_json_key(j, "type");
	scry_json_text(j, w->type_name);
	json_addr_or_null(j, "type_address", w->type);
	scry_json_key(j, "problem");
	scry_json_text(j, w->problem);
	scry_json_key(j, "pattern");
	scry_json_text(j, w->pattern);
	json_addr_or_null(j, "nearest", w->near);
	if (w->type_name) {
		scry_json_key(j, "refcount");
		if (w->immortal)
			scry_json_null(j);
		else
			scry_json_int(j, w->refcount);
		scry_json_key(j, "immortal");
		scry_json_bool(j, w->immortal);
		scry_json_key(j, "shared_refcount");
		if (w->biased)
			scry_json_int(j, w->shared);
		else
			scry_json_null(j);
		scry_json_key(j, "deferred");
		scry_json_bool(j, w->deferred);
		json_addr_or_null(j, "owner", w->owner);
		scry_json_key(j, "size");
		scry_json_positive(j, (int64_t)w->size);
		scry_json_key(j, "gc");
		scry_json_text(j, gc_name(w));
		scry_repr(r, w->addr, &repr);
		scry_json_key(j, "repr");
		scry_json_bytes(j, repr.text ? repr.text : "", repr.len);
		scry_buf_done(&repr);
		put_attributes(call, r, w->addr);
	}
	scry_json_close(j, '}');
}

static int run_obj(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_runtime *r = scry_runtime_first(s);
	struct scry_whatis w;
	uint64_t addr;

	if (!call->argc || !scry_parse_number(call->argv[0], &addr))
		return scry_fail(s, SCRY_EINVAL, 0, "usage: %s%s %s", s->options.prefix, call->row->public.name,
				 call->row->public.usage);
	if (!r)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "no Python interpreter was found in the target");
	/* of several interpreters the one to which it is an object */
	for (struct scry_runtime *each = r; each; each = each->next)
		if (scry_whatis(each, addr, &w) == SCRY_OK && w.type_name) {
			r = each;
			break;
		}
	int rc = scry_whatis(r, addr, &w);
	if (rc < 0)
		return rc;
	call->partial = !w.type_name;
	if (call->json)
		object_json(call, r, &w);
	else if (w.type_name)
		object_text(call, r, &w);
	else
		damage_text(call, r, &w);
	return SCRY_OK;
}

const struct scry_command_row scry_command_obj = {
	.public = {
		"obj", "ADDRESS", "Show whatever stands at an address.",
		"An object: its type, reference count, size, state in the garbage collector, value and attributes\n"
		"(-v: all of them). Anything else: why it is no object, its words with the names of an object's\n"
		"fields, patterns of freed memory, and the nearest object before it.",
		0 },
	.run = run_obj, .max_args = 1,
};
