/* SPDX-License-Identifier: ISC
 *
 * QEMU's `edu` device for unit tests: registers, factorials, DMA into memory that was granted. It
 * does what it is told when the test lets it (fake_edu_work), and is honest unless a knob is
 * turned. It interrupts by MSI, as QEMU's does, or by its pin. An access that the device doesn't
 * take, or DMA outside of what was granted, ends the test with assert().
 */
#ifndef MOTET_TESTS_FAKE_EDU_H
#define MOTET_TESTS_FAKE_EDU_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/device.h"

enum { FAKE_EDU_BUFFER = 4096 };

struct fake_edu {
    struct device_model model; /* the BAR points here */
    struct device *device;
    uint8_t *granted;
    uint64_t granted_bytes;
    uint32_t id, liveness, factorial, status, raised;
    uint64_t source, destination, count;
    uint32_t command;
    uint8_t buffer[FAKE_EDU_BUFFER];
    bool computing;
    bool message;    /* it has sent one that the test hasn't delivered */
    uint32_t copies; /* so many so far */

    /* Knobs. */
    bool deaf;        /* liveness says what was written */
    bool never_stops; /* the DMA engine says that it works, always */
    bool mute;        /* nothing is ever done */
    bool sudden;      /* works just when it has said why it interrupts, once */
};

/* An honest device, which may reach `memory`. */
struct fake_edu *fake_edu_create(struct device *device, uint8_t *memory, uint64_t bytes);
void fake_edu_destroy(struct fake_edu *fake);

/* It has its pin instead of MSI. Before the driver starts. */
void fake_edu_use_pin(struct fake_edu *fake);

/* Does what it was told. Returns whether it interrupts: a message is told once, a pin is up until
 * the driver has let it go. */
bool fake_edu_work(struct fake_edu *fake);

#endif
