/*
 * Variables that optimization has taken apart: structs in several registers, pointers to what has no
 * address any more, numbers that are computed from others. The frames that are looked at are those
 * of taken_apart() and who calls it.
 */
#define NOINLINE __attribute__((noinline))

struct inner {
	int small;
	short shorter;
	char letter;
};
struct outer {
	long first;
	struct inner in;
	long *last;
};
struct pair {
	long x, y;
};

static volatile long sink;
static volatile long *volatile nowhere;
static long table[4] = { 10, 20, 30, 40 };

NOINLINE static long ends(long a, long b)
{
	sink = a + b;
	return *nowhere;
}

static inline long sum_of(const struct pair *p, int times)
{
	long total = ends(p->x, times) + p->y * times;

	return total + p->x;
}

static inline unsigned halved(unsigned value, signed char step)
{
	unsigned half = value / 2u + (unsigned)step;
	unsigned char low = (unsigned char)half;
	long long wide = (long long)(int)half * step;

	return (unsigned)ends(low, wide) + half + low + (unsigned)wide;
}

NOINLINE long taken_apart(long a, int b)
{
	struct outer o = { a * 3, { b + 1, (short)(b * 2), 'x' }, &table[b & 3] };
	struct pair p = { a + 7, b - 9 };
	long got = sum_of(&p, b);

	return got + o.first + o.in.small + o.in.shorter + o.in.letter + *o.last + p.x + p.y;
}

NOINLINE long computed(long a, int b)
{
	unsigned start = (unsigned)(a * 1000003);
	signed char step = (signed char)-b;
	struct pair both = { (int)a, start };
	unsigned result = halved(start, step);

	return result + both.x + both.y + step;
}

static inline long behind(const long *v, long by)
{
	return ends(*v, by) + *v * by;
}

NOINLINE long pointed(long a, int b)
{
	long v = a * 5;

	return behind(&v, b) + v;
}

NOINLINE long by_value(struct pair both, long a)
{
	struct pair turned = { both.y, both.x };
	long got = ends(turned.x, a);

	return got + turned.x + turned.y * 2 + both.x + a;
}

long calls_by_value(long a, int b)
{
	return by_value((struct pair) { a, b }, a + b) + 1;
}
