/* The depth of the value stack by the code alone: passes over it, as its compiler laid it out. */
#include "object/stack_depth.h"

#include <stdlib.h>
#include <string.h>

#include "object/model.h"

#define CODE_MAX   (1u << 18) /* bytes of code that are looked at */
#define DEPTH_MAX  0x3fff
#define PASSES_MAX 4 /* what only a jump back leads to is met in the next pass */
#define UNKNOWN    (-1)
#define BAD        (-2) /* two ways to get there do not agree */
/* of handlers */
#define DONE       (-2)
#define OF_FINALLY 0x4000 /* beside the depth: it is a finally block's */
#define ANY_WAY    255    /* which way was come is not known */

/* What instructions do to it, by version: tools/gen_stack_effects.py. */
static const struct effect_row {
	uint32_t since;
	const char *words; /* NAME:A:FORM:B:JUMP, in the order of names */
} effect_rows[] = {
#include "object/stack_effects.inc"
};

enum role {
	PLAIN,
	ENDS,         /* what follows is not reached from here */
	EXTENDS,      /* EXTENDED_ARG */
	SETS_HANDLER, /* its jump is for an exception */
	SETS_FINALLY, /* the same, of a finally or with block (from 3.8 on of any) */
	ENDS_FINALLY, /* END_FINALLY: of a finally block, or of handlers where none fits */
	STANDS_IN,    /* a tool put it in the place of another one */
	NAMES_KEYWORDS,
	PREPARES_CALL,
	CALLS,
};

/* What one number of an instruction does. */
struct step {
	signed char a, b, jump;
	char form, kind;
	unsigned char caches, role;
	bool back; /* it jumps back */
};

/* Of a runtime's version, made once. */
struct scry_steps {
	struct scry_instructions names; /* of no code yet */
	struct step step[256];
};

struct scry_depths {
	uint32_t count; /* of units: two bytes, or one */
	int16_t *at;
	/* where handlers of exceptions begin: the depth then, unless another way leads there too */
	int16_t *handler;
	/*
	 * finally blocks around, where the depth may differ: a byte for each, the innermost lowest;
	 * the depth after its begin by the way before it
	 */
	uint32_t *nested;
	struct keywords {
		uint32_t unit, constant;
	} * keywords;
	size_t keyword_count, keyword_room;
};

/* --- the table --- */

struct word {
	const char *name;
	size_t len;
};

static int by_name(const void *key, const void *item)
{
	const struct word *k = key, *w = item;
	int rc = strncmp(k->name, w->name, k->len < w->len ? k->len : w->len);

	return rc ? rc : (k->len > w->len) - (k->len < w->len);
}

static size_t split(const char *words, struct word *ret, size_t room)
{
	size_t n = 0;

	for (const char *p = words; p && n < room; p = strchr(p, ' '), p = p ? p + 1 : NULL)
		ret[n++] = (struct word) { p, strcspn(p, ":") };
	return n;
}

static void read_effect(const struct word *w, struct step *s)
{
	char *p = NULL;

	s->a = (signed char)strtol(w->name + w->len + 1, &p, 10);
	s->form = p[1];
	s->b = (signed char)strtol(p + 3, &p, 10);
	s->jump = (signed char)strtol(p + 1, &p, 10);
}

static const struct {
	const char *name;
	enum role role;
} roles[] = {
	{ "RETURN_VALUE", ENDS },
	{ "RETURN_CONST", ENDS },
	{ "RAISE_VARARGS", ENDS },
	{ "RERAISE", ENDS },
	{ "JUMP_FORWARD", ENDS },
	{ "JUMP_BACKWARD", ENDS },
	{ "JUMP_BACKWARD_NO_INTERRUPT", ENDS },
	{ "JUMP_ABSOLUTE", ENDS },
	{ "CONTINUE_LOOP", ENDS },
	{ "BREAK_LOOP", ENDS },
	{ "INTERPRETER_EXIT", ENDS },
	{ "EXTENDED_ARG", EXTENDS },
	{ "SETUP_EXCEPT", SETS_HANDLER },
	{ "SETUP_FINALLY", SETS_FINALLY },
	{ "SETUP_WITH", SETS_FINALLY },
	{ "SETUP_ASYNC_WITH", SETS_FINALLY },
	{ "END_FINALLY", ENDS_FINALLY },
	{ "INSTRUMENTED_LINE", STANDS_IN },
	{ "INSTRUMENTED_INSTRUCTION", STANDS_IN },
	{ "KW_NAMES", NAMES_KEYWORDS },
	{ "PRECALL", PREPARES_CALL },
	{ "CALL", CALLS },
};

