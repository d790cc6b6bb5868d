/*
 * Real cores, damaged where it hurts: fuzz_values [--seconds N] [--inputs N] [--seed N] [--only
 * COMMAND] [--sysroot DIR] [--exe FILE] CORE. Each command runs once while every place it reads is
 * written down; then, again and again, a few words at such places are changed, the command runs,
 * and the words are put back. It must come to its end soon, with an exit status that it may have
 * and an answer of bounded size; JSON must be JSON. Same seed, same damage. What failed is left in
 * fuzz-failure.core.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "base/session.h"
#include "target/target.h"

enum {
	ONE_INPUT = 30 /* seconds of the processor; sanitizers are slow */,
	LINE = 64,
	WORDS_MAX = 16,
	OUTPUT_MAX = 256 << 20
};

/* "@": an address that the command read */
static const char *const commands[] = {
	"bt-full --all",
	"bt --all --json --locals",
	"bt --all -v",
	"threads",
	"info --layout",
	"locals",
	"locals --json",
	"exc --all",
	"exc --all --json",
	"exc --all -v",
	"dis --all",
	"dis --all --json",
	"list",
	"obj @",
	"obj @ -v",
	"obj @ --json",
	"print @",
	"print @ -v",
	"print @ --json",
	"dis @",
	"regs --all-frames",
	"regs --json",
	"heap --json --limit 50",
	"heap --by retained",
	"heap --by module --strings",
	"heap dict",
	"heap --diff @",
	"verify --leaks",
	"verify --leaks --json",
	"gc --unreachable",
	"gc --garbage --json",
	"refs @ --path",
	"refs @ --holders --json",
	"whatis @ --refs",
	"whatis @ --refs --json",
	"tasks",
	"tasks --json --locals",
	"tasks --tree",
	"generators",
	"generators --json",
	"greenlets",
	"greenlets --json",
	"tasklets -v",
	"tasklets --json",
	"channels",
	"zombies",
	"modules --all",
	"print @[0]",
	"print @.__class__.__mro__ -v",
	"print @.name.args[0:3]",
	"print @['k'] --json",
	"bt --all --native",
	"bt --all --native --json",
	"print sys.modules",
	"print __main__:VALUES",
	"print __main__:KEPT --json",
	"print __main__:__dict__ -v",
};
#define COMMANDS (sizeof(commands) / sizeof(*commands))

static uint64_t rng;
static struct scry_session *s;
static const char *failing = "";
static uint64_t failing_seed;

/* Places that one command reads: addresses of lines of the file. */
static struct log {
	scry_addr *lines;
	size_t count, room;
	struct scry_hash seen;
} logs[COMMANDS], *recording;

static const struct scry_target_ops *real_ops;

static uint64_t next_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of what the process itself uses: other processes may be busy. */
static void limit(int most)
{
	struct itimerval timer = { .it_value.tv_sec = most };

	setitimer(ITIMER_PROF, &timer, NULL);
}

static void fail(const char *why)
{
	FILE *f = fopen("fuzz-failure.core", "wb");

	if (f) {
		fwrite(s->target->file, 1, s->target->file_size, f);
		fclose(f);
	}
	fprintf(stderr, "%s: command '%s', seed %" PRIu64 "; the core is in fuzz-failure.core\n",
		why, failing, failing_seed);
	_exit(77);
}

static void on_signal(int sig)
{
	fail(sig == SIGPROF ? "too slow" : "crashed");
}

/* --- what is read --- */

static bool in_file(const uint8_t *p)
{
	return p >= s->target->file && p < s->target->file + s->target->file_size;
}

/* One line at a time, so that the reader asks again for the next. */
static const uint8_t *recording_view(struct scry_target *t, scry_addr addr, size_t *ret_len)
{
	const uint8_t *p = real_ops->view(t, addr, ret_len);
	size_t rest = LINE - addr % LINE;

	if (!p || !recording)
		return p;
	if (*ret_len > rest)
		*ret_len = rest;
	if (!in_file(p) || scry_hash_add(&recording->seen, addr / LINE + 1) <= 0)
		return p;
	if (recording->count == recording->room) {
		recording->room = recording->room ? 2 * recording->room : 1024;
		recording->lines =
			realloc(recording->lines, recording->room * sizeof(*recording->lines));
	}
	recording->lines[recording->count++] = addr / LINE * LINE;
	return p;
}

