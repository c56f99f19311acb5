/* SPDX-License-Identifier: ISC
 *
 * A BAR for unit tests of drivers that behaves like memory: what was written last is read. Accesses
 * outside of it, or not aligned to their width, end the test with assert(). Hooks let a test be the
 * device.
 */
#ifndef MOTET_TESTS_FAKE_BAR_H
#define MOTET_TESTS_FAKE_BAR_H

#include <assert.h>
#include <string.h>

#include "libos/device.h"

enum { FAKE_BAR_MAX = 4096 };

struct fake_bar {
    struct device_model model; /* the BAR points here */
    uint8_t memory[FAKE_BAR_MAX];
    uint32_t accesses, width;                             /* of the last one */
    void (*wrote)(struct fake_bar *bar, uint32_t offset); /* after a write; NULL: nothing */
};

static inline uint32_t fake_bar_read(struct device_model *model, uint32_t offset, uint32_t bytes)
{
    struct fake_bar *bar = (struct fake_bar *)model;
    uint32_t value = 0;
    assert(bytes <= 4 && offset <= FAKE_BAR_MAX - bytes && offset % bytes == 0);
    memcpy(&value, bar->memory + offset, bytes);
    bar->accesses++;
    bar->width = bytes;
    return value;
}

static inline void fake_bar_write(struct device_model *model, uint32_t offset, uint32_t bytes,
                                  uint32_t value)
{
    struct fake_bar *bar = (struct fake_bar *)model;
    assert(bytes <= 4 && offset <= FAKE_BAR_MAX - bytes && offset % bytes == 0);
    memcpy(bar->memory + offset, &value, bytes);
    bar->accesses++;
    bar->width = bytes;
    if (bar->wrote)
        bar->wrote(bar, offset);
}

/* Puts it into the device's place `n`. */
static inline void fake_bar_attach(struct fake_bar *bar, struct device *device, uint32_t n)
{
    memset(bar, 0, sizeof(*bar));
    bar->model = (struct device_model){fake_bar_read, fake_bar_write};
    device->bar[n] = (struct device_bar){.base = (volatile uint8_t *)bar, .size = FAKE_BAR_MAX};
}

#endif
