/** The name nearest to one that does not exist: "did you mean". */
#ifndef SCRY_NEAREST_H
#define SCRY_NEAREST_H

#define SCRY_NEAREST_MAX 40 /* longer names are not compared */

/** The best of the names that were considered so far. */
struct scry_nearest {
	const char *name;                /* the one asked for; the caller's */
	char best[SCRY_NEAREST_MAX + 1]; /* "" where none is near */
	unsigned distance;
	unsigned looked_at;
};

/** Start a search for names near to this one. */
struct scry_nearest scry_nearest_to(const char *name);
/** Consider a name that exists. After some thousands of them the rest is ignored. */
void scry_nearest_consider(struct scry_nearest *near, const char *name);

#endif
