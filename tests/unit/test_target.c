/* Registers, in-memory images, ELF cores sound and broken, compressed dumps, foreign files. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "registry.h"
#include "../support/corewriter.h"
#include "target/image.h"

static char path[64];

static void write_dump(const void *data, size_t len)
{
	int fd = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

static struct scry_session *open_dump(const struct scry_buf *dump)
{
	struct scry_session *s = scry_session_new();

	write_dump(dump->text, dump->len);
	if (scry_session_open_dump(s, path) < 0)
		print_message("%s\n", scry_session_error(s));
	return s;
}

static bool has_note(const struct scry_session *s, const char *text)
{
	for (const struct scry_note *n = s->notes; n; n = n->next)
		if (strstr(n->text, text))
			return true;
	return false;
}

/* --- registers --- */

static void registers_fit(void **state)
{
	(void)state;
	for (size_t i = 0; scry_architectures[i]; i++) {
		const struct scry_arch *a = scry_architectures[i];

		assert_true(a->count <= SCRY_MAX_REGS);
		assert_int_equal(a->regs[a->pc].sysv, SCRY_INSTRUCTION_POINTER);
		assert_int_equal(a->regs[a->sp].win64, SCRY_STACK_POINTER);
		assert_int_equal(a->regs[a->fp].sysv, SCRY_PRESERVED);
		for (unsigned k = 0; k < a->count; k++) {
			assert_true(a->regs[k].prstatus + a->regs[k].size <= a->gregset_size);
			for (unsigned j = 0; j < k; j++) {
				assert_string_not_equal(a->regs[j].name, a->regs[k].name);
				assert_int_not_equal(a->regs[j].dwarf, a->regs[k].dwarf);
				assert_int_not_equal(a->regs[j].prstatus, a->regs[k].prstatus);
				assert_int_not_equal(a->regs[j].minidump, a->regs[k].minidump);
			}
		}
	}
}

/* --- reading --- */

static void image_reads(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	const char *text;
	uint64_t v;
	int64_t i;
	char bytes[8];

	scry_image_add(s, 0x1000, 16);
	scry_image_add_bytes(s, 0x1010, "abcdef", 7);
	assert_true(scry_image_put(s, 0x100c, 4, 0xfffffffe));
	assert_int_equal(scry_read_int(s, 0x100c, 4, &i), SCRY_OK);
	assert_int_equal(i, -2);
	/* over the border of two blocks */
	assert_int_equal(scry_read_uint(s, 0x100e, 4, &v), SCRY_OK);
	assert_int_equal(v, 0x6261ffff);
	assert_int_equal(scry_read_cstr(s, 0x1010, 100, &text), SCRY_OK);
	assert_string_equal(text, "abcdef");
	assert_int_equal(scry_read_cstr(s, 0x1010, 3, &text), SCRY_OK);
	assert_string_equal(text, "abc");
	assert_int_equal(scry_read(s, 0x1012, bytes, 8), SCRY_EFAULT);
	assert_int_equal(s->error.addr, 0x1017);
	assert_int_equal(scry_read_some(s, 0x1012, bytes, 8), 5);
	assert_int_equal(scry_read_ptr(s, 0, &v), SCRY_EFAULT);
	assert_int_equal(scry_read_uint(s, 0x1000, 9, &v), SCRY_EINVAL);
	scry_image_remove(s, 0x1010);
	assert_int_equal(scry_read_some(s, 0x100e, bytes, 8), 2);
	assert_null(scry_map_at(s->target, 0x1010));
	assert_non_null(scry_map_at(s->target, 0x100f));
	scry_session_free(s);
}

static void maps_settle(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	static const struct scry_map maps[] = {
		{ .start = 0x5000, .end = 0x6000 },
		{ .start = 0x1000, .end = 0x3000, .offset = 7 },
		{ .start = 0x2000, .end = 0x4000, .offset = 0x100 },
		{ .start = 0x2800, .end = 0x2900 },
		{ .start = 0x9000, .end = 0x8000 },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(*maps); i++)
		assert_true(scry_target_add_map(s->target, &maps[i]));
	scry_target_sort_maps(s->target);
	assert_int_equal(s->target->map_count, 3);
	assert_int_equal(s->target->maps[1].start, 0x3000);
	assert_int_equal(s->target->maps[1].offset, 0x1100);
	scry_session_free(s);
}

