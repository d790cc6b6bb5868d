/*
 * What a reader would say that knows only an older version: the built-in rows stop before the
 * target's version, and members that the older one did not have, or had more, stand in random
 * places of them.
 *
 *     futures CORE ROOT SEED "COMMAND ARGUMENT..." ...
 *
 * SEED 0 leaves the rows as they are. Prints what the command prints, then its exit status.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/session.h"
#include "layout/rows.h"
#include "pyscry/pyscry.h"

static unsigned seed;

/* Each struct's own numbers: rows are changed several times, always in the same way. */
static unsigned pick(unsigned of, unsigned n)
{
	unsigned x = seed * 2654435761u ^ of * 40503u;

	x ^= x >> 15;
	x *= 2246822519u;
	x ^= x >> 13;
	return x % n;
}

/* Where the members of the outermost struct end: at blanks outside of brackets. */
static size_t ends(const char *text, const char *ret[256])
{
	size_t n = 0;
	int depth = 0;

	for (const char *p = text;; p++) {
		depth += strchr("(<{[", *p) && *p ? 1 : 0;
		depth -= strchr(")>}]", *p) && *p ? 1 : 0;
		if (depth || (*p && *p != ' '))
			continue;
		/* neither after the cut nor within the bits of one unit */
		const char *brace = *p ? strchr(p, '{') : NULL;
		bool cut = !*p && p - text > 3 && !strcmp(p - 3, "...");

		if (n < 255 && !cut &&
		    !(brace && brace[1] == '+' && !memchr(p + 1, ' ', brace - p - 1)))
			ret[n++] = p;
		if (!*p)
			return n;
	}
}

/* One pointer more in the middle or at the end; what stands in front of an object never changes. */
static const char *grow(const char *text, unsigned of)
{
	static char kept[SCRY_S_COUNT][1 << 16];
	const char *at[256];
	size_t n = ends(text, at), k = n ? pick(of, (unsigned)n) : 0;

	if (!n || strlen(text) + 8 > sizeof(kept[0]) || pick(of + 999, 2))
		return text;
	snprintf(kept[of], sizeof(kept[0]), "%.*s p%s", (int)(at[k] - text), text, at[k]);
	return kept[of];
}

static void change(const struct scry_future *future, const char *texts[SCRY_S_COUNT])
{
	(void)future;
	for (int s = 0; seed && s < SCRY_S_COUNT; s++)
		if (texts[s] && s != SCRY_S_OBJECT && s != SCRY_S_VAR && s != SCRY_S_MEMBER_DEF &&
		    s != SCRY_S_METHOD_DEF)
			texts[s] = grow(texts[s], (unsigned)s);
}

int main(int argc, char **argv)
{
	struct scry_session *s = scry_session_new();
	struct scry_buf out = { 0 }, err = { 0 };
	struct scry_future future = { SCRY_VERSION_OF(3, 12), change };

	if (argc < 5 || !s)
		return 3;
	seed = (unsigned)strtoul(argv[3], NULL, 10);
	s->future = &future;
	scry_session_set(s, "sysroot", argv[2]);
	int rc = scry_session_open_dump(s, argv[1]);

	for (int i = 4; rc == 0 && i < argc; i++) {
		char *arguments = strchr(argv[i], ' ');

		if (arguments)
			*arguments++ = '\0';
		rc = scry_command_run(s, argv[i], arguments ? arguments : "", &out, &err);
		printf("%s", out.text ? out.text : "");
		fprintf(stderr, "%s", err.text ? err.text : "");
		printf("== %d\n", rc);
		scry_buf_cut(&out, 0);
		scry_buf_cut(&err, 0);
		rc = 0;
	}
	scry_buf_done(&out);
	scry_buf_done(&err);
	scry_session_free(s);
	return 0;
}
