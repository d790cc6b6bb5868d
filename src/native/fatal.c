/* A crash: which signal, where, by which instruction. */
#include "native/fatal.h"

#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "native/cfi.h"
#include "native/doubt.h"
#include "native/place.h"
#include "object/model.h"

#define ADDRESS_END ((uint64_t)1 << 47)
#define REPR_MAX    60

void scry_crash_say(struct scry_crash *c, struct scry_lines *to, const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	const char *kept = scry_arena_text(&c->session->arena, text, strlen(text));
	if (kept && to->count < SCRY_CRASH_LINES)
		to->text[to->count++] = kept;
}

/* --- what a word is --- */

static const char *is_number(uint64_t value, const struct scry_meaning *m)
{
	if (!value)
		return "NULL";
	if (m->freed)
		return "freed";
	return value < SCRY_CRASH_NULL_END || -value < SCRY_CRASH_NULL_END ? "number" : "wild";
}

const char *scry_crash_is(struct scry_crash *c, uint64_t value, const struct scry_meaning *m)
{
	switch (m->kind) {
	case SCRY_WORD_NUMBER:
		return is_number(value, m);
	case SCRY_WORD_UNMAPPED:
		return "wild";
	case SCRY_WORD_OBJECT:
	case SCRY_WORD_TYPE:
	case SCRY_WORD_CODE_OBJECT:
		if (m->freed)
			return "freed";
		return m->kind == SCRY_WORD_TYPE ? "type" : "object";
	case SCRY_WORD_INTERIOR:
		return "part of an object";
	case SCRY_WORD_MEMORY:
	case SCRY_WORD_OBJECTS:
		if (value >= c->words.stack_start && value < c->words.stack_end)
			return "stack";
		return m->freed ? "freed" : "memory";
	default:
		return scry_word_kind_name(m->kind);
	}
}

static void put_data(struct scry_crash *c, uint64_t value, const struct scry_meaning *m,
		     struct scry_buf *out)
{
	struct scry_symbol symbol;

	scry_buf_puts(out, scry_crash_is(c, value, m));
	if (m->kind == SCRY_WORD_MEMORY && scry_symbol_at(c->session, value, &symbol) == SCRY_OK &&
	    symbol.name && scry_symbol_covers(&symbol, value))
		scry_buf_printf(out, ", variable %s+%" PRIu64, symbol.name, value - symbol.addr);
	else if (m->doubt)
		scry_buf_printf(out, " (%s)", m->doubt);
}

static bool is_type(struct scry_runtime *r, scry_addr object)
{
	struct scry_type *t;

	return r && object && scry_model_of(r)->judge && scry_type_for(r, object, &t) == SCRY_OK &&
	       t->flags & TYPE_TYPE;
}

void scry_crash_put_meaning(struct scry_crash *c, uint64_t value, struct scry_buf *out)
{
	struct scry_meaning m;
	const char *slot;
	bool damaged;

	scry_words_read(&c->words, value, &m);
	switch (m.kind) {
	case SCRY_WORD_OBJECT:
	case SCRY_WORD_TYPE:
	case SCRY_WORD_CODE_OBJECT:
		if (!strcmp(scry_crash_is(c, value, &m), "freed"))
			scry_buf_puts(out, "freed: ");
		scry_buf_printf(out, "%s ", m.type ? m.type : "object");
		damaged = c->session->value_damaged;
		scry_repr_short(m.runtime, m.object, REPR_MAX, out);
		if (m.doubt) {
			scry_buf_printf(out, " (%s)", m.doubt);
			c->session->value_damaged = damaged; /* it is told */
		}
		break;
	case SCRY_WORD_INTERIOR:
		slot = is_type(m.runtime, m.object) ? scry_type_slot_name(m.runtime, m.offset)
						    : NULL;
		if (slot)
			scry_buf_printf(out, "%s of ", slot);
		else
			scry_buf_printf(out, "+%" PRIu64 " of ", m.offset);
		scry_buf_printf(out, "%s ", m.type ? m.type : "object");
		if (m.function)
			scry_buf_printf(out, "of %s ", m.function);
		else if (m.runtime)
			scry_repr_short(m.runtime, m.object, REPR_MAX, out);
		break;
	case SCRY_WORD_CODE:
		scry_buf_printf(out, "code of %s",
				m.symbol   ? m.symbol
				: m.module ? m.module->name
					   : "no module");
		break;
	case SCRY_WORD_FRAME:
		scry_buf_printf(out, "frame of %s", m.function ? m.function : "?");
		break;
	default:
		put_data(c, value, &m, out);
	}
}

