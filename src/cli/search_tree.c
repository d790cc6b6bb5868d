/*
 * What the static libdw and libelf of Debian 13 and later want and no archive of theirs has: the
 * functions of libeu (lib/eu-search.[ch], elfutils 0.191 and later), over the C library's trees.
 * Weak: where a library has them, its own are taken. `struct search_tree` begins with the root; a
 * lock may follow, which a program that uses libdw in one thread alone does not need.
 */
#include <search.h>
#include <stddef.h>

#define WEAK __attribute__((weak, visibility("hidden")))

struct search_tree {
	void *root;
};

typedef int compare_fn(const void *, const void *);

WEAK void *eu_tsearch(const void *key, struct search_tree *tree, compare_fn *compare);
WEAK void *eu_tfind(const void *key, struct search_tree *tree, compare_fn *compare);
WEAK void *eu_tdelete(const void *key, struct search_tree *tree, compare_fn *compare);
WEAK void eu_tdestroy(struct search_tree *tree, void (*free_node)(void *));
WEAK void eu_search_tree_init(struct search_tree *tree);
WEAK void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *));

void *eu_tsearch(const void *key, struct search_tree *tree, compare_fn *compare)
{
	return tsearch(key, &tree->root, compare);
}

void *eu_tfind(const void *key, struct search_tree *tree, compare_fn *compare)
{
	return tfind(key, &tree->root, compare);
}

void *eu_tdelete(const void *key, struct search_tree *tree, compare_fn *compare)
{
	return tdelete(key, &tree->root, compare);
}

void eu_tdestroy(struct search_tree *tree, void (*free_node)(void *))
{
	tdestroy(tree->root, free_node);
	tree->root = NULL;
}

void eu_search_tree_init(struct search_tree *tree)
{
	tree->root = NULL;
}

void eu_search_tree_fini(struct search_tree *tree, void (*free_node)(void *))
{
	eu_tdestroy(tree, free_node);
}
