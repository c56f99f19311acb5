/* SPDX-License-Identifier: ISC
 *
 * IPv4 headers: see ipv4.h.
 */
#include "servers/netd/checksum.h"
#include "servers/netd/ipv4.h"

static bool header_sum_ok(const uint8_t *from, uint32_t length)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < length; i += 4) {
        uint32_t word;
        __builtin_memcpy(&word, from + i, sizeof(word));
        sum += word;
    }
    return checksum_fold(sum) == 0xffff;
}

enum counter ipv4_parse(const uint8_t *from, size_t frame_length, struct ipv4_header *header)
{
    uint32_t header_length = ipv4_claimed_length(from);
    uint32_t total = load_be16(from + 2);
    if (from[0] >> 4 != 4 || header_length < IPV4_BYTES || total < header_length ||
        total > frame_length)
        return COUNTER_IP_MALFORMED;
    if (!header_sum_ok(from, header_length))
        return COUNTER_IP_BAD_CHECKSUM;
    header->source = load_be32(from + 12);
    header->destination = load_be32(from + 16);
    header->length = (uint16_t)(total - header_length);
    header->id = load_be16(from + 4);
    header->fragment = load_be16(from + 6) & (IPV4_MORE | IPV4_OFFSET);
    header->header_length = (uint8_t)header_length;
    header->protocol = from[9];
    return NO_DROP;
}

enum counter ipv4_accept(const struct interface *interface, const struct ipv4_header *header,
                         bool *broadcast)
{
    if (!address_is_host(header->source) || header->source == interface->address ||
        interface_is_broadcast(interface, header->source))
        return COUNTER_IP_BAD_SOURCE;
    *broadcast = false;
    if (header->destination == interface->address)
        return NO_DROP;
    *broadcast = true;
    return interface_is_broadcast(interface, header->destination) ? NO_DROP : COUNTER_IP_OTHERS;
}

/* Summed from the values: the header may lie in pages that others write. */
static uint16_t header_checksum(const struct ipv4_header *header, uint32_t total)
{
    uint64_t sum = 0x4500 + total + header->id + header->fragment + (IPV4_TTL << 8) +
                   header->protocol + (uint64_t)header->source + header->destination;
    return (uint16_t)~checksum_fold(sum);
}

void ipv4_build(uint8_t *to, const struct ipv4_header *header)
{
    uint32_t total = (uint32_t)IPV4_BYTES + header->length;
    store_be32(to, 0x45000000 | total);
    store_be32(to + 4, (uint32_t)header->id << 16 | header->fragment);
    store_be32(to + 8,
               IPV4_TTL << 24 | (uint32_t)header->protocol << 16 | header_checksum(header, total));
    store_be32(to + 12, header->source);
    store_be32(to + 16, header->destination);
}

uint64_t datagram_sum(const struct datagram *datagram, const struct pool *pool, uint64_t sum,
                      uint32_t length)
{
    uint32_t skip = TRANSPORT_BYTES;
    for (uint32_t i = 0; length && i < datagram->pieces; i++) {
        struct buffer_ref piece = datagram->piece[i];
        uint32_t part = piece.length - skip < length ? piece.length - skip : length;
        sum = checksum_add(sum, pool_data(pool, piece) + skip, part);
        length -= part;
        skip = 0;
    }
    return sum;
}

void datagram_copy(const struct datagram *datagram, const struct pool *pool, uint8_t *to,
                   uint32_t length)
{
    uint32_t skip = TRANSPORT_BYTES;
    for (uint32_t i = 0; length && i < datagram->pieces; i++) {
        struct buffer_ref piece = datagram->piece[i];
        uint32_t part = piece.length - skip < length ? piece.length - skip : length;
        memcpy(to, pool_data(pool, piece) + skip, part);
        to += part;
        length -= part;
        skip = 0;
    }
}
