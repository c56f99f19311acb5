/* SPDX-License-Identifier: ISC
 *
 * The server's side of ipc/proto/block.h, for any driver of the class: requests checked, each with
 * a place until its reply has room. The driver has the device's side: block_ops.
 *
 *   FREE ── request ──▶ BUSY ── block_done ──▶ DONE ── reply ──▶ FREE
 *
 * Invariants: a place is BUSY as long as the device may touch the request's buffer; the device's
 * side knows a request by its place, which comes back once. A client that begins anew waits until
 * none of its requests is BUSY.
 */
#ifndef MOTET_LIBOS_BLOCK_H
#define MOTET_LIBOS_BLOCK_H

#include "ipc/proto/block.h"
#include "libos/driver/driver.h"
#include "libos/restart.h"

enum { BLOCK_PLACES = 16 };

struct block_ops {
    /* Sets the device to work for the request in `place`. `address` is where its data is; with
     * FLUSH there is none. */
    void (*begin)(struct driver *driver, uint32_t place, const struct msg *request,
                  uint64_t address);
};

enum block_state { BLOCK_FREE, BLOCK_BUSY, BLOCK_DONE };

struct block_request {
    uint8_t state;  /* enum block_state */
    uint8_t failed; /* the medium couldn't */
    int16_t status; /* enum error */
    struct conn *conn;
    struct msg request;
};

struct block {
    const struct block_ops *ops;
    struct block_info info;
    struct block_request place[BLOCK_PLACES];
};

enum {
    BLOCK_READS = DRIVER_COUNTERS,
    BLOCK_WRITES,
    BLOCK_FLUSHES,
    BLOCK_HELD,    /* times that a request had to wait */
    BLOCK_FAILED,  /* requests that the medium couldn't do */
    BLOCK_DOWN,    /* requests answered with BAD_STATE */
    BLOCK_REFUSED, /* with another error */
    BLOCK_BAD_MESSAGE,
    BLOCK_COUNTERS
};
#define BLOCK_COUNTER_NAMES                                                                        \
    DRIVER_COUNTER_NAMES, [BLOCK_READS] = "reads", [BLOCK_WRITES] = "writes",                      \
                          [BLOCK_FLUSHES] = "flushes", [BLOCK_HELD] = "held",                      \
                          [BLOCK_FAILED] = "failed", [BLOCK_DOWN] = "down",                        \
                          [BLOCK_REFUSED] = "refused", [BLOCK_BAD_MESSAGE] = "bad_message"

/* In `start`, when the device's size is known. */
void block_start(struct block *block, const struct block_ops *ops, const struct block_info *info);

/* The device is done with a request. */
void block_done(struct block *block, uint32_t place, bool failed);

/* Entry points: one message; after each round, whatever the driver's state; a client's new life. */
bool block_receive(struct driver *driver, struct block *block, struct conn *conn,
                   const struct msg *m);
void block_round(struct driver *driver, struct block *block);
bool block_restarted(struct block *block, const struct conn *conn, enum restarted what);

/* The class's port, for DRIVER. */
extern const struct server_port block_ports[1];

#endif
