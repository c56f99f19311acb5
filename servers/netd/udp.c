/* SPDX-License-Identifier: ISC
 *
 * UDP headers: see udp.h.
 */
#include "servers/netd/checksum.h"
#include "servers/netd/udp.h"

enum counter udp_parse(const struct datagram *datagram, const struct pool *pool,
                       struct udp_header *header)
{
    const uint8_t *from = datagram_transport(datagram);
    if (datagram->length < UDP_BYTES)
        return COUNTER_UDP_MALFORMED;
    uint16_t length = load_be16(from + 4);
    if (length < UDP_BYTES || length > datagram->length)
        return COUNTER_UDP_MALFORMED;
    header->source = load_be16(from);
    header->destination = load_be16(from + 2);
    header->length = (uint16_t)(length - UDP_BYTES);
    if (datagram->checksum_ok || !load_be16(from + 6))
        return NO_DROP;
    uint64_t sum = checksum_pseudo(datagram->source, datagram->destination, IP_UDP, length);
    sum = checksum_add(sum, from, UDP_BYTES);
    sum = datagram_sum(datagram, pool, sum, header->length);
    return checksum_fold(sum) == 0xffff ? NO_DROP : COUNTER_UDP_BAD_CHECKSUM;
}

uint16_t udp_pseudo_sum(uint32_t source, uint32_t destination, const struct udp_header *header)
{
    uint16_t length = (uint16_t)(UDP_BYTES + header->length);
    return checksum_fold(checksum_pseudo(source, destination, IP_UDP, length));
}

uint16_t udp_checksum(uint32_t source, uint32_t destination, const struct udp_header *header,
                      const uint8_t *data)
{
    uint8_t bytes[UDP_BYTES];
    udp_build(bytes, header, 0);
    uint64_t sum =
        checksum_pseudo(source, destination, IP_UDP, (uint16_t)(UDP_BYTES + header->length));
    sum = checksum_add(sum, bytes, UDP_BYTES);
    uint16_t checksum = (uint16_t)~checksum_fold(checksum_add(sum, data, header->length));
    return checksum ? checksum : 0xffff; /* zero says that there is none */
}
