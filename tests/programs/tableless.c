/*
 * Compiled twice, and linked: the callers with frame pointers and an unwind table, the others
 * (-DINNER) with neither. Stripped, as the C library of Alpine Linux (musl) is. What the callers'
 * frame pointer leads to is their caller's caller.
 */
#include <stdlib.h>
#include <string.h>

#define TOUCHED(array) __asm__ volatile("" : : "r"(array) : "memory")
#define KEPT           __attribute__((noinline, noclone))

long entry(long *p, long n);

#ifdef INNER

/* so that old return addresses lie about */
KEPT static long stir(long depth)
{
	volatile long x = depth;

	return x > 0 ? stir(x - 1) + 1 : x;
}

KEPT static long innermost(long *p, long n)
{
	if (n > 4)
		*p = n;
	return n + 1;
}

KEPT static long checked(long *p, long n)
{
	char bytes[72];

	memset(bytes, (int)n, sizeof(bytes));
	TOUCHED(bytes);
	for (long i = 0; i < n; i++)
		if (bytes[i & 63] == 99)
			abort();
	long got = innermost(p, n);
	return got > 3 ? got + bytes[n & 63] : 2;
}

KEPT static long middle(long *p, long n)
{
	long words[5] = { n };

	TOUCHED(words);
	return checked(p, stir(n) - stir(n) + n) + words[n & 3];
}

long entry(long *p, long n)
{
	return middle(p, n) * 3 + n;
}

#else

KEPT long with_record(long *p, long n)
{
	volatile long x = entry(p, n);

	return x + 1;
}

KEPT long outer(long *p, long n)
{
	volatile long x = with_record(p, n);

	return x + 1;
}

#endif
