/* SPDX-License-Identifier: ISC
 *
 * See torn.h.
 */
#include "tools/sim/torn.h"

#include <stddef.h>

#include "kernel/arch/sim/user.h"
#include "tools/sim/world.h"

enum { TORN_RANGES = 32, MILLION = 1000000 };

static struct {
    uint32_t ranges;
    struct {
        uint64_t begin, bytes;
        uint8_t *memory;
    } range[TORN_RANGES];
    uint64_t random;
} torn;

static uint64_t torn_random(void)
{
    torn.random ^= torn.random << 13;
    torn.random ^= torn.random >> 7;
    torn.random ^= torn.random << 17;
    return torn.random >> 11;
}

/* User code is about to read at `address`. Runs inside it: touches nothing else of the machine. */
static void before_read(uint64_t address)
{
    for (uint32_t i = 0; i < torn.ranges; i++) {
        uint64_t at = address - torn.range[i].begin;
        if (at >= torn.range[i].bytes)
            continue;
        if (torn_random() % MILLION < world.options.torn)
            torn.range[i].memory[at] =
                torn_random() & 1 ? (uint8_t)torn_random() : (uint8_t) - (torn_random() & 1);
        return;
    }
}

void torn_reset(void)
{
    torn.ranges = 0;
    if (!torn.random)
        torn.random = world.options.seed * 0x9e3779b97f4a7c15ull + 1;
    sim_user_reads = NULL;
}

void torn_add(uint64_t address, const void *memory, uint64_t bytes)
{
    if (!world.options.torn || torn.ranges == TORN_RANGES)
        return;
    torn.range[torn.ranges].begin = address;
    torn.range[torn.ranges].bytes = bytes;
    torn.range[torn.ranges++].memory = (uint8_t *)(uintptr_t)memory;
    sim_user_reads = before_read;
}
