/*
 * From the byte offset of an instruction to a place in the source: four encodings, one function
 * each.
 */
#include "runtime/linetable.h"

/*
 * co_lnotab up to 3.9: pairs (bytes of code, lines). Line deltas are signed from 3.6 on.
 * PyCode_Addr2Line(), Objects/codeobject.c, v2.7 and v3.6.
 */
static int lnotab(const struct scry_line_table *t, int64_t lasti, bool is_signed)
{
	int64_t line = t->first_line, at = 0;

	for (uint32_t i = 0; i + 1 < t->size; i += 2) {
		at += t->data[i];
		if (at > lasti)
			break;
		line += is_signed ? (int8_t)t->data[i + 1] : t->data[i + 1];
	}
	return line > 0 && line <= INT32_MAX ? (int)line : 0;
}

int scry_line_from_lnotab(const struct scry_line_table *t, int64_t lasti, struct scry_location *ret)
{
	ret->line = lnotab(t, lasti, false);
	return SCRY_OK;
}

int scry_line_from_signed_lnotab(const struct scry_line_table *t, int64_t lasti,
				 struct scry_location *ret)
{
	ret->line = lnotab(t, lasti, true);
	return SCRY_OK;
}

/*
 * co_linetable of 3.10: pairs (bytes of code, line delta), -128: no line. PEP 626,
 * Objects/lnotab_notes.txt.
 */
int scry_line_from_ranges(const struct scry_line_table *t, int64_t lasti, struct scry_location *ret)
{
	int64_t line = t->first_line, end = 0;

	if (lasti < 0) {
		ret->line = t->first_line;
		return SCRY_OK;
	}
	for (uint32_t i = 0; i + 1 < t->size; i += 2) {
		int delta = (int8_t)t->data[i + 1];

		end += t->data[i];
		if (delta != -128)
			line += delta;
		if (end > lasti) {
			ret->line = delta == -128 || line <= 0 || line > INT32_MAX ? 0 : (int)line;
			return SCRY_OK;
		}
	}
	return SCRY_OK; /* past the table: no line */
}

/* Reading position in a location table; reads after the end give 0 and set `bad`. */
struct cursor {
	const uint8_t *p, *end;
	bool bad;
};

static unsigned next_byte(struct cursor *c)
{
	if (c->p < c->end)
		return *c->p++;
	c->bad = true;
	return 0;
}

/* Six bits a byte, the lowest first, bit 6: more follow. */
static uint64_t next_varint(struct cursor *c)
{
	unsigned byte = next_byte(c);
	uint64_t value = byte & 63;

	for (unsigned shift = 6; byte & 64 && !c->bad; shift += 6) {
		byte = next_byte(c);
		if (shift < 58)
			value |= (uint64_t)(byte & 63) << shift;
		else
			c->bad = true;
	}
	return value;
}

static int64_t next_signed(struct cursor *c)
{
	uint64_t value = next_varint(c);

	return value & 1 ? -(int64_t)(value >> 1) : (int64_t)(value >> 1);
}

/* Kinds of entry: Objects/locations.md, v3.11 to v3.15. */
enum { KIND_ONE_LINE = 10, KIND_NO_COLUMNS = 13, KIND_LONG = 14, KIND_NONE = 15 };

/* One entry after its first byte; columns come 0-based and leave 1-based. */
static void read_entry(struct cursor *c, unsigned kind, int64_t *line, struct scry_location *ret)
{
	int64_t end_line, column = -1, end_column = -1;

	if (kind == KIND_LONG || kind == KIND_NO_COLUMNS)
		*line += next_signed(c);
	else if (kind >= KIND_ONE_LINE && kind < KIND_NO_COLUMNS)
		*line += kind - KIND_ONE_LINE;
	end_line = *line;
	if (kind == KIND_LONG) {
		end_line += (int64_t)next_varint(c);
		column = (int64_t)next_varint(c) - 1;
		end_column = (int64_t)next_varint(c) - 1;
	} else if (kind >= KIND_ONE_LINE && kind < KIND_NO_COLUMNS) {
		column = next_byte(c);
		end_column = next_byte(c);
	} else if (kind < KIND_ONE_LINE) {
		unsigned byte = next_byte(c);

		column = kind << 3 | byte >> 4;
		end_column = column + (byte & 15);
	}
	*ret = (struct scry_location) { 0 };
	if (kind == KIND_NONE || *line <= 0 || end_line > INT32_MAX || *line > INT32_MAX)
		return;
	ret->line = (int)*line;
	ret->end_line = (int)end_line;
	if (column < 0 || end_column < 0 || end_column > INT32_MAX - 1 || column > INT32_MAX - 1)
		return;
	ret->column = (int)column + 1;
	ret->end_column = (int)end_column + 1;
}

int scry_line_from_locations(const struct scry_line_table *t, int64_t lasti,
			     struct scry_location *ret)
{
	struct cursor c = { t->data, t->data + t->size, false };
	int64_t line = t->first_line, at = 0;

	*ret = (struct scry_location) { 0 };
	if (lasti < 0) {
		ret->line = t->first_line;
		return SCRY_OK;
	}
	while (c.p < c.end && !c.bad) {
		unsigned first = next_byte(&c);

		if (!(first & 0x80))
			break; /* every entry starts with bit 7 set: the table is damaged */
		at += ((first & 7) + 1) * 2;
		read_entry(&c, first >> 3 & 15, &line, ret);
		if (at > lasti && !c.bad)
			return SCRY_OK;
	}
	*ret = (struct scry_location) { 0 };
	return SCRY_OK;
}

/* --- checks --- */

static const char *const not_covered = "its line table does not cover its code";
static const char *const no_lines = "its line table leads to lines that cannot be";

/* assemble_lnotab(), Python/compile.c: what comes after the last line's first byte is not told. */
const char *scry_lnotab_check(const struct scry_line_table *t)
{
	uint64_t at = 0;
	bool any = false;

	if (t->size % 2)
		return not_covered;
	for (uint32_t i = 0; i + 1 < t->size; i += 2) {
		at += t->data[i];
		any |= t->data[i] || t->data[i + 1];
	}
	if (t->first_line < 0)
		return no_lines;
	return at > t->code_size || (t->size && !any) ? not_covered : NULL;
}

const char *scry_ranges_check(const struct scry_line_table *t)
{
	int64_t line = t->first_line;
	uint64_t at = 0;

	if (t->size % 2)
		return not_covered;
	if (line < 0)
		return no_lines;
	for (uint32_t i = 0; i + 1 < t->size; i += 2) {
		int delta = (int8_t)t->data[i + 1];

		at += t->data[i];
		line += delta == -128 ? 0 : delta;
		if (line < 0 || line > INT32_MAX)
			return no_lines;
	}
	return at == t->code_size ? NULL : not_covered;
}

const char *scry_locations_check(const struct scry_line_table *t)
{
	struct cursor c = { t->data, t->data + t->size, false };
	struct scry_location ignored;
	int64_t line = t->first_line;
	uint64_t at = 0;

	if (line < 0)
		return no_lines;
	while (c.p < c.end && !c.bad) {
		unsigned first = next_byte(&c);

		if (!(first & 0x80))
			return not_covered;
		at += ((first & 7) + 1) * 2;
		read_entry(&c, first >> 3 & 15, &line, &ignored);
		if (line < 0 || line > INT32_MAX)
			return no_lines;
	}
	return at == t->code_size && !c.bad ? NULL : not_covered;
}
