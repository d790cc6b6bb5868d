/* The tree as it is shown: counted, sorted, runs of frames without a branch as one. */
#include <stdlib.h>
#include <string.h>

#include "fold/fold.h"

/* --- counting --- */

static void count_members(struct scry_fold *f)
{
	for (const struct scry_fold_member *m = f->first; m; m = m->next)
		m->end->ends++;
	/* newest first: what stands below is counted before */
	for (struct scry_fold_node *n = f->newest; n; n = n->older) {
		n->count += n->ends;
		n->parent->count += n->count;
	}
}

/* Each process once a node: its members come one after another. */
static void count_processes(struct scry_fold *f)
{
	for (struct scry_fold_member *m = f->first; m; m = m->next)
		for (struct scry_fold_node *n = m->end; n && n->stamp != m->process;
		     n = n->parent) {
			n->stamp = m->process;
			n->count++;
		}
	/* of those that end at a node, too */
	for (struct scry_fold_node *n = f->newest; n; n = n->older) {
		uint32_t last = 0;

		for (const struct scry_fold_member *m = n->members; m; m = m->next_here) {
			n->ends += m->process != last;
			last = m->process;
		}
	}
}

static int by_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int compare_frames(const struct scry_fold_frame *a, const struct scry_fold_frame *b)
{
	int rc = by_text(a->function, b->function);

	if (!rc)
		rc = by_text(a->file, b->file);
	if (!rc)
		rc = a->line < b->line ? -1 : a->line > b->line;
	return rc ? rc : (int)a->kind - (int)b->kind;
}

void scry_fold_count(struct scry_fold *f)
{
	for (struct scry_fold_node *n = f->newest; n; n = n->older) {
		n->count = n->ends = 0;
		n->stamp = 0;
	}
	f->root.count = f->root.stamp = 0;
	if (f->group == SCRY_FOLD_BY_PROCESS)
		count_processes(f);
	else
		count_members(f);
}

uint64_t scry_fold_total(const struct scry_fold *f)
{
	return f->root.count;
}

/* --- branches --- */

bool scry_fold_is_leaf(const struct scry_fold_branch *b)
{
	return b->ends || !b->last->children;
}

static struct scry_fold_branch branch_at(const struct scry_fold_node *above,
					 const struct scry_fold_node *n, unsigned level)
{
	while (n->children && !n->children->next && !n->members)
		n = n->children;
	return (struct scry_fold_branch) { above, n, false, n->count, level };
}

static int compare_branches(const void *a, const void *b)
{
	const struct scry_fold_branch *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? -1 : 1;
	/* those that end here come first, others by their newest frames */
	if (x->ends != y->ends)
		return x->ends ? -1 : 1;
	for (const struct scry_fold_node *m = x->last, *n = y->last; m != n;
	     m = m->parent, n = n->parent) {
		if (!m->frame || !n->frame)
			return m->frame ? 1 : -1;
		int rc = compare_frames(m->frame, n->frame);
		if (rc)
			return rc;
	}
	return 0;
}

/* The next node of the subtree of `top`, each before what stands below it; NULL past the last. */
static const struct scry_fold_node *after(const struct scry_fold_node *top,
					  const struct scry_fold_node *n)
{
	if (n->children)
		return n->children;
	while (n != top && !n->next)
		n = n->parent;
	return n == top ? NULL : n->next;
}

/* All stacks below `top`, beside each other. */
static size_t leaves_below(const struct scry_fold_node *top, unsigned level,
			   struct scry_fold_branch **ret)
{
	size_t count = 0;

	for (const struct scry_fold_node *n = top; n; n = after(top, n))
		count += n->members != NULL;
	struct scry_fold_branch *list = count ? malloc(count * sizeof(*list)) : NULL;
	*ret = list;
	if (!list)
		return 0;
	count = 0;
	for (const struct scry_fold_node *n = top; n; n = after(top, n))
		if (n->members)
			list[count++] = (struct scry_fold_branch) { top, n, true, n->ends, level };
	qsort(list, count, sizeof(*list), compare_branches);
	return count;
}

