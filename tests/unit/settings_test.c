/* SPDX-License-Identifier: ISC
 *
 * Boot settings as text: servers/init/settings.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <cmocka.h>

#include "servers/init/settings.h"

static void words_with_an_equals_sign_are_settings(void **state)
{
    struct settings s = {0};
    (void)state;
    assert_true(settings_add_words(&s, "motet.elf net0.ip=10.1.2.3/8  quiet net0.gw=10.1.2.1"));
    assert_string_equal(settings_get(&s, "net0.ip"), "10.1.2.3/8");
    assert_string_equal(settings_get(&s, "net0.gw"), "10.1.2.1");
    assert_null(settings_get(&s, "quiet"));
    assert_null(settings_get(&s, "net0"));
}

static void a_value_may_hold_equals_signs_or_nothing(void **state)
{
    struct settings s = {0};
    (void)state;
    assert_true(settings_add_words(&s, "a=b=c empty= =nokey"));
    assert_string_equal(settings_get(&s, "a"), "b=c");
    assert_string_equal(settings_get(&s, "empty"), "");
    assert_null(settings_get(&s, ""));
}

static void the_last_one_of_a_key_wins(void **state)
{
    struct settings s = {0};
    (void)state;
    assert_true(settings_add_words(&s, "a=1"));
    assert_true(settings_add(&s, "a", 1, "2", 1));
    assert_string_equal(settings_get(&s, "a"), "2");
}

static void what_does_not_fit_is_refused_and_the_rest_kept(void **state)
{
    struct settings s = {0};
    char *long_value = calloc(1, SETTINGS_BYTES + 1);
    (void)state;
    for (int i = 0; i < SETTINGS_BYTES; i++)
        long_value[i] = 'x';
    assert_true(settings_add(&s, "a", 1, "1", 1));
    assert_false(settings_add(&s, "b", 1, long_value, SETTINGS_BYTES));
    assert_false(settings_add(&s, "b", 1, long_value, SETTINGS_BYTES - 5));
    assert_false(settings_add(&s, "b", 1, long_value, UINT32_MAX));
    assert_true(settings_add(&s, "b", 1, long_value, SETTINGS_BYTES - 4 - 3));
    assert_int_equal(s.used, SETTINGS_BYTES);
    assert_false(settings_add(&s, "", 0, "", 0));
    assert_string_equal(settings_get(&s, "a"), "1");
    assert_int_equal(settings_get(&s, "b")[0], 'x');
    free(long_value);
}

static void a_hash_stands_for_digits(void **state)
{
    (void)state;
    assert_true(setting_matches("net#.ip", "net0.ip", 7));
    assert_true(setting_matches("net#.ip", "net12.ip", 8));
    assert_false(setting_matches("net#.ip", "net.ip", 6));
    assert_false(setting_matches("net#.ip", "netx.ip", 7));
    assert_false(setting_matches("net#.ip", "net0.ipx", 8));
    assert_false(setting_matches("net#.ip", "net0.i", 6));
    assert_true(setting_matches_any("a\0net#.ip\0", "net3.ip=1", 7));
    assert_false(setting_matches_any("", "net3.ip=1", 7));
}

static void entries_are_appended_while_there_is_room(void **state)
{
    char text[16] = {0};
    (void)state;
    assert_true(setting_append(text, sizeof(text), "a=1"));
    assert_true(setting_append(text, sizeof(text), "bcdef=12"));
    assert_string_equal(text + 4, "bcdef=12");
    assert_int_equal(text[13], 0);
    assert_false(setting_append(text, sizeof(text), "c=3"));
    assert_true(setting_append(text, sizeof(text), "d"));
    assert_false(setting_append(text, sizeof(text), ""));
}

static void a_number_is_that_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(setting_number("1", 16), 1);
    assert_int_equal(setting_number("16", 16), 16);
    assert_int_equal(setting_number("0016", 16), 16);
    assert_int_equal(setting_number("9999999", 9999999), 9999999);
    const char *const bad[] = {"",   "0",   "17",  "160", "x",
                               "-1", "1.5", "10s", " 1",  "99999999999999999999999"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
        assert_int_equal(setting_number(bad[i], 16), 0);
    assert_int_equal(setting_number("18446744073709551617", 1ull << 59), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_with_an_equals_sign_are_settings),
        cmocka_unit_test(a_value_may_hold_equals_signs_or_nothing),
        cmocka_unit_test(the_last_one_of_a_key_wins),
        cmocka_unit_test(what_does_not_fit_is_refused_and_the_rest_kept),
        cmocka_unit_test(a_hash_stands_for_digits),
        cmocka_unit_test(entries_are_appended_while_there_is_room),
        cmocka_unit_test(a_number_is_that_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
