/*
 * _Py_DebugOffsets, 3.13+: the interpreter's own table of offsets, at the start of _PyRuntime. A
 * target may be damaged or lie, so nothing of it is used before all of it makes sense.
 */
#include <string.h>

#include "layout/sources.h"

#define WORDS_MAX  160
#define HEAD_WORDS 3 /* cookie, version, free_threaded */

/*
 * The words after the head, one token each: "#S" the size of struct S, whose fields the tokens
 * after it name by member path; "S:path" a field of another struct; "S:base>path" a field given
 * relative to `base`; "-" not used here.
 */

/* Include/internal/pycore_runtime.h, v3.13.0 to v3.13.15; the same in all of them */
static const char format_3_13[] =
	"#RUNTIME _finalizing interpreters.head "
	"#INTERP id next threads.head gc imports.modules sysdict builtins ceval.gil - - - - "
	"#THREAD prev next interp current_frame thread_id native_thread_id datastack_chunk _status "
	"#IFRAME previous f_executable instr_ptr localsplus owner "
	"#CODE co_filename co_name co_qualname co_linetable co_firstlineno co_argcount "
	"co_localsplusnames "
	"co_localspluskinds co_code_adaptive "
	"#OBJECT ob_type #TYPE tp_name tp_repr tp_flags #TUPLE ob_item VAR:ob_size #LIST ob_item "
	"VAR:ob_size "
	"#DICT ma_keys ma_values #FLOAT ob_fval #LONG long_value.lv_tag long_value.ob_digit "
	"#BYTES VAR:ob_size ob_sval #UNICODE ASCII:state ASCII:length #ASCII - "
	"INTERP:gc>gc.collecting";

/* Include/internal/pycore_debug_offsets.h, v3.14.0 to v3.14.7 */
static const char format_3_14[] =
	"#RUNTIME _finalizing interpreters.head "
	"#INTERP id next threads.head threads.main gc imports.modules sysdict builtins ceval.gil - "
	"- - - - - "
	"#THREAD prev next interp current_frame thread_id native_thread_id datastack_chunk _status "
	"#IFRAME previous f_executable instr_ptr localsplus owner stackpointer tlbc_index "
	"#CODE co_filename co_name co_qualname co_linetable co_firstlineno co_argcount "
	"co_localsplusnames "
	"co_localspluskinds co_code_adaptive co_tlbc "
	"#OBJECT ob_type #TYPE tp_name tp_repr tp_flags #TUPLE ob_item VAR:ob_size #LIST ob_item "
	"VAR:ob_size "
	"#SET used table mask #DICT ma_keys ma_values #FLOAT ob_fval #LONG long_value.lv_tag "
	"long_value.ob_digit "
	"#BYTES VAR:ob_size ob_sval #UNICODE ASCII:state ASCII:length #ASCII - "
	"INTERP:gc>gc.collecting "
	"#GEN gi_name gi_iframe gi_frame_state - - - - - - - -";

/* Include/internal/pycore_debug_offsets.h, v3.15.0b4 to v3.15.0rc1 */
static const char format_3_15[] =
	"#RUNTIME _finalizing interpreters.head "
	"#INTERP id next threads.head threads.main gc imports.modules sysdict builtins ceval.gil - "
	"- - - - - "
	"#THREAD prev next interp current_frame - - - thread_id native_thread_id datastack_chunk "
	"_status "
	"holds_gil gil_requested current_exception exc_state EXC_INFO:exc_value "
	"#IFRAME previous f_executable instr_ptr localsplus owner stackpointer tlbc_index "
	"#CODE co_filename co_name co_qualname co_linetable co_firstlineno co_argcount "
	"co_localsplusnames "
	"co_localspluskinds co_code_adaptive co_tlbc "
	"#OBJECT ob_type #TYPE tp_name tp_repr tp_flags tp_basicsize tp_dictoffset #HEAP_TYPE "
	"ht_cached_keys "
	"#TUPLE ob_item VAR:ob_size #LIST ob_item VAR:ob_size "
	"#SET used table mask #DICT ma_keys ma_values #FLOAT ob_fval #LONG long_value.lv_tag "
	"long_value.ob_digit "
	"#BYTES VAR:ob_size ob_sval #UNICODE ASCII:state ASCII:length #ASCII #COMPACT "
	"- INTERP:gc>gc.collecting INTERP:gc>gc.frame - - "
	"#GEN gi_name gi_iframe gi_frame_state - - - - - - - -";

