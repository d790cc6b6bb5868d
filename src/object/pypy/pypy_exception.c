/*
 * Exceptions of PyPy's: what threads have in hand, messages, tracebacks
 * (pypy/interpreter/error.py, pytraceback.py, pypy/module/exceptions/interp_exceptions.py).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "object/exception.h"
#include "object/opcodes.h"
#include "object/pypy/pypy_cpyext.h"

#define FRAMES_MAX 1000000
#define BLOCKS_MAX 1000
#define SAVED_MAX  64

#define GENERATOR_FLAGS 0x2a0 /* CO_GENERATOR, CO_COROUTINE, CO_ASYNC_GENERATOR */

static bool is_a(struct scry_runtime *r, scry_addr obj, enum scry_pypy_class c)
{
	return scry_pypy_is(r->pypy, scry_pypy_type_of(r->pypy, &obj), c);
}

static scry_addr not_none(struct scry_runtime *r, scry_addr obj)
{
	return obj && !is_a(r, obj, SCRY_PYPY_CLASS_NONE) ? obj : 0;
}

/* An OperationError holds type, value and traceback. */
static struct scry_kept of_operr(struct scry_runtime *r, scry_addr operr)
{
	struct scry_pypy *y = r->pypy;

	if (!is_a(r, operr, SCRY_PYPY_CLASS_OPERR))
		return (struct scry_kept) { 0 };
	struct scry_kept kept = {
		.value = not_none(r, scry_pypy_get(y, operr, SCRY_PYPY_OPERR_VALUE)),
		.type = not_none(r, scry_pypy_get(y, operr, SCRY_PYPY_OPERR_TYPE)),
		.traceback = scry_pypy_get(y, operr, SCRY_PYPY_OPERR_TRACEBACK),
	};
	return kept;
}

static struct scry_kept raised(struct scry_thread *t)
{
	struct scry_runtime *r = t->runtime;

	/* only C extensions leave one behind; of the interpreter's own it is on the C stack */
	return of_operr(r, scry_pypy_get(r->pypy, scry_pypy_context(r->pypy, t->state),
					 SCRY_PYPY_EC_PENDING));
}

/* --- what the handlers of one frame have put aside: innermost first, how many --- */

/* Up to 3.9 a block that brings it back: SysExcInfoRestorer, pypy/interpreter/pyopcode.py. */
static unsigned saved_in_blocks(const struct scry_frame *f, struct scry_kept *saved)
{
	struct scry_pypy *y = f->runtime->pypy;
	scry_addr block = scry_pypy_get(y, f->addr, SCRY_PYPY_FRAME_BLOCK);
	unsigned n = 0;

	for (unsigned i = 0; block && i < BLOCKS_MAX && n < SAVED_MAX; i++) {
		const struct scry_pypy_type *t = scry_pypy_type_of(y, &block);

		if (!t)
			break;
		if (scry_pypy_is(y, t, SCRY_PYPY_CLASS_RESTORER))
			saved[n++] = of_operr(f->runtime,
					      scry_pypy_get(y, block, SCRY_PYPY_RESTORER_OPERR));
		block = scry_pypy_get(y, block, SCRY_PYPY_BLOCK_PREVIOUS);
	}
	return n;
}

static bool table_find(const struct scry_code *c, uint32_t at, struct scry_exception_entry *ret)
{
	struct scry_exception_table t;

	scry_exception_table_open(&t, c);
	while (scry_exception_table_next(&t, ret) == SCRY_ITEM)
		if (at >= ret->start && at < ret->end)
			return true;
	return false;
}

/* 3.11: as CPython's, by the exception table; the value stack has what was put aside. */
static unsigned saved_by_table(const struct scry_frame *f, struct scry_kept *saved)
{
	struct scry_runtime *r = f->runtime;
	struct scry_exception_entry e;
	uint32_t at = (uint32_t)f->lasti, before = UINT32_MAX;
	unsigned n = 0;

	if (f->lasti < 0 || !f->slots)
		return 0;
	for (unsigned steps = 0; steps < 2 * SAVED_MAX && n < SAVED_MAX; steps++) {
		if (!table_find(f->code, at, &e) || e.depth > 1u << 20)
			break;
		/* a handler that does not run, a with statement's: go through it outwards */
		if (e.depth > before) {
			at = e.target;
			continue;
		}
		if (e.depth && scry_code_is_cleanup(f->code, e.target)) {
			scry_addr place = f->slots + 8 * ((scry_addr)f->code->slots + e.depth - 1);
			struct scry_kept *k = &saved[n++];

			*k = (struct scry_kept) { 0 };
			if (scry_read_ptr(r->session, place, &k->value) == SCRY_OK)
				k->value = not_none(r, k->value);
		}
		before = e.depth;
		at = e.target;
	}
	return n;
}

