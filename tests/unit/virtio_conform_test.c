/* SPDX-License-Identifier: ISC
 *
 * servers/virtio_drv/ is a driver of the network class, behind PCI and over MMIO. What is its own
 * is tested in the other files of this name.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/proto/netdev.h"
#include "tests/unit/conform_net.h"
#include "tests/unit/fake_virtio.h"

extern const struct server motet_server_virtio_drv;

enum { OWN_BYTES = 16384 };

static void *attach(struct domain *domain, bool mmio)
{
    fake_domain_add_pool(domain, "queues", CONFORM_NET_OWN, 1, OWN_BYTES,
                         POOL_READ | POOL_WRITE | POOL_DMA);
    struct device *device = fake_domain_add_device(domain);
    struct fake_virtio *fake = mmio ? fake_virtio_create_mmio(device) : fake_virtio_create(device);
    fake_virtio_grant(fake, fake_pool_memory(domain, CONFORM_NET_OWN), OWN_BYTES);
    fake_virtio_grant(fake, fake_pool_memory(domain, CONFORM_NET_RX),
                      CONFORM_NET_BUFFERS * CONFORM_NET_BUFFER_BYTES);
    fake_virtio_grant(fake, fake_pool_memory(domain, CONFORM_NET_SEND),
                      NETDEV_TX_OUTSTANDING * CONFORM_NET_BUFFER_BYTES);
    return fake;
}

static void *attach_pci(struct domain *domain)
{
    return attach(domain, false);
}

static void *attach_mmio(struct domain *domain)
{
    return attach(domain, true);
}

static void detach(void *fake)
{
    fake_virtio_destroy(fake);
}

static bool receive(void *fake, const uint8_t *frame, uint32_t length)
{
    return fake_virtio_receive(fake, frame, length, 0);
}

static uint32_t transmit(void *fake, uint8_t frame[CONFORM_NET_FRAME])
{
    static struct fake_frame sent;
    if (!fake_virtio_transmit(fake, &sent))
        return 0;
    assert(sent.length <= CONFORM_NET_FRAME);
    memcpy(frame, sent.data, sent.length);
    return sent.length;
}

static uint32_t interrupts(void *fake)
{
    return fake_virtio_interrupts(fake);
}

static void set_link(void *fake, bool up)
{
    fake_virtio_set_link(fake, up);
}

static void unusable(void *fake, uint32_t n)
{
    fake_virtio_unusable(fake, n);
}

enum misbehaviour { TOO_LONG, NOT_GIVEN, WANTS_RESET, MISBEHAVIOURS };

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
    if (n == TOO_LONG)
        fake_virtio_push(fake, 0, chain.head, CONFORM_NET_BUFFER_BYTES + 1);
    else
        fake_virtio_push(fake, 0, 1000, 100);
    fake_virtio_flush(fake, 0);
}

int main(void)
{
    struct conform_net virtio = {
        .server = &motet_server_virtio_drv,
        .rx_rights = POOL_READ | POOL_DMA,
        .attach = attach_pci,
        .detach = detach,
        .receive = receive,
        .transmit = transmit,
        .interrupts = interrupts,
        .link = set_link,
        .unusable = unusable,
        .misbehave = misbehave,
        .unusable_ways = FAKE_UNUSABLE_WAYS,
        .misbehaviours = MISBEHAVIOURS,
    };
    int failed = conform_net(&virtio);
    virtio.attach = attach_mmio;
    return failed + conform_net(&virtio);
}