static const struct format {
	uint32_t since;
	const char *text;
} formats[] = {
	{ SCRY_VERSION_OF(3, 13, 0), format_3_13 },
	{ SCRY_VERSION_OF(3, 14, 0), format_3_14 },
	{ SCRY_VERSION_OF(3, 15, 0), format_3_15 },
};

/* A table being read: its words, and the layout of the row that says how wide its fields are. */
struct table {
	struct scry_session *s;
	scry_addr addr;
	uint64_t words[WORDS_MAX];
	size_t count;
	const struct scry_layout *row;
	struct scry_layout *l;
};

static const char *format_for(uint32_t version)
{
	const struct format *row = SCRY_SINCE(formats, version);

	return row ? row->text : NULL;
}

static bool plausible_version(uint64_t v)
{
	unsigned level = v >> 4 & 15; /* alpha, beta, candidate, final */

	return v >> 24 == 3 && (v >> 16 & 255) >= 13 && (v >> 16 & 255) < 64 && level >= 10 &&
	       (level <= 12 || level == 15);
}

static int nonsense(struct table *t, const char *what, uint64_t value)
{
	return scry_fail(t->s, SCRY_ECORRUPT, t->addr,
			 "debug offsets at 0x%llx make no sense: %s is %llu",
			 (unsigned long long)t->addr, what, (unsigned long long)value);
}

static int set_size(struct table *t, enum scry_struct s, uint64_t size)
{
	uint64_t max = s == SCRY_S_RUNTIME || s == SCRY_S_INTERP ? 16 << 20 : 1 << 16;

	if (size < 4 || size > max || size % 4)
		return nonsense(t, scry_struct_name(s), size);
	t->l->size[s] = (uint32_t)size;
	t->l->source[s] = SCRY_FROM_OFFSETS;
	return SCRY_OK;
}

/* Bit-fields of `state` move with it; their places inside come from the row. */
static void move_state_bits(struct table *t, uint64_t state)
{
	const struct scry_slot *row = t->row->slot;

	for (int f = SCRY_F_ASCII_INTERNED; f <= SCRY_F_ASCII_READY; f++) {
		if (!row[f].size || !row[SCRY_F_ASCII_STATE].size)
			continue;
		struct scry_slot slot = row[f];

		slot.offset = (uint32_t)(state + row[f].offset - row[SCRY_F_ASCII_STATE].offset);
		scry_layout_put(t->l, (enum scry_field)f, slot, SCRY_FROM_OFFSETS);
	}
}

static int set_field(struct table *t, enum scry_field f, uint64_t offset, uint64_t base)
{
	enum scry_struct s = scry_field_struct(f);
	struct scry_slot slot = t->row->slot[f];
	unsigned ptr = t->s->target->abi.ptr_size,
		 width = slot.size && slot.size < ptr ? slot.size : ptr;
	uint64_t room = t->l->size[s] ? t->l->size[s] : 1 << 16;

	if (!slot.size && !scry_version_is_newer(t->l->flavour.version, scry_rows_last(t->s)))
		return SCRY_OK; /* 0 for what only a free-threaded build has */
	if (offset > room || base + offset > room || (base + offset) % (width ? width : 1))
		return nonsense(t, scry_field_name(f), offset);
	slot.offset = (uint32_t)(base + offset);
	if (!slot.size)
		slot.size = (uint16_t)ptr; /* newer than our newest row */
	if (t->l->slot[f].size && t->l->slot[f].offset != slot.offset)
		/* VAR:ob_size comes several times */
		return nonsense(t, scry_field_name(f), offset);
	scry_layout_put(t->l, f, slot, SCRY_FROM_OFFSETS);
	if (f == SCRY_F_ASCII_STATE)
		move_state_bits(t, offset);
	return SCRY_OK;
}

/* One token and its word; `*s` is the struct whose fields are being named. */
static int take(struct table *t, const char *token, size_t len, uint64_t word, enum scry_struct *s)
{
	enum scry_struct of = *s;
	uint64_t base = 0;
	const char *split;

	if (token[0] == '-')
		return SCRY_OK;
	if (token[0] == '#') {
		*s = scry_struct_by_id(token + 1, len - 1);
		return *s < SCRY_S_COUNT ? set_size(t, *s, word) : SCRY_EINVAL;
	}
	if ((split = memchr(token, ':', len))) {
		of = scry_struct_by_id(token, (size_t)(split - token));
		len -= (size_t)(split + 1 - token);
		token = split + 1;
	}
	if ((split = memchr(token, '>', len))) {
		enum scry_field f = scry_field_by_path(of, token, (size_t)(split - token));

		base = f < SCRY_F_COUNT ? t->l->slot[f].offset : 0;
		len -= (size_t)(split + 1 - token);
		token = split + 1;
	}
	enum scry_field f = of < SCRY_S_COUNT ? scry_field_by_path(of, token, len) : SCRY_F_COUNT;

	return f < SCRY_F_COUNT ? set_field(t, f, word, base) : SCRY_EINVAL;
}

