/* What the address of a fault is, and what else can be wrong: in sentences. */
#include <inttypes.h>
#include <signal.h>
#include <string.h>

#include "native/fatal.h"
#include "native/variables.h"
#include "native/doubt.h"
#include "object/model.h"

#define GUARD_MAX         (1u << 20) /* the kernel's gap below a stack */
#define NEAR_MAX          65536
#define SEGV_KERNEL       128
#define BUS_ALIGNED       1
#define BUS_ADDRESS       2
#define FPE_DIVIDE        1
#define PERIOD_MAX        24
#define PYTHON_FRAMES_MAX 200000
#define PYTHON_SAME_MIN   50

/* --- what the kernel calls it --- */

/* si_code of each signal: include/uapi/asm-generic/siginfo.h, Linux 6.1. */
static const char *code_words(int signal, int code)
{
	static const struct {
		int signal, code;
		const char *words;
	} rows[] = {
		{ SIGSEGV, 1, "nothing is mapped there" },
		{ SIGSEGV, 2, "its mapping does not permit that" },
		{ SIGSEGV, 3, "a bound was exceeded" },
		{ SIGSEGV, 4, "a protection key forbids that" },
		{ SIGSEGV, SEGV_KERNEL, "a general protection fault" },
		{ SIGBUS, BUS_ALIGNED, "the address is not aligned" },
		{ SIGBUS, BUS_ADDRESS, "there is no memory behind the address" },
		{ SIGBUS, 3, "an error of the hardware" },
		{ SIGBUS, 4, "a memory error" },
		{ SIGFPE, FPE_DIVIDE, "an integer was divided by zero" },
		{ SIGFPE, 2, "an integer overflow" },
		{ SIGFPE, 3, "a division of floats by zero" },
		{ SIGFPE, 4, "a float overflow" },
		{ SIGFPE, 5, "a float underflow" },
		{ SIGFPE, 6, "an inexact float result" },
		{ SIGFPE, 7, "an invalid float operation" },
		{ SIGILL, 1, "an instruction that the processor does not have" },
		{ SIGILL, 2, "an instruction that the processor does not have" },
		{ SIGILL, 5, "a privileged instruction" },
		{ SIGTRAP, 1, "a breakpoint" },
		{ SIGTRAP, 2, "a trace trap" },
	};

	if (code == 0 || code == -6)
		return "sent by kill() or raise(), no instruction failed";
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (rows[i].signal == signal && rows[i].code == code)
			return rows[i].words;
	return NULL;
}

/* --- a full stack --- */

/* The mapping of the stack that ends (grows down) at or above the address; NULL: none near. */
static const struct scry_map *stack_above(const struct scry_crash *c)
{
	const struct scry_regs *regs = &c->frames[0].regs;
	scry_addr sp = regs->valid >> regs->arch->sp & 1 ? regs->value[regs->arch->sp] : 0;
	const struct scry_target *t = c->session->target;

	if (!sp || !c->has_address)
		return NULL;
	for (size_t i = 0; i < t->map_count; i++) {
		const struct scry_map *map = &t->maps[i];
		bool usable = map->flags & SCRY_MAP_WRITE;

		/* the pointer is in it still, or in the gap below */
		if (usable && !(map->flags & SCRY_MAP_FILE) && sp < map->end &&
		    map->start - c->address <= GUARD_MAX && c->address < map->start &&
		    (sp >= map->start || map->start - sp <= GUARD_MAX))
			return map;
	}
	return NULL;
}

/* How many frames it takes until functions come again in the same order; 0: they do not. */
static unsigned period_of(const struct scry_crash *c)
{
	for (unsigned p = 1; p <= PERIOD_MAX && 3 * p < c->count; p++) {
		unsigned i = c->count - 1;

		while (i >= c->count - 2 * p &&
		       c->frames[i].symbol.addr == c->frames[i - p].symbol.addr &&
		       c->frames[i].module == c->frames[i - p].module)
			i--;
		if (i < c->count - 2 * p)
			return p;
	}
	return 0;
}

static void explain_recursion(struct scry_crash *c)
{
	SCRY_AUTO_BUF(names);
	unsigned period = period_of(c);

	if (!period)
		return;
	for (unsigned i = 0; i < period; i++) {
		const struct scry_native_frame *f = &c->frames[c->count - 2 * period + i];

		scry_buf_puts(&names, i ? ", " : "");
		scry_buf_puts(&names, f->symbol.name ? f->symbol.name : "??");
	}
	scry_crash_say(c, &c->why, "the recursion: %s%s", names.text,
		       period > 1 ? " call each other" : " calls itself");
}

