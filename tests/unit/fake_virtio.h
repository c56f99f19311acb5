/* SPDX-License-Identifier: ISC
 *
 * A virtio network device for unit tests: the device's side of virtio 1.1, with the PCI layout and
 * the habits of QEMU 7.2's virtio-net-pci; or those of its virtio-mmio. It is honest unless a test
 * turns one of its knobs or writes the rings itself. What the driver may never do (a register read
 * or written with the wrong width, a chain that makes no sense, DMA outside of what was granted)
 * ends the test with assert().
 *
 *     struct fake_virtio *fake = fake_virtio_create(fake_domain_add_device(domain));
 *     fake_virtio_grant(fake, memory, bytes);
 *     ... start the driver ...
 *     fake_virtio_receive(fake, frame, length, 0);   // a frame from outside
 *     bits = fake_virtio_interrupts(fake);           // the vectors that it raised
 *     while (fake_virtio_transmit(fake, &sent))      // frames from the driver
 */
#ifndef MOTET_TESTS_FAKE_VIRTIO_H
#define MOTET_TESTS_FAKE_VIRTIO_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "libos/device.h"

enum {
    FAKE_QUEUES = 3, /* rx, tx, control */
    FAKE_REGIONS_MAX = 8,
    FAKE_FRAME_MAX = 65536,
    FAKE_TRACE_MAX = 4096,
    FAKE_BAR = 4, /* as in QEMU: 0 and 1 are legacy I/O and the MSI-X table */
    FAKE_BAR_BYTES = 0x4000,
    FAKE_CHAIN_MAX = 16,
    FAKE_BLOCK_BYTES = 0x200, /* over MMIO */
};

enum { FAKE_IDS = 256, FAKE_PENDING = 512 };

/* The device's side of a packed queue: fake_virtio_packed.c. */
struct fake_packed {
    uint16_t at, used_at; /* the next descriptor to take, to overwrite */
    bool wrap, used_wrap;
    uint16_t moved;            /* descriptors used since the last thought of an interrupt */
    uint16_t length[FAKE_IDS]; /* descriptors of the chain with that number */
    uint32_t pending;          /* used, and not shown yet */
    struct vring_used_elem used[FAKE_PENDING];
};

struct fake_queue {
    uint16_t size_max, size, vector, enabled, notify_offset;
    uint64_t desc, avail, used; /* device addresses */
    uint16_t popped;            /* chains taken from the available ring */
    uint16_t pushed;            /* used entries written */
    uint16_t used_index;        /* as published */
    bool signalled;             /* QEMU's first interrupt comes whatever the driver asked for */
    uint32_t notified;          /* times the driver rang */
    struct fake_packed packed;
    bool undecided;   /* used_index was published, the interrupt not thought of */
    uint16_t decided; /* used_index at the last thought */
};

struct fake_chain {
    uint16_t head;
    uint32_t count;
    struct vring_desc desc[FAKE_CHAIN_MAX];
};

struct fake_frame {
    struct virtio_net_hdr_v1 header;
    uint32_t descriptors; /* of its chain */
    uint32_t length;
    uint8_t data[FAKE_FRAME_MAX];
};

struct fake_virtio {
    struct device_model model; /* the BARs point here */
    struct device *device;
    struct {
        uint64_t address; /* the device's */
        uint8_t *base;
        uint64_t bytes;
    } region[FAKE_REGIONS_MAX];
    uint32_t regions;

    uint64_t offered, accepted;
    uint32_t feature_select, accept_select;
    uint16_t queue_select, config_vector, queues;
    uint8_t status, generation;
    uint8_t isr; /* without MSI-X: why it interrupts; reading it lowers the pin */
    struct virtio_net_config config;
    struct fake_queue queue[FAKE_QUEUES];
    uint32_t interrupts;         /* bits, since last asked */
    uint32_t interrupt_count[4]; /* per vector, ever */

    /* Knobs. */
    bool never_resets, refuses_features, refuses_vectors, refuses_sizes;
    bool refuses_queues;           /* over MMIO: they never get ready */
    uint32_t magic, version, type; /* over MMIO: what the first registers say */
    bool any_doorbell;             /* rings at another queue's place are ignored */
    bool lies;                     /* it may have lost count of what is available */
    bool always_signals;           /* interrupts even when asked not to */
    uint32_t restless;             /* so many reads of the generation give a new one */
    bool thinks_later;             /* flush only publishes; fake_virtio_decide interrupts */
    void (*on_notify)(struct fake_virtio *fake, uint32_t queue); /* a device that acts at once */
    uint32_t num_buffers_lie; /* what the next received frame's header says; 0: the truth */

