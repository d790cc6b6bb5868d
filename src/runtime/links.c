/* The links between frame objects (<= 3.10), and nothing else of them. */
#include "runtime/links.h"

#include "base/bytes.h"

bool scry_frame_link(struct scry_runtime *r, scry_addr frame, scry_addr *ret)
{
	const struct scry_abi *abi = &r->session->target->abi;
	scry_addr at = frame + r->layout->slot[SCRY_F_FRAME_BACK].offset;
	size_t len;
	const uint8_t *p = frame % abi->ptr_size ? NULL : scry_view(r->session, at, &len);

	if (!p || len < abi->ptr_size)
		return false;
	*ret = scry_load(p, abi->ptr_size, abi->big_endian);
	return true;
}

/* Where a cycle of that many frames begins: how many lie before it. */
static unsigned before_cycle(struct scry_runtime *r, scry_addr first, unsigned cycle)
{
	scry_addr a = first, b = first;
	unsigned n = 0;

	for (unsigned i = 0; i < cycle; i++)
		if (!scry_frame_link(r, b, &b))
			return 0;
	for (; a != b; n++)
		if (!scry_frame_link(r, a, &a) || !scry_frame_link(r, b, &b))
			return 0;
	return n;
}

void scry_frame_links(struct scry_runtime *r, scry_addr first, scry_addr *ret_oldest,
		      unsigned *ret_length)
{
	scry_addr anchor = 0, oldest = 0, back = 0, at = first;
	unsigned power = 1, steps = 0, n = 0;

	for (; at && n < CHAIN_MAX && at != anchor; at = back, n++) {
		if (!scry_frame_link(r, at, &back))
			break;
		oldest = at;
		if (steps++ == power) {
			anchor = at;
			power *= 2;
			steps = 1;
		}
	}
	bool is_cycle = at && at == anchor;
	*ret_oldest = is_cycle ? 0 : oldest;
	*ret_length = is_cycle ? before_cycle(r, first, steps) + steps : n;
}
