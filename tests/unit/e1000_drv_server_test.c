/* SPDX-License-Identifier: ISC
 *
 * servers/e1000_drv/ is a driver of the network class.
 */
#include <assert.h>
#include <string.h>

#include "ipc/proto/netdev.h"
#include "tests/unit/conform_net.h"
#include "tests/unit/fake_e1000.h"

extern const struct server motet_server_e1000_drv;

enum { OWN_BYTES = 16384 };

static void *attach(struct domain *domain)
{
    fake_domain_add_pool(domain, "queues", CONFORM_NET_OWN, 1, OWN_BYTES,
                         POOL_READ | POOL_WRITE | POOL_DMA);
    struct fake_e1000 *fake = fake_e1000_create(fake_domain_add_device(domain));
    fake_e1000_grant(fake, fake_pool_memory(domain, CONFORM_NET_OWN), OWN_BYTES);
    fake_e1000_grant(fake, fake_pool_memory(domain, CONFORM_NET_RX),
                     CONFORM_NET_BUFFERS * CONFORM_NET_BUFFER_BYTES);
    fake_e1000_grant(fake, fake_pool_memory(domain, CONFORM_NET_SEND),
                     NETDEV_TX_OUTSTANDING * CONFORM_NET_BUFFER_BYTES);
    return fake;
}

static void detach(void *fake)
{
    fake_e1000_destroy(fake);
}

static bool receive(void *fake, const uint8_t *frame, uint32_t length)
{
    return fake_e1000_receive(fake, frame, length, length, RX_DONE | RX_END);
}

static uint32_t transmit(void *fake, uint8_t frame[CONFORM_NET_FRAME])
{
    static uint8_t sent[FAKE_E1000_FRAME];
    uint32_t length = fake_e1000_transmit(fake, sent);
    assert(length <= CONFORM_NET_FRAME);
    memcpy(frame, sent, length);
    return length;
}

static uint32_t interrupts(void *fake)
{
    return fake_e1000_interrupts(fake);
}

static bool spoil(void *fake)
{
    return fake_e1000_spoil(fake);
}

static void set_link(void *fake, bool up)
{
    fake_e1000_set_link(fake, up);
}

enum unusable { NEVER_RESETS, NO_ADDRESS, GROUP, ANOTHER_CARD, UNUSABLE };

static void unusable(void *state, uint32_t n)
{
    struct fake_e1000 *fake = state;
    fake->never_resets = n == NEVER_RESETS;
    if (n == NO_ADDRESS)
        fake->address_high = 0;
    if (n == GROUP)
        fake->address_low |= 1;
    if (n == ANOTHER_CARD)
        fake->device->id = 0x1010;
}

enum misbehaviour { TOO_LONG, TOO_SHORT, NO_END, MISBEHAVIOURS };

static void misbehave(void *fake, uint32_t n)
{
    static const uint8_t frame[64];
    const uint32_t said = n == TOO_LONG ? RX_BUFFER_BYTES + 1 : n == TOO_SHORT ? 13 : 64;
    bool had =
        fake_e1000_receive(fake, frame, sizeof(frame), said, RX_DONE | (n == NO_END ? 0 : RX_END));
    assert(had);
}

int main(void)
{
    const struct conform_net e1000 = {
        .server = &motet_server_e1000_drv,
        .rx_rights = POOL_DMA,
        .attach = attach,
        .detach = detach,
        .receive = receive,
        .spoil = spoil,
        .transmit = transmit,
        .interrupts = interrupts,
        .link = set_link,
        .unusable = unusable,
        .misbehave = misbehave,
        .unusable_ways = UNUSABLE,
        .misbehaviours = MISBEHAVIOURS,
    };
    return conform_net(&e1000);
}
