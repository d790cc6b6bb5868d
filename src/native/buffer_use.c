/*
 * Memory that a Py_buffer still points to after it was released: PyBuffer_Release() takes its
 * object away and leaves the rest as it was (Objects/abstract.c), memoryview.release() sets a flag
 * (Objects/memoryobject.c).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "native/fatal.h"
#include "native/variables.h"
#include "object/known.h"
#include "object/model.h"

#define STACK_MAX  65536
#define FRAMES_MAX 8 /* whose stack is searched */
#define DIMENSIONS 64
#define FORMAT_MAX 64
#define REPR_MAX   60

/* The beginning of struct Py_buffer (Include/object.h, Include/pybuffer.h), 2.7 to 3.15. */
enum { BUF, OBJ, LEN, ITEMSIZE, INTS, WORDS };

struct use {
	struct scry_crash *c;
	scry_addr target; /* the memory that was used */
	unsigned ptr;
	bool found;
};

/* Is the target in the buffer? A length is signed there, and no buffer has a negative one. */
static bool has_target(const struct use *u, const uint64_t *word)
{
	uint64_t most = u->ptr == 4 ? INT32_MAX : INT64_MAX;

	return word[LEN] <= most && u->target >= word[BUF] && u->target - word[BUF] < word[LEN];
}

/* Does what begins with these words describe memory around the target? */
static bool is_buffer(const struct use *u, scry_addr at, const uint64_t *word)
{
	struct scry_session *s = u->c->session;
	uint64_t readonly, dimensions;
	scry_addr format;
	const char *text;

	/* two ints follow, then the format */
	if (!has_target(u, word) || !word[ITEMSIZE] || word[LEN] % word[ITEMSIZE] ||
	    scry_read_uint(s, at + INTS * u->ptr, 4, &readonly) < 0 ||
	    scry_read_uint(s, at + INTS * u->ptr + 4, 4, &dimensions) < 0 ||
	    scry_read_ptr(s, at + INTS * u->ptr + 8, &format) < 0)
		return false;
	return readonly <= 1 && dimensions <= DIMENSIONS &&
	       (!format || (scry_read_cstr(s, format, FORMAT_MAX, &text) == SCRY_OK && *text));
}

/* " (view of consume)" where a C variable is there, or the bad value was loaded from it. */
static bool is_certain(const struct use *u, scry_addr at, struct scry_buf *name)
{
	struct scry_crash *c = u->c;
	struct scry_frames frames = { c->thread, c->frames, c->count, NULL };

	for (unsigned i = c->site; i < c->count && i < c->site + FRAMES_MAX; i++) {
		SCRY_AUTO_BUF(text);
		const char *member;

		if (!scry_name_of_address(&frames, i, at, &text))
			continue;
		member = strrchr(text.text, '.');
		if (!member || strcmp(member, ".buf"))
			break;
		scry_buf_printf(name, " (%.*s of %s)", (int)(member - text.text), text.text,
				c->frames[i].symbol.name ? c->frames[i].symbol.name : "?");
		return true;
	}
	for (unsigned i = 0; i < c->load_count; i++)
		if (c->loads[i] == at)
			return true;
	return false;
}

static void try_buffer(struct use *u, scry_addr at, const uint64_t *word)
{
	SCRY_AUTO_BUF(name);

	if (word[OBJ] || !is_buffer(u, at, word))
		return;
	bool certain = is_certain(u, at, &name);
	u->found = true;
	scry_crash_say(u->c, &u->c->why,
		       "%s0x%" PRIx64 " is byte %" PRIu64 " of the %" PRIu64
		       " of a Py_buffer at 0x%" PRIx64 "%s that has no object: it was released "
		       "(PyBuffer_Release()), or never had one",
		       certain ? "" : "perhaps ", u->target, u->target - word[BUF], word[LEN], at,
		       name.text ? name.text : "");
}

/* A memoryview: the flag, and its own Py_buffer. */
static void try_memoryview(struct use *u, scry_addr object)
{
	struct scry_runtime *r = u->c->thread->runtime;
	uint64_t flags = 0, word[WORDS] = { 0 };
	SCRY_AUTO_BUF(text);

	if (object < SCRY_CRASH_NULL_END || object % u->ptr || !r || !r->layout ||
	    !scry_layout_has(r->layout, SCRY_F_MEMORYVIEW_FLAGS) ||
	    !scry_is_exactly(r, object, SCRY_IS_MEMORYVIEW) || !scry_is_object(r, object) ||
	    scry_field_read(r, object, SCRY_F_MEMORYVIEW_FLAGS, &flags) < 0 || !(flags & 1) ||
	    scry_field_read(r, object, SCRY_F_MEMORYVIEW_BUF, &word[BUF]) < 0 ||
	    scry_field_read(r, object, SCRY_F_MEMORYVIEW_LEN, &word[LEN]) < 0 ||
	    !has_target(u, word))
		return;
	scry_repr_short(r, object, REPR_MAX, &text);
	u->found = true;
	scry_crash_say(u->c, &u->c->why,
		       "0x%" PRIx64 " is byte %" PRIu64 " of the %" PRIu64
		       " of %s: it was used after release()",
		       u->target, u->target - word[BUF], word[LEN], text.text);
}

static void search_stack(struct use *u, scry_addr start, scry_addr end)
{
	size_t room = end > start && end - start < STACK_MAX ? end - start : STACK_MAX;
	uint8_t *bytes = malloc(room);
	size_t len = bytes ? scry_read_some(u->c->session, start, bytes, room) : 0;

	for (size_t at = 0; at + WORDS * u->ptr <= len && !u->found; at += u->ptr) {
		uint64_t word[WORDS];

		for (unsigned i = 0; i < WORDS; i++)
			word[i] = scry_load(bytes + at + i * u->ptr, u->ptr, false);
		try_buffer(u, start + at, word);
		if (!u->found)
			try_memoryview(u, word[0]);
	}
	free(bytes);
}

static void search(struct use *u)
{
	struct scry_crash *c = u->c;
	const struct scry_arch *arch = c->frames[0].regs.arch;
	unsigned last = c->count - 1 < FRAMES_MAX ? c->count - 1 : FRAMES_MAX;

	for (unsigned i = 0; i < c->load_count && !u->found; i++) {
		uint64_t word[WORDS];
		unsigned n = 0;

		while (n < WORDS &&
		       scry_read_ptr(c->session, c->loads[i] + n * u->ptr, &word[n]) == SCRY_OK)
			n++;
		if (n == WORDS)
			try_buffer(u, c->loads[i], word);
	}
	for (unsigned i = 0; i <= last && !u->found; i++)
		for (unsigned reg = 0; reg < arch->count && !u->found; reg++)
			if (c->frames[i].regs.valid >> reg & 1)
				try_memoryview(u, c->frames[i].regs.value[reg]);
	if (!u->found)
		search_stack(u, c->frames[0].regs.value[arch->sp],
			     c->frames[last].regs.value[arch->sp]);
}

void scry_crash_tell_buffer(struct scry_crash *c)
{
	struct use u = { .c = c, .ptr = c->session->target->abi.ptr_size };

	if (c->stack_overflow || c->access == SCRY_ACCESS_EXECUTE || !c->count)
		return;
	/* the memory itself, or that from which a bad value was read */
	for (unsigned i = 0; i <= c->load_count && !u.found; i++) {
		if (i == 0 && (!c->has_address || c->address < SCRY_CRASH_NULL_END))
			continue;
		u.target = i ? c->loads[i - 1] : c->address;
		search(&u);
	}
}
