/* CPython's built-in rows, and how a set of rows becomes a layout. */
#include <string.h>

#include "layout/rows.h"

#define ROW(major, minor, micro, s, text) \
	{ SCRY_VERSION_OF(major, minor, micro), SCRY_S_##s, text },
static const struct scry_row cpython[] = {
#include "layout/rows_cpython.def"
};
static const struct scry_row modules[] = {
#include "layout/rows_modules.def"
};

const struct scry_row_set scry_rows_cpython = {
	.name = "CPython",
	.rows = cpython,
	.count = sizeof(cpython) / sizeof(*cpython),
	.first = SCRY_VERSION_OF(2, 7, 0),
	.last = SCRY_VERSION_OF(3, 15, 0),
};

static const struct scry_row_set by_hand = {
	.name = "CPython",
	.rows = modules,
	.count = sizeof(modules) / sizeof(*modules),
	.first = SCRY_VERSION_OF(2, 7, 0),
	.last = SCRY_VERSION_OF(3, 15, 0),
};

static const struct scry_row stackless[] = {
#include "layout/rows_stackless.def"
};

/* What Stackless changes and adds: laid over CPython's where the flavour says so. */
static const struct scry_row_set of_stackless = {
	.name = "Stackless",
	.rows = stackless,
	.count = sizeof(stackless) / sizeof(*stackless),
	.first = SCRY_VERSION_OF(2, 7, 0),
	.last = SCRY_VERSION_OF(3, 8, 0),
};
#undef ROW

void scry_rows_choose(const struct scry_row_set *set, uint32_t version,
		      const char *texts[SCRY_S_COUNT])
{
	if ((version & 0xffff) == 0)
		version |= 0xffff; /* only the minor is known: its newest */
	for (size_t i = 0; i < set->count; i++)
		if (scry_version_in(version, set->rows[i].since, 0))
			texts[set->rows[i].of] = set->rows[i].text;
}

static int lay_out(const struct scry_flavour *flavour, const struct scry_abi *abi,
		   const struct scry_future *future, const struct scry_layout *known,
		   struct scry_layout *l)
{
	const char *texts[SCRY_S_COUNT] = { NULL };

	memset(l, 0, sizeof(*l));
	l->flavour = *flavour;
	if (!scry_version_in(flavour->version, scry_rows_cpython.first, 0))
		return SCRY_ENOTFOUND;
	scry_rows_choose(&scry_rows_cpython, flavour->version, texts);
	scry_rows_choose(&by_hand, flavour->version, texts);
	if (flavour->stackless)
		scry_rows_choose(&of_stackless, flavour->version, texts);
	if (future)
		future->change(future, texts);
	for (int s = 0; s < SCRY_S_COUNT; s++)
		if (texts[s] &&
		    !scry_row_lay_out_known(texts, (enum scry_struct)s, flavour, abi, known, l))
			return SCRY_EINVAL;
	return SCRY_OK;
}

int scry_layout_from_rows(const struct scry_flavour *flavour, const struct scry_abi *abi,
			  struct scry_layout *l)
{
	return lay_out(flavour, abi, NULL, NULL, l);
}

int scry_layout_known_rows(struct scry_session *s, const struct scry_flavour *flavour,
			   const struct scry_layout *known, struct scry_layout *l)
{
	return lay_out(flavour, &s->target->abi, s->future, known, l);
}

uint32_t scry_rows_last(const struct scry_session *s)
{
	return s->future ? s->future->last : scry_rows_cpython.last;
}
