/**
 * What is at an address of machine code: module, function, source line, inlined functions.
 * Remembered by address.
 */
#ifndef SCRY_PLACE_H
#define SCRY_PLACE_H

#include <elfutils/libdw.h>

#include "native/native.h"

/** A function of the source. */
struct scry_c_function {
	const char *name; /* NULL unknown */
	const char *file; /* as the compiler wrote it, NULL unknown */
	int line;         /* 0 unknown */
	bool inlined;     /* into the next one, at whose line the call stands */
};

/** What is known of an address of code; kept until refresh, since recursion asks for it often. */
struct scry_place {
	struct scry_module *module; /* NULL: in no module */
	/* the function that covers the address; name NULL: none does */
	struct scry_symbol symbol;
	bool searched; /* DWARF was asked */
	/* innermost first, the last one not inlined; set by scry_place_functions() */
	struct scry_c_function *functions;
	/* without DWARF one that has only a name; 0: nothing is known */
	size_t count;
};

/** NULL only when out of memory. For a return address give the byte before it. */
struct scry_place *scry_place_at(struct scry_session *s, scry_addr addr);
/** Find the functions by DWARF, or else by the symbol; C++ names in their readable form. */
void scry_place_functions(struct scry_session *s, struct scry_place *place, scry_addr addr);
#define SCRY_INLINED_MAX 64
/**
 * The DWARF entries of the functions around an address, outermost first (the reverse of
 * scry_place_functions()), at most SCRY_INLINED_MAX. Returns how many; 0: no DWARF covers it.
 * *ret_bias: what to add to the file's addresses.
 */
unsigned scry_place_dies(struct scry_session *s, scry_addr addr, scry_addr *ret_bias,
			 Dwarf_Die *ret);
void scry_places_close(struct scry_session *s);

#endif
