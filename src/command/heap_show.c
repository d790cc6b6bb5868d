/* Objects of the index as lines. */
#include "command/heap_show.h"

#include "object/object.h"

#define REPR_MAX 80 /* bytes of a repr */

bool scry_heap_short_repr(struct scry_heap *h, uint32_t object, struct scry_buf *out)
{
	if (scry_heap_type_of(h, object)->no_repr)
		return false;
	scry_repr_short(h->runtime, h->objects[object].addr, REPR_MAX, out);
	return true;
}

int scry_heap_first(struct scry_call *call, struct scry_heap **ret)
{
	int rc = SCRY_OK;

	for (struct scry_runtime *r = scry_runtime_first(call->s); r; r = r->next) {
		if (r->pypy && call->row->public.flags & SCRY_COMMAND_CPYTHON)
			continue;
		rc = scry_heap_of(r, ret);
		if (rc == SCRY_OK)
			return rc;
	}
	return rc < 0 ? rc
		      : scry_fail(call->s, SCRY_ENOTFOUND, 0, "no Python interpreter was found");
}

void scry_heap_item_address(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_item *item = subject;

	scry_said_addr(ret, item->h->objects[item->object].addr);
}

void scry_heap_item_type(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_item *item = subject;

	scry_said_text(ret, scry_heap_type_name(item->h, scry_heap_type_of(item->h, item->object)));
}

static void get_bytes(const void *subject, struct scry_said *ret)
{
	const struct scry_heap_item *item = subject;

	scry_said_int(ret, (int64_t)scry_heap_bytes(item->h, item->object));
}

bool scry_heap_item_repr(const void *subject, struct scry_buf *out)
{
	const struct scry_heap_item *item = subject;

	return scry_heap_short_repr(item->h, item->object, out);
}

static const struct scry_say item_fields[] = {
	SAY_GET("address", scry_heap_item_address),
	SAY_GET("type", scry_heap_item_type),
	SAY_PRINT("repr", scry_heap_item_repr),
	SAY_GET("bytes", get_bytes),
	SAY_END,
};

const struct scry_facts scry_facts_heap_item = {
	"heap object", item_fields,
	(const char *const[]) { "  {bytes,%16}  {type:name} {address}", " {repr}", "\n", NULL }
};

static const struct scry_say instance_fields[] = {
	SAY_GET("address", scry_heap_item_address),
	SAY_PRINT("repr", scry_heap_item_repr),
	SAY_GET("bytes", get_bytes),
	SAY_END,
};

const struct scry_facts scry_facts_heap_instance = {
	"heap instance", instance_fields,
	(const char *const[]) { "  {bytes,%16}  {address}", " {repr}", "\n", NULL }
};
