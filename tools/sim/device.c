/* SPDX-License-Identifier: ISC
 *
 * See device.h. Which devices a machine has follows from what the image claims.
 */
#include "tools/sim/device.h"

#include <string.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/list.h"
#include "tools/sim/composition.h"

enum {
    SLOT_FIRST = 3, /* of the PCI bus */
    TICKS_PER_MICROSECOND = 1000,
};

static const struct device_kind *const kinds[] = {&nic_kind, &disk_kind, &rng_kind};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct machine_device devices[KINDS];

struct machine_device *device_of(const struct device_kind *kind)
{
    for (struct machine_device *d = devices; d < devices + KINDS; d++)
        if (d->kind == kind)
            return d;
    return NULL;
}

static struct machine_device *device_number(uint32_t n)
{
    return n < KINDS && devices[n].kind ? &devices[n] : NULL;
}

bool device_ready(const struct machine_device *d, uint32_t queue)
{
    return (d->virtio.status & VIRTIO_CONFIG_S_DRIVER_OK) && d->virtio.queue[queue].enabled;
}

static uint64_t a_while(void)
{
    return random_below(world.options.late * (uint64_t)TICKS_PER_MICROSECOND + 1) + 100;
}

void device_later(struct machine_device *d, enum event_kind kind)
{
    if (d->due >> kind & 1)
        return;
    d->due |= 1u << kind;
    event_add(a_while(), kind, (uint32_t)(d - devices));
}

void device_interrupts(struct machine_device *d)
{
    if (d->function.device.pin)
        return;
    function_send(&d->function, fake_virtio_interrupts(&d->virtio));
    if (d->function.lost && !d->kind->hears_others)
        device_later(d, EVENT_REPEAT);
}

/* --- requests --- */

bool device_pop(struct machine_device *d, uint32_t queue, struct fake_chain *chain)
{
    return !d->astray && fake_virtio_pop(&d->virtio, queue, chain);
}

void device_push(struct machine_device *d, uint32_t queue, const struct fake_chain *chain,
                 uint32_t length)
{
    fake_virtio_push(&d->virtio, queue, chain->head, length);
    fake_virtio_flush(&d->virtio, queue);
    fake_virtio_decide(&d->virtio, queue);
}

static void requests_take(struct machine_device *d)
{
    struct fake_chain *chain = &d->held[d->held_count];
    while (d->held_count < DEVICE_HELD_MAX && device_pop(d, d->kind->requests, chain)) {
        if (d->kind->take)
            d->kind->take(d, chain);
        chain = &d->held[++d->held_count];
    }
    if (d->held_count)
        device_later(d, EVENT_FINISH);
}

/* --- lies --- */

void device_tempt(struct machine_device *d)
{
    if (chance(world.options.card_lies))
        event_add(a_while(), EVENT_MISCHIEF, (uint32_t)(d - devices));
}

static bool is_packed(const struct machine_device *d)
{
    return fake_virtio_has(&d->virtio, VIRTIO_F_RING_PACKED);
}

/* What a split queue has, index, past and all; of a packed one it is what the device wants to be
 * notified of, in its first four bytes. */
static struct vring_used *used_ring(struct machine_device *d, uint32_t queue)
{
    return phys_to_virt(d->virtio.queue[queue].used);
}

static void lie_about_the_past(struct machine_device *d, uint32_t queue)
{
    if (!is_packed(d))
        used_ring(d, queue)->ring[random_below(d->virtio.queue[queue].size)] =
            (struct vring_used_elem){(uint32_t)random_below(65536), (uint32_t)random_below(65536)};
}

/* Chains that it hasn't got, or more than there are. */
static void lie_about_chains(struct machine_device *d, uint32_t queue, bool one)
{
    d->astray = is_packed(d);
    if (one)
        fake_virtio_push(&d->virtio, queue, (uint32_t)random_below(300),
                         (uint32_t)random_below(4096));
    else
        d->virtio.queue[queue].pushed += (uint16_t)random_below(400);
    fake_virtio_flush(&d->virtio, queue);
}

