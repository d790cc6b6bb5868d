/* What is at an address, layer by layer. */
#include "command/layers.h"

#include "memory/gc.h"
#include "memory/malloc.h"
#include "memory/memory.h"
#include "memory/stack.h"
#include "native/c_stack.h"
#include "native/place.h"
#include "object/freed.h"
#include "object/whatis.h"

const char *const scry_layer_names[] = {
	[SCRY_LAYER_OBJECT] = "object",
	[SCRY_LAYER_PART] = "part",
	[SCRY_LAYER_FREED] = "freed object",
	[SCRY_LAYER_BLOCK] = "block",
	[SCRY_LAYER_FREE_BLOCK] = "free block",
	[SCRY_LAYER_CHUNK] = "chunk",
	[SCRY_LAYER_FREE_CHUNK] = "free chunk",
	[SCRY_LAYER_STACK] = "stack",
	[SCRY_LAYER_CODE] = "code",
	[SCRY_LAYER_DATA] = "data",
	[SCRY_LAYER_MAPPING] = "mapping",
	[SCRY_LAYER_UNMAPPED] = "unmapped",
};

struct scry_layer *scry_layer_add(struct scry_layers *l, enum scry_layer_what what,
				  scry_addr address, uint64_t size)
{
	struct scry_layer *layer =
		&l->list[l->count < SCRY_LAYERS_MAX - 1 ? l->count++ : SCRY_LAYERS_MAX - 1];

	*layer = (struct scry_layer) { .what = what,
				       .runtime = l->runtime,
				       .address = address,
				       .size = size,
				       .offset = (int64_t)(l->addr - address),
				       .frame = -1,
				       .certain = true,
				       .first = l->count == 1 };
	return layer;
}

static const char *full_name(struct scry_runtime *r, const struct scry_type *t)
{
	const char *name;

	return scry_type_full_name(r, t->addr, &name) == SCRY_OK ? name : t->name;
}

/* --- objects --- */

static void add_object(struct scry_layers *l, scry_addr object, const struct scry_verdict *v,
		       bool freed)
{
	struct scry_runtime *r = l->runtime;
	bool dead = v->dead || freed;
	struct scry_layer *layer =
		scry_layer_add(l, dead ? SCRY_LAYER_FREED : SCRY_LAYER_OBJECT, object, v->extent);

	layer->object = dead ? 0 : object;
	layer->type = full_name(r, v->type);
	layer->alive = dead ? SCRY_ALIVE_NO : SCRY_ALIVE_YES;
	if (l->addr > object)
		layer->field = scry_field_name_at(r, object, l->addr - object);
	else if (l->addr < object)
		layer->field = "the words before it";
	l->start = v->head;
	l->end = object + v->extent;
}

static bool find_object(struct scry_runtime *r, scry_addr addr, scry_addr *ret,
			struct scry_verdict *v)
{
	scry_addr near;

	if (scry_judge(r, addr, v) == SCRY_OK)
		*ret = addr;
	else if (scry_judge_inside(r, addr, ret, &near, v) < 0)
		return scry_judge_behind(r, addr, ret) == SCRY_OK &&
		       scry_judge(r, *ret, v) == SCRY_OK;
	return true;
}

static void add_freed(struct scry_layers *l, scry_addr start, scry_addr end)
{
	struct scry_type *t;
	scry_addr object;

	l->start = start;
	l->end = end;
	if (!scry_freed_object(l->runtime, start, end, &object, &t))
		return;
	struct scry_layer *layer = scry_layer_add(l, SCRY_LAYER_FREED, object,
						  t->itemsize ? end - object : t->basicsize);
	layer->type = full_name(l->runtime, t);
	layer->alive = SCRY_ALIVE_NO;
	layer->certain = false;
	if (l->addr > object)
		layer->field = scry_field_name_of(l->runtime, t, object, l->addr - object);
}

/* --- memory of an owner's --- */

static void add_owner(struct scry_layers *l)
{
	struct scry_runtime *r = l->runtime;
	const struct scry_part *p = &l->owners.part;
	struct scry_layer *part, *owner;

	if (!l->owners.found)
		return;
	part = scry_layer_add(l, SCRY_LAYER_PART, p->start, p->size ? p->size : l->end - p->start);
	part->type = full_name(r, p->type);
	part->field = p->field;
	part->alive = SCRY_ALIVE_YES;
	part->certain = l->owners.certain;
	part->object = p->owner;
	owner = scry_layer_add(l, SCRY_LAYER_OBJECT, p->owner,
			       scry_object_sizeof(r, p->owner, p->type));
	owner->type = part->type;
	owner->object = p->owner;
	owner->alive = SCRY_ALIVE_YES;
	owner->certain = part->certain;
	owner->owner = true;
}

