/* SPDX-License-Identifier: ISC
 *
 * All tests' functions, and values that are senseless to some call each.
 */
#ifndef TESTS_USERTESTS_TESTS_H
#define TESTS_USERTESTS_TESTS_H

#include <stdint.h>

enum { HOSTILE_VALUES = 22, SLOT_TESTS_FIRST = 11 };
extern const uint64_t hostile[HOSTILE_VALUES];

#define TEST(name)       void test_##name(void);
#define QEMU(name, text) void test_##name(void);
#include "tests/usertests/tests.def"

/* Of the operation that is the test's argument. */
void test_invoke_on_empty_slot(void);
void test_invoke_on_wrong_type(void);
void test_invoke_without_right(void);
void test_invoke_hostile_arguments(void);

#endif
