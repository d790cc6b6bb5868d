/* PyPy as a runtime: the finder, its threads, and the strategy by which its frames are read. */
#include "runtime/pypy/pypy_codemap.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/linetable.h"
#include "runtime/pypy/pypy_resume.h"

#define STACK_MAX (16u << 20)

/*
 * struct pypy_threadlocal_s, rpython/translator/c/src/threadlocal.h: ready, stack_end, prev, next,
 * ...
 */
enum { TLS_READY = 0, TLS_PREV = 16, TLS_NEXT = 24, TLS_IDENT = SCRY_PYPY_IDENT, TLS_EC = 64 };
#define TLS_IS_READY 42
#define TLS_IS_HEAD  0xffffffffu /* the list's head: ready is -1, stack_end 0 */

/* --- threads --- */

static bool is_node(struct scry_pypy *p, scry_addr node)
{
	uint64_t ready;

	return scry_read_uint(p->runtime->session, node + TLS_READY, 4, &ready) == SCRY_OK &&
	       ready == TLS_IS_READY;
}

/* The list is a ring through its head. */
static bool is_head(struct scry_pypy_scan *scan, scry_addr at)
{
	struct scry_pypy *p = scan->pypy;
	struct scry_session *s = p->runtime->session;
	uint64_t ready, end, next, prev, back, there;

	if (scry_read_uint(s, at, 8, &ready) < 0 || ready != TLS_IS_HEAD ||
	    scry_read_uint(s, at + 8, 8, &end) < 0 || end ||
	    scry_read_ptr(s, at + TLS_PREV, &prev) < 0 ||
	    scry_read_ptr(s, at + TLS_NEXT, &next) < 0 || !prev || !next || !is_node(p, next) ||
	    !is_node(p, prev) || scry_read_ptr(s, next + TLS_PREV, &back) < 0 || back != at ||
	    scry_read_ptr(s, prev + TLS_NEXT, &there) < 0 || there != at)
		return true;
	p->threads = at;
	return false;
}

/* An execution context, or 0: threads that run no Python have none. */
scry_addr scry_pypy_context(struct scry_pypy *p, scry_addr state)
{
	scry_addr ec = 0;

	scry_read_ptr(p->runtime->session, state + TLS_EC, &ec);
	return ec && scry_pypy_is(p, scry_pypy_type_of(p, &ec), SCRY_PYPY_CLASS_EC) ? ec : 0;
}

/* Thread states are the nodes of the list. */
int scry_pypy_next_state(struct scry_interp *interp, scry_addr state, scry_addr *ret)
{
	struct scry_pypy *p = interp->runtime->pypy;

	int rc = scry_read_ptr(interp->runtime->session, (state ? state : p->threads) + TLS_NEXT,
			       ret);
	if (rc == SCRY_OK && *ret == p->threads)
		*ret = 0;
	return rc;
}

static int state_ident(struct scry_interp *interp, scry_addr state, uint64_t *ret)
{
	struct scry_pypy *p = interp->runtime->pypy;

	if (!is_node(p, state))
		return scry_fail(interp->runtime->session, SCRY_ECORRUPT, state,
				 "the thread-local state at 0x%" PRIx64 " is damaged", state);
	return scry_read_uint(interp->runtime->session, state + TLS_IDENT, 8, ret);
}

/* --- frames --- */

/*
 * A reference to a frame: the frame, or a JitVirtualRef to one, which stays where the JIT's form
 * cannot be read.
 */
static scry_addr deref(struct scry_pypy *p, scry_addr ref)
{
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &ref);
	scry_addr frame;

	if (!t || !p->vref || t->tid != p->vref)
		return ref;
	frame = scry_pypy_get(p, ref, SCRY_PYPY_VREF_FORCED);
	if (frame || !scry_pypy_get(p, ref, SCRY_PYPY_VREF_TOKEN))
		return frame;
	frame = scry_pypy_jit_frame(p, ref);
	return frame ? frame : ref;
}

/*
 * Does the JIT keep some of its fields? TOKEN_NONE is 0, TOKEN_TRACING_RESCALL -1:
 * rpython/jit/metainterp/virtualizable.py
 */
static scry_addr token_of(struct scry_pypy *p, scry_addr frame)
{
	scry_addr token = scry_pypy_get(p, frame, SCRY_PYPY_FRAME_VABLE_TOKEN);

	return token == ~(scry_addr)0 ? 0 : token;
}

/* Memory of nobody's file that may be written and run. */
static bool is_made_code(struct scry_session *s, scry_addr word)
{
	const struct scry_map *map = scry_map_at(s->target, word);

	return map && map->flags & SCRY_MAP_EXEC && map->flags & SCRY_MAP_WRITE && !map->path;
}

/*
 * Does code that the JIT made return there? It keeps other addresses too, of what to patch where a
 * guard fails (rpython/jit/backend/x86/assembler.py, adr_jump_offset); no call comes before them.
 */
