/*
 * Functions that a tool moves (moved_*) and leaves (kept_*), calling each other in turn. Their
 * frames have room, so that nothing but the unwind table tells where a caller is. The innermost
 * dies of the pointer that it is given.
 */
#include <string.h>

#define TOUCHED(array) __asm__ volatile("" : : "r"(array) : "memory")

__attribute__((noinline)) long moved_inner(long *p, long n)
{
	long sum = 0;

	for (long i = 0; i < n; i++)
		if (i % 3)
			sum += i * 7;
		else
			sum ^= i;
	*p = sum;
	return sum;
}

__attribute__((noinline)) long kept_inner(long *p, long n)
{
	char bytes[100];

	memset(bytes, (int)n, sizeof(bytes));
	TOUCHED(bytes);
	return moved_inner(p, n) + bytes[n & 63] + 1;
}

__attribute__((noinline)) long moved_outer(long *p, long n)
{
	long words[8] = { n }, sum = 0;

	TOUCHED(words);
	for (long i = 0; i < n; i++)
		sum += words[i & 7];
	return sum + kept_inner(p, n) + words[3];
}

__attribute__((noinline)) long kept_outer(long *p, long n)
{
	char bytes[40];

	memset(bytes, (int)n, sizeof(bytes));
	TOUCHED(bytes);
	return moved_outer(p, n) + bytes[n & 31] + 1;
}
