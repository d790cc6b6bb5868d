/* The words of a C frame that are an object, part of one, a return address, a frame. */
#include "command/stack_words.h"

#include "command/cvars.h"
#include "native/cfi.h"

#define WORDS_MAX 4096 /* of one frame */

struct word {
	struct scry_crash *of;
	scry_addr at;
	uint64_t value;
	struct scry_meaning m;
	struct scry_held held;
};

static bool has_object(const struct scry_meaning *m)
{
	return m->runtime && m->object && m->type;
}

static void get_kind(const void *subject, struct scry_said *ret)
{
	const struct word *w = subject;

	scry_said_text(ret, w->m.kind == SCRY_WORD_CODE ? "return address"
							: scry_word_kind_name(w->m.kind));
}

static void get_object(const void *subject, struct scry_said *ret)
{
	const struct word *w = subject;

	scry_said_facts(ret, &scry_facts_held, w->held.runtime ? &w->held : NULL);
}

static bool print_meaning(const void *subject, struct scry_buf *out)
{
	const struct word *w = subject;

	scry_crash_put_meaning(w->of, w->value, out);
	return true;
}

#define SUBJECT struct word
static const struct scry_say fields[] = {
	SAY_ADDR("address", at),
	SAY_ADDR("value", value),
	SAY_GET("kind", get_kind),
	SAY_GET("object", get_object, .facts = &scry_facts_held),
	SAY_TEXT("uncertain", m.doubt),
	SAY_PRINT("meaning", print_meaning, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_stack_word = {
	"stack word", fields,
	(const char *const[]) { "  {address}: {value%-18} {kind}: {meaning}",
				"  [uncertain: {uncertain}]", "\n", NULL }
};

static bool is_worth(struct scry_session *s, const struct word *w)
{
	switch (w->m.kind) {
	case SCRY_WORD_OBJECT:
	case SCRY_WORD_TYPE:
	case SCRY_WORD_CODE_OBJECT:
	case SCRY_WORD_FRAME:
	case SCRY_WORD_THREAD:
	case SCRY_WORD_INTERP:
	case SCRY_WORD_INTERIOR:
		return true;
	case SCRY_WORD_CODE:
		return scry_follows_call(s, w->value, NULL);
	default:
		return false;
	}
}

void scry_each_stack_word(const struct scry_stack_part *part, struct scry_renderer *to)
{
	struct scry_session *s = part->of->session;
	unsigned size = s->target->abi.ptr_size;

	for (unsigned i = 0; i < WORDS_MAX && part->start + (i + 1) * size <= part->end; i++) {
		struct word w = { .of = part->of, .at = part->start + i * size };

		if (scry_read_uint(s, w.at, size, &w.value) < 0)
			continue;
		scry_words_read(&part->of->words, w.value, &w.m);
		if (has_object(&w.m))
			w.held = (struct scry_held) { w.m.runtime, w.m.object };
		if (is_worth(s, &w))
			scry_say(to, &scry_facts_stack_word, &w);
	}
}
