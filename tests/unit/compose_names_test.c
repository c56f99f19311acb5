/* SPDX-License-Identifier: ISC
 *
 * The small functions on names in tools/compose: suggestions for misspelt ones, setting patterns.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>

#include "tools/composer/check.h"
#include "tools/composer/report.h"

static const char *const keys[] = {"name", "priority", "servers"};

static void slip_gets_the_near_name(void **state)
{
    (void)state;
    char buffer[SUGGESTION_BYTES];
    assert_string_equal(suggest(buffer, "naem", keys, 3), "did you mean \"name\"?");
    assert_string_equal(suggest(buffer, "prioritty", keys, 3), "did you mean \"priority\"?");
    assert_string_equal(suggest(buffer, "server", keys, 3), "did you mean \"servers\"?");
}

static void other_word_gets_the_list(void **state)
{
    (void)state;
    char buffer[SUGGESTION_BYTES];
    assert_string_equal(suggest(buffer, "colour", keys, 3), "there are: name, priority, servers");
    assert_string_equal(suggest(buffer, "x", keys, 0), "there are none");
}

static void long_names_and_lists_stay_in_the_buffer(void **state)
{
    (void)state;
    char buffer[SUGGESTION_BYTES], long_name[300];
    const char *many[100];
    memset(long_name, 'n', sizeof long_name - 1);
    long_name[sizeof long_name - 1] = 0;
    for (size_t i = 0; i < 100; i++)
        many[i] = "a_name_of_some_length";
    assert_true(strlen(suggest(buffer, long_name, many, 100)) == SUGGESTION_BYTES - 1);
    many[0] = long_name;
    assert_non_null(suggest(buffer, "name", many, 1));
}

static void pattern_stands_for_numbers_only(void **state)
{
    (void)state;
    assert_true(pattern_matches("net#.ip", "net0.ip"));
    assert_true(pattern_matches("net#.ip", "net12.ip"));
    assert_true(pattern_matches("log", "log"));
    assert_false(pattern_matches("net#.ip", "net.ip"));
    assert_false(pattern_matches("net#.ip", "netx.ip"));
    assert_false(pattern_matches("net#.ip", "net0.i"));
    assert_false(pattern_matches("net#.ip", "net0.ipv6"));
    assert_false(pattern_matches("net#", "net"));
    assert_false(pattern_matches("log", ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slip_gets_the_near_name),
        cmocka_unit_test(other_word_gets_the_list),
        cmocka_unit_test(long_names_and_lists_stay_in_the_buffer),
        cmocka_unit_test(pattern_stands_for_numbers_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