/* --- the signal --- */

/* Processor exceptions that are faults: Intel SDM, volume 3, 6.15. */
#define TRAP_PROTECTION 13
#define TRAP_PAGE       14

/*
 * What the processor said when a handler was called; a siginfo is there for some handlers only.
 * x86-64: the return address was popped, the stack pointer is at the ucontext, 40 bytes into
 * which are the registers, trapno the 21st and cr2 the 23rd (asm/sigcontext.h, Linux 6.1). aarch64:
 * after 128 bytes of siginfo and 176 of the ucontext the fault's address.
 */
static bool read_caught(struct scry_crash *c, const struct scry_native_frame *f)
{
	struct scry_session *s = c->session;
	scry_addr sp = f->regs.value[f->regs.arch->sp];
	uint64_t trap = TRAP_PAGE, address;

	if (!f->is_signal)
		return false;
	if (f->regs.arch == &scry_arch_x86_64) {
		if (scry_read_uint(s, sp + 40 + 8 * 20, 8, &trap) < 0 ||
		    scry_read_uint(s, sp + 40 + 8 * 22, 8, &address) < 0)
			return false;
	} else if (f->regs.arch != &scry_arch_aarch64 ||
		   scry_read_uint(s, sp + 304, 8, &address) < 0) {
		return false;
	}
	c->handled = true;
	c->sent = false;
	c->has_code = trap == TRAP_PROTECTION;
	c->code = c->has_code ? SI_KERNEL : 0;
	c->has_address = trap == TRAP_PAGE;
	c->address = c->has_address ? address : 0;
	return true;
}

/* Signals that an instruction causes, where nobody sent them. */
static bool is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE || signal == SIGILL ||
	       signal == SIGTRAP;
}

static void read_signal(struct scry_crash *c)
{
	const struct scry_target *t = c->session->target;

	c->signal = c->thread->os && c->thread->os->signal ? c->thread->os->signal : t->signal;
	c->exception = t->exception;
	c->has_code = t->has_signal_code;
	c->code = t->signal_code;
	c->has_address = t->has_fault;
	c->address = t->fault_addr;
	if (t->fault_access)
		c->access = (enum scry_access)t->fault_access;
	c->sent = c->exception ? c->exception == 0xc0000409 || c->exception == 0x40000015
			       : !is_fault(c->signal) || (c->has_code && c->code <= 0);
}

/* --- frames --- */

struct collecting {
	struct scry_crash *crash;
	bool after; /* a frame that a signal interrupted comes next: begin again with it */
};

static bool collect(void *arg, const struct scry_native_frame *f)
{
	struct collecting *to = arg;
	struct scry_crash *c = to->crash;

	if (to->after) {
		to->after = false;
		c->count = 0;
	}
	c->frames[c->count++] = *f;
	if (c->sent && is_fault(c->signal) && read_caught(c, f))
		to->after = true;
	return c->count < SCRY_CRASH_FRAMES;
}

static int read_frames(struct scry_crash *c)
{
	struct collecting to = { .crash = c };
	const struct scry_regs *regs = scry_os_thread_regs(c->session->target, c->thread->os);

	c->frames = scry_arena_alloc(&c->session->arena, SCRY_CRASH_FRAMES * sizeof(*c->frames));
	if (!c->frames)
		return scry_fail(c->session, SCRY_ENOMEM, 0, "out of memory");
	if (regs->arch)
		scry_unwind(c->session, regs, collect, &to);
	return SCRY_OK;
}

/* What stands between abort() and who asked for it. */
static bool is_machinery(const struct scry_native_frame *f)
{
	static const char *const modules[] = { "libc.",      "libc-",    "libpthread", "libstdc++",
					       "libgcc_s",   "libc++",   "ld-",        "ntdll",
					       "kernelbase", "ucrtbase", NULL };
	static const char *const functions[] = {
		"Py_FatalError",          "_Py_FatalError",       "fatal_error",
		"_Py_FatalRefcountError", "_Py_NegativeRefcount", "_PyObject_AssertFailed",
		"faulthandler_",          "std::sys::",           NULL
	};

	for (size_t i = 0; f->module && modules[i]; i++)
		if (!strncasecmp(f->module->name, modules[i], strlen(modules[i])))
			return true;
	for (size_t i = 0; f->symbol.name && functions[i]; i++)
		if (!strncmp(f->symbol.name, functions[i], strlen(functions[i])))
			return true;
	return scry_is_rust_panic(&f->symbol);
}

