/* SPDX-License-Identifier: ISC
 *
 * Frames on their way out. Each has a slot, and slot n has the n-th buffer of the "headers" pool,
 * so that one free list serves both. A frame is its headers and perhaps a payload that lies
 * elsewhere: in a client's send buffer or in a receive buffer (an echo reply sends the request's
 * data back).
 *
 * States of a slot:
 *
 *   FREE  --take-->  TAKEN  --sent-->  SENT  --the driver is done-->  FREE
 *                      |                                       |
 *                      +--not sent: FREE                       +--first of fragments: ENDED, until
 *                                                                  the last of them is done
 *
 * A cookie names a slot and its use: an old or invented one matches nothing.
 */
#ifndef MOTET_NETD_TRANSMIT_H
#define MOTET_NETD_TRANSMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "ipc/pool.h"
#include "ipc/proto/netdev.h"
#include "servers/netd/wire.h"

enum {
    TRANSMIT_SLOTS = NETDEV_TX_OUTSTANDING,
    TRANSMIT_RESERVED = 8,  /* slots that clients leave for ARP and ICMP */
    TRANSMIT_FRAGMENTS = 8, /* of one datagram: 11,832 bytes at an MTU of 1500; the driver's channel
                               holds at least as many messages */
    TRANSMIT_HEADER_BYTES = 128, /* smallest buffers of "headers": an ICMP error has up to 110 */
    TRANSMIT_BUFFERS_MIN = 2 * TRANSMIT_RESERVED + TRANSMIT_FRAGMENTS,
};

enum slot_state { SLOT_FREE, SLOT_TAKEN, SLOT_SENT, SLOT_ENDED };

/* Whose the payload is: of nobody, of the receive pool, of client n: PAYLOAD_CLIENT + n. */
enum payload_owner { PAYLOAD_NONE, PAYLOAD_RECEIVE, PAYLOAD_CLIENT };

struct slot {
    uint32_t cookie;           /* of the present use; low bits: the slot's own number */
    struct buffer_ref payload; /* the part in this frame */
    uint16_t header_length;    /* bytes */
    uint8_t flags;             /* enum netdev_tx_flags */
    uint8_t interface;
    uint8_t state; /* enum slot_state */
    uint8_t first; /* the slot that answers for the payload: this one, or the first fragment's */
    uint8_t parts; /* of the first: fragments not yet done, itself included */
    uint8_t owner; /* of the first: enum payload_owner */
};

struct transmit {
    const struct pool *headers;
    uint32_t slots; /* as many as there are buffers, at most TRANSMIT_SLOTS */
    uint32_t free_count;
    uint8_t free[TRANSMIT_SLOTS];
    struct slot slot[TRANSMIT_SLOTS];
};

/* All slots become free; `seed` makes the cookies differ from those before a restart. */
void transmit_init(struct transmit *transmit, const struct pool *headers, uint32_t seed);

/* A free slot, responsible for its own payload; -1 if no more than `reserve` are free. */
int transmit_take(struct transmit *transmit, uint32_t reserve);

/* Where the frame's headers are written: TRANSMIT_HEADER_BYTES. */
static inline uint8_t *transmit_header(const struct transmit *transmit, uint32_t n)
{
    return transmit->headers->base + (uint64_t)n * transmit->headers->buffer_size;
}

/* The message that sends the frame. */
void transmit_message(const struct transmit *transmit, uint32_t n, struct netdev_tx *tx);

/* The slot whose sent frame has that cookie; -1: none has. */
int transmit_find(const struct transmit *transmit, uint32_t cookie);

/* The frame is done with or was never sent. True when with it the whole payload is: then
 * `*owner` (enum payload_owner) has it back: buffer `*index`. */
bool transmit_release(struct transmit *transmit, uint32_t n, uint32_t *owner, uint32_t *index);

/* The invariants, whatever the slots hold: for tests, and of what was taken over. Where payloads
 * are isn't looked at. */
bool transmit_check(const struct transmit *transmit);

#endif
