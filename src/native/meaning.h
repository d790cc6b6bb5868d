/** What a machine word (a register's value, a stack slot) means to Python. */
#ifndef SCRY_MEANING_H
#define SCRY_MEANING_H

#include "native/native.h"

/** The readings, of which the most specific one that holds is taken. */
enum scry_word_kind {
	SCRY_WORD_NUMBER,   /* too small or too large for an address */
	SCRY_WORD_UNMAPPED, /* might be an address, but nothing is there */
	SCRY_WORD_MEMORY,   /* mapped; nothing more is known */
	SCRY_WORD_STACK,    /* inside the thread's own stack */
	SCRY_WORD_CODE,     /* machine code */
	SCRY_WORD_OBJECT,   /* a Python object */
	SCRY_WORD_TYPE,     /* a type object */
	SCRY_WORD_CODE_OBJECT,
	SCRY_WORD_FRAME,    /* a PyFrameObject or an interpreter frame of a walked stack */
	SCRY_WORD_THREAD,   /* a PyThreadState */
	SCRY_WORD_INTERP,   /* a PyInterpreterState */
	SCRY_WORD_INTERIOR, /* inside `object`, `offset` bytes after its start */
	SCRY_WORD_OBJECTS,  /* memory that holds pointers to objects: `slots` */
};

#define SCRY_MAX_SLOTS 6

/** What a word may be, the likeliest reading. Texts are in the session's arena. */
struct scry_meaning {
	enum scry_word_kind kind;
	struct scry_runtime *runtime; /* for the object kinds */
	scry_addr object;             /* the object, frame, or the one the word points into */
	/* SCRY_WORD_INTERIOR, SCRY_WORD_CODE: from object, symbol or module start */
	uint64_t offset;
	const char *type;           /* tp_name of the object, or NULL */
	const char *function;       /* of a frame that the thread's stack has, else NULL */
	struct scry_module *module; /* SCRY_WORD_CODE, or a static object's; may be NULL */
	const char *symbol;         /* SCRY_WORD_CODE: nearest function before, or NULL */
	const char *doubt;          /* why the reading is uncertain, or NULL */
	bool freed;                 /* what it leads to, or consists of, is of freed memory */
	/* SCRY_WORD_OBJECTS, and INTERIOR of a container: what is there; 0 NULL */
	scry_addr slots[SCRY_MAX_SLOTS];
	/* how many in a row are objects or NULL; a guess, for the struct's end is not known */
	unsigned slot_count;
};

/** A reader of words, with what it needs to know about the target gathered once. */
struct scry_words {
	struct scry_session *session;
	/* the kind of each frame, thread state and interpreter, by address */
	struct scry_hash frames;
	struct scry_span {
		scry_addr start, end;
		const char *function;
		/* the frames of the thread, in the session's arena, in address order */
	} * spans;
	size_t span_count;
	scry_addr stack_start, stack_end; /* the thread's stack, where its stack pointer is known */
};

/**
 * Gather; walks the stack of `t` (may be NULL) so that its frames are recognised. Release with
 * scry_words_done().
 */
void scry_words_init(struct scry_words *w, struct scry_session *s, struct scry_thread *t);
void scry_words_done(struct scry_words *w);
/** Always succeeds: the least it says is that the word is a number. */
void scry_words_read(struct scry_words *w, uint64_t word, struct scry_meaning *ret);
/** "object", "type", "code" ...: for JSON. */
const char *scry_word_kind_name(enum scry_word_kind kind);

#endif
