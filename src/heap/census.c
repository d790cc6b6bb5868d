/*
 * Where the memory of the process is. Every mapping is cut into what the allocator, the threads'
 * data stacks and malloc have of it; the rest is told by what is mapped.
 */
#include "heap/census.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "heap/chunks.h"
#include "heap/data_stack.h"
#include "heap/zombie.h"
#include "memory/block.h"
#include "memory/stack.h"
#include "object/known.h"

enum who { BLOCKS, FRAMES, MALLOC, STACKS, CODE, DATA, OTHERS, WHO_COUNT };

static const char *const names[] = {
	[FRAMES] = "data stacks of Python's frames",
	[MALLOC] = "malloc",
	[STACKS] = "C stacks",
	[CODE] = "files: code and constants",
	[DATA] = "files: data",
	[OTHERS] = "other mappings",
};

struct sum {
	uint64_t bytes, there;
};

struct file {
	const char *path;
	struct sum sum;
};

struct count {
	struct scry_heap *h;
	struct scry_session *s;
	struct scry_census *census;
	struct scry_areas runs[MALLOC + 1]; /* of those whose memory is not a mapping of its own */
	struct scry_chunks chunks;
	struct sum sums[WHO_COUNT];
	struct file *files;
	size_t file_count, file_room;
	bool full; /* out of memory */
};

static struct scry_heap_part *add(struct count *c, const char *what, uint64_t bytes)
{
	static struct scry_heap_part none;
	struct scry_census *census = c->census;
	struct scry_heap_part *parts = scry_arena_grow(&c->s->arena, census->parts, census->count,
						       &census->room, sizeof(*parts), 64);

	c->full |= !parts;
	if (!parts)
		return &none;
	census->parts = parts;
	parts[census->count] = (struct scry_heap_part) { .what = what, .bytes = bytes };
	return &parts[census->count++];
}

static struct scry_heap_part *add_part(struct count *c, const char *what, uint64_t bytes)
{
	struct scry_heap_part *part = add(c, what, bytes);

	part->part = true;
	return part;
}

/* --- whose --- */

static void find_frames(struct count *c)
{
	struct scry_data_stacks stacks;

	c->full |= scry_data_stacks_find(c->h, &stacks) < 0;
	for (size_t i = 0; i < stacks.count; i++)
		c->full |= !scry_areas_add(&c->s->arena, &c->runs[FRAMES], stacks.list[i].start,
					   stacks.list[i].end);
}

static void find_runs(struct count *c)
{
	int rc = scry_block_areas(c->h->runtime, &c->runs[BLOCKS].list, &c->runs[BLOCKS].count);

	if (rc < 0)
		c->runs[BLOCKS].count = 0;
	c->full |= rc == SCRY_ENOMEM;
	c->full |= scry_chunks_count(c->h, c->runs[BLOCKS].list, c->runs[BLOCKS].count,
				     &c->chunks) < 0;
	find_frames(c);
	c->runs[MALLOC] = c->chunks.runs;
	for (unsigned who = FRAMES; who <= MALLOC; who++)
		scry_areas_sort(c->runs[who].list, c->runs[who].count);
}

/* Does a run have the address? *ret_end goes down to where that changes. */
static bool has(const struct scry_areas *runs, scry_addr addr, scry_addr *ret_end)
{
	size_t low = scry_area_after(runs->list, runs->count, addr);

	if (low == runs->count)
		return false;
	bool inside = runs->list[low].start <= addr;
	scry_addr end = inside ? runs->list[low].end : runs->list[low].start;

	if (end < *ret_end)
		*ret_end = end;
	return inside;
}

static enum who rest_of(struct count *c, const struct scry_map *m)
{
	if (m->flags & SCRY_MAP_FILE)
		return m->flags & SCRY_MAP_WRITE ? DATA : CODE;
	return scry_stack_has(c->h->runtime, m->start) ? STACKS : OTHERS;
}

/* Mappings of a file stand side by side, mostly: the rest is put together at the end. */
static void count_file(struct count *c, const char *path, const struct sum *sum)
{
	struct file *file = c->file_count ? &c->files[c->file_count - 1] : NULL;

	if (!file || strcmp(file->path, path)) {
		struct file *files = scry_arena_grow(&c->s->arena, c->files, c->file_count,
						     &c->file_room, sizeof(*files), 64);

		c->full |= !files;
		if (!files)
			return;
		c->files = files;
		file = &files[c->file_count++];
		*file = (struct file) { .path = path };
	}
	file->sum.bytes += sum->bytes;
	file->sum.there += sum->there;
}

