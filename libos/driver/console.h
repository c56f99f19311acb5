/* SPDX-License-Identifier: ISC
 *
 * The server's side of ipc/proto/console.h, for any driver of the class: bytes of one client, as
 * far as each side has room, and whether the device is up. The driver has the device's side:
 * console_ops.
 *
 * No deadlock: `receive` waits for the device's sending only, never for room towards the client.
 * What the device received stays there until there is room.
 *
 * Without a device, or with a broken one, bytes to send are dropped and counted, and the client is
 * told: an image serves whether or not somebody can look into it.
 */
#ifndef MOTET_LIBOS_CONSOLE_H
#define MOTET_LIBOS_CONSOLE_H

#include "ipc/proto/console.h"
#include "libos/driver/driver.h"
#include "libos/restart.h"

/* Called while the driver runs; what a device does wrong is for driver_fail. */
struct console_ops {
    /* Takes all of the bytes, 1 to CONSOLE_DATA_MAX. False: there is no room, nothing was taken,
     * and an interrupt will say when there is. */
    bool (*write)(struct driver *driver, const uint8_t *bytes, uint32_t count);

    /* Copies the next bytes that came, at most `most`; how many. 0: there are none, and an
     * interrupt will say when there are. */
    uint32_t (*read)(struct driver *driver, uint8_t *bytes, uint32_t most);
};

struct console {
    const struct console_ops *ops;
    struct conn *conn;
    uint8_t state_due;   /* the client asked */
    uint8_t broken_told; /* the client knows that the device is */
};

enum {
    CONSOLE_RX_BYTES = DRIVER_COUNTERS,
    CONSOLE_RX_HELD,
    CONSOLE_TX_BYTES,
    CONSOLE_TX_HELD,
    CONSOLE_TX_DOWN,
    CONSOLE_BAD_MESSAGE,
    CONSOLE_COUNTERS
};
#define CONSOLE_COUNTER_NAMES                                                                      \
    DRIVER_COUNTER_NAMES, [CONSOLE_RX_BYTES] = "rx_bytes", [CONSOLE_RX_HELD] = "rx_held",          \
                          [CONSOLE_TX_BYTES] = "tx_bytes", [CONSOLE_TX_HELD] = "tx_held",          \
                          [CONSOLE_TX_DOWN] = "tx_down", [CONSOLE_BAD_MESSAGE] = "bad_message"

/* In `open`. Not OK: the manifest connects nobody; it was said. */
enum error console_open(struct driver *driver, struct console *console,
                        const struct console_ops *ops);

/* Entry points: one message; after each round, whatever the driver's state. */
bool console_receive(struct driver *driver, struct console *console, const struct msg *m);
void console_round(struct driver *driver, struct console *console);

/* The class's port, for DRIVER. */
extern const struct server_port console_ports[1];

#endif
