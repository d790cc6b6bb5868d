/* Layouts: rows against facts, debug offsets sound and damaged, the resolver. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout/rows.h"

#define V(major, minor) (SCRY_VERSION_OF(major, minor, 0))

static const struct scry_abi linux64 = { .ptr_size = 8,
					 .long_size = 8,
					 .align8 = 8,
					 .wchar_size = 4,
					 .long_double = 16,
					 .mutex_size = 40 };
static const struct scry_abi win64 = { .ptr_size = 8,
				       .long_size = 4,
				       .align8 = 8,
				       .wchar_size = 2,
				       .long_double = 8,
				       .windows = true };
static const struct scry_abi i386 = {
	.ptr_size = 4, .long_size = 4, .align8 = 4, .wchar_size = 4, .long_double = 12
};
static const struct scry_abi aarch64 = { .ptr_size = 8,
					 .long_size = 8,
					 .align8 = 8,
					 .wchar_size = 4,
					 .long_double = 16,
					 .mutex_size = 48 };
static const struct scry_abi *const abis[] = { &linux64, &win64, &i386, &aarch64 };
static const uint32_t versions[] = { V(2, 7),  V(3, 3),  V(3, 4),  V(3, 5),  V(3, 6),
				     V(3, 7),  V(3, 8),  V(3, 9),  V(3, 10), V(3, 11),
				     V(3, 12), V(3, 13), V(3, 14), V(3, 15) };

#define COUNT(a) (sizeof(a) / sizeof(*(a)))

static void rows_of(uint32_t version, const struct scry_abi *abi, struct scry_layout *l)
{
	struct scry_flavour f = { .version = version };

	assert_int_equal(scry_layout_from_rows(&f, abi, l), SCRY_OK);
}

static unsigned offset(const struct scry_layout *l, enum scry_field f)
{
	if (l->slot[f].size == 0)
		fail_msg("no %s", scry_field_name(f));
	return l->slot[f].offset;
}

/* _PyInterpreterFrame of 3.11 (Include/internal/pycore_frame.h): 32 48 56 69 72 on Linux x86-64. */
static void frame_3_11(void **state)
{
	(void)state;
	static struct scry_layout l;

	rows_of(V(3, 11), &linux64, &l);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_CODE), 32);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_PREVIOUS), 48);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_PREV_INSTR), 56);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_OWNER), 69);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_SLOTS), 72);
	rows_of(V(3, 11), &i386, &l);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_CODE), 16);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_OWNER), 37);
	assert_int_equal(offset(&l, SCRY_F_IFRAME_SLOTS), 40);
}

/*
 * Every row of every version is well-formed in every flavour on every ABI, and its fields lie
 * inside the struct.
 */
static void rows_well_formed(void **state)
{
	(void)state;
	static struct scry_layout l;

	for (size_t v = 0; v < COUNT(versions); v++) {
		for (unsigned bits = 0; bits < 8 * COUNT(abis); bits++) {
			struct scry_flavour f = { .version = versions[v],
						  .debug = bits & 1,
						  .trace_refs = bits & 2,
						  .free_threaded = bits & 4 };

			assert_int_equal(scry_layout_from_rows(&f, abis[bits / 8], &l), SCRY_OK);
			for (int i = 0; i < SCRY_F_COUNT; i++) {
				uint32_t size = l.size[scry_field_struct(i)];

				/* a flexible array begins where the struct ends */
				if (l.slot[i].size && size && l.slot[i].offset > size)
					fail_msg("%s outside its struct", scry_field_name(i));
			}
		}
	}
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(scry_field_name(SCRY_F_THREAD_NEXT), "thread.next");
	assert_string_equal(scry_field_name(SCRY_F_IFRAME_PREV_INSTR), "iframe.prev_instr");
	assert_int_equal(scry_field_struct(SCRY_F_TYPE_MRO), SCRY_S_TYPE);
	assert_int_equal(scry_struct_first_field(SCRY_S_VAR), SCRY_F_VAR_SIZE);
	assert_int_equal(scry_struct_by_id("HEAP_TYPE", 9), SCRY_S_HEAP_TYPE);
	assert_int_equal(scry_field_path_rank(SCRY_F_INTERP_MODULES, "modules", 7), 1);
	assert_int_equal(scry_field_path_rank(SCRY_F_INTERP_MODULES, "module", 6), -1);
}

