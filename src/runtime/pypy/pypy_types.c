/*
 * PyPy's own description of its types: the compressed list, the collector's table, ranges of
 * subclasses.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/bytes.h"
#include "runtime/pypy/pypy_codemap.h"
#include "runtime/pypy/pypy_resume.h"

#define LIST_MAX   (16u << 20) /* bytes of the list, unpacked: 0.4 MB in known builds */
#define PACKED_MAX (4u << 20)
#define TYPES_MAX  65536
#define CHUNK      65536

/*
 * type_info, rpython/memory/gctypelayout.py: infobits, customdata, fixedsize, ofstoptrs, and of
 * arrays four words more
 */
#define INFO_MAGIC         0x58000000u
#define INFO_MAGIC_MASK    0xfc000000u
#define INFO_IS_VARSIZE    0x10000u
#define INFO_IS_CLASS      0x100000u
#define INFO_WORDS         4
#define INFO_WORDS_VARSIZE 8

struct candidate {
	struct scry_pypy *pypy;
	scry_addr list; /* of the compressed bytes' array: its length is there */
	char *text;
	size_t len;
};

/* --- going through the module's data --- */

size_t scry_pypy_words(struct scry_pypy *p, scry_addr at, uint64_t *to, size_t count)
{
	struct scry_session *s = p->runtime->session;
	size_t got = scry_read_some(s, at, to, count * sizeof(*to)) / sizeof(*to);

	for (size_t i = 0; i < got; i++)
		to[i] = scry_load(&to[i], sizeof(*to), s->target->abi.big_endian);
	return got;
}

/* Every word of [at, end) but those of holes; false where the visitor has had enough. */
static bool visit(struct scry_pypy *p, scry_addr at, scry_addr end,
		  bool (*word)(void *arg, scry_addr at, uint64_t value), void *arg)
{
	struct scry_session *s = p->runtime->session;
	uint64_t *chunk = malloc(CHUNK);
	bool more = chunk != NULL;
	scry_addr stop;

	for (; more && !s->stopped && scry_data_next(s, &at, end, &stop); at = stop)
		for (at = (at + 7) & ~(scry_addr)7; more && !s->stopped && at < stop; at += CHUNK) {
			size_t want = stop - at < CHUNK ? (size_t)(stop - at) : CHUNK;
			size_t got = scry_pypy_words(p, at, chunk, want / sizeof(*chunk));

			for (size_t i = 0; more && i < got; i++)
				more = word(arg, at + i * sizeof(*chunk), chunk[i]);
		}
	free(chunk);
	return more;
}

void scry_pypy_visit(struct scry_pypy *p, bool (*word)(void *arg, scry_addr at, uint64_t value),
		     void *arg)
{
	struct scry_target *t = p->runtime->session->target;

	for (size_t i = 0; i < t->map_count; i++) {
		const struct scry_map *map = &t->maps[i];
		scry_addr end = map->end < p->end ? map->end : p->end;

		if (map->flags & SCRY_MAP_WRITE && map->start >= p->start && map->start < p->end &&
		    !visit(p, map->start, end, word, arg))
			return;
	}
}

static bool low_half(void *arg, scry_addr at, uint64_t value)
{
	struct scry_pypy_scan *scan = arg;

	return (uint32_t)value != scan->low || scan->found(scan, at);
}

void scry_pypy_scan(struct scry_pypy_scan *scan)
{
	scry_pypy_visit(scan->pypy, low_half, scan);
}

/* --- the list of types --- */

/* Unpack at most LIST_MAX bytes; NULL where it is not such a list. */
static char *unpack(const uint8_t *packed, size_t len, size_t *ret_len)
{
	z_stream z = { .next_in = (Bytef *)(uintptr_t)packed, .avail_in = (uInt)len };
	size_t room = 1u << 20;
	char *text = malloc(room + 1);
	int rc = text ? inflateInit(&z) : Z_MEM_ERROR;

	while (rc == Z_OK && z.total_out < LIST_MAX) {
		if (z.total_out == room) {
			char *more = realloc(text, room * 2 + 1);

			if (!more)
				break;
			text = more;
			room *= 2;
		}
		z.next_out = (Bytef *)text + z.total_out;
		z.avail_out = (uInt)(room - z.total_out);
		rc = inflate(&z, Z_NO_FLUSH);
		if (z.total_out >= 7 && memcmp(text, "member0", 7))
			break;
	}
	*ret_len = z.total_out;
	inflateEnd(&z);
	if (rc != Z_STREAM_END) {
		free(text);
		return NULL;
	}
	text[*ret_len] = '\0';
	return text;
}

/* A word that can be the length of a compressed list, with the compressed bytes after it. */
static bool try_list(void *arg, scry_addr at, uint64_t value)
{
	struct candidate *c = arg;
	struct scry_session *s = c->pypy->runtime->session;
	uint8_t head[2];

	if (value < 1000 || value > PACKED_MAX || scry_read_some(s, at + 8, head, 2) != 2 ||
	    head[0] != 0x78 || (head[0] << 8 | head[1]) % 31) /* a zlib header: RFC 1950 */
		return true;
	uint8_t *packed = malloc(value);
	if (packed && scry_read_some(s, at + 8, packed, value) == value)
		c->text = unpack(packed, value, &c->len);
	free(packed);
	c->list = at;
	return c->text == NULL;
}

