/* SPDX-License-Identifier: ISC
 *
 * Reassembly of IPv4 datagrams. Fragments aren't copied: their receive buffers are held until the
 * datagram is whole, contradicts itself, is too old, or has to make room.
 *
 * Invariants:
 *  - the pieces of an entry are sorted, disjoint, and inside [0, end) once the end is known;
 *  - `held` is the number of pieces in all entries, each of them a buffer whose holder in the
 *    owner's table is the stack;
 *  - a refused entry holds no buffers; it remembers until it expires that the rest of the datagram
 *    is unwelcome too (as RFC 5722 has it for IPv6).
 *
 * Bounds: REASSEMBLY_DATAGRAMS at a time and REASSEMBLY_PER_SOURCE of one source (beyond these the
 * oldest is dropped), REASSEMBLY_PIECES fragments per datagram (23,680 bytes at an MTU of 1500),
 * and `held_max` buffers in all.
 */
#ifndef MOTET_NETD_REASSEMBLY_H
#define MOTET_NETD_REASSEMBLY_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/pool.h"
#include "servers/netd/counters.h"
#include "servers/netd/ipv4.h"

enum { REASSEMBLY_DATAGRAMS = 8, REASSEMBLY_PER_SOURCE = 2, REASSEMBLY_PIECES = 16 };

#define REASSEMBLY_TIME 30000000000ull /* ns; RFC 1122, 3.3.2 has 60 to 120 s, others have 30 */

enum { REASSEMBLY_QUOTE = IPV4_BYTES_MAX + TRANSPORT_BYTES }; /* bytes */

struct reassembly_entry {
    uint64_t expires; /* ns; 0: the entry is free */
    uint32_t source, destination;
    uint32_t end;   /* bytes of payload in the datagram; 0: the last fragment hasn't come */
    uint32_t bytes; /* of payload that have come */
    uint16_t id;
    uint8_t protocol;
    uint8_t interface;
    bool broadcast;
    bool refused;
    uint8_t pieces;
    uint8_t header_length;             /* of the first fragment; 0: it hasn't come */
    uint16_t start[REASSEMBLY_PIECES]; /* bytes from the payload's beginning */
    struct buffer_ref piece[REASSEMBLY_PIECES];
    uint8_t header[REASSEMBLY_QUOTE]; /* the first fragment's header and 8 bytes of payload */
};

struct reassembly {
    struct reassembly_entry entry[REASSEMBLY_DATAGRAMS];
    uint16_t held, held_max; /* receive buffers */
    uint8_t used;            /* entries */
    uint8_t holder;          /* the stack's number in the receive pool */
};

/* A fragment for us, header checked; its payload in a buffer that the stack holds. */
struct fragment {
    const struct ipv4_header *header;
    const uint8_t *bytes;    /* private: the header and TRANSPORT_BYTES of payload */
    struct buffer_ref piece; /* the payload */
    uint8_t interface;
    bool broadcast;
};

/* Adds a fragment. False: it was dropped (and counted), its buffer is still the caller's. True: the
 * buffer is kept; when `*whole` isn't NULL the datagram is complete: the caller uses it, passes on
 * or takes back its buffers and calls reassembly_free. */
bool reassembly_add(struct reassembly *reassembly, struct pool_owner *owner,
                    const struct fragment *fragment, uint64_t now, uint64_t *counters,
                    struct reassembly_entry **whole);

/* An entry whose time is over, NULL when there is none: the caller drops it. */
struct reassembly_entry *reassembly_expired(struct reassembly *reassembly, uint64_t now);

/* Frees an entry and takes its buffers back. */
void reassembly_drop(struct reassembly *reassembly, struct pool_owner *owner,
                     struct reassembly_entry *entry);

/* Frees an entry whose buffers somebody else answers for. */
void reassembly_free(struct reassembly *reassembly, struct reassembly_entry *entry);

/* When the oldest entry expires; 0: never. */
uint64_t reassembly_deadline(const struct reassembly *reassembly);

/* The invariants, whatever the entries hold: for tests, and of what was taken over. What a piece
 * says of its buffer isn't looked at. */
bool reassembly_check(const struct reassembly *reassembly, const struct pool_owner *owner);

#endif