    /* What the driver wrote to the registers, in order: "status 0\n", "features 0x...\n", ... */
    char trace[FAKE_TRACE_MAX];
    uint32_t trace_length;
};

/* A modern device with all features but packed queues, queues of 256, three vectors, a link. */
struct fake_virtio *fake_virtio_create(struct device *device);
void fake_virtio_init(struct fake_virtio *fake, struct device *device); /* where one lies */

/* The same over MMIO: a block of registers and a pin. */
struct fake_virtio *fake_virtio_create_mmio(struct device *device);
void fake_virtio_destroy(struct fake_virtio *fake);

/* Offers packed queues too, with event indices or without; NULL: nothing. Returns it. */
struct fake_virtio *fake_virtio_offer_packed(struct fake_virtio *fake, bool event_idx);

/* Memory that the device may reach: at its own address, at another. */
void fake_virtio_grant(struct fake_virtio *fake, void *memory, uint64_t bytes);
void fake_virtio_grant_at(struct fake_virtio *fake, uint64_t address, void *memory, uint64_t bytes);

/* The place of a capability (VIRTIO_PCI_CAP_...) in configuration space, to spoil it. */
uint8_t *fake_virtio_capability(struct fake_virtio *fake, uint8_t type);

/* The vectors raised since the last call, as bits; a pin is vector 0 and comes until it is lowered.
 */
uint32_t fake_virtio_interrupts(struct fake_virtio *fake);

bool fake_virtio_has(const struct fake_virtio *fake, uint32_t feature);
void fake_virtio_set_link(struct fake_virtio *fake, bool up);
void fake_virtio_ask_reset(struct fake_virtio *fake);

/* Chains that the driver has published and the device hasn't taken. */
uint16_t fake_virtio_available(struct fake_virtio *fake, uint32_t queue);

/* Puts a frame into the driver's buffers, merging if that was negotiated. False: too few. */
bool fake_virtio_receive(struct fake_virtio *fake, const void *data, uint32_t length,
                         uint8_t header_flags);

/* Takes and uses the next frame to send. False: none. */
bool fake_virtio_transmit(struct fake_virtio *fake, struct fake_frame *frame);

/* The parts of the above, for devices that do it in another order. */
bool fake_virtio_pop(struct fake_virtio *fake, uint32_t queue, struct fake_chain *chain);
void fake_virtio_push(struct fake_virtio *fake, uint32_t queue, uint32_t id, uint32_t length);
void fake_virtio_flush(struct fake_virtio *fake, uint32_t queue);  /* the index, and: */
void fake_virtio_decide(struct fake_virtio *fake, uint32_t queue); /* interrupts if wanted */
void fake_virtio_gather(struct fake_virtio *fake, const struct fake_chain *chain,
                        struct fake_frame *frame);

/* Packed queues, if VIRTIO_F_RING_PACKED was negotiated: the same steps. A device doesn't offer
 * them unless a test has it so. */
uint16_t fake_packed_available(struct fake_virtio *fake, uint32_t queue);
void fake_packed_ask(struct fake_virtio *fake, uint32_t queue);
void fake_packed_pop(struct fake_virtio *fake, uint32_t queue, struct fake_chain *chain);
void fake_packed_push(struct fake_virtio *fake, uint32_t queue, uint32_t id, uint32_t length);
void fake_packed_flush(struct fake_virtio *fake, uint32_t queue);
bool fake_packed_wanted(struct fake_virtio *fake, uint32_t queue);

/* What the device reaches at that address of its own. */
void *fake_virtio_reach(struct fake_virtio *fake, uint64_t address, uint64_t bytes);

/* Ways to be no device that can be used, for every driver of a virtio device. */
enum fake_unusable {
    FAKE_REFUSES_FEATURES,
    FAKE_OLD,      /* it doesn't offer VERSION_1 */
    FAKE_NO_QUEUE, /* the first is missing */
    FAKE_REFUSES_QUEUE,
    FAKE_UNUSABLE_WAYS
};
void fake_virtio_unusable(struct fake_virtio *fake, uint32_t way);

#endif
