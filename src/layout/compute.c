/*
 * The mini-language of rows: from members in declaration order to offsets, for one ABI.
 * docs/layouts.md has the grammar.
 */
#include <stdlib.h>
#include <string.h>

#include "layout/sources.h"

#define DEPTH_MAX 12 /* nested structs, references included; the deepest row has 4 */

struct extent {
	uint32_t size, align;
};

/* A row being read. `flags` are the condition letters that hold. */
struct walk {
	const char *const *texts;
	const struct scry_abi *abi;
	struct scry_layout *l;
	const struct scry_layout *known; /* sizes that count more than the rows'; may be NULL */
	enum scry_struct s;
	uint8_t flags;
	uint8_t depth;
	bool bad, cut; /* malformed; "..." was met: the size is unknown */
};

static const char letters[] = "gfrwn";

static uint8_t flags_of(const struct scry_flavour *f, const struct scry_abi *abi)
{
	/*
	 * before 3.8 Py_DEBUG implied Py_TRACE_REFS (Include/object.h, 3.7: "#ifdef Py_DEBUG ...
	 * #define Py_TRACE_REFS")
	 */
	bool trace_refs = f->trace_refs ||
			  (f->debug && scry_version_in(f->version, 0, SCRY_VERSION_OF(3, 8)));

	return (uint8_t)(f->debug | f->free_threaded << 1 | trace_refs << 2 | abi->windows << 3 |
			 (abi->ptr_size == 4) << 4);
}

/* "-gf:" before a member: true where all its letters agree with the flavour. */
static bool condition(struct walk *w, const char **p)
{
	size_t n = strspn(*p, "-gfrwn");
	bool holds = true, want = true;

	if ((*p)[n] != ':')
		return true;
	for (size_t i = 0; i < n; i++) {
		if ((*p)[i] == '-') {
			want = false;
			continue;
		}
		unsigned bit = (unsigned)(strchr(letters, (*p)[i]) - letters);

		holds = holds && ((w->flags >> bit & 1) == want);
		want = true;
	}
	*p += n + 1;
	return holds;
}

/* Sizes and alignments of C types. glibc and musl agree on the pthread types. */
static bool type_extent(char type, const struct scry_abi *abi, struct extent *ret)
{
	uint8_t p = abi->ptr_size;
	uint32_t mutex = abi->mutex_size ? abi->mutex_size : p == 4 ? 24 : 40;

	switch (type) {
	case '1':
		*ret = (struct extent) { 1, 1 };
		return true;
	case '2':
		*ret = (struct extent) { 2, 2 };
		return true;
	case '4':
		*ret = (struct extent) { 4, 4 };
		return true;
	case '8':
	case 'd':
		*ret = (struct extent) { 8, abi->align8 };
		return true;
	case 'p':
		*ret = (struct extent) { p, p };
		return true;
	case 'l':
		*ret = (struct extent) { abi->long_size, abi->long_size };
		return true;
	case 'w':
		*ret = (struct extent) { abi->wchar_size, abi->wchar_size };
		return true;
	case 'D':
		*ret = (struct extent) { abi->long_double,
					 abi->long_double == 12 ? 4 : abi->long_double };
		return true;
	/* Windows: SRWLOCK and CONDITION_VARIABLE are one pointer each (Python/condvar.h) */
	case 'M':
		*ret = (struct extent) { abi->windows ? p : mutex, p };
		return true;
	case 'C':
		*ret = (struct extent) { abi->windows ? p : 48, abi->windows ? p : abi->align8 };
		return true;
	}
	return false;
}

/*
 * "=path" after a member: its end is skipped, the slot filled in. The first of several paths of
 * one field stays.
 */
static void name_slot(struct walk *w, const char **p, struct scry_slot slot, bool emit)
{
	if (**p != '=')
		return;
	const char *path = ++*p;

	*p += strcspn(path, " )>}");
	if (!emit)
		return;
	enum scry_field f = scry_field_by_path(w->s, path, (size_t)(*p - path));

	if (f == SCRY_F_COUNT) {
		w->bad = true;
	} else {
		scry_layout_put(w->l, f, slot, SCRY_FROM_ROW);
	}
}

static uint32_t align_up(uint32_t at, uint32_t align)
{
	return (at + align - 1) / align * align;
}

static uint32_t number(const char **p)
{
	char *end;
	unsigned long n = strtoul(*p, &end, 10);

	*p = end;
	return n > 1 << 20 ? 0 : (uint32_t)n;
}

/*
 * "{2=state.interned 3=state.kind}" after a unit's type: widths from the lowest bit on, "+8" first
 * where the members before occupy 8 bits of the unit. gcc lets bit-fields begin inside their unit
 * and the next member begin at the next byte; MSVC does neither. *at is the end of the members
 * before and goes to the end of the bit-fields.
 */
static void bit_fields(struct walk *w, const char **p, uint32_t base, uint32_t *at, uint32_t unit,
		       bool emit)
{
	unsigned shift = 0;
	uint32_t start = align_up(*at, unit);

	if (**p == '+') {
		++*p;
		shift = number(p);
		if (w->abi->windows)
			shift = 0;
		else
			start = *at / unit * unit;
		*p += strspn(*p, " ");
	}
	while (!w->bad && **p && **p != '}') {
		unsigned bits = number(p);
		/* big-endian compilers allocate from the highest bit */
		unsigned low = w->abi->big_endian ? 8 * unit - shift - bits : shift;

		name_slot(w, p,
			  (struct scry_slot) { base + start, (uint16_t)unit, (uint8_t)low,
					       (uint8_t)bits },
			  emit);
		shift += bits;
		w->bad = w->bad || bits == 0 || shift > 8 * unit;
		*p += strspn(*p, " ");
	}
	*p += **p == '}';
	*at = start + (w->abi->windows ? unit : (shift + 7) / 8);
}

