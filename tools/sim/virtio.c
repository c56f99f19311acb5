/* SPDX-License-Identifier: ISC
 *
 * See virtio.h.
 */
#include "tools/sim/virtio.h"

#include <string.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/list.h"

static const struct virtio_kind *kind_of(const struct machine_device *d)
{
    return (const struct virtio_kind *)d->kind;
}

bool virtio_ready(const struct machine_device *d, uint32_t queue)
{
    return (d->virtio.status & VIRTIO_CONFIG_S_DRIVER_OK) && d->virtio.queue[queue].enabled;
}

/* --- requests --- */

bool virtio_pop(struct machine_device *d, uint32_t queue, struct fake_chain *chain)
{
    return !d->astray && fake_virtio_pop(&d->virtio, queue, chain);
}

void virtio_push(struct machine_device *d, uint32_t queue, const struct fake_chain *chain,
                 uint32_t length)
{
    fake_virtio_push(&d->virtio, queue, chain->head, length);
    fake_virtio_flush(&d->virtio, queue);
    fake_virtio_decide(&d->virtio, queue);
}

static void requests_take(struct machine_device *d)
{
    struct fake_chain *chain = &d->held[d->held_count];
    while (d->held_count < DEVICE_HELD_MAX && virtio_pop(d, kind_of(d)->requests, chain)) {
        if (kind_of(d)->take)
            kind_of(d)->take(d, chain);
        chain = &d->held[++d->held_count];
    }
    if (d->held_count)
        device_later(d, EVENT_FINISH);
}

/* --- lies --- */

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
    if (virtio_pop(d, queue, &chain))
        virtio_push(d, queue, &chain, (uint32_t)random_below(random_below(2) ? 64 : 70000));
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
        kind_of(d)->lie(d, n - COMMON_LIES);
    }
}

/* First it takes what there is: so whatever request it says to have done, it has begun with. */
static void virtio_mischief(struct machine_device *d)
{
    for (uint32_t queue = 0; queue <= kind_of(d)->requests; queue++)
        if (!virtio_ready(d, queue))
            return;
    if (d->astray)
        return;
    requests_take(d);
    world.count.lies++;
    const uint32_t queue = (uint32_t)random_below(kind_of(d)->requests + 1u);
    lie(d, queue, (uint32_t)random_below(COMMON_LIES + kind_of(d)->lies));
}

/* What a device has lied about it can't take back: indices that it skipped, chains that it used
 * twice. It says so (virtio 1.1, 2.1.2), and the driver has to give it up. */
static void virtio_honest(struct machine_device *d)
{
    if (!virtio_ready(d, 0))
        return;
    if (kind_of(d)->honest)
        kind_of(d)->honest(d);
    fake_virtio_ask_reset(&d->virtio);
}

/* --- events --- */

/* Chains go back, in their order or not. */
static void requests_finish(struct machine_device *d)
{
    const uint32_t left = kind_of(d)->at_once ? 0 : (uint32_t)random_below(d->held_count);
    while (d->held_count > left) {
        uint32_t n = world.options.card_reorder ? (uint32_t)random_below(d->held_count) : 0;
        const uint32_t length = kind_of(d)->finish(d, &d->held[n]);
        fake_virtio_push(&d->virtio, kind_of(d)->requests, d->held[n].head, length);
        memmove(&d->held[n], &d->held[n + 1], (--d->held_count - n) * sizeof(d->held[0]));
    }
    fake_virtio_flush(&d->virtio, kind_of(d)->requests);
    fake_virtio_decide(&d->virtio, kind_of(d)->requests);
    /* There may be more; if not, the driver is asked to ring for it. */
    device_later(d, EVENT_TAKE);
}

static void virtio_event(struct machine_device *d, enum event_kind kind)
{
    if (kind == EVENT_RECEIVED) {
        if (virtio_ready(d, NIC_RECEIVE))
            fake_virtio_decide(&d->virtio, NIC_RECEIVE);
    } else if (virtio_ready(d, kind_of(d)->requests)) {
        (kind == EVENT_TAKE ? requests_take : requests_finish)(d);
    }
}

static void notified(struct fake_virtio *virtio, uint32_t queue)
{
    struct machine_device *d = CONTAINER_OF(virtio, struct machine_device, virtio);
    if (queue == kind_of(d)->requests)
        device_later(d, EVENT_TAKE);
}

/* --- registers --- */

static void virtio_start(struct machine_device *d)
{
    fake_virtio_init(&d->virtio, &d->function.device);
    fake_virtio_grant_at(&d->virtio, SIM_MEMORY_FIRST, sim_memory, sim_pages * PAGE_BYTES);
    d->virtio.type = d->kind->type;
    d->virtio.queues = kind_of(d)->queues;
    d->function.device.id = d->kind->id;
    d->virtio.lies = world.options.card_lies != 0;
    d->virtio.thinks_later = true;
    d->virtio.on_notify = notified;
    if (!world.options.card_event_idx)
        d->virtio.offered &= ~(1ull << VIRTIO_RING_F_EVENT_IDX);
    kind_of(d)->start(d);
}

static struct device_model *virtio_model(struct machine_device *d)
{
    return &d->virtio.model;
}

/* It was reset: what it had is none of its business any more. */
static void virtio_written(struct machine_device *d)
{
    if (d->virtio.status)
        return;
    d->held_count = d->function.lost = 0;
    d->astray = false;
    if (kind_of(d)->reset)
        kind_of(d)->reset(d);
}

static uint32_t virtio_messages(struct machine_device *d)
{
    return fake_virtio_interrupts(&d->virtio);
}

static bool virtio_pin(const struct machine_device *d)
{
    return d->virtio.isr;
}

const struct device_interface virtio_interface = {
    .registers = {.bar = FAKE_BAR, .bytes = FAKE_BAR_BYTES, .wide = true},
    .start = virtio_start,
    .model = virtio_model,
    .written = virtio_written,
    .messages = virtio_messages,
    .pin = virtio_pin,
    .event = virtio_event,
    .mischief = virtio_mischief,
    .honest = virtio_honest,
};