static void find_site(struct scry_crash *c)
{
	struct scry_session *s = c->session;

	if (c->sent) {
		while (c->site + 1 < c->count && is_machinery(&c->frames[c->site]))
			c->site++;
		if (is_machinery(&c->frames[c->site]))
			c->site = 0;
		return;
	}
	/* a jump to nowhere: whoever jumped */
	if (c->count > 1 && !scry_is_code(s, c->frames[0].pc))
		c->site = 1;
}

/* Rust's own library, inlined: as its files are called where it is built. */
static bool is_of_rust(const char *file)
{
	return file && (!strncmp(file, "/rustc/", strlen("/rustc/")) ||
			!strncmp(file, "library/", strlen("library/")));
}

static void name_site(struct scry_crash *c)
{
	const struct scry_native_frame *f = &c->frames[c->site];
	struct scry_place *place = scry_place_at(c->session, f->pc - f->is_call);

	c->module = f->module ? f->module->name : NULL;
	c->function = f->symbol.name;
	if (!place)
		return;
	scry_place_functions(c->session, place, f->pc - f->is_call);
	if (!place->count)
		return;
	size_t i = 0;
	while (c->sent && i + 1 < place->count && is_of_rust(place->functions[i].file))
		i++;
	c->function = place->functions[i].name ? place->functions[i].name : c->function;
	c->file = place->functions[i].file;
	c->line = place->functions[i].line;
}

/* The instruction at the site: the one that failed, or the call that led on. */
static bool read_insn(struct scry_crash *c, struct scry_decoder *d)
{
	const struct scry_native_frame *f = &c->frames[c->site];
	bool call = f->is_call || (c->site && !c->frames[0].is_call && c->site == 1);
	struct scry_listing listing;

	/* int3 is told when it is over */
	if (c->signal == SIGTRAP && !call && scry_decode(d, f->pc - 1, &c->insn) &&
	    c->insn.kind == SCRY_INSN_TRAP && c->insn.size == 1)
		return true;
	if (!call)
		return scry_decode(d, f->pc, &c->insn);
	/* a return address: the instruction that ends there */
	for (scry_addr at = f->pc - 1; at > f->pc - 8; at--)
		if (scry_listing_read(d, at, &listing)) {
			size_t i = scry_listing_find(&listing, at);

			c->insn = listing.insns[i];
			scry_listing_done(&listing);
			return c->insn.addr + c->insn.size == f->pc;
		}
	return false;
}

/* `size`: bytes of the register that the instruction reads. */
static void add_operand(struct scry_crash *c, int reg, unsigned size)
{
	const struct scry_regs *regs = &c->frames[c->sent ? c->site : 0].regs;
	struct scry_crash_operand *o = &c->operands[c->operand_count];

	if (reg < 0 || reg == regs->arch->pc || !(regs->valid >> reg & 1) ||
	    c->operand_count == SCRY_CRASH_OPERANDS)
		return;
	for (unsigned i = 0; i < c->operand_count; i++)
		if (c->operands[i].name == regs->arch->regs[reg].name)
			return;
	*o = (struct scry_crash_operand) { .name = regs->arch->regs[reg].name,
					   .value = regs->value[reg] };
	scry_words_read(&c->words, o->value, &o->meaning);
	o->is = scry_crash_is(c, o->value, &o->meaning);
	/* too small for an address, be it zero */
	if (size && size < regs->arch->ptr_size && !o->meaning.freed &&
	    (o->meaning.kind == SCRY_WORD_NUMBER || o->meaning.kind == SCRY_WORD_UNMAPPED)) {
		o->meaning.kind = SCRY_WORD_NUMBER;
		o->is = "number";
	}
	c->operand_count++;
}

