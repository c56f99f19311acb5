/* SPDX-License-Identifier: ISC
 *
 * The tests of conform_block.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/restart.h"
#include "tests/unit/conform_block.h"

extern const struct server_restarted __start_motet_restarts[], __stop_motet_restarts[];

enum {
    CLIENTS = 2,
    POOL = CONFORM_BLOCK_POOL,
    BUFFERS = CONFORM_BLOCK_BUFFERS,
    BYTES = CONFORM_BLOCK_BUFFER_BYTES,
    PER_BUFFER = BYTES / BLOCK_BYTES,
    ROUNDS = 3000,
};

static const struct conform_block *under_test;

struct rig {
    struct domain *domain;
    struct conn *client[CLIENTS];
    void *fake;
    bool offers; /* the device is there, and honest about what it is */
    struct conform_medium medium;
    uint8_t model[CONFORM_BLOCKS * BLOCK_BYTES];
    struct msg asked[BUFFERS]; /* one request per buffer; op 0: none */
    uint8_t asker[BUFFERS];
    bool waits[BUFFERS];          /* the driver hasn't taken it */
    bool touched[CONFORM_BLOCKS]; /* some request is about that block */
};

static struct rig *rig_make(bool device)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    for (uint32_t i = 0; i < sizeof(rig->model); i++)
        rig->medium.bytes[i] = rig->model[i] = (uint8_t)rand();
    rig->domain = fake_domain_create(under_test->server);
    for (uint32_t i = 0; i < CLIENTS; i++)
        rig->client[i] = fake_domain_connect(rig->domain, "block", i);
    fake_domain_add_pool(rig->domain, "data", POOL, BUFFERS, BYTES, POOL_DMA);
    fake_domain_add_pool(rig->domain, "other", POOL + 1, 1, BYTES, POOL_READ | POOL_WRITE);
    rig->fake = under_test->attach(rig->domain, device, &rig->medium);
    rig->offers = device;
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
    *state = rig_make(true);
    return 0;
}

static int set_up_without_device(void **state)
{
    *state = rig_make(false);
    return 0;
}

