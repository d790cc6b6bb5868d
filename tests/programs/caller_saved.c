/* Variables that live in a caller-saved register up to a call, and are not needed after it. */
typedef long (*function)(long *p);

__attribute__((noinline)) long innermost(long *p)
{
	return *(volatile long *)p;
}

function volatile table[2] = { innermost, innermost };

__attribute__((noinline)) long given(volatile long *p)
{
	return *p;
}

__attribute__((noinline)) long gone(long a, long b)
{
	long sum = given(&a) * 3 + b;

	return innermost((long *)sum) + 1;
}

__attribute__((noinline)) long found(long a)
{
	function called = table[1];

	return called((long *)a) + 1;
}
