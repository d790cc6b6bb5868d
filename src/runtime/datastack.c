/* The chunks of a thread's data stack, and where its frames lie in them. */
#include "runtime/datastack.h"

#define CHUNKS_MAX 1000000 /* of one thread: a stack of 100 million frames */
#define FRAMES_MAX 1000000 /* of one chunk */
#define WORDS_MAX  0x1000000

/*
 * struct _stack_chunk {previous, size, top, data[]}: Include/cpython/pystate.h, v3.11 to v3.15.
 * `size` counts bytes and the head too, `top` words of data and is set when the next chunk is
 * made. The first word of the oldest chunk is left free: push_chunk() in Python/pystate.c.
 */
enum { CHUNK_PREVIOUS, CHUNK_SIZE, CHUNK_TOP, CHUNK_DATA };

static unsigned word(const struct scry_data_stack *d)
{
	return d->runtime->session->target->abi.ptr_size;
}

static bool read_chunk(const struct scry_data_stack *d, scry_addr at, struct scry_data_chunk *ret)
{
	struct scry_session *s = d->runtime->session;
	unsigned size = word(d);
	uint64_t bytes, top;

	if (!at || at % size || scry_read_ptr(s, at, &ret->previous) < 0 ||
	    scry_read_ptr(s, at + CHUNK_SIZE * size, &bytes) < 0 ||
	    scry_read_ptr(s, at + CHUNK_TOP * size, &top) < 0)
		return false;
	if (bytes < 1024 || bytes % 1024 || bytes > (uint64_t)WORDS_MAX * 1024 ||
	    top > bytes / size || ret->previous % size || at + bytes < at)
		return false;
	ret->addr = at;
	ret->first = at + (CHUNK_DATA + !ret->previous) * size;
	ret->used = at + (CHUNK_DATA + top) * size;
	ret->end = at + bytes;
	return true;
}

void scry_data_stack_open(struct scry_data_stack *d, struct scry_thread *t)
{
	uint64_t chunk = 0, top = 0;

	*d = (struct scry_data_stack) { .runtime = t->runtime };
	if (!scry_layout_has(t->runtime->layout, SCRY_F_THREAD_DATASTACK_TOP) ||
	    scry_field_read(t->runtime, t->state, SCRY_F_THREAD_DATASTACK_CHUNK, &chunk) < 0 ||
	    scry_field_read(t->runtime, t->state, SCRY_F_THREAD_DATASTACK_TOP, &top) < 0)
		return;
	if (!chunk && !top) {
		d->known = true;
		return;
	}
	d->known = read_chunk(d, chunk, &d->chunk) && top % word(d) == 0 && top >= d->chunk.first &&
		   top <= d->chunk.end;
	d->at = top;
}

/* The chunk before, whose used part ends where `at` is then. */
static bool go_back(struct scry_data_stack *d)
{
	struct scry_data_chunk before;

	if (!d->chunk.previous || d->chunks++ >= CHUNKS_MAX ||
	    !read_chunk(d, d->chunk.previous, &before) || before.used < before.first ||
	    before.used > before.end)
		return false;
	d->chunk = before;
	d->at = before.used;
	return true;
}

/* After the first frame of a chunk comes the last of the one before. */
static void settle(struct scry_data_stack *d)
{
	while (d->at == d->chunk.first && go_back(d))
		;
}

bool scry_data_stack_has(const struct scry_data_stack *d, scry_addr addr)
{
	struct scry_data_stack look = *d;

	do
		if (look.chunk.addr && addr >= look.chunk.first && addr < look.at)
			return true;
	while (look.chunk.addr && go_back(&look));
	return false;
}

bool scry_data_stack_is_cut(const struct scry_data_stack *d)
{
	struct scry_data_stack look = *d;
	uint64_t word;

	while (look.chunk.addr && look.chunk.previous && go_back(&look))
		;
	return look.chunk.addr && look.chunk.previous &&
	       scry_map_at(d->runtime->session->target, look.chunk.previous) &&
	       scry_read_ptr(d->runtime->session, look.chunk.previous, &word) < 0;
}

uint64_t scry_data_stack_frame_size(const struct scry_code *code)
{
	struct scry_runtime *r = code->runtime;

	/* a version that no rows were made for may not have it */
	if (!scry_layout_has(r->layout, SCRY_F_CODE_STACKSIZE) ||
	    !scry_layout_has(r->layout, SCRY_F_CODE_NLOCALSPLUS))
		return 0;
	if (code->damaged || code->slots > WORDS_MAX || code->stack_size > WORDS_MAX)
		return 0;
	/* FRAME_SPECIALS_SIZE: the words in front of localsplus; pycore_frame.h, v3.11 to v3.15 */
	return (uint64_t)code->slots + code->stack_size +
	       r->layout->slot[SCRY_F_IFRAME_SLOTS].offset / r->session->target->abi.ptr_size;
}

/* Where the frame at `at` ends, by its code; 0: there is none. */
static scry_addr frame_end(const struct scry_data_stack *d, scry_addr at)
{
	struct scry_runtime *r = d->runtime;
	uint64_t code;

	if (scry_field_read(r, at, SCRY_F_IFRAME_CODE, &code) < 0)
		return 0;
	code = scry_untag(r, code);
	const struct scry_code *c =
		code && code % word(d) == 0 ? scry_code_at_checked(r, code) : NULL;
	uint64_t size = c ? scry_data_stack_frame_size(c) : 0;
	return size ? at + size * word(d) : 0;
}

scry_addr scry_data_stack_next(struct scry_data_stack *d)
{
	if (!d->known || !d->chunk.addr)
		return 0;
	settle(d);
	scry_addr at = d->chunk.first, end = 0;

	for (unsigned n = 0; n < FRAMES_MAX && at < d->at; n++, at = end) {
		end = frame_end(d, at);
		if (!end || end > d->at)
			return 0;
		if (end == d->at)
			return at;
	}
	return 0;
}

bool scry_data_stack_empty(struct scry_data_stack *d)
{
	if (!d->known || !d->chunk.addr)
		return true;
	settle(d);
	return d->at == d->chunk.first && !d->chunk.previous;
}

void scry_data_stack_take(struct scry_data_stack *d, scry_addr frame)
{
	struct scry_data_stack look = *d;

	do
		if (frame >= look.chunk.first && frame < look.at) {
			*d = look;
			d->at = frame;
			return;
		}
	while (go_back(&look));
}

enum scry_data_place scry_data_stack_place(struct scry_data_stack *d, scry_addr frame,
					   uint64_t size)
{
	scry_addr end = frame + size * word(d);

	settle(d);
	if (size && end == d->at && frame >= d->chunk.first)
		return SCRY_DATA_NEXT;
	if (!d->chunk.addr || !scry_data_stack_has(d, frame))
		return SCRY_DATA_FOREIGN;
	if (!size)
		return SCRY_DATA_NEXT;
	/* is it the next but one? */
	struct scry_data_stack look = *d;

	scry_addr hidden = scry_data_stack_next(&look);
	if (!hidden)
		return SCRY_DATA_AWAY;
	scry_data_stack_take(&look, hidden);
	settle(&look);
	return look.at == end ? SCRY_DATA_HIDDEN : SCRY_DATA_AWAY;
}
