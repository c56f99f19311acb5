/* SPDX-License-Identifier: ISC
 *
 * libos/log.c and libos/counters.c: the pages that outlive a server, and their distrustful readers.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/counters.h"
#include "libos/log.h"

static struct log_page *page;
static struct log_reader reader;
static char line[LOG_LINE_BYTES];

static int setup(void **state)
{
    (void)state;
    page = calloc(1, sizeof(*page));
    reader = (struct log_reader){0};
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(page);
    return 0;
}

static void write_line(const char *text)
{
    log_write(page, text, strlen(text));
}

static void assert_line(const char *expected)
{
    assert_true(log_read(&reader, page, line, sizeof(line)));
    assert_string_equal(line, expected);
}

static void assert_no_line(void)
{
    assert_false(log_read(&reader, page, line, sizeof(line)));
}

static void lines_come_out_as_they_went_in(void **state)
{
    (void)state;
    assert_no_line();
    write_line("first");
    write_line("");
    write_line("third");
    assert_line("first");
    assert_line("");
    assert_line("third");
    assert_no_line();
    write_line("fourth");
    assert_line("fourth");
    assert_no_line();
    assert_int_equal(reader.lost, 0);
}

static void lines_go_on_around_the_end_of_the_page(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        char text[80];
        snprintf(text, sizeof(text), "line %d with some text behind it, %*d", i, i % 30, i);
        write_line(text);
        assert_line(text);
    }
    assert_no_line();
    assert_int_equal(reader.lost, 0);
}

static void overwritten_lines_are_counted(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char text[80];
        snprintf(text, sizeof(text), "line number %d", i);
        write_line(text);
    }
    int read = 0, number = -1;
    while (log_read(&reader, page, line, sizeof(line))) {
        int next;
        assert_int_equal(sscanf(line, "line number %d", &next), 1);
        assert_true(number == -1 || next == number + 1); /* whole lines only, in order */
        number = next;
        read++;
    }
    assert_int_equal(number, 999);
    assert_true(read >= LOG_BYTES / 17 - 1);
    assert_int_equal(reader.lost, 1000 - read);
    write_line("after");
    assert_line("after");
    assert_no_line();
    assert_int_equal(reader.lost, 1000 - read);
}

static void a_long_line_is_cut_and_a_short_buffer_splits(void **state)
{
    (void)state;
    char text[400], small[5];
    memset(text, 'x', sizeof(text));
    log_write(page, text, sizeof(text));
    write_line("abcdef");
    assert_true(log_read(&reader, page, line, sizeof(line)));
    assert_int_equal(strlen(line), LOG_LINE_BYTES - 1);
    assert_true(log_read(&reader, page, small, sizeof(small)));
    assert_string_equal(small, "abcd");
    assert_true(log_read(&reader, page, small, sizeof(small)));
    assert_string_equal(small, "ef");
    assert_false(log_read(&reader, page, small, sizeof(small)));
    assert_int_equal(reader.lost, 0);
}

static void what_a_terminal_would_obey_becomes_dots(void **state)
{
    (void)state;
    write_line("a\033[2Jb\r\t\177\200\377c");
    assert_line("a.[2Jb.....c");
}

static void text_survives_its_writer(void **state)
{
    (void)state;
    write_line("last words");
    struct log_page copy = *page; /* all that is left */
    assert_true(log_read(&reader, &copy, line, sizeof(line)));
    assert_string_equal(line, "last words");
    write_line("a new life");
    assert_line("a new life");
}

static void a_page_begun_anew_is_read_from_its_beginning(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        write_line("old");
        assert_line("old");
    }
    memset(page, 0, sizeof(*page));
    write_line("new");
    assert_line("new");
    assert_no_line();
}

/* A reader in the middle of its copying sees that text was overwritten: here it is told that
 * everything is claimed up to a line that isn't written yet. */
static void text_that_may_be_overwritten_is_not_believed(void **state)
{
    (void)state;
    write_line("doubtful");
    while (page->written + 20 < LOG_BYTES)
        write_line("filler filler");
    page->claimed = LOG_BYTES + 5; /* the writer is at work on "doubtful" */
    assert_line("filler filler");
}

