/* A target that a debugger lends: struct scry_host_ops. */
#include <elf.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "registry.h"
#include "target/cache.h"
#include "target/procfs.h"

/* Debuggers take addresses above the user's half for errors of their own. */
#define ADDR_LIMIT   ((scry_addr)1 << 47)
#define MOST_MAPS    (1u << 20)
#define MOST_THREADS (1u << 20)

struct host {
	struct scry_cache cache;
	const struct scry_host_ops *ops;
	void *arg;
};

/* A debugger's answer is no more to be trusted than a dump: it may be longer than asked for. */
static size_t host_fetch(void *arg, scry_addr addr, void *buf, size_t len)
{
	struct host *host = arg;

	if (addr >= ADDR_LIMIT)
		return 0;
	if (len > ADDR_LIMIT - addr)
		len = (size_t)(ADDR_LIMIT - addr);
	int64_t n = host->ops->read(host->arg, addr, buf, len);
	return n <= 0 ? 0 : (uint64_t)n < len ? (size_t)n : len;
}

static const uint8_t *host_view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	struct host *host = t->state;

	if (addr >= ADDR_LIMIT)
		return NULL;
	const uint8_t *p = scry_cache_view(&host->cache, addr, ret_len);

	t->before = host->cache.before;
	return p;
}

/* --- mappings --- */

/*
 * A debugger that has no list of mappings (LLDB with a remote stub) may still name a process on
 * this machine.
 */
static int read_maps(struct scry_target *t)
{
	struct host *host = t->state;

	for (unsigned i = 0; host->ops->map && i < MOST_MAPS; i++) {
		struct scry_map map = { 0 };
		const char *path = NULL;
		unsigned flags = 0;

		if (host->ops->map(host->arg, i, &map.start, &map.end, &map.offset, &flags,
				   &path) != SCRY_ITEM)
			break;
		map.flags = flags & 7;
		/* "[heap]" and the like are not files */
		bool is_file = path && *path && *path != '[';
		if ((is_file && !scry_map_set_path(t, &map, path, strlen(path))) ||
		    !scry_target_add_map(t, &map))
			return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	}
	scry_target_sort_maps(t);
	if (!t->map_count && t->pid > 0)
		scry_procfs_maps(t, (int)t->pid);
	return SCRY_OK;
}

/* --- what machine is it? --- */

/* The executable is mapped from its first byte in any process: its ELF header says the machine. */
static bool machine_of_map(struct scry_target *t, const struct scry_map *map)
{
	struct host *host = t->state;
	uint8_t head[20];

	if (map->offset || !(map->flags & SCRY_MAP_FILE) ||
	    host_fetch(host, map->start, head, sizeof(head)) != sizeof(head) ||
	    memcmp(head, ELFMAG, SELFMAG))
		return false;
	bool big_endian = head[EI_DATA] == ELFDATA2MSB;
	scry_target_set_machine(t, (unsigned)scry_load(head + 18, 2, big_endian),
				head[EI_CLASS] == ELFCLASS64, big_endian);
	return true;
}

static bool machine_of_regs(struct scry_target *t)
{
	struct host *host = t->state;
	uint64_t tid, value;

	if (!host->ops->thread || !host->ops->reg ||
	    host->ops->thread(host->arg, 0, &tid) != SCRY_ITEM)
		return false;
	for (size_t i = 0; scry_architectures[i]; i++) {
		const struct scry_arch *arch = scry_architectures[i];

		/* the first register's name is its architecture's own: rax, eax, x0 */
		if (host->ops->reg(host->arg, tid, arch->regs[0].name, &value) != SCRY_OK)
			continue;
		scry_target_set_machine(t, arch->elf_machine, arch->ptr_size == 8, false);
		return true;
	}
	return false;
}

/*
 * The first files that are mapped are the program and its libraries; more than a few of them
 * without a header mean that memory is not there.
 */
static void guess_machine(struct scry_target *t)
{
	if (t->pid > 0 && scry_procfs_machine(t, (int)t->pid))
		return;
	for (size_t i = 0, tried = 0; i < t->map_count && tried < 8; i++) {
		tried += t->maps[i].offset == 0 && t->maps[i].path;
		if (machine_of_map(t, &t->maps[i]))
			return;
	}
	if (!machine_of_regs(t))
		scry_target_set_machine(t, scry_arch_x86_64.elf_machine, true, false);
}