/* --- facts --- */

struct fact {
	enum scry_field field;
	int at[9]; /* 3.6 to 3.14 on 64-bit Windows; -1: no such field */
};

/*
 * Read from the headers as MSVC lays them out, and seen in dumps of real processes but for 3.10 and
 * 3.14.
 */
static const struct fact win64_facts[] = {
	{ SCRY_F_RUNTIME_INTERP_HEAD, { -1, 24, 32, 32, 32, 40, 40, 632, 808 } },
	{ SCRY_F_RUNTIME_CURRENT, { -1, 1320, 1296, 496, 496, 504, -1, -1, -1 } },
	{ SCRY_F_INTERP_NEXT, { 0, 0, 0, 0, 0, 0, 0, 7264, 7272 } },
	{ SCRY_F_INTERP_THREADS, { 8, 8, 8, 8, 8, 16, 72, 7336, 7336 } },
	{ SCRY_F_THREAD_IDENT, { 152, 176, 176, 176, 176, 152, 136, 152, 152 } },
	{ SCRY_F_THREAD_FRAME, { 24, 24, 24, 24, 24, -1, -1, -1, -1 } },
	{ SCRY_F_THREAD_CFRAME, { -1, -1, -1, -1, 48, 56, 56, -1, -1 } },
	{ SCRY_F_THREAD_CURRENT_FRAME, { -1, -1, -1, -1, -1, -1, -1, 72, 72 } },
	{ SCRY_F_CFRAME_CURRENT_FRAME, { -1, -1, -1, -1, -1, 8, 0, -1, -1 } },
	{ SCRY_F_FRAME_BACK, { 24, 24, 24, 24, 24, 16, 16, 16, 16 } },
	{ SCRY_F_FRAME_LASTI, { 120, 104, 104, 104, 96, -1, -1, -1, -1 } },
	{ SCRY_F_FRAME_SLOTS, { 376, 360, 360, 360, 352, -1, -1, -1, -1 } },
	{ SCRY_F_IFRAME_PREVIOUS, { -1, -1, -1, -1, -1, 48, 8, 8, 8 } },
	{ SCRY_F_IFRAME_CODE, { -1, -1, -1, -1, -1, 32, 0, 0, 0 } },
	{ SCRY_F_IFRAME_OWNER, { -1, -1, -1, -1, -1, 69, 70, 70, 74 } },
	{ SCRY_F_IFRAME_SLOTS, { -1, -1, -1, -1, -1, 72, 72, 72, 80 } },
	{ SCRY_F_CODE_FILENAME, { 96, 96, 104, 104, 104, 112, 112, 112, 112 } },
	{ SCRY_F_CODE_NAME, { 104, 104, 112, 112, 112, 120, 120, 120, 120 } },
	{ SCRY_F_CODE_FIRSTLINE, { 36, 36, 40, 40, 40, 72, 68, 68, 68 } },
	{ SCRY_F_CODE_ADAPTIVE, { -1, -1, -1, -1, -1, 184, 192, 200, 208 } },
	{ SCRY_F_TUPLE_ITEMS, { 24, 24, 24, 24, 24, 24, 24, 24, 32 } },
	{ SCRY_F_LIST_ITEMS, { 24, 24, 24, 24, 24, 24, 24, 24, 24 } },
	{ SCRY_F_TYPE_NAME, { 24, 24, 24, 24, 24, 24, 24, 24, 24 } },
	{ SCRY_F_TYPE_FLAGS, { 168, 168, 168, 168, 168, 168, 168, 168, 168 } },
	{ SCRY_F_ASCII_STATE, { 32, 32, 32, 32, 32, 32, 32, 32, 32 } },
	{ SCRY_F_OBJECT_TYPE, { 8, 8, 8, 8, 8, 8, 8, 8, 8 } },
};

