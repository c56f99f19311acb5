/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_rng/ is a driver of the entropy class, behind PCI and over MMIO.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include "tests/unit/conform_entropy.h"
#include "tests/unit/fake_virtio.h"

extern const struct server motet_server_virtio_rng;

enum { POOL = 1, POOL_BYTES = 4096 };

static void *attach(struct domain *domain, bool present, bool mmio)
{
    fake_domain_add_pool(domain, "dma", POOL, 1, POOL_BYTES, POOL_READ | POOL_WRITE | POOL_DMA);
    if (!present)
        return NULL;
    struct device *device = fake_domain_add_device(domain);
    struct fake_virtio *fake = mmio ? fake_virtio_create_mmio(device) : fake_virtio_create(device);
    fake->type = VIRTIO_ID_RNG;
    device->id = mmio ? VIRTIO_ID_RNG : 0x1005; /* QEMU's, a transitional device */
    device->vectors = 1;
    fake_virtio_grant(fake, fake_pool_memory(domain, POOL), POOL_BYTES);
    return fake;
}

static void *attach_pci(struct domain *domain, bool present)
{
    return attach(domain, present, false);
}

static void *attach_mmio(struct domain *domain, bool present)
{
    return attach(domain, present, true);
}

/* Queues are packed; without event indices in the second. */
static void *attach_packed(struct domain *domain, bool present)
{
    return fake_virtio_offer_packed(attach(domain, present, false), true);
}

static void *attach_packed_plain(struct domain *domain, bool present)
{
    return fake_virtio_offer_packed(attach(domain, present, false), false);
}

static void detach(void *fake)
{
    if (fake)
        fake_virtio_destroy(fake);
}

static uint32_t interrupts(void *fake)
{
    return fake ? fake_virtio_interrupts(fake) : 0;
}

static uint32_t produce(void *state, const uint8_t *bytes, uint32_t count)
{
    struct fake_virtio *fake = state;
    struct fake_chain chain;
    if (!fake_virtio_pop(fake, 0, &chain))
        return 0;
    assert(chain.count == 1 && chain.desc[0].flags == VRING_DESC_F_WRITE);
    if (count > chain.desc[0].len)
        count = chain.desc[0].len;
    memcpy((void *)(uintptr_t)chain.desc[0].addr, bytes, count);
    fake_virtio_push(fake, 0, chain.head, count);
    fake_virtio_flush(fake, 0);
    return count;
}

enum { NEVER_RESETS = FAKE_UNUSABLE_WAYS, UNUSABLE };

static void unusable(void *state, uint32_t n)
{
    struct fake_virtio *fake = state;
    if (n == NEVER_RESETS) {
        fake->never_resets = true;
        fake->status = VIRTIO_CONFIG_S_DRIVER; /* somebody used it before */
    }
    fake_virtio_unusable(fake, n);
}

enum misbehaviour { TOO_LONG, NOT_GIVEN, TWICE, INDEX_AHEAD, WANTS_RESET, MISBEHAVIOURS };

static void misbehave(void *state, uint32_t n)
{
    struct fake_virtio *fake = state;
    struct fake_chain chain;
    fake->lies = true;
    if (n == WANTS_RESET) {
        fake_virtio_ask_reset(fake);
        return;
    }
    bool popped = fake_virtio_pop(fake, 0, &chain);
    assert(popped);
    switch (n) {
    case TOO_LONG:
        fake_virtio_push(fake, 0, chain.head, chain.desc[0].len + 1);
        break;
    case NOT_GIVEN:
        fake_virtio_push(fake, 0, 1000, 1);
        break;
    case TWICE:
        fake_virtio_push(fake, 0, chain.head, 1);
        fake_virtio_push(fake, 0, chain.head, 1);
        break;
    case INDEX_AHEAD:
        /* A packed queue has no index: more than a lap would look like less. */
        for (int i = fake_virtio_has(fake, VIRTIO_F_RING_PACKED) ? 3 : 0; i < 5; i++)
            fake_virtio_push(fake, 0, chain.head, 1);
        break;
    default:
        assert(!"no such misbehaviour");
    }
    fake_virtio_flush(fake, 0);
}

int main(void)
{
    struct conform_entropy rng = {
        .server = &motet_server_virtio_rng,
        .attach = attach_pci,
        .detach = detach,
        .produce = produce,
        .interrupts = interrupts,
        .unusable = unusable,
        .misbehave = misbehave,
        .unusable_ways = UNUSABLE,
        .misbehaviours = MISBEHAVIOURS,
    };
    int failed = conform_entropy(&rng);
    rng.attach = attach_mmio;
    failed += conform_entropy(&rng);
    rng.attach = attach_packed;
    failed += conform_entropy(&rng);
    rng.attach = attach_packed_plain;
    return failed + conform_entropy(&rng);
}
