/* SPDX-License-Identifier: ISC
 *
 * servers/edu_drv/ with a device that is a fake (fake_edu.h): what it does with an honest one, and
 * with one that lies; what it says when the manifest doesn't grant what it needs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ipc/proto/edu.h"
#include "tests/unit/fake_domain.h"
#include "tests/unit/fake_edu.h"

extern const struct server motet_server_edu_drv;

enum { POOL = 1, POOL_BYTES = 4096, SECOND = 1000000000 };

struct rig {
    struct domain *domain;
    struct conn *conn;
    struct fake_edu *fake;
};

static struct rig *rig_make(uint8_t rights)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->domain = fake_domain_create(&motet_server_edu_drv);
    rig->conn = fake_domain_connect(rig->domain, "edu", 0);
    fake_domain_add_pool(rig->domain, "dma", POOL, 1, POOL_BYTES, rights);
    rig->fake = fake_edu_create(fake_domain_add_device(rig->domain),
                                fake_pool_memory(rig->domain, POOL), POOL_BYTES);
    return rig;
}

static int set_up(void **state)
{
    *state = rig_make(POOL_READ | POOL_WRITE | POOL_DMA);
    return 0;
}

static int set_up_pin(void **state)
{
    set_up(state);
    fake_edu_use_pin(((struct rig *)*state)->fake);
    return 0;
}

static int tear_down(void **state)
{
    struct rig *rig = *state;
    fake_edu_destroy(rig->fake);
    fake_domain_destroy(rig->domain);
    free(rig);
    return 0;
}

static void start(struct rig *rig)
{
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(fake_domain_logged(
        rig->domain, rig->fake->device->pin ? "ready: device 0000:00:04.0 (1234:11e8), pin\n"
                                            : "ready: device 0000:00:04.0 (1234:11e8), MSI\n"));
}

/* The device works and interrupts, until the driver has let it go. */
static void device_works(struct rig *rig)
{
    for (int i = 0; i < 4 && fake_edu_work(rig->fake); i++)
        fake_domain_signal(rig->domain, 0, 1);
    assert_int_equal(rig->fake->raised, 0);
}

static bool ask_factorial(struct rig *rig, uint32_t n, uint64_t tag)
{
    struct edu_factorial factorial = {.n = n};
    struct msg m;
    msg_set(&m, EDU_FACTORIAL, &factorial, sizeof(factorial));
    m.tag = tag;
    return fake_domain_deliver(rig->domain, rig->conn, &m);
}

static bool ask_transfer(struct rig *rig, uint16_t op, uint32_t offset, uint32_t length,
                         const void *bytes)
{
    struct edu_transfer transfer = {.offset = offset, .length = length};
    struct msg m;
    if (bytes)
        memcpy(transfer.bytes, bytes, length);
    msg_set(&m, op, &transfer, sizeof(transfer));
    return fake_domain_deliver(rig->domain, rig->conn, &m);
}

static struct msg expect(struct rig *rig, uint16_t op, enum error status)
{
    struct msg m;
    assert_true(fake_conn_pop(rig->conn, &m));
    assert_int_equal(m.op, op);
    assert_int_equal(m.flags, MSG_REPLY);
    assert_int_equal(m.status, status);
    return m;
}

static void factorials_come_by_interrupt(void **state)
{
    struct rig *rig = *state;
    uint32_t wanted = 1;
    start(rig);
    for (uint32_t n = 0; n <= EDU_FACTORIAL_MAX; n++) {
        struct edu_factorial factorial;
        wanted *= n ? n : 1;
        assert_true(ask_factorial(rig, n, 70 + n));
        assert_int_equal(fake_conn_waiting(rig->conn), 0);
        device_works(rig);
        struct msg m = expect(rig, EDU_FACTORIAL, OK);
        assert_int_equal(m.tag, 70 + n);
        msg_get(&m, &factorial, sizeof(factorial));
        assert_int_equal(factorial.result, wanted);
    }
    assert_int_equal(fake_domain_deadline(rig->domain), 0);
}

