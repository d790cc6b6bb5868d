/* Reading, the same for every kind of target: all goes through the backend's view. */
#include "target/target.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "registry.h"
#include "target/overlay.h"

/* Nothing of ours lies there, and debuggers choke on it. */
#define ADDR_LIMIT ((scry_addr)1 << 56)

void scry_target_set_auxv(struct scry_target *t, uint64_t key, uint64_t value)
{
	switch (key) {
	case AT_PHDR:
		t->phdr = value;
		break;
	case AT_ENTRY:
		t->entry = value;
		break;
	case AT_SYSINFO_EHDR:
		t->vdso = value;
		break;
	case AT_EXECFN:
		t->execfn = value;
		break;
	}
}

/*
 * What was seen before: of a file that stays mapped the last few ranges, of others (whose cache may
 * give a block to another address) the last one.
 */
static const uint8_t *view_seen(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	for (unsigned i = 0; i < SCRY_SEEN; i++) {
		const struct scry_seen *seen = &t->seen[i];

		if (addr - seen->start < seen->len) {
			*ret_len = seen->len - (size_t)(addr - seen->start);
			return seen->bytes + (addr - seen->start);
		}
	}
	return NULL;
}

/* All reads end here. Ctrl-C makes every one fail, so that whatever runs comes to its end soon. */
static const uint8_t *view_target(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	if (t->session->stopped)
		return NULL;
	const uint8_t *p = view_seen(t, addr, ret_len);
	if (p)
		return p;
	if (addr == 0 || addr >= ADDR_LIMIT)
		return NULL;
	size_t len = 0;
	t->before = 0;
	p = t->ops->view(t, addr, &len);
	if ((!p || !len) && t->fallback) {
		p = t->fallback(t, addr, &len);
		t->before = 0; /* it may have read others on the way */
	}
	if (!p || !len)
		return NULL;
	if (t->file)
		t->next_seen = (t->next_seen + 1) % SCRY_SEEN;
	t->seen[t->next_seen] = (struct scry_seen) { .bytes = p - t->before,
						     .start = addr - t->before,
						     .len = len + t->before };
	*ret_len = len;
	return p;
}

static const uint8_t *view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	size_t len = 0;

	if (!t->overlay)
		return view_target(t, addr, ret_len);
	const uint8_t *p = scry_overlay_view(t, addr, ret_len);
	if (p || !*ret_len)
		return p;
	p = view_target(t, addr, &len);
	*ret_len = len < *ret_len ? len : *ret_len;
	return p;
}

enum scry_hole scry_target_hole_to(struct scry_target *t, scry_addr addr, scry_addr *ret_end)
{
	*ret_end = UINT64_MAX;
	return t && t->ops->hole ? t->ops->hole(t, addr, ret_end) : SCRY_HOLE_NONE;
}

enum scry_hole scry_target_hole(struct scry_target *t, scry_addr addr)
{
	scry_addr end;

	return scry_target_hole_to(t, addr, &end);
}

bool scry_target_runs(struct scry_target *t)
{
	return t->ops->runs && t->ops->runs(t);
}

const char *scry_target_damage(struct scry_target *t)
{
	return t && scry_target_runs(t) ? "changed while it was read" : "is damaged";
}

/*
 * A hole is memory that the dump does not have; what was never mapped is missing for good reason.
 */
bool scry_target_lacks(struct scry_target *t, scry_addr addr)
{
	return t && t->ops->hole && !scry_map_at(t, addr) &&
	       scry_target_hole(t, addr) == SCRY_HOLE_NONE;
}

int scry_fail_registers(struct scry_session *s)
{
	return scry_fail(s, SCRY_ENOTFOUND, 0, "the registers of this thread are not known%s",
			 s->options.no_stop ? ": only a process that is stopped shows them" : "");
}

