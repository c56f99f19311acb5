/* SPDX-License-Identifier: ISC
 *
 * Tests that must fail, each by name and in its own way, while the others run on: what shows that
 * usertests can fail (usertests.planted). The first one passes.
 */
#include "libos/kernel.h"
#include "tests/usertests/supervisor.h"

static void passes(void)
{
    must(sys_yield());
}

static void fails(void)
{
    refused(MORE, sys_yield());
}

static void faults(void)
{
    kernel_stop(0);
}

static void other_fault(void)
{
    expect_fault(FAULT_PAGE, PLACE);
    kernel_stop(0);
}

static void other_address(void)
{
    expect_fault(FAULT_PAGE, PLACE);
    *(volatile uint8_t *)(PLACE + 1) = 0;
}

static void hangs(void)
{
    for (;;)
        sys_yield();
}

static void waits_for_ever(void)
{
    for (;;)
        ut_wait(make(OBJECT_port, 1), 0, 0, NULL);
}

const struct test planted_tests[] = {
    {.name = "passes", .function = passes},
    {.name = "fails", .function = fails},
    {.name = "faults", .function = faults},
    {.name = "other_fault", .function = other_fault},
    {.name = "other_address", .function = other_address},
    {.name = "hangs", .function = hangs},
    {.name = "waits_for_ever", .function = waits_for_ever},
    {.name = "passes_after_all", .function = passes},
};
const uint64_t planted_count = COUNT(planted_tests);