/* Random stores into a model of the buffer, and fetches from it. */
static void bytes_go_in_and_come_back(void **state)
{
    struct rig *rig = *state;
    static uint8_t model[EDU_BUFFER_BYTES];
    srand(7);
    memset(model, 0, sizeof(model));
    start(rig);
    for (int i = 0; i < 2000; i++) {
        struct edu_transfer transfer;
        uint8_t bytes[EDU_TRANSFER_BYTES];
        uint32_t length = 1 + (uint32_t)rand() % EDU_TRANSFER_BYTES;
        uint32_t offset = (uint32_t)rand() % (EDU_BUFFER_BYTES - length + 1);
        bool store = rand() % 2;
        for (uint32_t n = 0; n < length; n++)
            bytes[n] = (uint8_t)rand();
        assert_true(ask_transfer(rig, store ? EDU_STORE : EDU_FETCH, offset, length, bytes));
        device_works(rig);
        struct msg m = expect(rig, store ? EDU_STORE : EDU_FETCH, OK);
        if (store)
            memcpy(model + offset, bytes, length);
        msg_get(&m, &transfer, sizeof(transfer));
        assert_memory_equal(transfer.bytes, model + offset, length);
    }
    assert_int_equal(rig->fake->copies, 2000);
}

static void what_is_out_of_bounds_is_refused(void **state)
{
    struct rig *rig = *state;
    start(rig);
    assert_true(ask_factorial(rig, EDU_FACTORIAL_MAX + 1, 0));
    expect(rig, EDU_FACTORIAL, ERROR_BAD_ARGUMENT);
    static const struct {
        uint32_t offset, length;
    } bad[] = {{0, 0},
               {0, EDU_TRANSFER_BYTES + 1},
               {EDU_BUFFER_BYTES, 1},
               {EDU_BUFFER_BYTES - 1, 2},
               {UINT32_MAX, 2},
               {2, UINT32_MAX}};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        assert_true(ask_transfer(rig, EDU_FETCH, bad[i].offset, bad[i].length, NULL));
        expect(rig, EDU_FETCH, ERROR_BAD_ARGUMENT);
    }
    assert_true(ask_transfer(rig, EDU_FETCH + 1, 0, 1, NULL)); /* not of the protocol */
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    device_works(rig);
    assert_int_equal(rig->fake->copies, 0);
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 8);
}

static void one_request_at_a_time_and_only_with_room(void **state)
{
    struct rig *rig = *state;
    start(rig);
    fake_conn_set_capacity(rig->conn, 1);
    assert_true(ask_factorial(rig, 3, 1));
    assert_false(ask_factorial(rig, 4, 2));
    device_works(rig);
    assert_false(ask_factorial(rig, 4, 2)); /* the reply is still in the ring */
    expect(rig, EDU_FACTORIAL, OK);
    assert_true(ask_factorial(rig, 4, 2));
    device_works(rig);
    expect(rig, EDU_FACTORIAL, OK);
}

static void a_device_that_does_nothing_is_given_up(void **state)
{
    struct rig *rig = *state;
    start(rig);
    rig->fake->mute = true;
    assert_true(ask_transfer(rig, EDU_FETCH, 0, 8, NULL));
    fake_domain_advance(rig->domain, 2ull * SECOND);
    expect(rig, EDU_FETCH, ERROR_BAD_STATE);
    assert_true(fake_domain_logged(rig->domain, "device 0000:00:04.0 broken: it has answered "
                                                "nothing for a second; it can't be silenced"));
    assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 1);
    assert_true(ask_factorial(rig, 3, 1)); /* whoever asks later is told */
    expect(rig, EDU_FACTORIAL, ERROR_BAD_STATE);
    rig->fake->mute = false; /* and a device that wakes up changes nothing */
    fake_edu_work(rig->fake);
    fake_domain_signal(rig->domain, 0, 1);
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
}