static bool returns_to_jit(struct scry_session *s, scry_addr word)
{
	const struct scry_arch *arch = s->target->arch;
	uint8_t before[8];
	int64_t target;

	if (!is_made_code(s, word))
		return false;
	/* what cannot be checked counts */
	return !arch || !arch->code.ends_in_call ||
	       scry_read(s, word - sizeof(before), before, sizeof(before)) < 0 ||
	       arch->code.ends_in_call(before, &target);
}

/*
 * Does code run that the JIT made, or is there a return address into it on the stack? Stale words
 * count, too: better too careful.
 */
static bool jit_on_stack(struct scry_thread *t)
{
	struct scry_session *s = t->session;
	const struct scry_regs *regs = t->os ? scry_os_thread_regs(s->target, t->os) : NULL;
	uint64_t sp, word;

	if (!regs || !regs->arch || !(regs->valid >> regs->arch->sp & 1))
		return false;
	if (regs->valid >> regs->arch->pc & 1 && is_made_code(s, regs->value[regs->arch->pc]))
		return true;
	sp = regs->value[regs->arch->sp];
	const struct scry_map *stack = scry_map_at(s->target, sp);
	scry_addr end = stack ? stack->end : sp;
	end = end - sp > STACK_MAX ? sp + STACK_MAX : end;
	for (scry_addr at = (sp + 7) & ~(scry_addr)7;
	     at < end && scry_read_ptr(s, at, &word) == SCRY_OK; at += 8)
		if (returns_to_jit(s, word))
			return true;
	return false;
}

static int thread_top(struct scry_thread *t, scry_addr *ret)
{
	struct scry_pypy *p = t->runtime->pypy;
	scry_addr ec = scry_pypy_context(p, t->state);
	uint64_t ref = 0;
	int rc = ec ? scry_pypy_read(p, ec, SCRY_PYPY_EC_TOPFRAMEREF, &ref) : SCRY_OK;

	if (rc < 0)
		return rc;
	*ret = deref(p, ref);
	/*
	 * what is told exactly begins with a reference or token of the JIT's; machine code alone
	 * leaves no trace in memory
	 */
	if (*ret && *ret == ref && !token_of(p, ref) && !t->error && jit_on_stack(t))
		t->error = "code made by the JIT is on the stack: its frames may be missing, lines "
			   "and values may be old";
	return SCRY_OK;
}

static void read_names(struct scry_frame *f, struct scry_pypy *p, scry_addr code)
{
	scry_addr debug = scry_pypy_get(p, f->addr, SCRY_PYPY_FRAME_DEBUGDATA);

	f->locals = scry_pypy_get(p, debug, SCRY_PYPY_DEBUGDATA_LOCALS);
	f->globals = scry_pypy_get(p, debug, SCRY_PYPY_DEBUGDATA_GLOBALS);
	if (!f->globals)
		f->globals = scry_pypy_get(p, code, SCRY_PYPY_CODE_GLOBALS);
}

static int frame_read(struct scry_runtime *r, scry_addr addr, struct scry_frame *f)
{
	struct scry_pypy *p = r->pypy;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &addr);
	uint64_t back, code, lasti, locals, count;

	if (t && p->vref && t->tid == p->vref)
		return scry_pypy_jit_frame(p, addr) ? SCRY_ECORRUPT : r->session->error.code;
	if (!scry_pypy_is(p, t, SCRY_PYPY_CLASS_FRAME))
		return scry_fail(r->session, SCRY_ECORRUPT, addr, "no frame at 0x%" PRIx64, addr);
	int rc = token_of(p, addr) ? scry_pypy_jit_update(p, token_of(p, addr)) : SCRY_OK;
	rc = rc < 0 ? rc : scry_pypy_read(p, addr, SCRY_PYPY_FRAME_BACKREF, &back);
	rc = rc < 0 ? rc : scry_pypy_read(p, addr, SCRY_PYPY_FRAME_CODE, &code);
	rc = rc < 0 ? rc : scry_pypy_read(p, addr, SCRY_PYPY_FRAME_LAST_INSTR, &lasti);
	rc = rc < 0 ? rc : scry_pypy_read(p, addr, SCRY_PYPY_FRAME_LOCALS, &locals);
	if (rc < 0)
		return rc;
	f->addr = addr;
	f->back = deref(p, back);
	f->code_addr = code;
	f->lasti = (int64_t)lasti;
	read_names(f, p, code);
	if (scry_pypy_array(p, locals, &count, &f->slots) < 0)
		f->slots = 0;
	/* functions of the interpreter's own that are written in Python are not frames to a user */
	if (scry_pypy_get(p, code, SCRY_PYPY_CODE_HIDDEN))
		f->kind = SCRY_FRAME_SHIM;
	return SCRY_OK;
}

static scry_addr slot_value(struct scry_runtime *r, scry_addr value, bool in_cell)
{
	struct scry_pypy *p = r->pypy;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &value);

	return in_cell && scry_pypy_is(p, t, SCRY_PYPY_CLASS_CELL)
		       ? scry_pypy_get(p, value, SCRY_PYPY_CELL_VALUE)
		       : value;
}

/* What else was found at the start is prebuilt, or stays where it is. */
static void reload(struct scry_runtime *r)
{
	scry_pypy_load_heap(r->pypy);
	scry_pypy_load_gil(r->pypy);
	scry_pypy_codemap_done(r->pypy); /* read again when it is asked for */
}