static bool is_named(const struct word *w, const char *name)
{
	return !strncmp(w->name, name, w->len) && !name[w->len];
}

/* By the word of the row of names: [BASE/]NAME:KIND:CACHES */
static void fill_step(const char *text, const struct word *effects, size_t count, struct step *s)
{
	struct word w = { text, strcspn(text, ":/") };
	const char *colon = strchr(text, ':');
	const struct word *found = bsearch(&w, effects, count, sizeof(*effects), by_name);

	*s = (struct step) { .form = '.', .kind = colon[1] };
	if (found)
		read_effect(found, s);
	s->caches = (unsigned char)strtoul(colon + 3, NULL, 10);
	for (size_t i = 0; i < sizeof(roles) / sizeof(*roles); i++)
		if (is_named(&w, roles[i].name))
			s->role = (unsigned char)roles[i].role;
	s->back = memmem(w.name, w.len, "BACKWARD", 8);
	/* whose argument says where it comes from; which leaves blocks on its way */
	if (is_named(&w, "END_ASYNC_FOR") || is_named(&w, "CONTINUE_LOOP"))
		s->kind = '-';
}

static const struct scry_steps *steps_of(struct scry_code *c)
{
	struct scry_runtime *r = c->runtime;
	const struct effect_row *row = SCRY_SINCE(effect_rows, r->version);
	struct word effects[256];

	if (r->steps || !row || scry_model_of(r)->code) /* of CPython's byte codes only */
		return r->steps;
	struct scry_steps *steps = scry_arena_alloc(&r->session->arena, sizeof(*steps));
	if (!steps || scry_instructions_open(&steps->names, c) < 0)
		return NULL;
	size_t count = split(row->words, effects, 256);
	for (unsigned i = 0; i < 256; i++)
		if (steps->names.words[i])
			fill_step(steps->names.words[i], effects, count, &steps->step[i]);
		else
			steps->step[i] = (struct step) { .form = '.', .role = ENDS };
	return r->steps = steps;
}

/* --- a pass --- */

struct pass {
	struct scry_code *code;
	struct scry_instructions names;
	const struct scry_steps *steps;
	struct scry_depths *depths;
	const uint8_t *bytes;
	uint32_t size, unit; /* bytes of the code, and of what a depth is kept for */
	bool in_words, leaving_unwinds, changed;
};

struct decoded {
	const struct step *step;
	uint32_t arg, end; /* where the next one starts */
};

static bool decode(const struct pass *p, uint32_t at, uint32_t extended, struct decoded *ret)
{
	const struct step *s = &p->steps->step[p->bytes[at]];

	if (s->role == STANDS_IN)
		s = &p->steps->step[scry_opcode_original(&p->names, at / 2, p->bytes[at])];
	ret->step = s;
	if (p->unit == 2) {
		ret->end = at + 2 + 2u * s->caches;
		ret->arg = at + 2 <= p->size ? extended << 8 | p->bytes[at + 1] : 0;
		return at + 2 <= p->size;
	}
	ret->end = at + (s->kind == '.' ? 1 : 3);
	ret->arg = 0;
	if (ret->end <= p->size && s->kind != '.')
		ret->arg = extended << 16 | p->bytes[at + 1] | (uint32_t)p->bytes[at + 2] << 8;
	return ret->end <= p->size;
}

static int effect_of(const struct decoded *d)
{
	const struct step *s = d->step;
	uint32_t arg = d->arg, x = 0;

	if (s->form == 'n')
		x = arg;
	else if (s->form == 'p')
		x = (uint32_t)__builtin_popcount(arg & 15);
	else if (s->form == 'x' || s->form == 'f')
		x = (arg & 255) + (s->form == 'f' ? 2 : 1) * (arg >> 8 & 255);
	else if (s->form != '.')
		x = arg >> (s->form - '0') & 1;
	return s->a + s->b * (int)(x < DEPTH_MAX ? x : DEPTH_MAX);
}

