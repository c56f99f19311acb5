/* SPDX-License-Identifier: ISC
 *
 * What the simulated machine's devices have in common: each is a model of the drivers' unit tests
 * behind a PCI function, in simulated time. It takes a while for everything, and lies if the
 * options say so. It reaches memory as a device without an IOMMU does: all of it; that it touches
 * page objects only is checked there.
 *
 * What its driver sees of a device is its interface: virtio.c, e1000.c.
 */
#ifndef TOOLS_SIM_DEVICE_H
#define TOOLS_SIM_DEVICE_H

#include "tests/unit/fake_e1000.h"
#include "tests/unit/fake_virtio.h"
#include "tools/sim/function.h"
#include "tools/sim/world.h"

enum { DEVICE_HELD_MAX = 32 };

struct machine_device;

struct device_interface {
    struct function_registers registers;

    /* It describes itself in the function's `device`. */
    void (*start)(struct machine_device *d);
    struct device_model *(*model)(struct machine_device *d);
    void (*written)(struct machine_device *d); /* a register was */

    /* Messages that it has to send since the last call, a bit each; whether its pin is up. */
    uint32_t (*messages)(struct machine_device *d);
    bool (*pin)(const struct machine_device *d);

    void (*event)(struct machine_device *d, enum event_kind kind);
    void (*mischief)(struct machine_device *d); /* it lies, somehow */
    void (*honest)(struct machine_device *d);   /* no more */
};

struct device_kind {
    const struct device_interface *interface;
    uint16_t vendor, id; /* PCI */
    uint16_t type;       /* VIRTIO_ID_..., or of the virtio device that does the same */
    uint8_t vectors;     /* of MSI-X; 0: it has nothing but its pin */
    bool hears_others;   /* it has to do without its driver's asking: what was lost comes then */

    /* Of network cards. A frame comes; what nic_rests says (world.h). */
    void (*receive)(struct machine_device *d, const struct frame *frame);
    bool (*rests)(const struct machine_device *d, uint32_t *posted);
};

struct machine_device {
    const struct device_kind *kind; /* NULL: the machine hasn't got it */
    struct pci_function function;
    uint32_t due; /* events on their way, a bit for each kind */
    union {
        struct { /* virtio.c */
            struct fake_virtio virtio;
            struct fake_chain held[DEVICE_HELD_MAX];
            uint32_t held_count;
            bool astray; /* it has lied in a packed ring, and can't tell any more what there is */
        };
        struct fake_e1000 e1000;
    };
};

/* The first network card; NULL: there is none. */
struct machine_device *device_card(void);

/* An event of the device in a while, unless one of that kind is on its way. */
void device_later(struct machine_device *d, enum event_kind kind);

/* There is an occasion to lie. */
void device_tempt(struct machine_device *d);

/* Whatever it has to say. */
void device_interrupts(struct machine_device *d);

#endif
