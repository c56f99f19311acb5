/* SPDX-License-Identifier: ISC
 *
 * A device's place as people write it. See device.h.
 */
#include "libos/device.h"

#include "libos/format.h"

__attribute__((format(printf, 2, 3))) static void print(char text[DEVICE_TEXT_BYTES],
                                                        const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    format(text, DEVICE_TEXT_BYTES, pattern, arguments);
    va_end(arguments);
}

void device_text(const struct device *device, char text[DEVICE_TEXT_BYTES])
{
    const char *pattern = device->bus_kind == DEVICE_ISA ? "isa 0x%lx" : "mmio 0x%lx";
    if (device->bus_kind == DEVICE_PCI)
        print(text, "0000:%02x:%02x.%x", device->bus, device->slot, device->function);
    else
        print(text, pattern, (unsigned long)device->address);
}
