/* SPDX-License-Identifier: ISC
 *
 * What the virtio console driver remembers; for virtio_con.c and, when it is swapped, swap.c.
 */
#ifndef MOTET_VIRTIO_CON_VIRTIO_CON_H
#define MOTET_VIRTIO_CON_VIRTIO_CON_H

#include "libos/domain.h"
#include "libos/server.h"
#include "servers/virtio_con/con.h"

enum counter {
#define COUNTER(name, text, meaning) COUNTER_##name,
#include "servers/virtio_con/counters.def"
#undef COUNTER
    COUNTER_COUNT
};

struct virtio_con {
    struct domain *domain;
    struct conn *conn;
    uint64_t *counters;
    const struct device *device;
    bool state_due; /* the client is to hear of the state */
    struct con con;
};

/* Where the device's queues are, and what else it is started with. */
struct con_setup console_setup(const struct virtio_con *drv);

#endif
