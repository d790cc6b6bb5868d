/*
 * Functions without an unwind table, as hand-written kernels are: what they keep on the stack is
 * told by their instructions alone. Each dies of what it is given.
 */
__asm__(".text\n"
	".globl bare\n.type bare,@function\n"
	"bare:\n"
	"	mov (%rdi),%rax\n"
	"	ret\n"
	".size bare,.-bare\n"
	/* what lies below the saved registers are old return addresses */
	".globl saves\n.type saves,@function\n"
	"saves:\n"
	"	push %r15\n"
	"	push %rbp\n"
	"	sub $72,%rsp\n"
	"	test %rsi,%rsi\n"
	"	jnz 1f\n"
	"	add $72,%rsp\n"
	"	pop %rbp\n"
	"	pop %r15\n"
	"	ret\n"
	"1:	lea -16(%rsp),%rsp\n"
	"	mov (%rdi),%rax\n"
	"	lea 16(%rsp),%rsp\n"
	"	add $72,%rsp\n"
	"	pop %rbp\n"
	"	pop %r15\n"
	"	ret\n"
	".size saves,.-saves\n"
	".globl record\n.type record,@function\n"
	"record:\n"
	"	push %rbp\n"
	"	mov %rsp,%rbp\n"
	"	sub $64,%rsp\n"
	"	and $-32,%rsp\n"
	"	mov (%rdi),%rax\n"
	"	leave\n"
	"	ret\n"
	".size record,.-record\n");

extern long bare(void *, void *), saves(void *, void *), record(void *, void *);

__attribute__((noinline)) static long stir(long depth)
{
	volatile long x = depth;

	return x ? stir(x - 1) + 1 : x;
}

#define CALLERS(name)                                                 \
	__attribute__((noinline)) long name##_inner(void *a, void *b) \
	{                                                             \
		volatile long x = stir(9) + name(a, b);               \
		return x + 1;                                         \
	}                                                             \
	__attribute__((noinline)) long name##_outer(void *a, void *b) \
	{                                                             \
		volatile long x = name##_inner(a, b);                 \
		return x + 1;                                         \
	}

CALLERS(bare)
CALLERS(saves)
CALLERS(record)
