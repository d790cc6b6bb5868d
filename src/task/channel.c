/* Channels: struct PyChannelObject and the queue of tasklets that are blocked on it. */
#include "object/object.h"
#include "task/stackless.h"

/*
 * struct _channel_flags, Stackless/core/stackless_structs.h: closing, then two signed bits, then
 * schedule_all.
 */
static void read_flags(struct scry_channel *c, uint32_t flags)
{
	c->closing = flags & 1;
	c->preference = (flags >> 1 & 1) - 2 * (int)(flags >> 2 & 1);
	c->schedule_all = flags >> 3 & 1;
}

struct scry_channel *scry_channel_read(struct scry_stackless *sl, scry_addr addr)
{
	struct scry_runtime *r = sl->runtime;
	struct scry_channel *c = scry_arena_alloc(&r->session->arena, sizeof(*c));
	struct scry_record rec;

	if (!c || scry_record_read(r, SCRY_S_CHANNEL, addr, &rec) < 0)
		return NULL;
	*c = (struct scry_channel) { .addr = addr,
				     .type = scry_stackless_type(sl, addr, "channel") };
	c->balance = scry_record_int(&rec, SCRY_F_CHANNEL_BALANCE);
	read_flags(c, (uint32_t)scry_record_uint(&rec, SCRY_F_CHANNEL_FLAGS));
	scry_addr head = scry_record_uint(&rec, SCRY_F_CHANNEL_HEAD);
	/* an empty queue's head is the channel itself */
	if (head && head != addr)
		c->queue = scry_tasklet_ring(sl, head, addr, &c->queue_count, &c->error);
	return c;
}
