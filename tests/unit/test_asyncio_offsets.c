/* asyncio's own table of offsets, sound and damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>

#include "layout/rows.h"
#include "target/image.h"

#define COUNT(a) (sizeof(a) / sizeof(*(a)))
#define TABLE_AT 0x10000

static void check_inside(const struct scry_layout *l)
{
	for (int f = 0; f < SCRY_F_COUNT; f++) {
		uint32_t size = l->size[scry_field_struct(f)];

		if (l->slot[f].size && size && l->slot[f].offset > size)
			fail_msg("%s outside its struct", scry_field_name(f));
	}
}

/* asyncio's table in 3.14.10, 3.15.2 and a free-threaded 3.14.7 on Linux x86-64. */
static const struct {
	struct scry_flavour flavour;
	uint64_t words[13];
} asyncio_tables[] = {
	{ { .version = 0x030e0af0 },
	  { 168, 136, 96, 108, 109, 128, 152, 225864, 10880, 936, 864, 872, 880 } },
	{ { .version = 0x030f02f0 },
	  { 168, 136, 96, 108, 109, 128, 152, 226240, 10856, 1104, 1024, 1032, 1048 } },
	{ { .version = 0x030e07f0, .free_threaded = true },
	  { 192, 152, 112, 124, 125, 144, 168, 246720, 17632, 15608, 864, 872, 880 } },
};

static void load_asyncio(uint8_t *bytes, size_t i, const struct scry_abi *abi,
			 struct scry_layout *known)
{
	assert_int_equal(scry_layout_from_rows(&asyncio_tables[i].flavour, abi, known), SCRY_OK);
	known->size[SCRY_S_INTERP] = (uint32_t)asyncio_tables[i].words[7];
	for (size_t k = 0; k < COUNT(asyncio_tables[i].words); k++)
		for (unsigned b = 0; b < 8; b++)
			bytes[8 * k + b] = (uint8_t)(asyncio_tables[i].words[k] >> 8 * b);
}

/*
 * What asyncio's table says is what the rows say; with any bit flipped it is refused, or stays
 * inside its structs.
 */
static void asyncio_offsets(void **state)
{
	(void)state;
	struct scry_session *s = scry_image_session(EM_X86_64, true, false);
	uint8_t *bytes = scry_image_add(s, TABLE_AT, sizeof(asyncio_tables[0].words));
	static struct scry_layout l, known;

	for (size_t i = 0; i < COUNT(asyncio_tables); i++) {
		unsigned n = 0, rejected = 0;

		load_asyncio(bytes, i, &s->target->abi, &known);
		assert_int_equal(scry_layout_from_asyncio(s, TABLE_AT, &known, &l), SCRY_OK);
		for (int f = 0; f < SCRY_F_COUNT; f++)
			if (l.slot[f].size && ++n && known.slot[f].offset != l.slot[f].offset)
				fail_msg("table %zu: %s at %u, row %u", i, scry_field_name(f),
					 l.slot[f].offset, known.slot[f].offset);
		assert_int_equal(n, 9);
		for (size_t bit = 0; bit < 8 * sizeof(asyncio_tables[i].words); bit++) {
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			if (scry_layout_from_asyncio(s, TABLE_AT, &known, &l) == SCRY_OK)
				check_inside(&l);
			else
				rejected++;
			bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		}
		assert_true(rejected > 600);
		known.size[SCRY_S_INTERP] += 8;
		assert_int_equal(scry_layout_from_asyncio(s, TABLE_AT, &known, &l), SCRY_ECORRUPT);
		known.flavour.version = SCRY_VERSION_OF(3, 13);
		assert_int_equal(scry_layout_from_asyncio(s, TABLE_AT, &known, &l), SCRY_ENOTFOUND);
	}
	scry_session_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(asyncio_offsets) };

	return cmocka_run_group_tests_name("asyncio's offsets", tests, NULL, NULL);
}
