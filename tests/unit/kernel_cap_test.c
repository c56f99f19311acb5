/* SPDX-License-Identifier: ISC
 *
 * kernel/cap.c, kernel/captable.c: deriving, moving, removing; and that removing always ends.
 */
#include "tests/unit/kernel_machine.h"

static int setup(void **state)
{
    (void)state;
    machine_create();
    return 0;
}

static void rights_never_grow(void **state)
{
    (void)state;
    uint32_t page = make(OBJECT_page, 1);
    assert_int_equal(INVOKE(SLOT_TABLE, captable_copy, page, 100, RIGHT_READ | RIGHT_DMA), OK);
    assert_int_equal(INVOKE(SLOT_TABLE, captable_copy, 100, 101, RIGHT_ALL), OK);
    assert_int_equal(cap_at(101)->rights, RIGHT_READ | RIGHT_DMA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(rights_never_grow, setup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
