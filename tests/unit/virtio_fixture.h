/* SPDX-License-Identifier: ISC
 *
 * What the tests of servers/virtio_drv share: the driver in a fake domain with a fake device, and a
 * client that keeps account of its buffers and cookies: the driver may hand back only what it was
 * given, and only once.
 */
#ifndef MOTET_TESTS_VIRTIO_FIXTURE_H
#define MOTET_TESTS_VIRTIO_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/netdev.h"
#include "tests/unit/fake_domain.h"
#include "tests/unit/fake_virtio.h"

extern const struct server motet_server_virtio_drv;

enum { POOL_RX = 1, POOL_QUEUES = 2, POOL_SEND = 3, POOL_PRIVATE = 4, POOL_MISSING = 9 };
enum { RX_BUFFERS = 160, RX_BYTES = 2048, SEND_BUFFERS = 256, SEND_BYTES = 2048 };
enum { QUEUE_BYTES = 16384, COOKIES = 4096, HEADER = 12 };
enum { RX_RING = 128, TX_SLOTS = 64 };

struct rig {
    struct domain *domain;
    struct conn *net;
    struct fake_virtio *fake[NETDEV_INTERFACES_MAX];
    uint32_t devices;
    bool lent[RX_BUFFERS]; /* receive buffers that the driver has */
    bool sent[COOKIES];    /* frames whose TX_DONE is due */
    uint32_t lent_count, sent_count;
    uint32_t unused; /* buffers that came back unused */
};

/* Lets a device reach what the driver may point it at. */
static inline struct fake_virtio *rig_adopt(struct rig *rig, struct fake_virtio *fake)
{
    fake_virtio_grant(fake, fake_pool_memory(rig->domain, POOL_RX), RX_BUFFERS * RX_BYTES);
    fake_virtio_grant(fake, fake_pool_memory(rig->domain, POOL_QUEUES), 4 * QUEUE_BYTES);
    fake_virtio_grant(fake, fake_pool_memory(rig->domain, POOL_SEND), SEND_BUFFERS * SEND_BYTES);
    rig->fake[rig->devices++] = fake;
    return fake;
}

static inline struct fake_virtio *rig_add_device(struct rig *rig)
{
    return rig_adopt(rig, fake_virtio_create(fake_domain_add_device(rig->domain)));
}

/* A domain without a device, not started. */
static inline int rig_set_up_bare(void **state)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    if (!rig)
        return -1;
    rig->domain = fake_domain_create(&motet_server_virtio_drv);
    rig->net = fake_domain_connect(rig->domain, "net", 0);
    fake_domain_add_pool(rig->domain, "rx", POOL_RX, RX_BUFFERS, RX_BYTES, POOL_READ | POOL_DMA);
    fake_domain_add_pool(rig->domain, "queues", POOL_QUEUES, 4, QUEUE_BYTES,
                         POOL_READ | POOL_WRITE | POOL_DMA);
    fake_domain_add_pool(rig->domain, "send", POOL_SEND, SEND_BUFFERS, SEND_BYTES, POOL_DMA);
    fake_domain_add_pool(rig->domain, "private", POOL_PRIVATE, 4, SEND_BYTES, POOL_READ);
    *state = rig;
    return 0;
}

/* With one device, not started. */
static inline int rig_set_up(void **state)
{
    if (rig_set_up_bare(state))
        return -1;
    rig_add_device(*state);
    return 0;
}

static inline int rig_tear_down(void **state)
{
    struct rig *rig = *state;
    for (uint32_t i = 0; i < rig->devices; i++)
        fake_virtio_destroy(rig->fake[i]);
    fake_domain_destroy(rig->domain);
    free(rig);
    return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_set_up, rig_tear_down)

static inline uint64_t rig_counter(struct rig *rig, const char *name)
{
    return fake_domain_counter(rig->domain, name);
}

/* A round of the loop: interrupts that are pending, then the end of the batch. */
static inline void rig_round(struct rig *rig)
{
    for (uint32_t i = 0; i < rig->devices; i++) {
        uint32_t bits = fake_virtio_interrupts(rig->fake[i]);
        if (bits)
            fake_domain_signal(rig->domain, i, bits);
    }
    fake_domain_batch_end(rig->domain);
}

static inline bool rig_deliver(struct rig *rig, uint16_t op, const void *payload, size_t size)
{
    struct msg m = {.op = op};
    if (size)
        msg_set(&m, op, payload, size);
    return fake_domain_deliver(rig->domain, rig->net, &m);
}