static void win64_rows(void **state)
{
	(void)state;
	static struct scry_layout l;

	for (unsigned v = 0; v < 9; v++) {
		rows_of(V(3, 6 + v), &win64, &l);
		for (size_t i = 0; i < COUNT(win64_facts); i++) {
			struct scry_slot slot = l.slot[win64_facts[i].field];
			int at = slot.size ? (int)slot.offset : -1;

			if (at != win64_facts[i].at[v])
				fail_msg("3.%u: %s at %d, not %d", 6 + v,
					 scry_field_name(win64_facts[i].field), at,
					 win64_facts[i].at[v]);
		}
		/* unsigned long */
		assert_int_equal(l.slot[SCRY_F_TYPE_FLAGS].size, 4);
		assert_int_equal(l.slot[SCRY_F_THREAD_IDENT].size, 4);
		assert_int_equal(l.size[SCRY_S_ASCII], v < 6 ? 48 : 40);
		assert_int_equal(l.size[SCRY_S_COMPACT], v < 6 ? 72 : 56);
		assert_int_equal(l.slot[SCRY_F_ASCII_KIND].shift, 2);
		assert_int_equal(l.slot[SCRY_F_ASCII_COMPACT].shift, 5);
		assert_int_equal(l.slot[SCRY_F_ASCII_ASCII].shift, 6);
	}
}

/* The number behind "key": in a flat JSON object, or -1. */
static long json_number(const char *json, const char *key)
{
	const char *at = strstr(json, key);

	return at ? strtol(at + strlen(key), NULL, 10) : -1;
}

static unsigned compare_json(const char *json, const char *name, const struct scry_layout *l)
{
	unsigned n = 0;

	for (int f = 0; f < SCRY_F_COUNT; f++) {
		char key[200], c_names[100], paths[200], *rest, *more;

		snprintf(c_names, sizeof(c_names), "%s", scry_struct_c_names(scry_field_struct(f)));
		for (char *c = strtok_r(c_names, "|", &rest); c; c = strtok_r(NULL, "|", &rest)) {
			snprintf(paths, sizeof(paths), "%s", scry_field_paths(f));
			for (char *p = strtok_r(paths, "|", &more); p;
			     p = strtok_r(NULL, "|", &more)) {
				snprintf(key, sizeof(key), "%s.%s\":", c, p);
				long at = json_number(json, key);

				if (at < 0)
					continue;
				if (!l->slot[f].size || l->slot[f].offset != at)
					fail_msg("%s: %s at %u, not %ld", name, scry_field_name(f),
						 l->slot[f].offset, at);
				n++;
			}
		}
	}
	return n;
}

/* Offsets that another compiler found, where the notes that hold them are at hand. */
static void rows_beside_notes(void **state)
{
	(void)state;
	static struct scry_layout l;
	const char *dir = getenv("PYSCRY_OFFSETS");
	unsigned files = 0;

	if (!dir)
		dir = SOURCE_ROOT "/../shared/notes/offsets";
	for (unsigned v = 6; v <= 14; v++) {
		for (int windows = 0; windows < 2; windows++) {
			static char json[16384];
			char path[600];

			snprintf(path, sizeof(path), "%s/%s64-3.%u.json", dir,
				 windows ? "win" : "linux", v);
			FILE *file = fopen(path, "r");

			if (!file)
				continue;
			json[fread(json, 1, sizeof(json) - 1, file)] = '\0';
			fclose(file);
			files++;
			rows_of(V(3, v), windows ? &win64 : &linux64, &l);
			assert_true(compare_json(json, path, &l) > 20);
		}
	}
	if (!files) {
		print_message("# no offsets to compare with: set PYSCRY_OFFSETS\n");
		skip();
	}
}

