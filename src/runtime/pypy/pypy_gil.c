/*
 * PyPy's GIL: a word that has the id of the thread that holds it, 0 none, and two mutexes on which
 * others sleep (rpython/translator/c/src/thread_gil.c, 7.3.3 to 8.0.1). No symbol names them, but
 * pypy_thread_attach(), which is exported, begins with taking the GIL: by an instruction of its own
 * where it is free, else by a call of RPyGilAcquireSlowPath(), which locks both mutexes.
 */
#include <string.h>

#include "arch/arch.h"
#include "base/bytes.h"
#include "runtime/pypy/pypy.h"

#define ATTACH_BYTES 96   /* from the function's start to the call of the slow path's way */
#define SLOW_BYTES   640  /* of RPyGilAcquireSlowPath(): both mutexes are locked in them */
#define NEAR         4096 /* bytes: variables of one file of C */
#define STATES_MAX   65536

/* glibc's pthread_mutex_t and the pthread_cond_t that follows it in mutex2_t, thread_pthread.c */
#define MUTEX_BYTES 40
#define COND_BYTES  48

struct reader {
	struct scry_pypy *pypy;
	scry_addr at;
	uint8_t code[SLOW_BYTES];
	size_t size;
};

static bool read_code(struct reader *r, struct scry_pypy *p, scry_addr at, size_t size)
{
	r->pypy = p;
	r->at = at;
	r->size = scry_read_some(p->runtime->session, at, r->code, size);
	return r->size > 8;
}

static scry_addr relative(const struct reader *r, size_t end)
{
	return r->at + end + (uint64_t)scry_load_signed(r->code + end - 4, 4, false);
}

/* A word of the module's own data. */
static bool is_data(const struct scry_pypy *p, scry_addr addr)
{
	const struct scry_map *map = scry_map_at(p->runtime->session->target, addr);

	return addr % 8 == 0 && addr >= p->start && addr < p->end && map &&
	       map->flags & SCRY_MAP_WRITE;
}

/* lock cmpxchg REG, [rip + n] at i: what it changes; 0: another instruction. */
static scry_addr exchanged(const struct reader *r, size_t i)
{
	const uint8_t *c = r->code + i;
	scry_addr word;

	if (i + 9 > r->size || c[0] != 0xf0 || (c[1] & 0xfb) != 0x48 || c[2] != 0x0f ||
	    c[3] != 0xb1 || (c[4] & 0xc7) != 5)
		return 0;
	word = relative(r, i + 9);
	return is_data(r->pypy, word) ? word : 0;
}

/* lea REG, [rip + n] at i: an address of data near the word; 0: another instruction. */
static scry_addr near_address(const struct reader *r, size_t i, scry_addr word)
{
	const uint8_t *c = r->code + i;
	scry_addr at;

	if (i + 7 > r->size || (c[0] & 0xfb) != 0x48 || c[1] != 0x8d || (c[2] & 0xc7) != 5)
		return 0;
	at = relative(r, i + 7);
	return is_data(r->pypy, at) && at - (word - NEAR) < 2 * NEAR ? at : 0;
}

/* The slow path changes the same word, and has the addresses of two mutexes before that. */
static bool read_slow_path(struct scry_pypy *p, scry_addr at, struct scry_pypy_gil *gil)
{
	struct reader r;
	unsigned n = 0;

	if (!read_code(&r, p, at, SLOW_BYTES))
		return false;
	for (size_t i = 0; i < r.size; i++) {
		scry_addr mutex = near_address(&r, i, gil->word);

		if (mutex && mutex != gil->mutex[0] && n < 2)
			gil->mutex[n++] = mutex;
		if (exchanged(&r, i) == gil->word)
			return n == 2;
	}
	return false;
}

/* jne over the fast way to where the slow path is called. */
static scry_addr slow_path_of(const struct reader *r, size_t after)
{
	const uint8_t *c = r->code + after;
	struct reader call;

	if (after + 6 > r->size || c[0] != 0x0f || c[1] != 0x85 ||
	    !read_code(&call, r->pypy, relative(r, after + 6), 16) || call.code[0] != 0xe8)
		return 0;
	return relative(&call, 5);
}

void scry_pypy_find_gil(struct scry_pypy *p)
{
	struct scry_session *s = p->runtime->session;
	struct scry_symbol symbol;
	struct reader r;

	p->gil = (struct scry_pypy_gil) { 0 };
	if (s->target->arch != &scry_arch_x86_64 ||
	    scry_module_symbol(p->runtime->module, "pypy_thread_attach", &symbol) < 0 ||
	    !read_code(&r, p, symbol.addr, ATTACH_BYTES))
		return;
	for (size_t i = 0; i < r.size; i++) {
		struct scry_pypy_gil gil = { .word = exchanged(&r, i) };
		scry_addr slow = gil.word ? slow_path_of(&r, i + 9) : 0;

		if (slow && read_slow_path(p, slow, &gil)) {
			p->gil = gil;
			return;
		}
	}
}

/* Who holds it is known where the word can be read, and has the id of a state's thread, or none. */
void scry_pypy_load_gil(struct scry_pypy *p)
{
	struct scry_session *s = p->runtime->session;
	struct scry_interp *interp = p->runtime->interps;
	uint64_t holder = 0, ident;
	scry_addr state = 0;

	interp->gil = interp->gil_holder = 0;
	if (!p->gil.word || scry_read_uint(s, p->gil.word, 8, &holder) < 0)
		return;
	if (!holder)
		interp->gil = p->gil.word;
	for (unsigned i = 0; holder && i < STATES_MAX; i++) {
		if (scry_pypy_next_state(interp, state, &state) < 0 || !state)
			return;
		if (scry_read_uint(s, state + SCRY_PYPY_IDENT, 8, &ident) == SCRY_OK &&
		    ident == holder) {
			interp->gil = p->gil.word;
			interp->gil_holder = state;
			return;
		}
	}
}

bool scry_pypy_waits_for_gil(const struct scry_thread *t)
{
	const struct scry_pypy_gil *gil = &t->runtime->pypy->gil;

	if (!t->os->in_futex)
		return false;
	for (unsigned i = 0; gil->word && i < 2; i++)
		if (t->os->futex - gil->mutex[i] < MUTEX_BYTES + COND_BYTES)
			return true;
	return false;
}
