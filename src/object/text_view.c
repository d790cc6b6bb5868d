/* Where the characters of str, unicode and bytes are. */
#include "object/judge.h"
#include "object/model.h"

/* Compact strings, PEP 393: the data follow one of two headers, or a legacy pointer says where. */
int scry_text_open_compact(struct scry_runtime *r, scry_addr str, struct scry_text_view *v)
{
	const struct scry_layout *l = r->layout;
	uint64_t kind, compact, ascii, state;
	int rc = scry_field_read(r, str, SCRY_F_ASCII_LENGTH, &v->length);

	if (rc == SCRY_OK && scry_layout_has(l, SCRY_F_ASCII_KIND)) {
		rc = scry_field_read(r, str, SCRY_F_ASCII_KIND, &kind);
		rc = rc < 0 ? rc : scry_field_read(r, str, SCRY_F_ASCII_COMPACT, &compact);
		rc = rc < 0 ? rc : scry_field_read(r, str, SCRY_F_ASCII_ASCII, &ascii);
	} else if (rc == SCRY_OK) {
		/* _Py_DebugOffsets name only the word: interned:2 kind:3 compact:1 ascii:1 */
		rc = scry_field_read(r, str, SCRY_F_ASCII_STATE, &state);
		kind = state >> 2 & 7;
		compact = state >> 5 & 1;
		ascii = state >> 6 & 1;
	}
	if (rc < 0)
		return rc;
	if (kind != 1 && kind != 2 && kind != 4)
		return scry_fail(r->session, SCRY_ECORRUPT, str,
				 "str at 0x%" PRIx64 " has %" PRIu64 " bytes per character", str,
				 kind);
	v->kind = (unsigned)kind;
	v->ascii = ascii;
	v->own = compact;
	v->data = str + l->size[ascii ? SCRY_S_ASCII : SCRY_S_COMPACT];
	return compact ? SCRY_OK : scry_field_read(r, str, SCRY_F_UNICODE_DATA, &v->data);
}

static int open_bytes(struct scry_runtime *r, scry_addr str, struct scry_text_view *v)
{
	v->kind = 1;
	v->bytes = v->own = true;
	v->data = scry_field_addr(r, str, SCRY_F_BYTES_DATA);
	return scry_field_read(r, str, SCRY_F_VAR_SIZE, &v->length);
}

/* 2.7: an array of Py_UNICODE, whose width is a choice of the build */
static int open_unicode2(struct scry_runtime *r, scry_addr str, struct scry_text_view *v)
{
	int rc = scry_field_read(r, str, SCRY_F_UNICODE_LENGTH, &v->length);

	v->kind = r->layout->flavour.narrow ? 2 : 4;
	return rc < 0 ? rc : scry_field_read(r, str, SCRY_F_UNICODE_STR, &v->data);
}

int scry_text_open(struct scry_runtime *r, scry_addr str, struct scry_text_view *ret)
{
	struct scry_text_view v = { 0 };
	uint64_t type, flags = 0;
	uint8_t byte;
	int rc = scry_field_read(r, str, SCRY_F_OBJECT_TYPE, &type);

	rc = rc < 0 ? rc : scry_field_read(r, type, SCRY_F_TYPE_FLAGS, &flags);
	if (rc < 0)
		return rc;
	if (flags & TYPE_BYTES)
		rc = open_bytes(r, str, &v);
	else if (!(flags & TYPE_UNICODE))
		return scry_fail(r->session, SCRY_ECORRUPT, str, "no text at 0x%" PRIx64, str);
	else if (scry_layout_has(r->layout, SCRY_F_ASCII_LENGTH))
		rc = scry_text_open_compact(r, str, &v);
	else
		rc = open_unicode2(r, str, &v);
	if (rc < 0)
		return rc;
	if (v.length > 1ull << 40 ||
	    (v.length && scry_read(r->session, v.data + v.length * v.kind - 1, &byte, 1) < 0))
		return scry_fail(r->session, SCRY_ECORRUPT, str,
				 "text at 0x%" PRIx64 " says it has %" PRId64 " characters", str,
				 scry_signed_size(r, v.length));
	*ret = v;
	return SCRY_OK;
}

/* After the last character is a 0 in every version and kind. */
int scry_text_check(struct scry_runtime *r, scry_addr str, const struct scry_text_view *v)
{
	scry_addr from = v->own ? str : v->data;
	uint64_t size = v->data - from + (v->length + 1) * v->kind, end = 1;

	if (!scry_fits(r, from, size, "text"))
		return SCRY_ECORRUPT;
	int rc = scry_read_uint(r->session, v->data + v->length * v->kind, v->kind, &end);
	if (rc == SCRY_OK && end)
		return scry_fail(r->session, SCRY_ECORRUPT, str,
				 "text at 0x%" PRIx64 " says it has %" PRIu64
				 " characters, but does not end there",
				 str, v->length);
	return rc;
}
