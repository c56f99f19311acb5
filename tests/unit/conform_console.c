/* SPDX-License-Identifier: ISC
 *
 * The tests of conform_console.h. The test is the client, the loop and what is outside. Bytes of
 * both streams follow from their place in it, so that each is known: they must come once, in order
 * and all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/console.h"
#include "libos/restart.h"
#include "tests/unit/conform_console.h"

/* Weak: a driver need not care whether its client begins anew. */
__attribute__((weak)) extern const struct server_restarted __start_motet_restarts[],
    __stop_motet_restarts[];

enum { STREAM = 20000, ROUNDS_MAX = 200000, SEEDS = 20, CHUNK = 300, IDLE = 50 };

static const struct conform_console *under_test;

struct rig {
    struct domain *domain;
    struct conn *conn;
    void *fake;
    uint32_t in_given, in_got;    /* bytes from outside: to the device, to the client */
    uint32_t out_given, out_sent; /* bytes of the client: to the driver, outside */
    struct console_state state;   /* as told last */
    uint32_t states;              /* times told */
};

static struct rig *rig_make(bool device)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->domain = fake_domain_create(under_test->server);
    rig->conn = fake_domain_connect(rig->domain, "console", 0);
    rig->fake = under_test->attach(rig->domain, device);
    return rig;
}

static int set_up(void **state)
{
    *state = rig_make(true);
    return 0;
}

static int set_up_without_device(void **state)
{
    *state = rig_make(false);
    return 0;
}

static void rig_destroy(struct rig *rig)
{
    if (rig->fake)
        under_test->detach(rig->fake);
    fake_domain_destroy(rig->domain);
    free(rig);
}

static int tear_down(void **state)
{
    rig_destroy(*state);
    return 0;
}

enum { INWARDS = 3, OUTWARDS = 101 };

static uint8_t byte_of(uint32_t n, uint32_t salt)
{
    return (uint8_t)(n * 31 + (n >> 8) * 7 + salt);
}

/* A round that an interrupt woke the driver for, if one did. */
static bool woken(struct rig *rig)
{
    const uint32_t bits = rig->fake ? under_test->interrupts(rig->fake) : 0;
    if (!bits)
        return false;
    fake_domain_signal(rig->domain, 0, bits);
    fake_domain_batch_end(rig->domain);
    return true;
}

/* A round of the loop, for whatever else. Returns whether there was an interrupt. */
static bool loop(struct rig *rig)
{
    if (woken(rig))
        return true;
    fake_domain_batch_end(rig->domain);
    return false;
}

static void start(struct rig *rig)
{
    assert_int_equal(fake_domain_start(rig->domain), OK);
    loop(rig);
}

/* The client's side */

static bool open_say(struct rig *rig)
{
    const struct msg m = {.op = CONSOLE_OPEN};
    return fake_domain_deliver(rig->domain, rig->conn, &m);
}

/* The next bytes of its stream. False: the driver doesn't take them now. */
static bool bytes_say(struct rig *rig, uint32_t count)
{
    struct console_data data = {.length = (uint16_t)count};
    struct msg m;
    for (uint32_t i = 0; i < count; i++)
        data.bytes[i] = byte_of(rig->out_given + i, OUTWARDS);
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    if (!fake_domain_deliver(rig->domain, rig->conn, &m))
        return false;
    rig->out_given += count;
    return true;
}

static void data_heard(struct rig *rig, const struct msg *m)
{
    struct console_data data;
    msg_get(m, &data, sizeof(data));
    assert_in_range(data.length, 1, CONSOLE_DATA_MAX);
    for (uint32_t i = 0; i < data.length; i++)
        assert_int_equal(data.bytes[i], byte_of(rig->in_got++, INWARDS));
    for (uint32_t i = data.length; i < CONSOLE_DATA_MAX; i++)
        assert_int_equal(data.bytes[i], 0); /* nothing of the driver's memory goes with it */
}

static uint32_t hear(struct rig *rig)
{
    struct msg m;
    uint32_t count = 0;
    for (; fake_conn_pop(rig->conn, &m); count++) {
        if (m.op == CONSOLE_DATA) {
            data_heard(rig, &m);
            continue;
        }
        assert_int_equal(m.op, CONSOLE_STATE);
        msg_get(&m, &rig->state, sizeof(rig->state));
        rig->states++;
    }
    return count;
}

/* Outside */

