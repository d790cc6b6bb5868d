/*
 * Joins the sources of a layout: what an earlier one knows stays, a later one fills gaps,
 * disagreements are noted.
 */
#include <stdio.h>
#include <string.h>

#include "layout/from_dwarf.h"
#include "symbol/dwarf.h"

struct join {
	struct scry_session *s;
	const struct scry_layout_hints *hints;
	struct scry_layout *l;    /* the result */
	struct scry_layout *row;  /* the built-in row, empty where there is none */
	struct scry_layout *next; /* a source's own layout, before it is joined */
	bool has_row, guessed;
};

static bool same_slot(struct scry_slot a, struct scry_slot b)
{
	/* sizes of arrays and nested structs may be known to one source only */
	return a.offset == b.offset && a.bits == b.bits && (!a.bits || a.shift == b.shift);
}

/*
 * A row of another version, or of a struct that grew: what of it is confirmed. Fields on which the
 * target's own tables and the row agree are landmarks, as is the struct's beginning, and its end
 * where both have the same size. What lies between two landmarks that follow each other was not
 * moved, since neither was. `*ret_from` and `*ret_to` are those around `at`.
 */
static void landmarks(const struct join *j, enum scry_struct s, const struct scry_layout *row,
		      uint32_t at, uint32_t *ret_from, uint32_t *ret_to)
{
	const struct scry_layout *l = j->l;
	int f = scry_struct_first_field(s);

	*ret_from = 0;
	*ret_to = l->size[s] && l->size[s] == row->size[s] ? l->size[s] : 0;
	for (; f < SCRY_F_COUNT && scry_field_struct((enum scry_field)f) == s; f++) {
		const struct scry_slot *known = &l->slot[f], *r = &row->slot[f];

		if (!known->size || !r->size || l->field_source[f] == SCRY_FROM_ROW)
			continue;
		if (same_slot(*known, *r)) {
			uint32_t end = r->offset + (r->size < known->size ? r->size : known->size);

			if (r->offset > at && (!*ret_to || r->offset < *ret_to))
				*ret_to = r->offset;
			else if (r->offset <= at && end > *ret_from)
				*ret_from = end;
			/* a nested struct of which the table knows the whole */
			if (r->offset <= at && end > at && (!*ret_to || end < *ret_to))
				*ret_from = r->offset, *ret_to = end;
		} else if (r->offset <= at || (*ret_to && r->offset < *ret_to)) {
			*ret_from = *ret_to = 0; /* moved: the fields on this side may be, too */
			if (r->offset > at)
				return;
		}
	}
}

static bool confirmed(const struct join *j, enum scry_field f, const struct scry_layout *row)
{
	const struct scry_slot *slot = &row->slot[f];
	uint32_t from, to;

	landmarks(j, scry_field_struct(f), row, slot->offset, &from, &to);
	return to && slot->offset >= from && slot->offset + slot->size <= to;
}

/*
 * Structs that compiled extensions are made with, by the stable ABI, cannot change; dictionaries'
 * keys are confirmed by their values (runtime/confirm.c).
 */
static bool is_confirmed_elsewhere(enum scry_struct s)
{
	return s == SCRY_S_MEMBER_DEF || s == SCRY_S_METHOD_DEF || s == SCRY_S_VAR ||
	       s == SCRY_S_KEYS || s == SCRY_S_ENTRY || s == SCRY_S_UNICODE_ENTRY;
}

/*
 * One struct of a source. Sizes that differ mean another struct: of a row then only what is
 * confirmed is taken, as of a row that was made for another version; of others nothing.
 */
static void join_struct(struct join *j, enum scry_struct s, const struct scry_layout *from)
{
	struct scry_layout *l = j->l;
	enum scry_source source = from->source[s];
	bool first = l->source[s] == SCRY_FROM_NOWHERE, differ = false, is_row = from == j->row;
	int f = scry_struct_first_field(s);

	if (source == SCRY_FROM_NOWHERE)
		return;
	bool other = l->size[s] && from->size[s] && l->size[s] != from->size[s];

	if (other)
		scry_remark(j->s, "layout of %s: %u bytes by %s, %u by %s, which is %s",
			    scry_struct_name(s), l->size[s], scry_source_name(l->source[s]),
			    from->size[s], scry_source_name(source),
			    is_row ? "used only where it agrees" : "not used for it");
	if (other && !is_row)
		return;
	bool only_confirmed = is_row && (other || (j->guessed && !is_confirmed_elsewhere(s)));

	for (; f < SCRY_F_COUNT && scry_field_struct((enum scry_field)f) == s; f++) {
		if (!from->slot[f].size)
			continue;
		if (l->slot[f].size && !same_slot(l->slot[f], from->slot[f]) && !differ) {
			scry_remark(j->s, "layout: %s at %u by %s, at %u by %s: the first is used",
				    scry_field_name((enum scry_field)f), l->slot[f].offset,
				    scry_source_name(l->field_source[f]), from->slot[f].offset,
				    scry_source_name(source));
			differ = true; /* one sentence per struct is enough */
		}
		if (!only_confirmed || confirmed(j, (enum scry_field)f, from))
			scry_layout_put(l, (enum scry_field)f, from->slot[f],
					from->field_source[f]);
	}
	if (!l->size[s] && !only_confirmed)
		l->size[s] = from->size[s];
	if (first && l->source[s] == SCRY_FROM_NOWHERE)
		l->source[s] = (uint8_t)source;
}

