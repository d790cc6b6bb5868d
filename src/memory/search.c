/* Which words of the target's memory lead into some ranges of addresses. */
#include "memory/search.h"

#include "base/bytes.h"
#include "base/progress.h"

#define PAGE 4096u
#define RUN  32 /* words that are compared at a time */

struct job {
	struct scry_session *session;
	const struct scry_goal *goals;
	size_t count;
	scry_addr low, span; /* of all goals */
	bool (*hit)(void *arg, scry_addr at, scry_addr word);
	void *arg;
	uint64_t searched; /* bytes so far */
};

/* Which goal has the word? They are few, or the words that come so far are. */
static bool leads(const struct job *job, scry_addr word)
{
	size_t low = 0;

	for (size_t high = job->count; low < high;) {
		size_t middle = low + (high - low) / 2;

		if (job->goals[middle].start <= word)
			low = middle + 1;
		else
			high = middle;
	}
	return low && word < job->goals[low - 1].end;
}

static bool has_any(const struct job *job, const uint64_t *words)
{
	uint64_t any = 0;

	for (unsigned i = 0; i < RUN; i++)
		any |= words[i] - job->low < job->span;
	return any;
}

/* Words of 8 bytes in this machine's order: most of them are passed over 32 at a time. */
static bool search_fast(const struct job *job, scry_addr at, const uint8_t *bytes, size_t len)
{
	uint64_t words[RUN];

	for (size_t i = 0; i + 8 <= len; i += sizeof(words)) {
		size_t n = len - i < sizeof(words) ? (len - i) / 8 : RUN;

		memcpy(words, bytes + i, n * 8);
		if (n == RUN && !has_any(job, words))
			continue;
		for (size_t w = 0; w < n; w++)
			if (words[w] - job->low < job->span && leads(job, words[w]) &&
			    !job->hit(job->arg, at + i + w * 8, words[w]))
				return false;
	}
	return true;
}

static bool search_bytes(const struct job *job, scry_addr at, const uint8_t *bytes, size_t len)
{
	const struct scry_abi *abi = &job->session->target->abi;
	unsigned ptr = abi->ptr_size;

	if (ptr == 8 && abi->big_endian == (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__))
		return search_fast(job, at, bytes, len);
	for (size_t i = 0; i + ptr <= len; i += ptr) {
		scry_addr word = scry_load(bytes + i, ptr, abi->big_endian);

		if (word - job->low < job->span && leads(job, word) &&
		    !job->hit(job->arg, at + i, word))
			return false;
	}
	return true;
}

/* In place: what is mapped here already is not copied. */
static bool search_run(struct job *job, scry_addr at, scry_addr end)
{
	while (at < end && scry_going(job->session, SCRY_PASS_SEARCH, job->searched, 0)) {
		size_t len = 0;
		const uint8_t *view = scry_view(job->session, at, &len);

		len = len > end - at ? (size_t)(end - at) : len;
		if (view && !search_bytes(job, at, view, len))
			return false;
		/* on to the next page, where one is missing */
		at = view && len >= 8 ? at + len / 8 * 8 : (at / PAGE + 1) * PAGE;
		job->searched += len;
	}
	return true;
}

/* What a program writes to; flags may be unknown. */
static bool is_written(const struct scry_map *map)
{
	return map->flags & SCRY_MAP_WRITE ||
	       !(map->flags & (SCRY_MAP_READ | SCRY_MAP_EXEC | SCRY_MAP_FILE));
}

int scry_search(struct scry_session *s, const struct scry_goal *goals, size_t count,
		bool (*hit)(void *arg, scry_addr at, scry_addr word), void *arg)
{
	struct job job = { s, goals, count, .hit = hit, .arg = arg };
	bool more = true;

	if (!count)
		return SCRY_OK;
	job.low = goals[0].start;
	job.span = goals[count - 1].end - job.low;
	for (size_t i = 0; i < s->target->map_count && more && !s->stopped; i++) {
		const struct scry_map *map = &s->target->maps[i];
		scry_addr at = map->start, end;

		while (is_written(map) && more && scry_data_next(s, &at, map->end, &end)) {
			at = at / 8 * 8;
			more = search_run(&job, at, end);
			at = end;
		}
	}
	return SCRY_OK;
}
