/* SPDX-License-Identifier: ISC
 *
 * Registers that are I/O ports: see ports.h.
 */
#include "libos/driver/ports.h"

const struct device_bar *driver_ports(struct driver *driver, uint32_t n, uint32_t offset,
                                      uint32_t bytes)
{
    if (driver->device->bus_kind == DEVICE_ISA)
        return driver_bar(driver, n, offset, bytes);
    domain_log(driver->domain, "its registers aren't I/O ports: the manifest's claim must name the "
                               "device by `isa`");
    return NULL;
}
