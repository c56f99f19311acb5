/* SPDX-License-Identifier: ISC
 *
 * The tests of conform_net.h. The test is the client, the loop and what is outside.
 *
 * Frames carry their number and what follows from it, so that each is known: from outside they must
 * come once, in order and whole, and so must those of the client outside. Buffers and cookies come
 * back once each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/netdev.h"
#include "libos/restart.h"
#include "tests/unit/conform_net.h"

extern const struct server_restarted __start_motet_restarts[], __stop_motet_restarts[];

enum {
    RX = CONFORM_NET_RX,
    SEND = CONFORM_NET_SEND,
    OWN = CONFORM_NET_OWN,
    BUFFERS = CONFORM_NET_BUFFERS,
    BYTES = CONFORM_NET_BUFFER_BYTES,
    FRAME_MIN = 60,
    FRAME_MAX = 1514,
    RING = 64, /* messages of the client that the driver hasn't taken */
    FRAMES = 2000,
    ROUNDS_MAX = 100000,
    SEEDS = 5,
};

static const struct conform_net *under_test;

struct rig {
    struct domain *domain;
    struct conn *conn;
    void *fake;
    struct msg ring[RING]; /* the client's, to the driver */
    uint32_t made, taken;
    bool lent[BUFFERS]; /* receive buffers that the driver has */
    bool under_way[NETDEV_TX_OUTSTANDING];
    uint32_t frames_under_way;
    uint32_t in_given, in_got;    /* frames from outside: to the card, to the client */
    uint32_t out_given, out_sent; /* frames of the client: to the driver, outside */
    struct netdev_link link;      /* as told last */
    uint32_t links;               /* times told */
    bool full;                    /* the driver found the client's ring full, maybe */
};

static struct rig *rig_make(void)
{
    const uint8_t rwd = POOL_READ | POOL_WRITE | POOL_DMA;
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->domain = fake_domain_create(under_test->server);
    rig->conn = fake_domain_connect(rig->domain, "net", 0);
    fake_domain_add_pool(rig->domain, "rx", RX, BUFFERS, BYTES, under_test->rx_rights);
    fake_domain_add_pool(rig->domain, "send", SEND, NETDEV_TX_OUTSTANDING, BYTES, POOL_DMA);
    fake_domain_add_pool(rig->domain, "not for devices", OWN + 1, 1, BYTES, rwd & ~POOL_DMA);
    rig->fake = under_test->attach(rig->domain);
    return rig;
}

static void rig_destroy(struct rig *rig)
{
    under_test->detach(rig->fake);
    fake_domain_destroy(rig->domain);
    free(rig);
}

static int set_up(void **state)
{
    *state = rig_make();
    return 0;
}

