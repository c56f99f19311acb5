/* SPDX-License-Identifier: ISC
 *
 * Legacy devices (ISA), at ports and on lines that everybody knows: compose has them in a table and
 * writes them into the claims, no two of which have the same. A domain gets a capability for the
 * device's ports and no others, and the line as a signal. Whether the device is there, its driver
 * finds out: a port that nobody is behind reads as ones.
 */
#include "libos/syscall.h"
#include "servers/init/devices.h"

/* A capability for the claim's ports, to read and write and not to divide, in both bodies. */
static enum error ports_give(struct init *init, const struct claim *claim)
{
    const struct image_device *device = claim->device;
    const uint32_t body = init->domain[device->domain].body, slot = slot_new(init);
    const uint8_t rights = RIGHT_READ | RIGHT_WRITE;
    enum error error = sys_invoke(INIT_IOPORTS, OPERATION_ioport_derive, device->port,
                                  device->ports, slot, 0, 0, NULL);
    if (!error)
        error = sys_invoke(init->child[device->domain].captable, OPERATION_captable_copy, slot,
                           claim->slot, rights, 0, 0, NULL);
    if (!error && body)
        error = sys_invoke(init->child[body].captable, OPERATION_captable_copy, slot, claim->slot,
                           rights, 0, 0, NULL);
    return error;
}

static void device_give(struct init *init, struct claim *claim)
{
    const struct image_device *wanted = claim->device;
    struct child *child = &init->child[wanted->domain];
    struct start_device device = {.server = wanted->server,
                                  .irq_bit = SIGNAL_IRQ_FIRST + child->irq_bits};
    device.device.bus_kind = DEVICE_ISA;
    device.device.vendor = DEVICE_VENDOR_PNP;
    device.device.id = wanted->id;
    device.device.address = wanted->port;
    device.device.bar[0].ports.slot = claim->slot;
    device.device.bar[0].ports.first = wanted->port;
    device.device.bar[0].size = wanted->ports;
    enum error error = ports_give(init, claim);
    if (error) {
        console_print("init: ports 0x%x of %s: %s", wanted->port, init->domain[wanted->domain].name,
                      error_text(error));
        return;
    }
    if (wanted->vectors && vector_bind(init, child, wanted->line, NULL))
        device.device.vectors = device.device.pin = 1;
    device_append(init, claim, &device);
}

void isa_give(struct init *init, struct claims *claims)
{
    for (uint32_t i = 0; i < claims->count; i++) {
        struct claim *claim = &claims->claim[i];
        if (!claim->device->ports)
            continue;
        if (init->child[claim->device->domain].devices == START_DEVICES_MAX)
            console_print("init: ports 0x%x: left alone, %s has as many devices as it may",
                          claim->device->port, init->domain[claim->device->domain].name);
        else
            device_give(init, claim);
    }
}