static struct extent members(struct walk *w, const char **p, char end, uint32_t base, bool emit);

/* "@TYPE": another row as one member. Its fields belong to its own struct. */
static struct extent reference(struct walk *w, enum scry_struct s)
{
	const char *text = s < SCRY_S_COUNT ? w->texts[s] : NULL;

	if (!text || w->depth >= DEPTH_MAX) {
		w->bad = true;
		return (struct extent) { 1, 1 };
	}
	w->depth++;
	struct extent e = members(w, &text, '\0', 0, false);

	w->depth--;
	if (w->known && w->known->size[s])
		e.size = w->known->size[s];
	return e;
}

static struct extent named_reference(struct walk *w, const char **p)
{
	const char *id = *p;

	*p += strspn(id, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
	return reference(w, scry_struct_by_id(id, (size_t)(*p - id)));
}

/*
 * The extent of one element after its count; *p goes after the type. Nested structs are only
 * measured.
 */
static struct extent element(struct walk *w, const char **p)
{
	struct extent e = { 1, 1 };
	char type = *(*p)++;

	switch (type) {
	case 'O':
		return reference(w, SCRY_S_OBJECT);
	case 'V':
		return reference(w, SCRY_S_VAR);
	case '@':
		return named_reference(w, p);
	case '(':
		return members(w, p, ')', 0, false);
	case '<':
		return members(w, p, '>', 0, false);
	}
	if (!type_extent(type, w->abi, &e)) {
		w->bad = true;
		*p -= type == '\0';
	}
	return e;
}

static uint32_t count_of(const char **p)
{
	++*p;
	uint32_t count = number(p);

	*p += **p == ']';
	return count;
}

/* A member that is not a bit-field, from its type to its name; *at goes to its end. */
static void plain(struct walk *w, const char **p, const char *body, struct extent e, uint32_t base,
		  uint32_t *at, uint32_t count, bool array, bool emit)
{
	uint32_t start = align_up(*at, e.align);
	/* a flexible array has the size of one element: size 0 means that there is no such field */
	uint32_t size = e.size * (count ? count : 1);

	if (emit && !array && (*body == '(' || *body == '<')) {
		const char *again = body + 1;

		members(w, &again, *body == '(' ? ')' : '>', base + start, true);
	}
	name_slot(w, p,
		  (struct scry_slot) { base + start,
				       (uint16_t)(size > UINT16_MAX ? UINT16_MAX : size) },
		  emit);
	*at = start + e.size * count;
}

/* One member at or after *at, which goes to its end. `whole` grows with it. */
static void member(struct walk *w, const char **p, uint32_t base, uint32_t *at, bool emit,
		   struct extent *whole)
{
	uint32_t end = *at;
	bool holds = condition(w, p), array = **p == '[';
	uint32_t count = array ? count_of(p) : 1;
	const char *body = *p;
	struct extent e = element(w, p);

	if (**p == '%') {
		uint32_t align = (++*p, number(p));

		e.align = align > e.align && align <= 4096 ? align : e.align;
	}
	if (**p == '{') {
		++*p;
		bit_fields(w, p, base, &end, e.size, emit && holds);
	} else {
		plain(w, p, body, e, base, &end, count, array, emit && holds);
	}
	if (!holds)
		return;
	*at = end;
	if (e.align > whole->align)
		whole->align = e.align;
	if (end > whole->size)
		whole->size = end;
}

/* The members up to `end` (the end of the text, or a closing bracket, which is skipped). */
static struct extent members(struct walk *w, const char **p, char end, uint32_t base, bool emit)
{
	struct extent whole = { 0, 1 };
	uint32_t at = 0;

	if (++w->depth > DEPTH_MAX)
		w->bad = true;
	for (*p += strspn(*p, " "); !w->bad && **p && **p != end; *p += strspn(*p, " ")) {
		if (strcmp(*p, "...") == 0) {
			w->cut = true;
			*p += 3;
			break;
		}
		if (end == '>')
			at = 0;
		member(w, p, base, &at, emit, &whole);
	}
	w->depth--;
	if (**p == end)
		*p += end != '\0';
	else if (!w->cut)
		w->bad = true;
	whole.size = align_up(whole.size, whole.align);
	return whole;
}

bool scry_row_lay_out(const char *const texts[SCRY_S_COUNT], enum scry_struct s,
		      const struct scry_flavour *flavour, const struct scry_abi *abi,
		      struct scry_layout *l)
{
	return scry_row_lay_out_known(texts, s, flavour, abi, NULL, l);
}

bool scry_row_lay_out_known(const char *const texts[SCRY_S_COUNT], enum scry_struct s,
			    const struct scry_flavour *flavour, const struct scry_abi *abi,
			    const struct scry_layout *known, struct scry_layout *l)
{
	struct walk w = { .texts = texts,
			  .abi = abi,
			  .l = l,
			  .known = known,
			  .s = s,
			  .flags = flags_of(flavour, abi) };
	const char *p = texts[s];

	if (!p)
		return false;
	struct extent e = members(&w, &p, '\0', 0, true);

	if (w.bad)
		return false;
	l->size[s] = w.cut ? 0 : e.size;
	l->source[s] = SCRY_FROM_ROW;
	return true;
}