static void join_source(struct join *j, const struct scry_layout *from, const char *name)
{
	size_t len = strlen(j->l->name);

	for (int s = 0; s < SCRY_S_COUNT; s++)
		join_struct(j, (enum scry_struct)s, from);
	snprintf(j->l->name + len, sizeof(j->l->name) - len, "%s%s", len ? ", " : "", name);
}

static bool wanted(const struct join *j, enum scry_layout_choice choice)
{
	return j->hints->choice == SCRY_LAYOUT_AUTO || j->hints->choice == choice;
}

/* The table names the version and the build more surely than a file name does. */
static void join_offsets(struct join *j)
{
	if (!j->hints->debug_offsets || !wanted(j, SCRY_LAYOUT_OFFSETS))
		return;
	if (scry_layout_from_offsets(j->s, j->hints->debug_offsets, j->next) < 0) {
		scry_note(j->s, "%s", j->s->error.text);
		return;
	}
	j->l->flavour.version = j->next->flavour.version;
	j->l->flavour.free_threaded = j->next->flavour.free_threaded;
	join_source(j, j->next, scry_source_name(SCRY_FROM_OFFSETS));
}

/* The module of another version in the same process is not asked. */
static bool is_asyncio(const struct scry_module *m, uint32_t version)
{
	const char *tag = strstr(m->name, "cpython-");
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "cpython-%u%u", SCRY_VERSION_MAJOR(version),
		 SCRY_VERSION_MINOR(version));
	return !strncmp(m->name, "_asyncio.", 9) && (!tag || !strncmp(tag, wanted, strlen(wanted)));
}

/*
 * asyncio's table is a section of the module _asyncio, which may be part of the interpreter's file:
 * GENERATE_DEBUG_SECTION, Include/internal/pycore_debug_offsets.h. In PE files the names of
 * sections have eight letters.
 */
static scry_addr asyncio_table(struct join *j)
{
	static const char *const names[] = { ".AsyncioDebug", "AsyncioD" };
	struct scry_section section;

	for (struct scry_module *m = scry_module_first(j->s); m; m = m->next)
		for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
			if ((m == j->hints->module || is_asyncio(m, j->l->flavour.version)) &&
			    scry_module_section(m, names[i], &section) == SCRY_OK)
				return section.addr;
	return 0;
}

static void join_asyncio(struct join *j)
{
	scry_addr table;
	int rc;

	if (!wanted(j, SCRY_LAYOUT_OFFSETS) || !(table = asyncio_table(j)))
		return;
	rc = scry_layout_from_asyncio(j->s, table, j->l, j->next);
	if (rc == SCRY_OK)
		join_source(j, j->next, "asyncio's offsets");
	else if (rc == SCRY_ECORRUPT)
		scry_note(j->s, "%s", j->s->error.text);
}

/*
 * Does the target's own table say of every field and size that both have what the built-in row
 * says? Then the row is this build's.
 */
static bool offsets_confirm_row(const struct join *j)
{
	bool any = false;

	if (!j->hints->debug_offsets || !j->has_row || j->guessed)
		return false;
	for (int f = 0; f < SCRY_F_COUNT; f++) {
		if (j->l->field_source[f] != SCRY_FROM_OFFSETS || !j->row->slot[f].size)
			continue;
		if (!same_slot(j->l->slot[f], j->row->slot[f]))
			return false;
		any = true;
	}
	for (int s = 0; s < SCRY_S_COUNT; s++)
		if (j->l->size[s] && j->row->size[s] && j->l->size[s] != j->row->size[s])
			return false;
	return any;
}

/*
 * In AUTO, DWARF that must be decompressed or searched for elsewhere is not worth its time beside a
 * row, and none is beside a row that the target itself confirms.
 */