static void threads_found(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);

	for (uint64_t tid = 1; tid <= 3000; tid++)
		assert_non_null(scry_target_add_thread(s->target, tid * 7));
	for (uint64_t tid = 1; tid <= 3000; tid++)
		assert_int_equal(scry_os_thread_find(s->target, tid * 7)->tid, tid * 7);
	assert_null(scry_os_thread_find(s->target, 8));
	scry_target_add_thread(s->target, 8);
	assert_non_null(scry_os_thread_find(s->target, 8));
	assert_int_equal(scry_session_select(s, 8), SCRY_OK);
	assert_int_equal(scry_session_select(s, 9), SCRY_ENOTFOUND);
	scry_session_free(s);
}

/* --- options --- */

static void options_checked(void **state)
{
	(void)state;
	struct scry_session *s = scry_session_new();

	assert_int_equal(scry_session_set(s, "sysroot", "/r"), SCRY_OK);
	assert_string_equal(s->options.sysroot, "/r");
	assert_int_equal(scry_session_set(s, "color", "always"), SCRY_OK);
	assert_true(s->options.color);
	assert_int_equal(scry_session_set(s, "color", "blue"), SCRY_EINVAL);
	assert_int_equal(scry_session_set(s, "layout", "members"), SCRY_OK);
	assert_int_equal(s->options.layout, SCRY_LAYOUT_MEMBERS);
	assert_int_equal(scry_session_set(s, "layout", "guess"), SCRY_EINVAL);
	assert_int_equal(scry_session_set(s, "source-map", "/a=/b"), SCRY_OK);
	assert_int_equal(scry_session_set(s, "source-map", "/c=/d=e"), SCRY_OK);
	assert_string_equal(s->options.source_maps->next->to, "/d=e");
	assert_int_equal(scry_session_set(s, "source-map", "x"), SCRY_EINVAL);
	assert_int_equal(scry_session_set(s, "colour", "always"), SCRY_EINVAL);
	scry_session_refresh(s);
	assert_string_equal(s->options.sysroot, "/r");
	scry_session_free(s);
	scry_session_free(NULL);
}

/* --- ELF cores --- */

static void check_threads(struct scry_target *t, const struct scry_arch *arch)
{
	assert_int_equal(t->thread_count, 3);
	assert_int_equal(t->threads[0].tid, 101);
	assert_true(t->threads[0].crashed);
	assert_int_equal(t->threads[0].signal, 11);
	assert_false(t->threads[1].crashed);
	if (!arch)
		return;
	const struct scry_regs *regs = &scry_os_thread_find(t, 102)->regs;
	for (unsigned i = 0; i < arch->count; i++) {
		uint64_t v = 0;

		assert_true(scry_regs_find(regs, arch->regs[i].name, &v));
		assert_int_equal(v, 0x3000 + (uint64_t)arch->regs[i].prstatus);
	}
}

static void check_maps(struct scry_target *t)
{
	const struct scry_map *m = scry_map_at(t, 0x11800);

	assert_int_equal(t->map_count, 6);
	assert_string_equal(m->path, "/bin/prog");
	assert_int_equal(m->offset, 0x1000);
	assert_int_equal(m->flags, SCRY_MAP_READ | SCRY_MAP_EXEC | SCRY_MAP_FILE);
	m = scry_map_at(t, 0x20000);
	assert_true(m->deleted);
	assert_string_equal(m->path, "/lib/gone.so");
	assert_int_equal(m->end, 0x21000);
	m = scry_map_at(t, 0x21000);
	assert_null(m->path);
	assert_int_equal(m->flags, SCRY_MAP_READ | SCRY_MAP_WRITE);
	assert_string_equal(scry_map_at(t, 0x90000)->path, "/not/dumped");
	assert_string_equal(t->exe, "/bin/prog");
}