/* Registers of the address that failed first, then the others. */
static void list_operands(struct scry_crash *c)
{
	for (unsigned pass = 0; pass < 2; pass++)
		for (unsigned i = 0; i < c->insn.count; i++) {
			const struct scry_operand *o = &c->insn.operands[i];

			if (pass == 0 && o->kind == SCRY_OPERAND_MEMORY && !o->implicit) {
				add_operand(c, o->base, c->frames[0].regs.arch->ptr_size);
				add_operand(c, o->index, c->frames[0].regs.arch->ptr_size);
			} else if (pass == 1 && o->kind == SCRY_OPERAND_REGISTER && o->read) {
				add_operand(c, o->reg, o->size);
			}
		}
}

static void read_python(struct scry_crash *c)
{
	struct scry_walk walk;

	if (!c->thread->runtime)
		return;
	scry_walk_thread(&walk, c->thread);
	c->has_python = scry_walk_next(&walk, &c->python) == SCRY_ITEM && c->python.code;
}

/* The register that the bad value was in: of what was jumped to, divided by, or the address. */
static int bad_register(const struct scry_crash *c)
{
	for (unsigned i = 0; i < c->insn.count; i++) {
		const struct scry_operand *o = &c->insn.operands[i];
		bool jumps = c->insn.kind == SCRY_INSN_CALL || c->insn.kind == SCRY_INSN_JUMP;

		if ((jumps || c->insn.kind == SCRY_INSN_DIVIDE) &&
		    o->kind == SCRY_OPERAND_REGISTER && o->reg >= 0)
			return o->reg;
		if (o->kind == SCRY_OPERAND_MEMORY && !o->implicit && o->base >= 0 &&
		    o->base != c->frames[0].regs.arch->pc)
			return o->base;
	}
	return -1;
}

/* The name of what a call names: "call 0x7f12 <abort>". */
static void put_target(struct scry_crash *c, struct scry_decoder *d, struct scry_buf *out)
{
	const char *name = c->insn.target ? scry_crash_function(c, d, c->insn.target) : NULL;

	if (name)
		scry_buf_printf(out, " <%s>", name);
}

/* A function may end by jumping on: then its frame is gone, and its caller seems to be to blame. */
static void tell_tail_call(struct scry_crash *c, struct scry_decoder *d)
{
	const char *name = c->insn.target ? scry_crash_function(c, d, c->insn.target) : NULL;

	if (c->access == SCRY_ACCESS_EXECUTE && c->site == 1 && name)
		scry_crash_say(c, &c->why, "%s, which was called there, must have jumped on", name);
}

static void read_code(struct scry_crash *c)
{
	struct scry_decoder d;

	if (!scry_decoder_open(&d, c->session)) {
		scry_crash_explain(c);
		return;
	}
	c->has_insn = read_insn(c, &d);
	if (c->has_insn) {
		SCRY_AUTO_BUF(text);

		scry_decode_text(&d, &c->insn, &text);
		put_target(c, &d, &text);
		c->instruction = scry_arena_text(&c->session->arena, text.text, text.len);
		list_operands(c);
	}
	if (!c->sent)
		scry_crash_fault(c, &d);
	scry_crash_explain(c);
	tell_tail_call(c, &d);
	if (!c->sent && c->has_insn && !c->stack_overflow)
		scry_crash_origin(c, &d, bad_register(c));
	if (!c->sent)
		scry_crash_tell_buffer(c);
	scry_crash_message(c, &d);
	scry_decoder_close(&d);
}

int scry_crash_read(struct scry_session *s, struct scry_thread *t, struct scry_crash *ret)
{
	*ret = (struct scry_crash) { .session = s, .thread = t };
	if (s->target->signal == SIGKILL)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "SIGKILL ended it, which comes from somebody else: the kernel's "
				 "out-of-memory killer, a time limit; see the system's log");
	if (!t->crashed || (!s->target->signal && !s->target->exception) || !t->os)
		return scry_fail(s, SCRY_ENOTFOUND, 0,
				 "thread %" PRIu64 " did not crash: no signal ended it", t->tid);
	read_signal(ret);
	int rc = read_frames(ret);
	if (rc < 0)
		return rc;
	scry_words_init(&ret->words, s, t);
	read_python(ret);
	if (ret->count) {
		find_site(ret);
		name_site(ret);
		read_code(ret);
	}
	return SCRY_OK;
}

void scry_crash_done(struct scry_crash *c)
{
	scry_words_done(&c->words);
}
