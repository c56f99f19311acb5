/* SPDX-License-Identifier: ISC
 *
 * The tests of conform_entropy.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/entropy.h"
#include "tests/unit/conform_entropy.h"

enum { CLIENTS = 2, VALUES = 256, ROUNDS_MAX = 10000, SEEDS = 200 };

static const struct conform_entropy *under_test;

struct rig {
    struct domain *domain;
    struct conn *client[CLIENTS];
    void *fake;
};

static struct rig *rig_make(bool device)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->domain = fake_domain_create(under_test->server);
    for (uint32_t i = 0; i < CLIENTS; i++)
        rig->client[i] = fake_domain_connect(rig->domain, "entropy", i);
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
    under_test->detach(rig->fake);
    fake_domain_destroy(rig->domain);
    free(rig);
}

static int tear_down(void **state)
{
    rig_destroy(*state);
    return 0;
}

/* A round of the loop. */
static void rig_round(struct rig *rig)
{
    uint32_t bits = under_test->interrupts(rig->fake);
    if (bits)
        fake_domain_signal(rig->domain, 0, bits);
    fake_domain_batch_end(rig->domain);
}

static void start(struct rig *rig)
{
    assert_int_equal(fake_domain_start(rig->domain), OK);
    rig_round(rig);
}

static bool ask(struct rig *rig, uint32_t client, uint32_t length, uint64_t tag)
{
    struct entropy_read read = {.length = length};
    struct msg m;
    msg_set(&m, ENTROPY_READ, &read, sizeof(read));
    m.tag = tag;
    return fake_domain_deliver(rig->domain, rig->client[client], &m);
}

static struct entropy_read expect(struct rig *rig, uint32_t client, enum error status, uint64_t tag)
{
    struct entropy_read read;
    struct msg m;
    assert_true(fake_conn_pop(rig->client[client], &m));
    assert_int_equal(m.op, ENTROPY_READ);
    assert_int_equal(m.flags, MSG_REPLY);
    assert_int_equal(m.status, status);
    assert_int_equal(m.tag, tag);
    msg_get(&m, &read, sizeof(read));
    if (status != OK)
        assert_int_equal(read.length, 0);
    for (uint32_t i = read.length; i < ENTROPY_READ_MAX; i++)
        assert_int_equal(read.bytes[i], 0); /* nothing beside what was asked for */
    return read;
}

/* Requests of a client that the driver hasn't taken, as they lie in its ring, and all that it has
 * made. */
struct ring {
    struct msg request[VALUES];
    uint32_t made, taken, answered;
};

/* A round of messages to the driver, many at a time. False: it took none. */
static bool offer(struct rig *rig, struct ring *rings)
{
    bool took = false;
    for (uint32_t i = 0; i < CLIENTS; i++)
        while (
            rings[i].taken < rings[i].made &&
            fake_domain_deliver(rig->domain, rig->client[i], &rings[i].request[rings[i].taken])) {
            rings[i].taken++;
            took = true;
        }
    return took;
}

/* The loop, as long as anything happens: interrupts, requests that wait, batch_end. Nothing else
 * calls a server, so that whoever forgets to ask for an interrupt waits for ever. */
static void loop(struct rig *rig, struct ring *rings)
{
    bool happened;
    do {
        uint32_t bits = under_test->interrupts(rig->fake);
        if (bits)
            fake_domain_signal(rig->domain, 0, bits);
        happened = offer(rig, rings) || bits;
        if (happened)
            fake_domain_batch_end(rig->domain);
    } while (happened);
}

/* Some requests more, for bytes that nobody has asked for; returns how many in all. */
static uint32_t ask_more(struct ring *ring, uint32_t wanted)
{
    for (int more = rand() % 2 ? rand() % 16 : 0; more && wanted < VALUES; more--) {
        struct entropy_read read = {.length = 1 + (uint32_t)rand() % ENTROPY_READ_MAX};
        if (read.length > VALUES - wanted)
            read.length = VALUES - wanted;
        struct msg *request = &ring->request[ring->made];
        msg_set(request, ENTROPY_READ, &read, sizeof(read));
        request->tag = ring->made++;
        wanted += read.length;
    }
    return wanted;
}