static void check_memory(struct scry_session *s)
{
	uint64_t v;
	size_t len;

	assert_int_equal(scry_read_uint(s, 0x20ffc, 8, &v), SCRY_OK);
	assert_true(v == 0x0202020202020202);
	assert_non_null(scry_view(s, 0x20001, &len));
	assert_int_equal(len, 0x2fff);
	/* not dumped: no zeros are made up */
	assert_int_equal(scry_read_uint(s, 0x11000, 1, &v), SCRY_EFAULT);
	assert_int_equal(scry_read_uint(s, 0x317ff, 1, &v), SCRY_OK);
	assert_int_equal(scry_read_uint(s, 0x31800, 1, &v), SCRY_EFAULT);
	assert_int_equal(scry_read_uint(s, 0x34000, 1, &v), SCRY_EFAULT);
}

static void core_decodes(void **state)
{
	(void)state;
	static const struct {
		bool is64, big_endian;
		uint16_t machine;
	} kinds[] = {
		{ true, false, EM_X86_64 }, { false, false, EM_386 }, { true, false, EM_AARCH64 },
		{ true, true, EM_S390 },    { false, true, EM_PPC },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct core_writer w = { .is64 = kinds[i].is64,
					 .big_endian = kinds[i].big_endian,
					 .machine = kinds[i].machine };
		struct scry_buf dump = SCRY_BUF_INIT;
		const struct scry_arch *arch = NULL;

		for (size_t k = 0; scry_architectures[k]; k++)
			if (scry_architectures[k]->elf_machine == kinds[i].machine)
				arch = scry_architectures[k];
		core_sample(&w, arch ? arch->gregset_size : 64);
		core_finish(&w, &dump);
		struct scry_session *s = open_dump(&dump);
		struct scry_target *t = s->target;
		assert_non_null(t);
		assert_ptr_equal(t->arch, arch);
		assert_int_equal(t->abi.ptr_size, kinds[i].is64 ? 8 : 4);
		assert_int_equal(t->pid, 100);
		assert_int_equal(t->signal, 11);
		assert_true(t->has_fault);
		assert_int_equal(t->fault_addr, 0xdead0);
		assert_string_equal(t->command, "prog -x");
		assert_int_equal(t->vdso, 0x70000);
		check_threads(t, arch);
		check_maps(t);
		check_memory(s);
		scry_session_free(s);
		scry_buf_done(&dump);
	}
}

/* The one word of the dump with this value. */
static void replace_word(struct scry_buf *dump, uint64_t old, uint64_t value)
{
	char *at = memmem(dump->text, dump->len, &old, 8);

	assert_non_null(at);
	memcpy(at, &value, 8);
	assert_null(memmem(dump->text, dump->len, &old, 8));
}

static void core_futex(void **state)
{
	(void)state;
	struct core_writer w = { .is64 = true, .machine = EM_X86_64 };
	struct scry_buf dump = SCRY_BUF_INIT;

	/* words count up by 8 from the base: orig_rax, at 120, becomes 202 */
	core_thread(&w, 1, 0, 202 - 120, 216);
	core_thread(&w, 2, 0, 203 - 120, 216);
	core_thread(&w, 3, 0, 202 - 120 + 0x10000, 216);
	core_finish(&w, &dump);
	replace_word(&dump, 202 - 120 + 104, 9 | 128); /* rsi: FUTEX_WAIT_BITSET_PRIVATE */
	replace_word(&dump, 202 + 0x10000, 202);       /* orig_rax of the third ... */
	replace_word(&dump, 202 - 120 + 104 + 0x10000,
		     129); /* ... which wakes: FUTEX_WAKE_PRIVATE */
	struct scry_session *s = open_dump(&dump);
	assert_true(s->target->threads[0].in_futex);
	assert_true(s->target->threads[0].futex_timed); /* r10 */
	assert_false(s->target->threads[2].in_futex);
	assert_int_equal(s->target->threads[0].futex, 202 - 120 + 112); /* rdi */
	assert_int_equal(s->target->threads[0].tls, 202 - 120 + 168);   /* fs_base */
	assert_false(s->target->threads[1].in_futex);
	assert_false(s->target->threads[0].crashed);
	scry_session_free(s);
	scry_buf_done(&dump);
}

