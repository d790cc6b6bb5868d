/** The user's symbol maps: DIR/<file name of the module>.nm, which has what nm(1) printed. */
#ifndef SCRY_NM_H
#define SCRY_NM_H

#include "symbol/module.h"

/**
 * Read the module's map if the directory options.symbols has one, and set m->map. Lines that are
 * not nm's are skipped.
 */
void scry_symbol_map_open(struct scry_module *m);
void scry_symbol_map_close(struct scry_module *m);
int scry_symbol_map_find(struct scry_module *m, const char *name, struct scry_symbol *ret);
int scry_symbol_map_at(struct scry_module *m, scry_addr addr, struct scry_symbol *ret);

#endif
