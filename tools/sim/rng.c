/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's source of entropy: a device (virtio.h) that fills each buffer with up to
 * as many bytes as it has room for. It knows what it gave: whoever gives bytes on gives each once,
 * and no others.
 *
 * `left` counts by value what was given and hasn't been given on. What an earlier life of the
 * driver had is lost.
 */
#include "tools/sim/rng.h"

#include <string.h>

#include <linux/virtio_ids.h>

#include "kernel/panic.h"
#include "tools/sim/virtio.h"

static uint32_t left[256];

static void rng_start(struct machine_device *d)
{
    if (world.options.card_packed)
        d->virtio.offered |= 1ull << VIRTIO_F_RING_PACKED;
    memset(left, 0, sizeof(left));
}

static uint8_t *buffer_fill(struct machine_device *d, const struct fake_chain *chain)
{
    uint8_t *bytes = fake_virtio_reach(&d->virtio, chain->desc[0].addr, chain->desc[0].len);
    for (uint32_t i = 0; i < chain->desc[0].len; i++)
        bytes[i] = (uint8_t)random_below(256);
    return bytes;
}

/* It fills whole buffers, at once and at the end: so what a lie has the driver take is random too.
 */
static void rng_take(struct machine_device *d, const struct fake_chain *chain)
{
    buffer_fill(d, chain);
    device_tempt(d);
}

static uint32_t rng_finish(struct machine_device *d, const struct fake_chain *chain)
{
    const uint32_t room = chain->desc[0].len;
    const uint8_t *bytes = buffer_fill(d, chain);
    const uint32_t length = world.options.card_short ? 1 + (uint32_t)random_below(room) : room;
    for (uint32_t i = 0; i < length; i++)
        left[bytes[i]]++;
    return length;
}

static void rng_reset(struct machine_device *d)
{
    (void)d;
    memset(left, 0, sizeof(left));
}

void rng_given_on(const uint8_t *bytes, uint32_t count)
{
    if (world.count.lies)
        return; /* who knows what it said that it gave */
    for (uint32_t i = 0; i < count; i++)
        if (!left[bytes[i]]--)
            panic("a client got a byte that the source of entropy hadn't given, or not again");
}

extern const struct virtio_kind rng_kind;
const struct virtio_kind rng_kind = {
    .device = {.interface = &virtio_interface,
               .vendor = 0x1af4,
               .id = 0x1044, /* modern */
               .type = VIRTIO_ID_RNG,
               .vectors = 2},
    .queues = 1,
    .start = rng_start,
    .take = rng_take,
    .finish = rng_finish,
    .reset = rng_reset,
};