static void core_overlaps(void **state)
{
	(void)state;
	struct core_writer w = { .is64 = true, .machine = EM_X86_64 };
	struct scry_buf dump = SCRY_BUF_INIT;
	uint64_t v;

	core_segment(&w, 0x3000, 0x2000, 0x2000, PF_R, 3);
	core_segment(&w, 0x1000, 0x2800, 0x2800, PF_R, 1);
	core_segment(&w, 0x2000, 0x100, 0x100, PF_R, 2);
	core_segment(&w, 0xfffffffffffff000, 0x8000, 0x8000, PF_R, 4);
	core_segment(&w, 0, 0x100, 0x100, PF_R, 5);
	core_finish(&w, &dump);
	struct scry_session *s = open_dump(&dump);
	assert_non_null(s->target);
	assert_int_equal(scry_read_uint(s, 0x37fc, 8, &v), SCRY_OK);
	assert_true(v == 0x0303030301010101);
	assert_int_equal(scry_read_uint(s, 0x2000, 1, &v), SCRY_OK);
	assert_int_equal(v, 1);
	for (size_t i = 1; i < s->target->map_count; i++)
		assert_true(s->target->maps[i - 1].end <= s->target->maps[i].start);
	assert_true(has_note(s, "no threads"));
	scry_session_free(s);
	scry_buf_done(&dump);
}

static void core_many_segments(void **state)
{
	(void)state;
	for (int lost = 0; lost < 2; lost++) {
		struct core_writer w = { .is64 = true,
					 .machine = EM_X86_64,
					 .sections_lost = lost };
		struct scry_buf dump = SCRY_BUF_INIT;
		uint64_t v;

		core_thread(&w, 1, 6, 0, 216);
		for (uint64_t i = 0; i < 70000; i++)
			core_segment(&w, 0x10000 + i * 0x2000, 0x1000, 16, PF_R, (uint8_t)i);
		core_finish(&w, &dump);
		struct scry_session *s = open_dump(&dump);
		assert_non_null(s->target);
		assert_int_equal(s->target->map_count, 70000);
		assert_int_equal(scry_read_uint(s, 0x10000 + 69999 * 0x2000ul, 1, &v), SCRY_OK);
		assert_int_equal(v, 69999 & 255);
		scry_session_free(s);
		scry_buf_done(&dump);
	}
}

/* Everything that a hostile target could make fail; returns how much was readable. */
static size_t exercise(struct scry_session *s)
{
	struct scry_target *t = s->target;
	size_t seen = 0;

	if (!t)
		return 0;
	for (size_t i = 0; i < t->map_count; i++) {
		const struct scry_map *m = &t->maps[i];
		size_t len = 0;
		const uint8_t *p = scry_view(s, m->start, &len);

		assert_true(m->start < m->end);
		assert_true(i == 0 || t->maps[i - 1].end <= m->start);
		if (p && len) {
			seen += len;
			assert_true(p >= t->file && p + len <= t->file + t->file_size);
			seen += p[0] + p[len - 1] > 600; /* touch both ends */
		}
		scry_read_some(s, m->end - 1, &(char[2]) { 0 }, 2);
	}
	for (size_t i = 0; i < t->thread_count; i++)
		assert_non_null(scry_os_thread_find(t, t->threads[i].tid));
	scry_session_refresh(s);
	return seen;
}

static size_t open_and_exercise(const void *data, size_t len)
{
	struct scry_session *s = scry_session_new();

	write_dump(data, len);
	scry_session_open_dump(s, path);
	size_t seen = exercise(s);
	scry_session_free(s);
	return seen;
}