static int tear_down(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* What is in frame n of a direction. */
static uint32_t frame_fill(uint8_t *frame, uint32_t n, uint8_t salt)
{
    uint32_t length = FRAME_MIN + n * 7919u % (FRAME_MAX - FRAME_MIN + 1);
    for (uint32_t i = 0; i < length; i++)
        frame[i] = (uint8_t)(n * 31 + i * 7 + salt);
    memcpy(frame, &n, sizeof(n));
    return length;
}

static void frame_check(const uint8_t *frame, uint32_t length, uint32_t n, uint8_t salt)
{
    uint8_t wanted[BYTES];
    assert_int_equal(length, frame_fill(wanted, n, salt));
    assert_memory_equal(frame, wanted, length);
}

enum { INWARDS = 1, OUTWARDS = 100 };

/* The client's side */

static void say(struct rig *rig, const struct msg *m)
{
    assert_true(rig->made - rig->taken < RING);
    rig->ring[rig->made++ % RING] = *m;
}

static bool ring_full(const struct rig *rig)
{
    return rig->made - rig->taken == RING;
}

static void open_say(struct rig *rig)
{
    const struct msg m = {.op = NETDEV_OPEN};
    say(rig, &m);
}

static void provide_say(struct rig *rig, uint32_t most)
{
    struct netdev_rx_provide provide = {.pool = RX};
    struct msg m;
    for (uint16_t i = 0; i < BUFFERS && provide.count < most; i++)
        if (!rig->lent[i]) {
            rig->lent[i] = true;
            provide.index[provide.count++] = i;
        }
    if (!provide.count)
        return;
    msg_set(&m, NETDEV_RX_PROVIDE, &provide, sizeof(provide));
    say(rig, &m);
}

/* The next frame, in one to three pieces of one buffer. */
static void frame_say(struct rig *rig)
{
    uint16_t place = 0;
    while (rig->under_way[place])
        place++;
    uint8_t *buffer = fake_pool_memory(rig->domain, SEND) + place * BYTES;
    uint32_t left = frame_fill(buffer, rig->out_given++, OUTWARDS), at = 0;
    struct netdev_tx tx = {.cookie = place + 5000u, .segments = 1u + (uint32_t)rand() % 3};
    struct msg m;
    for (uint32_t i = 0; i < tx.segments; i++) {
        uint32_t length = i + 1 == tx.segments ? left : 1 + (uint32_t)rand() % (left / 2);
        tx.segment[i] = (struct buffer_ref){
            .pool = SEND, .index = place, .offset = (uint16_t)at, .length = (uint16_t)length};
        at += length;
        left -= length;
    }
    rig->under_way[place] = true;
    rig->frames_under_way++;
    msg_set(&m, NETDEV_TX, &tx, sizeof(tx));
    say(rig, &m);
}

static void rx_heard(struct rig *rig, const struct msg *m)
{
    struct netdev_rx rx;
    msg_get(m, &rx, sizeof(rx));
    assert_int_equal(rx.interface, 0);
    assert_int_equal(rx.data.pool, RX);
    assert_true(rx.data.index < BUFFERS && rig->lent[rx.data.index]);
    assert_true(rx.data.offset + rx.data.length <= BYTES);
    assert_false(rx.flags & NETDEV_RX_CONTINUES); /* each fits a buffer */
    rig->lent[rx.data.index] = false;
    if (rx.data.length)
        frame_check(fake_pool_memory(rig->domain, RX) + rx.data.index * BYTES + rx.data.offset,
                    rx.data.length, rig->in_got++, INWARDS);
}

static void done_heard(struct rig *rig, const struct msg *m)
{
    struct netdev_tx_done done;
    msg_get(m, &done, sizeof(done));
    assert_in_range(done.count, 1, NETDEV_TX_DONE_MAX);
    for (uint32_t i = 0; i < done.count; i++) {
        uint32_t place = done.cookie[i] - 5000;
        assert_true(place < NETDEV_TX_OUTSTANDING && rig->under_way[place]);
        rig->under_way[place] = false;
        rig->frames_under_way--;
    }
}

static void link_heard(struct rig *rig, const struct msg *m)
{
    msg_get(m, &rig->link, sizeof(rig->link));
    assert_int_equal(rig->link.interface, 0);
    assert_int_equal(rig->link.interfaces, 1);
    assert_false(rig->link.mac[0] & 1);
    assert_in_range(rig->link.mtu, 68, 65535);
    rig->links++;
}

/* Returns whether there was anything. */
static bool hear(struct rig *rig, uint32_t most)
{
    struct msg m;
    uint32_t heard = 0;
    for (; heard < most && fake_conn_pop(rig->conn, &m); heard++) {
        if (m.op == NETDEV_RX)
            rx_heard(rig, &m);
        else if (m.op == NETDEV_TX_DONE)
            done_heard(rig, &m);
        else if (m.op == NETDEV_LINK)
            link_heard(rig, &m);
        else
            fail_msg("op %u", m.op);
    }
    return heard;
}

/* The loop, as long as anything happens; `happened`: something has. Nothing else calls a driver. */
static void loop(struct rig *rig, bool happened)
{
    for (;;) {
        uint32_t bits = under_test->interrupts(rig->fake);
        if (bits)
            fake_domain_signal(rig->domain, 0, bits);
        happened |= bits;
        while (rig->taken < rig->made &&
               fake_domain_deliver(rig->domain, rig->conn, &rig->ring[rig->taken % RING])) {
            rig->taken++;
            happened = true;
        }
        if (!happened)
            return;
        happened = false;
        fake_domain_batch_end(rig->domain);
    }
}

static uint32_t some(uint32_t most)
{
    return (uint32_t)rand() % (most + 1);
}

/* What is outside, for a while. */
static void outside(struct rig *rig)
{
    uint8_t frame[CONFORM_NET_FRAME];
    for (uint32_t i = some(8); i && rig->in_given < FRAMES; i--) {
        uint32_t length = frame_fill(frame, rig->in_given, INWARDS);
        if (!under_test->receive(rig->fake, frame, length))
            break;
        rig->in_given++;
    }
    for (uint32_t i = some(8); i; i--) {
        uint32_t length = under_test->transmit(rig->fake, frame);
        if (!length)
            break;
        frame_check(frame, length, rig->out_sent++, OUTWARDS);
    }
}

static void client(struct rig *rig)
{
    for (uint32_t i = some(3); i && !ring_full(rig); i--)
        provide_say(rig, 1 + some(NETDEV_PROVIDE_MAX - 1));
    for (uint32_t i = some(8); i && !ring_full(rig) && rig->out_given < FRAMES &&
                               rig->frames_under_way < NETDEV_TX_OUTSTANDING;
         i--)
        frame_say(rig);
}

static void start(struct rig *rig)
{
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_int_equal(fake_conn_waiting(rig->conn), 0); /* nobody has asked */
    open_say(rig);
    loop(rig, true);
    hear(rig, 1);
    assert_int_equal(rig->links, 1);
    assert_int_equal(rig->link.up, 1);
}

/* All that is under way arrives. */
static void settle(struct rig *rig)
{
    uint8_t frame[CONFORM_NET_FRAME];
    uint32_t length;
    for (int i = 0; i < 20; i++) {
        while ((length = under_test->transmit(rig->fake, frame)))
            frame_check(frame, length, rig->out_sent++, OUTWARDS);
        open_say(rig); /* a driver may keep frames that are done until something happens */
        loop(rig, hear(rig, UINT32_MAX));
    }
}

static void frames_go_both_ways(void **state)
{
    (void)state;
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        struct rig *rig = rig_make();
        srand(seed);
        start(rig);
        for (uint32_t round = 0;
             round < ROUNDS_MAX && (rig->in_got < FRAMES || rig->out_sent < FRAMES); round++) {
            fake_conn_set_capacity(rig->conn, 1 + some(seed % 2 ? 2 : 40));
            outside(rig);
            client(rig);
            loop(rig, false);
            loop(rig, hear(rig, some(10)));
        }
        fake_conn_set_capacity(rig->conn, FAKE_QUEUE_MAX);
        settle(rig);
        assert_int_equal(rig->in_got, FRAMES);
        assert_int_equal(rig->out_sent, FRAMES);
        assert_int_equal(rig->frames_under_way, 0);
        assert_int_equal(fake_domain_counter(rig->domain, "rx_frames"), FRAMES);
        assert_int_equal(fake_domain_counter(rig->domain, "tx_frames"), FRAMES);
        rig_destroy(rig);
    }
}

