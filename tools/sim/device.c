/* SPDX-License-Identifier: ISC
 *
 * See device.h. Which devices a machine has follows from what the image claims.
 */
#include "tools/sim/device.h"

#include <assert.h>
#include <string.h>

#include "kernel/arch/sim/boot.h"
#include "kernel/panic.h"
#include "tools/sim/composition.h"
#include "tools/sim/virtio.h"

enum {
    SLOT_FIRST = 3, /* of the PCI bus */
    TICKS_PER_MICROSECOND = 1000,
};

extern const struct virtio_kind nic_kind, disk_kind, rng_kind;
extern const struct device_kind e1000_kind;
static const struct device_kind *const kinds[] = {&nic_kind.device, &disk_kind.device,
                                                  &rng_kind.device, &e1000_kind};
enum { KINDS = sizeof(kinds) / sizeof(kinds[0]) };

static struct machine_device devices[KINDS];

/* What a model asserts of its driver, the C library's way: then the run has failed, and is repeated
 * and shrunk as any other that does. */
void __assert_fail(const char *assertion, const char *file, unsigned int line, const char *function)
{
    panic("%s:%u: %s: %s", file, line, function, assertion);
}

struct machine_device *device_card(void)
{
    for (struct machine_device *d = devices; d < devices + KINDS; d++)
        if (d->kind && d->kind->receive)
            return d;
    return NULL;
}

static struct machine_device *device_number(uint32_t n)
{
    return n < KINDS && devices[n].kind ? &devices[n] : NULL;
}

static uint64_t a_while(void)
{
    return random_below(world.options.late * (uint64_t)TICKS_PER_MICROSECOND + 1) + 100;
}

void device_later(struct machine_device *d, enum event_kind kind)
{
    if (d->due >> kind & 1)
        return;
    d->due |= 1u << kind;
    event_add(a_while(), kind, (uint32_t)(d - devices));
}

void device_interrupts(struct machine_device *d)
{
    if (d->function.device.pin)
        return;
    function_send(&d->function, d->kind->interface->messages(d));
    if (d->function.lost && !d->kind->hears_others)
        device_later(d, EVENT_REPEAT);
}

void device_tempt(struct machine_device *d)
{
    if (chance(world.options.card_lies))
        event_add(a_while(), EVENT_MISCHIEF, (uint32_t)(d - devices));
}

void devices_honest(void)
{
    for (struct machine_device *d = devices; d < devices + KINDS && world.count.lies; d++) {
        if (!d->kind)
            continue;
        d->kind->interface->honest(d);
        device_interrupts(d);
    }
}

/* --- events --- */

void device_event(enum event_kind kind, uint32_t number)
{
    struct machine_device *d = device_number(number);
    if (kind != EVENT_MISCHIEF)
        d->due &= ~(1u << kind);
    switch (kind) {
    case EVENT_MISCHIEF:
        if (world.phase == PHASE_FAULTS)
            d->kind->interface->mischief(d);
        break;
    case EVENT_REPEAT:
        function_repeat(&d->function);
        break;
    default:
        d->kind->interface->event(d, kind);
    }
    device_interrupts(d);
}

/* --- what a processor reaches --- */

uint32_t device_config_read(uint32_t slot, uint32_t offset)
{
    const struct machine_device *d = device_number(slot - SLOT_FIRST);
    return d ? function_config_read(&d->function, offset) : UINT32_MAX;
}

void device_config_write(uint32_t slot, uint32_t offset, uint32_t value)
{
    struct machine_device *d = device_number(slot - SLOT_FIRST);
    if (d)
        function_config_write(&d->function, offset, value);
}

static bool is_register(const struct machine_device *d, uint64_t physical, uint32_t *offset)
{
    return function_bar(&d->function, d->kind->interface->registers.bar, physical, offset);
}

uint32_t device_register_read(uint64_t physical, uint32_t bytes)
{
    uint32_t offset;
    for (struct machine_device *d = devices; d < devices + KINDS; d++) {
        if (!d->kind || !is_register(d, physical, &offset))
            continue;
        struct device_model *model = d->kind->interface->model(d);
        return model->read(model, offset, bytes);
    }
    return UINT32_MAX;
}

static void register_write(struct machine_device *d, uint32_t offset, uint32_t bytes,
                           uint32_t value)
{
    struct device_model *model = d->kind->interface->model(d);
    model->write(model, offset, bytes, value);
    d->kind->interface->written(d);
    device_interrupts(d);
}

void device_register_write(uint64_t physical, uint32_t bytes, uint32_t value)
{
    uint32_t offset;
    for (struct machine_device *d = devices; d < devices + KINDS; d++) {
        if (!d->kind)
            continue;
        if (is_register(d, physical, &offset))
            register_write(d, offset, bytes, value);
        else if (function_bar(&d->function, FUNCTION_MSIX_BAR, physical, &offset) && bytes == 4)
            function_msix_write(&d->function, offset, value);
    }
}

uint32_t device_pins(void)
{
    uint32_t lines = 0;
    for (const struct machine_device *d = devices; d < devices + KINDS; d++)
        if (d->kind && d->function.device.pin && d->kind->interface->pin(d))
            lines |= 1u << d->function.line;
    return lines;
}

/* --- */

static bool is_meant(const struct image_device *claim, const struct device_kind *kind)
{
    enum { VIRTIO_VENDOR = 0x1af4 };
    if (claim->virtio)
        return kind->vendor == VIRTIO_VENDOR && kind->type == claim->virtio;
    return claim->vendor == kind->vendor && claim->id <= kind->id && claim->id_last >= kind->id;
}

static bool is_claimed(const struct device_kind *kind)
{
    const struct image_device *claim = composition_table(sim_image()->devices);
    for (uint32_t i = 0; i < sim_image()->devices.count; i++)
        if (is_meant(&claim[i], kind))
            return true;
    return false;
}

static void device_start(struct machine_device *d, const struct device_kind *kind)
{
    d->kind = kind;
    kind->interface->start(d);
    function_start(&d->function, (uint32_t)(d - devices), kind->vectors,
                   &kind->interface->registers);
}

void devices_start(void)
{
    memset(devices, 0, sizeof(devices));
    for (uint32_t n = 0; n < KINDS; n++)
        if (is_claimed(kinds[n]) && !(world.options.without >> kinds[n]->type & 1))
            device_start(&devices[n], kinds[n]);
}
