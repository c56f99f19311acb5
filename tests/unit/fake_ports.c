/* SPDX-License-Identifier: ISC
 *
 * See fake_ports.h.
 */
#include "tests/unit/fake_ports.h"

#include <assert.h>
#include <stddef.h>

#include "libos/kernel.h"

enum { SLOT = 21 };

static struct {
    struct device_model *model;
    uint16_t first, count;
} attached;

void fake_ports_attach(struct device_model *model, struct device *device, uint16_t first,
                       uint16_t count)
{
    attached.model = model;
    attached.first = first;
    attached.count = count;
    device->bus_kind = DEVICE_ISA;
    device->vendor = DEVICE_VENDOR_PNP;
    device->address = first;
    device->bar[0].ports.slot = SLOT;
    device->bar[0].ports.first = first;
    device->bar[0].size = count;
}

static uint32_t offset_of(uint64_t slot, uint64_t port, uint32_t bytes)
{
    assert(slot == SLOT && attached.model);
    assert(bytes == 1 || bytes == 2 || bytes == 4);
    assert(port >= attached.first && port + bytes <= (uint64_t)attached.first + attached.count);
    return (uint32_t)(port - attached.first);
}

uint32_t kernel_port_in(uint64_t slot, uint64_t port, uint32_t bytes)
{
    uint32_t offset = offset_of(slot, port, bytes);
    return attached.model->read(attached.model, offset, bytes);
}

void kernel_port_out(uint64_t slot, uint64_t port, uint32_t bytes, uint32_t value)
{
    uint32_t offset = offset_of(slot, port, bytes);
    attached.model->write(attached.model, offset, bytes, value);
}