static int take_all(struct table *t, const char *text)
{
	enum scry_struct s = SCRY_S_COUNT;

	for (size_t i = 0; *text; i++) {
		size_t len = strcspn(text, " ");
		int rc = i < t->count ? take(t, text, len, t->words[i], &s) : SCRY_ECORRUPT;

		if (rc < 0)
			return rc;
		text += len;
		text += strspn(text, " ");
	}
	return SCRY_OK;
}

static int read_words(struct table *t, const char *text, unsigned head)
{
	for (const char *p = text; p; p = strchr(p, ' '), p = p ? p + 1 : p)
		t->count++;
	if (t->count > WORDS_MAX)
		return SCRY_EINVAL;
	for (size_t i = 0; i < t->count; i++) {
		int rc = scry_read_uint(t->s, t->addr + 8 * (head + i), 8, &t->words[i]);

		if (rc < 0)
			return rc;
	}
	return SCRY_OK;
}

/*
 * Sizes may come after the fields: all that was taken is inside its struct. A flexible array
 * begins where it ends.
 */
static int check_room(struct table *t)
{
	for (int f = 0; f < SCRY_F_COUNT; f++) {
		uint32_t size = t->l->size[scry_field_struct((enum scry_field)f)];

		if (t->l->slot[f].size && size && t->l->slot[f].offset > size)
			return nonsense(t, scry_field_name((enum scry_field)f),
					t->l->slot[f].offset);
	}
	return SCRY_OK;
}

/*
 * What has been so since 1991 or cannot be otherwise; a table of a format that we do not know fails
 * here.
 */
static int cross_check(struct table *t)
{
	const struct scry_slot *slot = t->l->slot;
	unsigned ptr = t->s->target->abi.ptr_size;

	if (slot[SCRY_F_OBJECT_TYPE].offset + ptr != t->l->size[SCRY_S_OBJECT])
		return nonsense(t, "object.type", slot[SCRY_F_OBJECT_TYPE].offset);
	if (slot[SCRY_F_VAR_SIZE].offset != t->l->size[SCRY_S_OBJECT])
		return nonsense(t, "var_object.size", slot[SCRY_F_VAR_SIZE].offset);
	if (slot[SCRY_F_TYPE_NAME].offset != t->l->size[SCRY_S_OBJECT] + ptr)
		return nonsense(t, "type.name", slot[SCRY_F_TYPE_NAME].offset);
	if (slot[SCRY_F_FLOAT_VALUE].offset != t->l->size[SCRY_S_OBJECT])
		return nonsense(t, "float.value", slot[SCRY_F_FLOAT_VALUE].offset);
	if (slot[SCRY_F_THREAD_NEXT].offset == slot[SCRY_F_THREAD_PREV].offset)
		return nonsense(t, "thread.next", slot[SCRY_F_THREAD_NEXT].offset);
	return SCRY_OK;
}

/* The version and the build from the head, and the row that knows the widths of the fields. */
static int read_head(struct table *t, struct scry_layout *row)
{
	uint64_t version, free_threaded;
	char cookie[8];
	int rc = scry_read(t->s, t->addr, cookie, sizeof(cookie));

	if (rc < 0)
		return rc;
	if (memcmp(cookie, "xdebugpy", 8) != 0)
		return scry_fail(t->s, SCRY_ECORRUPT, t->addr,
				 "no debug offsets at 0x%llx: the cookie is missing",
				 (unsigned long long)t->addr);
	if ((rc = scry_read_uint(t->s, t->addr + 8, 8, &version)) < 0 ||
	    (rc = scry_read_uint(t->s, t->addr + 16, 8, &free_threaded)) < 0)
		return rc;
	if (!plausible_version(version))
		return nonsense(t, "version", version);
	if (free_threaded > 1)
		return nonsense(t, "free_threaded", free_threaded);
	t->l->flavour = (struct scry_flavour) { .version = (uint32_t)version,
						.free_threaded = free_threaded == 1 };
	return scry_layout_known_rows(t->s, &t->l->flavour, NULL, row);
}

