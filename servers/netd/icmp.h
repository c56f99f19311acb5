/* SPDX-License-Identifier: ISC
 *
 * ICMP (RFC 792, RFC 1122 3.2.2): echo replies, and errors about datagrams that can't be delivered.
 * Which datagrams deserve an error is decided here, when they are sent in output.c.
 */
#ifndef MOTET_NETD_ICMP_H
#define MOTET_NETD_ICMP_H

#include <stdbool.h>
#include <stdint.h>

#include "servers/netd/ipv4.h"

enum icmp_type {
    ICMP_ECHO_REPLY = 0,
    ICMP_UNREACHABLE = 3,
    ICMP_SOURCE_QUENCH = 4,
    ICMP_REDIRECT = 5,
    ICMP_ECHO = 8,
    ICMP_TIME_EXCEEDED = 11,
    ICMP_PARAMETER = 12,
};

enum icmp_code {
    ICMP_PROTOCOL_UNREACHABLE = 2,
    ICMP_PORT_UNREACHABLE = 3,
    ICMP_REASSEMBLY_TIMEOUT = 1,
};

enum { ICMP_ERROR_MAX = ICMP_BYTES + IPV4_BYTES_MAX + TRANSPORT_BYTES }; /* bytes */

static inline bool icmp_is_error(uint8_t type)
{
    return type == ICMP_UNREACHABLE || type == ICMP_SOURCE_QUENCH || type == ICMP_REDIRECT ||
           type == ICMP_TIME_EXCEEDED || type == ICMP_PARAMETER;
}

/* RFC 1122, 3.2.2: no errors about errors or broadcasts. (Fragments other than the first, and
 * sources that aren't one host, never get this far.) */
bool icmp_deserves_error(const struct datagram *datagram);

/* Errors that may leave: 10 at once, 10 a second (RFC 1812, 4.3.2.8 asks for a limit). */
struct icmp_limit {
    uint64_t time; /* ns: up to when the allowance is used */
};
bool icmp_limit_allows(struct icmp_limit *limit, uint64_t now);

/* Writes an error of at most ICMP_ERROR_MAX bytes that quotes the header of `datagram` and 8 bytes
 * of its payload; returns its length. */
uint32_t icmp_build_error(uint8_t *to, enum icmp_type type, enum icmp_code code,
                          const struct datagram *datagram);

/* Writes the ICMP_BYTES bytes that make an echo request with the header `request` a reply. */
void icmp_build_reply(uint8_t *to, const uint8_t *request);

/* The checksum of the whole message, with its payload in `pool`. */
bool icmp_checksum_ok(const struct datagram *datagram, const struct pool *pool);

#endif
