/* SPDX-License-Identifier: ISC
 *
 * What every driver of the class "clock" (ipc/proto/clock.h) must do, whatever its device: with an
 * honest one, with one that lies, with none. The driver's own test says how its device is made and
 * what it shows, and runs these:
 *
 *     static const struct conform_clock cmos = {.server = &motet_server_cmos_drv, ...};
 *     return conform_clock(&cmos);
 */
#ifndef MOTET_TESTS_CONFORM_CLOCK_H
#define MOTET_TESTS_CONFORM_CLOCK_H

#include "libos/driver/clock.h"
#include "tests/unit/fake_domain.h"

struct conform_clock {
    const struct server *server;

    /* Adds what the manifest gives the driver and a device that is honest; returns what the other
     * functions get. `device` false: the machine has none. */
    void *(*attach)(struct domain *domain, bool device);
    void (*detach)(void *fake);

    /* The device shows this, as it does in format n. */
    void (*show)(void *fake, const struct clock_calendar *shown, uint32_t n);
    uint32_t formats;
    uint32_t year_first, year_last; /* that it can show */
    uint64_t step;                  /* nanoseconds from one thing that it shows to the next */

    /* Before `start`: the device isn't one that can be used, in way n; after it: it breaks its
     * rules, or shows what is no time, in way n. */
    void (*unusable)(void *fake, uint32_t n);
    void (*misbehave)(void *fake, uint32_t n);
    uint32_t unusable_ways, misbehaviours;
};

/* Runs all; 0: it conforms. */
int conform_clock(const struct conform_clock *driver);

#endif
