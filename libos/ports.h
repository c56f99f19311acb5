/* SPDX-License-Identifier: ISC
 *
 * Registers behind I/O ports: device_read and device_write (device.h) for a BAR that is ports. Each
 * access is a call of the kernel, which looks whether the domain's capability covers it. Of no cost
 * to drivers whose registers are memory: which of both a block of registers is in is settled when
 * it is compiled (driver/registers.h).
 */
#ifndef MOTET_LIBOS_PORTS_H
#define MOTET_LIBOS_PORTS_H

#include "libos/device.h"
#include "libos/kernel.h"

static inline uint32_t port_read(const struct device_bar *bar, uint32_t offset, uint32_t bytes)
{
    return kernel_port_in(bar->ports.slot, bar->ports.first + offset, bytes);
}

static inline void port_write(const struct device_bar *bar, uint32_t offset, uint32_t bytes,
                              uint32_t value)
{
    kernel_port_out(bar->ports.slot, bar->ports.first + offset, bytes, value);
}

#endif
