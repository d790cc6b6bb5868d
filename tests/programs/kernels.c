/*
 * Functions without an unwind table, as hand-written kernels are: what they keep on the stack is
 * told by their instructions alone. Each dies of what it is given.
 */
#ifdef __aarch64__
__asm__(".text\n"
	".globl bare\n.type bare,@function\n"
	"bare:\n"
	"	ldr x2,[x0]\n"
	"	ret\n"
	".size bare,.-bare\n"
	".globl helper\n.type helper,@function\n"
	"helper:\n"
	"	add x9,x9,#1\n"
	"	ret\n"
	".size helper,.-helper\n"
	/* keeps no record: the frame pointer is its caller's, the link register its own */
	".globl saves\n.type saves,@function\n"
	"saves:\n"
	"	stp x19,x30,[sp,#-32]!\n"
	"	str x20,[sp,#16]\n"
	"	cbz x0,1f\n"
	"	sub sp,sp,#64\n"
	"	bl helper\n"
	"	ldr x2,[x0]\n"
	"	add sp,sp,#64\n"
	"1:	ldr x20,[sp,#16]\n"
	"	ldp x19,x30,[sp],#32\n"
	"	ret\n"
	".size saves,.-saves\n"
	/* its record is not at the upper end of its frame */
	".globl record\n.type record,@function\n"
	"record:\n"
	"	stp x29,x30,[sp,#-48]!\n"
	"	mov x29,sp\n"
	"	bl helper\n"
	"	ldr x2,[x0]\n"
	"	ldp x29,x30,[sp],#48\n"
	"	ret\n"
	".size record,.-record\n"
	/* calls itself twice */
	".globl again\n.type again,@function\n"
	"again:\n"
	"	str x30,[sp,#-16]!\n"
	"	subs x1,x1,#16\n"
	"	b.lt 1f\n"
	"	bl again\n"
	"	ldr x30,[sp],#16\n"
	"	ret\n"
	"1:	ldr x2,[x0]\n"
	"	ldr x30,[sp],#16\n"
	"	ret\n"
	".size again,.-again\n");
#else
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
	".size record,.-record\n"
	/* calls itself twice */
	".globl again\n.type again,@function\n"
	"again:\n"
	"	push %rbx\n"
	"	sub $16,%rsi\n"
	"	jl 1f\n"
	"	call again@plt\n"
	"	pop %rbx\n"
	"	ret\n"
	"1:	mov (%rdi),%rax\n"
	"	pop %rbx\n"
	"	ret\n"
	".size again,.-again\n"
	/* what it calls does not come back; its frame is too large to be searched, and it has no
	 * symbol once it is stripped */
	".type halts,@function\n"
	"halts:\n"
	"	sub $20008,%rsp\n"
	"	call bare@plt\n"
	"	hlt\n"
	".size halts,.-halts\n");
#endif

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
extern long again(void *, void *);
CALLERS(again)
#ifndef __aarch64__
extern long halts(void *, void *);
CALLERS(halts)
#endif