size_t scry_fold_leaves(const struct scry_fold *f, struct scry_fold_branch **ret)
{
	return leaves_below(&f->root, 1, ret);
}

size_t scry_fold_branches(const struct scry_fold *f, const struct scry_fold_branch *b,
			  struct scry_fold_branch **ret)
{
	const struct scry_fold_node *top = b ? b->last : &f->root;
	unsigned level = b ? b->level + 1 : 1;
	size_t count = top->members != NULL;

	*ret = NULL;
	if (b && scry_fold_is_leaf(b))
		return 0;
	if (level >= SCRY_FOLD_BRANCHES)
		return leaves_below(top, level, ret);
	for (const struct scry_fold_node *n = top->children; n; n = n->next)
		count++;
	struct scry_fold_branch *list = count ? malloc(count * sizeof(*list)) : NULL;
	if (!list)
		return 0;
	count = 0;
	if (top->members)
		list[count++] = (struct scry_fold_branch) { top, top, true, top->ends, level };
	for (const struct scry_fold_node *n = top->children; n; n = n->next)
		list[count++] = branch_at(top, n, level);
	qsort(list, count, sizeof(*list), compare_branches);
	*ret = list;
	return count;
}

size_t scry_fold_branch_nodes(const struct scry_fold_branch *b, const struct scry_fold_node ***ret)
{
	size_t count = b->last->depth - b->above->depth;
	const struct scry_fold_node **list = count ? malloc(count * sizeof(*list)) : NULL;
	const struct scry_fold_node *n = b->last;

	*ret = list;
	if (!list)
		return 0;
	for (size_t i = count; i--; n = n->parent)
		list[i] = n;
	return count;
}

/* --- members --- */

static int compare_members(const void *a, const void *b)
{
	const struct scry_fold_member *x = *(const struct scry_fold_member *const *)a,
				      *y = *(const struct scry_fold_member *const *)b;

	return x->order < y->order ? -1 : x->order > y->order;
}

size_t scry_fold_members(const struct scry_fold *f, const struct scry_fold_branch *b,
			 const struct scry_fold_member ***ret)
{
	const struct scry_fold_node *top = b->last;
	const struct scry_fold_member **list;
	size_t count = 0, kept = 0;

	for (const struct scry_fold_node *n = top; n; n = b->ends ? NULL : after(top, n))
		for (const struct scry_fold_member *m = n->members; m; m = m->next_here)
			count++;
	*ret = list = count ? malloc(count * sizeof(*list)) : NULL;
	if (!list)
		return 0;
	count = 0;
	for (const struct scry_fold_node *n = top; n; n = b->ends ? NULL : after(top, n))
		for (const struct scry_fold_member *m = n->members; m; m = m->next_here)
			list[count++] = m;
	qsort(list, count, sizeof(*list), compare_members);
	for (size_t i = 0; i < count; i++)
		if (f->group != SCRY_FOLD_BY_PROCESS || !kept ||
		    list[kept - 1]->process != list[i]->process)
			list[kept++] = list[i];
	return kept;
}

bool scry_fold_differs(const struct scry_fold_variable *v)
{
	return v->values && (v->values->next || v->more);
}

/* --- signatures --- */

static uint64_t mix(uint64_t hash, const char *text)
{
	const uint8_t end = 0xff;

	return scry_fnv1a(scry_fnv1a(hash, text, strlen(text)), &end, 1);
}

const char *scry_fold_file_name(const char *path)
{
	const char *slash = strrchr(path, '/'), *other = strrchr(path, '\\');

	if (other && (!slash || other > slash))
		slash = other;
	return slash ? slash + 1 : path;
}

uint64_t scry_fold_signature(const struct scry_fold_node *last)
{
	uint64_t hash = SCRY_FNV1A_START;

	for (const struct scry_fold_node *n = last; n->frame; n = n->parent) {
		hash = mix(hash, scry_fold_kind_names[n->frame->kind]);
		hash = mix(hash, n->frame->function);
		hash = mix(hash, n->frame->file ? scry_fold_file_name(n->frame->file) : "");
	}
	return hash;
}