/*
 * --- GCData, whose last words are the group of type_infos, the list of tids and the list of types
 * ---
 */

struct gcdata {
	struct scry_pypy *pypy;
	scry_addr list, tids;
	uint64_t count;
};

static bool is_info(struct scry_pypy *p, scry_addr info)
{
	uint64_t bits;

	return scry_read_uint(p->runtime->session, info, 8, &bits) == SCRY_OK &&
	       (bits & INFO_MAGIC_MASK) == INFO_MAGIC;
}

static bool try_gcdata(void *arg, scry_addr at, uint64_t value)
{
	struct gcdata *g = arg;
	struct scry_session *s = g->pypy->runtime->session;
	uint64_t tid;
	scry_addr group, tids;

	if (value != g->list || scry_read_ptr(s, at - 16, &group) < 0 ||
	    scry_read_ptr(s, at - 8, &tids) < 0 || group < g->pypy->start ||
	    group >= g->pypy->end || scry_read_uint(s, tids, 8, &g->count) < 0 || !g->count ||
	    g->count > TYPES_MAX || scry_read_uint(s, tids + 8 + 4, 4, &tid) < 0 ||
	    !is_info(g->pypy, group + tid))
		return true;
	g->pypy->group = group;
	g->pypy->gcdata = at;
	g->tids = tids;
	return false;
}

static uint64_t hash_text(const char *text)
{
	uint64_t h = 14695981039346656037u;

	for (; *text; text++)
		h = (h ^ (unsigned char)*text) * 1099511628211u;
	return h;
}

/* "GcStruct NAME { a, b }": cut in place. */
static void name_type(struct scry_pypy_type *t, char *line)
{
	char *members = strstr(line, " {"), *end = strrchr(line, '}');

	t->name = line;
	t->members = "";
	if (strncmp(line, "GcStruct ", 9) || !members || !end)
		return;
	t->name = line + 9;
	*members = '\0';
	*end = '\0';
	t->members = members + 2;
}

/* The range is in the class's vtable, which follows its type_info. */
static void read_range(struct scry_pypy *p, struct scry_pypy_type *t)
{
	struct scry_session *s = p->runtime->session;
	scry_addr info = p->group + t->tid;
	uint64_t bits;

	if (scry_read_uint(s, info, 8, &bits) < 0 || (bits & INFO_MAGIC_MASK) != INFO_MAGIC ||
	    !(bits & INFO_IS_CLASS))
		return;
	info += 8 * (bits & INFO_IS_VARSIZE ? INFO_WORDS_VARSIZE : INFO_WORDS);
	if (scry_read_uint(s, info, 8, &t->class_min) < 0 ||
	    scry_read_uint(s, info + 8, 8, &t->class_max) < 0 || t->class_min >= t->class_max)
		t->class_min = t->class_max = 0;
}

static int add_types(struct scry_pypy *p, struct gcdata *g)
{
	struct scry_session *s = p->runtime->session;
	uint32_t *tids = malloc(g->count * 4);
	char *line = p->text, *next;
	int rc = tids ? scry_read(s, g->tids + 8, tids, g->count * 4) : SCRY_ENOMEM;

	p->types = scry_arena_alloc(&s->arena, g->count * sizeof(*p->types));
	for (uint64_t i = 0; rc == SCRY_OK && p->types && i < g->count && line && *line;
	     i++, line = next) {
		struct scry_pypy_type *t = &p->types[i];
		char *space = strchr(line, ' ');

		next = strchr(line, '\n');
		if (next)
			*next++ = '\0';
		if (!space || (next && space > next))
			break;
		t->tid = (uint32_t)scry_load(&tids[i], 4, s->target->abi.big_endian);
		name_type(t, space + strspn(space, " "));
		read_range(p, t);
		p->type_count++;
		if (t->tid)
			scry_hash_put(&p->by_tid, t->tid, t);
		if (!scry_hash_find(&p->by_name, hash_text(t->name)))
			scry_hash_put(&p->by_name, hash_text(t->name), t);
	}
	free(tids);
	return rc < 0 ? rc : p->type_count ? SCRY_OK : SCRY_ECORRUPT;
}

const struct scry_pypy_type *scry_pypy_type_named(struct scry_pypy *p, const char *name)
{
	const struct scry_pypy_type *t = scry_hash_find(&p->by_name, hash_text(name));

	return t && !strcmp(t->name, name) ? t : NULL;
}

static uint32_t tid_named(struct scry_pypy *p, const char *name)
{
	const struct scry_pypy_type *t = scry_pypy_type_named(p, name);

	return t ? t->tid : 0;
}