/* A request used at once, with any length. */
static void lie_about_length(struct machine_device *d, uint32_t queue)
{
    struct fake_chain chain;
    if (device_pop(d, queue, &chain))
        device_push(d, queue, &chain, (uint32_t)random_below(random_below(2) ? 64 : 70000));
}

enum common_lie {
    LIE_CHAIN,
    LIE_CHAINS,
    LIE_RESET,
    LIE_LENGTH,
    LIE_INDEX, /* goes back, or anywhere */
    LIE_PAST,  /* entries that it has used already, changed */
    LIE_NOTIFICATIONS,
    LIE_INTERRUPTS, /* all, for nothing */
    COMMON_LIES
};

static void lie(struct machine_device *d, uint32_t queue, uint32_t n)
{
    switch (n) {
    case LIE_CHAIN:
    case LIE_CHAINS:
        lie_about_chains(d, queue, n == LIE_CHAIN);
        break;
    case LIE_RESET:
        fake_virtio_ask_reset(&d->virtio);
        break;
    case LIE_LENGTH:
        lie_about_length(d, queue);
        break;
    case LIE_INDEX:
        used_ring(d, queue)->idx = (uint16_t)random_below(65536);
        break;
    case LIE_PAST:
        lie_about_the_past(d, queue);
        break;
    case LIE_NOTIFICATIONS:
        used_ring(d, queue)->flags = (uint16_t)random_below(65536);
        break;
    case LIE_INTERRUPTS:
        d->virtio.isr |= (uint8_t)random_below(4);
        function_send(&d->function, (1u << d->kind->vectors) - 1);
        break;
    default:
        d->kind->lie(d, n - COMMON_LIES);
    }
}

/* First it takes what there is: so whatever request it says to have done, it has begun with. */
static void mischief(struct machine_device *d)
{
    for (uint32_t queue = 0; queue <= d->kind->requests; queue++)
        if (!device_ready(d, queue))
            return;
    if (d->astray)
        return;
    requests_take(d);
    world.count.lies++;
    const uint32_t queue = (uint32_t)random_below(d->kind->requests + 1u);
    lie(d, queue, (uint32_t)random_below(COMMON_LIES + d->kind->lies));
}

/* What a device has lied about it can't take back: indices that it skipped, chains that it used
 * twice. It says so (virtio 1.1, 2.1.2), and the driver has to give it up. */
void devices_honest(void)
{
    for (struct machine_device *d = devices; d < devices + KINDS && world.count.lies; d++) {
        if (!d->kind || !device_ready(d, 0))
            continue;
        if (d->kind->honest)
            d->kind->honest(d);
        fake_virtio_ask_reset(&d->virtio);
        device_interrupts(d);
    }
}

/* --- events --- */

/* Chains go back, in their order or not. */
static void requests_finish(struct machine_device *d)
{
    const uint32_t left = d->kind->at_once ? 0 : (uint32_t)random_below(d->held_count);
    while (d->held_count > left) {
        uint32_t n = world.options.card_reorder ? (uint32_t)random_below(d->held_count) : 0;
        const uint32_t length = d->kind->finish(d, &d->held[n]);
        fake_virtio_push(&d->virtio, d->kind->requests, d->held[n].head, length);
        memmove(&d->held[n], &d->held[n + 1], (--d->held_count - n) * sizeof(d->held[0]));
    }
    fake_virtio_flush(&d->virtio, d->kind->requests);
    fake_virtio_decide(&d->virtio, d->kind->requests);
    /* There may be more; if not, the driver is asked to ring for it. */
    device_later(d, EVENT_TAKE);
}

void device_event(enum event_kind kind, uint32_t number)
{
    struct machine_device *d = device_number(number);
    if (kind != EVENT_MISCHIEF)
        d->due &= ~(1u << kind);
    switch (kind) {
    case EVENT_TAKE:
        if (device_ready(d, d->kind->requests))
            requests_take(d);
        break;
    case EVENT_FINISH:
        if (device_ready(d, d->kind->requests))
            requests_finish(d);
        break;
    case EVENT_RECEIVED:
        if (device_ready(d, NIC_RECEIVE))
            fake_virtio_decide(&d->virtio, NIC_RECEIVE);
        break;
    case EVENT_MISCHIEF:
        if (world.phase == PHASE_FAULTS)
            mischief(d);
        break;
    default:
        function_repeat(&d->function);
    }
    device_interrupts(d);
}