static int tear_down(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* The loop, as long as anything happens. Nothing else calls a driver. */
static void loop(struct rig *rig, bool happened)
{
    for (;;) {
        uint32_t bits = under_test->interrupts(rig->fake);
        if (bits)
            fake_domain_signal(rig->domain, 0, bits);
        happened |= bits;
        for (uint32_t i = 0; i < BUFFERS; i++)
            if (rig->waits[i] &&
                fake_domain_deliver(rig->domain, rig->client[rig->asker[i]], &rig->asked[i])) {
                rig->waits[i] = false;
                happened = true;
            }
        if (!happened)
            return;
        happened = false;
        fake_domain_batch_end(rig->domain);
    }
}

static void start(struct rig *rig)
{
    if (rig->offers)
        under_test->offer(rig->fake);
    assert_int_equal(fake_domain_start(rig->domain), OK);
    loop(rig, true);
}

static uint8_t *buffer_of(struct rig *rig, uint32_t n)
{
    return fake_pool_memory(rig->domain, POOL) + n * BYTES;
}

/* A request of one client with one buffer; the tag is the buffer. */
static void ask(struct rig *rig, uint32_t client, uint16_t op, uint32_t buffer, uint64_t first,
                uint32_t blocks)
{
    struct block_io io = {.block = first,
                          .data = {.pool = POOL,
                                   .index = (uint16_t)buffer,
                                   .length = (uint16_t)(blocks * BLOCK_BYTES)}};
    msg_set(&rig->asked[buffer], op, &io, sizeof(io));
    rig->asked[buffer].tag = buffer;
    rig->asker[buffer] = (uint8_t)client;
    rig->waits[buffer] = true;
}

static struct block_io expect(struct rig *rig, uint32_t client, uint16_t op, enum error status)
{
    struct block_io io;
    struct msg m;
    assert_true(fake_conn_pop(rig->client[client], &m));
    assert_int_equal(m.op, op);
    assert_int_equal(m.flags, MSG_REPLY);
    assert_int_equal(m.status, status);
    msg_get(&m, &io, sizeof(io));
    return io;
}

static struct block_info info_of(struct rig *rig, enum error status)
{
    struct block_info info;
    struct msg m = {.op = BLOCK_INFO, .tag = 99};
    assert_true(fake_domain_deliver(rig->domain, rig->client[0], &m));
    assert_true(fake_conn_pop(rig->client[0], &m));
    assert_int_equal(m.flags, MSG_REPLY);
    assert_int_equal(m.tag, 99);
    assert_int_equal(m.status, status);
    msg_get(&m, &info, sizeof(info));
    return info;
}

static void the_device_is_described(void **state)
{
    struct rig *rig = *state;
    start(rig);
    struct block_info info = info_of(rig, OK);
    assert_int_equal(info.blocks, CONFORM_BLOCKS);
    assert_int_equal(info.read_only, 0);
    assert_int_equal(info.flushes, 1);
}

/* Requests about blocks that no other one is about, so that their order doesn't matter. */
static void ask_something(struct rig *rig, uint32_t buffer)
{
    uint32_t blocks = 1 + (uint32_t)rand() % PER_BUFFER;
    uint32_t first = (uint32_t)rand() % (CONFORM_BLOCKS - blocks + 1);
    for (uint32_t i = 0; i < blocks; i++)
        if (rig->touched[first + i])
            return;
    memset(rig->touched + first, 1, blocks);
    bool write = rand() % 2;
    if (write) {
        for (uint32_t i = 0; i < blocks * BLOCK_BYTES; i++)
            buffer_of(rig, buffer)[i] = (uint8_t)rand();
        memcpy(rig->model + first * BLOCK_BYTES, buffer_of(rig, buffer), blocks * BLOCK_BYTES);
    } else {
        memset(buffer_of(rig, buffer), 0xee, BYTES);
    }
    ask(rig, (uint32_t)rand() % CLIENTS, write ? BLOCK_WRITE : BLOCK_READ, buffer, first, blocks);
}

static void hear(struct rig *rig, uint32_t client)
{
    struct block_io io;
    struct msg m;
    while (fake_conn_pop(rig->client[client], &m)) {
        assert_true(m.tag < BUFFERS && rig->asked[m.tag].op == m.op && !rig->waits[m.tag]);
        assert_int_equal(rig->asker[m.tag], client);
        assert_int_equal(m.status, OK);
        msg_get(&m, &io, sizeof(io));
        assert_int_equal(io.failed, 0);
        if (m.op == BLOCK_READ)
            assert_memory_equal(buffer_of(rig, (uint32_t)m.tag),
                                rig->model + io.block * BLOCK_BYTES, io.data.length);
        memset(rig->touched + io.block, 0, io.data.length / BLOCK_BYTES);
        rig->asked[m.tag].op = 0;
    }
}

static void what_was_written_is_read(void **state)
{
    struct rig *rig = *state;
    uint32_t left = 1;
    srand(11);
    start(rig);
    for (uint32_t round = 0; round < ROUNDS || left; round++) {
        assert_true(round < 2 * ROUNDS);
        for (uint32_t i = 0; i < BUFFERS && round < ROUNDS; i++)
            if (!rig->asked[i].op && rand() % 3 == 0)
                ask_something(rig, i);
        for (uint32_t i = 0; i < CLIENTS; i++)
            fake_conn_set_capacity(rig->client[i], 1 + (uint32_t)rand() % 4);
        loop(rig, false);
        for (int i = rand() % 6; i && under_test->work(rig->fake); i--)
            ;
        loop(rig, false);
        for (uint32_t i = 0; i < CLIENTS; i++)
            if (rand() % 2 || round >= ROUNDS)
                hear(rig, i);
        loop(rig, true); /* room is news */
        left = 0;
        for (uint32_t i = 0; i < BUFFERS; i++)
            left += rig->asked[i].op != 0;
    }
    assert_memory_equal(rig->medium.bytes, rig->model, sizeof(rig->model));
}

static void what_is_out_of_bounds_is_refused(void **state)
{
    struct rig *rig = *state;
    static const struct block_io bad[] = {
        {.block = 0, .data = {POOL, 0, 0, 0}},
        {.block = 0, .data = {POOL, 0, 0, 511}},
        {.block = 0, .data = {POOL, 0, 0, 513}},
        {.block = CONFORM_BLOCKS, .data = {POOL, 0, 0, 512}},
        {.block = CONFORM_BLOCKS - 1, .data = {POOL, 0, 0, 1024}},
        {.block = UINT64_MAX, .data = {POOL, 0, 0, 512}},
        {.block = UINT64_MAX / 512, .data = {POOL, 0, 0, 1024}},
        {.block = 0, .data = {POOL, BUFFERS, 0, 512}},
        {.block = 0, .data = {POOL, 0, BYTES - 511, 512}},
        {.block = 0, .data = {POOL + 1, 0, 0, 512}},
        {.block = 0, .data = {CONFORM_BLOCK_OWN, 0, 0, 512}},
        {.block = 0, .data = {77, 0, 0, 512}},
    };
    start(rig);
    for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        for (uint16_t op = BLOCK_READ; op <= BLOCK_WRITE; op++) {
            msg_set(&rig->asked[0], op, &bad[i], sizeof(bad[i]));
            rig->waits[0] = true;
            loop(rig, false);
            assert_false(under_test->work(rig->fake));
            expect(rig, 0, op, ERROR_BAD_ARGUMENT);
        }
    assert_memory_equal(rig->medium.bytes, rig->model, sizeof(rig->model));
}

static void what_is_not_of_the_protocol_is_dropped(void **state)
{
    struct rig *rig = *state;
    start(rig);
    for (uint16_t op = 0; op < 50; op++) {
        struct msg m = {.op = op, .flags = op >= BLOCK_INFO && op <= BLOCK_FLUSH ? MSG_REPLY : 0};
        assert_true(fake_domain_deliver(rig->domain, rig->client[0], &m));
    }
    loop(rig, true);
    assert_int_equal(fake_conn_waiting(rig->client[0]), 0);
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 50);
}