/* --- the walk --- */

struct collect {
	struct scry_runtime *runtime;
	struct scry_kept current; /* what would be in hand if all frames so far had returned */
	/* a generator may have gone on since its handler began: what its caller had is not known */
	bool lost;
	struct scry_handled *first, **tail;
	size_t count;
};

static void add(struct collect *c, const struct scry_frame *f)
{
	struct scry_handled *h;

	if (!c->current.value && !c->current.type)
		return;
	if (!(h = scry_arena_alloc(&c->runtime->session->arena, sizeof(*h))))
		return;
	*h = (struct scry_handled) { .kept = c->current };
	if (f)
		h->frame = *f;
	*c->tail = h;
	c->tail = &h->next;
	c->count++;
}

static void take_frame(struct collect *c, const struct scry_frame *f)
{
	struct scry_pypy *y = c->runtime->pypy;
	struct scry_kept saved[SAVED_MAX];
	unsigned n = y->field[SCRY_PYPY_CODE_EXCEPTIONTABLE].size ? saved_by_table(f, saved)
								  : saved_in_blocks(f, saved);

	for (unsigned i = 0; i < n; i++) {
		if (c->lost)
			scry_note(c->runtime->session,
				  "what a handler of %s has in hand is not known: a generator that "
				  "handles something stands on top of it",
				  f->code->name);
		else
			add(c, f);
		c->lost = false;
		c->current = saved[i];
	}
	if (n && f->code->flags & GENERATOR_FLAGS)
		c->lost = true;
}

/* 2.7: each frame has its own, until it returns. */
static void take_frame2(struct collect *c, const struct scry_frame *f)
{
	c->current = of_operr(c->runtime,
			      scry_pypy_get(c->runtime->pypy, f->addr, SCRY_PYPY_FRAME_EXCEPTION));
	add(c, f);
	c->current = (struct scry_kept) { 0 };
}

static struct scry_handled *handled(struct scry_thread *t, size_t *ret_count)
{
	struct scry_runtime *r = t->runtime;
	struct collect c = { .runtime = r, .tail = &c.first };
	scry_addr context = scry_pypy_context(r->pypy, t->state);
	bool per_frame = scry_pypy_is_python2(r);
	struct scry_walk walk;
	struct scry_frame f;

	if (!per_frame)
		c.current = of_operr(r, scry_pypy_get(r->pypy, context, SCRY_PYPY_EC_OPERR));
	scry_walk_thread(&walk, t);
	while (walk.depth < FRAMES_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM)
		if (f.kind == SCRY_FRAME_DAMAGED || !f.code)
			c.lost = true;
		else if (per_frame)
			take_frame2(&c, &f);
		else
			take_frame(&c, &f);
	if (!c.lost)
		add(&c, NULL);
	*ret_count = c.count;
	return c.first;
}

/* --- decoding --- */

/* As the last line of a traceback: no module for built-in ones and for __main__. */
static const char *name_of(struct scry_runtime *r, scry_addr cls)
{
	static const char *const plain[] = { "exceptions.", "__main__.", "builtins." };
	const char *name = cls ? scry_pypy_class_name(r, cls, true) : NULL;

	for (size_t i = 0; name && i < sizeof(plain) / sizeof(*plain); i++)
		if (!strncmp(name, plain[i], strlen(plain[i])))
			return name + strlen(plain[i]);
	return name ? name : "?";
}

/* str() of text is the text; of others that are built in it is the repr, else code would run. */
static bool put_plain(struct scry_printer *p, scry_addr obj)
{
	struct scry_runtime *r = p->runtime;
	scry_addr at = obj, value;
	const struct scry_pypy_type *t = scry_pypy_type_of(r->pypy, &at);
	scry_addr cls = t ? scry_pypy_class_of(r->pypy, t, at) : 0;
	const char *text;

	if (cls && scry_pypy_find_in_mro(r, cls, "__str__", &value) != 0 &&
	    scry_pypy_get(r->pypy, scry_pypy_find_in_mro(r, cls, "__str__", &value),
			  SCRY_PYPY_TYPE_IS_HEAP))
		return false;
	if ((scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_UNICODE) ||
	     (scry_pypy_is_python2(r) && scry_pypy_is(r->pypy, t, SCRY_PYPY_CLASS_BYTES))) &&
	    scry_pypy_text_at(r, at, 1 << 20, &text) == SCRY_OK)
		scry_buf_puts(p->out, text);
	else
		scry_print(p, obj);
	return true;
}

