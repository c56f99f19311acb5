/* SPDX-License-Identifier: ISC
 *
 * netd, but the first of its records has a version that the usual one doesn't write: for tests of
 * swaps.
 */
#define VARIANT_RECORDS
#include "tests/servers/ttl/whole.h"

static const struct state_record newer[] = {
    {.name = "stack",
     .id = 1,
     .version = 2,
     .bytes_max = sizeof(struct saved_stack),
     .save = stack_save,
     .load = stack_load},
};
__attribute__((section("motet_swaps"), used, aligned(8))) static const struct server_swap swap = {
    .server = &motet_server_netd, .records = newer, .record_count = 1, .loaded = netd_loaded};

VARIANT("newer", netd_start, netd_receive);
