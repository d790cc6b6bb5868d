/* obj: whatever stands at an address. */
#include <inttypes.h>
#include <string.h>

#include "command/command.h"
#include "memory/gc.h"
#include "native/meaning.h"
#include "eval/expr.h"
#include "object/whatis.h"

#define DUMP_WORDS 12 /* of something that is no object */
#define ATTRS_MAX  1000

static const char *gc_name(const struct scry_whatis *w)
{
	return w->gc == SCRY_GC_TRACKED     ? "tracked"
	       : w->gc == SCRY_GC_UNTRACKED ? "not tracked"
					    : "not collected";
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
	for (uint64_t n = 0;
	     n < ATTRS_MAX && scry_attr_next(r, addr, &it, &name, &value) == SCRY_ITEM; n++) {
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

/* Which of the collector's generations has it: -1 none, or there are none. */
static int find_generation(struct scry_runtime *r, const struct scry_whatis *w)
{
	return w->gc == SCRY_GC_TRACKED ? scry_gc_generation(r, w->addr) : SCRY_GC_GENERATION_NONE;
}

/*
 * What is no object: what else it is, by the mappings and by what is known of threads, frames and
 * functions.
 */
static void put_place(struct scry_call *call, const struct scry_meaning *m, scry_addr addr)
{
	const struct scry_map *map = scry_map_at(call->s->target, addr);
	struct scry_buf *out = call->out;

	scry_buf_printf(out, "  %s", scry_word_kind_name(m->kind));
	if (m->function) {
		scry_buf_puts(out, " of ");
		scry_put_safe(out, m->function);
	}
	if (m->symbol) {
		scry_buf_puts(out, " of ");
		scry_put_safe(out, m->symbol);
		scry_buf_printf(out, "+0x%" PRIx64, m->offset);
	}
	if (map && map->path) {
		scry_buf_puts(out, ", of ");
		scry_put_safe(out, map->path);
	}
	scry_buf_putc(out, '\n');
}

static void put_memory_text(struct scry_call *call, const struct scry_whatis *w)
{
	struct scry_buf *out = call->out;

	if (w->has_memory) {
		scry_buf_printf(out, "  in a block of %" PRIu64 " bytes at 0x%" PRIx64 " (%s)",
				w->memory.size, w->memory.start, w->memory.allocator);
		if (w->memory.free)
			scry_put_styled(call, SCRY_STYLE_ERROR,
					", which is free: what stands there is no more");
		scry_buf_putc(out, '\n');
	}
	if (w->has_debug) {
		scry_buf_printf(out,
				"  debug allocator: %" PRIu64 " bytes at 0x%" PRIx64 " for %s, ",
				w->debug.size, w->debug.start, w->debug.domain);
		if (w->debug.before_intact && w->debug.behind_intact)
			scry_buf_puts(out, "the bytes around them intact\n");
		else
			scry_buf_printf(out, "the bytes %s them overwritten\n",
					w->debug.before_intact   ? "behind"
					: w->debug.behind_intact ? "before"
								 : "around");
	}
}

static void memory_json(struct scry_json *j, const struct scry_whatis *w)
{
	scry_json_key(j, "memory");
	if (w->has_memory) {
		scry_json_open(j, '{');
		scry_json_key(j, "address");
		scry_json_addr(j, w->memory.start);
		scry_json_key(j, "size");
		scry_json_int(j, (int64_t)w->memory.size);
		scry_json_key(j, "allocator");
		scry_json_text(j, w->memory.allocator);
		scry_json_key(j, "free");
		scry_json_bool(j, w->memory.free);
		scry_json_close(j, '}');
	} else {
		scry_json_null(j);
	}
	scry_json_key(j, "debug_block");
	if (w->has_debug) {
		scry_json_open(j, '{');
		scry_json_key(j, "address");
		scry_json_addr(j, w->debug.start);
		scry_json_key(j, "size");
		scry_json_int(j, (int64_t)w->debug.size);
		scry_json_key(j, "domain");
		scry_json_text(j, w->debug.domain);
		scry_json_key(j, "intact");
		scry_json_bool(j, w->debug.before_intact && w->debug.behind_intact);
		scry_json_close(j, '}');
	} else {
		scry_json_null(j);
	}
}

static void put_counts_text(struct scry_buf *out, const struct scry_whatis *w)
{
	if (w->immortal)
		scry_buf_puts(out, "immortal");
	else if (w->merged)
		scry_buf_printf(out, "%" PRId64 " references, of no thread in particular%s",
				w->refcount + w->shared, w->deferred ? ", deferred" : "");
	else if (w->biased)
		scry_buf_printf(out,
				"%" PRId64 " references of its thread 0x%" PRIx64 ", %" PRId64
				" of others%s",
				w->refcount, w->owner, w->shared, w->deferred ? ", deferred" : "");
	else
		scry_buf_printf(out, "%" PRId64 " references", w->refcount);
}

/* The lines name types: those are the target's own text. */
static void put_lines(struct scry_call *call, const struct scry_buf *dump)
{
	const char *line = dump->text, *end = line ? line + dump->len : NULL;

	while (line != end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((stop ? stop : end) - line);

		scry_put_safe_bytes(call->out, line, len);
		scry_buf_putc(call->out, '\n');
		line += len + (stop != NULL);
	}
}

/* What an object of the type, or of the guessed one, would have there. */
static void put_words(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w,
		      struct scry_buf *out)
{
	scry_addr type = w->type ? w->type : w->guessed_type;

	scry_whatis_dump(r, w->addr & ~(uint64_t)(call->s->target->abi.ptr_size - 1),
			 type ? scry_whatis_struct(r, type) : SCRY_S_OBJECT, DUMP_WORDS, out);
}

/* The repr of an object; damage in it is said, and false. */
static bool put_value(struct scry_runtime *r, const struct scry_whatis *w, struct scry_buf *out)
{
	struct scry_printer p;

	scry_printer_init(&p, r, out);
	scry_print(&p, w->addr);
	return !p.damaged;
}

static void words_json(struct scry_json *j, const struct scry_buf *dump)
{
	const char *line = dump->text, *end = line ? line + dump->len : NULL;

	scry_json_key(j, "words");
	scry_json_open(j, '[');
	while (line != end) {
		const char *stop = memchr(line, '\n', (size_t)(end - line));
		size_t len = (size_t)((stop ? stop : end) - line);

		scry_json_bytes(j, line, len);
		line += len + (stop != NULL);
	}
	scry_json_close(j, ']');
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
	if (w->size && !w->head_unknown && w->block < w->addr)
		scry_buf_printf(out, " (and %" PRIu64 " before it)", w->addr - w->block);
	scry_buf_printf(out, ", %s", gc_name(w));
	int generation = find_generation(r, w);
	if (generation >= 0)
		scry_buf_printf(out, " in generation %d", generation);
	scry_buf_printf(out, "%s%s%s\n", w->gc_frozen ? ", frozen" : "",
			w->gc_finalized ? ", finalized" : "",
			w->gc_collecting ? ", being collected" : "");
	put_memory_text(call, w);
	if (w->pattern) {
		scry_buf_puts(out, "  ");
		scry_put_styled(call, SCRY_STYLE_ERROR, w->pattern);
		scry_buf_putc(out, '\n');
	}
	bool whole = put_value(r, w, &repr);
	scry_buf_puts(out, "  ");
	scry_put_safe_bytes(out, repr.text ? repr.text : "", repr.len);
	scry_buf_putc(out, '\n');
	scry_buf_done(&repr);
	if (!whole) {
		struct scry_buf dump = SCRY_BUF_INIT;

		put_words(call, r, w, &dump);
		put_lines(call, &dump);
		scry_buf_done(&dump);
		call->partial = true;
	}
	put_attributes(call, r, w->addr);
}

/*
 * No object: the words with the names that an object's fields would have, and the nearest that is
 * one.
 */
static void damage_text(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w,
			const struct scry_meaning *m)
{
	struct scry_buf dump = SCRY_BUF_INIT;
	struct scry_buf repr = SCRY_BUF_INIT;

	scry_buf_printf(call->out, "0x%" PRIx64 ": no object: %s\n", w->addr,
			w->problem ? w->problem : "unknown");
	put_place(call, m, w->addr);
	if (w->pattern)
		scry_buf_printf(call->out, "  %s\n", w->pattern);
	put_memory_text(call, w);
	if (w->guess) {
		scry_buf_puts(call->out,
			      "  one bit of its type pointer may have changed: then it is a ");
		scry_put_safe(call->out, w->guess);
		scry_buf_putc(call->out, '\n');
	}
	put_words(call, r, w, &dump);
	put_lines(call, &dump);
	scry_buf_done(&dump);
	if (w->near) {
		scry_repr(r, w->near, &repr);
		bool behind = w->near > w->addr;

		scry_buf_printf(call->out, "  %s: 0x%" PRIx64 " (%" PRIu64 " bytes %s",
				w->inside ? "inside an object"
				: behind  ? "belongs to the object behind it"
					  : "nearest object before",
				w->near, behind ? w->near - w->addr : w->addr - w->near,
				behind ? "on" : "back");
		scry_buf_printf(call->out, "%s%s) ", w->near_field ? ", " : "",
				w->near_field ? w->near_field : "");
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

static void object_json(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w,
			const struct scry_meaning *m)
{
	struct scry_json *j = call->json;
	struct scry_buf repr = SCRY_BUF_INIT, dump = SCRY_BUF_INIT;
	bool whole = false;

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
	scry_json_key(j, "kind");
	scry_json_text(j, w->type_name ? "object" : scry_word_kind_name(m->kind));
	json_addr_or_null(j, "nearest", w->near);
	scry_json_key(j, "nearest_offset");
	if (w->near)
		scry_json_int(j, (int64_t)w->addr - (int64_t)w->near);
	else
		scry_json_null(j);
	scry_json_key(j, "inside");
	scry_json_bool(j, w->inside);
	scry_json_key(j, "field");
	scry_json_text(j, w->near_field);
	scry_json_key(j, "guess");
	scry_json_text(j, w->guess);
	memory_json(j, w);
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
		scry_json_key(j, "getsizeof");
		scry_json_positive(j, w->size && !w->head_unknown
					      ? (int64_t)(w->size + w->addr - w->block)
					      : 0);
		scry_json_key(j, "gc");
		scry_json_text(j, gc_name(w));
		int generation = find_generation(r, w);
		scry_json_key(j, "generation");
		if (generation >= 0)
			scry_json_int(j, generation);
		else
			scry_json_null(j);
		whole = put_value(r, w, &repr);
		call->partial = call->partial || !whole;
		scry_json_key(j, "repr");
		scry_json_bytes(j, repr.text ? repr.text : "", repr.len);
		scry_buf_done(&repr);
		put_attributes(call, r, w->addr);
	}
	if (!whole)
		put_words(call, r, w, &dump);
	words_json(j, &dump);
	scry_buf_done(&dump);
	scry_json_close(j, '}');
}

static void show(struct scry_call *call, struct scry_runtime *r, const struct scry_whatis *w)
{
	struct scry_words words;
	struct scry_meaning m = { 0 };
	struct scry_thread *t;

	if (!w->type_name) {
		scry_words_init(&words, call->s,
				scry_selected_thread(call->s, &t) == SCRY_OK ? t : NULL);
		scry_words_read(&words, w->addr, &m);
		scry_words_done(&words);
	}
	if (call->json)
		object_json(call, r, w, &m);
	else if (w->type_name)
		object_text(call, r, w);
	else
		damage_text(call, r, w, &m);
}

/* What print takes, too: where that is an object. */
static int evaluate(struct scry_call *call, uint64_t *ret)
{
	struct scry_value value = { 0 };
	struct scry_thread *t;
	struct scry_frame f;
	bool has_frame = scry_selected_frame(call->s, &t, &f) == SCRY_OK && f.code;
	int rc = scry_eval(call->s, has_frame ? &f : NULL, call->argv[0], &value);

	if (rc == SCRY_OK && !value.addr)
		return scry_fail(call->s, SCRY_EINVAL, 0, "'%.100s' is no object of the target",
				 call->argv[0]);
	*ret = value.addr;
	return rc;
}

static int run_obj(struct scry_call *call)
{
	struct scry_session *s = call->s;
	struct scry_runtime *r = scry_runtime_first(s);
	struct scry_whatis w;
	uint64_t addr = 0;

	if (!call->argc)
		return scry_fail(s, SCRY_EINVAL, 0, "usage: %s%s %s", s->options.prefix,
				 call->row->public.name, call->row->public.usage);
	if (!r)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "no Python interpreter was found in the target");
	int rc = scry_parse_number(call->argv[0], &addr) ? SCRY_OK : evaluate(call, &addr);
	if (rc < 0)
		return rc;
	/* of several interpreters the one to which it is an object */
	for (struct scry_runtime *each = r; each; each = each->next)
		if (scry_whatis(each, addr, &w) == SCRY_OK && w.type_name) {
			r = each;
			break;
		}
	rc = scry_whatis(r, addr, &w);
	if (rc < 0)
		return rc;
	call->partial = !w.type_name;
	show(call, r, &w);
	return SCRY_OK;
}

const struct scry_command_row scry_command_obj = {
	.public = { "obj", "ADDRESS|EXPR", "Show whatever stands at an address.",
		    "An object: its type, reference count, size (as __sizeof__ has it, and what "
		    "the collector keeps\n"
		    "before it), state and generation in the garbage collector, value and "
		    "attributes (-v: all of them).\n"
		    "Of a damaged one the words follow, with the names of its fields. Anything "
		    "else: why it is no\n"
		    "object and what it is, its words, patterns of freed memory, the type that it "
		    "may have had, and the\n"
		    "object that it lies in, with the field there, or the nearest one. Of either: "
		    "the block of Python's\n"
		    "allocator, whether that is free, and whether the marks of the debug "
		    "allocator\n"
		    "(PYTHONMALLOC=debug) around it are intact. EXPR is one as print takes it.",
		    SCRY_COMMAND_CPYTHON },
	.run = run_obj,
	.max_args = 1,
};