static void count_map(struct count *c, const struct scry_map *m)
{
	scry_addr end;

	for (scry_addr at = m->start; at < m->end; at = end) {
		enum who who = BLOCKS;
		struct sum sum = { 0, 0 };

		/* the first of them that has it: an arena may be in a chunk of malloc's */
		for (end = m->end; who <= MALLOC && !has(&c->runs[who], at, &end);)
			who++;
		who = who <= MALLOC ? who : rest_of(c, m);
		sum.bytes = end - at;
		c->census->has_there = c->census->has_there &&
				       scry_target_present(c->s->target, at, end, &sum.there);
		c->sums[who].bytes += sum.bytes;
		c->sums[who].there += sum.there;
		if ((who == DATA || who == CODE) && m->path)
			count_file(c, m->path, &sum);
	}
}

/* --- what is said of them --- */

static struct scry_heap_part *tell(struct count *c, enum who who, const char *what)
{
	struct scry_heap_part *part = add(c, what, c->sums[who].bytes);

	part->there = c->sums[who].there;
	part->has_there = c->census->has_there;
	return part;
}

/* Of what is in the allocator's blocks, or in chunks where there are none. */
static void tell_kinds(struct count *c)
{
	struct scry_heap *h = c->h;
	struct scry_zombies z = { 0 };
	uint64_t codes = 0;

	for (size_t i = 0; i < h->type_count; i++)
		if (scry_known_type(h->types[i]->type) == SCRY_IS_CODE)
			codes += h->types[i]->bytes;
	if (codes)
		add_part(c, "code objects", codes);
	if (scry_zombies_find(h->runtime, &z) == SCRY_OK && z.zombies.bytes)
		add_part(c, "frames that code objects keep (zombies)", z.zombies.bytes);
	if (h->kept_bytes + z.free_list.bytes)
		add_part(c, "freed objects that stand in used blocks (free lists)",
			 h->kept_bytes + z.free_list.bytes);
}

/* Blocks whose arenas were not found are in mappings that nobody else has. */
static uint64_t take_others(struct count *c, uint64_t bytes)
{
	struct sum *others = &c->sums[OTHERS], *blocks = &c->sums[BLOCKS];
	uint64_t there;

	bytes = bytes < others->bytes ? bytes : others->bytes;
	there = bytes < others->there ? bytes : others->there;
	others->bytes -= bytes;
	others->there -= there;
	blocks->bytes += bytes;
	blocks->there += there;
	return bytes;
}

static void tell_blocks(struct count *c)
{
	struct scry_heap *h = c->h;
	struct scry_heap_part all = { .bytes = c->sums[BLOCKS].bytes, .split = true }, *part;
	uint64_t idle = 0, lost = 0, blocks = 0;

	for (size_t i = 0; i < h->class_count; i++) {
		all.used += h->classes[i].used * h->classes[i].size;
		blocks += (h->classes[i].used + h->classes[i].free) * h->classes[i].size;
	}
	for (size_t i = 0; i < c->runs[BLOCKS].count; i++) {
		idle += c->runs[BLOCKS].list[i].idle;
		lost += c->runs[BLOCKS].list[i].lost;
	}
	if (!blocks && !all.bytes)
		return;
	all.bytes += take_others(c, blocks > all.bytes ? blocks - all.bytes : 0);
	if (all.used > all.bytes)
		all.used = all.bytes;
	part = tell(c, BLOCKS, h->allocator ? h->allocator : "Python's allocator");
	part->bytes = all.bytes;
	part->used = all.used;
	part->free = all.bytes - all.used - (lost < all.bytes - all.used ? lost : 0);
	part->split = true;
	for (size_t i = 0; i < h->class_count; i++) {
		const struct scry_heap_class *class = &h->classes[i];

		part = add_part(c,
				scry_arena_printf(&c->s->arena, "blocks of %" PRIu64, class->size),
				(class->used + class->free) * class->size);
		part->used = class->used * class->size;
		part->free = class->free * class->size;
		part->split = part->minor = true;
	}
	if (idle)
		add_part(c, "nothing in use there, for blocks of any size", idle);
	if (lost)
		add_part(c, "no blocks: headers, rests", lost)->minor = true;
}

static void tell_malloc(struct count *c)
{
	const struct scry_chunks *chunks = &c->chunks;
	struct scry_heap_part *part;

	if (!c->sums[MALLOC].bytes)
		return;
	part = tell(c, MALLOC, names[MALLOC]);
	part->free = chunks->free;
	part->used = part->bytes > part->free ? part->bytes - part->free : 0;
	part->split = true;
	if (chunks->python)
		add_part(c, "Python's objects and their tables", chunks->python);
	if (chunks->mapped)
		add_part(c, "chunks in mappings of their own", chunks->mapped);
	for (unsigned i = SCRY_MALLOC_TCACHE; i <= SCRY_MALLOC_TOP; i++)
		if (chunks->by_state[i]) {
			part = add_part(c,
					scry_arena_printf(&c->s->arena, "free: %s",
							  scry_malloc_state_name(i)),
					chunks->by_state[i]);
			part->minor = true;
		}
}