static void buffers_that_are_not_the_clients_are_refused(void **state)
{
    struct rig *rig = *state;
    struct netdev_rx_provide provide = {.pool = RX, .count = 4, .index = {3, 3, BUFFERS, 65535}};
    struct msg m;
    start(rig);
    rig->lent[3] = true;
    msg_set(&m, NETDEV_RX_PROVIDE, &provide, sizeof(provide));
    say(rig, &m);
    say(rig, &m);
    provide = (struct netdev_rx_provide){.pool = SEND, .count = 1};
    msg_set(&m, NETDEV_RX_PROVIDE, &provide, sizeof(provide));
    say(rig, &m);
    provide = (struct netdev_rx_provide){.pool = RX, .count = UINT16_MAX};
    msg_set(&m, NETDEV_RX_PROVIDE, &provide, sizeof(provide));
    say(rig, &m);
    loop(rig, false);
    assert_int_equal(fake_domain_counter(rig->domain, "provide_refused"), 9);
    uint8_t frame[BYTES];
    uint32_t length = frame_fill(frame, 0, INWARDS);
    assert_true(under_test->receive(rig->fake, frame, length));
    assert_false(under_test->receive(rig->fake, frame, length)); /* it has one buffer */
    loop(rig, false);
    hear(rig, UINT32_MAX);
    assert_int_equal(rig->in_got, 1);
}

