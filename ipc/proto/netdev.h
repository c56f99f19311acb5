/* SPDX-License-Identifier: ISC
 *
 * Class protocol: network device, version 1. Client: a network stack. Server: a driver.
 *
 * One connection carries all interfaces of the driver, numbered from 0. The client owns the receive
 * pool: it provides empty buffers, the driver has the device fill them and hands them back with
 * NETDEV_RX. Transmit is scatter/gather over pools on which the driver has the dma right.
 *
 * Bounds: a client has at most as many receive buffers provided as its pool has, and at most
 * NETDEV_TX_OUTSTANDING transmits without their NETDEV_TX_DONE; the driver drops and counts what
 * exceeds that. None of the operations needs a reply of its own.
 *
 * | op         | direction        | idempotent | |
 * |------------|------------------|------------|-|
 * | OPEN       | client to driver | yes | asks for a NETDEV_LINK of every interface |
 * | LINK       | driver to client | yes | state of one interface: after OPEN and at each change |
 * | RX_PROVIDE | client to driver | no  | empty buffers; without a card they come back in RX |
 * | RX         | driver to client | no  | one received frame, or one part of it |
 * | TX         | client to driver | no  | one frame to send |
 * | TX_DONE    | driver to client | no  | frames with these cookies left the pools, in any order |
 */
#ifndef MOTET_PROTO_NETDEV_H
#define MOTET_PROTO_NETDEV_H

#include "ipc/pool.h"
#include "motet/msg.h"

#define NETDEV_PROTOCOL "netdev"

enum { NETDEV_VERSION = 1, NETDEV_TX_OUTSTANDING = 128, NETDEV_INTERFACES_MAX = 4 };

enum netdev_op {
    NETDEV_OPEN = 1,
    NETDEV_LINK,
    NETDEV_RX_PROVIDE,
    NETDEV_RX,
    NETDEV_TX,
    NETDEV_TX_DONE,
};

struct netdev_link {
    uint16_t interface;
    uint16_t interfaces; /* how many this driver has in all */
    uint8_t mac[6];
    uint16_t mtu;        /* bytes of payload after the Ethernet header */
    uint8_t up;          /* 1: carrier */
    uint8_t tx_csum;     /* 1: the device completes checksums (NETDEV_TX_CSUM) */
    uint8_t rx_headroom; /* bytes that the device writes before each frame; refs start after them */
    uint8_t reserved;
};

enum { NETDEV_PROVIDE_MAX = 20 };

struct netdev_rx_provide {
    uint16_t interface;
    uint16_t pool;
    uint16_t count; /* 1 to NETDEV_PROVIDE_MAX */
    uint16_t reserved;
    uint16_t index[NETDEV_PROVIDE_MAX]; /* whole buffers */
};

enum netdev_rx_flags {
    NETDEV_RX_CSUM_OK = 1u << 0,   /* the device vouches for the transport checksum */
    NETDEV_RX_CONTINUES = 1u << 1, /* the frame goes on in the next NETDEV_RX of this interface */
};

struct netdev_rx {
    uint16_t interface;
    uint16_t flags;
    uint32_t reserved;
    struct buffer_ref data; /* frame bytes; length 0: the buffer comes back unused */
};

enum netdev_tx_flags {
    NETDEV_TX_CSUM = 1u << 0, /* complete the 16-bit sum from csum_start, store at + csum_offset */
};

enum { NETDEV_TX_SEGMENTS = 3 };

struct netdev_tx {
    uint16_t interface;
    uint16_t flags;
    uint16_t csum_start;  /* bytes from the frame's start */
    uint16_t csum_offset; /* bytes from csum_start */
    uint32_t cookie;      /* comes back in NETDEV_TX_DONE */
    uint32_t segments;    /* 1 to NETDEV_TX_SEGMENTS */
    struct buffer_ref segment[NETDEV_TX_SEGMENTS];
};

enum { NETDEV_TX_DONE_MAX = 10 };

struct netdev_tx_done {
    uint32_t count; /* 1 to NETDEV_TX_DONE_MAX */
    uint32_t cookie[NETDEV_TX_DONE_MAX];
};

_Static_assert(sizeof(struct netdev_link) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct netdev_rx_provide) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct netdev_rx) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct netdev_tx) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct netdev_tx_done) <= MSG_BYTES, "fits a message");

#endif
