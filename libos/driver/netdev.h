/* SPDX-License-Identifier: ISC
 *
 * The server's side of ipc/proto/netdev.h, for drivers of one network card or several: who has
 * which buffer, which frames are under way, and what the client is to hear. The driver has the
 * devices' side: netdev_ops.
 *
 * Each card is an interface, with a number from 0 on. A receive buffer is the client's, a card's,
 * or spare (it waits for room in its card). Only one that is the client's is taken from it. A frame
 * under way has one of NETDEV_TX_OUTSTANDING places; the devices' side knows it by that number,
 * which comes back once.
 *
 * `receive` waits for the card's sending only, never for room towards the client: what goes there
 * has a bounded place until there is room. So two full channels can't wait for each other.
 *
 * What is remembered of the client is one struct without pointers, netdev_account: a driver that
 * can be swapped (libos/swap.h) hands it over as one record, and calls netdev_loaded.
 */
#ifndef MOTET_LIBOS_NETDEV_H
#define MOTET_LIBOS_NETDEV_H

#include "ipc/proto/netdev.h"
#include "libos/driver/driver.h"
#include "libos/restart.h"

enum {
    NETDEV_ETHERNET = 14, /* bytes of a frame's header */
    NETDEV_MTU = 1500,
    NETDEV_FRAME_MAX = NETDEV_ETHERNET + NETDEV_MTU,
    NETDEV_POOLS = 256, /* struct pool has 8 bits for its number */
};

struct netdev_frame {
    struct dma_segment segment[1 + NETDEV_TX_SEGMENTS]; /* from [1] on; [0] is the driver's */
    uint32_t segments;
    bool csum;                        /* never unless the link says tx_csum */
    uint16_t csum_start, csum_offset; /* with it: inside the frame */
};

/* False: there is no room for it now. The driver sees to it that it is called again: after a
 * receive buffer came back or a frame was sent. */
struct netdev_ops {
    bool (*rx_post)(struct driver *driver, uint16_t index, uint64_t address);
    bool (*tx_put)(struct driver *driver, uint8_t place, struct netdev_frame *frame);
};

/* Values of `next` that are no index of a buffer. */
enum {
    NETDEV_CLIENT = 0xffff,
    NETDEV_SPARE_END = 0xfffe,
    NETDEV_CARD = 0xfff0, /* plus the number of the interface */
};
_Static_assert((int)POOL_BUFFERS_MAX <= (int)NETDEV_CARD, "indices and marks differ");

enum { NETDEV_NOBODY = 0xff }; /* no interface */

struct netdev_interface {
    struct netdev_link link;
    uint16_t spare; /* the first of its spare buffers */
    uint8_t link_due, reclaimed;
};

/* Invariants, of netdev_loaded: a buffer is in one place; a place is free, done, or its owner's. */
struct netdev_account {
    struct netdev_interface interface[NETDEV_INTERFACES_MAX];
    uint8_t interfaces;
    uint8_t opened; /* the client has asked for the links; nothing is sent before */
    uint8_t free_count, done_count;
    uint8_t free[NETDEV_TX_OUTSTANDING];  /* a stack of free places */
    uint8_t done[NETDEV_TX_OUTSTANDING];  /* whose frames are sent; the client isn't told yet */
    uint8_t owner[NETDEV_TX_OUTSTANDING]; /* which interface has it under way; NETDEV_NOBODY */
    uint32_t cookie[NETDEV_TX_OUTSTANDING];
    uint16_t next[POOL_BUFFERS_MAX]; /* who has a receive buffer; the next spare one */
};

struct netdev {
    const struct netdev_ops *ops;
    struct domain *domain;
    struct conn *conn;
    const struct pool *rx;
    uint64_t *counters;
    const struct pool *sendable[NETDEV_POOLS]; /* by number: what frames may lie in; else NULL */
    struct driver *driver[NETDEV_INTERFACES_MAX];
    struct netdev_account account;
};

enum {
    NETDEV_RX_FRAMES = DRIVER_COUNTERS,
    NETDEV_RX_PARTS, /* beyond the first of a frame */
    NETDEV_RX_HELD,
    NETDEV_RX_RETURNED,
    NETDEV_PROVIDE_REFUSED,
    NETDEV_TX_FRAMES,
    NETDEV_TX_HELD,
    NETDEV_TX_REFUSED,
    NETDEV_TX_DOWN,
    NETDEV_TX_EXCESS,
    NETDEV_BAD_MESSAGE,
    NETDEV_COUNTERS
};
#define NETDEV_COUNTER_NAMES                                                                       \
    DRIVER_COUNTER_NAMES, [NETDEV_RX_FRAMES] = "rx_frames", [NETDEV_RX_PARTS] = "rx_parts",        \
                          [NETDEV_RX_HELD] = "rx_held", [NETDEV_RX_RETURNED] = "rx_returned",      \
                          [NETDEV_PROVIDE_REFUSED] = "provide_refused",                            \
                          [NETDEV_TX_FRAMES] = "tx_frames", [NETDEV_TX_HELD] = "tx_held",          \
                          [NETDEV_TX_REFUSED] = "tx_refused", [NETDEV_TX_DOWN] = "tx_down",        \
                          [NETDEV_TX_EXCESS] = "tx_excess", [NETDEV_BAD_MESSAGE] = "bad_message"

/* Before any card is started: what the manifest must give. Receive buffers have buffer_bytes at
 * least; `own` is the pool of the driver's own DMA memory, which isn't for sending. Not OK: it was
 * said. */
enum error netdev_open(struct netdev *netdev, struct domain *domain, const struct netdev_ops *ops,
                       const char *own, uint32_t buffer_bytes);

/* In `start`: the driver's card is an interface, now or again; which one and of how many, `link`
 * needn't say. Returns its number. */
uint16_t netdev_attach(struct netdev *netdev, struct driver *driver,
                       const struct netdev_link *link);

/* The carrier has come or gone. */
void netdev_up(struct netdev *netdev, uint16_t interface, bool up);

/* How many buffers may be handed over now; 0: there will be another round when there is room. What
 * else is due goes first: frames that were sent, since the client waits for its buffers, and how
 * the links are. */
uint32_t netdev_room(struct netdev *netdev);

/* The card filled a buffer of the pool `rx` that it had; only with room. `flags` are enum
 * netdev_rx_flags. Length 0: it comes back unused. */
void netdev_received(struct netdev *netdev, uint16_t interface, struct buffer_ref data,
                     uint16_t flags);

/* The card has sent a frame. */
void netdev_sent(struct netdev *netdev, uint8_t place);

/* Gives spare buffers to the card, as many as it has room for. */
void netdev_spares(struct netdev *netdev, uint16_t interface);

/* Entry points: one message (of a second client none is taken); after each round, whatever the
 * drivers' states. */
bool netdev_receive(struct netdev *netdev, const struct conn *conn, const struct msg *m);
void netdev_round(struct netdev *netdev);

/* The client has begun anew: the cards are silenced and started. */
bool netdev_restarted(struct netdev *netdev, const struct conn *conn, enum restarted what);

/* An account was taken over: does it make sense? Not OK: it doesn't. That a card has what its
 * driver thinks it has is the driver's to check. */
enum error netdev_loaded(const struct netdev *netdev);

/* The class's port, for DRIVER. */
extern const struct server_port netdev_ports[1];

#endif
