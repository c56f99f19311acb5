/* SPDX-License-Identifier: ISC
 *
 * I/O ports for unit tests of drivers, in the place of libos/kernel_calls.c: each access goes to
 * the model of the device that the slot's capability is for. One that the capability doesn't cover
 * ends the test with assert().
 */
#ifndef MOTET_TESTS_FAKE_PORTS_H
#define MOTET_TESTS_FAKE_PORTS_H

#include "libos/device.h"

/* The device gets the ports as bar[0]; the model sees offsets from the first. One at a time. */
void fake_ports_attach(struct device_model *model, struct device *device, uint16_t first,
                       uint16_t count);

#endif
