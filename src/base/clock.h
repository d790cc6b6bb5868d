/** Points in time to wait for. */
#ifndef SCRY_CLOCK_H
#define SCRY_CLOCK_H

#include <time.h>

/** `ms` milliseconds from now, by the clock that the waiting function uses. */
static inline struct timespec scry_clock_after(clockid_t clock, unsigned ms)
{
	struct timespec t;

	clock_gettime(clock, &t);
	t.tv_nsec += (long)(ms % 1000) * 1000000;
	t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
	t.tv_nsec %= 1000000000;
	return t;
}

#endif