/* Counts each value in what was answered; returns how many bytes that is. */
static uint32_t answers_take(struct rig *rig, uint32_t client, struct ring *ring, uint8_t *seen)
{
    uint32_t got = 0;
    for (; ring->answered < ring->taken; ring->answered++) {
        struct entropy_read answer = expect(rig, client, OK, ring->answered);
        for (uint32_t n = 0; n < answer.length; n++)
            seen[answer.bytes[n]]++;
        got += answer.length;
    }
    return got;
}

/* The device gives each value of a byte once, in pieces, and clients ask for lengths at random,
 * many at a time: each value comes once, and nobody waits without being woken. */
static void seed_runs(struct rig *rig)
{
    struct ring *rings = calloc(CLIENTS, sizeof(*rings));
    uint8_t bytes[VALUES], seen[VALUES] = {0};
    uint32_t given = 0, wanted = 0, got = 0;
    assert_non_null(rings);
    for (uint32_t i = 0; i < VALUES; i++)
        bytes[i] = (uint8_t)i;
    for (uint32_t round = 0; got < VALUES && round < ROUNDS_MAX; round++) {
        for (int pieces = rand() % 4; pieces && given < VALUES; pieces--) {
            uint32_t count = 1 + (uint32_t)rand() % (VALUES - given);
            given += under_test->produce(rig->fake, bytes + given, count);
        }
        wanted = ask_more(&rings[(uint32_t)rand() % CLIENTS], wanted);
        loop(rig, rings);
        for (uint32_t i = 0; i < CLIENTS; i++)
            got += answers_take(rig, i, &rings[i], seen);
    }
    free(rings);
    for (uint32_t i = 0; i < VALUES; i++)
        assert_int_equal(seen[i], 1);
}

static void each_byte_is_given_once(void **state)
{
    start(*state);
    for (uint32_t seed = 1; seed <= SEEDS; seed++) {
        srand(seed);
        seed_runs(*state);
    }
}

/* A request that can't be served stays where it is, also one that leaves no room for a reply. */
static void requests_wait(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[ENTROPY_READ_MAX];
    memset(bytes, 7, sizeof(bytes));
    start(rig);
    assert_false(ask(rig, 0, ENTROPY_READ_MAX, 1));
    rig_round(rig);
    assert_int_equal(under_test->produce(rig->fake, bytes, sizeof(bytes)), sizeof(bytes));
    rig_round(rig);
    fake_conn_set_capacity(rig->client[0], 1);
    assert_true(ask(rig, 0, 8, 1));
    assert_false(ask(rig, 0, 8, 2));
    assert_true(ask(rig, 1, 8, 3)); /* the other one isn't kept waiting */
    expect(rig, 0, OK, 1);
    assert_true(ask(rig, 0, 8, 2));
    expect(rig, 0, OK, 2);
    expect(rig, 1, OK, 3);
}

static bool contains(const uint8_t *memory, uint64_t bytes, const uint8_t *what, uint32_t length)
{
    for (uint64_t i = 0; i + length <= bytes; i++)
        if (!memcmp(memory + i, what, length))
            return true;
    return false;
}

static void what_was_given_is_nowhere_else(void **state)
{
    struct rig *rig = *state;
    uint8_t bytes[ENTROPY_READ_MAX];
    const struct pool *pool = domain_pool_named(rig->domain, "dma");
    for (uint32_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (uint8_t)(i * 5 + 90);
    start(rig);
    assert_int_equal(under_test->produce(rig->fake, bytes, sizeof(bytes)), sizeof(bytes));
    rig_round(rig);
    assert_true(ask(rig, 0, sizeof(bytes), 1));
    struct entropy_read read = expect(rig, 0, OK, 1);
    assert_true(contains(read.bytes, sizeof(read.bytes), bytes, 4));
    for (uint32_t i = 0; i + 4 <= sizeof(bytes); i += 4) {
        assert_false(
            contains(fake_domain_state(rig->domain), under_test->server->state_size, bytes + i, 4));
        assert_false(pool && contains(pool->base, (uint64_t)pool->buffers * pool->buffer_size,
                                      bytes + i, 4));
    }
}

static void lengths_out_of_bounds_are_refused(void **state)
{
    struct rig *rig = *state;
    static const uint32_t bad[] = {0, ENTROPY_READ_MAX + 1, 1u << 31, UINT32_MAX};
    start(rig);
    for (uint32_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(ask(rig, 0, bad[i], i));
        expect(rig, 0, ERROR_BAD_ARGUMENT, i);
    }
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 4);
}

