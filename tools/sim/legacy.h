/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's legacy devices, each at ports that everybody knows. The machine has those
 * that its image claims. Registers are a byte wide: other accesses reach nobody, as ports of a
 * device that isn't there do, and read as ones.
 */
#ifndef TOOLS_SIM_LEGACY_H
#define TOOLS_SIM_LEGACY_H

#include <stdint.h>

#include "ipc/proto/clock.h"

struct legacy_kind {
    uint16_t port, ports; /* the first, and how many */

    void (*start)(void);
    uint32_t (*in)(uint32_t offset);
    void (*out)(uint32_t offset, uint32_t value);
    void (*event)(void);  /* what legacy_later said; NULL: it says nothing */
    void (*honest)(void); /* no more lies */
};
extern const struct legacy_kind cmos_kind, uart_kind;

uint32_t legacy_in(uint64_t port, uint64_t bytes);
void legacy_out(uint64_t port, uint64_t bytes, uint64_t value);

/* The device's event after so many ticks. */
void legacy_later(const struct legacy_kind *kind, uint64_t ticks);

/* The clock's driver has told a client this. */
void cmos_told(const struct clock_time *time);

#endif
