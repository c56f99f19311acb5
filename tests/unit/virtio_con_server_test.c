/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_con/ is a driver of the console class, behind PCI and over MMIO. What is its own
 * is tested in virtio_con_test.c.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include "tests/unit/conform_console.h"
#include "tests/unit/fake_virtio.h"

extern const struct server motet_server_virtio_con;

enum { QUEUES = 1, QUEUE_BYTES = 16384, RX = 0, TX = 1 };

static void *attach(struct domain *domain, bool present, bool mmio)
{
    fake_domain_add_pool(domain, "queues", QUEUES, 1, QUEUE_BYTES,
                         POOL_READ | POOL_WRITE | POOL_DMA);
    if (!present)
        return NULL;
    struct device *device = fake_domain_add_device(domain);
    struct fake_virtio *fake = mmio ? fake_virtio_create_mmio(device) : fake_virtio_create(device);
    fake->type = VIRTIO_ID_CONSOLE;
    device->id = mmio ? VIRTIO_ID_CONSOLE : 0x1003; /* QEMU's, a transitional device */
    device->vectors = mmio ? 1 : 2;
    fake_virtio_grant(fake, fake_pool_memory(domain, QUEUES), QUEUE_BYTES);
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
    fake_virtio_destroy(fake);
}

static uint32_t interrupts(void *fake)
{
    return fake_virtio_interrupts(fake);
}

static uint32_t receive(void *state, const uint8_t *bytes, uint32_t count)
{
    struct fake_virtio *fake = state;
    struct fake_chain chain;
    if (!count || !fake_virtio_pop(fake, RX, &chain))
        return 0;
    assert(chain.count == 1 && chain.desc[0].flags == VRING_DESC_F_WRITE);
    if (count > chain.desc[0].len)
        count = chain.desc[0].len;
    memcpy((void *)(uintptr_t)chain.desc[0].addr, bytes, count);
    fake_virtio_push(fake, RX, chain.head, count);
    fake_virtio_flush(fake, RX);
    return count;
}

static uint32_t transmit(void *state, uint8_t *bytes, uint32_t most)
{
    struct fake_virtio *fake = state;
    struct fake_chain chain;
    if (!fake_virtio_pop(fake, TX, &chain))
        return 0;
    assert(chain.count == 1 && !chain.desc[0].flags && chain.desc[0].len <= most);
    memcpy(bytes, (void *)(uintptr_t)chain.desc[0].addr, chain.desc[0].len);
    fake_virtio_push(fake, TX, chain.head, 0);
    fake_virtio_flush(fake, TX);
    return chain.desc[0].len;
}

static void unusable(void *fake, uint32_t n)
{
    fake_virtio_unusable(fake, n);
}

enum misbehaviour { TOO_LONG, NOT_GIVEN, INDEX_AHEAD, SENT_NOT_GIVEN, WANTS_RESET, ALL };

static void misbehave(void *state, uint32_t n)
{
    struct fake_virtio *fake = state;
    struct fake_chain chain;
    const uint16_t queue = n == SENT_NOT_GIVEN ? TX : RX;
    fake->lies = true;
    if (n == WANTS_RESET) {
        fake_virtio_ask_reset(fake);
        return;
    }
    bool popped = fake_virtio_pop(fake, RX, &chain);
    assert(popped);
    if (n == TOO_LONG)
        fake_virtio_push(fake, RX, chain.head, chain.desc[0].len + 1);
    if (n == NOT_GIVEN)
        fake_virtio_push(fake, RX, 1000, 1);
    for (uint32_t i = 0; i < 100 && n == INDEX_AHEAD; i++)
        fake_virtio_push(fake, RX, chain.head, 0);
    if (n == SENT_NOT_GIVEN)
        fake_virtio_push(fake, TX, 3, 0);
    fake_virtio_flush(fake, queue);
}

int main(void)
{
    struct conform_console con = {
        .server = &motet_server_virtio_con,
        .attach = attach_pci,
        .detach = detach,
        .receive = receive,
        .transmit = transmit,
        .interrupts = interrupts,
        .unusable = unusable,
        .misbehave = misbehave,
        .unusable_ways = FAKE_UNUSABLE_WAYS,
        .misbehaviours = ALL,
    };
    int failed = conform_console(&con);
    con.attach = attach_mmio;
    failed += conform_console(&con);
    con.attach = attach_packed;
    failed += conform_console(&con);
    con.attach = attach_packed_plain;
    return failed + conform_console(&con);
}
