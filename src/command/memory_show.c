/* Memory around an address: the block of an allocator, words with the names of fields. */
#include "command/memory_show.h"
#include "command/layer_show.h"

#include <inttypes.h>

#include "object/whatis.h"

#define SUBJECT struct scry_block
static const struct scry_say block_fields[] = {
	SAY_ADDR("address", start),
	SAY_INT("size", size),
	SAY_TEXT("allocator", allocator),
	SAY_BOOL("free", free),
	SAY_END,
};
#undef SUBJECT

static const char *const block_text[] = {
	"  in a block of {size} bytes at {address} ({allocator})",
	"{?free}{:error}, which is free: what stood there is gone{}",
	"\n",
	NULL,
};

const struct scry_facts scry_facts_block = { "block", block_fields, block_text };

static void get_intact(const void *subject, struct scry_said *ret)
{
	const struct scry_debug_block *b = subject;

	scry_said_bool(ret, b->before_intact && b->behind_intact);
}

#define SUBJECT struct scry_debug_block
static const struct scry_say debug_fields[] = {
	SAY_ADDR("address", start),
	SAY_INT("size", size),
	SAY_TEXT("domain", domain),
	SAY_GET("intact", get_intact),
	SAY_BOOL("before", before_intact, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("behind", behind_intact, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

static const char *const debug_text[] = {
	"  debug allocator: {size} bytes at {address} for {domain}, the bytes ",
	"{?intact}around them intact",
	"|{?before}after them overwritten",
	"|{?behind}before them overwritten",
	"|around them overwritten",
	"\n",
	NULL,
};

const struct scry_facts scry_facts_debug_block = { "debug block", debug_fields, debug_text };

static const char *const hooks_text[] = {
	" ({size} bytes for {domain} by the debug hooks, whose bytes ",
	"{?intact}around it are intact)",
	"|{?before}after it are overwritten)",
	"|{?behind}before it are overwritten)",
	"|around it are overwritten)",
	NULL,
};

const struct scry_facts scry_facts_hooks = { "debug block", debug_fields, hooks_text };

/* --- words --- */

static bool print_word(const void *subject, struct scry_buf *out)
{
	scry_whatis_word_text(subject, out);
	return true;
}

static void get_word(const void *subject, struct scry_said *ret)
{
	const struct scry_dump_word *w = subject;

	if (w->error)
		ret->kind = SCRY_SAID_NULL;
	else
		scry_said_addr(ret, w->word);
}

#define SUBJECT struct scry_dump_word
static const struct scry_say word_fields[] = {
	SAY_ADDR("address", addr),
	SAY_GET("word", get_word),
	SAY_TEXT("fields", fields),
	SAY_TEXT("meaning", meaning),
	SAY_TEXT("error", error),
	SAY_PRINT("line", print_word, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_word = { "word", word_fields,
					    (const char *const[]) { "{line}\n", NULL } };

static const struct scry_say line_fields[] = { SAY_PRINT("line", print_word), SAY_END };
const struct scry_facts scry_facts_word_line = { "word", line_fields, NULL, .bare = true };