static inline void rig_account(struct rig *rig, const struct msg *m)
{
    if (m->op == NETDEV_RX) {
        struct netdev_rx rx;
        msg_get(m, &rx, sizeof(rx));
        assert_int_equal(rx.data.pool, POOL_RX);
        assert_true(rx.data.index < RX_BUFFERS && rig->lent[rx.data.index]);
        assert_true((uint32_t)rx.data.offset + rx.data.length <= RX_BYTES);
        rig->lent[rx.data.index] = false;
        rig->lent_count--;
        rig->unused += !rx.data.length;
    } else if (m->op == NETDEV_TX_DONE) {
        struct netdev_tx_done done;
        msg_get(m, &done, sizeof(done));
        assert_in_range(done.count, 1, NETDEV_TX_DONE_MAX);
        for (uint32_t i = 0; i < done.count; i++) {
            assert_true(done.cookie[i] < COOKIES && rig->sent[done.cookie[i]]);
            rig->sent[done.cookie[i]] = false;
            rig->sent_count--;
        }
    } else {
        assert_int_equal(m->op, NETDEV_LINK);
    }
}

/* Takes the next message from the driver. */
static inline bool rig_pop(struct rig *rig, struct msg *m)
{
    if (!fake_conn_pop(rig->net, m))
        return false;
    rig_account(rig, m);
    return true;
}

/* Takes all messages; returns how many of one kind there were. */
static inline uint32_t rig_drain(struct rig *rig, uint16_t op)
{
    struct msg m;
    uint32_t count = 0;
    while (rig_pop(rig, &m))
        count += m.op == op;
    return count;
}

static inline struct netdev_rx rig_expect_rx(struct rig *rig)
{
    struct msg m;
    struct netdev_rx rx;
    assert_true(rig_pop(rig, &m));
    assert_int_equal(m.op, NETDEV_RX);
    msg_get(&m, &rx, sizeof(rx));
    return rx;
}

static inline struct netdev_link rig_expect_link(struct rig *rig)
{
    struct msg m;
    struct netdev_link link;
    assert_true(rig_pop(rig, &m));
    assert_int_equal(m.op, NETDEV_LINK);
    msg_get(&m, &link, sizeof(link));
    return link;
}

/* Gives the driver up to `count` receive buffers that it hasn't got. */
static inline void rig_provide(struct rig *rig, uint16_t interface, uint32_t count)
{
    struct netdev_rx_provide give = {.interface = interface, .pool = POOL_RX};
    for (uint32_t i = 0; i < RX_BUFFERS && count; i++) {
        if (rig->lent[i])
            continue;
        rig->lent[i] = true;
        rig->lent_count++;
        give.index[give.count++] = (uint16_t)i;
        if (!--count || give.count == NETDEV_PROVIDE_MAX) {
            assert_true(rig_deliver(rig, NETDEV_RX_PROVIDE, &give, sizeof(give)));
            give.count = 0;
        }
    }
    if (give.count)
        assert_true(rig_deliver(rig, NETDEV_RX_PROVIDE, &give, sizeof(give)));
}

/* A frame in one piece: `length` bytes of send buffer `cookie`. */
static inline struct netdev_tx rig_frame(uint32_t cookie, uint16_t length)
{
    return (struct netdev_tx){.cookie = cookie,
                              .segments = 1,
                              .segment[0] = {.pool = POOL_SEND,
                                             .index = (uint16_t)(cookie % SEND_BUFFERS),
                                             .length = length}};
}

/* Delivers a frame; false: the driver doesn't take it now. */
static inline bool rig_transmit(struct rig *rig, const struct netdev_tx *tx)
{
    bool again = rig->sent[tx->cookie];
    if (!again) {
        rig->sent[tx->cookie] = true;
        rig->sent_count++;
    }
    if (rig_deliver(rig, NETDEV_TX, tx, sizeof(*tx)))
        return true;
    if (!again) {
        rig->sent[tx->cookie] = false;
        rig->sent_count--;
    }
    return false;
}

/* Starts the driver, gives it all buffers and takes the LINK messages. */
static inline void rig_start(struct rig *rig)
{
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(rig_deliver(rig, NETDEV_OPEN, NULL, 0));
    rig_provide(rig, 0, RX_BUFFERS);
    rig_round(rig);
    assert_int_equal(rig_drain(rig, NETDEV_LINK), rig->devices);
    for (uint32_t i = 0; i < rig->devices; i++)
        fake_virtio_interrupts(rig->fake[i]);
}

/* The device broke, and the driver noticed: the device was reset, everything came back. */
static inline void rig_expect_broken(struct rig *rig)
{
    assert_int_equal(rig_counter(rig, "devices_broken"), 1);
    assert_int_equal(rig->fake[0]->status, 0);
    assert_true(fake_domain_logged(rig->domain, " broken: "));
    rig_drain(rig, NETDEV_LINK);
    assert_int_equal(rig->lent_count, 0);
    assert_int_equal(rig->sent_count, 0);
}

#endif