static void what_is_not_of_the_protocol_is_dropped(void **state)
{
    struct rig *rig = *state;
    start(rig);
    for (uint16_t op = 0; op < 100; op++) {
        struct msg m = {.op = op, .flags = op == ENTROPY_READ ? MSG_REPLY : 0};
        assert_true(fake_domain_deliver(rig->domain, rig->client[0], &m));
    }
    assert_int_equal(fake_conn_waiting(rig->client[0]), 0);
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 100);
}

static void nothing_to_be_had(struct rig *rig)
{
    rig_round(rig);
    assert_true(ask(rig, 0, 8, 5));
    expect(rig, 0, ERROR_BAD_STATE, 5);
    assert_true(ask(rig, 0, 0, 6));
    expect(rig, 0, ERROR_BAD_ARGUMENT, 6);
}

static void without_a_device_clients_are_told(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(fake_domain_logged(rig->domain, "no device: "));
    nothing_to_be_had(rig);
}

static void a_device_that_cannot_be_used_is_named(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->unusable_ways; n++) {
        struct rig *rig = rig_make(true);
        under_test->unusable(rig->fake, n);
        assert_int_equal(fake_domain_start(rig->domain), OK);
        assert_true(fake_domain_logged(rig->domain, "not used: "));
        nothing_to_be_had(rig);
        rig_destroy(rig);
    }
}

/* It is silenced and named, and none of what it said after that is given to anybody. */
static void a_device_that_misbehaves_is_given_up(void **state)
{
    uint8_t bytes[ENTROPY_READ_MAX];
    (void)state;
    memset(bytes, 7, sizeof(bytes));
    for (uint32_t n = 0; n < under_test->misbehaviours; n++) {
        struct rig *rig = rig_make(true);
        start(rig);
        under_test->misbehave(rig->fake, n);
        for (int i = 0; i < 4; i++)
            rig_round(rig);
        assert_true(fake_domain_logged(rig->domain, "broken: "));
        assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 1);
        nothing_to_be_had(rig);
        rig_destroy(rig);
    }
}

/* Every pool whose grant is missing or short of a right is named, and the domain stops. */
static void what_the_manifest_does_not_grant_is_named(void **state)
{
    struct rig *rig = *state;
    struct pool *pool = (struct pool *)domain_pool_named(rig->domain, "dma");
    if (!pool)
        skip(); /* a device without DMA */
    pool->rights &= (uint8_t)~POOL_DMA;
    assert_int_not_equal(fake_domain_start(rig->domain), OK);
    assert_true(fake_domain_logged(rig->domain, "pool \"dma\": missing rights: dma"));
}

int conform_entropy(const struct conform_entropy *driver)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_byte_is_given_once, set_up, tear_down),
        cmocka_unit_test_setup_teardown(requests_wait, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_was_given_is_nowhere_else, set_up, tear_down),
        cmocka_unit_test_setup_teardown(lengths_out_of_bounds_are_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_not_of_the_protocol_is_dropped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(without_a_device_clients_are_told, set_up_without_device,
                                        tear_down),
        cmocka_unit_test(a_device_that_cannot_be_used_is_named),
        cmocka_unit_test(a_device_that_misbehaves_is_given_up),
        cmocka_unit_test_setup_teardown(what_the_manifest_does_not_grant_is_named, set_up,
                                        tear_down),
    };
    under_test = driver;
    return cmocka_run_group_tests_name("entropy class", tests, NULL, NULL);
}
