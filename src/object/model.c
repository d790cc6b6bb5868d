/* CPython's model, and what every model answers. */
#include "object/judge.h"
#include "object/known.h"
#include "object/printer.h"

static bool is_object(struct scry_runtime *r, scry_addr addr)
{
	scry_addr type;

	return scry_type_of(r, addr, &type) == SCRY_OK;
}

const struct scry_model scry_model_cpython = {
	.type_name = scry_cpython_type_name,
	.attr = scry_cpython_attr,
	.dict_next = scry_cpython_dict_next,
	.dict_get = scry_cpython_dict_get,
	.int_value = scry_cpython_int_value,
	.int_mpz = scry_cpython_int_mpz,
	.known = scry_cpython_known,
	.judge = scry_judge,
	.is_object = is_object,
	.print = scry_cpython_print,
};

bool scry_is_object(struct scry_runtime *r, scry_addr addr)
{
	return scry_model_of(r)->is_object(r, addr);
}

void scry_print_found(struct scry_printer *p, const struct scry_found *found)
{
	if (found->addr)
		scry_print(p, found->addr);
	else
		scry_buf_puts(p->out, found->text ? found->text : "?");
}

const char *scry_type_name_of(struct scry_runtime *r, scry_addr obj)
{
	const char *name = scry_model_of(r)->type_name(r, obj);

	return name ? name : "?";
}

int scry_attr_from(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret,
		   enum scry_attr_place *ret_place)
{
	return scry_model_of(r)->attr(r, obj, name, ret, ret_place);
}

int scry_dict_next(struct scry_runtime *r, scry_addr dict, uint64_t *it, scry_addr *ret_key,
		   scry_addr *ret_value)
{
	return scry_model_of(r)->dict_next(r, dict, it, ret_key, ret_value);
}

int scry_dict_get(struct scry_runtime *r, scry_addr dict, const char *key, scry_addr *ret)
{
	return scry_model_of(r)->dict_get(r, dict, key, ret);
}

int scry_int_value(struct scry_runtime *r, scry_addr obj, int64_t *ret)
{
	return scry_model_of(r)->int_value(r, obj, ret);
}

int scry_int_mpz(struct scry_runtime *r, scry_addr obj, mpz_t ret)
{
	const struct scry_model *m = scry_model_of(r);
	int64_t value;

	if (m->int_mpz)
		return m->int_mpz(r, obj, ret);
	int rc = m->int_value(r, obj, &value);
	if (rc == SCRY_OK)
		scry_mpz_set(ret, value);
	return rc;
}

enum scry_known scry_known_of(struct scry_runtime *r, scry_addr obj)
{
	return (enum scry_known)scry_model_of(r)->known(r, obj);
}
