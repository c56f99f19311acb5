/* SPDX-License-Identifier: ISC
 *
 * IPv4 headers (RFC 791): reading, checking and writing. Addresses are in host byte order.
 *
 * Options are skipped, source routes included: a host at the end of a route has nothing to do for
 * them. A received TTL doesn't matter to a host (RFC 1122, 3.2.1.7).
 */
#ifndef MOTET_NETD_IPV4_H
#define MOTET_NETD_IPV4_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/pool.h"
#include "servers/netd/counters.h"
#include "servers/netd/interface.h"

enum ip_protocol { IP_ICMP = 1, IP_UDP = 17 };

enum ipv4_fragment {
    IPV4_MORE = 0x2000,   /* more fragments follow */
    IPV4_OFFSET = 0x1fff, /* mask: place of the payload in the datagram, in units of 8 bytes */
};

enum { IPV4_TTL = 64 }; /* RFC 1700's recommendation, and everybody's */

struct ipv4_header {
    uint32_t source, destination;
    uint16_t length; /* bytes of payload behind the header */
    uint16_t id;
    uint16_t fragment;     /* IPV4_MORE and IPV4_OFFSET bits */
    uint8_t header_length; /* bytes, IPV4_BYTES to IPV4_BYTES_MAX */
    uint8_t protocol;
};

/* The header's length as it claims; not checked. */
static inline uint32_t ipv4_claimed_length(const uint8_t *from)
{
    return (from[0] & 15u) * 4;
}

/* Reads the header at `from`, where ipv4_claimed_length bytes are readable (at least IPV4_BYTES);
 * `frame_length` bytes of datagram and perhaps padding were received. Checks version, lengths and
 * checksum. */
enum counter ipv4_parse(const uint8_t *from, size_t frame_length, struct ipv4_header *header);

/* Is the datagram from a possible source, and for this interface? Sets `*broadcast` when it is for
 * all. */
enum counter ipv4_accept(const struct interface *interface, const struct ipv4_header *header,
                         bool *broadcast);

/* Writes IPV4_BYTES bytes, checksum included. `fragment` as in the header. */
void ipv4_build(uint8_t *to, const struct ipv4_header *header);

/* A whole datagram for one of our addresses: header checked, payload still in receive buffers,
 * where a hostile device can change it at any time; only the private copy at `header` stays. */
struct datagram {
    const uint8_t *header; /* private: the IPv4 header and TRANSPORT_BYTES of payload (or zeros) */
    const struct buffer_ref *piece; /* the payload; all lengths but the last are multiples of 8 */
    uint32_t pieces;                /* at least 1 */
    uint32_t source, destination;
    uint16_t length; /* bytes of payload in all pieces */
    uint8_t header_length;
    uint8_t protocol;
    uint8_t interface;
    bool broadcast;   /* for all hosts */
    bool checksum_ok; /* the device vouches for the transport checksum */
};

static inline const uint8_t *datagram_transport(const struct datagram *datagram)
{
    return datagram->header + datagram->header_length;
}

/* Adds `length` bytes of payload behind the first TRANSPORT_BYTES to a checksum / copies them. At
 * most datagram->length - TRANSPORT_BYTES. */
uint64_t datagram_sum(const struct datagram *datagram, const struct pool *pool, uint64_t sum,
                      uint32_t length);
void datagram_copy(const struct datagram *datagram, const struct pool *pool, uint8_t *to,
                   uint32_t length);

#endif