/* BaseException: nothing, the one argument, or all as a tuple. */
static bool put_args(struct scry_printer *p, scry_addr exc)
{
	scry_addr args = scry_pypy_get(p->runtime->pypy, exc, SCRY_PYPY_EXCEPTION_ARGS), item;
	struct scry_pypy_sequence q;

	if (scry_pypy_sequence(p->runtime, args, &q) < 0)
		return false;
	if (q.count == 1)
		return scry_pypy_item_at(&q, 0, &item) == SCRY_OK && put_plain(p, item);
	if (q.count)
		scry_print(p, args);
	return true;
}

/* KeyError: the one argument's repr. */
static bool put_key(struct scry_printer *p, scry_addr exc)
{
	scry_addr args = scry_pypy_get(p->runtime->pypy, exc, SCRY_PYPY_EXCEPTION_ARGS), item;
	struct scry_pypy_sequence q;

	if (scry_pypy_sequence(p->runtime, args, &q) < 0 || q.count != 1)
		return put_args(p, exc);
	if (scry_pypy_item_at(&q, 0, &item) < 0)
		return false;
	scry_print(p, item);
	return true;
}

/* OSError: "[Errno 2] text: 'file'" */
static bool put_os_error(struct scry_printer *p, scry_addr exc)
{
	struct scry_runtime *r = p->runtime;
	scry_addr number = not_none(r, scry_pypy_get(r->pypy, exc, SCRY_PYPY_OS_ERROR_ERRNO)),
		  text = not_none(r, scry_pypy_get(r->pypy, exc, SCRY_PYPY_OS_ERROR_TEXT)),
		  file = not_none(r, scry_pypy_get(r->pypy, exc, SCRY_PYPY_OS_ERROR_FILE)),
		  second = not_none(r, scry_pypy_get(r->pypy, exc, SCRY_PYPY_OS_ERROR_FILE2));

	if (!number && !text && !file)
		return put_args(p, exc);
	if (second)
		return false;
	scry_buf_puts(p->out, "[Errno ");
	scry_print(p, number);
	scry_buf_puts(p->out, "] ");
	bool known = text && put_plain(p, text);
	if (file) {
		scry_buf_puts(p->out, ": ");
		scry_print(p, file);
	}
	return known;
}

static const struct {
	const char *name; /* whose __str__ it is */
	bool (*put)(struct scry_printer *p, scry_addr exc);
} messages[] = {
	{ "BaseException", put_args },
	{ "object", put_args },
	{ "KeyError", put_key },
	{ "OSError", put_os_error },
	{ "EnvironmentError", put_os_error },
	{ "IOError", put_os_error },
};

/* NULL where only code of the target could say. */
static const char *message_of(struct scry_runtime *r, scry_addr exc, scry_addr cls)
{
	scry_addr value, of = scry_pypy_find_in_mro(r, cls, "__str__", &value);
	const char *name = of ? scry_pypy_class_name(r, of, false) : NULL, *text = NULL;
	SCRY_AUTO_BUF(buf);
	struct scry_printer p;

	if (!name || scry_pypy_get(r->pypy, of, SCRY_PYPY_TYPE_IS_HEAP))
		return NULL;
	scry_printer_init(&p, r, &buf);
	for (size_t i = 0; i < sizeof(messages) / sizeof(*messages); i++)
		if (!strcmp(messages[i].name, name) && messages[i].put(&p, exc))
			text = scry_arena_text(&r->session->arena, buf.text, buf.len);
	return text;
}

static int exception_at(struct scry_runtime *r, scry_addr addr, struct scry_exception *ret)
{
	struct scry_pypy *y = r->pypy;
	struct scry_exception e = { .runtime = r };
	struct scry_pypy_ext ext;

	scry_pypy_resolve(r, &addr, &ext);
	const struct scry_pypy_type *t = scry_pypy_type_of(y, &addr);
	if (!scry_pypy_is(y, t, SCRY_PYPY_CLASS_EXCEPTION))
		return scry_fail(r->session, SCRY_EINVAL, addr, "%s is not an exception",
				 scry_type_name_of(r, addr));
	e.addr = addr;
	e.type = scry_pypy_type_object(r, t, addr);
	e.type_name = name_of(r, e.type);
	e.message = e.type ? message_of(r, addr, e.type) : NULL;
	e.args = scry_pypy_get(y, addr, SCRY_PYPY_EXCEPTION_ARGS);
	e.cause = not_none(r, scry_pypy_get(y, addr, SCRY_PYPY_EXCEPTION_CAUSE));
	e.context = not_none(r, scry_pypy_get(y, addr, SCRY_PYPY_EXCEPTION_CONTEXT));
	e.traceback = not_none(r, scry_pypy_get(y, addr, SCRY_PYPY_EXCEPTION_TRACEBACK));
	e.suppress_context = scry_pypy_get(y, addr, SCRY_PYPY_EXCEPTION_SUPPRESS) != 0;
	*ret = e;
	return SCRY_OK;
}

