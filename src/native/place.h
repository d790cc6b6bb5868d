/**
 * What stands at an address of machine code: module, function, source line, inlined functions.
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

/** What is known of an address of code; kept until refresh, since a recursion asks for it often. */
struct scry_place {
	struct scry_module *module; /* NULL: in none */
	/* the function that covers the address; name NULL: none does */
	struct scry_symbol symbol;
	bool searched; /* DWARF was asked */
	/* innermost first, the last one not inlined; by scry_place_functions() */
	struct scry_c_function *functions;
	/* without DWARF one with a name alone; 0: nothing is known */
	size_t count;
};

/** Never NULL but when out of memory. For a return address give the one before it. */
struct scry_place *scry_place_at(struct scry_session *s, scry_addr addr);
/** Find out the functions by DWARF, or else by the symbol; names of C++ in their readable form. */
void scry_place_functions(struct scry_session *s, struct scry_place *place, scry_addr addr);
#define SCRY_INLINED_MAX 64
/**
 * The DWARF entries of the functions on the way down to an address, the outermost first, at most
 * SCRY_INLINED_MAX: in the order of scry_place_functions() backwards. How many; 0: no DWARF covers
 * it. What is added to the file's addresses goes to *ret_bias.
 */
unsigned scry_place_dies(struct scry_session *s, scry_addr addr, scry_addr *ret_bias,
			 Dwarf_Die *ret);
void scry_places_close(struct scry_session *s);

#endif