static int fail_missing(struct scry_session *s, scry_addr addr)
{
	static const char *const why[] = {
		[SCRY_HOLE_NONE] = "",
		[SCRY_HOLE_CUT] = ": the core is cut before it",
		[SCRY_HOLE_LEFT_OUT] = ": it is not in the core",
		[SCRY_HOLE_UNTOUCHED] = ": it is not in the core",
	};

	return scry_fail(s, SCRY_EFAULT, addr, "no memory at 0x%" PRIx64 "%s", addr,
			 why[scry_target_hole(s->target, addr)]);
}

const uint8_t *scry_view(struct scry_session *s, scry_addr addr, size_t *ret_len)
{
	const uint8_t *p = s->target ? view(s->target, addr, ret_len) : NULL;

	if (!p)
		fail_missing(s, addr);
	return p;
}

/* A value may lie across the end of a view: pieces are put together. */
size_t scry_read_some(struct scry_session *s, scry_addr addr, void *buf, size_t len)
{
	size_t done = 0;

	while (s->target && done < len) {
		size_t n = 0;
		const uint8_t *p = view(s->target, addr + done, &n);

		if (!p)
			break;
		if (n > len - done)
			n = len - done;
		memcpy((uint8_t *)buf + done, p, n);
		done += n;
	}
	return done;
}

int scry_read(struct scry_session *s, scry_addr addr, void *buf, size_t len)
{
	size_t n = scry_read_some(s, addr, buf, len);

	if (n == len)
		return SCRY_OK;
	return fail_missing(s, addr + n);
}

/* A sparse core has terabytes of holes, which no search should touch: the backend knows them. */
bool scry_data_next(struct scry_session *s, scry_addr *at, scry_addr end, scry_addr *ret_end)
{
	if (*at >= end)
		return false;
	if (s->target->ops->data)
		return s->target->ops->data(s->target, at, end, ret_end);
	*ret_end = end;
	return true;
}

bool scry_target_present(struct scry_target *t, scry_addr start, scry_addr end, uint64_t *ret)
{
	return t && t->ops->present && t->ops->present(t, start, end, ret);
}

/* Nearly all that is read is one word that a view has as a whole: no copy for these. */
int scry_read_uint(struct scry_session *s, scry_addr addr, unsigned size, uint64_t *ret)
{
	uint8_t bytes[8];
	size_t n = 0;

	if (size == 0 || size > sizeof(bytes))
		return scry_fail(s, SCRY_EINVAL, addr, "cannot read an integer of %u bytes", size);
	const uint8_t *p = s->target ? view(s->target, addr, &n) : NULL;
	if (p && n >= size) {
		*ret = scry_load(p, size, s->target->abi.big_endian);
		return SCRY_OK;
	}
	int rc = scry_read(s, addr, bytes, size);
	if (rc == SCRY_OK)
		*ret = scry_load(bytes, size, s->target->abi.big_endian);
	return rc;
}

int scry_read_int(struct scry_session *s, scry_addr addr, unsigned size, int64_t *ret)
{
	uint64_t value = 0;
	int rc = scry_read_uint(s, addr, size, &value);

	if (rc == SCRY_OK)
		*ret = (int64_t)(value << (64 - 8 * size)) >> (64 - 8 * size);
	return rc;
}

int scry_read_ptr(struct scry_session *s, scry_addr addr, scry_addr *ret)
{
	return scry_read_uint(s, addr, s->target ? s->target->abi.ptr_size : 8, ret);
}

/* Twice over the text: first its length, then one copy of just that size. */
int scry_read_cstr(struct scry_session *s, scry_addr addr, size_t max, const char **ret)
{
	size_t len = 0, n = 0;
	const uint8_t *p, *end = NULL;

	while (len < max && !end && s->target && (p = view(s->target, addr + len, &n))) {
		n = n < max - len ? n : max - len;
		end = memchr(p, 0, n);
		len += end ? (size_t)(end - p) : n;
	}
	if (!end && len < max)
		return fail_missing(s, addr + len);
	char *text = scry_arena_alloc(&s->arena, len + 1);
	if (!text)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	scry_read_some(s, addr, text, len);
	*ret = text;
	return SCRY_OK;
}

