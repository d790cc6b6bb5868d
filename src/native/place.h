/** What stands at an address of machine code: module, function, source line, inlined functions. Remembered by address. */
#ifndef SCRY_PLACE_H
#define SCRY_PLACE_H

#include "native/native.h"

/** A function of the source, as DWARF tells it. */
struct scry_c_function {
	const char *name;   /* NULL unknown */
	const char *file;   /* as the compiler wrote it, NULL unknown */
	int line;           /* 0 unknown */
	bool inlined;       /* into the next one, at whose line the call stands */
};

struct scry_place {
	struct scry_module *module;          /* NULL: in none */
	struct scry_symbol symbol;           /* the function that covers the address; name NULL: none does */
	bool searched;                       /* DWARF was asked */
	struct scry_c_function *functions;   /* innermost first, the last one not inlined; by scry_place_functions() */
	size_t count;                        /* 0: there is no DWARF for it */
};

/** Never NULL but when out of memory. For a return address give the one before it. */
struct scry_place *scry_place_at(struct scry_session *s, scry_addr addr);
/** Ask DWARF, where there is any, for the functions. */
void scry_place_functions(struct scry_session *s, struct scry_place *place, scry_addr addr);
void scry_places_close(struct scry_session *s);

#endif
