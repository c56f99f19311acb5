/* SPDX-License-Identifier: ISC
 *
 * A model of the clock of a PC (MC146818A) for unit tests: it shows what the test says, in any of
 * its formats. Between two accesses to it anything can happen: `looked`.
 */
#ifndef MOTET_TESTS_FAKE_CMOS_H
#define MOTET_TESTS_FAKE_CMOS_H

#include <stdbool.h>

#include "libos/device.h"
#include "libos/driver/clock.h"
#include "tests/unit/fake_ports.h"

enum { FAKE_CMOS_BINARY = 1, FAKE_CMOS_24_HOURS = 2, FAKE_CMOS_FORMATS = 4 };

struct fake_cmos {
    struct device_model model;
    uint8_t memory[128];
    uint8_t index;
    bool absent;                            /* all it reads is ones */
    uint32_t updating;                      /* so many looks at register A see it updating */
    uint32_t accesses;                      /* reads of data */
    uint32_t written;                       /* registers that were, each a bit */
    void (*looked)(struct fake_cmos *cmos); /* before a read of data; NULL: nothing */
};

/* A clock that runs and shows 1999-12-31 23:59:59. */
void fake_cmos_init(struct fake_cmos *cmos);

/* The same, as the device's ports. */
static inline void fake_cmos_attach(struct fake_cmos *cmos, struct device *device)
{
    fake_cmos_init(cmos);
    fake_ports_attach(&cmos->model, device, 0x70, 2);
    device->id = 0x0b00;
}

/* It shows this, in a format of FAKE_CMOS_... bits. */
void fake_cmos_show(struct fake_cmos *cmos, const struct clock_calendar *shown, uint32_t format);

#endif
