/* The buffers of the system call that a thread is in: whose they are, whether they are alive. */
#include "command/syscall_show.h"

#include <inttypes.h>
#include <string.h>

#include "command/layer_show.h"
#include "command/layers.h"

#define COUNT_MAX 1024 /* UIO_MAXIOV */
#define CODE      24   /* bytes before the call where its number is loaded */

/* Where the buffers of a call are: arguments count from 0. */
enum shape {
	AT_BUFFER,  /* buf, len */
	AT_VECTOR,  /* iov, count: struct iovec, linux/uio.h */
	AT_MESSAGE, /* struct user_msghdr, linux/socket.h */
	AT_BLOCKS,  /* nr, iocbpp: struct iocb, linux/aio_abi.h */
};

/* arch/x86/entry/syscalls/syscall_64.tbl; include/uapi/asm-generic/unistd.h */
static const struct row {
	const char *name, *what;
	uint16_t x86_64, generic;
	enum shape shape;
} rows[] = {
	{ "read", "buf", 0, 63, AT_BUFFER },
	{ "write", "buf", 1, 64, AT_BUFFER },
	{ "readv", "iov", 19, 65, AT_VECTOR },
	{ "writev", "iov", 20, 66, AT_VECTOR },
	{ "sendto", "buf", 44, 206, AT_BUFFER },
	{ "recvfrom", "buf", 45, 207, AT_BUFFER },
	{ "sendmsg", "msg", 46, 211, AT_MESSAGE },
	{ "recvmsg", "msg", 47, 212, AT_MESSAGE },
	{ "io_submit", "iocbpp", 209, 2, AT_BLOCKS },
	{ "vmsplice", "iov", 278, 75, AT_VECTOR },
	{ "preadv", "iov", 295, 69, AT_VECTOR },
	{ "pwritev", "iov", 296, 70, AT_VECTOR },
	{ "process_vm_readv", "iov", 310, 270, AT_VECTOR },
	{ "process_vm_writev", "iov", 311, 271, AT_VECTOR },
};

/* --- which call --- */

static bool is_insn(struct scry_session *s, scry_addr at, uint32_t insn)
{
	uint64_t word;

	return insn && scry_read_uint(s, at, 4, &word) == SCRY_OK && word == insn;
}

/*
 * x86-64: the number's register has the result. It was loaded right before: mov $n,%eax; syscall.
 * Elsewhere its register keeps it, and the instruction comes before the thread's pc, or at it:
 * what shall be asked for again.
 */
static bool find_number(struct scry_session *s, const struct scry_regs *regs, uint64_t *ret,
			bool *ret_generic)
{
	scry_addr pc = regs->value[regs->arch->pc];
	uint8_t code[CODE + 2];
	bool found = false;

	*ret_generic = regs->arch->syscalls == SCRY_SYSCALLS_GENERIC;
	if (*ret_generic)
		return (is_insn(s, pc - 4, regs->arch->syscall_insn) ||
			is_insn(s, pc, regs->arch->syscall_insn)) &&
		       scry_regs_find(regs, regs->arch->syscall_name, ret);
	if (regs->arch->ptr_size != 8 || scry_read(s, pc - sizeof(code), code, sizeof(code)) < 0 ||
	    code[CODE] != 0x0f || code[CODE + 1] != 0x05)
		return false;
	for (int at = CODE - 5; at >= 0; at--) {
		if (code[at] != 0xb8 || code[at + 2] > 1 || code[at + 3] || code[at + 4])
			continue;
		if (found)
			return false; /* which of them it is nobody knows */
		*ret = code[at + 1] | code[at + 2] << 8;
		found = true;
	}
	return found;
}

static const struct row *find_row(uint64_t number, bool generic)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (number == (generic ? rows[i].generic : rows[i].x86_64))
			return &rows[i];
	return NULL;
}

/* --- its buffers --- */

static bool add(struct scry_syscall *c, scry_addr address, uint64_t size)
{
	c->cut = c->cut || c->buffer_count == SCRY_SYSCALL_BUFFERS;
	if (!c->cut)
		c->buffers[c->buffer_count++] = (struct scry_syscall_buffer) { address, size };
	return !c->cut;
}

static bool read_vector(struct scry_syscall *c, scry_addr iov, uint64_t count)
{
	unsigned ptr = c->session->target->abi.ptr_size;
	scry_addr base, len;

	if (count > COUNT_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++, iov += 2 * ptr) {
		if (scry_read_ptr(c->session, iov, &base) < 0 ||
		    scry_read_ptr(c->session, iov + ptr, &len) < 0 || len >> 47)
			return false;
		if (!add(c, base, len))
			break;
	}
	return true;
}