static void done(struct scry_runtime *r)
{
	scry_pypy_done(r->pypy);
}

#define ROW(version, label, table)                                                           \
	{                                                                                    \
		.since = version, .name = label, .thread_top = thread_top,                   \
		.frame_read = frame_read, .line = table, .code_whole = scry_pypy_code_whole, \
		.next_state = scry_pypy_next_state, .state_ident = state_ident,              \
		.waits_for_gil = scry_pypy_waits_for_gil, .slot_value = slot_value,          \
		.text = scry_pypy_text_at, .reload = reload, .done = done,                   \
		.model = SCRY_MODEL_PYPY                                                     \
	}

/* By version, and by the table that the code objects of the build have. */
static const struct {
	enum scry_pypy_field needs;
	struct scry_strategy strategy;
} strategies[] = {
	{ SCRY_PYPY_CODE_LNOTAB, ROW(0, "PyPy, unsigned lnotab", scry_line_from_lnotab) },
	{ SCRY_PYPY_CODE_LNOTAB,
	  ROW(SCRY_VERSION_OF(3, 6), "PyPy, signed lnotab", scry_pypy_line_from_lnotab) },
	{ SCRY_PYPY_CODE_LINETABLE, ROW(0, "PyPy, line table", scry_pypy_line_from_linetable) },
};

static const struct scry_strategy *strategy_for(const struct scry_pypy *p)
{
	const struct scry_strategy *best = NULL;

	for (size_t i = 0; i < sizeof(strategies) / sizeof(*strategies); i++)
		if (p->field[strategies[i].needs].size &&
		    scry_version_in(p->runtime->version, strategies[i].strategy.since, 0))
			best = &strategies[i].strategy;
	return best;
}

/* --- the finder --- */

/* "3.9.16 (7.3.11...": the beginning of sys.version, among the strings in the data. */
static bool is_version(struct scry_pypy_scan *scan, scry_addr at)
{
	struct scry_runtime *r = scan->pypy->runtime;
	unsigned major, minor, micro;
	const char *text;
	size_t len;
	uint64_t size;

	if (scry_read_uint(r->session, at + 16, 8, &size) < 0 || size < 8 || size > 300 ||
	    scry_pypy_string(scan->pypy, at, 40, &text, &len) < 0 ||
	    sscanf(text, "%1u.%3u.%3u (", &major, &minor, &micro) != 3 || !strstr(text, " (") ||
	    (major != 2 && major != 3) || minor > 99 || micro > 99)
		return true;
	r->version = SCRY_VERSION_OF(major, minor, micro) | 0xf0;
	snprintf(r->version_text, sizeof(r->version_text), "%u.%u.%u", major, minor, micro);
	return false;
}

static int load(struct scry_pypy *p, struct scry_module *m)
{
	struct scry_runtime *r = p->runtime;
	int rc = scry_pypy_load(p, m);

	rc = rc < 0 ? rc : scry_pypy_load_fields(p);
	if (rc < 0)
		return rc;
	struct scry_pypy_scan scan = { .pypy = p, .low = TLS_IS_HEAD, .found = is_head };
	scry_pypy_scan(&scan);
	if (!p->threads)
		return scry_fail(r->session, SCRY_ENOTFOUND, 0,
				 "PyPy's list of threads was not found in %s", m->path);
	scan = (struct scry_pypy_scan) { .pypy = p, .low = p->string, .found = is_version };
	scry_pypy_scan(&scan);
	r->strategy = strategy_for(p);
	return SCRY_OK;
}

static bool try_module(struct scry_search *search, struct scry_module *m)
{
	struct scry_session *s = search->s;
	struct scry_runtime *r = scry_arena_alloc(&s->arena, sizeof(*r));
	struct scry_pypy *p = scry_arena_alloc(&s->arena, sizeof(*p));
	struct scry_interp *interp = scry_arena_alloc(&s->arena, sizeof(*interp));
	struct scry_layout *layout = scry_arena_alloc(&s->arena, sizeof(*layout));

	if (!r || !p || !interp || !layout)
		return false;
	snprintf(layout->name, sizeof(layout->name), "its own description");
	*r = (struct scry_runtime) { .session = s,
				     .name = "PyPy",
				     .finder = search->finder,
				     .module = m,
				     .layout = layout,
				     .pypy = p,
				     .interps = interp };
	*interp = (struct scry_interp) { .runtime = r };
	p->runtime = r;
	if (load(p, m) < 0) {
		scry_pypy_done(p);
		return false;
	}
	interp->addr = p->threads;
	interp->modules = scry_pypy_modules(p);
	scry_pypy_find_gil(p);
	scry_pypy_load_gil(p);
	*search->tail = r;
	search->tail = &r->next;
	search->found++;
	return true;
}

void scry_find_pypy(struct scry_search *search)
{
	for (struct scry_module *m = scry_module_first(search->s); m; m = m->next) {
		if (!strstr(m->name, "pypy"))
			continue;
		search->tried += !try_module(search, m);
	}
}