static void reach(struct pass *p, int64_t at, int depth, uint32_t nested)
{
	struct scry_depths *d = p->depths;

	if (at < 0 || at >= p->size || at % p->unit)
		return;
	uint32_t unit = (uint32_t)at / p->unit;
	if (d->at[unit] == UNKNOWN) {
		d->at[unit] = depth < 0 || depth > DEPTH_MAX ? BAD : (int16_t)depth;
		d->nested[unit] = nested;
		p->changed = true;
	} else if (d->at[unit] != depth) {
		d->at[unit] = BAD;
	}
}

static void set_handler(struct pass *p, int64_t at, int depth, bool is_finally)
{
	if (at < 0 || at >= p->size || at % p->unit || depth < 0 || depth > DEPTH_MAX)
		return;
	int16_t *handler = &p->depths->handler[at / p->unit];
	if (*handler != DONE)
		*handler = (int16_t)(depth | (is_finally ? OF_FINALLY : 0));
}

static int64_t target_of(const struct pass *p, const struct decoded *d)
{
	int64_t distance = (int64_t)d->arg * (p->in_words ? 2 : 1);

	return d->step->kind == 'a' ? distance : d->end + (d->step->back ? -distance : distance);
}

/*
	 * The end of a finally block leads on where the way before it came in: with that depth, or
	 * one
	 * less where a with block's __exit__() is gone. The end of handlers, none of which fits,
	 * does not.
	 */
static bool leads_on(int depth, uint32_t *nested)
{
	uint32_t begin = *nested & 255;

	*nested >>= 8;
	return begin != ANY_WAY && (begin == (uint32_t)depth + 1 || begin == (uint32_t)depth + 2);
}

/* What is reached from an instruction. */
static void follow(struct pass *p, const struct decoded *d, int depth, uint32_t nested)
{
	const struct step *s = d->step;
	int after = depth + effect_of(d);

	if (s->kind == 'r' || s->kind == 'a') {
		if (s->role == SETS_HANDLER || s->role == SETS_FINALLY)
			set_handler(p, target_of(p, d), after + s->jump,
				    s->role == SETS_FINALLY && p->leaving_unwinds);
		else
			reach(p, target_of(p, d), after + s->jump, nested);
	}
	if (s->role == ENDS || (s->role == ENDS_FINALLY && !leads_on(depth, &nested)))
		return;
	reach(p, d->end, after, nested);
}

/*
 * A handler is reached by an exception; up to 3.8 a finally block by the way before it too, up to
 * 3.7 by what leaves the block as well (return): then the depth in it is not known.
 */
static void begin_handler(struct pass *p, uint32_t at)
{
	struct scry_depths *d = p->depths;
	uint32_t unit = at / p->unit;
	int depth = d->at[unit], handler = d->handler[unit], begin = depth + 1;

	if (handler < 0)
		return;
	d->handler[unit] = DONE;
	if (depth == UNKNOWN)
		reach(p, at, handler & DEPTH_MAX, handler & OF_FINALLY ? ANY_WAY : 0);
	else if (depth >= 0 && depth != (handler & DEPTH_MAX))
		d->nested[unit] =
			d->nested[unit] << 8 | (uint32_t)(begin < ANY_WAY ? begin : ANY_WAY);
}

static void note_keywords(struct pass *p, uint32_t unit, uint32_t constant)
{
	struct scry_depths *d = p->depths;
	struct keywords *list =
		scry_arena_grow(&p->code->runtime->session->arena, d->keywords, d->keyword_count,
				&d->keyword_room, sizeof(*list), 8);

	if (!list)
		return;
	d->keywords = list;
	list[d->keyword_count++] = (struct keywords) { unit, constant };
}

static void one_pass(struct pass *p)
{
	struct scry_depths *depths = p->depths;
	uint32_t extended = 0, constant = UINT32_MAX;
	struct decoded d;

	depths->keyword_count = 0;
	for (uint32_t at = 0; at < p->size && decode(p, at, extended, &d); at = d.end) {
		uint32_t unit = at / p->unit;
		enum role role = d.step->role;

		begin_handler(p, at);
		if (role == NAMES_KEYWORDS)
			constant = d.arg;
		else if ((role == CALLS || role == PREPARES_CALL) && constant != UINT32_MAX)
			note_keywords(p, unit, constant);
		if (role == CALLS)
			constant = UINT32_MAX;
		extended = role == EXTENDS ? d.arg : 0;
		if (depths->at[unit] >= 0)
			follow(p, &d, depths->at[unit], depths->nested[unit]);
	}
}