/* The word at an address, in the mapped file; NULL where the file does not hold it. */
static uint8_t *word_at(scry_addr addr)
{
	size_t len;
	const uint8_t *p = real_ops->view(s->target, addr, &len);

	return p && len >= 8 && in_file(p) ? (uint8_t *)(uintptr_t)p : NULL;
}

/* --- JSON --- */

/*
 * A document and nothing behind it: brackets match, strings hold no control characters and are
 * UTF-8.
 */
static bool is_json(const char *p, size_t len)
{
	char open[4096];
	size_t depth = 0;
	bool string = false;

	for (const char *end = p + len; p < end; p++) {
		unsigned char c = (unsigned char)*p;

		if (string && c == '\\')
			p++;
		else if (c == '"')
			string = !string;
		else if (string && c < 0x20)
			return false;
		else if (!string && (c == '{' || c == '[') && depth < sizeof(open))
			open[depth++] = c == '{' ? '}' : ']';
		else if (!string && (c == '}' || c == ']') &&
			 (!depth || (unsigned char)open[--depth] != c))
			return false;
	}
	return !string && !depth;
}

/* --- one input --- */

static void run(const char *line)
{
	char text[128];
	struct scry_buf *out = scry_buf_new(), *err = scry_buf_new();

	snprintf(text, sizeof(text), "%s", line);
	char *args = text + strcspn(text, " ");
	if (*args)
		*args++ = '\0';
	scry_session_refresh(s);
	int status = scry_command_run(s, text, args, out, err);
	if (status < 0 || status > 2)
		fail("a status that is none");
	if (out->len > OUTPUT_MAX || err->len > OUTPUT_MAX)
		fail("too much output");
	if (strstr(args, "--json") && !is_json(out->text, out->len))
		fail("no JSON");
	scry_buf_free(out);
	scry_buf_free(err);
}

/* The command with an address in the place of "@". */
static void complete(const char *command, const struct log *places, char line[128])
{
	const char *at = strchr(command, '@');

	if (!at || !places->count) {
		snprintf(line, 128, "%s", command);
		return;
	}
	scry_addr addr =
		places->lines[next_random() % places->count] + next_random() % (LINE / 8) * 8;
	snprintf(line, 128, "%.*s%s0x%" PRIx64 "%s", (int)(at - command), command,
		 strncmp(command, "print", 5) ? "" : "@", addr, at + 1);
}

static uint64_t changed(uint64_t old, const struct log *places)
{
	static const uint64_t extremes[] = { 0,
					     1,
					     8,
					     0x7f,
					     0xffff,
					     0x7fffffff,
					     0x80000000,
					     0xffffffff,
					     0x7fffffffffff,
					     0x7ffffffffff8,
					     0x8000000000000000u,
					     ~(uint64_t)0,
					     ~(uint64_t)7,
					     0x4141414141414141,
					     0xdddddddddddddddd,
					     0xfdfdfdfdfdfdfdfd };

	switch (next_random() % 6) {
	case 0:
		return extremes[next_random() % (sizeof(extremes) / sizeof(*extremes))];
	case 1:
		return places->lines[next_random() % places->count] +
		       next_random() % (LINE / 8) * 8;
	case 2:
		return old ^ (uint64_t)1 << next_random() % 64;
	case 3:
		return old + next_random() % 33 - 16;
	case 4: /* one half, one byte */
		return (old & ~(uint64_t)0xffffffff) | (next_random() & 0xffffffff);
	default:
		return next_random();
	}
}

