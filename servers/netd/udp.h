/* SPDX-License-Identifier: ISC
 *
 * UDP headers (RFC 768). Ports are in host byte order.
 */
#ifndef MOTET_NETD_UDP_H
#define MOTET_NETD_UDP_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/netd/ipv4.h"

struct udp_header {
    uint16_t source, destination;
    uint16_t length; /* bytes of data behind the header */
};

/* Reads and checks the header of a datagram, and its checksum over the data in `pool` unless the
 * device vouches for it or the sender gave none. */
enum counter udp_parse(const struct datagram *datagram, const struct pool *pool,
                       struct udp_header *header);

/* Writes UDP_BYTES bytes; `checksum` as checksum_store takes it. */
static inline void udp_build(uint8_t *to, const struct udp_header *header, uint16_t checksum)
{
    store_be16(to, header->source);
    store_be16(to + 2, header->destination);
    store_be16(to + 4, (uint16_t)(UDP_BYTES + header->length));
    __builtin_memcpy(to + 6, &checksum, sizeof(checksum));
}

/* The sum that a device completes over header and data. */
uint16_t udp_pseudo_sum(uint32_t source, uint32_t destination, const struct udp_header *header);

/* The checksum of a datagram with `header->length` bytes at `data`. */
uint16_t udp_checksum(uint32_t source, uint32_t destination, const struct udp_header *header,
                      const uint8_t *data);

#endif
