/**
 * Built-in rows: the members of a struct in declaration order, as text (docs/layouts.md has the
 * grammar), from which offsets are computed for the target's ABI. A set of rows is one file:
 * CPython's, Stackless's, an extension module's.
 */
#ifndef SCRY_ROWS_H
#define SCRY_ROWS_H

#include "layout/layout.h"

/** One struct from one version on: the grammar of `text` is in docs/layouts.md. */
struct scry_row {
	/* as PY_VERSION_HEX: it holds from this version on, until a later row of the same struct */
	uint32_t since;
	uint8_t of;       /* enum scry_struct */
	const char *text; /* NULL: there is no such struct any more */
};

/** All rows of one interpreter, or of a module; static. */
struct scry_row_set {
	const char *name;            /* "CPython" */
	const struct scry_row *rows; /* in order of version */
	size_t count;
	/* oldest and newest version that the set was made for: major and minor count */
	uint32_t first, last;
};

extern const struct scry_row_set scry_rows_cpython;

/**
 * A future that the tests make up: the built-in rows end at `last`, and `change` alters their
 * texts, as if what is known were of an older version.
 */
struct scry_future {
	uint32_t last;
	void (*change)(const struct scry_future *future, const char *texts[SCRY_S_COUNT]);
};
/** The newest version that rows were made for, in this session. */
uint32_t scry_rows_last(const struct scry_session *s);
/**
 * Fill `l` from the rows of a version, for this session's target. Sizes of structs inside others
 * are those of `known`, where it has them (NULL: those of the rows).
 */
int scry_layout_known_rows(struct scry_session *s, const struct scry_flavour *flavour,
			   const struct scry_layout *known, struct scry_layout *l);

/**
 * Put the text of the row in force at `version` into texts[], for each struct that the set has.
 * Later calls, for other sets, add to it and override it.
 */
void scry_rows_choose(const struct scry_row_set *set, uint32_t version,
		      const char *texts[SCRY_S_COUNT]);
/**
 * Lay out struct `s` from texts[s]: set its slots, sources and size in `l`. False where the text is
 * malformed, which the tests rule out for built-in rows; slots from before the flaw stay.
 */
bool scry_row_lay_out(const char *const texts[SCRY_S_COUNT], enum scry_struct s,
		      const struct scry_flavour *flavour, const struct scry_abi *abi,
		      struct scry_layout *l);
/** The same with the sizes of inner structs from `known`, where it has them. */
bool scry_row_lay_out_known(const char *const texts[SCRY_S_COUNT], enum scry_struct s,
			    const struct scry_flavour *flavour, const struct scry_abi *abi,
			    const struct scry_layout *known, struct scry_layout *l);

#endif
