/*
 * C functions between Python functions, for tests/programs/native.py. None may be inlined or left
 * by a jump.
 */
#define PLAIN __attribute__((noinline, noclone))

typedef int (*callback)(int);

static volatile int result;

static PLAIN int hidden(callback call, int value)
{
	result = call(value + 1);
	return result;
}

PLAIN int native_inner(callback call, int value)
{
	result = hidden(call, value);
	return result;
}

PLAIN int native_outer(callback call, int value)
{
	result = native_inner(call, value);
	return result;
}

/* Down `value` levels of C before Python comes. */
PLAIN int native_deep(callback call, int value)
{
	result = value > 0 ? native_deep(call, value - 1) : call(0);
	return result;
}
