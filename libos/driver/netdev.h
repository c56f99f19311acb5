/* SPDX-License-Identifier: ISC
 *
 * The server's side of ipc/proto/netdev.h, for drivers of one network card: who has which buffer,
 * which frames are under way, and what the client is to hear. The driver has the device's side:
 * netdev_ops.
 *
 * A receive buffer is the client's, the device's, or spare (it waits for room in the device). Only
 * one that is the client's is taken from it. A frame under way has one of NETDEV_TX_OUTSTANDING
 * places; the device's side knows it by that number, which comes back once.
 *
 * `receive` waits for the device's sending only, never for room towards the client: what goes there
 * has a bounded place until there is room. So two full channels can't wait for each other.
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
};

struct netdev_segment {
    uint64_t address; /* the device's */
    uint16_t length;
};

struct netdev_ops {
    uint32_t buffer_bytes; /* of a receive buffer, at least */

    /* Room for another receive buffer / for a frame of so many segments. */
    bool (*rx_room)(struct driver *driver);
    bool (*tx_room)(struct driver *driver, uint32_t segments);

    /* Gives the device a buffer to fill / a frame to send; only with room. */
    void (*rx_post)(struct driver *driver, uint16_t index, uint64_t address);
    void (*tx_put)(struct driver *driver, uint8_t frame, const struct netdev_segment *segment,
                   uint32_t segments);
};

enum netdev_holder { NETDEV_CLIENT, NETDEV_DEVICE, NETDEV_SPARE };

struct netdev {
    const struct netdev_ops *ops;
    struct conn *conn;
    const struct pool *rx;
    struct netdev_link link;
    bool opened; /* the client has asked for the link; nothing is sent before */
    bool link_due, reclaimed;
    uint32_t spares;                  /* buffers that wait for room */
    uint8_t holder[POOL_BUFFERS_MAX]; /* enum netdev_holder */
    bool busy[NETDEV_TX_OUTSTANDING]; /* a frame under way has that place */
    uint32_t cookie[NETDEV_TX_OUTSTANDING];
    uint8_t
        done[NETDEV_TX_OUTSTANDING]; /* places whose frames are sent; the client isn't told yet */
    uint32_t done_count;
};

enum {
    NETDEV_RX_FRAMES = DRIVER_COUNTERS,
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
    DRIVER_COUNTER_NAMES, [NETDEV_RX_FRAMES] = "rx_frames", [NETDEV_RX_HELD] = "rx_held",          \
                          [NETDEV_RX_RETURNED] = "rx_returned",                                    \
                          [NETDEV_PROVIDE_REFUSED] = "provide_refused",                            \
                          [NETDEV_TX_FRAMES] = "tx_frames", [NETDEV_TX_HELD] = "tx_held",          \
                          [NETDEV_TX_REFUSED] = "tx_refused", [NETDEV_TX_DOWN] = "tx_down",        \
                          [NETDEV_TX_EXCESS] = "tx_excess", [NETDEV_BAD_MESSAGE] = "bad_message"

/* In `start`: nothing is under way. Not OK: the manifest doesn't give what is needed; it was said.
 */
enum error netdev_start(struct driver *driver, struct netdev *netdev, const struct netdev_ops *ops);

/* The link, now and whenever it changes. */
void netdev_link_set(struct netdev *netdev, const uint8_t mac[6], bool up);

/* Room for what was received: only then may netdev_received be called, once. */
bool netdev_room(struct driver *driver, struct netdev *netdev);

/* The device filled a buffer that it had; length 0: it comes back unused. */
void netdev_received(struct driver *driver, struct netdev *netdev, uint16_t index, uint16_t length);

/* The device has sent a frame. */
void netdev_sent(struct netdev *netdev, uint8_t frame);

/* Entry points: one message; after each round, whatever the driver's state. */
bool netdev_receive(struct driver *driver, struct netdev *netdev, const struct msg *m);
void netdev_round(struct driver *driver, struct netdev *netdev);

/* The client has begun anew: the device is silenced and started. */
bool netdev_restarted(struct driver *driver, struct netdev *netdev, enum restarted what);

/* The class's port, for DRIVER. */
extern const struct server_port netdev_ports[1];

#endif