static uint64_t random_position(void)
{
    switch (random() % 4) {
    case 0:
        return (uint64_t)random() % 10000;
    case 1:
        return UINT64_MAX - (uint64_t)random() % 10000;
    case 2:
        return reader.position + (uint64_t)random() % 400 - 200;
    default:
        return (uint64_t)random() << 33 ^ (uint64_t)random();
    }
}

static void a_hostile_page_gives_bounded_printable_lines(void **state)
{
    (void)state;
    srandom(3);
    for (int run = 0; run < 3000; run++) {
        page->claimed = random_position();
        page->written = random() % 3 ? page->claimed : random_position();
        page->lines = random_position();
        for (int i = 0; i < 40; i++)
            page->text[random() % LOG_BYTES] = random() % 4 ? (char)random() : '\n';
        uint64_t printed = 0;
        size_t size = 2 + (size_t)random() % (sizeof(line) - 2);
        while (log_read(&reader, page, line, size)) {
            size_t length = strlen(line);
            assert_true(length < size);
            for (size_t i = 0; i < length; i++)
                assert_in_range(line[i], ' ', '~');
            printed += length + 1;
            assert_true(printed <= 4 * LOG_BYTES); /* a page that stands still ends */
        }
    }
}

static void counters_follow_each_other(void **state)
{
    (void)state;
    static const char *const first[] = {"alpha", "beta"};
    static const char *const second[] = {"a name of more than twenty-three characters"};
    struct counter_page counters = {0};
    uint64_t *a = counters_add(&counters, first, 2);
    uint64_t *b = counters_add(&counters, second, 1);
    a[1] = 7;
    b[0] = 9;
    char name[COUNTER_NAME_BYTES];
    uint64_t value;
    assert_true(counters_read(&counters, 1, name, &value));
    assert_string_equal(name, "beta");
    assert_int_equal(value, 7);
    assert_true(counters_read(&counters, 2, name, &value));
    assert_string_equal(name, "a name of more than twe");
    assert_int_equal(value, 9);
    assert_false(counters_read(&counters, 3, name, &value));
}

static void no_more_counters_than_a_page_holds(void **state)
{
    (void)state;
    static const char *const one[] = {"one"};
    struct counter_page counters = {0};
    for (int i = 0; i < COUNTERS_MAX; i++)
        assert_non_null(counters_add(&counters, one, 1));
    assert_null(counters_add(&counters, one, 1));
    assert_null(counters_add(&counters, one, UINT64_MAX));
    assert_non_null(counters_add(&counters, NULL, 0));
}

static void a_hostile_counter_page_gives_terminated_printable_names(void **state)
{
    (void)state;
    struct counter_page counters;
    memset(&counters, 0xff, sizeof(counters));
    char name[COUNTER_NAME_BYTES];
    uint64_t value;
    for (uint32_t n = 0; n < COUNTERS_MAX; n++) {
        assert_true(counters_read(&counters, n, name, &value));
        assert_string_equal(name, ".......................");
    }
    assert_false(counters_read(&counters, COUNTERS_MAX, name, &value));
    assert_false(counters_read(&counters, UINT32_MAX, name, &value));
}

#define LOG_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LOG_TEST(lines_come_out_as_they_went_in),
        LOG_TEST(lines_go_on_around_the_end_of_the_page),
        LOG_TEST(overwritten_lines_are_counted),
        LOG_TEST(a_long_line_is_cut_and_a_short_buffer_splits),
        LOG_TEST(what_a_terminal_would_obey_becomes_dots),
        LOG_TEST(text_survives_its_writer),
        LOG_TEST(a_page_begun_anew_is_read_from_its_beginning),
        LOG_TEST(text_that_may_be_overwritten_is_not_believed),
        LOG_TEST(a_hostile_page_gives_bounded_printable_lines),
        cmocka_unit_test(counters_follow_each_other),
        cmocka_unit_test(no_more_counters_than_a_page_holds),
        cmocka_unit_test(a_hostile_counter_page_gives_terminated_printable_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