/* How often the newest Python frame's code is on the stack. */
static void explain_python_recursion(struct scry_crash *c)
{
	struct scry_walk walk;
	struct scry_frame f;
	unsigned same = 0;

	if (!c->has_python)
		return;
	scry_walk_thread(&walk, c->thread);
	for (unsigned i = 0; i < PYTHON_FRAMES_MAX && scry_walk_next(&walk, &f) == SCRY_ITEM; i++)
		same += f.code == c->python.code;
	if (same >= PYTHON_SAME_MIN)
		scry_crash_say(c, &c->why,
			       "the recursion in Python: %s stands on the stack %u times",
			       c->python.code->name, same);
}

/*
 * Below a stack the kernel keeps a gap of 256 pages (stack_guard_gap, mm/mmap.c, Linux 6.1), and
 * thread libraries a guard page: an access there is a stack that is full, unless it was a jump.
 */
static bool explain_overflow(struct scry_crash *c)
{
	const struct scry_map *map = stack_above(c);

	if (!map || c->access == SCRY_ACCESS_EXECUTE)
		return false;
	c->stack_overflow = true;
	scry_crash_say(c, &c->why,
		       "stack overflow: the address is %" PRIu64
		       " bytes below the thread's stack, whose %" PRIu64 " KiB are full",
		       map->start - c->address, (map->end - map->start) / 1024);
	explain_recursion(c);
	explain_python_recursion(c);
	return true;
}

/* --- bad addresses --- */

/* For a sentence, where what failed is not known either. */
static const char *access_name(const struct scry_crash *c)
{
	static const char *const names[] = { "touch", "read", "write", "jump" };

	return names[c->access];
}

/*
 * Python's own code, run by a thread that may not run it. Only for a crash in Python's own code: a
 * thread without the GIL may crash for reasons of its own elsewhere.
 */
static void explain_gil(struct scry_crash *c)
{
	const struct scry_runtime *r = scry_runtime_first(c->session);
	const struct scry_thread *t = c->thread;

	if (!r || !r->layout || !c->frames[0].module || c->frames[0].module != r->module)
		return;
	if (!t->runtime)
		scry_crash_say(c, &c->why,
			       "the thread has no Python state: it called Python without "
			       "PyGILState_Ensure()");
	else if (t->gil != SCRY_GIL_HELD && !r->layout->flavour.free_threaded)
		scry_crash_say(c, &c->why, "the thread does not hold the GIL");
}

/* A field of some struct at NULL: of which one, the variable in the register may say. */
static void explain_field(struct scry_crash *c, const struct scry_crash_operand *base)
{
	struct scry_frames frames = { c->thread, c->frames, c->count };
	const struct scry_arch *arch = c->frames[0].regs.arch;
	SCRY_AUTO_BUF(name);
	int reg = -1;

	for (unsigned i = 0; i < arch->count; i++)
		if (arch->regs[i].name == base->name)
			reg = (int)i;
	if (scry_name_behind_register(&frames, c->site, reg, c->address, &name))
		scry_crash_say(c, &c->why, "%s is NULL: %s", base->name, name.text);
	else
		scry_crash_say(c, &c->why,
			       "%s is NULL, taken for a struct with a field at +%" PRIu64,
			       base->name, c->address);
}

/* What is at an offset from NULL, were that an object or a type. */
static void explain_null(struct scry_crash *c)
{
	struct scry_runtime *r =
		c->thread->runtime ? c->thread->runtime : scry_runtime_first(c->session);
	const struct scry_crash_operand *base = c->operand_count ? &c->operands[0] : NULL;
	bool is_null = base && base->value == 0 && c->address < SCRY_CRASH_NULL_END;

	if (c->access == SCRY_ACCESS_EXECUTE) {
		scry_crash_say(c, &c->why,
			       c->address ? "a jump to 0x%" PRIx64 ": no code is there"
					  : "a jump to NULL",
			       c->address);
		return;
	}
	if (!is_null && !base && !c->address) {
		scry_crash_say(c, &c->why, "a NULL pointer was used");
		return;
	}
	if (!is_null) {
		scry_crash_say(c, &c->why,
			       "0x%" PRIx64 " is not an address: nothing is mapped below 0x10000",
			       c->address);
		return;
	}
	if (r && r->layout && scry_layout_has(r->layout, SCRY_F_OBJECT_TYPE) &&
	    c->address == r->layout->slot[SCRY_F_OBJECT_TYPE].offset)
		scry_crash_say(c, &c->why,
			       "%s is NULL, taken for an object (ob_type is at +%" PRIu64 ")",
			       base->name, c->address);
	else if (r && r->layout && scry_layout_has(r->layout, SCRY_F_OBJECT_REFCNT) &&
		 c->address == r->layout->slot[SCRY_F_OBJECT_REFCNT].offset)
		scry_crash_say(c, &c->why,
			       "%s is NULL (an object's ob_refcnt is at +%" PRIu64
			       ", as is the first field of any struct)",
			       base->name, c->address);
	else
		explain_field(c, base);
	explain_gil(c);
}