static void notified(struct fake_virtio *virtio, uint32_t queue)
{
    struct machine_device *d = CONTAINER_OF(virtio, struct machine_device, virtio);
    if (queue == d->kind->requests)
        device_later(d, EVENT_TAKE);
}

/* --- what a processor reaches --- */

uint32_t device_config_read(uint32_t slot, uint32_t offset)
{
    const struct machine_device *d = device_number(slot - SLOT_FIRST);
    return d ? function_config_read(&d->function, offset) : UINT32_MAX;
}

void device_config_write(uint32_t slot, uint32_t offset, uint32_t value)
{
    struct machine_device *d = device_number(slot - SLOT_FIRST);
    if (d)
        function_config_write(&d->function, offset, value);
}

uint32_t device_register_read(uint64_t physical, uint32_t bytes)
{
    uint32_t offset;
    for (struct machine_device *d = devices; d < devices + KINDS; d++)
        if (d->kind && function_bar(&d->function, FAKE_BAR, physical, &offset))
            return d->virtio.model.read(&d->virtio.model, offset, bytes);
    return UINT32_MAX;
}

static void register_write(struct machine_device *d, uint32_t offset, uint32_t bytes,
                           uint32_t value)
{
    d->virtio.model.write(&d->virtio.model, offset, bytes, value);
    if (!d->virtio.status) { /* it was reset: what it had is none of its business any more */
        d->held_count = d->function.lost = 0;
        d->astray = false;
        if (d->kind->reset)
            d->kind->reset(d);
    }
    device_interrupts(d);
}

void device_register_write(uint64_t physical, uint32_t bytes, uint32_t value)
{
    uint32_t offset;
    for (struct machine_device *d = devices; d < devices + KINDS; d++) {
        if (!d->kind)
            continue;
        if (function_bar(&d->function, FAKE_BAR, physical, &offset))
            register_write(d, offset, bytes, value);
        else if (function_bar(&d->function, FUNCTION_MSIX_BAR, physical, &offset) && bytes == 4)
            function_msix_write(&d->function, offset, value);
    }
}

uint32_t device_pins(void)
{
    uint32_t lines = 0;
    for (const struct machine_device *d = devices; d < devices + KINDS; d++)
        if (d->kind && d->function.device.pin && d->virtio.isr)
            lines |= 1u << d->function.line;
    return lines;
}

/* --- */

static bool is_claimed(const struct device_kind *kind)
{
    enum { VENDOR = 0x1af4 };
    const struct image_device *claim = composition_table(sim_image()->devices);
    for (uint32_t i = 0; i < sim_image()->devices.count; i++)
        if (claim[i].virtio ? claim[i].virtio == kind->virtio
                            : claim[i].vendor == VENDOR && claim[i].id <= kind->id &&
                                  claim[i].id_last >= kind->id)
            return true;
    return false;
}

static void device_start(struct machine_device *d, const struct device_kind *kind)
{
    d->kind = kind;
    fake_virtio_init(&d->virtio, &d->function.device);
    fake_virtio_grant_at(&d->virtio, SIM_MEMORY_FIRST, sim_memory, sim_pages * PAGE_BYTES);
    d->virtio.type = kind->virtio;
    d->virtio.queues = kind->queues;
    d->function.device.id = kind->id;
    d->virtio.lies = world.options.card_lies != 0;
    d->virtio.thinks_later = true;
    d->virtio.on_notify = notified;
    if (!world.options.card_event_idx)
        d->virtio.offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    kind->start(d);
    function_start(&d->function, (uint32_t)(d - devices), kind->vectors);
}

void devices_start(void)
{
    memset(devices, 0, sizeof(devices));
    for (uint32_t n = 0; n < KINDS; n++)
        if (is_claimed(kinds[n]) && !(world.options.without >> kinds[n]->virtio & 1))
            device_start(&devices[n], kinds[n]);
}
