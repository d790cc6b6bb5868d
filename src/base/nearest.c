#include "base/nearest.h"

#include <stddef.h>
#include <string.h>

#define NAMES_MAX 5000

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Insertions, deletions, exchanges and swaps of neighbours that turn one into the other. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned row[3][SCRY_NEAREST_MAX + 1];

	for (size_t j = 0; j <= m; j++)
		row[0][j] = (unsigned)j;
	for (size_t i = 1; i <= n; i++) {
		unsigned *now = row[i % 3], *before = row[(i + 2) % 3], *earlier = row[(i + 1) % 3];

		now[0] = (unsigned)i;
		for (size_t j = 1; j <= m; j++) {
			now[j] = least(least(before[j], now[j - 1]) + 1,
				       before[j - 1] + (a[i - 1] != b[j - 1]));
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				now[j] = least(now[j], earlier[j - 2] + 1);
		}
	}
	return row[n % 3][m];
}

void scry_nearest_consider(struct scry_nearest *near, const char *name)
{
	size_t n = strlen(near->name), m = strlen(name);

	if (n > SCRY_NEAREST_MAX || m > SCRY_NEAREST_MAX || near->looked_at++ > NAMES_MAX ||
	    (n > m ? n - m : m - n) >= near->distance)
		return;
	unsigned d = distance(near->name, n, name, m);
	if (d < near->distance && d < n) {
		near->distance = d;
		memcpy(near->best, name, m + 1);
	}
}

struct scry_nearest scry_nearest_to(const char *name)
{
	return (struct scry_nearest) { .name = name, .distance = strlen(name) > 4 ? 3 : 2 };
}
