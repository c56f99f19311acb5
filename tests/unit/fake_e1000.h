/* SPDX-License-Identifier: ISC
 *
 * An Intel 8254x network card for unit tests: registers, both rings, its pin. It is honest unless a
 * knob is turned. An access that makes no sense, or DMA outside of what was granted, ends the test
 * with assert().
 */
#ifndef MOTET_TESTS_FAKE_E1000_H
#define MOTET_TESTS_FAKE_E1000_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/device.h"
#include "servers/e1000_drv/registers.h"

enum { FAKE_E1000_REGIONS = 8, FAKE_E1000_FRAME = 16384 };

struct fake_e1000 {
    struct device_model model; /* the BAR points here */
    struct device *device;
    struct {
        uint64_t address; /* the device's */
        uint8_t *base;
        uint64_t bytes;
    } region[FAKE_E1000_REGIONS];
    uint32_t regions;
    uint32_t control, causes, mask, rx_control, tx_control;
    uint64_t rx_base, tx_base;
    uint32_t rx_bytes, rx_head, rx_tail, tx_bytes, tx_head, tx_tail;
    uint32_t address_low, address_high;
    bool link;

    /* Knobs. */
    bool never_resets;
};

/* An honest device with a link. */
struct fake_e1000 *fake_e1000_create(struct device *device);
void fake_e1000_init(struct fake_e1000 *fake, struct device *device); /* where one lies */
void fake_e1000_destroy(struct fake_e1000 *fake);

/* Memory that the device may reach: at its own address, at another. */
void fake_e1000_grant(struct fake_e1000 *fake, void *memory, uint64_t bytes);
void fake_e1000_grant_at(struct fake_e1000 *fake, uint64_t address, void *memory, uint64_t bytes);

/* Puts a frame into the driver's next buffer, saying that it has so many bytes and that status.
 * False: it has none. */
bool fake_e1000_receive(struct fake_e1000 *fake, const uint8_t *frame, uint32_t bytes,
                        uint32_t said, uint8_t status);

/* A frame comes spoiled (3.2.3.2), and takes a buffer. False: there is none. */
bool fake_e1000_spoil(struct fake_e1000 *fake);

/* Takes the next frame to send; its length, 0: there is none. */
uint32_t fake_e1000_transmit(struct fake_e1000 *fake, uint8_t frame[FAKE_E1000_FRAME]);

/* Whether it holds its pin up. */
static inline bool fake_e1000_interrupts(const struct fake_e1000 *fake)
{
    return fake->causes & fake->mask;
}

void fake_e1000_set_link(struct fake_e1000 *fake, bool up);

#endif
