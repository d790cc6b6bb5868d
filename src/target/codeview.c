#include "target/codeview.h"

#include <string.h>

#include "base/bytes.h"

/*
 * signature, GUID, age, path: the layout that symbol servers and dbghelp document as CV_INFO_PDB70
 */
enum { GUID = 4, AGE = 20, PATH = 24 };

const char *scry_codeview_id(struct scry_arena *a, const uint8_t *record, size_t len,
			     const char **ret_pdb)
{
	const uint8_t *g = record + GUID;

	if (len < PATH || memcmp(record, "RSDS", 4))
		return NULL;
	*ret_pdb = scry_arena_text(a, (const char *)record + PATH,
				   strnlen((const char *)record + PATH, len - PATH));
	return scry_arena_printf(
		a, "%08x%04x%04x%02x%02x%02x%02x%02x%02x%02x%02x%x",
		(unsigned)scry_load(g, 4, false), (unsigned)scry_load(g + 4, 2, false),
		(unsigned)scry_load(g + 6, 2, false), g[8], g[9], g[10], g[11], g[12], g[13], g[14],
		g[15], (unsigned)scry_load(record + AGE, 4, false));
}

const char *scry_hex(struct scry_arena *a, const uint8_t *bytes, size_t len)
{
	static const char digits[] = "0123456789abcdef";
	char *text = scry_arena_alloc(a, 2 * len + 1);

	for (size_t i = 0; text && i < len; i++) {
		text[2 * i] = digits[bytes[i] >> 4];
		text[2 * i + 1] = digits[bytes[i] & 15];
	}
	return text;
}
