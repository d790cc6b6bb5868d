/** What the resolver's sources share. Each fills in an empty layout; the resolver joins them. */
#ifndef SCRY_LAYOUT_SOURCES_H
#define SCRY_LAYOUT_SOURCES_H

#include "layout/rows.h"

/** The field of struct `s` that has this member path, or SCRY_F_COUNT. */
enum scry_field scry_field_by_path(enum scry_struct s, const char *path, size_t len);
/**
 * Only PyMemberDef tables of the interpreter's own types (PyCode_Type, PyFrame_Type ...), found by
 * symbol; `base` says where tp_members is and how wide fields are. SCRY_ENOTFOUND where no table
 * could be read.
 */
int scry_layout_from_members(struct scry_session *s, struct scry_module *m,
			     const struct scry_layout *base, struct scry_layout *l);
/** Set a slot and its source, unless it is set already. */
void scry_layout_put(struct scry_layout *l, enum scry_field f, struct scry_slot slot,
		     enum scry_source source);

#endif