static void core_truncated(void **state)
{
	(void)state;
	for (int big = 0; big < 2; big++) {
		struct core_writer w = { .is64 = !big,
					 .big_endian = big,
					 .machine = big ? EM_PPC : EM_X86_64 };
		struct scry_buf dump = SCRY_BUF_INIT;
		size_t before = 0;

		core_sample(&w, big ? 64 : scry_arch_x86_64.gregset_size);
		core_finish(&w, &dump);
		for (size_t len = 0; len <= dump.len; len += len < 4096 ? 1 : 61) {
			size_t seen = open_and_exercise(dump.text, len);

			/* what is there is given */
			assert_true(seen >= before);
			before = seen;
		}
		assert_true(before > 0);
		struct scry_buf cut = { dump.text, dump.len - 100, 0, false };
		struct scry_session *s = open_dump(&cut);
		assert_true(has_note(s, "100 bytes of memory are missing"));
		scry_session_refresh(s);
		assert_true(has_note(s, "100 bytes of memory are missing"));
		scry_session_free(s);
		scry_buf_done(&dump);
	}
}

static void core_flipped(void **state)
{
	(void)state;
	static const uint8_t masks[] = { 0xff, 0x80, 0x01 };

	for (int wide = 0; wide < 2; wide++) {
		struct core_writer w = { .is64 = wide, .machine = wide ? EM_X86_64 : EM_386 };
		struct scry_buf dump = SCRY_BUF_INIT;

		core_sample(&w, wide ? scry_arch_x86_64.gregset_size : scry_arch_i386.gregset_size);
		core_finish(&w, &dump);
		for (size_t at = 0; at < dump.len && at < 3000; at++)
			for (size_t k = 0; k < sizeof(masks); k++) {
				dump.text[at] ^= (char)masks[k];
				open_and_exercise(dump.text, dump.len);
				dump.text[at] ^= (char)masks[k];
			}
		scry_buf_done(&dump);
	}
}

/* A core of the kernel, of this very program; nothing where the system writes it elsewhere. */
static void core_of_kernel(void **state)
{
	(void)state;
	char dir[] = "/tmp/test_target.XXXXXX", name[64];
	static volatile uint64_t secret = 0x1122334455667788;
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int status;
	uint64_t v;

	assert_non_null(mkdtemp(dir));
	pid_t pid = fork();
	if (pid == 0) {
		if (chdir(dir) == 0 && setrlimit(RLIMIT_CORE, &unlimited) == 0) {
			signal(SIGSEGV, SIG_DFL);
			secret = 0x8877665544332211;
			*(volatile int *)0x1230 = 1;
		}
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	snprintf(name, sizeof(name), "%s/core", dir);
	if (access(name, R_OK) < 0)
		snprintf(name, sizeof(name), "%s/core.%d", dir, (int)pid);
	struct scry_session *s = scry_session_new();
	/* AddressSanitizer keeps cores from being written */
	if (access(name, R_OK) == 0 && WCOREDUMP(status)) {
		assert_int_equal(scry_session_open_dump(s, name), SCRY_OK);
		assert_int_equal(s->target->signal, SIGSEGV);
		assert_true(s->target->has_fault);
		assert_int_equal(s->target->fault_addr, 0x1230);
		assert_int_equal(s->target->pid, pid);
		assert_true(s->target->threads[0].crashed);
		assert_int_equal(scry_read_uint(s, (scry_addr)(uintptr_t)&secret, 8, &v), SCRY_OK);
		assert_true(v == 0x8877665544332211);
		assert_non_null(strstr(s->target->exe, "test_target"));
		assert_non_null(scry_map_at(s->target, (scry_addr)(uintptr_t)exercise)->path);
		exercise(s);
	} else {
		print_message("no core was written: skipped\n");
	}
	scry_session_free(s);
	unlink(name);
	rmdir(dir);
}

/* --- compressed dumps, foreign files --- */

static size_t pack(const struct scry_buf *dump, int filter, void *out, size_t room)
{
	struct archive *a = archive_write_new();
	struct archive_entry *entry = archive_entry_new();
	size_t used = 0;

	archive_write_add_filter(a, filter);
	archive_write_set_format_raw(a);
	/* no padding behind the last block */
	archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, out, room, &used), ARCHIVE_OK);
	archive_entry_set_filetype(entry, AE_IFREG);
	archive_write_header(a, entry);
	archive_write_data(a, dump->text, dump->len);
	archive_write_close(a);
	archive_write_free(a);
	archive_entry_free(entry);
	return used;
}

