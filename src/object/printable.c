/* str.isprintable(), by the Unicode version of each Python. */
#include "object/printer.h"

/*
 * Which characters repr() escapes: never printable (age 0), or not before the Unicode version
 * (times ten) that has them.
 */
static const struct {
	uint32_t first, last;
	uint8_t age;
} hidden[] = {
#include "object/printable.inc"
};

/* unicodedata.unidata_version of each Python: Tools/unicode/makeunicodedata.py */
static const struct {
	uint32_t since;
	uint8_t unicode;
} unicode_versions[] = {
	{ 0, 61 },
	{ SCRY_VERSION_OF(3, 4), 63 },
	{ SCRY_VERSION_OF(3, 5), 80 },
	{ SCRY_VERSION_OF(3, 6), 90 },
	{ SCRY_VERSION_OF(3, 7), 110 },
	{ SCRY_VERSION_OF(3, 8), 121 },
	{ SCRY_VERSION_OF(3, 9), 130 },
	{ SCRY_VERSION_OF(3, 11), 140 },
	{ SCRY_VERSION_OF(3, 12), 150 },
	{ SCRY_VERSION_OF(3, 13), 151 },
	{ SCRY_VERSION_OF(3, 14), 160 },
	{ SCRY_VERSION_OF(3, 15), 170 },
};

bool scry_char_printable(unsigned code, uint32_t version)
{
	size_t low = 0, high = sizeof(hidden) / sizeof(hidden[0]);

	if (code < 0x80)
		return code >= 0x20 && code != 0x7f;
	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (code < hidden[mid].first)
			high = mid;
		else if (code > hidden[mid].last)
			low = mid + 1;
		else
			return hidden[mid].age &&
			       hidden[mid].age <= SCRY_SINCE(unicode_versions, version)->unicode;
	}
	return true;
}
