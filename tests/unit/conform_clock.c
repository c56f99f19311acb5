/* SPDX-License-Identifier: ISC
 *
 * The tests of conform_clock.h. What the seconds must be is the C library's timegm.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "tests/unit/conform_clock.h"

enum { RANDOM_TIMES = 2000, LATER_NS = 12345678 };

static const struct conform_clock *under_test;

struct rig {
    struct domain *domain;
    struct conn *client;
    void *fake;
};

static struct rig *rig_make(bool device)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    assert_non_null(rig);
    rig->domain = fake_domain_create(under_test->server);
    rig->client = fake_domain_connect(rig->domain, "clock", 0);
    rig->fake = under_test->attach(rig->domain, device);
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

static bool ask(struct rig *rig, uint64_t tag)
{
    const struct msg m = {.op = CLOCK_TIME, .tag = tag};
    return fake_domain_deliver(rig->domain, rig->client, &m);
}

static struct clock_time expect(struct rig *rig, enum error status, uint64_t tag)
{
    static const struct clock_time nothing;
    struct clock_time time;
    struct msg m;
    assert_true(fake_conn_pop(rig->client, &m));
    assert_int_equal(m.op, CLOCK_TIME);
    assert_int_equal(m.flags, MSG_REPLY);
    assert_int_equal(m.status, status);
    assert_int_equal(m.tag, tag);
    msg_get(&m, &time, sizeof(time));
    assert_int_equal(time.reserved, 0);
    assert_true(time.nanoseconds < 1000000000);
    if (status != OK)
        assert_memory_equal(&time, &nothing, sizeof(time));
    return time;
}

static uint64_t seconds_of(const struct clock_calendar *c)
{
    struct tm tm = {.tm_year = (int)c->year - 1900,
                    .tm_mon = (int)c->month - 1,
                    .tm_mday = (int)c->day,
                    .tm_hour = (int)c->hour,
                    .tm_min = (int)c->minute,
                    .tm_sec = (int)c->second};
    return (uint64_t)timegm(&tm);
}

static void expect_shown(struct rig *rig, const struct clock_calendar *shown, uint32_t format)
{
    if (shown->year < under_test->year_first || shown->year > under_test->year_last)
        return;
    under_test->show(rig->fake, shown, format);
    assert_true(ask(rig, 7));
    struct clock_time time = expect(rig, OK, 7);
    assert_int_equal(time.seconds, seconds_of(shown));
    assert_true(time.precision >= under_test->step);
}

static void test_what_it_shows_is_told(void **state)
{
    static const struct clock_calendar times[] = {
        {1970, 1, 1, 0, 0, 0},    {1972, 2, 29, 12, 0, 0},    {1999, 12, 31, 23, 59, 59},
        {2000, 1, 1, 0, 0, 0},    {2000, 2, 29, 11, 59, 59},  {2000, 3, 1, 12, 59, 59},
        {2024, 2, 29, 13, 0, 1},  {2031, 3, 4, 5, 6, 7},      {2038, 1, 19, 3, 14, 8},
        {2099, 12, 31, 0, 30, 0}, {2100, 2, 28, 23, 59, 59},  {2100, 3, 1, 0, 0, 0},
        {2106, 2, 7, 6, 28, 16},  {2199, 12, 31, 23, 59, 59},
    };
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    for (uint32_t format = 0; format < under_test->formats; format++)
        for (uint32_t i = 0; i < sizeof(times) / sizeof(times[0]); i++)
            expect_shown(rig, &times[i], format);
    assert_true(fake_domain_counter(rig->domain, "served") >= 3 * under_test->formats);
}

static void test_whatever_it_shows(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    srand(1);
    for (uint32_t i = 0; i < RANDOM_TIMES; i++) {
        const struct clock_calendar shown = {
            .year = under_test->year_first +
                    (uint32_t)rand() % (under_test->year_last - under_test->year_first + 1),
            .month = 1 + (uint32_t)rand() % 12,
            .day = 1 + (uint32_t)rand() % 28,
            .hour = (uint32_t)rand() % 24,
            .minute = (uint32_t)rand() % 60,
            .second = (uint32_t)rand() % 60};
        expect_shown(rig, &shown, (uint32_t)rand() % under_test->formats);
    }
}

/* What an answer says is of when it was asked for, in the time that the client has too. */
static void test_it_says_when_that_was(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(ask(rig, 1));
    struct clock_time first = expect(rig, OK, 1);
    assert_int_equal(first.monotonic, domain_time(rig->domain));
    fake_domain_advance(rig->domain, LATER_NS);
    assert_true(ask(rig, 2));
    struct clock_time second = expect(rig, OK, 2);
    assert_int_equal(second.monotonic, first.monotonic + LATER_NS);
}

