/*
 * A hostile dump (ELF core or minidump; what it is its first bytes say): open it and look at
 * everything. What comes out does not matter; that it ends soon, with bounded memory and without
 * touching a byte that is not ours does.
 */
#include "fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "symbol/pe.h"

static void look_at_module(struct scry_module *m)
{
	static const char *const symbols[] = { "_PyRuntime", "PyInterpreterState_Head",
					       "_PyThreadState_Current", "" };
	struct scry_symbol symbol;
	struct scry_section section;
	struct scry_pe_version version;
	scry_addr begin, end, root;

	for (size_t i = 0; i < sizeof(symbols) / sizeof(*symbols); i++)
		scry_module_symbol(m, symbols[i], &symbol);
	scry_module_section(m, ".PyRuntime", &section);
	for (unsigned i = 0; i < 16; i++) {
		scry_addr at = m->start + (m->end - m->start) / 16 * i;

		scry_symbol_at(m->session, at, &symbol);
		if (m->session->target->abi.windows)
			scry_pe_function(m, at, &begin, &end, &root);
	}
	if (m->session->target->abi.windows && scry_pe_version(m, &version) == SCRY_OK)
		scry_pe_python_version(&version);
}

static void unwind(struct scry_session *s, const struct scry_os_thread *t)
{
	struct scry_regs regs = t->regs;

	for (unsigned i = 0; i < 64 && regs.arch; i++) {
		struct scry_module *m = scry_module_at(s, regs.value[regs.arch->pc]);

		if (!m || !s->target->abi.windows || scry_pe_unwind(m, &regs) < 0)
			break;
	}
}

static void look(struct scry_session *s)
{
	struct scry_target *t = s->target;
	unsigned n = 0;
	uint64_t v;

	for (size_t i = 0; i < t->map_count; i += t->map_count / 256 + 1) {
		if (t->maps[i].start >= t->maps[i].end ||
		    (i && t->maps[i].start < t->maps[i - 1].end))
			abort();
		scry_read_uint(s, t->maps[i].start, 8, &v);
		scry_read_uint(s, t->maps[i].end - 4, 8, &v);
	}
	for (struct scry_module *m = scry_module_first(s); m && n < 32; m = m->next, n++)
		look_at_module(m);
	for (size_t i = 0; i < t->thread_count && i < 32; i++) {
		unwind(s, &t->threads[i]);
		if (t->threads[i].name && strlen(t->threads[i].name) > 1 << 20)
			abort();
	}
}

static void run_commands(struct scry_session *s)
{
	static const char *const commands[] = { "bt", "threads", "info" };
	static const char *const args[] = { "--all", "", "" };

	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++) {
		struct scry_buf *out = scry_buf_new(), *err = scry_buf_new();

		scry_command_run(s, commands[i], args[i], out, err);
		scry_buf_free(out);
		scry_buf_free(err);
	}
}

bool fuzz_commands = true;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char path[64];
	int fd = memfd_create("dump", MFD_CLOEXEC);

	if (fd < 0 || write(fd, data, size) != (ssize_t)size)
		return 0;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	struct scry_session *s = scry_session_new();
	if (s && scry_session_open_dump(s, path) == SCRY_OK) {
		look(s);
		if (fuzz_commands)
			run_commands(s);
	}
	scry_session_free(s);
	close(fd);
	return 0;
}
