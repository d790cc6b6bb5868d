/**
 * What is said of a thing, described once. Facts are a table: each row has a key, the kind of its
 * value, and where the value comes from: a member of the C struct that the facts are about (the
 * subject), or a function. How they read is a second table, of phrases that name the keys. A
 * renderer (src/command/render) makes text or JSON of them: it asks for the values in its own
 * order, and those that it does not ask for cost nothing.
 */
#ifndef SCRY_FACTS_H
#define SCRY_FACTS_H

#include <signal.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/hash.h"

struct scry_facts;
struct scry_renderer;

/** What a value is. */
enum scry_said_kind {
	SCRY_SAID_ABSENT, /* the field does not apply: not even a null */
	SCRY_SAID_NULL,
	SCRY_SAID_BOOL,
	SCRY_SAID_INT,
	SCRY_SAID_ADDR,
	SCRY_SAID_TEXT,
	SCRY_SAID_FACTS,  /* facts about something else */
	SCRY_SAID_LIST,   /* facts about several things, given to a renderer one by one */
	SCRY_SAID_MAP,    /* the same: the first field of each is its key, the second its value */
	SCRY_SAID_FIELDS, /* the fields of other facts, as if they were here */
	SCRY_SAID_VIEW,   /* phrases about the same subject: for text alone */
};

/** One value. Texts are WTF-8. Zeroed it is "absent"; scry_said_done() releases what it holds. */
struct scry_said {
	enum scry_said_kind kind;
	bool truth;
	int64_t number;
	uint64_t addr;
	const char *text;
	size_t len;
	const struct scry_facts *facts; /* FACTS, FIELDS: which; LIST, MAP: of what */
	const char *const *view;        /* VIEW: the phrases */
	const void *subject;            /* FACTS, FIELDS: about what; LIST, MAP: what `each` gets */
	void (*each)(const void *subject, struct scry_renderer *to);
	/* for a subject that is nowhere else: an address, and what knows of it */
	struct scry_at {
		void *in;
		uint64_t addr;
	} at;
	struct scry_buf own; /* the text, where it was made for this value */
};

/** How a field gets its value. */
enum scry_say_how {
	SCRY_SAY_END, /* zero: a table ends with an empty row */
	SCRY_SAY_TEXT,
	SCRY_SAY_CHARS,
	SCRY_SAY_BOOL,
	SCRY_SAY_INT,
	SCRY_SAY_COUNT, /* an integer, null where it is not above 0 */
	SCRY_SAY_ADDR,
	SCRY_SAY_ID,   /* an address, null where it is 0 */
	SCRY_SAY_NAME, /* an enum by the names in `names` */
	SCRY_SAY_FACTS,
	SCRY_SAY_AT, /* facts about the address in the member, whose subject is a struct scry_at */
	SCRY_SAY_ADDRS,   /* a list of addresses: the member points to them, `count` is another */
	SCRY_SAY_POINTER, /* facts about what the member points to, null for NULL */
	SCRY_SAY_VIEWS, /* the phrases in `views` that an enum chooses, absent where it has none */
	SCRY_SAY_GET,
	SCRY_SAY_PRINT,
	SCRY_SAY_LIST,
	SCRY_SAY_MAP,
	SCRY_SAY_FIELDS,
	SCRY_SAY_VIEW,
};

/** Flags of a field. */
enum scry_say_flags {
	SCRY_SAY_OPTIONAL = 1,  /* no key where the value is null */
	SCRY_SAY_TEXT_ONLY = 2, /* for phrases: no key at all */
};

/** A field. Made by the SAY_ macros below. */
struct scry_say {
	const char *key;
	unsigned char how, size, flags;
	bool is_signed;
	unsigned short offset, count; /* ADDRS: `count` is where the number of them is, a size_t */
	const char *const *names;     /* NAME; VIEW: the phrases; FACTS, AT: others than theirs */
	const char *const *const *views; /* VIEWS: by the enum's value; entries may be NULL */
	unsigned view_count;
	const char *between; /* VIEW, VIEWS: what goes between two phrases, or NULL */
	const struct scry_facts
		*facts; /* FACTS, FIELDS ...; LIST, MAP: the elements'; GET: may give */
	const struct scry_facts *const *of; /* GET: what it may give, ends with NULL */
	void (*get)(const void *subject, struct scry_said *ret);
	/* append the text; false: there is none, the value is null */
	bool (*print)(const void *subject, struct scry_buf *out);
	void (*each)(const void *subject, struct scry_renderer *to);
	bool (*has)(const void *subject); /* LIST, MAP: false: no key; NULL: always */
};

/**
 * What can be said of a subject. `text` are phrases, in order:
 *   {key}     the value; the phrase is left out as a whole where it is null
 *   {?key}    no text: the phrase is left out where the value is null, false or 0; {!key} where not
 *   {key=x}   x where it is null      {key,} 199,990       {key%-4} padded to a width
 *   {key+}    "s", but nothing for 1  {key:style} in a style's colour
 *             one after the other where there are several, the last two in this order:
 *             {key,%-8:style=x}
 *   {:style}  and {} a style for literal text, and its end
 * A phrase that begins with '|' is for where the ones before it were left out. {?-v}: with -v.
 */
