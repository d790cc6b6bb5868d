/* Unwinding by libdwfl (.eh_frame, .debug_frame): our memory, our registers, our files. */
#include <elfutils/libdwfl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "native/native.h"

struct walk {
	struct scry_session *s;
	const struct scry_regs *start;
	scry_unwind_fn *each;
	void *arg;
	scry_addr last_pc;
	bool outer; /* the innermost frame is past */
};

static bool fits(struct scry_session *s)
{
	return s->target->arch && !s->target->abi.windows;
}

/* The files were found and checked by the module layer: libdwfl is not to look for others. */
static int no_elf(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr base, char **file, Elf **elf)
{
	(void)m, (void)data, (void)name, (void)base, (void)file, (void)elf;
	return -1;
}

static int no_debuginfo(Dwfl_Module *m, void **data, const char *name, Dwarf_Addr base, const char *file,
			const char *link, GElf_Word crc, char **found)
{
	(void)m, (void)data, (void)name, (void)base, (void)file, (void)link, (void)crc, (void)found;
	return -1;
}

static void report_modules(struct scry_session *s, Dwfl *dwfl)
{
	struct scry_symbol symbol;

	dwfl_report_begin(dwfl);
	for (struct scry_module *m = scry_module_first(s); m; m = m->next) {
		/* asking for a symbol opens the file, with all checks */
		scry_module_symbol(m, "_", &symbol);
		if (m->file && m->verified)
			dwfl_report_elf(dwfl, m->name, m->file, -1, m->bias, true);
	}
	dwfl_report_end(dwfl, NULL, NULL);
}

static pid_t next_thread(Dwfl *dwfl, void *arg, void **thread_arg)
{
	(void)dwfl;
	if (*thread_arg)
		return 0;
	*thread_arg = arg;
	return 1;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *arg, void **thread_arg)
{
	(void)dwfl;
	*thread_arg = arg;
	return tid == 1;
}

static bool read_memory(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *ret, void *arg)
{
	struct walk *w = arg;
	uint64_t value;

	(void)dwfl;
	if (scry_read_ptr(w->s, addr, &value) < 0)
		return false;
	*ret = value;
	return true;
}

static bool set_registers(Dwfl_Thread *thread, void *arg)
{
	struct walk *w = arg;
	const struct scry_arch *arch = w->start->arch;

	for (unsigned i = 0; i < arch->count; i++) {
		Dwarf_Word value = w->start->value[i];

		if ((w->start->valid >> i & 1) && arch->regs[i].dwarf >= 0)
			dwfl_thread_state_registers(thread, arch->regs[i].dwarf, 1, &value);
	}
	dwfl_thread_state_register_pc(thread, w->start->value[arch->pc]);
	return true;
}

static int one_frame(Dwfl_Frame *state, void *arg)
{
	struct walk *w = arg;
	const struct scry_arch *arch = w->start->arch;
	struct scry_native_frame f = { .regs = { .arch = arch } };
	bool activation;

	if (!dwfl_frame_pc(state, &f.pc, &activation))
		return DWARF_CB_ABORT;
	f.is_call = !activation;
	for (unsigned i = 0; i < arch->count; i++) {
		Dwarf_Word value;

		/* libdwfl carries some of the others along, but a call may have changed them */
		if (w->outer && arch->regs[i].sysv == SCRY_VOLATILE)
			continue;
		if (arch->regs[i].dwarf < 0 || dwfl_frame_reg(state, (unsigned)arch->regs[i].dwarf, &value) != 0)
			continue;
		f.regs.value[i] = value;
		f.regs.valid |= (uint64_t)1 << i;
	}
	f.regs.value[arch->pc] = f.pc;
	f.regs.valid |= (uint64_t)1 << arch->pc;
	scry_native_name(w->s, &f);
	w->last_pc = f.pc;
	w->outer = true;
	return w->each(w->arg, &f) ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/* Reporting the modules and reading their tables costs more than a walk: kept with the session, for the next walk. */
struct kept {
	Dwfl *dwfl;
	struct walk walk; /* the callbacks' argument, fixed when the state is attached */
	const char *problem;
};

static void close_kept(void *arg)
{
	struct kept *kept = arg;

	dwfl_end(kept->dwfl);
	free(kept);
}

static struct kept *open_kept(struct scry_session *s)
{
	static const Dwfl_Callbacks files = { .find_elf = no_elf, .find_debuginfo = no_debuginfo };
	static const Dwfl_Thread_Callbacks threads = { .next_thread = next_thread, .get_thread = get_thread,
						       .memory_read = read_memory,
						       .set_initial_registers = set_registers };
	struct kept *kept = calloc(1, sizeof(*kept));

	if (!kept)
		return NULL;
	kept->dwfl = dwfl_begin(&files);
	if (!kept->dwfl) {
		free(kept);
		return NULL;
	}
	kept->walk.s = s;
	report_modules(s, kept->dwfl);
	if (!dwfl_attach_state(kept->dwfl, NULL, 1, &threads, &kept->walk))
		kept->problem = dwfl_errmsg(-1);
	s->unwinder = kept;
	s->unwinder_close = close_kept;
	return kept;
}

static int walk(struct scry_session *s, const struct scry_regs *start, scry_unwind_fn *each, void *arg)
{
	struct kept *kept = s->unwinder ? s->unwinder : open_kept(s);

	if (!kept)
		return scry_fail(s, SCRY_ESYSTEM, 0, "libdwfl: %s", dwfl_errmsg(-1));
	if (kept->problem)
		return scry_fail(s, SCRY_ENOTFOUND, 0, "nothing to unwind with: %s", kept->problem);
	kept->walk = (struct walk){ .s = s, .start = start, .each = each, .arg = arg };
	if (dwfl_getthread_frames(kept->dwfl, 1, one_frame, &kept->walk) < 0)
		return scry_fail(s, SCRY_EFAULT, kept->walk.last_pc, "unwinding ends at 0x%" PRIx64 ": %s",
				 kept->walk.last_pc, dwfl_errmsg(-1));
	return SCRY_OK;
}

const struct scry_unwinder scry_unwinder_dwfl = { "libdwfl", fits, walk };
