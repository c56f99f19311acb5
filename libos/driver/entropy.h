/* SPDX-License-Identifier: ISC
 *
 * The server's side of ipc/proto/entropy.h, for any driver of the class: a stock of bytes, from
 * which requests are answered in the order of their rings. The driver fills it: entropy_add, as
 * long as entropy_room says that there is room for what its device gives at a time.
 *
 * Invariants: a byte is given to one client, and then it is nowhere in the driver any more; a
 * request that the stock is too small for stays in its ring.
 */
#ifndef MOTET_LIBOS_ENTROPY_H
#define MOTET_LIBOS_ENTROPY_H

#include "ipc/proto/entropy.h"
#include "libos/driver/driver.h"

enum { ENTROPY_STOCK = 256 };

struct entropy {
    uint32_t stock; /* bytes[0] to bytes[stock - 1] */
    uint8_t bytes[ENTROPY_STOCK];
};

enum {
    ENTROPY_SERVED = DRIVER_COUNTERS, /* bytes */
    ENTROPY_HELD,                     /* times that a request had to wait */
    ENTROPY_DOWN,                     /* requests answered with BAD_STATE */
    ENTROPY_BAD_MESSAGE,
    ENTROPY_COUNTERS
};
#define ENTROPY_COUNTER_NAMES                                                                      \
    DRIVER_COUNTER_NAMES, [ENTROPY_SERVED] = "served_bytes", [ENTROPY_HELD] = "held",              \
                          [ENTROPY_DOWN] = "down", [ENTROPY_BAD_MESSAGE] = "bad_message"

static inline uint32_t entropy_room(const struct entropy *entropy)
{
    return ENTROPY_STOCK - entropy->stock;
}

/* Bytes of the device's, at most entropy_room. They are cleared where they come from. */
void entropy_add(struct entropy *entropy, uint8_t *bytes, uint32_t count);

/* One request, as in libos/server.h. */
bool entropy_receive(struct driver *driver, struct entropy *entropy, struct conn *conn,
                     const struct msg *m);

/* The class's port, for DRIVER. */
extern const struct server_port entropy_ports[1];

#endif