#define CLASS_TEXT(name, text) text,
static const char *const class_names[] = { SCRY_PYPY_CLASSES(CLASS_TEXT) };

/* The first of the names, parted by '|', that there is. */
static const struct scry_pypy_type *first_named(struct scry_pypy *p, const char *names)
{
	char name[200];

	for (const char *at = names; *at;) {
		size_t n = strcspn(at, "|");
		const struct scry_pypy_type *t;

		snprintf(name, sizeof(name), "%.*s", (int)n, at);
		if ((t = scry_pypy_type_named(p, name)))
			return t;
		at += n + (at[n] == '|');
	}
	return NULL;
}

static int find_classes(struct scry_pypy *p)
{
	for (int c = 0; c < SCRY_PYPY_CLASS_COUNT; c++) {
		const struct scry_pypy_type *t = first_named(p, class_names[c]);

		p->class[c] = t;
		p->min[c] = t ? t->class_min : 0;
		p->max[c] = t ? t->class_max : 0;
	}
	p->string = tid_named(p, "rpy_string");
	p->vref = tid_named(p, "JitVirtualRef");
	p->jitframe = tid_named(p, "JITFRAME");
	if (!p->string || !p->max[SCRY_PYPY_CLASS_FRAME] || !p->max[SCRY_PYPY_CLASS_CODE] ||
	    !p->max[SCRY_PYPY_CLASS_EC])
		return scry_fail(p->runtime->session, SCRY_EUNSUPPORTED, 0,
				 "this program written in RPython has no Python frames in its list "
				 "of types");
	return SCRY_OK;
}

int scry_pypy_load(struct scry_pypy *p, struct scry_module *m)
{
	struct candidate c = { .pypy = p };
	struct gcdata g = { .pypy = p };

	p->start = m->start;
	p->end = m->end;
	scry_pypy_visit(p, try_list, &c);
	if (!c.text)
		return SCRY_ENOTFOUND;
	p->text = c.text;
	g.list = c.list;
	scry_pypy_visit(p, try_gcdata, &g);
	if (!p->group)
		return scry_fail(p->runtime->session, SCRY_ECORRUPT, c.list,
				 "nothing refers to the list of types at 0x%" PRIx64, c.list);
	scry_pypy_load_heap(p);
	int rc = add_types(p, &g);
	return rc < 0 ? rc : find_classes(p);
}

void scry_pypy_done(struct scry_pypy *p)
{
	scry_pypy_jit_done(p);
	scry_pypy_codemap_done(p);
	free(p->text);
	scry_hash_done(&p->by_tid);
	scry_hash_done(&p->by_name);
	scry_hash_done(&p->maps);
	scry_hash_done(&p->names);
	scry_hash_done(&p->classes);
}

/* --- objects --- */

const struct scry_pypy_type *scry_pypy_type_of(struct scry_pypy *p, scry_addr *addr)
{
	struct scry_session *s = p->runtime->session;
	uint64_t header;

	if (!*addr || *addr % 8 || scry_read_uint(s, *addr, 8, &header) < 0)
		return NULL;
	/* FORWARDED_MARKER: a collection moved it, rpython/memory/gc/incminimark.py */
	if ((int64_t)header == -42) {
		if (scry_read_ptr(s, *addr + 8, addr) < 0 ||
		    scry_read_uint(s, *addr, 8, &header) < 0)
			return NULL;
	}
	return (uint32_t)header ? scry_hash_find(&p->by_tid, (uint32_t)header) : NULL;
}

bool scry_pypy_is(struct scry_pypy *p, const struct scry_pypy_type *t, enum scry_pypy_class c)
{
	return t && t->class_max && t->class_min >= p->min[c] && t->class_min < p->max[c];
}

int scry_pypy_string(struct scry_pypy *p, scry_addr string, size_t max, const char **ret,
		     size_t *ret_len)
{
	struct scry_session *s = p->runtime->session;
	const struct scry_pypy_type *t = scry_pypy_type_of(p, &string);
	uint64_t len;

	if (!t || t->tid != p->string)
		return scry_fail(s, SCRY_ECORRUPT, string, "no string at 0x%" PRIx64, string);
	int rc = scry_read_uint(s, string + 16, 8, &len); /* header, hash, length, characters */
	if (rc < 0)
		return rc;
	len = len < max ? len : max;
	char *copy = scry_arena_alloc(&s->arena, len + 1);
	if (!copy)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	rc = scry_read(s, string + 24, copy, len);
	if (rc < 0)
		return rc;
	*ret = copy;
	*ret_len = len;
	return SCRY_OK;
}

int scry_pypy_array(struct scry_pypy *p, scry_addr array, uint64_t *ret_count, scry_addr *ret_items)
{
	struct scry_session *s = p->runtime->session;

	if (!scry_pypy_type_of(p, &array))
		return scry_fail(s, SCRY_ECORRUPT, array, "no array at 0x%" PRIx64, array);
	*ret_items = array + 16; /* header, length */
	return scry_read_uint(s, array + 8, 8, ret_count);
}
