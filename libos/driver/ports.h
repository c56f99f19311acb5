/* SPDX-License-Identifier: ISC
 *
 * Registers that are I/O ports, for registers.h.
 */
#ifndef MOTET_LIBOS_DRIVER_PORTS_H
#define MOTET_LIBOS_DRIVER_PORTS_H

#include "libos/driver/driver.h"
#include "libos/ports.h"

/* The ports of BAR `n`, if the device has `bytes` of them at `offset`; else NULL, and the log says
 * what there is. */
const struct device_bar *driver_ports(struct driver *driver, uint32_t n, uint32_t offset,
                                      uint32_t bytes);

static inline uint8_t ports_read_8(const struct device_bar *bar, uint32_t offset)
{
    return (uint8_t)port_read(bar, offset, 1);
}

static inline uint16_t ports_read_16(const struct device_bar *bar, uint32_t offset)
{
    return (uint16_t)port_read(bar, offset, 2);
}

static inline uint32_t ports_read_32(const struct device_bar *bar, uint32_t offset)
{
    return port_read(bar, offset, 4);
}

static inline uint64_t ports_read_64(const struct device_bar *bar, uint32_t offset)
{
    uint64_t low = ports_read_32(bar, offset);
    return low | (uint64_t)ports_read_32(bar, offset + 4) << 32;
}

static inline void ports_write_8(const struct device_bar *bar, uint32_t offset, uint8_t value)
{
    port_write(bar, offset, 1, value);
}

static inline void ports_write_16(const struct device_bar *bar, uint32_t offset, uint16_t value)
{
    port_write(bar, offset, 2, value);
}

static inline void ports_write_32(const struct device_bar *bar, uint32_t offset, uint32_t value)
{
    port_write(bar, offset, 4, value);
}

static inline void ports_write_64(const struct device_bar *bar, uint32_t offset, uint64_t value)
{
    ports_write_32(bar, offset, (uint32_t)value);
    ports_write_32(bar, offset + 4, (uint32_t)(value >> 32));
}

#endif
