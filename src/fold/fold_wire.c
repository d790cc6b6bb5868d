/* A fold as bytes, between processes: who reads them believes nothing. */
#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"

#define MAGIC "pyscry fold 1\n"

/* --- writing --- */

static void put_number(struct scry_buf *out, uint64_t n)
{
	for (; n >= 0x80; n >>= 7)
		scry_buf_putc(out, (char)(n | 0x80));
	scry_buf_putc(out, (char)n);
}

/* its length and one, and its bytes; 0: NULL */
static void put_text(struct scry_buf *out, const char *text)
{
	size_t len = text ? strlen(text) : 0;

	put_number(out, text ? len + 1 : 0);
	if (text)
		scry_buf_put(out, text, len);
}

static void put_variables(struct scry_buf *out, const struct scry_fold_node *n)
{
	uint64_t count = 0;

	for (const struct scry_fold_variable *v = n->variables; v; v = v->next)
		for (const struct scry_fold_value *w = v->values; w; w = w->next)
			count++;
	put_number(out, count);
	for (const struct scry_fold_variable *v = n->variables; v; v = v->next)
		for (const struct scry_fold_value *w = v->values; w; w = w->next) {
			put_text(out, v->name);
			put_text(out, w->text);
			put_number(out, w->count);
		}
}

static void put_node(struct scry_buf *out, const struct scry_fold_node *n)
{
	put_number(out, n->depth);
	put_number(out, n->frame->index);
	put_variables(out, n);
}

/* Nodes before what stands below them, then members by the number of their node. */
void scry_fold_write(struct scry_fold *f, struct scry_buf *out)
{
	uint32_t number = 0;

	scry_buf_puts(out, MAGIC);
	put_number(out, f->left);
	put_number(out, f->empty);
	put_number(out, f->frame_count);
	for (const struct scry_fold_frame *frame = f->first_frame; frame; frame = frame->next) {
		put_number(out, frame->kind);
		put_number(out, (uint64_t)(frame->line > 0 ? frame->line : 0));
		put_text(out, frame->function);
		put_text(out, frame->qualname);
		put_text(out, frame->file);
	}
	for (struct scry_fold_node *n = f->root.children; n;) {
		n->stamp = number++;
		put_node(out, n);
		if (n->children) {
			n = n->children;
			continue;
		}
		while (n->frame && !n->next)
			n = n->parent;
		n = n->frame ? n->next : NULL;
	}
	put_number(out, 0); /* no node has this depth */
	put_number(out, f->member_count);
	for (const struct scry_fold_member *m = f->first; m; m = m->next) {
		put_number(out, m->end->stamp);
		put_number(out, m->pid);
		put_number(out, m->tid);
		put_text(out, m->name);
		put_text(out, m->target);
	}
}

/* --- reading --- */

struct reader {
	const unsigned char *at, *end;
	bool bad;
	struct scry_fold *fold;
	const struct scry_fold_frame **frames;
	uint64_t frame_count;
	struct scry_fold_node **nodes; /* NULL: there was no room for it */
	size_t node_count, node_room;
	struct scry_fold_node *path[SCRY_FOLD_DEPTH + 1];
	char text[3][SCRY_FOLD_TEXT + 1];
};

static uint64_t number(struct reader *r)
{
	uint64_t n = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		if (r->at == r->end)
			break;
		n |= (uint64_t)(*r->at & 0x7f) << shift;
		if (!(*r->at++ & 0x80))
			return n;
	}
	r->bad = true;
	return 0;
}

/* A number of things of which each takes a byte at least. */
static uint64_t count_of(struct reader *r)
{
	uint64_t n = number(r);

	if (n > (uint64_t)(r->end - r->at))
		r->bad = true;
	return r->bad ? 0 : n;
}

static const char *text(struct reader *r, unsigned which)
{
	uint64_t len = number(r);

	if (r->bad || !len)
		return NULL;
	if (--len > SCRY_FOLD_TEXT || len > (uint64_t)(r->end - r->at)) {
		r->bad = true;
		return NULL;
	}
	memcpy(r->text[which], r->at, len);
	r->text[which][len] = 0;
	r->at += len;
	return r->text[which];
}

static void read_frames(struct reader *r)
{
	r->frame_count = count_of(r);
	r->frames = r->frame_count ? calloc(r->frame_count, sizeof(*r->frames)) : NULL;
	r->bad |= r->frame_count && !r->frames;
	for (uint64_t i = 0; i < r->frame_count && !r->bad; i++) {
		uint64_t kind = number(r), line = number(r);
		struct scry_fold_frame frame = { .kind = (enum scry_fold_kind)kind,
						 .line = (int)line };

		frame.function = text(r, 0);
		frame.qualname = text(r, 1);
		frame.file = text(r, 2);
		r->bad |= kind >= SCRY_FOLD_KIND_COUNT || line > INT32_MAX || !frame.function;
		if (!r->bad)
			r->frames[i] = scry_fold_intern(r->fold, &frame);
	}
}

static bool remember(struct reader *r, struct scry_fold_node *n)
{
	if (r->node_count == r->node_room) {
		size_t room = r->node_room ? r->node_room * 2 : 256;
		void *more = reallocarray(r->nodes, room, sizeof(*r->nodes));

		if (!more)
			return false;
		r->nodes = more;
		r->node_room = room;
	}
	r->nodes[r->node_count++] = n;
	return true;
}

static void read_variables(struct reader *r, struct scry_fold_node *n)
{
	for (uint64_t left = count_of(r); left && !r->bad; left--) {
		const char *name = text(r, 0), *value = text(r, 1);
		uint64_t count = number(r);

		r->bad |= !name || !value;
		if (!r->bad && n)
			scry_fold_variable(r->fold, n, name, value, count);
	}
}

static void read_nodes(struct reader *r)
{
	uint64_t depth, before = 0;

	r->path[0] = &r->fold->root;
	while (!r->bad && (depth = number(r))) {
		uint64_t index = number(r);

		r->bad |= depth > SCRY_FOLD_DEPTH || depth > before + 1 || index >= r->frame_count;
		if (r->bad)
			return;
		struct scry_fold_node *parent = r->path[depth - 1], *n = NULL;
		if (parent && r->frames[index])
			n = scry_fold_child(r->fold, parent, r->frames[index]);
		r->path[depth] = n;
		before = depth;
		r->bad |= !remember(r, n);
		read_variables(r, n);
	}
}

static void read_members(struct reader *r)
{
	for (uint64_t left = count_of(r); left && !r->bad; left--) {
		uint64_t node = number(r);
		struct scry_fold_member m = { .pid = number(r) };

		m.tid = number(r);
		m.name = text(r, 0);
		m.target = text(r, 1);
		r->bad |= node >= r->node_count;
		if (!r->bad &&
		    (!r->nodes[node] || !scry_fold_member_put(r->fold, &m, r->nodes[node])))
			r->fold->left++;
	}
}

bool scry_fold_read(struct scry_fold *f, const void *data, size_t len)
{
	struct reader *r = calloc(1, sizeof(*r));

	if (!r)
		return false;
	r->at = data;
	r->end = r->at + len;
	r->fold = f;
	scry_fold_next_process(f);
	r->bad = len < strlen(MAGIC) || memcmp(data, MAGIC, strlen(MAGIC));
	if (!r->bad) {
		r->at += strlen(MAGIC);
		f->left += number(r);
		f->empty += number(r);
		read_frames(r);
		read_nodes(r);
		read_members(r);
	}
	bool good = !r->bad && r->at == r->end;
	free(r->frames);
	free(r->nodes);
	free(r);
	return good;
}