/* --- debug offsets --- */

/* The words behind the cookie in three release builds on Linux x86-64: 3.13.0, 3.14.10, 3.15.2. */
static const uint64_t table_3_13[] = { 51183856, 0,    283320, 608,  632, 194968, 7272, 7264, 7344,
				       7400,     7656, 7640,   7648, 16,  7752,   0,    7768, 7760,
				       304,      0,    8,      16,   72,  152,    160,  232,  32,
				       80,       8,    0,      56,   72,  70,     208,  112,  120,
				       128,      136,  68,     52,   96,  104,    200,  16,   8,
				       416,      24,   88,     168,  32,  24,     16,   40,   24,
				       16,       48,   32,     40,   24,  16,     32,   16,   24,
				       40,       16,   32,     64,   32,  16,     40,   240,  200 };
static const uint64_t table_3_14[] = {
	51251952, 0,    316616, 784,  808,  225864, 7280, 7272, 7344, 7360, 7408, 7688, 7672, 7680,
	16,       7784, 0,      7800, 7792, 7992,   0,    832,  0,    8,    16,   72,   152,  160,
	232,      32,   88,     8,    0,    56,     80,   74,   64,   0,    216,  112,  120,  128,
	136,      68,   52,     96,   104,  208,    0,    16,   8,    416,  24,   88,   168,  40,
	32,       16,   40,     24,   16,   200,    24,   40,   32,   48,   32,   40,   24,   16,
	32,       16,   24,     40,   16,   32,     64,   32,   16,   40,   264,  192,  160,  24,
	72,       67,   0,      8,    24,   304,    8076, 0,    4,    512
};
static const uint64_t table_3_15[] = {
	51315440, 0,    346568, 912,  936,  226240, 7272, 7264, 7336, 7352, 7400, 7592, 7576, 7584,
	16,       7736, 0,      7752, 7744, 7944,   0,    888,  0,    8,    16,   72,   80,   88,
	96,       176,  184,    256,  32,   36,     40,   136,  288,  0,    88,   8,    0,    56,
	80,       74,   64,     0,    216,  112,    120,  128,  136,  68,   52,   96,   104,  208,
	0,        16,   8,      424,  24,   88,     168,  32,   288,  944,  888,  40,   32,   16,
	40,       24,   16,     200,  24,   40,     32,   48,   32,   40,   24,   16,   32,   16,
	24,       40,   16,     32,   64,   32,     16,   40,   56,   176,  112,  120,  1120, 104,
	160,      24,   72,     67,   0,    8,      24,   344,  8028, 0,    4,    512
};
static const struct {
	const uint64_t *words;
	size_t count;
} tables[] = {
	{ table_3_13, COUNT(table_3_13) },
	{ table_3_14, COUNT(table_3_14) },
	{ table_3_15, COUNT(table_3_15) },
};

#define TABLE_AT 0x10000

/* A target of one table. */
struct memory {
	uint8_t bytes[8 * 160];
	size_t len;
};

static const uint8_t *memory_view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	struct memory *m = t->state;

	if (addr < TABLE_AT || addr >= TABLE_AT + m->len)
		return NULL;
	*ret_len = m->len - (addr - TABLE_AT);
	return m->bytes + (addr - TABLE_AT);
}

static const struct scry_target_ops memory_ops = { .name = "memory", .view = memory_view };

static void load_table(struct memory *m, size_t i)
{
	memcpy(m->bytes, "xdebugpy", 8);
	for (size_t k = 0; k < tables[i].count; k++)
		for (unsigned b = 0; b < 8; b++)
			m->bytes[8 + 8 * k + b] = (uint8_t)(tables[i].words[k] >> 8 * b);
	m->len = 8 + 8 * tables[i].count;
}