/* Maps are in order and do not overlap: scry_target_sort_maps() sees to that. */
const struct scry_map *scry_map_at(struct scry_target *t, scry_addr addr)
{
	size_t low = 0, high = t->map_count;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (addr < t->maps[mid].start)
			high = mid;
		else if (addr >= t->maps[mid].end)
			low = mid + 1;
		else
			return &t->maps[mid];
	}
	return NULL;
}

/* Made anew where threads came or went; a duplicate tid keeps its first thread. */
static bool index_threads(struct scry_target *t)
{
	scry_hash_done(&t->tids);
	for (size_t i = 0; i < t->thread_count; i++) {
		uint64_t tid = t->threads[i].tid;

		/* the index, not the pointer: the array may move */
		if (!scry_hash_find(&t->tids, tid) &&
		    !scry_hash_put(&t->tids, tid, (void *)(uintptr_t)(i + 1)))
			return false;
	}
	return true;
}

static struct scry_os_thread *find_indexed(struct scry_target *t, uint64_t tid)
{
	size_t i = (size_t)(uintptr_t)scry_hash_find(&t->tids, tid);

	return i && i <= t->thread_count && t->threads[i - 1].tid == tid ? &t->threads[i - 1]
									 : NULL;
}

struct scry_os_thread *scry_os_thread_find(struct scry_target *t, uint64_t tid)
{
	struct scry_os_thread *thread = find_indexed(t, tid);

	if (thread || (t->tids.count == t->thread_count && t->tids.count))
		return thread;
	return index_threads(t) ? find_indexed(t, tid) : NULL;
}

const struct scry_regs *scry_os_thread_regs(struct scry_target *t,
					    const struct scry_os_thread *thread)
{
	struct scry_os_thread *own =
		thread->regs_pending ? scry_os_thread_find(t, thread->tid) : NULL;

	if (own && own->regs_pending) {
		own->regs_pending = false;
		if (t->ops->regs)
			t->ops->regs(t, own);
	}
	return &thread->regs;
}

bool scry_regs_find(const struct scry_regs *regs, const char *name, uint64_t *ret)
{
	for (unsigned i = 0; regs->arch && i < regs->arch->count; i++) {
		if (strcmp(regs->arch->regs[i].name, name))
			continue;
		if (!(regs->valid >> i & 1))
			return false;
		*ret = regs->value[i];
		return true;
	}
	return false;
}

void scry_regs_set(struct scry_regs *regs, const char *name, uint64_t value)
{
	for (unsigned i = 0; i < regs->arch->count; i++) {
		if (strcmp(regs->arch->regs[i].name, name))
			continue;
		regs->value[i] = value;
		regs->valid |= (uint64_t)1 << i;
	}
}

/*
 * Where the registers are in NT_PRSTATUS or in a CONTEXT is data of the architecture. What a
 * block is too short for was not written, and stays unknown.
 */
void scry_regs_load(struct scry_regs *regs, const struct scry_arch *arch, const uint8_t *block,
		    size_t len, bool minidump, bool big_endian)
{
	*regs = (struct scry_regs) { .arch = arch };
	for (unsigned i = 0; i < arch->count; i++) {
		const struct scry_reg_row *row = &arch->regs[i];
		int at = minidump ? row->minidump : row->prstatus;

		if (at < 0 || (size_t)at + row->size > len)
			continue;
		regs->value[i] = scry_load(block + at, row->size, big_endian);
		regs->valid |= (uint64_t)1 << i;
	}
}

/* Operations that wait: FUTEX_*, include/uapi/linux/futex.h (Linux 6.1); flags stand above them. */
#define FUTEX_OPERATION(op) ((op)&0x7f)