/* --- threads --- */

static bool host_reg(struct host *host, uint64_t tid, const char *name, uint64_t *ret)
{
	return name && host->ops->reg && host->ops->reg(host->arg, tid, name, ret) == SCRY_OK;
}

static void host_regs(struct scry_target *t, struct scry_os_thread *thread)
{
	struct host *host = t->state;
	const struct scry_arch *arch = t->arch;
	uint64_t number;

	if (!arch)
		return;
	thread->regs = (struct scry_regs) { .arch = arch };
	for (unsigned i = 0; i < arch->count; i++)
		if (host_reg(host, thread->tid, arch->regs[i].name, &thread->regs.value[i]))
			thread->regs.valid |= (uint64_t)1 << i;
		else if (i == 0)
			return; /* the debugger has none of this thread */
	host_reg(host, thread->tid, arch->tls_name, &thread->tls);
	if (host_reg(host, thread->tid, arch->syscall_name, &number))
		scry_os_thread_syscall_regs(thread, arch, number);
}

/*
 * A register costs a debugger a switch of threads and a frame: with a thousand threads, seconds. Of
 * a process on this machine /proc says at once which thread waits for what, and the registers of
 * the few that matter can be asked for.
 */
static void describe_thread(struct scry_target *t, struct scry_os_thread *thread)
{
	if (t->pid <= 0) {
		host_regs(t, thread);
		return;
	}
	thread->name = scry_procfs_thread_name(t, (int)t->pid, thread->tid);
	scry_procfs_syscall(t, (int)t->pid, thread);
	thread->regs_pending = true;
}

static int read_threads(struct scry_target *t)
{
	struct host *host = t->state;
	uint64_t tid;

	for (unsigned i = 0; host->ops->thread && i < MOST_THREADS; i++) {
		if (host->ops->thread(host->arg, i, &tid) != SCRY_ITEM)
			break;
		struct scry_os_thread *thread = scry_target_add_thread(t, tid);
		if (!thread)
			return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
		describe_thread(t, thread);
	}
	return SCRY_OK;
}

static int host_read(struct scry_target *t)
{
	int rc = read_maps(t);

	if (rc < 0)
		return rc;
	guess_machine(t);
	if (t->pid > 0)
		scry_procfs_facts(t, (int)t->pid);
	return read_threads(t);
}

/* What stopped the target is told anew after each stop. */
static int host_refresh(struct scry_target *t)
{
	struct host *host = t->state;

	scry_cache_clear(&host->cache);
	t->map_count = t->thread_count = 0;
	t->exe = t->command = NULL;
	t->signal = 0;
	t->has_fault = false;
	t->notes = NULL;
	scry_arena_done(&t->keep);
	return host_read(t);
}

static int host_open(struct scry_target *t)
{
	struct host *host = calloc(1, sizeof(*host));

	if (!host)
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	t->state = host;
	host->ops = &t->host;
	host->arg = t->host_arg;
	host->cache = (struct scry_cache) { .fetch = host_fetch, .arg = host, .exact = true };
	if (!scry_cache_init(&host->cache))
		return scry_fail(t->session, SCRY_ENOMEM, 0, "out of memory");
	return host_read(t);
}

static void host_close(struct scry_target *t)
{
	struct host *host = t->state;

	if (!host)
		return;
	scry_cache_done(&host->cache);
	free(host);
}

const struct scry_target_ops scry_target_host = {
	.name = "host",
	.open = host_open,
	.view = host_view,
	.regs = host_regs,
	.refresh = host_refresh,
	.close = host_close,
};

int scry_target_open_host(struct scry_session *s, const struct scry_host_ops *ops, void *arg,
			  int pid)
{
	struct scry_target *t = scry_target_new(s, &scry_target_host);

	if (!t)
		return s->error.code;
	t->host = *ops;
	t->host_arg = arg;
	t->pid = pid;
	int rc = t->ops->open(t);
	if (rc < 0) {
		scry_target_close(t);
		return rc;
	}
	s->target = t;
	return SCRY_OK;
}
