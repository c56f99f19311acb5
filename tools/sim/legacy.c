/* SPDX-License-Identifier: ISC
 *
 * See legacy.h.
 */
#include "tools/sim/legacy.h"

#include "kernel/arch/sim/boot.h"
#include "tools/sim/composition.h"
#include "tools/sim/world.h"

/* In the order of the bits of option `without_isa`. */
static const struct legacy_kind *const kinds[] = {&cmos_kind, &uart_kind};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static uint32_t there; /* which of them, a bit each */

static bool is_claimed(const struct legacy_kind *kind)
{
    const struct image_device *claim = composition_table(sim_image()->devices);
    for (uint32_t i = 0; i < sim_image()->devices.count; i++)
        if (claim[i].ports && claim[i].port == kind->port)
            return true;
    return false;
}

void legacy_start(void)
{
    there = 0;
    for (uint32_t n = 0; n < KINDS; n++) {
        if (!is_claimed(kinds[n]) || world.options.without_isa >> n & 1)
            continue;
        there |= 1u << n;
        kinds[n]->start();
    }
}

void legacy_honest(void)
{
    for (uint32_t n = 0; n < KINDS; n++)
        if (there >> n & 1)
            kinds[n]->honest();
}

void legacy_later(const struct legacy_kind *kind, uint64_t ticks)
{
    for (uint32_t n = 0; n < KINDS; n++)
        if (kinds[n] == kind)
            event_add(ticks, EVENT_LEGACY, n);
}

void legacy_event(uint32_t n)
{
    kinds[n]->event();
}

/* NULL: nobody is behind the port. */
static const struct legacy_kind *behind(uint64_t port, uint64_t bytes)
{
    for (uint32_t n = 0; n < KINDS; n++)
        if (there >> n & 1 && port - kinds[n]->port < kinds[n]->ports && bytes == 1)
            return kinds[n];
    return NULL;
}

uint32_t legacy_in(uint64_t port, uint64_t bytes)
{
    const struct legacy_kind *kind = behind(port, bytes);
    return kind ? kind->in((uint32_t)(port - kind->port)) : 0xff;
}

void legacy_out(uint64_t port, uint64_t bytes, uint64_t value)
{
    const struct legacy_kind *kind = behind(port, bytes);
    if (kind)
        kind->out((uint32_t)(port - kind->port), (uint8_t)value);
}