static void compressed_opens(void **state)
{
	(void)state;
	static const int filters[] = { ARCHIVE_FILTER_GZIP, ARCHIVE_FILTER_BZIP2, ARCHIVE_FILTER_XZ,
				       ARCHIVE_FILTER_ZSTD, ARCHIVE_FILTER_LZ4 };

	for (size_t i = 0; i < sizeof(filters) / sizeof(*filters); i++) {
		struct core_writer w = { .is64 = true, .machine = EM_X86_64 };
		struct scry_buf dump = SCRY_BUF_INIT;
		static uint8_t packed[1 << 20];

		core_sample(&w, scry_arch_x86_64.gregset_size);
		core_finish(&w, &dump);
		/* something that does not pack, so that a cut has a middle; a hole at the end */
		srand(7);
		for (size_t k = 0; k < 400000; k++)
			scry_buf_putc(&dump, (char)rand());
		core_pad(&dump, dump.len + 100000);
		size_t len = pack(&dump, filters[i], packed, sizeof(packed));
		struct scry_session *s = scry_session_new();
		write_dump(packed, len);
		assert_int_equal(scry_session_open_dump(s, path), SCRY_OK);
		assert_int_equal(s->target->file_size, dump.len);
		assert_memory_equal(s->target->file, dump.text, dump.len);
		assert_null(s->notes);
		scry_session_free(s);
		for (size_t cut = 0; cut < len; cut += cut < 64 ? 1 : 9973) {
			s = scry_session_new();
			write_dump(packed, cut);
			if (scry_session_open_dump(s, path) == SCRY_OK) {
				assert_memory_equal(s->target->file, dump.text,
						    s->target->file_size);
				assert_true(s->target->file_size == dump.len ||
					    has_note(s, "ends early"));
			} else {
				assert_true(strlen(scry_session_error(s)) > 0);
			}
			scry_session_free(s);
		}
		scry_buf_done(&dump);
	}
}

static void expect_error(const char *file, const char *text)
{
	struct scry_session *s = scry_session_new();

	assert_true(scry_session_open_dump(s, file) < 0);
	if (!strstr(scry_session_error(s), text))
		fail_msg("\"%s\" is not in \"%s\"", text, scry_session_error(s));
	assert_null(s->target);
	scry_session_free(s);
}

static void foreign_files(void **state)
{
	(void)state;
	expect_error("/", "is a directory");
	expect_error("/dev/null", "not a regular file");
	expect_error("/no/such/file", "No such file");
	expect_error("/proc/self/exe", "ELF executable");
	write_dump("", 0);
	expect_error(path, "is empty");
	write_dump("hello\n", 6);
	expect_error(path, "a text file");
	write_dump("\1\2\3\4\0\0\0\0", 8);
	expect_error(path, "unknown format");
	write_dump("\177ELF", 4);
	expect_error(path, "cut ELF file");
	write_dump("MZ\220", 3);
	expect_error(path, "Windows executable");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(registers_fit),      cmocka_unit_test(image_reads),
		cmocka_unit_test(maps_settle),        cmocka_unit_test(threads_found),
		cmocka_unit_test(options_checked),    cmocka_unit_test(core_decodes),
		cmocka_unit_test(core_futex),         cmocka_unit_test(core_overlaps),
		cmocka_unit_test(core_many_segments), cmocka_unit_test(core_truncated),
		cmocka_unit_test(core_flipped),       cmocka_unit_test(core_of_kernel),
		cmocka_unit_test(compressed_opens),   cmocka_unit_test(foreign_files),
	};

	/* memory rather than disk, where there is that: thousands of files are written */
	snprintf(path, sizeof(path), "%s/test_target.%d",
		 access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm", (int)getpid());
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(path);
	return rc;
}
