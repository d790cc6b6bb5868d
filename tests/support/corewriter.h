/** Writes ELF cores of either class and byte order, sound or odd, for tests. */
#ifndef COREWRITER_H
#define COREWRITER_H

#include <elf.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"

struct core_segment {
	uint64_t start, memsz, filesz;
	uint32_t flags;
	uint8_t fill;
	const uint8_t *data; /* filesz bytes, or NULL: all are `fill` */
};

struct core_writer {
	bool is64, big_endian;
	uint16_t machine;
	struct scry_buf notes;
	struct core_segment *segments;
	size_t count;
	bool sections_lost; /* with 65535 segments and more: leave the section header away */
};

static inline void core_put(struct scry_buf *b, const struct core_writer *w, unsigned size,
			    uint64_t value)
{
	for (unsigned i = 0; i < size; i++)
		scry_buf_putc(b, (char)(value >> 8 * (w->big_endian ? size - 1 - i : i)));
}

/* A `long` of the target. */
static inline void core_put_long(struct scry_buf *b, const struct core_writer *w, uint64_t value)
{
	core_put(b, w, w->is64 ? 8 : 4, value);
}

static inline void core_pad(struct scry_buf *b, size_t upto)
{
	while (b->len < upto)
		scry_buf_putc(b, 0);
}

static inline void core_note(struct core_writer *w, const char *name, uint32_t type,
			     const struct scry_buf *data)
{
	struct scry_buf *b = &w->notes;

	core_put(b, w, 4, strlen(name) + 1);
	core_put(b, w, 4, data->len);
	core_put(b, w, 4, type);
	scry_buf_put(b, name, strlen(name) + 1);
	core_pad(b, (b->len + 3) / 4 * 4);
	scry_buf_put(b, data->text, data->len);
	core_pad(b, (b->len + 3) / 4 * 4);
}

/* NT_PRSTATUS with a register block of `count` words. */
static inline void core_thread_regs(struct core_writer *w, uint32_t tid, int signal,
				    const uint64_t *words, size_t count)
{
	struct scry_buf b = SCRY_BUF_INIT;
	unsigned word = w->is64 ? 8 : 4;

	core_put(&b, w, 4, (uint64_t)signal);
	core_pad(&b, 12);
	core_put(&b, w, 2, (uint64_t)signal);
	core_pad(&b, w->is64 ? 32 : 24);
	core_put(&b, w, 4, tid);
	core_pad(&b, w->is64 ? 112 : 72);
	for (size_t i = 0; i < count; i++)
		core_put(&b, w, word, words[i]);
	core_put(&b, w, 8, 0);
	core_note(w, "CORE", NT_PRSTATUS, &b);
	scry_buf_done(&b);
}

/* The same where the word at byte i of `regs` bytes is base + i. */
static inline void core_thread(struct core_writer *w, uint32_t tid, int signal, uint64_t base,
			       size_t regs)
{
	size_t word = w->is64 ? 8 : 4;
	uint64_t words[64];

	for (size_t i = 0; i < regs / word; i++)
		words[i] = base + i * word;
	core_thread_regs(w, tid, signal, words, regs / word);
}

static inline void core_psinfo(struct core_writer *w, uint32_t pid, const char *args)
{
	struct scry_buf b = SCRY_BUF_INIT;
	size_t at = w->is64 ? 24 : 12;

	core_pad(&b, at);
	core_put(&b, w, 4, pid);
	core_pad(&b, at + 16);
	scry_buf_puts(&b, "prog");
	core_pad(&b, at + 32);
	scry_buf_puts(&b, args);
	core_pad(&b, at + 112);
	core_note(w, "CORE", NT_PRPSINFO, &b);
	scry_buf_done(&b);
}

static inline void core_siginfo(struct core_writer *w, int signal, int code, uint64_t addr)
{
	struct scry_buf b = SCRY_BUF_INIT;

	core_put(&b, w, 4, (uint64_t)signal);
	core_put(&b, w, 4, 0);
	core_put(&b, w, 4, (uint64_t)code);
	core_pad(&b, w->is64 ? 16 : 12);
	core_put_long(&b, w, addr);
	core_pad(&b, 128);
	core_note(w, "CORE", 0x53494749, &b);
	scry_buf_done(&b);
}

static inline void core_auxv(struct core_writer *w, const uint64_t *pairs, size_t count)
{
	struct scry_buf b = SCRY_BUF_INIT;

	for (size_t i = 0; i < 2 * count; i++)
		core_put_long(&b, w, pairs[i]);
	core_note(w, "CORE", NT_AUXV, &b);
	scry_buf_done(&b);
}

struct core_file {
	uint64_t start, end, page;
	const char *path;
};

static inline void core_files(struct core_writer *w, const struct core_file *files, size_t count)
{
	struct scry_buf b = SCRY_BUF_INIT;

	core_put_long(&b, w, count);
	core_put_long(&b, w, 4096);
	for (size_t i = 0; i < count; i++) {
		core_put_long(&b, w, files[i].start);
		core_put_long(&b, w, files[i].end);
		core_put_long(&b, w, files[i].page);
	}
	for (size_t i = 0; i < count; i++)
		scry_buf_put(&b, files[i].path, strlen(files[i].path) + 1);
	core_note(w, "CORE", 0x46494c45, &b);
	scry_buf_done(&b);
}

