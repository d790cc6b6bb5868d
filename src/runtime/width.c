/*
 * How wide the characters of 2.7's unicode are. A symbol tells, where the binary is here;
 * sys.maxunicode tells always (Python/sysmodule.c, _PySys_Init()).
 */
#include <string.h>

#include "runtime/find.h"

#define SLOTS_MAX (1u << 16)

/* PyDictEntry of 2.7: the hash, the key, the value; Include/dictobject.h */
static bool value_of(struct scry_runtime *r, scry_addr dict, const char *name, scry_addr *ret)
{
	unsigned ptr = r->session->target->abi.ptr_size;
	scry_addr table, key;
	const char *text;
	uint64_t mask;

	if (scry_field_read(r, dict, SCRY_F_DICT_MASK, &mask) < 0 || mask >= SLOTS_MAX ||
	    scry_field_read(r, dict, SCRY_F_DICT_TABLE, &table) < 0)
		return false;
	for (uint64_t i = 0; i <= mask; i++) {
		scry_addr entry = table + 3 * i * ptr;

		if (scry_read_ptr(r->session, entry + ptr, &key) == SCRY_OK && key &&
		    scry_text_at(r, key, 32, &text) == SCRY_OK && !strcmp(text, name))
			return scry_read_ptr(r->session, entry + 2 * ptr, ret) == SCRY_OK;
	}
	return false;
}

void scry_width_learn(struct scry_runtime *r)
{
	int64_t largest;
	scry_addr value;

	if (!scry_layout_has(r->layout, SCRY_F_OLD_INT_VALUE))
		return;
	for (struct scry_interp *i = r->interps; i; i = i->next)
		if (i->sysdict && value_of(r, i->sysdict, "maxunicode", &value) &&
		    scry_field_read_int(r, value, SCRY_F_OLD_INT_VALUE, &largest) == SCRY_OK &&
		    (largest == 0xffff || largest == 0x10ffff))
			r->layout->flavour.narrow = largest == 0xffff;
}