static uint32_t come(struct rig *rig, uint32_t count)
{
    uint8_t bytes[CHUNK];
    for (uint32_t i = 0; i < count; i++)
        bytes[i] = byte_of(rig->in_given + i, INWARDS);
    count = under_test->receive(rig->fake, bytes, count);
    rig->in_given += count;
    return count;
}

static uint32_t go(struct rig *rig)
{
    uint8_t bytes[CHUNK];
    const uint32_t count = under_test->transmit(rig->fake, bytes, sizeof(bytes));
    for (uint32_t i = 0; i < count; i++)
        assert_int_equal(bytes[i], byte_of(rig->out_sent++, OUTWARDS));
    return count;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* With room that comes and goes on all four sides. The driver runs only when something wakes it: an
 * interrupt, a message, or the doorbell for room, which comes after its channel was full. */
static void streams(struct rig *rig, uint32_t in, uint32_t out)
{
    in += rig->in_given;
    out += rig->out_given;
    for (uint32_t round = 0; rig->in_got < in || rig->out_sent < out; round++) {
        assert_true(round < ROUNDS_MAX);
        if (rand() % 3)
            come(rig, least(in - rig->in_given, 1 + (uint32_t)rand() % CHUNK));
        for (uint32_t i = (uint32_t)rand() % 8; i && rig->out_given < out; i--)
            bytes_say(rig, least(out - rig->out_given, 1 + (uint32_t)rand() % CONSOLE_DATA_MAX));
        if (rand() % 4)
            loop(rig);
        if (rand() % 2 && hear(rig))
            fake_domain_batch_end(rig->domain); /* the doorbell */
        fake_conn_set_capacity(rig->conn, 1 + (uint32_t)rand() % 8);
        for (uint32_t i = (uint32_t)rand() % 4; i; i--)
            go(rig);
    }
    assert_int_equal(rig->in_got, in);
    assert_int_equal(rig->out_sent, out);
}

static void streams_arrive_whole(void **state)
{
    (void)state;
    for (uint32_t seed = 0; seed < SEEDS; seed++) {
        struct rig *rig = rig_make(true);
        srand(seed);
        start(rig);
        streams(rig, STREAM, STREAM);
        assert_int_equal(fake_domain_counter(rig->domain, "rx_bytes"), STREAM);
        assert_int_equal(fake_domain_counter(rig->domain, "tx_bytes"), STREAM);
        assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 0);
        rig_destroy(rig);
    }
}

static void open_is_answered(void **state)
{
    struct rig *rig = *state;
    start(rig);
    assert_int_equal(hear(rig), 0); /* not before it was asked */
    for (uint32_t i = 1; i < 4; i++) {
        assert_true(open_say(rig));
        fake_conn_set_capacity(rig->conn, 0);
        loop(rig);
        assert_int_equal(hear(rig), 0);
        fake_conn_set_capacity(rig->conn, 1); /* the answer waits for room */
        loop(rig);
        hear(rig);
        assert_int_equal(rig->states, i);
        assert_int_equal(rig->state.up, 1);
    }
}

/* An idle driver: nothing runs but what an interrupt brings. */
static void one_byte_wakes(void **state)
{
    struct rig *rig = *state;
    start(rig);
    for (uint32_t i = 0; i < IDLE; i++) {
        while (loop(rig))
            ;
        assert_int_equal(come(rig, 1), 1);
        assert_true(loop(rig));
        hear(rig);
        assert_int_equal(rig->in_got, i + 1);
    }
}

/* Until driver and device have no room for a byte more, in round after round. */
static void fill(struct rig *rig)
{
    uint32_t said = 0;
    for (uint32_t refused = 0; refused < IDLE; refused++) {
        while (bytes_say(rig, CONSOLE_DATA_MAX) || bytes_say(rig, 1)) {
            assert_true(said++ < ROUNDS_MAX);
            refused = 0;
        }
        loop(rig);
    }
}

/* Interrupts alone wake the driver: all that was taken leaves, and no more. */
static void drain(struct rig *rig)
{
    for (uint32_t rounds = 0; woken(rig) || go(rig); rounds++)
        assert_true(rounds < ROUNDS_MAX);
    assert_int_equal(rig->out_sent, rig->out_given);
}

/* What there is no room for waits with the client, an interrupt says when there is some, and
 * nothing that was taken before is lost. Again and again: the first interrupt may come unasked. */