static int by_bytes(const void *a, const void *b)
{
	const struct file *x = a, *y = b;

	if (x->sum.bytes != y->sum.bytes)
		return x->sum.bytes < y->sum.bytes ? 1 : -1;
	return strcmp(x->path, y->path);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

static void join_files(struct count *c)
{
	size_t n = 0;

	if (c->file_count)
		qsort(c->files, c->file_count, sizeof(*c->files), by_path);
	for (size_t i = 0; i < c->file_count; i++)
		if (n && !by_path(&c->files[n - 1], &c->files[i])) {
			c->files[n - 1].sum.bytes += c->files[i].sum.bytes;
			c->files[n - 1].sum.there += c->files[i].sum.there;
		} else {
			c->files[n++] = c->files[i];
		}
	c->file_count = n;
}

static void tell_files(struct count *c)
{
	join_files(c);
	if (c->file_count)
		qsort(c->files, c->file_count, sizeof(*c->files), by_bytes);
	for (size_t i = 0; i < c->file_count; i++) {
		struct scry_heap_part *part = add_part(c, c->files[i].path, c->files[i].sum.bytes);

		part->there = c->files[i].sum.there;
		part->has_there = c->census->has_there;
		part->minor = true;
	}
}

static void tell_all(struct count *c)
{
	/* without an allocator of Python's its objects are in chunks */
	if (c->h->class_count)
		tell_blocks(c);
	else
		tell_malloc(c);
	if (c->census->count)
		tell_kinds(c);
	if (c->sums[FRAMES].bytes)
		tell(c, FRAMES, names[FRAMES]);
	if (c->h->class_count)
		tell_malloc(c);
	for (unsigned who = STACKS; who < WHO_COUNT; who++) {
		if (c->sums[who].bytes)
			tell(c, who, names[who]);
		if (who == DATA && c->h->file_bytes)
			add_part(c, "objects that were made with the interpreter",
				 c->h->file_bytes);
		if (who == DATA)
			tell_files(c);
	}
}

static void sum_up(struct count *c)
{
	struct scry_census *census = c->census;
	uint64_t pythons = c->chunks.python, all;

	/* a list's table may be larger than what of it was written to */
	if (census->has_there && pythons > c->sums[MALLOC].there)
		pythons = c->sums[MALLOC].there;

	pythons += c->h->file_bytes;
	for (unsigned who = 0; who < WHO_COUNT; who++) {
		census->bytes += c->sums[who].bytes;
		census->there += c->sums[who].there;
		if (who == BLOCKS || who == FRAMES)
			pythons += census->has_there ? c->sums[who].there : c->sums[who].bytes;
	}
	all = census->has_there ? census->there : census->bytes;
	census->others = all > pythons ? all - pythons : 0;
}

int scry_census_take(struct scry_heap *h, struct scry_census *ret)
{
	struct scry_target *t = h->runtime->session->target;
	struct count c = { .h = h, .s = h->runtime->session, .census = ret };

	*ret = (struct scry_census) { .has_there = true };
	find_runs(&c);
	for (size_t i = 0; i < t->map_count && !c.s->stopped; i++)
		if (t->maps[i].flags & (SCRY_MAP_READ | SCRY_MAP_WRITE | SCRY_MAP_EXEC))
			count_map(&c, &t->maps[i]);
	tell_all(&c);
	sum_up(&c);
	if (c.s->stopped)
		return scry_fail(c.s, SCRY_EFAULT, 0, "interrupted");
	return c.full ? scry_fail(c.s, SCRY_ENOMEM, 0, "out of memory") : SCRY_OK;
}

bool scry_heap_resident(struct scry_heap *h, uint64_t *ret)
{
	struct scry_target *t = h->runtime->session->target;
	char path[64], line[256];
	unsigned long long kb;
	bool found = false;
	FILE *file;

	if (!t->ops->hold || t->pid <= 0) /* a dump does not say it */
		return false;
	snprintf(path, sizeof(path), "/proc/%" PRId64 "/status", t->pid);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = sscanf(line, "VmRSS: %llu", &kb) == 1;
	if (file)
		fclose(file);
	*ret = found ? kb * 1024 : 0;
	return found;
}