/* Whatever it says it has done: what nobody asked for changes nothing. */
static void interrupts_that_nobody_asked_for(void **state)
{
    struct rig *rig = *state;
    start(rig);
    rig->fake->raised = UINT32_MAX;
    fake_domain_signal(rig->domain, 0, 1);
    assert_int_equal(rig->fake->raised, 0);
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    fake_domain_signal(rig->domain, 0, 1); /* for nothing: a message of an earlier life, say */
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    assert_true(ask_factorial(rig, 3, 0));
    rig->fake->raised = UINT32_MAX & ~1u; /* DMA is done, it says */
    fake_domain_signal(rig->domain, 0, 1);
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    rig->fake->raised = 1; /* while it computes */
    fake_domain_signal(rig->domain, 0, 1);
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    device_works(rig);
    expect(rig, EDU_FACTORIAL, OK);
    assert_true(ask_transfer(rig, EDU_FETCH, 0, 8, NULL));
    rig->fake->raised = UINT32_MAX; /* while it copies */
    fake_domain_signal(rig->domain, 0, 1);
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    device_works(rig);
    expect(rig, EDU_FETCH, OK);
}

/* A later life meets a device that works for the earlier one. */
static void a_device_in_use_is_quiet_after_start(void **state)
{
    struct rig *rig = *state;
    rig->fake->status = 0x80;
    rig->fake->raised = 0x101;
    start(rig);
    assert_int_equal(rig->fake->raised, 0);
}

/* An interrupt for nothing, and the device is done just when the driver has looked: it must not
 * acknowledge what it hasn't seen. */
static void what_happens_behind_the_look_is_not_lost(void **state)
{
    struct rig *rig = *state;
    start(rig);
    assert_true(ask_factorial(rig, 3, 0));
    rig->fake->sudden = true;
    fake_domain_signal(rig->domain, 0, 1);
    assert_int_equal(fake_conn_waiting(rig->conn), 0);
    device_works(rig);
    expect(rig, EDU_FACTORIAL, OK);
    assert_true(ask_transfer(rig, EDU_FETCH, 0, 8, NULL));
    rig->fake->sudden = true;
    fake_domain_signal(rig->domain, 0, 1);
    device_works(rig);
    expect(rig, EDU_FETCH, OK);
}

static void refused(struct rig *rig, const char *why)
{
    assert_int_equal(fake_domain_start(rig->domain), OK); /* its clients want an answer */
    assert_true(fake_domain_logged(rig->domain, "device 0000:00:04.0 (1234:11e8) not used: "));
    assert_true(fake_domain_logged(rig->domain, why));
    assert_int_equal(fake_domain_counter(rig->domain, "devices_refused"), 1);
    assert_true(ask_factorial(rig, 3, 1));
    expect(rig, EDU_FACTORIAL, ERROR_BAD_STATE);
}

static void another_device_is_refused(void **state)
{
    ((struct rig *)*state)->fake->id = 0x010000ee;
    refused(*state, "its identification isn't edu's");
}

static void a_device_that_never_stops_is_refused(void **state)
{
    ((struct rig *)*state)->fake->never_stops = true;
    refused(*state, "its DMA engine doesn't stop");
}

static void a_deaf_device_is_refused(void **state)
{
    ((struct rig *)*state)->fake->deaf = true;
    refused(*state, "it doesn't answer");
}

/* By MSI, as QEMU's device, and by its pin. */
#define BOTH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, set_up, tear_down),                                      \
        ((struct CMUnitTest){#test " by pin", test, set_up_pin, tear_down, NULL})

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOTH(factorials_come_by_interrupt),
        BOTH(bytes_go_in_and_come_back),
        cmocka_unit_test_setup_teardown(what_is_out_of_bounds_is_refused, set_up, tear_down),
        BOTH(one_request_at_a_time_and_only_with_room),
        BOTH(a_device_that_does_nothing_is_given_up),
        BOTH(interrupts_that_nobody_asked_for),
        BOTH(what_happens_behind_the_look_is_not_lost),
        BOTH(a_device_in_use_is_quiet_after_start),
        cmocka_unit_test_setup_teardown(another_device_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_device_that_never_stops_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_deaf_device_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
