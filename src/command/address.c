/* ADDRESS|$REGISTER|EXPR */
#include "command/address.h"

#include "eval/expr.h"

/* "$rsp": of the selected thread's innermost frame. */
static int find_register(struct scry_call *call, const char *name, uint64_t *ret)
{
	struct scry_session *s = call->s;
	struct scry_thread *t = scry_thread_selected(s);
	const struct scry_regs *regs = t && t->os ? scry_os_thread_regs(s->target, t->os) : NULL;

	if (regs && regs->arch && scry_regs_find(regs, name, ret))
		return SCRY_OK;
	return scry_fail(s, SCRY_ENOTFOUND, 0, "no register '%.40s' of this thread is known", name);
}

static bool is_builtin(struct scry_session *s, const char *name, uint64_t *ret)
{
	const struct scry_runtime *r = scry_runtime_first(s);

	return r && r->interps && r->interps->builtins &&
	       scry_dict_get(r->interps->runtime, r->interps->builtins, name, ret) == SCRY_OK;
}

/* What print takes, too: where that is an object. */
static int evaluate(struct scry_call *call, const char *text, uint64_t *ret)
{
	struct scry_value value = { 0 };
	struct scry_thread *t;
	struct scry_frame f;

	if (text[0] == '$')
		return find_register(call, text + 1, ret);
	bool has_frame = scry_selected_frame(call->s, &t, &f) == SCRY_OK && f.code;
	int rc = scry_eval(call->s, has_frame ? &f : NULL, text, &value);

	/* None, True and False are printed without a look-up, but they are objects, too */
	if (rc == SCRY_OK && !value.addr)
		return is_builtin(call->s, text, ret)
			       ? SCRY_OK
			       : scry_fail(call->s, SCRY_EINVAL, 0,
					   "'%.100s' is not an object of the target", text);
	*ret = value.addr;
	return rc;
}

int scry_call_address(struct scry_call *call, scry_addr *ret)
{
	uint64_t addr = 0;

	if (!call->argc)
		return scry_fail(call->s, SCRY_EINVAL, 0, "usage: %s%s %s", call->s->options.prefix,
				 call->row->public.name, call->row->public.usage);
	int rc = scry_parse_number(call->argv[0], &addr) ? SCRY_OK
							 : evaluate(call, call->argv[0], &addr);
	if (rc == SCRY_OK)
		*ret = addr;
	return rc;
}
