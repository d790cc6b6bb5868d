/** The name nearest to one that is not there: "did you mean". */
#ifndef SCRY_NEAREST_H
#define SCRY_NEAREST_H

#define SCRY_NEAREST_MAX 40 /* longer names are not compared */

/** The best of the names that were considered so far. */
struct scry_nearest {
	const char *name;                /* that was asked for; the caller's */
	char best[SCRY_NEAREST_MAX + 1]; /* "" where none is near */
	unsigned distance;
	unsigned looked_at;
};

struct scry_nearest scry_nearest_to(const char *name);
/** One that there is. Beyond some thousands none is looked at. */
void scry_nearest_consider(struct scry_nearest *near, const char *name);

#endif
