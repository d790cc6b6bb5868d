/*
 * The notes of an ELF core. Layouts: include/linux/elfcore.h and fs/binfmt_elf.c (Linux 6.1), whose
 * `long` is the target's. Notes of an unknown kind, and those cut short, are skipped.
 */
#include "target/elfcore.h"

#include <elf.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

/* in elf.h of newer C libraries only */
#define NOTE_ARM_TLS 0x401
#define NOTE_386_TLS 0x200
#define NOTE_SIGINFO 0x53494749
#define NOTE_FILE    0x46494c45

struct note {
	uint32_t type;
	const char *name;
	size_t name_len;
	const uint8_t *data;
	size_t len;
};

static uint64_t load(const struct scry_target *t, const struct note *note, size_t at, unsigned size)
{
	const struct scry_elfcore *core = t->state;

	return at <= note->len && size <= note->len - at
		       ? scry_load(note->data + at, size, core->big_endian)
		       : 0;
}

static uint64_t load_long(const struct scry_target *t, const struct note *note, size_t index)
{
	return load(t, note, index * t->abi.ptr_size, t->abi.ptr_size);
}

/* struct elf_prstatus: pr_cursig at 12, then two longs, pr_pid ..., four struct timeval, pr_reg. */
static int read_prstatus(struct scry_target *t, const struct note *note)
{
	const struct scry_elfcore *core = t->state;
	size_t pid_at = core->is64 ? 32 : 24, regs_at = core->is64 ? 112 : 72;

	if (note->len < pid_at + 4)
		return SCRY_OK;
	struct scry_os_thread *thread = scry_target_add_thread(t, load(t, note, pid_at, 4));
	if (!thread)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	thread->signal = (int)load(t, note, 12, 2);
	if (t->thread_count == 1)
		t->signal = thread->signal;
	if (!t->pid)
		t->pid = (int64_t)thread->tid;
	if (t->arch && note->len > regs_at)
		scry_os_thread_load(thread, t->arch, note->data + regs_at, note->len - regs_at,
				    core->big_endian);
	return SCRY_OK;
}

/* struct elf_prpsinfo: 16-bit user ids on i386 and ARM make it shorter. */
static int read_prpsinfo(struct scry_target *t, const struct note *note)
{
	struct scry_elfcore *core = t->state;
	size_t pid_at = core->is64 ? 24 : note->len >= 128 ? 16 : 12;
	size_t name_at = pid_at + 16, args_at = pid_at + 32;
	char args[81] = "";

	core->of_gdb = core->of_gdb || !t->thread_count;
	if (note->len < args_at + 80)
		return SCRY_OK;
	t->pid = (int64_t)load(t, note, pid_at, 4);
	memcpy(args, note->data + args_at, 80);
	/* pr_psargs has a space after the last argument, or in place of a NUL */
	size_t len = strlen(args);
	while (len && args[len - 1] == ' ')
		len--;
	if (len)
		t->command = scry_arena_text(&t->keep, args, len);
	/* pr_fname: the name of the main thread, not always NUL-terminated (fill_psinfo()) */
	len = strnlen((const char *)note->data + name_at, 16);
	if (len)
		core->main_name =
			scry_arena_text(&t->keep, (const char *)note->data + name_at, len);
	return SCRY_OK;
}

/*
 * Does a siginfo with this signal and code carry the address of a fault? The kernel's own
 * (SI_KERNEL) has none.
 */
static bool has_fault_addr(int signal, int code)
{
	return code > 0 && code != SI_KERNEL &&
	       (signal == SIGSEGV || signal == SIGBUS || signal == SIGILL || signal == SIGFPE ||
		signal == SIGTRAP);
}

static int read_siginfo(struct scry_target *t, const struct note *note)
{
	size_t addr_at = t->abi.ptr_size == 8 ? 16 : 12;
	int signal = (int)load(t, note, 0, 4), code = (int32_t)load(t, note, 8, 4);

	/*
	 * gcore writes one for each thread, after that one's NT_PRSTATUS: the first is what the
	 * process is about
	 */
	if (t->thread_count > 1 || t->has_signal_code || note->len < addr_at + t->abi.ptr_size)
		return SCRY_OK;
	if (signal && !t->signal)
		t->signal = signal;
	t->has_signal_code = true;
	t->signal_code = code;
	if (has_fault_addr(signal, code)) {
		t->has_fault = true;
		t->fault_addr = load(t, note, addr_at, t->abi.ptr_size);
	}
	return SCRY_OK;
}

static int read_auxv(struct scry_target *t, const struct note *note)
{
	size_t count = note->len / (2 * t->abi.ptr_size);

	for (size_t i = 0; i < count; i++) {
		uint64_t type = load_long(t, note, 2 * i), value = load_long(t, note, 2 * i + 1);

		if (type == AT_NULL)
			break;
		scry_target_set_auxv(t, type, value);
	}
	return SCRY_OK;
}

static int file_order(const void *a, const void *b)
{
	const struct scry_map *x = a, *y = b;

	return x->start < y->start ? -1 : x->start > y->start;
}

/*
 * Keep the files sorted and disjoint, as the kernel writes them; drop what a hostile file overlaps.
 */
static void settle_files(struct scry_elfcore *core)
{
	size_t kept = 0;
	scry_addr end = 0;

	qsort(core->files, core->file_count, sizeof(*core->files), file_order);
	for (size_t i = 0; i < core->file_count; i++) {
		if (core->files[i].start < end || core->files[i].start >= core->files[i].end)
			continue;
		end = core->files[i].end;
		core->files[kept++] = core->files[i];
	}
	core->file_count = kept;
}

