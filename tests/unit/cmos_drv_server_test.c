/* SPDX-License-Identifier: ISC
 *
 * servers/cmos_drv/, with a model of the clock of a PC (fake_cmos.h): it keeps the protocol of its
 * class (conform_clock.h), and what is the device's own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/conform_clock.h"
#include "tests/unit/fake_cmos.h"

extern const struct server motet_server_cmos_drv;

enum { FOR_EVER = 1u << 30 };

static void *attach(struct domain *domain, bool device)
{
    struct fake_cmos *cmos = calloc(1, sizeof(*cmos));
    assert_non_null(cmos);
    if (device)
        fake_cmos_attach(cmos, fake_domain_add_device(domain));
    return cmos;
}

static void show(void *fake, const struct clock_calendar *shown, uint32_t n)
{
    fake_cmos_show(fake, shown, n);
}

enum { ABSENT, STOPPED, BEING_SET, NO_BATTERY, ALWAYS_UPDATING, NO_TIME, UNUSABLE };

static void unusable(void *fake, uint32_t n)
{
    struct fake_cmos *cmos = fake;
    switch (n) {
    case ABSENT:
        cmos->absent = true;
        break;
    case STOPPED: /* its divider is held in reset */
        cmos->memory[0x0a] = 0x66;
        break;
    case BEING_SET:
        cmos->memory[0x0b] |= 0x80;
        break;
    case NO_BATTERY:
        cmos->memory[0x0d] = 0;
        break;
    case ALWAYS_UPDATING:
        cmos->updating = FOR_EVER;
        break;
    case NO_TIME:
        memset(cmos->memory, 0, 10);
        break;
    default:
        fail_msg("no such way");
    }
}

static void race(struct fake_cmos *cmos)
{
    cmos->memory[0] = (uint8_t)(cmos->accesses % 2 ? 0x11 : 0x22);
}

enum { BATTERY_FAILS, UPDATES_FOR_EVER, RACES, STOPS, IS_SET, VANISHES, DIGITS };

/* Fields that are none, in BCD and 24 hours: register, value. */
static const uint8_t wrong[][2] = {
    {0x00, 0x60}, {0x00, 0x5a}, {0x00, 0xff}, {0x02, 0x60}, {0x02, 0xa0},
    {0x04, 0x24}, {0x04, 0x1f}, {0x04, 0x92}, {0x07, 0x00}, {0x07, 0x32},
    {0x08, 0x00}, {0x08, 0x13}, {0x08, 0x0c}, {0x09, 0xa0}, {0x09, 0x0f},
};
enum { WRONG = sizeof(wrong) / sizeof(wrong[0]), MISBEHAVIOURS = DIGITS + WRONG };

static void misbehave(void *fake, uint32_t n)
{
    struct fake_cmos *cmos = fake;
    if (n == BATTERY_FAILS)
        cmos->memory[0x0d] = 0;
    else if (n == UPDATES_FOR_EVER)
        cmos->updating = FOR_EVER;
    else if (n == RACES)
        cmos->looked = race;
    else if (n == STOPS)
        cmos->memory[0x0a] = 0x66;
    else if (n == IS_SET)
        cmos->memory[0x0b] |= 0x80;
    else if (n == VANISHES)
        cmos->absent = true;
    else
        cmos->memory[wrong[n - DIGITS][0]] = wrong[n - DIGITS][1];
}

/* The device's own */

static struct domain *domain;
static struct conn *client;
static struct fake_cmos cmos;

static int set_up(void **state)
{
    (void)state;
    domain = fake_domain_create(&motet_server_cmos_drv);
    client = fake_domain_connect(domain, "clock", 0);
    fake_cmos_attach(&cmos, fake_domain_add_device(domain));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    fake_domain_destroy(domain);
    return 0;
}

static uint64_t seconds_now(void)
{
    const struct msg m = {.op = CLOCK_TIME};
    struct msg reply;
    struct clock_time time;
    assert_true(fake_domain_deliver(domain, client, &m));
    assert_true(fake_conn_pop(client, &reply));
    assert_int_equal(reply.status, OK);
    msg_get(&reply, &time, sizeof(time));
    return time.seconds;
}

enum { BEFORE_2000 = 946684799, IN_2000 = 946684800 };

/* The year turns while the driver reads, between any two of its reads: it tells the old one or the
 * new one, and nothing made of both. */
static uint32_t turn_at;

static void turn(struct fake_cmos *it)
{
    const struct clock_calendar shown = {2000, 1, 1, 0, 0, 0};
    if (it->accesses == turn_at)
        fake_cmos_show(it, &shown, FAKE_CMOS_24_HOURS);
}

