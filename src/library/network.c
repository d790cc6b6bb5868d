/* UUIDs and IP addresses: ints that stand for something. */
#include "object/printer.h"

/* An attribute that is an int, as `size` bytes, the highest first. */
static int read_bytes(struct scry_runtime *r, scry_addr obj, const char *name, uint8_t *bytes,
		      size_t size)
{
	scry_addr value;
	int rc = scry_attr(r, obj, name, &value);

	return rc < 0 ? rc : scry_int_bytes(r, value, bytes, size);
}

/* A subclass with a __str__ of its own is written by that: UUID.__repr__() calls str(). */
static int print_uuid(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	bool named = scry_trait(p->runtime, SCRY_TRAIT_UUID_OWN_NAME);
	uint8_t b[16];

	if (scry_has_own_str(p->runtime, type, "uuid"))
		return scry_print_unknown(p, addr, type);
	int rc = read_bytes(p->runtime, addr, "int", b, 16);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s('", named ? scry_type_short(p->runtime, type) : "UUID");
	for (int i = 0; i < 16; i++)
		scry_printf(p, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", b[i]);
	scry_buf_puts(p->out, "')");
	return SCRY_OK;
}

/* --- ipaddress --- */

/*
 * The longest run of zero words, of at least two, becomes "::": ipaddress.py, _compress_hextets().
 */
static void longest_zeros(const uint8_t b[16], int *ret_at, int *ret_count)
{
	*ret_at = -1;
	*ret_count = 1;
	for (int i = 0; i < 8; i++) {
		int n = 0;

		while (i + n < 8 && !b[2 * (i + n)] && !b[2 * (i + n) + 1])
			n++;
		if (n > *ret_count) {
			*ret_at = i;
			*ret_count = n;
		}
	}
}

static void put_ipv4(struct scry_buf *out, const uint8_t b[4])
{
	scry_buf_printf(out, "%d.%d.%d.%d", b[0], b[1], b[2], b[3]);
}

/* RFC 5952, 4: lower case, no leading zeros, the longest run of zeros cut. */
static void put_ipv6(struct scry_buf *out, const uint8_t b[16])
{
	int zeros, count;

	longest_zeros(b, &zeros, &count);
	for (int i = 0; i < 8; i++) {
		if (i == zeros) {
			scry_buf_puts(out, i ? ":" : "::");
			i += count - 1;
			continue;
		}
		scry_buf_printf(out, "%x%s", b[2 * i] << 8 | b[2 * i + 1], i < 7 ? ":" : "");
	}
}

/* 3.13+: an IPv4 address in an IPv6 one is written as such */
static bool is_mapped(const struct scry_runtime *r, const uint8_t b[16])
{
	static const uint8_t prefix[12] = { [10] = 0xff, [11] = 0xff };

	return scry_trait(r, SCRY_TRAIT_IPV6_SHOWS_IPV4) && !memcmp(b, prefix, sizeof(prefix));
}

static int put_address(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr scope;
	uint8_t b[16];
	bool v6 = scry_type_derives(p->runtime, type, "ipaddress._BaseV6");
	int rc = read_bytes(p->runtime, addr, "_ip", b, v6 ? 16 : 4);

	if (rc < 0)
		return rc;
	if (!v6) {
		put_ipv4(p->out, b);
		return SCRY_OK;
	}
	if (is_mapped(p->runtime, b)) {
		scry_buf_puts(p->out, "::ffff:");
		put_ipv4(p->out, b + 12);
	} else {
		put_ipv6(p->out, b);
	}
	if (scry_attr(p->runtime, addr, "_scope_id", &scope) == SCRY_OK &&
	    scry_truth(p->runtime, scope, false)) {
		scry_buf_putc(p->out, '%');
		scry_print_plain(p, scope);
	}
	return SCRY_OK;
}

/* An address, or an interface, which is an address with the length of its network's prefix. */
static int print_address(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr network, length;

	if (scry_has_own_str(p->runtime, type, "ipaddress"))
		return scry_print_unknown(p, addr, type);
	scry_printf(p, "%s('", scry_type_short(p->runtime, type));
	int rc = put_address(p, addr, type);
	if (rc < 0)
		return rc;
	if (scry_type_derives(p->runtime, type, "ipaddress.IPv4Interface") ||
	    scry_type_derives(p->runtime, type, "ipaddress.IPv6Interface")) {
		rc = scry_attr(p->runtime, addr, "_prefixlen", &length);
		if (rc < 0)
			rc = scry_attr(p->runtime, addr, "network", &network);
		if (rc == SCRY_OK && scry_attr(p->runtime, addr, "_prefixlen", &length) < 0)
			rc = scry_attr(p->runtime, network, "_prefixlen", &length);
		if (rc < 0)
			return rc;
		scry_buf_putc(p->out, '/');
		scry_print(p, length);
	}
	scry_buf_puts(p->out, "')");
	return SCRY_OK;
}

/*
 * _BaseNetwork.__repr__(), Lib/ipaddress.py: the address of the network and the length of its
 * prefix.
 */
static int print_network(struct scry_printer *p, scry_addr addr, scry_addr type)
{
	scry_addr address, length, of;
	int rc = scry_attr(p->runtime, addr, "network_address", &address);

	rc = rc < 0 ? rc : scry_attr(p->runtime, addr, "_prefixlen", &length);
	rc = rc < 0 ? rc : scry_type_of(p->runtime, address, &of);
	if (rc < 0)
		return rc;
	scry_printf(p, "%s('", scry_type_short(p->runtime, type));
	rc = put_address(p, address, of);
	scry_buf_putc(p->out, '/');
	scry_print(p, length);
	scry_buf_puts(p->out, "')");
	return rc;
}

const struct scry_printer_row scry_printers_network[] = {
	{ "uuid.UUID", 0, print_uuid, .uses = "__str__" },
	{ "ipaddress._BaseAddress", 0, print_address, .uses = "__str__ _string_from_ip_int" },
	{ "ipaddress.IPv6Address", 0, print_address, .uses = "__str__ _string_from_ip_int" },
	{ "ipaddress._BaseNetwork", 0, print_network, .uses = "__str__ _string_from_ip_int" },
	{ NULL },
};