/* The interpreter's own errors get an instance when Python code looks at them. */
static int exception_kept(struct scry_runtime *r, const struct scry_kept *kept,
			  struct scry_exception *ret)
{
	int rc = SCRY_OK;

	if (is_a(r, kept->value, SCRY_PYPY_CLASS_EXCEPTION))
		rc = exception_at(r, kept->value, ret);
	else
		*ret = (struct scry_exception) { .runtime = r,
						 .type = kept->type,
						 .type_name = name_of(r, kept->type),
						 .message = kept->value ? NULL : "",
						 .args = kept->value,
						 .not_made = true };
	if (rc == SCRY_OK && kept->traceback)
		ret->traceback = kept->traceback;
	return rc;
}

/* --- attributes --- */

static const struct {
	enum scry_pypy_field field;
	const char *name;
	const char *type;
} members[] = {
	{ SCRY_PYPY_OS_ERROR_ERRNO, "errno", "OSError" },
	{ SCRY_PYPY_OS_ERROR_TEXT, "strerror", "OSError" },
	{ SCRY_PYPY_OS_ERROR_FILE, "filename", "OSError" },
	{ SCRY_PYPY_OS_ERROR_FILE2, "filename2", "OSError" },
	{ SCRY_PYPY_SYSTEM_EXIT_CODE, "code", "SystemExit" },
	{ SCRY_PYPY_STOP_VALUE, "value", "StopIteration" },
};
#define MEMBERS (sizeof(members) / sizeof(*members))

/* Is a built-in class of this name among the bases? 2.7 has EnvironmentError for OSError. */
static bool derives(struct scry_runtime *r, scry_addr cls, const char *name)
{
	enum scry_pypy_kind kind;
	scry_addr items, of;
	uint64_t count;

	if (scry_pypy_items_open(r->pypy, scry_pypy_get(r->pypy, cls, SCRY_PYPY_TYPE_MRO), false,
				 &kind, &items, &count) < 0)
		return false;
	for (uint64_t i = 0;
	     i < count && i < 1000 && scry_read_ptr(r->session, items + 8 * i, &of) == SCRY_OK;
	     i++) {
		const char *base = scry_pypy_class_name(r, of, false);

		if (base && !scry_pypy_get(r->pypy, of, SCRY_PYPY_TYPE_IS_HEAP) &&
		    (!strcmp(base, name) ||
		     (!strcmp(name, "OSError") && !strcmp(base, "EnvironmentError"))))
			return true;
	}
	return false;
}

/* What the class keeps of its own, then the instance's map, or its dict. */
static int attr_next(const struct scry_exception *e, struct scry_exception_attrs *it,
		     const char **ret_name, scry_addr *ret_value)
{
	struct scry_runtime *r = e->runtime;
	struct scry_found found;
	scry_addr name = 0;
	int rc = SCRY_OK;

	for (; it->member < MEMBERS && e->addr && e->type; it->member++) {
		size_t m = it->member;

		if (!r->pypy->field[members[m].field].size || !derives(r, e->type, members[m].type))
			continue;
		*ret_value = not_none(r, scry_pypy_get(r->pypy, e->addr, members[m].field));
		if (*ret_value) {
			it->member++;
			*ret_name = members[m].name;
			return SCRY_ITEM;
		}
	}
	if (!e->addr)
		return SCRY_OK;
	if (it->member == MEMBERS) {
		rc = scry_pypy_attribute_next(r, e->addr, &it->rest, &name, &found);
		*ret_value = found.addr;
		if (rc != SCRY_ITEM) {
			it->member++;
			it->rest = 0;
		}
	}
	scry_addr dict = scry_pypy_get(r->pypy, e->addr, SCRY_PYPY_EXCEPTION_DICT);
	if (rc != SCRY_ITEM && dict)
		rc = scry_pypy_dict_next(r, dict, &it->rest, &name, ret_value);
	if (rc == SCRY_ITEM && scry_pypy_text_at(r, name, 1000, ret_name) < 0)
		*ret_name = "?";
	return rc;
}

const struct scry_exception_model scry_pypy_exceptions = {
	.raised = raised,
	.handled = handled,
	.at = exception_at,
	.kept = exception_kept,
	.attr_next = attr_next,
	.traceback_next = scry_pypy_traceback_next,
};