static void test_several_are_answered_in_turn(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    for (uint64_t tag = 0; tag < 20; tag++)
        assert_true(ask(rig, tag));
    for (uint64_t tag = 0; tag < 20; tag++)
        expect(rig, OK, tag);
    assert_int_equal(fake_domain_counter(rig->domain, "served"), 20);
}

static void test_without_room_a_request_waits(void **state)
{
    struct rig *rig = *state;
    fake_conn_set_capacity(rig->client, 1);
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(ask(rig, 1));
    assert_false(ask(rig, 2));
    expect(rig, OK, 1);
    assert_true(ask(rig, 2));
    expect(rig, OK, 2);
}

/* Another operation, and a reply that nobody asked for. */
static void test_what_is_not_of_the_protocol_is_dropped(void **state)
{
    static const struct msg wrong[] = {{.op = 0},
                                       {.op = CLOCK_TIME + 1},
                                       {.op = 0xffff},
                                       {.op = CLOCK_TIME, .flags = MSG_REPLY},
                                       {.op = CLOCK_TIME, .flags = 0x80}};
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    for (uint32_t i = 0; i < 5; i++)
        assert_true(fake_domain_deliver(rig->domain, rig->client, &wrong[i]));
    assert_int_equal(fake_conn_waiting(rig->client), 0);
    assert_int_equal(fake_domain_counter(rig->domain, "bad_message"), 5);
    assert_true(ask(rig, 9));
    expect(rig, OK, 9);
}

static void expect_down(struct rig *rig)
{
    uint64_t down = fake_domain_counter(rig->domain, "down");
    assert_true(ask(rig, 3));
    expect(rig, ERROR_BAD_STATE, 3);
    assert_true(ask(rig, 4));
    expect(rig, ERROR_BAD_STATE, 4);
    assert_int_equal(fake_domain_counter(rig->domain, "down"), down + 2);
}

static void test_without_a_device_the_client_is_told(void **state)
{
    struct rig *rig = *state;
    assert_int_equal(fake_domain_start(rig->domain), OK);
    assert_true(fake_domain_logged(rig->domain, "no device: the machine has no "));
    expect_down(rig);
}

static void test_a_device_that_cannot_be_used_is_refused(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->unusable_ways; n++) {
        struct rig *rig = rig_make(true);
        under_test->unusable(rig->fake, n);
        assert_int_equal(fake_domain_start(rig->domain), OK);
        assert_true(fake_domain_logged(rig->domain, " not used: "));
        assert_int_equal(fake_domain_counter(rig->domain, "devices_refused"), 1);
        expect_down(rig);
        rig_destroy(rig);
    }
}

/* No time that the device can't vouch for is ever told. */
static void test_a_device_that_misbehaves_is_out_of_use(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < under_test->misbehaviours; n++) {
        struct rig *rig = rig_make(true);
        assert_int_equal(fake_domain_start(rig->domain), OK);
        assert_true(ask(rig, 1));
        expect(rig, OK, 1);
        under_test->misbehave(rig->fake, n);
        expect_down(rig);
        assert_true(fake_domain_logged(rig->domain, " broken: "));
        assert_int_equal(fake_domain_counter(rig->domain, "devices_broken"), 1);
        rig_destroy(rig);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int conform_clock(const struct conform_clock *driver)
{
    const struct CMUnitTest tests[] = {
        TEST(test_what_it_shows_is_told),
        TEST(test_whatever_it_shows),
        TEST(test_it_says_when_that_was),
        TEST(test_several_are_answered_in_turn),
        TEST(test_without_room_a_request_waits),
        TEST(test_what_is_not_of_the_protocol_is_dropped),
        cmocka_unit_test_setup_teardown(test_without_a_device_the_client_is_told,
                                        set_up_without_device, tear_down),
        cmocka_unit_test(test_a_device_that_cannot_be_used_is_refused),
        cmocka_unit_test(test_a_device_that_misbehaves_is_out_of_use),
    };
    under_test = driver;
    return cmocka_run_group_tests_name("conform_clock", tests, NULL, NULL);
}