struct scry_facts {
	const char *name;
	const struct scry_say *fields; /* in the order of JSON */
	const char *const *text;       /* ends with NULL; NULL: it has no text of its own */
	/* members are of the struct that this pointer in the subject leads to: SCRY_THROUGH */
	unsigned short through;
	/* what facts about an address know of it: where in the subject the pointer is, SCRY_IN */
	unsigned short in;
	/* JSON: it is not an object but its first field's value (an element of a list) */
	bool bare;
	bool text_only; /* what goes between elements: headings, what was left out; not in JSON */
};

#define SCRY_THROUGH(type, member) .through = offsetof(type, member) + 1
#define SCRY_IN(type, member)      .in = offsetof(type, member) + 1

/* The member's struct is SUBJECT, which the file defines before its table. */
#define SCRY_SAY_MEMBER(kind, k, m, ...)                                     \
	{                                                                    \
		.key = k, .how = kind, .size = sizeof(((SUBJECT *)NULL)->m), \
		.offset = offsetof(SUBJECT, m), ##__VA_ARGS__                \
	}
#define SCRY_SAY_NUMBER(kind, k, m, ...)                                                   \
	SCRY_SAY_MEMBER(kind, k, m, .is_signed = (__typeof__(((SUBJECT *)NULL)->m))-1 < 1, \
			##__VA_ARGS__)
/* A member of another kind does not compile: an array of negative size. */
#define SCRY_SAY_MUST(test)  (0 * sizeof(char[(test) ? 1 : -1]))
#define SCRY_SAY_IS(m, type) __builtin_types_compatible_p(__typeof__(((SUBJECT *)NULL)->m), type)
#define SAY_TEXT(key, m, ...)                                                         \
	SCRY_SAY_MEMBER(SCRY_SAY_TEXT + SCRY_SAY_MUST(SCRY_SAY_IS(m, const char *) || \
						      SCRY_SAY_IS(m, char *)),        \
			key, m, ##__VA_ARGS__)
/* an array of characters */
#define SAY_CHARS(key, m, ...) SCRY_SAY_MEMBER(SCRY_SAY_CHARS, key, m, ##__VA_ARGS__)
#define SAY_BOOL(key, m, ...) \
	SCRY_SAY_MEMBER(SCRY_SAY_BOOL + SCRY_SAY_MUST(SCRY_SAY_IS(m, bool)), key, m, ##__VA_ARGS__)
#define SAY_INT(key, m, ...)   SCRY_SAY_NUMBER(SCRY_SAY_INT, key, m, ##__VA_ARGS__)
#define SAY_COUNT(key, m, ...) SCRY_SAY_NUMBER(SCRY_SAY_COUNT, key, m, ##__VA_ARGS__)
#define SAY_ADDR(key, m, ...)                                                            \
	SCRY_SAY_MEMBER(SCRY_SAY_ADDR + SCRY_SAY_MUST(SCRY_SAY_IS(m, uint64_t)), key, m, \
			##__VA_ARGS__)
#define SAY_ID(key, m, ...)                                                            \
	SCRY_SAY_MEMBER(SCRY_SAY_ID + SCRY_SAY_MUST(SCRY_SAY_IS(m, uint64_t)), key, m, \
			##__VA_ARGS__)
#define SAY_NAME(key, m, n, ...)  SCRY_SAY_MEMBER(SCRY_SAY_NAME, key, m, .names = n, ##__VA_ARGS__)
#define SAY_FACTS(key, r, m, ...) SCRY_SAY_MEMBER(SCRY_SAY_FACTS, key, m, .facts = r, ##__VA_ARGS__)
#define SAY_AT(key, r, m, ...)                                                                     \
	SCRY_SAY_MEMBER(SCRY_SAY_AT + SCRY_SAY_MUST(SCRY_SAY_IS(m, uint64_t)), key, m, .facts = r, \
			##__VA_ARGS__)
#define SAY_ADDRS(key, r, m, n, ...)                                                    \
	SCRY_SAY_MEMBER(SCRY_SAY_ADDRS + SCRY_SAY_MUST(SCRY_SAY_IS(n, size_t)), key, m, \
			.facts = r, .count = offsetof(SUBJECT, n), ##__VA_ARGS__)
#define SAY_POINTER(key, r, m, ...) \
	SCRY_SAY_MEMBER(SCRY_SAY_POINTER, key, m, .facts = r, ##__VA_ARGS__)
/* The same subject. A function gets the subject itself, whatever `through` says. */
#define SAY_GET(k, f, ...)                                             \
	{                                                              \
		.key = k, .how = SCRY_SAY_GET, .get = f, ##__VA_ARGS__ \
	}
#define SAY_PRINT(k, f, ...)                                               \
	{                                                                  \
		.key = k, .how = SCRY_SAY_PRINT, .print = f, ##__VA_ARGS__ \
	}
#define SAY_LIST(k, r, f, ...)                                                       \
	{                                                                            \
		.key = k, .how = SCRY_SAY_LIST, .facts = r, .each = f, ##__VA_ARGS__ \
	}
/* Only where the function `h` says that there is such a list. */
#define SAY_LIST_IF(k, r, f, h, ...) SAY_LIST(k, r, f, .has = h, ##__VA_ARGS__)
#define SAY_MAP(k, r, f, ...)                                                       \
	{                                                                           \
		.key = k, .how = SCRY_SAY_MAP, .facts = r, .each = f, ##__VA_ARGS__ \
	}
#define SAY_SELF(k, r, ...)                                                \
	{                                                                  \
		.key = k, .how = SCRY_SAY_FACTS, .facts = r, ##__VA_ARGS__ \
	}
#define SAY_FIELDS(r)                                         \
	{                                                     \
		.key = "", .how = SCRY_SAY_FIELDS, .facts = r \
	}
#define SAY_VIEW(k, phrases, sep)                                                              \
	{                                                                                      \
		.key = k, .how = SCRY_SAY_VIEW, .flags = SCRY_SAY_TEXT_ONLY, .names = phrases, \
		.between = sep                                                                 \
	}
/* Phrases chosen by the member, an enum, from an array of views. */
#define SAY_VIEWS(key, m, v, sep)                                                        \
	SCRY_SAY_MEMBER(SCRY_SAY_VIEWS, key, m, .flags = SCRY_SAY_TEXT_ONLY, .views = v, \
			.view_count = sizeof(v) / sizeof(*(v)), .between = sep)
#define SAY_END      \
	{            \
		NULL \
	}

/** The value of a field. Release it with scry_said_done(), or declare it with SCRY_AUTO_SAID. */
void scry_said_get(const struct scry_facts *facts, const struct scry_say *field,
		   const void *subject, struct scry_said *ret);
void scry_said_done(struct scry_said *said);
#define SCRY_AUTO_SAID(name) \
	SCRY_AUTO(scry_said_done) struct scry_said name = { .own = SCRY_BUF_INIT }

/* For functions of SAY_GET. NULL is null, as an `addr` of 0 is. */
void scry_said_text(struct scry_said *ret, const char *text);
void scry_said_bytes(struct scry_said *ret, const char *text, size_t len);
void scry_said_int(struct scry_said *ret, int64_t number);
void scry_said_bool(struct scry_said *ret, bool truth);
void scry_said_addr(struct scry_said *ret, uint64_t addr);
void scry_said_id(struct scry_said *ret, uint64_t addr);
void scry_said_facts(struct scry_said *ret, const struct scry_facts *facts, const void *subject);
/** Facts about an address: the subject is a struct scry_at in *ret. Null for 0. */
void scry_said_at(struct scry_said *ret, const struct scry_facts *facts, void *in, uint64_t addr);
/** Is there something to show: not null, not false, not 0. */
bool scry_said_is(const struct scry_said *said);

/** What makes text, JSON ... of facts: one file in src/command/render. */
struct scry_renderer_ops {
	const char *name;
	/**
	 * Facts by themselves or as an element of a list; `view` are other phrases than their own,
	 * or NULL.
	 */
	void (*facts)(struct scry_renderer *to, const struct scry_facts *facts,
		      const char *const *view, const void *subject);
	/** Their fields, as those of what is open: an answer's own keys. */
	void (*fields)(struct scry_renderer *to, const struct scry_facts *facts,
		       const char *const *view, const void *subject);
	void (*list_open)(struct scry_renderer *to, const char *key);
	void (*list_close)(struct scry_renderer *to);
};

/** The first member of whatever a rendering keeps of its own. */
struct scry_renderer {
	const struct scry_renderer_ops *ops;
	/* from then on nothing is rendered: what is said is thrown away. NULL: it never stops */
	const volatile sig_atomic_t *stopped;
};

/**
 * Render one thing by its table: with all of its phrases, or (_as) with those of a view, NULL
 * meaning all. `subject` is borrowed for the call.
 */
void scry_say(struct scry_renderer *to, const struct scry_facts *facts, const void *subject);
void scry_say_as(struct scry_renderer *to, const struct scry_facts *facts, const char *const *view,
		 const void *subject);
/**
 * The same without what makes an element of it: for an answer's outermost facts, whose keys go into
 * the object that the envelope has begun.
 */
void scry_say_fields(struct scry_renderer *to, const struct scry_facts *facts, const void *subject);
void scry_say_fields_as(struct scry_renderer *to, const struct scry_facts *facts,
			const char *const *view, const void *subject);

/** Facts that are one value: for lists of addresses and texts. */
extern const struct scry_say scry_facts_addr_fields[]; /* "address", for other phrases */
extern const struct scry_facts scry_facts_addr;        /* a uint64_t */
extern const struct scry_facts scry_facts_text;        /* a const char * */

#endif