static void a_read_only_device_is_not_written(void **state)
{
    struct rig *rig = *state;
    rig->medium.read_only = true;
    start(rig);
    assert_int_equal(info_of(rig, OK).read_only, 1);
    ask(rig, 0, BLOCK_WRITE, 0, 0, 1);
    loop(rig, false);
    assert_false(under_test->work(rig->fake));
    expect(rig, 0, BLOCK_WRITE, ERROR_NO_RIGHT);
}

static void flush_reaches_the_device_if_it_has_it(void **state)
{
    (void)state;
    for (int without = 0; without < 2; without++) {
        struct rig *rig = rig_make(true);
        rig->medium.no_flush = without;
        start(rig);
        assert_int_equal(info_of(rig, OK).flushes, !without);
        ask(rig, 1, BLOCK_FLUSH, 0, 0, 0);
        loop(rig, false);
        assert_int_equal(under_test->work(rig->fake), !without);
        loop(rig, false);
        assert_int_equal(expect(rig, 1, BLOCK_FLUSH, OK).failed, 0);
        assert_int_equal(rig->medium.flushed, !without);
        rig_destroy(rig);
    }
}

static void what_the_medium_cannot_do_is_told(void **state)
{
    struct rig *rig = *state;
    start(rig);
    rig->medium.fails = true;
    for (uint16_t op = BLOCK_READ; op <= BLOCK_FLUSH; op++) {
        ask(rig, 0, op, 0, 0, 1);
        loop(rig, false);
        assert_true(under_test->work(rig->fake));
        loop(rig, false);
        assert_int_equal(expect(rig, 0, op, OK).failed, 1);
    }
    rig->medium.fails = false;
    ask(rig, 0, BLOCK_READ, 0, 0, 1);
    loop(rig, false);
    assert_true(under_test->work(rig->fake));
    loop(rig, false);
    assert_int_equal(expect(rig, 0, BLOCK_READ, OK).failed, 0);
}

/* A read that ended in the middle, and says that all is well. */
static void half_a_read_has_failed(void **state)
{
    struct rig *rig = *state;
    start(rig);
    rig->medium.short_reads = true;
    ask(rig, 0, BLOCK_READ, 0, 0, 2);
    loop(rig, false);
    assert_true(under_test->work(rig->fake));
    loop(rig, false);
    assert_int_equal(expect(rig, 0, BLOCK_READ, OK).failed, 1);
}

