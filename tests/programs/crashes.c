/*
 * An extension module that dies in many ways. Before it dies, a handler writes what the processor
 * and the kernel say of the fault to $PYSCRY_TRUTH, one "key value" a line; the instruction then
 * fails again and leaves the core.
 */
#define _GNU_SOURCE
#include <Python.h>
#include <assert.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

/* Py_TYPE() may be a function of its own */
#define TYPE(object) (((PyObject *)(object))->ob_type)
#define NOINLINE     __attribute__((noinline, noclone))

static int truth = -1;
static char alternative[65536];

static void say(const char *key, unsigned long long value)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "%s %#llx\n", key, value);

	if (write(truth, line, n) != n)
		_exit(99);
}

static void died(int number, siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;
	static const char *const names[] = { "r8",  "r9",  "r10", "r11", "r12", "r13",
					     "r14", "r15", "rdi", "rsi", "rbp", "rbx",
					     "rdx", "rax", "rcx", "rsp", "rip" };

	for (int i = 0; i < 17; i++)
		say(names[i], regs[i]);
	say("signal", number);
	say("code", (unsigned)info->si_code);
	say("address", (unsigned long long)info->si_addr);
	say("error", regs[REG_ERR]); /* of a page fault: 2 written, 16 fetched */
	if (number == SIGTRAP)
		regs[REG_RIP]--;
	if (info->si_code <= 0)
		raise(number);
}

static void watch(void)
{
	static const int numbers[] = { SIGSEGV, SIGBUS, SIGFPE, SIGTRAP, SIGILL };
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };
	stack_t stack = { .ss_sp = alternative, .ss_size = sizeof(alternative) };

	if (truth >= 0)
		return;
	truth = open(getenv("PYSCRY_TRUTH"), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	action.sa_sigaction = died;
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++)
		sigaction(numbers[i], &action, NULL);
}

/* What the test compares operands with. */
static void hold(const char *key, const void *value)
{
	say(key, (unsigned long long)value);
}

struct pair {
	PyObject *in, *out;
};

static volatile int zero;
static PyObject *volatile nothing;
static const char constant[] = "read-only";
static int data[4] = { 1, 2, 3, 4 };
static const char *volatile kept;
static volatile unsigned long long lost = 0x00005000deadb000;

NOINLINE static PyObject *null_field(PyObject *object)
{
	struct pair *volatile p = NULL;

	hold("object", object);
	return p->out;
}

NOINLINE static const char *null_type(PyObject *object)
{
	return kept = TYPE(object)->tp_name;
}

NOINLINE static const char *bad_type(PyObject *object)
{
	hold("object", object);
	*(void *volatile *)&object->ob_type = (void *)lost;
	return kept = ((PyObject *volatile)object)->ob_type->tp_name;
}

NOINLINE static PyObject *hidden(const struct pair *full, PyObject *callback)
{
	PyObject *answer = PyObject_CallObject(callback, NULL);

	Py_XDECREF(answer);
	((struct pair *)full)->in = nothing;
	return (PyObject *)TYPE(full->in);
}

NOINLINE static PyObject *hidden_caller(PyObject *object, PyObject *callback)
{
	struct pair full = { object, callback };

	hold("object", object);
	return hidden(&full, callback);
}

NOINLINE static void double_free(void)
{
	char *block = malloc(4000);
	char *volatile again = block;

	strcpy(block, "x");
	free(block);
	free(again);
}

NOINLINE static void assertion(int value)
{
	if (value == 0)
		__assert_fail("value == 42", "crashes.c", 77, "assertion");
}

NOINLINE static void fatal(void)
{
	Py_FatalError("the answer is lost");
}

/* What is behind a directive that pyscry does not know stays as it is written. */
#if PY_VERSION_HEX >= 0x030a0000 && PY_VERSION_HEX < 0x030d0000 /* no symbol later */
NOINLINE static void fatal_format(unsigned large)
{
	_Py_FatalErrorFormat("fatal_format", "%u is %s, %d %c %x", large, "lost", -7, 'c');
}
#else
#define fatal_format(large) abort()
#endif

NOINLINE static int recursion(int depth)
{
	volatile char frame[400];

	frame[depth % 400] = 1;
	return recursion(depth + 1) + frame[(depth + 1) % 400];
}

NOINLINE static PyObject *call_null(PyObject *object)
{
	PyObject *(*volatile function)(PyObject *) = NULL;

	hold("object", object);
	return function(object);
}

NOINLINE static PyObject *call_data(PyObject *object)
{
	PyObject *(*volatile function)(PyObject *) = (void *)data;

	hold("object", data);
	return function(object);
}

