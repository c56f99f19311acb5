/* SPDX-License-Identifier: ISC
 *
 * libos/trace.c, libos/trace_text.c: reading a ring while it is written, and records as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <pthread.h>
#include <string.h>

#include <cmocka.h>

#include "libos/trace.h"
#include "motet/abi.h"

enum { CAPACITY = 6, RACE_RECORDS = 2000000 };

static struct {
    struct trace_header header;
    struct trace_record record[CAPACITY];
} ring;

/* As the kernel writes: record, then number; the number before the next record. */
static void write_record(uint64_t value)
{
    struct trace_record *to = &ring.record[ring.header.written % CAPACITY];
    __atomic_store_n(&to->time, value, __ATOMIC_RELAXED);
    __atomic_store_n(&to->thread, (uint32_t)value, __ATOMIC_RELAXED);
    __atomic_store_n(&to->argument, ~value, __ATOMIC_RELAXED);
    __atomic_store_n(&to->other, (uint32_t)~value, __ATOMIC_RELAXED);
    __atomic_store_n(&ring.header.written, ring.header.written + 1, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

static int empty_ring(void **state)
{
    (void)state;
    memset(&ring, 0, sizeof(ring));
    ring.header.capacity = CAPACITY;
    return 0;
}

static void expect(struct trace_reader *reader, uint64_t value)
{
    struct trace_record record;
    assert_true(trace_read(reader, &ring.header, &record));
    assert_int_equal(record.time, value);
    assert_int_equal(record.argument, ~value);
}

static void expect_none(struct trace_reader *reader)
{
    struct trace_record record;
    assert_false(trace_read(reader, &ring.header, &record));
}

static void records_come_in_order(void **state)
{
    (void)state;
    struct trace_reader reader = {0};
    expect_none(&reader);
    write_record(1);
    write_record(2);
    expect(&reader, 1);
    expect(&reader, 2);
    expect_none(&reader);
    write_record(3);
    expect(&reader, 3);
    assert_int_equal(reader.lost, 0);
}

/* The oldest of a full ring may be being overwritten: it isn't read. */
static void all_but_one_of_a_full_ring(void **state)
{
    (void)state;
    struct trace_reader reader = {0};
    for (uint64_t i = 0; i < CAPACITY; i++)
        write_record(i);
    for (uint64_t i = 1; i < CAPACITY; i++)
        expect(&reader, i);
    expect_none(&reader);
    assert_int_equal(reader.lost, 1);
}

static void who_is_overtaken_knows(void **state)
{
    (void)state;
    struct trace_reader reader = {0};
    write_record(0);
    expect(&reader, 0);
    for (uint64_t i = 1; i < 100; i++)
        write_record(i);
    expect(&reader, 100 - (CAPACITY - 1));
    assert_int_equal(reader.lost, 100 - (CAPACITY - 1) - 1);
}

static void the_newest(void **state)
{
    (void)state;
    struct trace_reader reader = {0};
    for (uint64_t i = 0; i < 20; i++)
        write_record(i);
    trace_newest(&reader, &ring.header, 2);
    expect(&reader, 18);
    expect(&reader, 19);
    trace_newest(&reader, &ring.header, UINT64_MAX);
    expect(&reader, 20 - (CAPACITY - 1));
    assert_int_equal(reader.lost, 0);
}

static void a_ring_that_begins_anew(void **state)
{
    (void)state;
    struct trace_reader reader = {0};
    for (uint64_t i = 0; i < 20; i++)
        write_record(i);
    trace_newest(&reader, &ring.header, 0);
    ring.header.written = 0;
    write_record(7);
    expect(&reader, 7);
    expect_none(&reader);
}

static void no_ring_at_all(void **state)
{
    (void)state;
    struct trace_reader reader = {0};
    ring.header.capacity = 0;
    ring.header.written = 5;
    expect_none(&reader);
}

static void *writer(void *unused)
{
    for (uint64_t i = 0; i < RACE_RECORDS; i++)
        write_record(i);
    return unused;
}

/* Never a record of two halves, never one out of order; read and lost together are all. */
static void a_writer_that_doesnt_wait(void **state)
{
    (void)state;
    pthread_t thread;
    struct trace_reader reader = {0};
    struct trace_record record;
    uint64_t read = 0, last = 0;
    assert_int_equal(pthread_create(&thread, NULL, writer, NULL), 0);
    while (reader.next < RACE_RECORDS) {
        if (!trace_read(&reader, &ring.header, &record))
            continue;
        assert_int_equal(record.argument, ~record.time);
        assert_int_equal(record.thread, (uint32_t)record.time);
        assert_int_equal(record.other, (uint32_t)~record.time);
        assert_true(read == 0 || record.time > last);
        last = record.time;
        read++;
    }
    pthread_join(thread, NULL);
    assert_int_equal(read + reader.lost, RACE_RECORDS);
}

/* --- text --- */

static const char *name(const void *context, uint16_t domain)
{
    const char *const *names = context;
    return names[domain];
}

static void expect_text(const struct trace_record *record, const char *expected)
{
    static const char *const names[] = {"init", "netd", "dnsd"};
    char text[TRACE_TEXT_BYTES];
    trace_text(text, record, name, names);
    assert_string_equal(text, expected);
}

#define RECORD(...) (&(struct trace_record){__VA_ARGS__})
#define BOTH        .thread = 5, .domain = 1, .other = 6, .other_domain = 2

static void each_event_has_its_text(void **state)
{
    (void)state;
    expect_text(RECORD(.event = TRACE_switch, BOTH, .detail = THREAD_WAITING),
                "switch netd after dnsd (waiting)");
    expect_text(RECORD(.event = TRACE_switch, .thread = 5, .domain = 1),
                "switch netd after idling");
    expect_text(
        RECORD(.event = TRACE_idle, .other = 6, .other_domain = 2, .detail = THREAD_EXHAUSTED),
        "idle nobody after dnsd (exhausted)");
    expect_text(RECORD(.event = TRACE_wake, BOTH, .detail = TRACE_WAKE_message),
                "wake netd by dnsd (message)");
    expect_text(RECORD(.event = TRACE_wake, .thread = 9, .detail = TRACE_WAKE_timeout),
                "wake init by interrupt (timeout)");
    expect_text(RECORD(.event = TRACE_send, BOTH, .argument = 0x1f, .detail = 0x12),
                "send netd to port 0x1f, operation 0x12, heard by dnsd");
    expect_text(
        RECORD(.event = TRACE_signal, .thread = 5, .domain = 1, .argument = 0x1f, .detail = 47),
        "signal netd to port 0x1f, bit 47, heard by nobody");
    expect_text(
        RECORD(.event = TRACE_irq, .other = 6, .other_domain = 2, .argument = 0x31, .detail = 48),
        "irq vector 0x31, bit 48, heard by dnsd, during nobody");
    expect_text(RECORD(.event = TRACE_fault, .thread = 5, .domain = 1, .argument = 0xdead,
                       .detail = FAULT_PAGE | 6 << 8),
                "fault netd exception 14 error 0x6 address 0xdead");
    expect_text(RECORD(.event = TRACE_map, .thread = 5, .domain = 0, .other = 0x99,
                       .other_domain = 2, .argument = 0x400000, .detail = 512 | 3 << 12),
                "map init 512 pages of dnsd at 0x400000, physical page 0x99");
    expect_text(RECORD(.event = TRACE_budget, .thread = 5, .domain = 1, .detail = 3),
                "budget netd used up, 3 times");
    expect_text(RECORD(.event = 200), "event 200");
}

static void names_of_numbers(void **state)
{
    (void)state;
    assert_string_equal(trace_event_name(TRACE_switch), "switch");
    assert_string_equal(trace_event_name(TRACE_budget), "budget");
    assert_string_equal(trace_event_name(TRACE_EVENT_COUNT), "?");
    assert_string_equal(trace_wake_name(TRACE_WAKE_refill), "refill");
    assert_string_equal(trace_wake_name(TRACE_WAKE_COUNT), "?");
    assert_string_equal(trace_state_name(THREAD_SUSPENDED), "suspended");
    assert_string_equal(trace_state_name(THREAD_EXHAUSTED), "exhausted");
    assert_string_equal(trace_state_name(THREAD_EXHAUSTED + 1), "?");
}

static void a_line_of_a_dump(void **state)
{
    (void)state;
    char text[TRACE_TEXT_BYTES];
    trace_dump_line(text,
                    RECORD(.time = 0x123456789a, .event = 1, .cpu = 2, .domain = 3, .thread = 4,
                           .argument = 5, .other = 6, .other_domain = 7, .detail = 8));
    assert_string_equal(text, "trace 123456789a 400030201 5 8000700000006");
}

#define TEST(name) cmocka_unit_test_setup(name, empty_ring)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(records_come_in_order),     TEST(all_but_one_of_a_full_ring),
        TEST(who_is_overtaken_knows),    TEST(the_newest),
        TEST(a_ring_that_begins_anew),   TEST(no_ring_at_all),
        TEST(a_writer_that_doesnt_wait), TEST(each_event_has_its_text),
        TEST(names_of_numbers),          TEST(a_line_of_a_dump),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
