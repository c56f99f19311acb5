/* SPDX-License-Identifier: ISC
 *
 * The server's side of ipc/proto/netdev.h, for drivers of one network card or several: who has
 * which buffer, which frames are under way, and what the client is to hear. The driver has the
 * devices' side.
 *
 * Each card is an interface, with a number from 0 on. A receive buffer is the client's, a card's,
 * or spare (its card may take it). Only one that is the client's is taken from it. A frame
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

/* A frame for a card, checked. Its flags are enum netdev_tx_flags: none that the link doesn't have.
 * What they say is inside the frame. */
struct netdev_frame {
    const struct netdev_tx *tx;
    struct driver *driver; /* the card's */
    struct dma_segment segment[NETDEV_TX_SEGMENTS];
    uint8_t place;
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
    uint8_t reclaimed;
    uint8_t reserved;
};

/* Invariants, of netdev_loaded: a buffer is in one place; a place is free or its owner's; as many
 * are free as frames are done, at least. So the client never has more than NETDEV_TX_OUTSTANDING
 * frames of which it hasn't heard that they are done. */
struct netdev_account {
    struct netdev_interface interface[NETDEV_INTERFACES_MAX];
    uint8_t interfaces;
    uint8_t opened; /* the client has asked for the links; nothing is sent before */
    uint8_t free_count, done_count;
    uint8_t links_due; /* the client is to hear of these interfaces, a bit each */
    uint8_t reserved[3];
    uint8_t free[NETDEV_TX_OUTSTANDING];  /* a stack of free places */
    uint8_t owner[NETDEV_TX_OUTSTANDING]; /* which interface has it under way; NETDEV_NOBODY */
    uint32_t cookie[NETDEV_TX_OUTSTANDING];
    uint32_t done[NETDEV_TX_OUTSTANDING]; /* cookies of frames; the client isn't told yet */
    uint16_t next[POOL_BUFFERS_MAX];      /* who has a receive buffer; the next spare one */
};