NOINLINE static long non_canonical(void)
{
	long *volatile p = (long *)0x4141414141414140;

	return *p;
}

NOINLINE static void write_constant(void)
{
	char *volatile p = (char *)constant;

	*p = 'x';
}

NOINLINE static int truncated(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (ftruncate(fd, 16384))
		return -1;
	volatile int *p = mmap(NULL, 16384, PROT_READ, MAP_SHARED, fd, 0);
	if (ftruncate(fd, 0))
		return -1;
	return p[2048];
}

NOINLINE static int division(int value)
{
	return value / zero;
}

NOINLINE static void breakpoint(void)
{
	__asm__ volatile("int3");
}

NOINLINE static void dealloc(PyObject *object)
{
	static PyTypeObject type;

	memcpy(&type, TYPE(object), sizeof(type));
	type.tp_dealloc = (destructor)(void *)data;
	hold("object", data);
	*(void *volatile *)&object->ob_type = &type;
	(*((PyObject *volatile)object)->ob_type->tp_dealloc)(object);
	data[0]++;
}

NOINLINE static int released(PyObject *bytes)
{
	char *memory =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *volatile buffer = memory;

	(void)bytes;
	munmap(memory, 65536);
	return buffer[4096];
}

/* A function of a library that is no longer there. */
NOINLINE static void unloaded(PyObject *object)
{
	void (*volatile function)(PyObject *) = (void (*)(PyObject *))(uintptr_t)mmap(
		NULL, 65536, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	munmap((void *)(uintptr_t)function, 65536);
	function(object);
	data[0]++;
}

/* In the middle of its own mapping, so that it is near no stack. */
NOINLINE static int guarded(void)
{
	char *volatile memory =
		mmap(NULL, 65536, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(memory + 16384, 16384, PROT_NONE);
	return memory[16384 + 8];
}

NOINLINE static int too_large(volatile int by)
{
	volatile int value = INT_MIN;

	return value / by;
}

NOINLINE static void trap(void)
{
	__builtin_trap();
}

static void *without_gil(void *object)
{
	stack_t stack = { .ss_sp = alternative, .ss_size = sizeof(alternative) };

	sigaltstack(&stack, NULL);
	PyErr_SetObject(PyExc_ValueError, object);
	return NULL;
}

NOINLINE static void gil(PyObject *object)
{
	pthread_t thread;

	/* nobody has it then: until 3.11 a thread without one would take its creator's state */
	Py_BEGIN_ALLOW_THREADS pthread_create(&thread, NULL, without_gil, object);
	pthread_join(thread, NULL);
	Py_END_ALLOW_THREADS
}

/* The Win64 convention hands a struct of two words over by a pointer in a register. */
__attribute__((ms_abi)) NOINLINE static PyObject *behind_r8(int a, int b, struct pair full)
{
	(void)a;
	(void)b;
	return (PyObject *)TYPE(full.in);
}

NOINLINE static PyObject *ms_caller(PyObject *object)
{
	struct pair full = { NULL, object };

	hold("object", object);
	return behind_r8(1, 2, full);
}

NOINLINE static PyObject *from_call(PyObject *object)
{
	PyObject *found = PyDict_GetItem(object, Py_None);

	return (PyObject *)TYPE(found);
}

static volatile int *volatile nowhere;

/* The low half of LARGE is SMALL's. */
enum width { SMALL = 1, LARGE = 0x100000001 };
struct kinds {
	long before;
	int grid[2][3];
	enum width width;
	char word[8];
};

/* Every argument is written down, and none is needed after that. */
NOINLINE static long variables_inner(PyObject *first, PyObject *second, struct pair *both,
				     long number)
{
	hold("variables_inner.first", first);
	hold("variables_inner.second", second);
	hold("variables_inner.both", both);
	say("variables_inner.number", number);
	return *nowhere;
}

NOINLINE static long variables_middle(PyObject *object, PyObject *callback, long number)
{
	struct pair full = { object, callback };
	long local = number * 3;
	struct kinds kinds = { 9, { { 1, 2, 3 }, { 4, 5, 6 } }, LARGE, "seven" };

	__asm__ volatile("" : : "r"(&kinds) : "memory");
	hold("variables_middle.object", object);
	hold("variables_middle.callback", callback);
	say("variables_middle.number", number);
	say("variables_middle.local", local);
	return variables_inner(object, callback, &full, local + 2) + local + (full.in == callback);
}

static const char *volatile chosen = (const char *)0x3000;

/* The last case but one runs into the last: which of them ran, no jump tells. */
NOINLINE static int fallen(int way, const char *p)
{
	switch (way) {
	case 0:
		zero += 3;
		break;
	case 1:
		zero -= way;
		break;
	case 2:
		zero *= 5;
		break;
	case 3:
		data[1] = zero;
		break;
	case 4:
		data[2] += zero ^ 9;
		break;
	case 5:
		p = chosen;
		__asm__ volatile("" : "+r"(p));
		/* fall through */
	case 6:
		return p[4];
	}
	return zero;
}

/* An object of the extension's own whose memory is given back while a pointer to it is left. */
struct holder {
	PyObject_HEAD PyObject *inner;
	char rest[];
};

static void holder_dealloc(PyObject *object)
{
	Py_CLEAR(((struct holder *)object)->inner);
	PyObject_Free(object);
}

static PyTypeObject holder_type = {
	PyVarObject_HEAD_INIT(NULL, 0).tp_name = "crashes.Holder",
	.tp_flags = Py_TPFLAGS_DEFAULT,
	.tp_dealloc = holder_dealloc,
};

/* Made and given back; NULL where that fails. */
NOINLINE static struct holder *gone(PyObject *inner, size_t size)
{
	struct holder *volatile holder;
	void *volatile after;

	holder_type.tp_basicsize = sizeof(*holder) + size;
	if (PyType_Ready(&holder_type) < 0)
		return NULL;
	for (int i = 0; i < 8; i++) /* none is left to malloc() of those that were freed before */
		after = PyObject_Malloc(sizeof(*holder) + size);
	holder = PyObject_New(struct holder, &holder_type);
	after = PyObject_Malloc(sizeof(*holder) + size); /* keeps malloc() from joining the rest */
	if (!holder || !after)
		return NULL;
	Py_INCREF(inner);
	holder->inner = inner;
	hold("object", holder);
	Py_DECREF((PyObject *)holder);
	return holder;
}

NOINLINE static const char *use_inner(struct holder *holder)
{
	return kept = TYPE(holder->inner)->tp_name;
}

NOINLINE static const char *use_type(struct holder *holder)
{
	return kept = TYPE(holder)->tp_doc;
}

static void give_back(struct holder *holder)
{
	Py_DECREF((PyObject *)holder);
}

static void keep_it(struct holder *holder)
{
	kept = (const char *)holder;
}

static void (*volatile calls_back)(struct holder *);

/* What is read is bad already while the memory is in use: it is freed later, or was freed before. */
NOINLINE static const char *use_later(struct holder *holder)
{
	PyObject *inner = holder->inner;

	calls_back(holder);
	return kept = TYPE(inner)->tp_name;
}

NOINLINE static const char *use_type_later(struct holder *holder)
{
	PyTypeObject *type = TYPE(holder);

	calls_back(holder);
	return kept = type->tp_doc;
}

static Py_buffer kept_view;

/* The view outlives what it is a view of, whose memory goes back to the system. */
NOINLINE static int buffer_used(PyObject *array)
{
	Py_buffer view;

	if (!array || PyObject_GetBuffer(array, &view, PyBUF_SIMPLE) < 0)
		return -1;
	hold("object", &view);
	hold("buffer", view.buf);
	PyBuffer_Release(&view);
	Py_DECREF(array);
	return ((volatile char *)view.buf)[70000];
}

/* The same with one that is in an object of its own. */
NOINLINE static int view_used(PyObject *array)
{
	PyObject *view = array ? PyMemoryView_FromObject(array) : NULL;
	Py_buffer *inside = view ? PyMemoryView_GET_BUFFER(view) : NULL;

	if (!view)
		return -1;
	hold("object", view);
	hold("buffer", inside->buf);
	Py_XDECREF(PyObject_CallMethod(view, "release", NULL));
	Py_DECREF(array);
	int found = ((volatile char *)inside->buf)[70000];
	Py_DECREF(view);
	return found;
}

/* A static one, which no search of the stack finds. */
NOINLINE static int static_used(PyObject *array)
{
	if (!array || PyObject_GetBuffer(array, &kept_view, PyBUF_SIMPLE) < 0)
		return -1;
	hold("object", &kept_view);
	hold("buffer", kept_view.buf);
	PyBuffer_Release(&kept_view);
	Py_DECREF(array);
	return ((volatile char *)kept_view.buf)[70000];
}

/* The caller has the argument still. */
NOINLINE static void use_held(const char *(*use)(struct holder *), struct holder *holder)
{
	use(holder);
	kept = (const char *)holder;
}

/* In use; what it has is bad. */
static struct holder *alive(PyObject *inner, size_t size)
{
	struct holder *holder = gone(inner, size), *again = NULL;

	if (holder && (again = PyObject_New(struct holder, &holder_type))) {
		again->inner = NULL;
		hold("object", again);
	}
	calls_back = give_back;
	return again;
}

static struct holder *gone_before(PyObject *inner, size_t size)
{
	calls_back = keep_it;
	return gone(inner, size);
}

#ifdef WITH_CXX
void throw_cxx(const char *text);
#else
#define throw_cxx(text) abort()
#endif

static PyObject *die(PyObject *self, PyObject *args)
{
	const char *way, *path = "";
	PyObject *object, *callback = Py_None;

	(void)self;
	if (!PyArg_ParseTuple(args, "sO|Os", &way, &object, &callback, &path))
		return NULL;
	if (strcmp(way, "handled"))
		watch();
#define WAY(name, call)           \
	if (!strcmp(way, name)) { \
		call;             \
		Py_RETURN_NONE;   \
	}
	WAY("null_field", null_field(object))
	WAY("recurse", PyObject_CallObject(callback, NULL))
	WAY("handled", null_type(nothing))
	WAY("null_type", null_type(nothing))
	WAY("bad_type", bad_type(object))
	WAY("hidden", hidden_caller(object, callback))
	WAY("double_free", double_free())
	WAY("assertion", assertion(zero))
	WAY("fatal", fatal())
	WAY("fatal_format", fatal_format(3000000000u))
	WAY("recursion", recursion(0))
	WAY("thread_recursion", recursion(0))
	WAY("unloaded", unloaded(object))
	WAY("guarded", guarded())
	WAY("too_large", too_large(zero - 1))
	WAY("trap", trap())
	WAY("call_null", call_null(object))
	WAY("call_data", call_data(object))
	WAY("non_canonical", non_canonical())
	WAY("write_constant", write_constant())
	WAY("truncated", truncated(path))
	WAY("division", division(7))
	WAY("breakpoint", breakpoint())
	WAY("dealloc", dealloc(object))
	WAY("released", released(object))
	WAY("gil", gil(object))
	WAY("behind_r8", ms_caller(object))
	WAY("from_call", from_call(object))
	WAY("variables", variables_middle(object, callback, zero + 7))
	WAY("fallen", fallen(zero + 6, (const char *)(uintptr_t)(zero + 0x2000)))
	WAY("freed_small", use_inner(gone(object, 100)))
	WAY("freed_chunk", use_inner(gone(object, 700)))
	WAY("freed_large", use_inner(gone(object, 9000)))
	WAY("freed_type", use_type(gone(object, 700)))
	WAY("freed_debug", use_type(gone(object, 100)))
	WAY("buffer_used", buffer_used(PyByteArray_FromStringAndSize(NULL, 1 << 20)))
	WAY("view_used", view_used(PyByteArray_FromStringAndSize(NULL, 1 << 20)))
	WAY("static_used", static_used(PyByteArray_FromStringAndSize(NULL, 1 << 20)))
	WAY("freed_since", use_held(use_later, alive(object, 100)))
	WAY("freed_before", use_held(use_later, gone_before(object, 100)))
	WAY("freed_mark", use_held(use_type_later, gone_before(object, 100)))
	WAY("cxx", throw_cxx("no such thing"))
	PyErr_SetString(PyExc_ValueError, way);
	return NULL;
}

/* Called by Python alone, and dead before any argument is needed again. */
static PyObject *takes_one(PyObject *self, PyObject *arg)
{
	watch();
	hold("takes_one.self", self);
	hold("takes_one.arg", arg);
	say("done", *nowhere);
	return NULL;
}

#if PY_VERSION_HEX >= 0x03070000
static PyObject *takes_many(PyObject *self, PyObject *const *args, Py_ssize_t nargs,
			    PyObject *kwnames)
{
	watch();
	hold("takes_many.self", self);
	hold("takes_many.args", args);
	say("takes_many.nargs", nargs);
	hold("takes_many.kwnames", kwnames);
	say("done", *nowhere);
	return NULL;
}
#endif

static PyMethodDef methods[] = { { "die", die, METH_VARARGS, NULL },
				 { "takes_one", takes_one, METH_O, NULL },
#if PY_VERSION_HEX >= 0x03070000
				 { "takes_many", (PyCFunction)(void (*)(void))takes_many,
				   METH_FASTCALL | METH_KEYWORDS, NULL },
#endif
				 { NULL, NULL, 0, NULL } };

#if PY_MAJOR_VERSION >= 3
static struct PyModuleDef module = {
	PyModuleDef_HEAD_INIT, "crashes", NULL, -1, methods, NULL, NULL, NULL, NULL
};

PyMODINIT_FUNC PyInit_crashes(void)
{
	return PyModule_Create(&module);
}
#else
PyMODINIT_FUNC initcrashes(void)
{
	Py_InitModule("crashes", methods);
}
#endif