static void search(struct scry_layers *l, bool all)
{
	if (l->start < l->end)
		scry_owners_find(l->runtime, l->addr, l->start, l->end, all, &l->owners);
	l->searched = true;
}

/* --- blocks and chunks --- */

static void add_block(struct scry_layers *l, const struct scry_block *b)
{
	unsigned hooks = 2 * l->session->target->abi.ptr_size;
	struct scry_layer *layer = scry_layer_add(
		l, b->free ? SCRY_LAYER_FREE_BLOCK : SCRY_LAYER_BLOCK, b->start, b->size);

	layer->allocator = b->allocator;
	layer->alive = b->free ? SCRY_ALIVE_NO : SCRY_ALIVE_YES;
	layer->order = scry_block_order(l->runtime, b);
	layer->has_debug =
		!b->free && scry_debug_block_at(l->runtime, b->start + hooks, &layer->debug);
}

static void add_chunk(struct scry_layers *l, const struct scry_malloc_chunk *c)
{
	bool free = scry_malloc_is_free(c);
	unsigned hooks = 2 * l->session->target->abi.ptr_size;
	struct scry_layer *layer = scry_layer_add(
		l, free ? SCRY_LAYER_FREE_CHUNK : SCRY_LAYER_CHUNK, c->start, c->size);

	layer->allocator = scry_malloc_name(l->runtime);
	layer->alive = free ? SCRY_ALIVE_NO : SCRY_ALIVE_YES;
	layer->order = c->order;
	layer->list = scry_malloc_state_name(c->state);
	layer->certain = c->certain;
	layer->has_debug =
		!free && scry_debug_block_at(l->runtime, c->start + hooks, &layer->debug);
}

static void add_memory(struct scry_layers *l, const struct scry_memory_at *m)
{
	if (m->has_block)
		add_block(l, &m->block);
	else if (m->has_chunk)
		add_chunk(l, &m->chunk);
}

/* --- stacks --- */

/* The thread whose C stack has the address. */
static struct scry_thread *thread_of(struct scry_layers *l)
{
	struct scry_target *target = l->session->target;

	for (struct scry_thread *t = scry_thread_first(l->session); t; t = t->next) {
		const struct scry_regs *regs = t->os ? scry_os_thread_regs(target, t->os) : NULL;
		const struct scry_map *map =
			regs && regs->arch && regs->valid >> regs->arch->sp & 1
				? scry_map_at(target, regs->value[regs->arch->sp])
				: NULL;

		if (map && l->addr >= map->start && l->addr < map->end)
			return t;
	}
	return NULL;
}

/* The C frame in which it stands: from its stack pointer to that of its caller. */
static void find_frame(struct scry_layers *l, struct scry_thread *t, struct scry_layer *layer)
{
	struct scry_c_stack *stack = scry_thread_c_stack(t);

	if (!stack || !stack->count)
		return;
	if (l->addr < stack->frames[0].sp) {
		layer->alive = SCRY_ALIVE_NO;
		layer->field = "below the stack pointer";
		return;
	}
	for (size_t i = 0; i < stack->count; i++) {
		const struct scry_c_frame *f = &stack->frames[i];

		if (l->addr < f->sp || (i + 1 < stack->count && l->addr >= f[1].sp))
			continue;
		layer->frame = (int64_t)i;
		layer->symbol = f->function;
		layer->module = f->module;
		layer->alive = SCRY_ALIVE_YES;
		/* where it ends is where its caller begins */
		layer->certain = !f[i + 1 < stack->count].after_guess;
		return;
	}
}

static bool add_stack(struct scry_layers *l)
{
	struct scry_thread *t = scry_stack_has(l->runtime, l->addr) ? thread_of(l) : NULL;
	const struct scry_map *map = scry_map_at(l->session->target, l->addr);

	if (!t || !map)
		return false;
	struct scry_layer *layer =
		scry_layer_add(l, SCRY_LAYER_STACK, map->start, map->end - map->start);
	layer->tid = t->tid;
	find_frame(l, t, layer);
	return true;
}