struct netdev {
    struct conn *conn;
    const struct pool *rx;
    uint64_t *counters;
    const struct pool *sendable[NETDEV_POOLS]; /* by number: what frames may lie in; else NULL */
    struct driver *driver[NETDEV_INTERFACES_MAX];
    struct msg received; /* NETDEV_RX; what differs from one to the next is written */
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
enum error netdev_open(struct netdev *netdev, struct domain *domain, const char *own,
                       uint32_t buffer_bytes);

/* In `start`: the driver's card is an interface, now or again; which one and of how many, `link`
 * needn't say. Returns its number. */
uint16_t netdev_attach(struct netdev *netdev, struct driver *driver,
                       const struct netdev_link *link);

/* The interface has a card that works. */
static inline bool netdev_running(const struct netdev *netdev, uint16_t interface)
{
    return interface < netdev->account.interfaces && driver_runs(netdev->driver[interface]);
}

/* The carrier has come or gone. */
void netdev_up(struct netdev *netdev, uint16_t interface, bool up);

/* How many buffers may be handed over now; 0: there will be another round when there is room. What
 * else is due goes first: frames that were sent, since the client waits for its buffers, and how
 * the links are. */
uint32_t netdev_room(struct netdev *netdev);

/* A spare buffer of the pool `rx` is the card's from now on. False: there is none. */
static inline bool netdev_buffer(struct netdev *netdev, uint16_t interface, uint16_t *index)
{
    uint16_t *spare = &netdev->account.interface[interface].spare;
    const uint16_t first = *spare;
    if (first == NETDEV_SPARE_END)
        return false;
    *spare = netdev->account.next[first];
    netdev->account.next[first] = (uint16_t)(NETDEV_CARD + interface);
    *index = first;
    return true;
}

/* Its device address. */
static inline uint64_t netdev_buffer_address(const struct netdev *netdev, uint16_t index)
{
    return netdev->rx->physical + (uint64_t)index * netdev->rx->buffer_size;
}

/* For netdev_received: a buffer that the card had is the client's. */
static inline void netdev_buffer_send(struct netdev *netdev, uint16_t interface, uint16_t index,
                                      uint16_t offset, uint16_t length, uint16_t flags)
{
    struct netdev_rx *rx = (void *)netdev->received.bytes;
    DEBUG_ASSERT(netdev->account.next[index] == NETDEV_CARD + interface);
    netdev->account.next[index] = NETDEV_CLIENT;
    rx->interface = interface;
    rx->flags = flags;
    rx->data.index = index;
    rx->data.offset = offset;
    rx->data.length = length;
    conn_send(netdev->conn, &netdev->received);
}

/* The card filled a buffer that it had, `length` bytes from `offset` on; only with room. `flags`
 * are enum netdev_rx_flags. */
static inline void netdev_received(struct netdev *netdev, uint16_t interface, uint16_t index,
                                   uint16_t offset, uint16_t length, uint16_t flags)
{
    netdev->counters[flags & NETDEV_RX_CONTINUES ? NETDEV_RX_PARTS : NETDEV_RX_FRAMES]++;
    netdev_buffer_send(netdev, interface, index, offset, length, flags);
}

/* The client provides one; or the card had it for nothing, and gives it back. */
static inline void netdev_spare(struct netdev *netdev, uint16_t interface, uint16_t index)
{
    struct netdev_account *account = &netdev->account;
    account->next[index] = account->interface[interface].spare;
    account->interface[interface].spare = index;
}

/* The card has sent a frame. */
static inline void netdev_sent(struct netdev *netdev, uint8_t place)
{
    struct netdev_account *account = &netdev->account;
    DEBUG_ASSERT(account->owner[place] != NETDEV_NOBODY);
    account->owner[place] = NETDEV_NOBODY;
    account->free[account->free_count++] = place;
    account->done[account->done_count++] = account->cookie[place];
}

/* After each round, whatever the drivers' states. */
void netdev_round(struct netdev *netdev);

/* The client has begun anew: the cards are silenced and started. */
bool netdev_restarted(struct netdev *netdev, const struct conn *conn, enum restarted what);

/* An account was taken over: does it make sense? Not OK: it doesn't. That a card has what its
 * driver thinks it has is the driver's to check. */
enum error netdev_loaded(const struct netdev *netdev);

/* Where the segments of a frame are; false: it makes no sense, or lies where the card has no right.
 */
static inline bool netdev_gather(const struct netdev *netdev, const struct netdev_tx *tx,
                                 struct netdev_frame *frame)
{
    const struct netdev_link *link = &netdev->account.interface[tx->interface].link;
    uint32_t length = 0;
    if (!tx->segments || tx->segments > NETDEV_TX_SEGMENTS)
        return false;
    for (uint32_t i = 0; i < tx->segments; i++) {
        const struct buffer_ref ref = tx->segment[i];
        const struct pool *pool = ref.pool < NETDEV_POOLS ? netdev->sendable[ref.pool] : NULL;
        if (!pool || !pool_has(pool, ref) || !ref.length)
            return false;
        frame->segment[i].address = pool_device_address(pool, ref);
        frame->segment[i].bytes = ref.length;
        length += ref.length;
    }
    return length >= NETDEV_ETHERNET && length <= NETDEV_ETHERNET + (uint32_t)link->mtu &&
           (!tx->flags || (tx->flags == NETDEV_TX_CSUM && link->tx_csum &&
                           (uint32_t)tx->csum_start + tx->csum_offset + 2 <= length));
}

/* All messages but frames that a card can send. */
void netdev_other(struct netdev *netdev, const struct conn *conn, const struct msg *m);
void netdev_not_sent(struct netdev *netdev, const struct netdev_tx *tx, uint32_t counter);

/* The entry point `receive` is these two, with the driver between them; inline, so that what is
 * done for a frame is one function.
 *
 * One message. True: it is a frame to be given to its card; netdev_put follows. False: it was seen
 * to. */
static inline bool netdev_receive(struct netdev *netdev, const struct conn *conn,
                                  const struct msg *m, struct netdev_frame *frame)
{
    struct netdev_account *account = &netdev->account;
    const struct netdev_tx *tx = msg_payload(m);
    if (conn != netdev->conn || m->op != NETDEV_TX) {
        netdev_other(netdev, conn, m);
        return false;
    }
    if (account->free_count == account->done_count) {
        netdev_not_sent(netdev, tx, NETDEV_TX_EXCESS);
        return false;
    }
    if (!netdev_running(netdev, tx->interface)) {
        netdev_not_sent(netdev, tx, NETDEV_TX_DOWN);
        return false;
    }
    if (!netdev_gather(netdev, tx, frame)) {
        netdev_not_sent(netdev, tx, NETDEV_TX_REFUSED);
        return false;
    }
    frame->tx = tx;
    frame->driver = netdev->driver[tx->interface];
    frame->place = account->free[--account->free_count];
    return true;
}

/* The card has the frame, or hadn't room for it: then the driver sees to it that it is called after
 * a frame was sent. What `receive` returns. */
static inline bool netdev_put(struct netdev *netdev, const struct netdev_frame *frame, bool has)
{
    struct netdev_account *account = &netdev->account;
    if (!has) {
        const bool held = driver_runs(frame->driver);
        account->free[account->free_count++] = frame->place;
        netdev_not_sent(netdev, frame->tx, held ? NETDEV_TX_HELD : NETDEV_TX_DOWN);
        return !held;
    }
    netdev->counters[NETDEV_TX_FRAMES]++;
    account->cookie[frame->place] = frame->tx->cookie;
    account->owner[frame->place] = (uint8_t)frame->tx->interface;
    return true;
}

/* The class's port, for DRIVER. */
extern const struct server_port netdev_ports[1];

#endif