/* Each is answered, so that its buffers come back; none of them leaves. */
static void frames_that_make_no_sense_are_refused(void **state)
{
    struct rig *rig = *state;
    static const struct {
        uint32_t segments;
        struct buffer_ref ref;
    } bad[] = {
        {0, {SEND, 0, 0, 100}},
        {4, {SEND, 0, 0, 100}},
        {UINT32_MAX, {SEND, 0, 0, 100}},
        {1, {SEND, 0, 0, 0}},
        {1, {SEND, 0, 0, 13}},                     /* no header */
        {1, {SEND, 0, 0, 1600}},                   /* beyond the MTU */
        {3, {SEND, 0, 0, 600}},                    /* all together */
        {1, {SEND, NETDEV_TX_OUTSTANDING, 0, 60}}, /* no such buffer */
        {1, {SEND, 0, BYTES - 50, 60}},            /* beyond it */
        {1, {OWN, 0, 0, 60}},                      /* the driver's own memory */
        {1, {OWN + 1, 0, 0, 60}},                  /* no dma right */
        {1, {200, 0, 0, 60}},                      /* no such pool */
    };
    enum { BAD = sizeof(bad) / sizeof(bad[0]) };
    uint8_t frame[CONFORM_NET_FRAME];
    start(rig);
    for (uint32_t i = 0; i < BAD; i++) {
        struct netdev_tx tx = {.cookie = 5000 + i,
                               .segments = bad[i].segments,
                               .segment = {bad[i].ref, bad[i].ref, bad[i].ref}};
        struct msg m;
        rig->under_way[i] = true;
        rig->frames_under_way++;
        msg_set(&m, NETDEV_TX, &tx, sizeof(tx));
        say(rig, &m);
    }
    loop(rig, false);
    assert_int_equal(under_test->transmit(rig->fake, frame), 0);
    settle(rig);
    assert_int_equal(rig->frames_under_way, 0);
    assert_int_equal(fake_domain_counter(rig->domain, "tx_refused"), BAD);
}

static void more_frames_than_may_be_under_way_are_dropped(void **state)
{
    struct rig *rig = *state;
    struct msg last;
    start(rig);
    for (int i = 0; i < NETDEV_TX_OUTSTANDING; i++) {
        frame_say(rig);
        last = rig->ring[(rig->made - 1) % RING];
        loop(rig, false);
        uint8_t frame[CONFORM_NET_FRAME];
        uint32_t length = under_test->transmit(rig->fake, frame);
        frame_check(frame, length, rig->out_sent++, OUTWARDS);
        fake_conn_set_capacity(rig->conn, 0); /* and the client hears of nothing */
    }
    say(rig, &last);
    loop(rig, false);
    assert_int_equal(fake_domain_counter(rig->domain, "tx_excess"), 1);
    fake_conn_set_capacity(rig->conn, FAKE_QUEUE_MAX);
    loop(rig, true);
    settle(rig);
    assert_int_equal(rig->frames_under_way, 0);
}

static void what_is_not_of_the_protocol_is_counted(void **state)
{
    struct rig *rig = *state;
    start(rig);
    for (uint16_t op = NETDEV_TX_DONE + 1; op < 60; op++)
        say(rig, &(struct msg){.op = op});
    say(rig, &(struct msg){.op = 0});
    say(rig, &(struct msg){.op = NETDEV_RX});
    loop(rig, false);
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 60 - NETDEV_TX_DONE + 1);
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
}

/* It costs no buffer, however often. */
static void a_spoiled_frame_is_dropped(void **state)
{
    struct rig *rig = *state;
    uint8_t frame[CONFORM_NET_FRAME];
    start(rig);
    provide_say(rig, 2);
    loop(rig, false);
    for (uint32_t i = 0; under_test->spoil && i < 3 * BUFFERS; i++) {
        assert_true(under_test->spoil(rig->fake));
        loop(rig, false);
        assert_int_equal(fake_conn_waiting(rig->conn), 0);
    }
    for (uint32_t i = 0; i < 2; i++)
        assert_true(
            under_test->receive(rig->fake, frame, frame_fill(frame, rig->in_given++, INWARDS)));
    loop(rig, false);
    hear(rig, UINT32_MAX);
    assert_int_equal(rig->in_got, 2);
}

static void the_link_is_told(void **state)
{
    struct rig *rig = *state;
    start(rig);
    for (uint32_t i = 1; i <= 4; i++) {
        under_test->link(rig->fake, i % 2 == 0);
        loop(rig, false);
        hear(rig, UINT32_MAX);
        assert_int_equal(rig->links, 1 + i);
        assert_int_equal(rig->link.up, i % 2 == 0);
    }
}

static void a_card_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->unusable_ways; n++) {
        struct rig *rig = rig_make();
        under_test->unusable(rig->fake, n);
        fake_domain_start(rig->domain);
        assert_true(fake_domain_logged(rig->domain, " not used: "));
        rig_destroy(rig);
    }
}

static bool restarted(struct rig *rig, enum restarted what)
{
    for (const struct server_restarted *r = __start_motet_restarts; r != __stop_motet_restarts; r++)
        if (r->server == under_test->server)
            return r->handle(fake_domain_state(rig->domain), rig->conn, what);
    fail_msg("it has no SERVER_RESTARTED");
    return false;
}