int scry_layout_from_offsets(struct scry_session *s, scry_addr addr, struct scry_layout *l)
{
	struct scry_layout *row = scry_arena_alloc(&s->arena, sizeof(*row));
	struct table t = { .s = s, .addr = addr, .row = row, .l = l };
	int rc;

	if (!row)
		return SCRY_ENOMEM;
	memset(l, 0, sizeof(*l));
	if ((rc = read_head(&t, row)) < 0)
		return rc;
	const char *text = format_for(l->flavour.version);

	if ((rc = read_words(&t, text, HEAD_WORDS)) < 0 || (rc = take_all(&t, text)) < 0)
		return rc;
	if ((rc = check_room(&t)) < 0)
		return rc;
	return cross_check(&t);
}

/* --- asyncio's own table --- */

/*
 * _Py_AsyncioModuleDebugOffsets, Modules/_asynciomodule.c, v3.14.0 to v3.15.0: no cookie, no
 * version
 */
static const struct format asyncio_formats[] = {
	{ SCRY_VERSION_OF(3, 14, 0),
	  "#TASK task_name task_awaited_by - task_awaited_by_is_set task_coro task_node "
	  "#INTERP asyncio_tasks_head #THREAD_IMPL asyncio_running_loop asyncio_running_task "
	  "asyncio_tasks_head" },
};

static bool inside(const struct scry_layout *l, enum scry_field f, unsigned len)
{
	uint32_t size = l->size[scry_field_struct(f)], at = l->slot[f].offset;

	return !l->slot[f].size || (at <= size && len <= size - at);
}

/*
 * What ties it to this interpreter: the size of its state, which the interpreter's own table has,
 * too.
 */
static int check_asyncio(struct table *t, const struct scry_layout *known)
{
	static const enum scry_field fields[] = { SCRY_F_TASK_NAME, SCRY_F_TASK_AWAITED_BY,
						  SCRY_F_TASK_CORO, SCRY_F_THREAD_IMPL_RUNNING_LOOP,
						  SCRY_F_THREAD_IMPL_RUNNING_TASK };
	static const enum scry_field nodes[] = { SCRY_F_TASK_NODE, SCRY_F_INTERP_ASYNCIO_TASKS,
						 SCRY_F_THREAD_IMPL_ASYNCIO_TASKS };
	const struct scry_layout *l = t->l;
	unsigned ptr = t->s->target->abi.ptr_size;

	if (known->size[SCRY_S_INTERP] && known->size[SCRY_S_INTERP] != l->size[SCRY_S_INTERP])
		return nonsense(t, "the size of the interpreter's state", l->size[SCRY_S_INTERP]);
	if (l->size[SCRY_S_THREAD_IMPL] < known->size[SCRY_S_THREAD])
		return nonsense(t, "the size of a thread's state", l->size[SCRY_S_THREAD_IMPL]);
	for (size_t i = 0; i < sizeof(fields) / sizeof(*fields); i++) {
		bool twice = i && fields[i] != SCRY_F_THREAD_IMPL_RUNNING_LOOP &&
			     l->slot[fields[i]].offset == l->slot[fields[i - 1]].offset;

		if (!inside(l, fields[i], ptr) ||
		    l->slot[fields[i]].offset < known->size[SCRY_S_OBJECT] || twice)
			return nonsense(t, scry_field_name(fields[i]), l->slot[fields[i]].offset);
	}
	for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++)
		if (!inside(l, nodes[i], 2 * ptr))
			return nonsense(t, scry_field_name(nodes[i]), l->slot[nodes[i]].offset);
	return SCRY_OK;
}

int scry_layout_from_asyncio(struct scry_session *s, scry_addr addr,
			     const struct scry_layout *known, struct scry_layout *l)
{
	struct scry_layout *row = scry_arena_alloc(&s->arena, sizeof(*row));
	struct table t = { .s = s, .addr = addr, .row = row, .l = l };
	const struct format *format = SCRY_SINCE(asyncio_formats, known->flavour.version);
	int rc;

	if (!row)
		return SCRY_ENOMEM;
	memset(l, 0, sizeof(*l));
	l->flavour = known->flavour;
	if (!format)
		return SCRY_ENOTFOUND;
	if ((rc = scry_layout_known_rows(s, &l->flavour, NULL, row)) < 0 ||
	    (rc = read_words(&t, format->text, 0)) < 0 || (rc = take_all(&t, format->text)) < 0)
		return rc;
	return check_asyncio(&t, known);
}
