/* SPDX-License-Identifier: ISC
 *
 * The tests of virtio_conform_test.c, with a server that is replaced before each of its steps:
 * nobody outside may notice (fake_swap.h).
 */
#include "tests/unit/virtio_conform_test.c"
#include "tests/unit/fake_swap.h"

__attribute__((constructor)) static void swap_always(void)
{
    fake_swap_always(1);
}