static void check_inside(const struct scry_layout *l)
{
	for (int f = 0; f < SCRY_F_COUNT; f++) {
		uint32_t size = l->size[scry_field_struct(f)];

		if (l->slot[f].size && size && l->slot[f].offset > size)
			fail_msg("%s outside its struct", scry_field_name(f));
	}
}

/* What a sound table says is what the row of its version says. */
static void offsets_sound(void **state)
{
	(void)state;
	struct memory m;
	struct scry_session *s = scry_session_new();
	struct scry_target t = { .ops = &memory_ops, .session = s, .state = &m, .abi = linux64 };
	static struct scry_layout l, row;

	s->target = &t;
	for (size_t i = 0; i < COUNT(tables); i++) {
		unsigned n = 0;

		load_table(&m, i);
		assert_int_equal(scry_layout_from_offsets(s, TABLE_AT, &l), SCRY_OK);
		assert_int_equal(l.flavour.version, tables[i].words[0]);
		assert_int_equal(scry_layout_from_rows(&l.flavour, &linux64, &row), SCRY_OK);
		for (int f = 0; f < SCRY_F_COUNT; f++) {
			if (!l.slot[f].size)
				continue;
			n++;
			if (memcmp(&l.slot[f], &row.slot[f], sizeof(row.slot[f])) != 0)
				fail_msg("table %zu: %s at %u, row %u", i, scry_field_name(f),
					 l.slot[f].offset, row.slot[f].offset);
		}
		for (int k = 0; k < SCRY_S_COUNT; k++)
			if (l.size[k] && row.size[k])
				assert_int_equal(l.size[k], row.size[k]);
		assert_true(n > 50);
	}
	s->target = NULL;
	scry_session_free(s);
}

/*
 * Every bit flipped, and every cut: an error or a layout that stays inside its structs, nothing
 * else.
 */
static void offsets_damaged(void **state)
{
	(void)state;
	struct memory m;
	struct scry_session *s = scry_session_new();
	struct scry_target t = { .ops = &memory_ops, .session = s, .state = &m, .abi = linux64 };
	static struct scry_layout l;
	unsigned rejected = 0;

	s->target = &t;
	for (size_t i = 0; i < COUNT(tables); i++) {
		load_table(&m, i);
		for (size_t bit = 0; bit < 8 * m.len; bit++) {
			m.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (scry_layout_from_offsets(s, TABLE_AT, &l) == SCRY_OK)
				check_inside(&l);
			else
				rejected++;
			m.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (bit % 64 == 0)
				scry_arena_done(&s->arena);
		}
		for (size_t len = m.len; len > 8; len -= 8) {
			m.len = len - 1;
			scry_target_forget_view(&t);
			assert_int_not_equal(scry_layout_from_offsets(s, TABLE_AT, &l),
					     len > 8 * 72 ? 1 : SCRY_OK);
			scry_arena_done(&s->arena);
		}
	}
	assert_true(rejected > 10000);
	s->target = NULL;
	scry_session_free(s);
}

/* --- the resolver --- */

struct world {
	struct memory m;
	struct scry_session *s;
	struct scry_target t;
};

static void world_init(struct world *w, size_t table)
{
	load_table(&w->m, table);
	w->s = scry_session_new();
	w->t = (struct scry_target) {
		.ops = &memory_ops, .session = w->s, .state = &w->m, .abi = linux64
	};
	w->s->target = &w->t;
}

static void world_done(struct world *w)
{
	w->s->target = NULL;
	scry_session_free(w->s);
}

/* Word `i` behind the cookie, as in tables[]. */
static void set_word(struct world *w, size_t i, uint64_t value)
{
	for (unsigned b = 0; b < 8; b++)
		w->m.bytes[8 + 8 * i + b] = (uint8_t)(value >> 8 * b);
}

static struct scry_layout *resolve(struct world *w, uint32_t version)
{
	struct scry_layout_hints hints = { .flavour = { .version = version },
					   .debug_offsets = TABLE_AT };
	struct scry_layout *l;

