/* SPDX-License-Identifier: ISC
 *
 * The list of tests, from calls.def and tests.def.
 */
#include "tests/usertests/tests.h"

#include "tests/usertests/supervisor.h"

#define OF(object, operation, what)                                                                \
    {.name = #object "_" #operation "_" #what,                                                     \
     .function = test_invoke_##what,                                                               \
     .argument = OPERATION_##object##_##operation},

const struct test tests[] = {
#define OPERATION(object, name, ...)                                                               \
    OF(object, name, on_empty_slot)                                                                \
    OF(object, name, on_wrong_type)                                                                \
    OF(object, name, without_right) OF(object, name, hostile_arguments)
#include "motet/calls.def"
#define TEST(test)       {.name = #test, .function = test_##test},
#define ROOT(test)       {.name = #test, .function = test_##test, .root = true},
#define QEMU(test, text) {.name = #test, .function = test_##test, .only_in_qemu = text},
#include "tests/usertests/tests.def"
};
const uint64_t test_count = COUNT(tests);