/* msg_iov and msg_iovlen come after the name and its length */
static bool read_message(struct scry_syscall *c, scry_addr message)
{
	unsigned ptr = c->session->target->abi.ptr_size;
	scry_addr iov;

	return scry_read_ptr(c->session, message + 2 * ptr, &iov) == SCRY_OK &&
	       scry_read_ptr(c->session, message + 3 * ptr, &c->count) == SCRY_OK &&
	       read_vector(c, iov, c->count);
}

/* aio_buf and aio_nbytes, and what they are for */
static bool read_blocks(struct scry_syscall *c, scry_addr list, uint64_t count)
{
	uint64_t opcode, buffer, size;
	scry_addr block;

	if (count > COUNT_MAX)
		return false;
	for (uint64_t i = 0; i < count; i++) {
		if (scry_read_ptr(c->session, list + 8 * i, &block) < 0 ||
		    scry_read_uint(c->session, block + 16, 2, &opcode) < 0 ||
		    scry_read_uint(c->session, block + 24, 8, &buffer) < 0 ||
		    scry_read_uint(c->session, block + 32, 8, &size) < 0 || opcode > 8)
			return false;
		/* IOCB_CMD_PREADV and PWRITEV: a vector */
		bool fits = opcode >= 7 ? read_vector(c, buffer, size) : add(c, buffer, size);
		if (!fits)
			return c->cut;
	}
	return true;
}

bool scry_syscall_read(struct scry_session *s, const struct scry_os_thread *thread,
		       struct scry_syscall *ret)
{
	const struct scry_regs *regs = scry_os_thread_regs(s->target, thread);
	struct scry_syscall c = { .session = s, .fd = -1 };
	const struct row *row;
	uint64_t number, arg[3];
	bool generic;

	if (!regs->arch || s->target->abi.windows || s->target->abi.ptr_size != 8 ||
	    !find_number(s, regs, &number, &generic) || !(row = find_row(number, generic)))
		return false;
	for (unsigned i = 0; i < 3; i++) {
		if (!(regs->valid >> regs->arch->syscall_args[i] & 1))
			return false;
		arg[i] = regs->value[regs->arch->syscall_args[i]];
	}
	c.name = row->name;
	c.what = row->what;
	c.address = row->shape == AT_BLOCKS ? arg[2] : arg[1];
	c.count = row->shape == AT_BLOCKS ? arg[1] : arg[2];
	c.fd = row->shape == AT_BLOCKS ? -1 : (int64_t)arg[0];
	bool fits = row->shape == AT_BUFFER    ? !(c.count >> 47) && add(&c, arg[1], arg[2])
		    : row->shape == AT_VECTOR  ? read_vector(&c, arg[1], arg[2])
		    : row->shape == AT_MESSAGE ? read_message(&c, arg[1])
					       : read_blocks(&c, arg[2], arg[1]);
	if (fits)
		*ret = c;
	return fits;
}

/* --- what is said --- */

struct buffer {
	struct scry_session *session;
	scry_addr address;
	uint64_t size;
};

static void each_layer(const void *subject, struct scry_renderer *to)
{
	const struct buffer *b = subject;
	struct scry_layers layers;

	scry_layers_find(b->session, b->address, false, &layers);
	for (size_t i = 0; i < layers.count; i++)
		scry_say(to, &scry_facts_layer, &layers.list[i]);
}

#define SUBJECT struct buffer
static const struct scry_say buffer_fields[] = {
	SAY_ADDR("address", address),
	SAY_INT("size", size),
	SAY_LIST("layers", &scry_facts_layer, each_layer),
	SAY_END,
};
#undef SUBJECT

static const struct scry_facts buffer_facts = {
	"buffer", buffer_fields,
	(const char *const[]) { "  {address}, {size} bytes: {layers}\n", NULL }
};

static void each_buffer(const void *subject, struct scry_renderer *to)
{
	const struct scry_syscall *c = subject;

	for (unsigned i = 0; i < c->buffer_count; i++) {
		struct buffer b = { c->session, c->buffers[i].address, c->buffers[i].size };

		scry_say(to, &buffer_facts, &b);
	}
}

static bool print_fd(const void *subject, struct scry_buf *out)
{
	const struct scry_syscall *c = subject;

	scry_buf_printf(out, "%" PRId64, c->fd);
	return c->fd >= 0;
}

#define SUBJECT struct scry_syscall
static const struct scry_say fields[] = {
	SAY_TEXT("name", name),
	SAY_INT("fd", fd),
	SAY_TEXT("what", what),
	SAY_ADDR("address", address),
	SAY_INT("count", count),
	SAY_LIST("buffers", &buffer_facts, each_buffer),
	SAY_PRINT("file", print_fd, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_BOOL("cut", cut, .flags = SCRY_SAY_TEXT_ONLY),
	SAY_END,
};
#undef SUBJECT

const struct scry_facts scry_facts_syscall = {
	"system call", fields,
	(const char *const[]) { "syscall {name:function}(", "fd {file}, ", "{what} {address}, ",
				"{count})\n", "{buffers}", "{?cut}  ...\n", NULL }
};