static void explain_wild(struct scry_crash *c)
{
	unsigned size = c->session->target->abi.ptr_size;
	const char *pattern = NULL;

	for (unsigned i = 0; i < c->operand_count && !pattern; i++)
		pattern = scry_pattern_doubt(c->operands[i].value, size).why;
	if (!pattern)
		pattern = scry_pattern_doubt(c->address & ~(uint64_t)0xff, size).why;
	scry_crash_say(c, &c->why, "0x%" PRIx64 " is non-canonical: nothing can have that address",
		       c->address);
	if (pattern)
		scry_crash_say(c, &c->why, "%s", pattern);
}

/* --- mapped memory --- */

static bool in_section(struct scry_module *m, const char *name, scry_addr at)
{
	struct scry_section section;

	return scry_module_section(m, name, &section) == SCRY_OK &&
	       at - section.addr < section.size;
}

static void explain_read_only(struct scry_crash *c, const struct scry_map *map)
{
	static const char *const sections[] = { ".rodata", ".text",     ".data.rel.ro",
						".rdata",  ".eh_frame", NULL };
	struct scry_module *m = scry_module_at(c->session, c->address);
	const char *section = NULL;
	struct scry_symbol symbol;

	for (size_t i = 0; m && sections[i] && !section; i++)
		if (in_section(m, sections[i], c->address))
			section = sections[i];
	bool named = m && scry_symbol_at(c->session, c->address, &symbol) == SCRY_OK &&
		     symbol.name && scry_symbol_covers(&symbol, c->address);
	scry_crash_say(c, &c->why, "a write to read-only memory: %s%s%s%s%s",
		       section ? section : "", section ? " of " : "",
		       m           ? m->name
		       : map->path ? map->path
				   : "an anonymous mapping",
		       named ? ", " : "", named ? symbol.name : "");
}

/* SIGBUS with BUS_ADRERR on a mapped file: the page lies beyond the file's end, mmap(2). */
static void explain_truncated(struct scry_crash *c, const struct scry_map *map)
{
	scry_crash_say(c, &c->why,
		       "the file %s ends before offset 0x%" PRIx64
		       ": it was truncated after it was mapped (or its medium failed)",
		       map->path ? map->path : "that is mapped there",
		       map->offset + (c->address - map->start));
}

static void explain_mapped(struct scry_crash *c, const struct scry_map *map)
{
	unsigned known = map->flags & (SCRY_MAP_READ | SCRY_MAP_WRITE | SCRY_MAP_EXEC);
	SCRY_AUTO_BUF(what);

	if (c->signal == SIGBUS && c->code == BUS_ADDRESS && map->flags & SCRY_MAP_FILE) {
		explain_truncated(c, map);
		return;
	}
	if (c->access == SCRY_ACCESS_WRITE && !(map->flags & SCRY_MAP_WRITE) && known) {
		explain_read_only(c, map);
		return;
	}
	scry_crash_put_meaning(c, c->address, &what);
	if (c->access == SCRY_ACCESS_EXECUTE)
		scry_crash_say(c, &c->why, "a call of data: 0x%" PRIx64 " is %s", c->address,
			       what.text);
	else if (!known)
		scry_crash_say(c, &c->why,
			       "0x%" PRIx64
			       " is in a mapping that permits no access (a guard page?)",
			       c->address);
	else
		scry_crash_say(c, &c->why, "0x%" PRIx64 " is %s", c->address, what.text);
}

