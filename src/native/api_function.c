/*
 * Parameters of functions of CPython's C API, by their documentation: what they are called with is
 * in the registers of the ABI, without any debug information. Those alone whose signature is the
 * same in all versions.
 */
#include "native/api_function.h"

#include <string.h>

/*
 * Names of parameters with a space between; "*": a pointer, "#": a Py_ssize_t, "%": an int, "^": a
 * size_t, "$": a text.
 */
static const struct {
	const char *name, *parameters;
} rows[] = {
	{ "PyObject_Call", "callable args kwargs" },
	{ "PyObject_CallObject", "callable args" },
	{ "PyObject_CallNoArgs", "func" },
	{ "PyObject_CallOneArg", "func arg" },
	{ "PyObject_Vectorcall", "callable args* nargsf^ kwnames" },
	{ "PyObject_VectorcallMethod", "name args* nargsf^ kwnames" },
	{ "PyObject_Repr", "o" },
	{ "PyObject_Str", "o" },
	{ "PyObject_Hash", "o" },
	{ "PyObject_Size", "o" },
	{ "PyObject_IsTrue", "o" },
	{ "PyObject_GetIter", "o" },
	{ "PyObject_IsInstance", "inst cls" },
	{ "PyObject_RichCompare", "o1 o2 opid%" },
	{ "PyObject_GetAttr", "o attr_name" },
	{ "PyObject_SetAttr", "o attr_name v" },
	{ "PyObject_GetAttrString", "o attr_name$" },
	{ "PyObject_SetAttrString", "o attr_name$ v" },
	{ "PyObject_GetItem", "o key" },
	{ "PyObject_SetItem", "o key v" },
	{ "PyObject_DelItem", "o key" },
	{ "PyIter_Next", "o" },
	{ "PyDict_GetItem", "p key" },
	{ "PyDict_GetItemWithError", "p key" },
	{ "PyDict_GetItemString", "p key$" },
	{ "PyDict_SetItem", "p key val" },
	{ "PyDict_SetItemString", "p key$ val" },
	{ "PyDict_DelItem", "p key" },
	{ "PyDict_Contains", "p key" },
	{ "PyList_Append", "list item" },
	{ "PyList_GetItem", "list index#" },
	{ "PyList_SetItem", "list index# item" },
	{ "PyList_Sort", "list" },
	{ "PyTuple_GetItem", "p pos#" },
	{ "PyNumber_Add", "o1 o2" },
	{ "PyNumber_Subtract", "o1 o2" },
	{ "PyNumber_Multiply", "o1 o2" },
	{ "PySequence_Contains", "o value" },
	{ "PySequence_List", "o" },
	{ "PySequence_Tuple", "o" },
	{ "PyUnicode_AsUTF8String", "unicode" },
	{ "PyLong_AsLong", "obj" },
	{ "PyImport_Import", "name" },
	{ "PyImport_ImportModule", "name$" },
	{ "PyEval_EvalCode", "co globals locals" },
};

const char *scry_api_function(const char *name)
{
	for (size_t i = 0; name && i < sizeof(rows) / sizeof(*rows); i++)
		if (!strcmp(rows[i].name, name))
			return rows[i].parameters;
	return NULL;
}

const char *scry_api_parameter(const char *parameters, char *name, size_t size, char *ret_kind)
{
	size_t len = strcspn(parameters, " *#%^$");
	const char *end = parameters + len;

	if (!len || len >= size)
		return NULL;
	memcpy(name, parameters, len);
	name[len] = 0;
	*ret_kind = *end && *end != ' ' ? *end++ : 0;
	return *end == ' ' ? end + 1 : end;
}
