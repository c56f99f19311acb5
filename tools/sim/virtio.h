/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's virtio devices (device.h): the model of the drivers' unit tests, in time.
 * It may finish requests in any order, and lies if the options say so.
 *
 * One queue has the driver's requests. Its chains are AVAILABLE, then HELD by the device, in
 * `held`, then used. What the chains mean is the kind's: nic.c, disk.c, rng.c.
 */
#ifndef TOOLS_SIM_VIRTIO_H
#define TOOLS_SIM_VIRTIO_H

#include "tools/sim/device.h"

struct virtio_kind {
    struct device_kind device; /* the first */
    uint8_t queues;
    uint8_t requests; /* the queue that has them */
    uint8_t lies;     /* ways to lie of its own */
    bool at_once;     /* what it holds is done at once, not some and then others */

    /* What it offers, and its configuration. */
    void (*start)(struct machine_device *d);

    /* A request was taken from its queue; NULL: nothing happens yet. */
    void (*take)(struct machine_device *d, const struct fake_chain *chain);

    /* It is done: returns how many bytes were written. */
    uint32_t (*finish)(struct machine_device *d, const struct fake_chain *chain);

    /* Way n to lie; no more lies. NULL: it has none of its own. */
    void (*lie)(struct machine_device *d, uint32_t n);
    void (*honest)(struct machine_device *d);

    /* It was reset: it has nothing of the driver's any more. NULL: nothing else to do. */
    void (*reset)(struct machine_device *d);
};

extern const struct device_interface virtio_interface;

/* The next chain; false: none. */
bool virtio_pop(struct machine_device *d, uint32_t queue, struct fake_chain *chain);

/* It is done with one, out of turn. */
void virtio_push(struct machine_device *d, uint32_t queue, const struct fake_chain *chain,
                 uint32_t length);

/* Whether its driver has started it, with that queue. */
bool virtio_ready(const struct machine_device *d, uint32_t queue);

#endif