/* What was under way is nobody's, and all begins anew. False: not yet. */
static bool client_again(struct rig *rig)
{
    fake_conn_clear(rig->conn);
    if (!restarted(rig, RESTARTED_FORGET))
        return false;
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    assert_true(restarted(rig, RESTARTED_RESUME));
    memset(rig->lent, 0, sizeof(rig->lent));
    memset(rig->under_way, 0, sizeof(rig->under_way));
    rig->made = rig->taken = rig->frames_under_way = 0;
    rig->in_got = rig->in_given;
    rig->out_sent = rig->out_given;
    loop(rig, true);
    assert_int_equal(fake_conn_waiting(rig->conn), 0); /* nobody has asked */
    open_say(rig);
    loop(rig, false);
    hear(rig, UINT32_MAX);
    return true;
}

/* There is no card for it. */
static void all_comes_back(struct rig *rig)
{
    frame_say(rig);
    provide_say(rig, NETDEV_PROVIDE_MAX);
    loop(rig, false);
    hear(rig, UINT32_MAX);
    assert_int_equal(rig->frames_under_way, 0);
    for (uint32_t i = 0; i < BUFFERS; i++)
        assert_false(rig->lent[i]);
}

/* The client hears that the link is down, and gets everything back. */
static void a_card_that_misbehaves_is_given_up(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->misbehaviours; n++) {
        struct rig *rig = rig_make();
        start(rig);
        provide_say(rig, NETDEV_PROVIDE_MAX);
        loop(rig, false);
        under_test->misbehave(rig->fake, n);
        frame_say(rig);
        frame_say(rig);
        loop(rig, false);
        for (int i = 0; i < 3; i++) {
            open_say(rig);
            loop(rig, hear(rig, UINT32_MAX));
        }
        assert_true(fake_domain_logged(rig->domain, "broken: "));
        assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 1);
        assert_int_equal(rig->link.up, 0);
        assert_int_equal(rig->frames_under_way, 0);
        assert_int_equal(rig->in_got, 0);
        for (uint32_t i = 0; i < BUFFERS; i++)
            assert_false(rig->lent[i]);
        all_comes_back(rig); /* and so does what it sends from now on */
        const uint32_t told = rig->links;
        assert_true(client_again(rig));
        assert_true(rig->links > told && !rig->link.up);
        all_comes_back(rig);
        assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 1);
        rig_destroy(rig);
    }
}

/* The client hears that there is no link; or the card doesn't let go of what it had. */
static void a_card_that_cannot_be_used_any_more_is_given_up(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->unusable_ways; n++) {
        struct rig *rig = rig_make();
        start(rig);
        provide_say(rig, NETDEV_PROVIDE_MAX);
        loop(rig, false);
        under_test->unusable(rig->fake, n);
        for (uint32_t life = 0; life < 3 && client_again(rig); life++) {
            assert_int_equal(rig->links, 2 + life);
            if (!rig->link.up)
                all_comes_back(rig);
        }
        rig_destroy(rig);
    }
}

/* In the middle of everything. */
static void a_client_that_begins_anew_is_served(void **state)
{
    struct rig *rig = *state;
    srand(3);
    start(rig);
    for (int life = 0; life < 10; life++) {
        for (int i = 0; i < 20; i++) {
            outside(rig);
            client(rig);
            loop(rig, false);
            loop(rig, hear(rig, some(10)));
        }
        assert_true(client_again(rig));
        assert_int_equal(rig->links, 2 + life);
    }
    settle(rig);
    assert_int_equal(rig->frames_under_way, 0);
}

int conform_net(const struct conform_net *driver)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_go_both_ways),
        TEST(buffers_that_are_not_the_clients_are_refused),
        TEST(frames_that_make_no_sense_are_refused),
        TEST(more_frames_than_may_be_under_way_are_dropped),
        TEST(what_is_not_of_the_protocol_is_counted),
        TEST(a_spoiled_frame_is_dropped),
        TEST(the_link_is_told),
        cmocka_unit_test(a_card_that_cannot_be_used_is_named),
        cmocka_unit_test(a_card_that_misbehaves_is_given_up),
        cmocka_unit_test(a_card_that_cannot_be_used_any_more_is_given_up),
        TEST(a_client_that_begins_anew_is_served),
    };
    under_test = driver;
    return cmocka_run_group_tests_name("network class", tests, NULL, NULL);
}
