/*
 * A mutator of our own, for machines without libFuzzer and for the same inputs every time:
 * driver [--no-commands] [--seconds N] [--seed N] FILE...
 * Each file is tried whole, truncated at every 64th byte of its first 64 KiB, and then with random
 * damage: words set to extremes, to other words of the file, to small changes of themselves, bits
 * flipped, pieces copied over each other.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fuzz.h"

enum { HEAD = 65536, STEP = 64, ONE_INPUT = 20 /* seconds; sanitizers are slow */ };
#define MAX_FILE ((size_t)4 << 20)

static uint64_t rng = 1;
static uint8_t *now;
static size_t now_size;

static uint64_t next_random(void)
{
	rng ^= rng << 13;
	rng ^= rng >> 7;
	rng ^= rng << 17;
	return rng;
}

static void save_as(const char *path)
{
	FILE *f = fopen(path, "wb");

	if (f) {
		fwrite(now, 1, now_size, f);
		fclose(f);
	}
}

static void save_input(int sig)
{
	save_as("fuzz-failure.bin");
	fprintf(stderr, "signal %d: the input is in fuzz-failure.bin\n", sig);
	_exit(77);
}

static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void try_input(const uint8_t *data, size_t size, double *slowest)
{
	double start = seconds();

	/* a buffer of exactly that size, so that the sanitizer sees its end */
	now = malloc(size ? size : 1);
	now_size = size;
	memcpy(now, data, size);
	alarm(ONE_INPUT);
	LLVMFuzzerTestOneInput(now, size);
	alarm(0);
	double took = seconds() - start;
	if (took > *slowest) {
		*slowest = took;
		if (took > 1)
			save_as("fuzz-slowest.bin");
	}
	free(now);
}

static void damage(uint8_t *data, size_t size)
{
	static const uint64_t extremes[] = { 0,
					     1,
					     0x7f,
					     0xffff,
					     0x7fffffff,
					     0x80000000,
					     0xffffffff,
					     0x7fffffffffff,
					     0x8000000000000000u,
					     ~(uint64_t)0 };
	/* the beginning is where the structure is, most of the time */
	size_t limit = next_random() % 4 && size > HEAD ? HEAD : size,
	       width = (size_t)1 << next_random() % 4;

	if (limit < 16)
		return;
	size_t at = next_random() % (limit - 8) / width * width,
	       from = next_random() % (limit - 8) / width * width;
	uint64_t value;
	memcpy(&value, data + at, 8);
	switch (next_random() % 5) {
	case 0:
		value = extremes[next_random() % (sizeof(extremes) / sizeof(*extremes))];
		break;
	case 1:
		memcpy(&value, data + from, 8);
		break;
	case 2:
		value += next_random() % 33 - 16;
		break;
	case 3:
		value ^= (uint64_t)1 << next_random() % (8 * width);
		break;
	default:
		memmove(data + at, data + from,
			next_random() % 256 % (limit - (at > from ? at : from)));
		return;
	}
	memcpy(data + at, &value, width);
}

static uint8_t *load(const char *path, size_t *ret_size)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = malloc(MAX_FILE);

	*ret_size = f && data ? fread(data, 1, MAX_FILE, f) : 0;
	if (f)
		fclose(f);
	return data;
}

int main(int argc, char **argv)
{
	double budget = 10, slowest = 0;
	uint64_t inputs = 0;
	int first = 1;
	struct rusage usage;

	for (; first < argc && !strncmp(argv[first], "--", 2); first++) {
		if (!strcmp(argv[first], "--no-commands"))
			fuzz_commands = false;
		else if (!strcmp(argv[first], "--seconds") && first + 1 < argc)
			budget = atof(argv[++first]);
		else if (!strcmp(argv[first], "--seed") && first + 1 < argc)
			rng = strtoull(argv[++first], NULL, 0) | 1;
	}
	for (const int *sig = (const int[]) { SIGALRM, SIGSEGV, SIGABRT, SIGBUS, SIGFPE, 0 }; *sig;
	     sig++)
		signal(*sig, save_input);
	for (int i = first; i < argc; i++) {
		size_t size;
		uint8_t *data = load(argv[i], &size), *copy = malloc(size + 1);
		double end = seconds() + budget / (argc - first);

		for (size_t cut = size < HEAD ? size : HEAD; cut > 0;
		     cut = (cut - 1) / STEP * STEP, inputs++)
			try_input(data, cut, &slowest);
		for (; seconds() < end && size; inputs++) {
			memcpy(copy, data, size);
			for (uint64_t n = 1 + next_random() % 8; n > 0; n--)
				damage(copy, size);
			try_input(copy, size, &slowest);
		}
		free(copy);
		free(data);
	}
	getrusage(RUSAGE_SELF, &usage);
	printf("%" PRIu64 " inputs, the slowest %.3f s, at most %ld MiB\n", inputs, slowest,
	       usage.ru_maxrss / 1024);
	return slowest > ONE_INPUT / 2.0;
}