static void explain_unmapped(struct scry_crash *c)
{
	const struct scry_target *t = c->session->target;
	const struct scry_map *before = NULL, *after = NULL;

	for (size_t i = 0; i < t->map_count && !after; i++)
		if (t->maps[i].end <= c->address)
			before = &t->maps[i];
		else
			after = &t->maps[i];
	if (c->access == SCRY_ACCESS_EXECUTE)
		scry_crash_say(c, &c->why,
			       "no code is at 0x%" PRIx64
			       ": a wild pointer, or a library that was unloaded",
			       c->address);
	else if (before && c->address - before->end < NEAR_MAX)
		scry_crash_say(c, &c->why, "0x%" PRIx64 " is %" PRIu64 " bytes past the end of %s",
			       c->address, c->address - before->end,
			       before->path ? before->path : "a mapping");
	else if (after && after->start - c->address < NEAR_MAX)
		scry_crash_say(c, &c->why, "0x%" PRIx64 " is %" PRIu64 " bytes before %s",
			       c->address, after->start - c->address,
			       after->path ? after->path : "a mapping");
	else
		scry_crash_say(c, &c->why,
			       "nothing is mapped at 0x%" PRIx64 " to %s: a wild pointer",
			       c->address, access_name(c));
}

/*
 * Order matters: 0x10 and a poisoned pointer are never worth a look at the mappings, and a full
 * stack looks like unmapped memory near a mapping.
 */
static void explain_address(struct scry_crash *c)
{
	const struct scry_map *map = scry_map_at(c->session->target, c->address);

	if (c->address < SCRY_CRASH_NULL_END)
		explain_null(c);
	else if (!scry_is_canonical(c->session->target->arch, c->address))
		explain_wild(c);
	else if (explain_overflow(c))
		return;
	else if (map)
		explain_mapped(c, map);
	else
		explain_unmapped(c);
}

/* --- other failures --- */

/* The divisor's bits are the upper ones of `word`, above `shift` others. */
static void say_divisor(struct scry_crash *c, const char *name, uint64_t word, unsigned shift)
{
	if (!word)
		scry_crash_say(c, &c->why, "a division by zero: %s is 0", name);
	else if (c->insn.is_signed)
		scry_crash_say(c, &c->why,
			       "a division whose result does not fit (%s is %" PRId64 ")", name,
			       (int64_t)word >> shift);
	else
		scry_crash_say(c, &c->why,
			       "a division whose result does not fit (%s is %" PRIu64 ")", name,
			       word >> shift);
}

/*
 * Of these machines x86 alone raises SIGFPE for integers: by zero, or for a quotient that does not
 * fit (INT_MIN / -1).
 */
static void explain_division(struct scry_crash *c)
{
	for (unsigned i = 0; i < c->insn.count; i++) {
		const struct scry_operand *o = &c->insn.operands[i];
		uint64_t divisor;
		scry_addr at;
		const char *name = "the divisor";

		if (o->implicit || o->kind == SCRY_OPERAND_NUMBER)
			continue;
		if (o->kind == SCRY_OPERAND_REGISTER && o->reg >= 0) {
			divisor = c->frames[0].regs.value[o->reg];
			name = c->frames[0].regs.arch->regs[o->reg].name;
		} else if (!scry_operand_address(c, &c->frames[0].regs, &c->insn, o, &at) ||
			   scry_read_uint(c->session, at, o->size, &divisor) < 0) {
			return;
		}
		say_divisor(c, name, o->size < 8 ? divisor << (64 - 8 * o->size) : divisor,
			    o->size < 8 ? 64 - 8 * o->size : 0);
		return;
	}
}

static void explain_trap(struct scry_crash *c)
{
	if (c->signal == SIGTRAP || c->exception == 0x80000003)
		scry_crash_say(c, &c->why, "a breakpoint instruction (int3) that no debugger set");
	else
		scry_crash_say(c, &c->why,
			       "the compiler put an instruction there that always fails "
			       "(__builtin_trap(), unreachable code)");
}

void scry_crash_explain(struct scry_crash *c)
{
	c->code_words = c->signal && c->has_code ? code_words(c->signal, c->code) : NULL;
	if (c->handled)
		scry_crash_say(
			c, &c->why,
			"a handler of the signal ran first (faulthandler); this is what it caught");
	if (c->exception)
		scry_crash_explain_exception(c);
	if (c->sent)
		return;
	if (c->signal == SIGFPE || c->exception == 0xc0000094)
		explain_division(c);
	else if (c->signal == SIGTRAP || (c->has_insn && c->insn.kind == SCRY_INSN_TRAP))
		explain_trap(c);
	else if (c->has_address && (c->exception || c->signal == SIGSEGV || c->signal == SIGBUS))
		explain_address(c);
	else if (c->exception == 0xc00000fd)
		c->stack_overflow = true;
}