/* --- frames of Python, 3.11+: in the data stacks of threads --- */

static bool is_in_frame(const struct scry_frame *f, scry_addr addr, scry_addr *ret_end)
{
	unsigned ptr = f->runtime->session->target->abi.ptr_size;

	if (!f->code || !f->slots || scry_code_locals(f->code) < 0)
		return false;
	*ret_end = f->slots + (f->code->slots + (f->code->stack_size & 0xffff)) * ptr;
	return addr >= f->addr && addr < *ret_end;
}

static const char *variable_at(const struct scry_frame *f, scry_addr addr)
{
	unsigned ptr = f->runtime->session->target->abi.ptr_size;
	uint64_t index = (addr - f->slots) / ptr;

	if (addr < f->slots)
		return scry_struct_field_at(f->runtime, SCRY_S_IFRAME, addr - f->addr);
	return index < f->code->slots ? f->code->locals[index].name : "its value stack";
}

static bool add_python_frame(struct scry_layers *l)
{
	struct scry_frame f;
	struct scry_walk walk;
	scry_addr end;

	for (struct scry_thread *t = scry_thread_first(l->session); t; t = t->next) {
		if (!t->runtime || scry_trait(t->runtime, SCRY_TRAIT_FRAMES_ARE_OBJECTS))
			continue;
		scry_walk_thread(&walk, t);
		for (int64_t n = 0; scry_walk_next(&walk, &f) == SCRY_ITEM; n++) {
			if (f.kind == SCRY_FRAME_DAMAGED || !is_in_frame(&f, l->addr, &end))
				continue;
			struct scry_layer *layer =
				scry_layer_add(l, SCRY_LAYER_PART, f.addr, end - f.addr);
			layer->type = "frame";
			layer->field = variable_at(&f, l->addr);
			layer->symbol = f.code->name;
			layer->frame = n;
			layer->tid = t->tid;
			layer->alive = SCRY_ALIVE_YES;
			return true;
		}
	}
	return false;
}

/* --- modules and mappings --- */

static const char *section_of(struct scry_module *m, scry_addr addr)
{
	static const char *const names[] = { ".data", ".bss",     ".data.rel.ro", ".rodata",
					     ".got",  ".got.plt", ".tdata",       ".text" };
	struct scry_section s;

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (scry_module_section(m, names[i], &s) == SCRY_OK && addr - s.addr < s.size)
			return names[i];
	return NULL;
}

/* What a JIT has made: code, or the data beside it, which no piece of code has. */
static bool add_machine_code(struct scry_layers *l)
{
	const struct scry_place *place = scry_place_at(l->session, l->addr);

	if (!place || !place->symbol.name)
		return false;
	struct scry_layer *layer =
		scry_layer_add(l, SCRY_LAYER_CODE, place->symbol.addr, place->symbol.size);
	layer->symbol = place->symbol.name;
	layer->alive = SCRY_ALIVE_YES;
	return true;
}

static bool add_module(struct scry_layers *l, const struct scry_map *map)
{
	struct scry_module *m = scry_module_at(l->session, l->addr);
	struct scry_symbol symbol;

	if (!m)
		return add_machine_code(l);
	struct scry_layer *layer = scry_layer_add(
		l, map && map->flags & SCRY_MAP_EXEC ? SCRY_LAYER_CODE : SCRY_LAYER_DATA, m->start,
		m->end - m->start);
	layer->module = m->name;
	layer->path = m->path;
	scry_module_open(m);
	layer->field = section_of(m, l->addr);
	if (scry_symbol_at(l->session, l->addr, &symbol) == SCRY_OK &&
	    scry_symbol_covers(&symbol, l->addr)) {
		layer->symbol = symbol.name;
		layer->address = symbol.addr;
		layer->size = symbol.size;
		layer->offset = (int64_t)(l->addr - symbol.addr);
	}
	return true;
}

static void add_mapping(struct scry_layers *l, const struct scry_map *map)
{
	struct scry_layer *layer =
		scry_layer_add(l, SCRY_LAYER_MAPPING, map->start, map->end - map->start);

	layer->path = map->path;
	layer->quiet = l->count > 1 && (!map->path || scry_module_at(l->session, l->addr));
}

/* --- all --- */