static void test_a_reading_is_of_one_moment(void **state)
{
    const struct clock_calendar before = {1999, 12, 31, 23, 59, 59};
    uint32_t old = 0, new = 0;
    (void)state;
    assert_int_equal(fake_domain_start(domain), OK);
    cmos.looked = turn;
    for (uint32_t at = 1; at < 40; at++) {
        fake_cmos_show(&cmos, &before, FAKE_CMOS_24_HOURS);
        cmos.accesses = 0;
        turn_at = at;
        uint64_t seconds = seconds_now();
        assert_true(seconds == BEFORE_2000 || seconds == IN_2000);
        old += seconds == BEFORE_2000;
        new += seconds == IN_2000;
    }
    assert_true(old > 5 && new > 5);
}

static void test_an_update_is_waited_for(void **state)
{
    (void)state;
    cmos.updating = 3;
    assert_int_equal(fake_domain_start(domain), OK);
    assert_true(fake_domain_logged(domain, "ready: device isa 0x70 (41d0:0b00)"));
    cmos.updating = 1000;
    assert_int_equal(seconds_now(), BEFORE_2000);
    assert_int_equal(cmos.updating, 0);
}

/* The driver doesn't run for as long as it would wait, just after it has seen an update. */
static void held_up(struct fake_cmos *it)
{
    if (it->index == 0x0a && it->updating)
        fake_domain_advance(domain, 1000000000);
}

static void test_a_driver_that_was_held_up_looks_again(void **state)
{
    (void)state;
    assert_int_equal(fake_domain_start(domain), OK);
    cmos.looked = held_up;
    cmos.updating = 1;
    assert_int_equal(seconds_now(), BEFORE_2000);
    assert_int_equal(fake_domain_counter(domain, "devices_broken"), 0);
}

static void test_without_a_century_it_is_this_one(void **state)
{
    const struct clock_calendar shown = {2031, 3, 4, 5, 6, 7};
    (void)state;
    assert_int_equal(fake_domain_start(domain), OK);
    for (uint32_t century = 0; century < 256; century++) {
        fake_cmos_show(&cmos, &shown, FAKE_CMOS_24_HOURS);
        cmos.memory[0x32] = (uint8_t)century;
        if (century != 0x19 && century != 0x21 && century != 0x22)
            assert_int_equal(seconds_now(), 1930367167);
    }
}

static void test_it_changes_the_enables_of_interrupts_only(void **state)
{
    uint8_t before[sizeof(cmos.memory)];
    (void)state;
    memcpy(before, cmos.memory, sizeof(before));
    before[0x0b] &= 0x8f;
    assert_int_equal(fake_domain_start(domain), OK);
    seconds_now();
    assert_memory_equal(cmos.memory, before, sizeof(before));
    assert_int_equal(cmos.written, 1 << 0x0b);
}

/* One that was under way when the driver began: it is let go. */
static void test_an_interrupt_is_let_go(void **state)
{
    (void)state;
    assert_int_equal(fake_domain_start(domain), OK);
    cmos.index = 0;
    fake_domain_signal(domain, 0, 1);
    assert_int_equal(cmos.index, 0x0c);
}

static void test_a_device_of_another_bus_is_not_its_own(void **state)
{
    (void)state;
    struct device *device = (struct device *)domain_device(domain, 0);
    device->bus_kind = DEVICE_PCI;
    assert_int_equal(fake_domain_start(domain), ERROR_NOT_FOUND);
    assert_true(fake_domain_logged(domain, "its registers aren't I/O ports"));
}

static void test_too_few_ports_are_named(void **state)
{
    (void)state;
    struct device *device = (struct device *)domain_device(domain, 0);
    device->bar[0].size = 1;
    assert_int_equal(fake_domain_start(domain), ERROR_NOT_FOUND);
    assert_true(fake_domain_logged(domain, "BAR 0: it has 1 bytes, the registers need 2"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct conform_clock conform = {
        .server = &motet_server_cmos_drv,
        .attach = attach,
        .detach = free,
        .show = show,
        .formats = FAKE_CMOS_FORMATS,
        .year_first = 1970,
        .year_last = 2299,
        .step = 1000000000,
        .unusable = unusable,
        .misbehave = misbehave,
        .unusable_ways = UNUSABLE,
        .misbehaviours = MISBEHAVIOURS,
    };
    const struct CMUnitTest tests[] = {
        TEST(test_a_reading_is_of_one_moment),
        TEST(test_an_update_is_waited_for),
        TEST(test_a_driver_that_was_held_up_looks_again),
        TEST(test_without_a_century_it_is_this_one),
        TEST(test_it_changes_the_enables_of_interrupts_only),
        TEST(test_an_interrupt_is_let_go),
        TEST(test_a_device_of_another_bus_is_not_its_own),
        TEST(test_too_few_ports_are_named),
    };
    return conform_clock(&conform) + cmocka_run_group_tests(tests, NULL, NULL);
}
