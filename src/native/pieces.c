/* A variable that was split: each piece of it where it is at this pc (DWARF 5, 2.6.1.2). */
#include <dwarf.h>
#include <string.h>

#include "native/variables.h"

#define PIECES_MAX 4096 /* bytes */

bool scry_is_piece(unsigned atom)
{
	return atom == DW_OP_piece || atom == DW_OP_bit_piece;
}

/* The bytes of a piece, and where in its place it begins; false for pieces of bits. */
static bool piece_size(const Dwarf_Op *op, uint64_t *ret_size, uint64_t *ret_skip)
{
	bool bits = op->atom == DW_OP_bit_piece;

	*ret_size = bits ? op->number / 8 : op->number;
	*ret_skip = bits ? op->number2 / 8 : 0;
	return !bits || (op->number % 8 == 0 && op->number2 % 8 == 0);
}

/* The bytes of one piece; false where they are not known. */
static bool read_piece(struct scry_session *s, const struct scry_place_of *place, uint64_t size,
		       uint64_t skip, uint8_t *to)
{
	uint8_t word[8];

	switch (place->kind) {
	case SCRY_IN_MEMORY:
		return scry_read(s, place->word + skip, to, size) == SCRY_OK;
	case SCRY_IN_BYTES:
		if (skip > place->len || size > place->len - skip)
			return false;
		memcpy(to, place->bytes + skip, size);
		return true;
	case SCRY_IN_REGISTER:
	case SCRY_IN_VALUE:
		/* which part of a register is meant is up to each big-endian ABI */
		if (s->target->abi.big_endian || skip > 8 || size > 8 - skip)
			return false;
		for (unsigned i = 0; i < 8; i++)
			word[i] = (uint8_t)(place->word >> 8 * i);
		memcpy(to, word + skip, size);
		return true;
	default:
		return false;
	}
}

void scry_in_pieces(struct scry_scope *scope, Dwarf_Attribute *attr, const Dwarf_Op *ops,
		    size_t count, struct scry_place_of *ret)
{
	struct scry_session *s = scope->frames->thread->session;
	uint64_t at = 0, known = 0, size, skip;
	const char *how = NULL;
	bool recovered = false;
	SCRY_AUTO_BUF(text);
	/* what comes after the last piece is not known either */
	uint8_t *bytes = scry_arena_alloc(&s->arena, 2 * PIECES_MAX), *mask;

	*ret = (struct scry_place_of) { .kind = SCRY_IN_NOTHING, .how = "out of memory" };
	if (!bytes)
		return;
	mask = bytes + PIECES_MAX;
	memset(bytes, 0, 2 * PIECES_MAX);
	for (size_t i = 0, first = 0; i < count; i++) {
		struct scry_place_of place = { .kind = SCRY_IN_NOTHING, .how = NULL };

		if (!scry_is_piece(ops[i].atom))
			continue;
		bool whole = piece_size(&ops[i], &size, &skip) && size <= PIECES_MAX - at;
		if (i > first)
			scry_location_part(scope, attr, ops + first, i - first, &place);
		bool has = whole && place.kind != SCRY_IN_NOTHING &&
			   read_piece(s, &place, size, skip, bytes + at);
		if (has)
			memset(mask + at, 0xff, size);
		known += has ? size : 0;
		recovered |= has && place.recovered;
		if (!how || (has && place.recovered))
			how = place.how;
		scry_buf_printf(&text, "%s%s", at ? " + " : "",
				has && place.text ? place.text : "?");
		if (size > PIECES_MAX - at)
			break;
		at += size;
		first = i + 1;
	}
	if (!how)
		how = "all of its pieces are optimized out";
	if (known)
		*ret = (struct scry_place_of) {
			.kind = SCRY_IN_PIECES, .bytes = bytes, .mask = mask, .len = PIECES_MAX
		};
	ret->recovered = recovered;
	ret->how = known && !recovered ? NULL : how;
	ret->text = scry_arena_text(&s->arena, text.text, text.len);
}