/* NT_FILE: count, page size, {start, end, offset in pages} of each, then as many paths. */
static int read_files(struct scry_target *t, const struct note *note)
{
	struct scry_elfcore *core = t->state;
	unsigned word = t->abi.ptr_size;
	uint64_t count = load_long(t, note, 0), page = load_long(t, note, 1);
	uint64_t most = note->len / word / 3;

	if (core->files || note->len < 2 * word)
		return SCRY_OK;
	count = count < most ? count : most;
	size_t at = (size_t)(2 + 3 * count) * word;
	core->files = calloc(count + 1, sizeof(*core->files));
	if (!core->files)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	for (size_t i = 0; i < count && at < note->len; i++) {
		struct scry_map *map = &core->files[core->file_count];
		const char *path = (const char *)note->data + at;
		size_t len = strnlen(path, note->len - at);

		*map = (struct scry_map) { .start = load_long(t, note, 2 + 3 * i),
					   .end = load_long(t, note, 3 + 3 * i),
					   .offset = load_long(t, note, 4 + 3 * i) * page };
		if (!scry_map_set_path(t, map, path, len))
			return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
		core->file_count++;
		at += len + 1;
	}
	settle_files(core);
	return SCRY_OK;
}

static struct scry_os_thread *last_thread(struct scry_target *t)
{
	return t->thread_count ? &t->threads[t->thread_count - 1] : NULL;
}

static int read_arm_tls(struct scry_target *t, const struct note *note)
{
	if (last_thread(t) && t->abi.ptr_size == 8)
		last_thread(t)->tls = load(t, note, 0, 8);
	return SCRY_OK;
}

/*
 * NT_386_TLS: struct user_desc {entry_number, base_addr, limit, flags} of the three slots; glibc
 * uses the first set.
 */
static int read_386_tls(struct scry_target *t, const struct note *note)
{
	for (size_t i = 0; last_thread(t) && i + 16 <= note->len && !last_thread(t)->tls; i += 16)
		last_thread(t)->tls = load(t, note, i + 4, 4);
	return SCRY_OK;
}

static const struct {
	uint32_t type;
	const char *name;
	int (*read)(struct scry_target *t, const struct note *note);
} readers[] = {
	{ NT_PRSTATUS, "CORE", read_prstatus },  { NT_PRPSINFO, "CORE", read_prpsinfo },
	{ NOTE_SIGINFO, "CORE", read_siginfo },  { NT_AUXV, "CORE", read_auxv },
	{ NOTE_FILE, "CORE", read_files },       { NOTE_ARM_TLS, "LINUX", read_arm_tls },
	{ NOTE_386_TLS, "LINUX", read_386_tls },
};

static int read_note(struct scry_target *t, const struct note *note)
{
	for (size_t i = 0; i < sizeof(readers) / sizeof(*readers); i++) {
		size_t len = strlen(readers[i].name);

		/* the name counts its NUL, but not with every writer */
		if (readers[i].type == note->type && note->name_len >= len &&
		    !memcmp(note->name, readers[i].name, len))
			return readers[i].read(t, note);
	}
	return SCRY_OK;
}

static uint64_t align_up(uint64_t n, unsigned align)
{
	return (n + align - 1) / align * align;
}

/* Does a process die of it with a core? */
static bool dumps_core(int signal)
{
	static const int fatal[] = { SIGQUIT, SIGILL,  SIGTRAP, SIGABRT, SIGBUS,
				     SIGFPE,  SIGSEGV, SIGXCPU, SIGXFSZ, SIGSYS };

	for (size_t i = 0; i < sizeof(fatal) / sizeof(*fatal); i++)
		if (signal == fatal[i])
			return true;
	return false;
}

/*
 * In a kernel's core the first thread is the one that took the signal, and every thread's status
 * repeats it. gcore's first thread is the one gdb had selected; SIGSTOP and SIGTRAP are how gdb
 * itself stopped it.
 */
static void mark_threads(struct scry_target *t)
{
	const struct scry_elfcore *core = t->state;
	struct scry_os_thread *main_thread =
		t->pid > 0 ? scry_os_thread_find(t, (uint64_t)t->pid) : NULL;

	if (main_thread)
		main_thread->name = core->main_name;

	if (core->of_gdb && (t->signal == SIGSTOP || t->signal == SIGTRAP))
		t->signal = 0;
	for (size_t i = 0; i < t->thread_count; i++) {
		t->threads[i].crashed = i == 0 && dumps_core(t->signal);
		t->threads[i].signal = i == 0 ? t->signal : 0;
	}
}

int scry_elfcore_notes(struct scry_target *t, uint64_t offset, uint64_t len, unsigned align)
{
	const struct scry_elfcore *core = t->state;
	uint64_t end =
		offset < t->file_size && len < t->file_size - offset ? offset + len : t->file_size;
	int rc = SCRY_OK;

	for (uint64_t at = offset; rc >= 0 && at < end && end - at >= 12;) {
		const uint8_t *p = t->file + at;
		uint64_t name_len = scry_load(p, 4, core->big_endian),
			 data_len = scry_load(p + 4, 4, core->big_endian);
		uint64_t data_at = at + align_up(12 + name_len, align);
		struct note note = { .type = (uint32_t)scry_load(p + 8, 4, core->big_endian),
				     .name = (const char *)p + 12,
				     .name_len = (size_t)name_len };

		if (data_at > end)
			break;
		/* a note that the file's end cuts is read as far as it goes */
		note.data = t->file + data_at;
		note.len = (size_t)(data_len < end - data_at ? data_len : end - data_at);
		rc = read_note(t, &note);
		at = data_at + align_up(data_len, align);
	}
	mark_threads(t);
	return rc;
}