static void nothing_to_be_had(struct rig *rig)
{
    info_of(rig, ERROR_BAD_STATE);
    for (uint16_t op = BLOCK_READ; op <= BLOCK_FLUSH; op++) {
        ask(rig, 0, op, 0, 0, 1);
        loop(rig, false);
        expect(rig, 0, op, ERROR_BAD_STATE);
    }
}

static void without_a_device_clients_are_told(void **state)
{
    struct rig *rig = *state;
    start(rig);
    assert_true(fake_domain_logged(rig->domain, "no device: "));
    nothing_to_be_had(rig);
}

static void a_device_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->unusable_ways; n++) {
        struct rig *rig = rig_make(true);
        under_test->offer(rig->fake);
        under_test->unusable(rig->fake, n);
        rig->offers = false;
        start(rig);
        assert_true(fake_domain_logged(rig->domain, "not used: "));
        nothing_to_be_had(rig);
        rig_destroy(rig);
    }
}

/* Whatever it had is answered: either with BAD_STATE, or as something that the medium couldn't do.
 */
static void a_device_that_misbehaves_is_given_up(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->misbehaviours; n++) {
        struct rig *rig = rig_make(true);
        start(rig);
        for (uint32_t i = 0; i < 3; i++)
            ask(rig, 0, BLOCK_READ, i, i * 8, 1);
        loop(rig, false);
        under_test->misbehave(rig->fake, n);
        loop(rig, false);
        assert_true(fake_domain_logged(rig->domain, "broken: "));
        assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 1);
        for (uint32_t i = 0; i < 3; i++) {
            struct block_io io;
            struct msg m;
            assert_true(fake_conn_pop(rig->client[0], &m));
            msg_get(&m, &io, sizeof(io));
            assert_true(m.status == ERROR_BAD_STATE || io.failed);
        }
        nothing_to_be_had(rig);
        rig_destroy(rig);
    }
}

static bool restarted(struct rig *rig, uint32_t client, enum restarted what)
{
    for (const struct server_restarted *r = __start_motet_restarts; r != __stop_motet_restarts; r++)
        if (r->server == under_test->server)
            return r->handle(fake_domain_state(rig->domain), rig->client[client], what);
    fail_msg("it has no SERVER_RESTARTED");
    return false;
}

/* As long as the device may write to its buffers, it isn't accepted; then nothing of the earlier
 * life is replied to. */
static void a_client_that_begins_anew_waits_for_its_buffers(void **state)
{
    struct rig *rig = *state;
    start(rig);
    ask(rig, 0, BLOCK_READ, 0, 0, 1);
    ask(rig, 1, BLOCK_READ, 1, 8, 1);
    loop(rig, false);
    assert_false(restarted(rig, 0, RESTARTED_FORGET));
    fake_conn_set_capacity(rig->client[0], 0);
    while (under_test->work(rig->fake))
        ;
    loop(rig, false);
    assert_true(restarted(rig, 0, RESTARTED_FORGET));
    fake_conn_set_capacity(rig->client[0], 10);
    assert_true(restarted(rig, 0, RESTARTED_RESUME));
    loop(rig, true);
    assert_int_equal(fake_conn_waiting(rig->client[0]), 0);
    expect(rig, 1, BLOCK_READ, OK);
    ask(rig, 0, BLOCK_READ, 0, 0, 1);
    loop(rig, false);
    assert_true(under_test->work(rig->fake));
    loop(rig, false);
    expect(rig, 0, BLOCK_READ, OK);
}

int conform_block(const struct conform_block *driver)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_device_is_described),
        TEST(what_was_written_is_read),
        TEST(what_is_out_of_bounds_is_refused),
        TEST(what_is_not_of_the_protocol_is_dropped),
        TEST(a_read_only_device_is_not_written),
        cmocka_unit_test(flush_reaches_the_device_if_it_has_it),
        TEST(what_the_medium_cannot_do_is_told),
        TEST(half_a_read_has_failed),
        cmocka_unit_test_setup_teardown(without_a_device_clients_are_told, set_up_without_device,
                                        tear_down),
        cmocka_unit_test(a_device_that_cannot_be_used_is_named),
        cmocka_unit_test(a_device_that_misbehaves_is_given_up),
        TEST(a_client_that_begins_anew_waits_for_its_buffers),
    };
    under_test = driver;
    return cmocka_run_group_tests_name("block class", tests, NULL, NULL);
}