static void one_input(size_t command, uint64_t seed, double *slowest)
{
	static const unsigned char many[] = { 1, 1, 1, 2, 3, 5, 16 };
	const struct log *places = &logs[command];
	struct {
		uint8_t *at;
		uint64_t old;
	} undo[WORDS_MAX];
	unsigned n = 0;
	char line[128];

	rng = seed * 0x9e3779b97f4a7c15u | 1;
	for (unsigned i = 0; i < 8; i++)
		next_random();
	complete(commands[command], places, line);
	for (unsigned left = many[next_random() % sizeof(many)]; left > 0; left--) {
		scry_addr addr = places->lines[next_random() % places->count] +
				 next_random() % (LINE / 8) * 8;
		uint8_t *at = word_at(addr);
		uint64_t value;

		if (!at)
			continue;
		memcpy(&value, at, 8);
		undo[n].at = at;
		undo[n++].old = value;
		value = changed(value, places);
		memcpy(at, &value, 8);
	}
	failing = line;
	failing_seed = seed;
	double start = seconds(CLOCK_PROCESS_CPUTIME_ID), took;
	limit(ONE_INPUT);
	run(line);
	limit(0);
	took = seconds(CLOCK_PROCESS_CPUTIME_ID) - start;
	if (took > *slowest) {
		*slowest = took;
		if (*slowest > 2)
			fprintf(stderr, "%.1f s: '%s', seed %" PRIu64 "\n", *slowest, line, seed);
	}
	while (n--)
		memcpy(undo[n].at, &undo[n].old, 8);
}

static void record(void)
{
	char line[128];

	for (size_t i = 0; i < COMMANDS; i++) {
		recording = &logs[i];
		complete(commands[i], &logs[0], line);
		failing = line;
		limit(ONE_INPUT);
		run(line);
		limit(0);
		recording = NULL;
	}
}

static struct scry_target_ops with_log;

static void open_core(const char *core)
{
	if (scry_session_open_dump(s, core) < 0) {
		fprintf(stderr, "%s\n", scry_session_error(s));
		exit(2);
	}
	real_ops = s->target->ops;
	with_log = *real_ops;
	with_log.view = recording_view;
	s->target->ops = &with_log;
	/* a private mapping: what is written there is ours alone */
	if (mprotect((void *)(uintptr_t)s->target->file, s->target->file_size,
		     PROT_READ | PROT_WRITE) < 0) {
		perror("mprotect");
		exit(2);
	}
}

int main(int argc, char **argv)
{
	double budget = 10, slowest = 0;
	uint64_t inputs = 0, most = UINT64_MAX, seed = 1;
	const char *only = "";
	struct rusage usage;
	int i = 1;

	s = scry_session_new();
	for (; i + 1 < argc && !strncmp(argv[i], "--", 2); i += 2) {
		if (!strcmp(argv[i], "--seconds"))
			budget = atof(argv[i + 1]);
		else if (!strcmp(argv[i], "--inputs"))
			most = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--seed"))
			seed = strtoull(argv[i + 1], NULL, 0);
		else if (!strcmp(argv[i], "--only"))
			only = argv[i + 1];
		else
			scry_session_set(s, argv[i] + 2, argv[i + 1]);
	}
	if (i + 1 != argc)
		return fprintf(stderr, "usage: fuzz_values [OPTION VALUE]... CORE\n"), 2;
	for (const int *sig = (const int[]) { SIGPROF, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, 0 }; *sig;
	     sig++)
		signal(*sig, on_signal);
	open_core(argv[i]);
	record();
	for (double end = seconds(CLOCK_MONOTONIC) + budget;
	     seconds(CLOCK_MONOTONIC) < end && inputs < most; seed++) {
		size_t command = seed % COMMANDS;

		if (!logs[command].count || strncmp(commands[command], only, strlen(only)))
			continue;
		one_input(command, seed, &slowest);
		inputs++;
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " inputs, the slowest %.3f s, at most %ld MiB\n", inputs, slowest,
	       usage.ru_maxrss / 1024);
	scry_session_free(s);
	for (size_t c = 0; c < COMMANDS; c++) {
		scry_hash_done(&logs[c].seen);
		free(logs[c].lines);
	}
	return 0;
}
