/* SPDX-License-Identifier: ISC
 *
 * libos/format.c, and the texts of motet/error.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/format.h"
#include "motet/error.h"

static char text[64];

static size_t write_text(size_t size, const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    memset(text, '#', sizeof(text));
    size_t length = format(text, size, pattern, arguments);
    va_end(arguments);
    assert_int_equal(strlen(text), length);
    for (size_t i = size; i < sizeof(text); i++)
        assert_int_equal(text[i], '#');
    return length;
}

#define assert_format(expected, ...)                                                               \
    do {                                                                                           \
        write_text(sizeof(text), __VA_ARGS__);                                                     \
        assert_string_equal(text, expected);                                                       \
    } while (0)

static void plain_text_stays(void **state)
{
    (void)state;
    assert_format("", "");
    assert_format("plain text", "plain text");
    assert_format("100% of it", "100%% of it");
}

static void texts_and_characters(void **state)
{
    (void)state;
    assert_format("a zone b", "a %s b", "zone");
    assert_format("xyz", "%c%c%c", 'x', 'y', 'z');
    assert_format("(null)", "%s", (char *)NULL);
    assert_format("[ab   ]", "[%5s]", "ab");
    assert_format("[abcdef]", "[%5s]", "abcdef");
}

static void numbers(void **state)
{
    (void)state;
    assert_format("0 1 4294967295", "%u %u %u", 0u, 1u, UINT32_MAX);
    assert_format("-1 0 2147483647 -2147483648", "%d %d %d %d", -1, 0, INT32_MAX, INT32_MIN);
    assert_format("deadbeef 0", "%x %x", 0xdeadbeefu, 0u);
    assert_format("18446744073709551615 ffffffffffffffff", "%lu %lx", UINT64_MAX, UINT64_MAX);
    assert_format("-9223372036854775808 5", "%ld %ld", INT64_MIN, (int64_t)5);
}

static void widths(void **state)
{
    (void)state;
    assert_format("0a:05:ff", "%02x:%02x:%02x", 10u, 5u, 255u);
    assert_format("[   42][00042][42]", "[%5u][%05u][%1u]", 42u, 42u, 42u);
    assert_format("[  -42][-0042]", "[%5d][%05d]", -42, -42);
    assert_format("00000000000000ff", "%016lx", UINT64_C(255));
}

static void what_does_not_fit_is_cut(void **state)
{
    (void)state;
    assert_int_equal(write_text(5, "%s", "abcdefgh"), 4);
    assert_string_equal(text, "abcd");
    assert_int_equal(write_text(4, "%u", 123456u), 3);
    assert_string_equal(text, "123");
    assert_int_equal(write_text(1, "abc%d", 5), 0);
    assert_int_equal(write_text(8, "%99u", 5u), 7);
    assert_string_equal(text, "       ");
}

static void an_unknown_conversion_ends_the_reading_of_arguments(void **state)
{
    (void)state;
    assert_format("a %q %s", "a %q %s", 1);
    assert_format("tail %", "tail %");
    assert_format("tail %0", "tail %0");
    assert_format("%123u", "%123u", 1u);
}

static void the_same_as_printf(void **state)
{
    (void)state;
    static const char *const patterns[] = {"%lu", "%lx", "%ld", "%5lu", "%09ld", "%012lx", "%3ld"};
    srandom(2);
    for (int i = 0; i < 2000; i++) {
        const char *pattern = patterns[(size_t)random() % (sizeof(patterns) / sizeof(*patterns))];
        uint64_t value = ((uint64_t)random() << 33 ^ (uint64_t)random()) >> (random() % 64);
        char expected[sizeof(text)];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
        snprintf(expected, sizeof(expected), pattern, value);
#pragma GCC diagnostic pop
        assert_format(expected, pattern, value);
    }
}

static void errors_have_names_and_sentences(void **state)
{
    (void)state;
    assert_string_equal(error_name(OK), "OK");
    assert_string_equal(error_name(ERROR_MORE), "MORE");
    assert_string_equal(error_name(ERROR_NO_MEMORY), "NO_MEMORY");
    assert_string_equal(error_name(ERROR_LIMIT), "LIMIT");
    assert_string_equal(error_text(ERROR_TIMEOUT), "the deadline passed");
    for (int n = 0; n < ERROR_COUNT; n++)
        assert_true(*error_name((enum error)n) && *error_text((enum error)n));
    assert_string_equal(error_name((enum error)ERROR_COUNT), "UNKNOWN");
    assert_string_equal(error_name((enum error) - 1), "UNKNOWN");
    assert_string_equal(error_text((enum error)ERROR_COUNT), "unknown error");
    assert_string_equal(error_text((enum error) - 1), "unknown error");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_stays),
        cmocka_unit_test(texts_and_characters),
        cmocka_unit_test(numbers),
        cmocka_unit_test(widths),
        cmocka_unit_test(what_does_not_fit_is_cut),
        cmocka_unit_test(an_unknown_conversion_ends_the_reading_of_arguments),
        cmocka_unit_test(the_same_as_printf),
        cmocka_unit_test(errors_have_names_and_sentences),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
