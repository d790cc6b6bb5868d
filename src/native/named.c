/* Names of C for addresses and registers: the variable there, the member at an offset. */
#include <dwarf.h>
#include <inttypes.h>

#include "native/fatal.h"
#include "native/place.h"
#include "native/variables.h"

#define DEPTH_MAX 8

static bool type_of(Dwarf_Die *die, Dwarf_Die *ret)
{
	Dwarf_Attribute attr;

	return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attr), ret) != NULL;
}

/* The member of a struct that an offset lies in, and what is left of the offset. */
static bool member_at(Dwarf_Die *type, unsigned ptr, uint64_t *offset, Dwarf_Die *ret)
{
	Dwarf_Die plain;

	if (!scry_ctype_plain(type, &plain) || dwarf_tag(&plain) != DW_TAG_structure_type)
		return false;
	for (int rc = dwarf_child(&plain, ret); rc == 0; rc = dwarf_siblingof(ret, ret)) {
		Dwarf_Attribute attr;
		Dwarf_Word at = 0;
		Dwarf_Die of;

		if (dwarf_tag(ret) != DW_TAG_member || !type_of(ret, &of))
			continue;
		dwarf_formudata(dwarf_attr(ret, DW_AT_data_member_location, &attr), &at);
		if (*offset >= at && *offset - at < scry_ctype_size(&of, ptr)) {
			*offset -= at;
			return true;
		}
	}
	return false;
}

/* ".ob_base.ob_type" */
static void put_members(Dwarf_Die *type, unsigned ptr, uint64_t offset, struct scry_buf *out)
{
	Dwarf_Die at = *type, member;

	for (unsigned depth = 0; depth < DEPTH_MAX && member_at(&at, ptr, &offset, &member);
	     depth++) {
		if (dwarf_diename(&member))
			scry_buf_printf(out, ".%s", dwarf_diename(&member));
		if (!type_of(&member, &at))
			return;
	}
	if (offset)
		scry_buf_printf(out, "+%" PRIu64, offset);
}

/* What is looked for among the variables of a frame. */
struct search {
	struct scry_session *session;
	scry_addr at; /* an address; or: */
	int reg;      /* a register, -1 none; and what a pointer in it has at an offset */
	uint64_t offset;
	unsigned argument; /* or the name of argument number n, from 1; 0 none */
	unsigned seen;
	struct scry_buf *out;
	bool found;
};

static void look(void *arg, const struct scry_variable *v)
{
	struct search *s = arg;
	unsigned ptr = s->session->target->abi.ptr_size;
	Dwarf_Die type = v->ctype, plain, to;

	if (s->found)
		return;
	if (s->argument) {
		s->found = v->is_parameter && ++s->seen == s->argument;
		if (s->found)
			scry_buf_puts(s->out, v->name);
		return;
	}
	if (s->reg >= 0) {
		if (v->state != SCRY_VARIABLE_HERE || v->reg != s->reg ||
		    !scry_ctype_plain(&type, &plain) || dwarf_tag(&plain) != DW_TAG_pointer_type ||
		    !type_of(&plain, &to))
			return;
		SCRY_AUTO_BUF(members);
		put_members(&to, ptr, s->offset, &members);
		if (members.len < 2 || members.text[0] != '.')
			return;
		scry_buf_printf(s->out, "%s is at +%" PRIu64 " of what %s points to",
				members.text + 1, s->offset, v->name);
		s->found = true;
	} else if (v->address && s->at - v->address < scry_ctype_size(&type, ptr)) {
		scry_buf_puts(s->out, v->name);
		put_members(&type, ptr, s->at - v->address, s->out);
		s->found = true;
	}
}

/* In one frame, its inlined functions first. */
static bool search_frame(struct scry_frames *f, size_t index, struct search *s)
{
	struct scry_error before = s->session->error;
	bool damaged = s->session->value_damaged; /* only names are shown, no values */

	for (size_t function = 0; function < SCRY_INLINED_MAX && !s->found; function++)
		if (scry_variables(f, index, function, look, s) < 0)
			break;
	s->session->error = before;
	s->session->value_damaged = damaged;
	return s->found;
}

bool scry_name_of_address(struct scry_frames *f, size_t index, scry_addr at, struct scry_buf *out)
{
	struct search s = { .session = f->thread->session, .at = at, .reg = -1, .out = out };

	return search_frame(f, index, &s);
}

bool scry_name_behind_register(struct scry_frames *f, size_t index, int reg, uint64_t offset,
			       struct scry_buf *out)
{
	struct search s = {
		.session = f->thread->session, .reg = reg, .offset = offset, .out = out
	};

	return search_frame(f, index, &s);
}

bool scry_name_of_argument(struct scry_frames *f, size_t index, unsigned number,
			   struct scry_buf *out)
{
	struct search s = {
		.session = f->thread->session, .reg = -1, .argument = number, .out = out
	};
	struct scry_place *place =
		scry_place_at(f->thread->session, f->frames[index].pc - f->frames[index].is_call);

	if (!place || !place->count || !number)
		return false;
	bool damaged = s.session->value_damaged;
	scry_variables(f, index, place->count - 1, look, &s);
	s.session->value_damaged = damaged;
	return s.found;
}