static void a_full_device_holds_back(void **state)
{
    struct rig *rig = *state;
    start(rig);
    for (uint32_t i = 1; i <= 3; i++) {
        fill(rig);
        assert_true(fake_domain_counter(rig->domain, "tx_held") >= i * IDLE);
        const uint32_t full = rig->out_given;
        while (rig->out_given == full) {
            assert_true(go(rig)); /* there is room before it has sent all */
            if (woken(rig))
                bytes_say(rig, 1);
        }
        fake_domain_batch_end(rig->domain);
        drain(rig);
        assert_int_equal(fake_domain_counter(rig->domain, "tx_bytes"), rig->out_given);
    }
}

static void senseless_messages_are_counted(void **state)
{
    struct rig *rig = *state;
    struct console_data data = {.length = CONSOLE_DATA_MAX + 1};
    struct msg m = {.op = CONSOLE_STATE};
    start(rig);
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    m.op = 77;
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    data.length = UINT16_MAX;
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    data.length = 0;
    msg_set(&m, CONSOLE_DATA, &data, sizeof(data));
    assert_true(fake_domain_deliver(rig->domain, rig->conn, &m));
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 5);
    loop(rig);
    assert_int_equal(go(rig), 0);
}

/* It runs, says that there is nothing behind it, and drops what it gets, counted. */
static void expect_down(struct rig *rig)
{
    const uint64_t before = fake_domain_counter(rig->domain, "tx_down");
    assert_true(open_say(rig));
    assert_true(bytes_say(rig, 7));
    loop(rig);
    hear(rig);
    assert_int_equal(rig->state.up, 0);
    assert_int_equal(fake_domain_counter(rig->domain, "tx_down"), before + 7);
}

static void without_a_device_it_goes_on(void **state)
{
    struct rig *rig = *state;
    start(rig);
    expect_down(rig);
    assert_int_equal(rig->states, 1);
}

static void a_device_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->unusable_ways; n++) {
        struct rig *rig = rig_make(true);
        under_test->unusable(rig->fake, n);
        start(rig);
        assert_true(fake_domain_logged(rig->domain, " not used: "));
        expect_down(rig);
        rig_destroy(rig);
    }
}

/* The client hears of it once without asking. */
static void a_device_that_misbehaves_is_given_up(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->misbehaviours; n++) {
        struct rig *rig = rig_make(true);
        start(rig);
        assert_true(open_say(rig));
        loop(rig);
        hear(rig);
        assert_int_equal(rig->state.up, 1);
        under_test->misbehave(rig->fake, n);
        for (uint32_t i = 0; i < 3; i++) {
            loop(rig);
            hear(rig);
        }
        assert_true(fake_domain_logged(rig->domain, "broken: "));
        assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 1);
        assert_int_equal(rig->states, 2);
        assert_int_equal(rig->state.up, 0);
        expect_down(rig);
        rig_destroy(rig);
    }
}

/* A client that begins anew asks again; the streams go on, and so do bytes that came meanwhile. */
static void a_client_that_begins_anew_is_served(void **state)
{
    struct rig *rig = *state;
    const enum restarted order[] = {RESTARTED_FORGET, RESTARTED_RESUME};
    start(rig);
    srand(1);
    streams(rig, 1000, 1000);
    for (uint32_t i = 0; i < 2; i++)
        for (const struct server_restarted *r = __start_motet_restarts; r != __stop_motet_restarts;
             r++)
            if (r->server == under_test->server)
                assert_true(r->handle(fake_domain_state(rig->domain), rig->conn, order[i]));
    rig->states = 0;
    assert_true(open_say(rig));
    loop(rig);
    hear(rig);
    assert_int_equal(rig->states, 1);
    assert_int_equal(rig->state.up, 1);
    streams(rig, 1000, 1000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int conform_console(const struct conform_console *driver)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(streams_arrive_whole),
        TEST(open_is_answered),
        TEST(one_byte_wakes),
        TEST(a_full_device_holds_back),
        TEST(senseless_messages_are_counted),
        cmocka_unit_test_setup_teardown(without_a_device_it_goes_on, set_up_without_device,
                                        tear_down),
        cmocka_unit_test(a_device_that_cannot_be_used_is_named),
        cmocka_unit_test(a_device_that_misbehaves_is_given_up),
        TEST(a_client_that_begins_anew_is_served),
    };
    under_test = driver;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
