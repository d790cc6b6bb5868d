/**
 * Where the fields of the interpreter's structs are in this target. fields.def names them; sources
 * fill them in, in this order per struct: validated _Py_DebugOffsets (3.13+), DWARF, PyMemberDef
 * tables, the built-in row.
 */
#ifndef SCRY_LAYOUT_H
#define SCRY_LAYOUT_H

#include "base/since.h"
#include "target/target.h"

#define STRUCT(s, title, names) SCRY_S_##s,
#define FIELD(s, f, names)
enum scry_struct {
#include "layout/fields.def"
	SCRY_S_COUNT
};
#undef STRUCT
#undef FIELD

#define STRUCT(s, title, names)
#define FIELD(s, f, names) SCRY_F_##s##_##f,
enum scry_field {
#include "layout/fields.def"
	SCRY_F_COUNT
};
#undef STRUCT
#undef FIELD

/** Where one field is in its struct. */
struct scry_slot {
	uint32_t offset;
	/* bytes; 0: the layout has no such field. Of an array or nested struct, the whole size */
	uint16_t size;
	/* bits != 0: a bit-field of `bits` bits, `shift` from the lowest of the `size` bytes */
	uint8_t shift, bits;
};

/** Where a fact of a layout comes from. */
enum scry_source {
	SCRY_FROM_NOWHERE,
	SCRY_FROM_OFFSETS,
	SCRY_FROM_DWARF,
	SCRY_FROM_MEMBERS,
	SCRY_FROM_ROW
};

/** How a build of one version differs from another. */
struct scry_flavour {
	/* as PY_VERSION_HEX; the lower 16 bits may be 0 when only the minor is known */
	uint32_t version;
	bool debug;         /* Py_DEBUG */
	bool trace_refs;    /* Py_TRACE_REFS: every object starts with two more pointers */
	bool free_threaded; /* Py_GIL_DISABLED */
	bool stackless;     /* Stackless Python */
	bool narrow;        /* 2.7 with 16-bit Py_UNICODE */
};

/**
 * All that is known of where fields are. In the session's arena; not changed once it is resolved.
 */
struct scry_layout {
	struct scry_slot slot[SCRY_F_COUNT];
	uint8_t field_source[SCRY_F_COUNT]; /* enum scry_source */
	uint32_t size[SCRY_S_COUNT];        /* sizeof, 0 unknown */
	/* enum scry_source: where most of the struct came from */
	uint8_t source[SCRY_S_COUNT];
	struct scry_flavour flavour;
	/* the version is newer than all rows: the layout has only what the target confirms */
	bool guessed;
	char name[96]; /* for people: "debug offsets, built-in 3.13" */
};

struct scry_module;

/** What the resolver may use. */
struct scry_layout_hints {
	struct scry_flavour flavour;
	/* the one that has the interpreter, for DWARF and type symbols; may be NULL */
	struct scry_module *module;
	scry_addr debug_offsets; /* address of a _Py_DebugOffsets with its cookie, or 0 */
	enum scry_layout_choice choice;
};

/**
 * Make a layout, in the session's arena. SCRY_EUNSUPPORTED where no source knows the version.
 */
int scry_layout_resolve(struct scry_session *s, const struct scry_layout_hints *hints,
			struct scry_layout **ret);
/**
 * Only the built-in rows, for any ABI: what the tests compare with DWARF. SCRY_ENOTFOUND where
 * there are none.
 */
int scry_layout_from_rows(const struct scry_flavour *flavour, const struct scry_abi *abi,
			  struct scry_layout *l);
/**
 * Only _Py_DebugOffsets at `addr`: read, checked against its own version and sizes as hostile
 * input. Also sets l->flavour.version and free_threaded. SCRY_ECORRUPT where it makes no sense.
 */
int scry_layout_from_offsets(struct scry_session *s, scry_addr addr, struct scry_layout *l);
/**
 * Only asyncio's table at `addr` (3.14+): what it says of tasks, and of the interpreter's and the
 * threads' lists of them, checked against `known`. SCRY_ENOTFOUND before 3.14; SCRY_ECORRUPT where
 * it makes no sense.
 */
int scry_layout_from_asyncio(struct scry_session *s, scry_addr addr,
			     const struct scry_layout *known, struct scry_layout *l);
/** "thread.next"; static. */
const char *scry_field_name(enum scry_field f);
/** The struct that has the field; its name, "thread" (static). */
enum scry_struct scry_field_struct(enum scry_field f);
const char *scry_struct_name(enum scry_struct s);
/** The struct whose id in fields.def is this text ("TYPE"), or SCRY_S_COUNT. */
enum scry_struct scry_struct_by_id(const char *id, size_t len);
/** The C names of a struct, best first, split by '|'. */
const char *scry_struct_c_names(enum scry_struct s);
/** The member paths of a field, best first, split by '|'. */
const char *scry_field_paths(enum scry_field f);
/** Which of the field's member paths this is, counted from 0; -1 none. */
int scry_field_path_rank(enum scry_field f, const char *path, size_t len);
/** The first field of a struct; its fields follow up to that of the next struct. */
enum scry_field scry_struct_first_field(enum scry_struct s);
/** "debug offsets", "DWARF" ..., as py-info writes it; static. */
const char *scry_source_name(enum scry_source source);

/** Does the layout have the field? False: the version has none, or its place is not known. */
static inline bool scry_layout_has(const struct scry_layout *l, enum scry_field f)
{
	return l->slot[f].size != 0;
}

#endif