static void join_dwarf(struct join *j)
{
	unsigned flags = 0;
	bool only = j->hints->choice == SCRY_LAYOUT_DWARF || !j->has_row || j->guessed;

	if (!j->hints->module || !wanted(j, SCRY_LAYOUT_DWARF) ||
	    !scry_module_has_dwarf(j->hints->module, &flags))
		return;
	if (!only &&
	    (flags & (SCRY_DWARF_COMPRESSED | SCRY_DWARF_SEPARATE) || offsets_confirm_row(j)))
		return;
	Dwarf *dwarf = scry_module_dwarf(j->hints->module, NULL, NULL);

	if (dwarf && scry_layout_scan_dwarf(dwarf, j->hints->module, only, j->next) == SCRY_OK)
		join_source(j, j->next, scry_source_name(SCRY_FROM_DWARF));
}

static void join_members(struct join *j)
{
	if (!wanted(j, SCRY_LAYOUT_MEMBERS))
		return;
	const struct scry_layout *base = scry_layout_has(j->l, SCRY_F_TYPE_MEMBERS) ? j->l : j->row;

	/*
	 * the table of tables is the row's where no better source has it; its shape has not changed
	 * since 2.7
	 */
	if (!base->size[SCRY_S_MEMBER_DEF])
		base = j->row;
	if (scry_layout_from_members(j->s, j->hints->module, base, j->next) == SCRY_OK)
		join_source(j, j->next, "member tables");
}

static void find_row(struct join *j)
{
	j->has_row = j->l->flavour.version &&
		     scry_layout_known_rows(j->s, &j->l->flavour, j->l, j->row) == SCRY_OK;
	j->guessed =
		j->has_row && scry_version_is_newer(j->l->flavour.version, scry_rows_last(j->s));
}

static void join_row(struct join *j)
{
	uint32_t version = j->l->flavour.version;
	char name[48];

	if (!j->has_row)
		return;
	j->l->guessed = j->guessed;
	if (j->guessed) {
		version = scry_rows_last(j->s);
		scry_note(j->s,
			  "%u.%u is newer than the layouts built in: those of %u.%u are a guess",
			  SCRY_VERSION_MAJOR(j->l->flavour.version),
			  SCRY_VERSION_MINOR(j->l->flavour.version), SCRY_VERSION_MAJOR(version),
			  SCRY_VERSION_MINOR(version));
	}
	snprintf(name, sizeof(name), "built-in %u.%u%s", SCRY_VERSION_MAJOR(version),
		 SCRY_VERSION_MINOR(version), j->guessed ? " (a guess)" : "");
	join_source(j, j->row, name);
}

/* The user asked for one source only: say so where it had nothing to give. */
static void check_choice(struct join *j)
{
	static const uint8_t asked[] = { [SCRY_LAYOUT_OFFSETS] = SCRY_FROM_OFFSETS,
					 [SCRY_LAYOUT_DWARF] = SCRY_FROM_DWARF,
					 [SCRY_LAYOUT_MEMBERS] = SCRY_FROM_MEMBERS,
					 [SCRY_LAYOUT_ROWS] = SCRY_FROM_ROW };
	enum scry_layout_choice choice = j->hints->choice;

	if (choice == SCRY_LAYOUT_AUTO)
		return;
	for (int f = 0; f < SCRY_F_COUNT; f++)
		if (j->l->field_source[f] == asked[choice])
			return;
	scry_warn(j->s, "layout: no %s here; %s is used", scry_source_name(asked[choice]),
		  j->l->name);
}

int scry_layout_resolve(struct scry_session *s, const struct scry_layout_hints *hints,
			struct scry_layout **ret)
{
	struct join j = { .s = s, .hints = hints };

	j.l = scry_arena_alloc(&s->arena, sizeof(*j.l));
	j.row = scry_arena_alloc(&s->arena, sizeof(*j.row));
	j.next = scry_arena_alloc(&s->arena, sizeof(*j.next));
	if (!j.l || !j.row || !j.next)
		return scry_fail(s, SCRY_ENOMEM, 0, "out of memory");
	j.l->flavour = hints->flavour;
	join_offsets(&j);
	join_asyncio(&j);
	find_row(&j);
	join_dwarf(&j);
	join_members(&j);
	join_row(&j);
	if (!j.l->size[SCRY_S_OBJECT] || !scry_layout_has(j.l, SCRY_F_TYPE_NAME))
		return scry_fail(s, SCRY_EUNSUPPORTED, 0,
				 "no layout for Python %u.%u: no built-in row, no DWARF",
				 SCRY_VERSION_MAJOR(j.l->flavour.version),
				 SCRY_VERSION_MINOR(j.l->flavour.version));
	check_choice(&j);
	*ret = j.l;
	return SCRY_OK;
}
