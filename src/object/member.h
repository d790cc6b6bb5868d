/**
 * Data descriptors that can be read without running code: slots, C members, and the getters we
 * know.
 */
#ifndef SCRY_MEMBER_H
#define SCRY_MEMBER_H

#include "object/printer.h"

/** A member of one object: where its value is, and its C type. */
struct scry_member {
	scry_addr at;   /* address of the value, in the object */
	unsigned kind;  /* T_* of Include/structmember.h */
	bool is_object; /* the value is an object pointer */
};
/** What a member descriptor says about an object; SCRY_ENOTFOUND for what is not one. */
int scry_member_of(struct scry_runtime *r, scry_addr obj, scry_addr descriptor,
		   struct scry_member *ret);
/**
 * The object in a member: SCRY_ENOTFOUND where the slot is empty, SCRY_EUNSUPPORTED for C values.
 */
int scry_member_object(struct scry_runtime *r, const struct scry_member *m, const char *name,
		       scry_addr *ret);
/** The text (arena) of a C value, a T_INT, T_STRING ... member; negative where it is unreadable. */
int scry_member_text(struct scry_runtime *r, const struct scry_member *m, const char **ret);
/** The type of that text: "int", "float", "bool", "str". */
const char *scry_member_type(const struct scry_member *m);
/** Does NULL in the member read as None (T_OBJECT)? */
bool scry_member_is_optional(const struct scry_member *m);
/**
 * What a C getter returns, where that is just a field: exception.args, function.__code__ ...
 * SCRY_ENOTFOUND for other getters, and where the field is empty.
 */
int scry_getset_field(struct scry_runtime *r, scry_addr obj, const char *name, scry_addr *ret);

#endif
