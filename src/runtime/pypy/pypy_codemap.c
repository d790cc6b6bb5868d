/*
 * What the JIT's machine code runs at an address. For its profiler PyPy keeps a list of all pieces
 * of machine code, by address, with the ranges of each that belong to a function and those that
 * were put into it (rpython/jit/backend/llsupport/src/skiplist.c and codemap.c, codemap.py). The
 * list is kept whether a profiler runs or not. No symbol names its head: it is found by what it
 * leads to.
 */
#include "runtime/pypy/pypy_codemap.h"

#include <stdlib.h>

#include "runtime/pypy/pypy_trace.h"

#define HEIGHT     8 /* of the list: so many levels */
#define PIECES_MAX (1u << 20)
#define NODES_MAX  (1u << 22) /* that are looked at before the list is found */
#define PIECE_MAX  (1u << 28) /* bytes of one */
#define WORDS_MAX  65536      /* of what is told of one */
#define ENTRY      4          /* words: function, where it begins and ends, the entry behind it */

struct piece {
	scry_addr start, info;
	uint32_t size, words;
};

struct scry_pypy_codemap {
	struct piece *pieces;
	size_t count, room;
	struct scry_hash codes; /* code objects by their number */
	bool codes_done;
};

struct entry {
	uint64_t id, start, end, next;
};

static bool read_entry(struct scry_pypy *p, const struct piece *piece, uint64_t at,
		       struct entry *ret)
{
	uint64_t w[ENTRY];

	if (at + ENTRY > piece->words || scry_pypy_words(p, piece->info + 8 * at, w, ENTRY) < ENTRY)
		return false;
	*ret = (struct entry) { w[0], w[1], w[2], w[3] };
	return ret->start <= ret->end && ret->end <= piece->size && ret->next > at &&
	       ret->next % ENTRY == 0 && ret->next <= piece->words;
}

/*
 * A node: { key, data, next[1 to 8] }, and right behind that its data: { bytes of machine code,
 * words of information, information }. Machine code is in memory of no file that may be executed.
 */
static bool read_node(struct scry_pypy *p, scry_addr node, struct piece *ret, scry_addr *ret_next)
{
	struct scry_session *s = p->runtime->session;
	uint64_t w[3], sizes[2];
	const struct scry_map *map;
	struct entry first;

	if (scry_pypy_words(p, node, w, 3) < 3 || w[1] % 8 || w[1] < node + 24 ||
	    w[1] > node + 16 + 8 * HEIGHT)
		return false;
	map = scry_map_at(s->target, w[0]);
	if (!map || !(map->flags & SCRY_MAP_EXEC) || map->flags & SCRY_MAP_FILE ||
	    scry_pypy_words(p, w[1], sizes, 2) < 2)
		return false;
	*ret = (struct piece) { w[0], sizes[1], (uint32_t)sizes[0], (uint32_t)(sizes[0] >> 32) };
	*ret_next = w[2];
	return ret->size && ret->size < PIECE_MAX && ret->start + ret->size <= map->end &&
	       ret->words <= WORDS_MAX && ret->words % ENTRY == 0 &&
	       (!ret->words || read_entry(p, ret, 0, &first));
}

static bool add_piece(struct scry_pypy_codemap *map, const struct piece *piece)
{
	if (map->count == map->room) {
		size_t room = map->room ? 2 * map->room : 256;
		struct piece *pieces =
			room > PIECES_MAX ? NULL : reallocarray(map->pieces, room, sizeof(*pieces));

		if (!pieces)
			return false;
		map->pieces = pieces;
		map->room = room;
	}
	map->pieces[map->count++] = *piece;
	return true;
}

/* All pieces from a node on; keys that do not grow are no list's. `left`: so many nodes at most. */
static bool read_list(struct scry_pypy *p, scry_addr node, uint32_t *left)
{
	struct scry_pypy_codemap *map = p->codemap;
	struct piece piece;

	map->count = 0;
	while (node) {
		if (!*left || !read_node(p, node, &piece, &node) ||
		    (map->count && piece.start <= map->pieces[map->count - 1].start) ||
		    !add_piece(map, &piece))
			break;
		(*left)--;
	}
	return map->count && !node;
}