/* To which of several Pythons is it an object? */
static void find_any(struct scry_layers *l, bool *ret_found, scry_addr *ret, struct scry_verdict *v)
{
	struct scry_runtime *first = l->runtime;

	*ret_found = false;
	for (struct scry_runtime *r = first; r && !*ret_found; r = r->next) {
		if (r->pypy)
			continue;
		*ret_found = find_object(r, l->addr, ret, v);
		if (*ret_found)
			l->runtime = r;
	}
}

static void read_memory(struct scry_layers *l, struct scry_memory_at *m)
{
	scry_memory_at(l->runtime, l->addr, m);
	if (m->has_block) {
		l->start = m->block.start;
		l->end = m->block.start + m->block.size;
	} else if (m->has_chunk) {
		l->start = m->chunk.start;
		l->end = m->chunk.start + m->chunk.size;
	}
}

/* Memory that no allocator of ours gave out: what leads to it may have mapped it (mmap). */
static void find_mapped(struct scry_layers *l, const struct scry_map *map, bool all)
{
	if (!map || map->flags & SCRY_MAP_EXEC || scry_module_at(l->session, l->addr))
		return;
	l->start = map->start;
	l->end = l->addr + 1;
	search(l, all);
	/* only the table knows how far that goes */
	l->owners.found = l->owners.found && l->owners.certain;
	add_owner(l);
}

static void find_heap(struct scry_layers *l, const struct scry_map *map, bool all)
{
	struct scry_verdict v;
	struct scry_memory_at m;
	scry_addr object;
	bool found;

	find_any(l, &found, &object, &v);
	read_memory(l, &m);
	if (found) {
		add_object(l, object, &v, scry_memory_is_free(&m));
		/* 3.15+: a bytes object that a bytearray keeps */
		if (v.type->flags & TYPE_BYTES &&
		    scry_trait(l->runtime, SCRY_TRAIT_BYTEARRAY_HOLDS_BYTES))
			search(l, all);
		add_owner(l);
	} else if (scry_memory_is_free(&m)) {
		add_freed(l, l->start, l->end);
	} else if (m.has_block || m.has_chunk) {
		search(l, all);
		add_owner(l);
	} else if (!scry_block_owns(l->runtime, l->addr) && !add_python_frame(l)) {
		find_mapped(l, map, all);
	}
	add_memory(l, &m);
}

static void find_pypy(struct scry_layers *l, bool all)
{
	struct scry_memory_at m = { 0 };

	scry_layers_find_pypy(l);
	m.has_chunk = scry_malloc_find(l->runtime, l->addr, &m.chunk);
	if (m.has_chunk && !scry_malloc_is_free(&m.chunk))
		scry_layers_find_pypy_owner(l, m.chunk.start, m.chunk.size);
	add_memory(l, &m);
	if (l->start >= l->end && m.has_chunk) {
		l->start = m.chunk.start;
		l->end = m.chunk.start + m.chunk.size;
	}
	if (all)
		scry_layers_find_pypy_words(l);
}

void scry_layers_find(struct scry_session *s, scry_addr addr, bool all, struct scry_layers *ret)
{
	const struct scry_map *map = scry_map_at(s->target, addr);
	uint8_t byte;

	*ret = (struct scry_layers) { .session = s, .addr = addr };
	ret->runtime = scry_runtime_first(s);
	if (!map && scry_read(s, addr, &byte, 1) < 0) {
		scry_layer_add(ret, SCRY_LAYER_UNMAPPED, addr, 0)->alive = SCRY_ALIVE_UNKNOWN;
		return;
	}
	if (!ret->runtime || !add_stack(ret)) {
		if (ret->runtime && ret->runtime->pypy)
			find_pypy(ret, all);
		else if (ret->runtime)
			find_heap(ret, map, all);
		add_module(ret, map);
	}
	if (all && !ret->searched && ret->runtime && !ret->runtime->pypy)
		search(ret, all);
	if (map)
		add_mapping(ret, map);
	if (!ret->count)
		scry_layer_add(ret, SCRY_LAYER_MAPPING, addr, 0)->certain = false;
}

void scry_place_find(struct scry_session *s, scry_addr addr, struct scry_layers *ret)
{
	*ret = (struct scry_layers) { .session = s, .addr = addr };
	ret->runtime = scry_runtime_first(s);
	if (!ret->runtime || !add_stack(ret))
		add_module(ret, scry_map_at(s->target, addr));
}