	assert_int_equal(scry_layout_resolve(w->s, &hints, &l), SCRY_OK);
	return l;
}

static void resolver_fills_gaps(void **state)
{
	(void)state;
	struct world w;

	world_init(&w, 0);
	struct scry_layout *l = resolve(&w, 0);

	assert_string_equal(l->name, "debug offsets, built-in 3.13");
	assert_int_equal(l->field_source[SCRY_F_THREAD_NEXT], SCRY_FROM_OFFSETS);
	assert_int_equal(l->field_source[SCRY_F_THREAD_EXC_INFO], SCRY_FROM_ROW);
	assert_null(w.s->notes);
	world_done(&w);
}

/* A version of the future: its own offsets, the newest row for the rest. */
static void resolver_guesses(void **state)
{
	(void)state;
	struct world w;

	uint32_t last = scry_rows_cpython.last, next = (last & 0xffff0000) + 0x100a1;
	char name[96];

	snprintf(name, sizeof(name), "debug offsets, built-in %u.%u (a guess)",
		 SCRY_VERSION_MAJOR(last), SCRY_VERSION_MINOR(last));
	world_init(&w, 2);
	set_word(&w, 0, next);
	struct scry_layout *l = resolve(&w, 0);

	assert_string_equal(l->name, name);
	assert_int_equal(l->flavour.version, next);
	assert_true(l->guessed);
	assert_non_null(w.s->notes);
	world_done(&w);
}

/* Senseless offsets are not used at all; the row of the version that was known otherwise is. */
static void resolver_survives_damage(void **state)
{
	(void)state;
	struct world w;

	world_init(&w, 0);
	set_word(&w, 43, 12345678); /* sizeof(PyObject) */
	struct scry_layout *l = resolve(&w, V(3, 13) | 0xf0);

	assert_string_equal(l->name, "built-in 3.13");
	assert_non_null(w.s->notes);
	assert_int_equal(offset(l, SCRY_F_TYPE_NAME), 24);
	world_done(&w);
}

/*
 * Another size is another struct: of the row only what lies between fields on which both agree is
 * used. One field that differs is noted, the first wins.
 */
static void resolver_notes_disagreement(void **state)
{
	(void)state;
	struct world w;

	world_init(&w, 0);
	set_word(&w, 18, 320); /* sizeof(PyThreadState), 304 */
	set_word(&w, 36, 176); /* co_qualname, 128 */
	struct scry_layout *l = resolve(&w, 0);

	assert_int_equal(offset(l, SCRY_F_THREAD_EXC_INFO), 120);
	assert_false(scry_layout_has(l, SCRY_F_THREAD_EXC_STATE)); /* behind the last of them */
	assert_true(scry_layout_has(l, SCRY_F_THREAD_NEXT));
	assert_int_equal(offset(l, SCRY_F_CODE_QUALNAME), 176);
	assert_int_equal(l->field_source[SCRY_F_CODE_CONSTS], SCRY_FROM_ROW);
	assert_non_null(w.s->notes);
	world_done(&w);
}

static void resolver_needs_something(void **state)
{
	(void)state;
	struct world w;
	struct scry_layout_hints hints = { .flavour = { .version = V(2, 5) } };
	struct scry_layout *l;

	world_init(&w, 0);
	assert_int_equal(scry_layout_resolve(w.s, &hints, &l), SCRY_EUNSUPPORTED);
	world_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(frame_3_11),
		cmocka_unit_test(rows_well_formed),
		cmocka_unit_test(win64_rows),
		cmocka_unit_test(rows_beside_notes),
		cmocka_unit_test(offsets_sound),
		cmocka_unit_test(offsets_damaged),
		cmocka_unit_test(resolver_fills_gaps),
		cmocka_unit_test(resolver_guesses),
		cmocka_unit_test(resolver_survives_damage),
		cmocka_unit_test(resolver_notes_disagreement),
		cmocka_unit_test(resolver_needs_something),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