struct head {
	struct scry_pypy *p;
	bool found;
	uint32_t left; /* nodes that may still be looked at, whatever word leads to them */
};

/* The head is a node without key and data. */
static bool try_head(void *arg, scry_addr at, uint64_t value)
{
	struct head *h = arg;
	uint64_t before[2];
	struct piece piece;
	scry_addr next;

	if (!scry_pypy_leads_out(h->p, value) || !read_node(h->p, value, &piece, &next) ||
	    !piece.words || scry_pypy_words(h->p, at - 16, before, 2) < 2 || before[0] || before[1])
		return true;
	h->found = read_list(h->p, value, &h->left);
	return !h->found && h->left;
}

static bool load(struct scry_pypy *p)
{
	struct head h = { .p = p, .left = NODES_MAX };

	if (!p->codemap) {
		p->codemap = calloc(1, sizeof(*p->codemap));
		if (!p->codemap)
			return false;
		scry_pypy_visit(p, try_head, &h);
		if (!h.found)
			p->codemap->count = 0;
	}
	return p->codemap->count;
}

static const struct piece *piece_at(struct scry_pypy *p, scry_addr pc)
{
	size_t low = 0, high = load(p) ? p->codemap->count : 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct piece *piece = &p->codemap->pieces[middle];

		if (pc - piece->start < piece->size)
			return piece;
		if (pc < piece->start)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

/* --- whose numbers --- */

struct gathering {
	struct scry_pypy_reach reach;
	struct scry_pypy *p;
};

static void take_code(struct scry_pypy_reach *out, scry_addr at, const struct scry_pypy_type *t)
{
	struct scry_pypy *p = ((struct gathering *)out)->p;
	uint64_t id = scry_pypy_is(p, t, SCRY_PYPY_CLASS_CODE)
			      ? scry_pypy_get(p, at, SCRY_PYPY_CODE_UNIQUE_ID)
			      : 0;

	if (id)
		scry_hash_put(&p->codemap->codes, id, (void *)(uintptr_t)at);
}

/* Only code objects have their numbers: all objects are gone through, once. */
static scry_addr code_of(struct scry_pypy *p, uint64_t id)
{
	struct gathering g = { .reach.found = take_code, .p = p };

	if (!p->codemap->codes_done && p->field[SCRY_PYPY_CODE_UNIQUE_ID].size)
		scry_pypy_reach(p, &g.reach);
	p->codemap->codes_done = true;
	return (uintptr_t)scry_hash_find(&p->codemap->codes, id);
}

bool scry_pypy_machine_code_at(struct scry_pypy *p, scry_addr pc,
			       struct scry_pypy_machine_code *ret)
{
	const struct piece *piece = piece_at(p, pc);
	struct entry e;

	if (!piece)
		return false;
	*ret = (struct scry_pypy_machine_code) { .start = piece->start, .size = piece->size };
	/* what follows an entry is inside of it; `next` skips that */
	for (uint64_t at = 0; ret->count < SCRY_PYPY_INLINED && read_entry(p, piece, at, &e);) {
		if (e.start > pc - piece->start)
			break;
		if (e.end > pc - piece->start) {
			/* another loop of the interpreter's own has no number */
			ret->code[ret->count++] = e.id ? code_of(p, e.id) : 0;
			at += ENTRY;
		} else {
			at = e.next;
		}
	}
	return true;
}

const char *scry_pypy_machine_code_name(struct scry_pypy *p, const struct scry_pypy_machine_code *m)
{
	SCRY_AUTO_BUF(name);

	scry_buf_puts(&name, "JIT code");
	for (unsigned i = 0; i < m->count; i++) {
		struct scry_code *code = m->code[i] ? scry_code_at(p->runtime, m->code[i]) : NULL;

		scry_buf_printf(&name, "%s%s", i ? ", " : " of ",
				code && code->name ? code->name : "?");
	}
	return scry_arena_text(&p->runtime->session->arena, name.text, name.len);
}

void scry_pypy_codemap_done(struct scry_pypy *p)
{
	if (!p->codemap)
		return;
	free(p->codemap->pieces);
	scry_hash_done(&p->codemap->codes);
	free(p->codemap);
	p->codemap = NULL;
}
