/* SPDX-License-Identifier: ISC
 *
 * What the simulated machine's devices have in common: each is the virtio device of the drivers'
 * unit tests behind a PCI function, in simulated time. It takes a while for everything, may finish
 * requests in any order, and lies if the options say so. It reaches memory as a device without an
 * IOMMU does: all of it; that it touches page objects only is checked there.
 *
 * One queue has the driver's requests. Its chains are AVAILABLE, then HELD by the device, in
 * `held`, then used. What the chains mean is the kind's: nic.c, disk.c, rng.c.
 */
#ifndef TOOLS_SIM_DEVICE_H
#define TOOLS_SIM_DEVICE_H

#include "tests/unit/fake_virtio.h"
#include "tools/sim/function.h"
#include "tools/sim/world.h"

enum { DEVICE_HELD_MAX = 32 };

struct machine_device;

struct device_kind {
    uint16_t virtio; /* VIRTIO_ID_... */
    uint16_t id;     /* PCI */
    uint8_t queues;
    uint8_t requests;  /* the queue that has them */
    uint8_t vectors;   /* of MSI-X */
    uint8_t lies;      /* ways to lie of its own */
    bool at_once;      /* what it holds is done at once, not some and then others */
    bool hears_others; /* it has to do without its driver's asking: what was lost comes then */

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
extern const struct device_kind nic_kind, disk_kind, rng_kind;

struct machine_device {
    const struct device_kind *kind; /* NULL: the machine hasn't got it */
    struct fake_virtio virtio;
    struct pci_function function;
    struct fake_chain held[DEVICE_HELD_MAX];
    uint32_t held_count;
    uint32_t due; /* events on their way, a bit for each kind */
    bool astray;  /* it has lied in a packed ring, and can't tell any more what there is for it */
};

/* The one of that kind; NULL: there is none. */
struct machine_device *device_of(const struct device_kind *kind);

/* The next chain; false: none. */
bool device_pop(struct machine_device *d, uint32_t queue, struct fake_chain *chain);

/* It is done with one, out of turn. */
void device_push(struct machine_device *d, uint32_t queue, const struct fake_chain *chain,
                 uint32_t length);

/* Whether its driver has started it, with that queue. */
bool device_ready(const struct machine_device *d, uint32_t queue);

/* An event of the device in a while, unless one of that kind is on its way. */
void device_later(struct machine_device *d, enum event_kind kind);

/* There is an occasion to lie. */
void device_tempt(struct machine_device *d);

/* Whatever it has to say. */
void device_interrupts(struct machine_device *d);

#endif