static inline void core_segment(struct core_writer *w, uint64_t start, uint64_t memsz,
				uint64_t filesz, uint32_t flags, uint8_t fill)
{
	if ((w->count & (w->count - 1)) == 0)
		w->segments = reallocarray(w->segments, w->count ? 2 * w->count : 1,
					   sizeof(*w->segments));
	w->segments[w->count++] = (struct core_segment) { start, memsz, filesz, flags, fill, NULL };
}

/* A segment with content, which is the caller's until core_finish(). */
static inline void core_memory(struct core_writer *w, uint64_t start, const void *data,
			       uint64_t size, uint32_t flags)
{
	core_segment(w, start, size, size, flags, 0);
	w->segments[w->count - 1].data = data;
}

static inline void core_phdr(struct scry_buf *b, const struct core_writer *w, uint32_t type,
			     uint32_t flags, uint64_t offset, uint64_t start, uint64_t filesz,
			     uint64_t memsz)
{
	core_put(b, w, 4, type);
	if (w->is64)
		core_put(b, w, 4, flags);
	core_put_long(b, w, offset);
	core_put_long(b, w, start);
	core_put_long(b, w, 0);
	core_put_long(b, w, filesz);
	core_put_long(b, w, memsz);
	if (!w->is64)
		core_put(b, w, 4, flags);
	core_put_long(b, w, 1);
}

static inline void core_header(struct scry_buf *b, const struct core_writer *w, uint64_t sections)
{
	size_t count = w->count + 1;

	scry_buf_puts(b, ELFMAG);
	scry_buf_putc(b, w->is64 ? ELFCLASS64 : ELFCLASS32);
	scry_buf_putc(b, w->big_endian ? ELFDATA2MSB : ELFDATA2LSB);
	scry_buf_putc(b, EV_CURRENT);
	core_pad(b, 16);
	core_put(b, w, 2, ET_CORE);
	core_put(b, w, 2, w->machine);
	core_put(b, w, 4, EV_CURRENT);
	core_put_long(b, w, 0);
	core_put_long(b, w, w->is64 ? 64 : 52);
	core_put_long(b, w, sections);
	core_put(b, w, 4, 0);
	core_put(b, w, 2, w->is64 ? 64 : 52);
	core_put(b, w, 2, w->is64 ? 56 : 32);
	core_put(b, w, 2, count < PN_XNUM ? count : PN_XNUM);
	core_put(b, w, 2, w->is64 ? 64 : 40);
	core_put(b, w, 2, sections ? 1 : 0);
	core_put(b, w, 2, 0);
}

/**
 * A process of three threads with files, a fault and all the notes; `regs` is the size of a
 * register block.
 */
static inline void core_sample(struct core_writer *w, size_t regs)
{
	static const uint64_t auxv[] = { AT_PHDR,         0x10040, AT_ENTRY, 0x11020,
					 AT_SYSINFO_EHDR, 0x70000, 0,        0 };
	static const struct core_file files[] = {
		{ 0x10000, 0x11000, 0, "/bin/prog" },
		{ 0x11000, 0x13000, 1, "/bin/prog" },
		{ 0x20000, 0x21000, 2, "/lib/gone.so (deleted)" },
		{ 0x90000, 0x91000, 0, "/not/dumped" },
	};

	core_thread(w, 101, 11, 0x1000, regs);
	core_psinfo(w, 100, "prog -x ");
	core_siginfo(w, 11, 1, 0xdead0);
	core_auxv(w, auxv, 4);
	core_files(w, files, 4);
	core_thread(w, 100, 11, 0x2000, regs);
	core_thread(w, 102, 11, 0x3000, regs);
	core_segment(w, 0x10000, 0x1000, 0x1000, PF_R, 1);
	core_segment(w, 0x11000, 0x2000, 0, PF_R | PF_X, 0);      /* in the file /bin/prog only */
	core_segment(w, 0x20000, 0x3000, 0x3000, PF_R | PF_W, 2); /* its first page is of a file */
	core_segment(w, 0x30000, 0x4000, 0x1800, PF_R | PF_W, 3);
}

/** The whole file into `out`; frees what the writer holds. */
static inline void core_finish(struct core_writer *w, struct scry_buf *out)
{
	uint64_t head = w->is64 ? 64 : 52, stride = w->is64 ? 56 : 32;
	uint64_t notes = head + stride * (w->count + 1), at = notes + w->notes.len, data = at;
	bool extended = w->count + 1 >= PN_XNUM;

	for (size_t i = 0; i < w->count; i++)
		data += w->segments[i].filesz;
	core_header(out, w, extended ? data : 0);
	core_phdr(out, w, PT_NOTE, 0, notes, 0, w->notes.len, 0);
	for (size_t i = 0; i < w->count; i++) {
		const struct core_segment *g = &w->segments[i];

		core_phdr(out, w, PT_LOAD, g->flags, at, g->start, g->filesz, g->memsz);
		at += g->filesz;
	}
	scry_buf_put(out, w->notes.text, w->notes.len);
	for (size_t i = 0; i < w->count; i++)
		for (uint64_t k = 0; k < w->segments[i].filesz; k++)
			scry_buf_putc(out, (char)(w->segments[i].data ? w->segments[i].data[k]
								      : w->segments[i].fill));
	if (extended && !w->sections_lost) {
		core_pad(out, out->len + (w->is64 ? 0x2c : 0x1c));
		core_put(out, w, 4, w->count + 1);
		core_pad(out, data + (w->is64 ? 64 : 40));
	}
	scry_buf_done(&w->notes);
	free(w->segments);
	w->segments = NULL;
	w->count = 0;
}

#endif
