/* The exception table of code objects, 3.11 and later. */
#include "object/model.h"
#include "object/opcodes.h"

void scry_exception_table_open(struct scry_exception_table *t, const struct scry_code *c)
{
	struct scry_runtime *r = c->runtime;
	const struct scry_code_model *own = scry_model_of(r)->code;
	struct scry_text_view bytes;
	uint64_t size;

	*t = (struct scry_exception_table) { .runtime = r };
	if (own) {
		if (own->exception_table(c, &t->at, &size))
			t->end = t->at + size;
		return;
	}
	scry_addr object = scry_field_get(r, c->addr, SCRY_F_CODE_EXCEPTIONTABLE);
	if (!object || scry_text_open(r, object, &bytes) < 0 || bytes.kind != 1 ||
	    bytes.length > 1u << 24)
		return;
	t->at = bytes.data;
	t->end = bytes.data + bytes.length;
}

/* Six bits a byte, the highest first; bit 6: more follow. Objects/exception_handling_notes.txt */
static bool table_number(struct scry_exception_table *t, uint32_t *ret)
{
	uint64_t byte = 64;

	for (*ret = 0; byte & 64; *ret = *ret << 6 | (byte & 63)) {
		if (t->at >= t->end || *ret >> 26 ||
		    scry_read_uint(t->runtime->session, t->at, 1, &byte) < 0)
			return false;
		t->at++;
	}
	return true;
}

int scry_exception_table_next(struct scry_exception_table *t, struct scry_exception_entry *ret)
{
	uint32_t start, length, target, depth;

	if (!table_number(t, &start) || !table_number(t, &length) || !table_number(t, &target) ||
	    !table_number(t, &depth) || (start | length | target) >> 28)
		return SCRY_OK;
	*ret = (struct scry_exception_entry) { start * 2, (start + length) * 2, target * 2,
					       depth >> 1, depth & 1 };
	return SCRY_ITEM;
}