/* 3.11+: where exceptions lead is a table; the exception is pushed, and where it came from. */
static void read_handlers(struct pass *p)
{
	struct scry_exception_table t;
	struct scry_exception_entry e;

	scry_exception_table_open(&t, p->code);
	while (scry_exception_table_next(&t, &e) == SCRY_ITEM)
		set_handler(p, e.target, (int)(e.depth & DEPTH_MAX) + e.lasti + 1, false);
}

static struct scry_depths *make(struct scry_arena *arena, uint32_t count)
{
	struct scry_depths *d = scry_arena_alloc(arena, sizeof(*d));
	int16_t *at = d ? scry_arena_alloc(arena, 2 * sizeof(*at) * (size_t)count) : NULL;

	if (!at || !(d->nested = scry_arena_alloc(arena, count * sizeof(*d->nested))))
		return NULL;
	d->at = at;
	d->handler = at + count;
	d->count = count;
	memset(at, 0xff, 2 * sizeof(*at) * (size_t)count);
	return d;
}

static void compute(struct scry_code *c, struct scry_depths *d, const uint8_t *bytes)
{
	struct scry_runtime *r = c->runtime;
	struct pass p = { .code = c, .depths = d, .bytes = bytes, .size = c->instructions_size };

	if (!(p.steps = steps_of(c)))
		return;
	p.names = p.steps->names;
	p.names.code = c;
	p.unit = scry_trait(r, SCRY_TRAIT_WORDCODE) ? 2 : 1;
	p.in_words = scry_trait(r, SCRY_TRAIT_COUNTS_WORDS);
	p.leaving_unwinds = scry_trait(r, SCRY_TRAIT_LEAVING_UNWINDS);
	read_handlers(&p);
	reach(&p, 0, 0, 0);
	for (unsigned i = 0; i < PASSES_MAX && p.changed; i++) {
		p.changed = false;
		one_pass(&p);
	}
}

static const struct scry_depths *depths_of(struct scry_code *c)
{
	struct scry_session *s = c->runtime->session;
	uint32_t size = c->instructions_size;
	unsigned unit = scry_trait(c->runtime, SCRY_TRAIT_WORDCODE) ? 2 : 1;

	if (c->depths || c->damaged || !size || size > CODE_MAX)
		return c->depths;
	struct scry_depths *d = make(&s->arena, size / unit + 1);
	uint8_t *bytes = d ? malloc(size) : NULL;
	struct scry_error before = s->error;

	if (bytes && scry_read(s, c->instructions, bytes, size) == SCRY_OK)
		compute(c, d, bytes);
	s->error = before;
	free(bytes);
	return c->depths = d;
}

int scry_stack_depth(struct scry_code *c, int64_t offset)
{
	const struct scry_depths *d = depths_of(c);
	int64_t unit = offset / (scry_trait(c->runtime, SCRY_TRAIT_WORDCODE) ? 2 : 1);

	if (!d || unit < 0 || unit >= d->count || d->nested[unit])
		return UNKNOWN;
	return d->at[unit];
}

bool scry_keywords_of(struct scry_code *c, int64_t offset, uint32_t *ret_constant)
{
	const struct scry_depths *d = depths_of(c);

	for (size_t i = 0; d && i < d->keyword_count; i++)
		if (d->keywords[i].unit == offset / 2) {
			*ret_constant = d->keywords[i].constant;
			return true;
		}
	return false;
}

bool scry_instruction_at(struct scry_code *c, int64_t offset, struct scry_instruction *ret)
{
	const struct scry_steps *steps = steps_of(c);

	if (offset < 0 || offset >= c->instructions_size || !steps)
		return false;
	struct scry_instructions w = steps->names;
	w.code = c;
	w.at = (uint32_t)offset;
	return scry_instruction_next(&w, ret) == SCRY_ITEM;
}