void scry_os_thread_syscall(struct scry_os_thread *thread, const struct scry_arch *arch,
			    uint64_t number, const uint64_t args[6])
{
	enum { WAIT = 0, LOCK_PI = 6, WAIT_BITSET = 9, WAIT_REQUEUE_PI = 11, LOCK_PI2 = 13 };
	static const uint8_t waits[] = { WAIT, LOCK_PI, WAIT_BITSET, WAIT_REQUEUE_PI, LOCK_PI2 };

	thread->in_syscall = thread->syscall_known = true;
	thread->syscall = number;
	memcpy(thread->args, args, sizeof(thread->args));
	if (number != arch->futex && number != arch->futex64)
		return;
	if (!memchr(waits, (int)FUTEX_OPERATION(args[1]), sizeof(waits)))
		return;
	thread->in_futex = true;
	thread->futex = args[0];
	thread->futex_timed = args[3] != 0;
}

/*
 * In a core the number of a thread that took a signal or an interrupt while it ran is negative. One
 * that slept came back with one of the kernel's own errors (include/linux/errno.h: ERESTARTSYS 512
 * up to ERESTART_RESTARTBLOCK 516) or EINTR; what came back with a result did not sleep. Where it
 * takes the place of an argument it is put back before the dump, and proves nothing.
 */
static bool was_in_syscall(const struct scry_regs *regs, uint64_t number)
{
	const struct scry_arch *arch = regs->arch;
	unsigned bits = arch->ptr_size * 8;
	int64_t result = (int64_t)(regs->value[arch->syscall_result] << (64 - bits)) >> (64 - bits);
	bool is_number = !(number >> (bits - 1) & 1);

	if (!is_number || arch->syscall_result == arch->syscall_args[0])
		return is_number;
	return (result <= -512 && result >= -516) || result == -EINTR;
}

void scry_os_thread_syscall_regs(struct scry_os_thread *thread, const struct scry_arch *arch,
				 uint64_t number)
{
	uint64_t args[6];

	for (unsigned i = 0; i < 6; i++)
		args[i] = thread->regs.value[arch->syscall_args[i]];
	scry_os_thread_syscall(thread, arch, number, args);
	thread->in_syscall = was_in_syscall(&thread->regs, number);
	/* in the new thread both return 0 */
	thread->cloned = (number == arch->clone || number == arch->clone3) &&
			 !thread->regs.value[arch->syscall_result];
}

void scry_os_thread_load(struct scry_os_thread *thread, const struct scry_arch *arch,
			 const uint8_t *block, size_t len, bool big_endian)
{
	scry_regs_load(&thread->regs, arch, block, len, false, big_endian);
	if (arch->tls >= 0 && (size_t)arch->tls + arch->ptr_size <= len)
		thread->tls = scry_load(block + arch->tls, arch->ptr_size, big_endian);
	if (arch->syscall_number < 0 || (size_t)arch->syscall_number + arch->ptr_size > len)
		return;
	scry_os_thread_syscall_regs(
		thread, arch, scry_load(block + arch->syscall_number, arch->ptr_size, big_endian));
}

/*
 * ABIs of Linux; Windows sets its own long and wchar_t. What the architecture knows better (an
 * int64_t's alignment on i386, the size of a mutex) comes last.
 */
bool scry_target_set_machine(struct scry_target *t, unsigned elf_machine, bool is64,
			     bool big_endian)
{
	t->abi = (struct scry_abi) { .ptr_size = is64 ? 8 : 4,
				     .long_size = is64 ? 8 : 4,
				     .align8 = 8,
				     .wchar_size = 4,
				     .long_double = is64 ? 16 : 8,
				     .big_endian = big_endian };
	t->arch = NULL;
	for (size_t i = 0; scry_architectures[i]; i++)
		if (scry_architectures[i]->elf_machine == elf_machine)
			t->arch = scry_architectures[i];
	if (t->arch && t->arch->ptr_size != t->abi.ptr_size)
		t->arch = NULL; /* x32 and the like: 64-bit registers in a 32-bit process */
	if (t->arch) {
		t->abi.align8 = t->arch->align8;
		t->abi.long_double = t->arch->long_double;
		t->abi.mutex_size = t->arch->mutex_size;
	}
	return t->arch != NULL;
}
