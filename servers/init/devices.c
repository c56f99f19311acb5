/* SPDX-License-Identifier: ISC
 *
 * Claims of the manifest, and what a domain gets of a device. See devices.h.
 */
#include "servers/init/devices.h"

#include <string.h>

#include "libos/syscall.h"
#include "servers/init/mmio_word.h"

static bool claim_fits(const struct claim *claim, struct identity identity)
{
    const struct image_device *wanted = claim->device;
    if (wanted->virtio)
        return wanted->virtio == identity.virtio;
    return identity.vendor && wanted->vendor == identity.vendor && identity.id >= wanted->id &&
           identity.id <= wanted->id_last;
}

struct claim *claim_find(struct init *init, struct claims *claims, struct identity identity,
                         const char *name)
{
    struct claim *full = NULL;
    for (uint32_t i = 0; i < claims->count; i++) {
        struct claim *claim = &claims->claim[i];
        if (!claim_fits(claim, identity))
            continue;
        if (claim->given < claim->device->most &&
            init->child[claim->device->domain].devices < START_DEVICES_MAX) {
            claim->given++;
            return claim;
        }
        full = claim;
    }
    if (full)
        console_print("init: %s: left alone, %s has as many devices as its manifest allows", name,
                      init->domain[full->device->domain].name);
    return NULL;
}

bool containment_allows(struct init *init, struct claim *claim, bool contained, const char *name)
{
    const char *domain = init->domain[claim->device->domain].name;
    if (contained)
        return true;
    if (claim->device->contained) {
        console_print("init: %s: not given to %s, whose manifest wants its DMA contained", name,
                      domain);
        claim->given--;
        return false;
    }
    if (dma_contained(init))
        console_print("init: %s of %s: its DMA isn't contained", name, domain);
    return true;
}

/* How far the addresses of a domain's second body are from its own: 0, but in the simulator, where
 * no two domains have the same. */
static uint64_t body_distance(const struct init *init, uint32_t domain)
{
    return start_address(init, init->domain[domain].body) - start_address(init, domain);
}

void registers_give(struct init *init, struct claim *claim, struct device_bar *bar,
                    uint64_t physical, uint64_t size)
{
    const struct child *child = &init->child[claim->device->domain];
    const uint32_t body = init->domain[claim->device->domain].body;
    uint64_t inside = physical % PAGE_BYTES;
    uint64_t pages = (inside + size + PAGE_BYTES - 1) / PAGE_BYTES;
    if (pages > PAGE_RUN_MAX)
        pages = PAGE_RUN_MAX; /* the first 2 MiB: registers lie there */
    uint32_t page = object_make_device(init, physical - inside, pages);
    if (!page) {
        console_print("init: registers at 0x%lx lie outside device memory",
                      (unsigned long)physical);
        return;
    }
    object_share(init, page, RIGHT_READ | RIGHT_WRITE, child->space, claim->address,
                 child->captable, claim->slot);
    if (body)
        object_share(init, page, RIGHT_READ | RIGHT_WRITE, init->child[body].space,
                     claim->address + body_distance(init, claim->device->domain),
                     init->child[body].captable, claim->slot);
    claim->slot++;
    bar->base = (volatile uint8_t *)(claim->address + inside);
    bar->size = size < pages * PAGE_BYTES - inside ? size : pages * PAGE_BYTES - inside;
    claim->address += (pages + 1) * PAGE_BYTES; /* and a page between */
}

/* Takes the pin over from another device of the domain that has it. */
static void pin_share(struct init *init, uint32_t domain, uint32_t line, struct start_device *out)
{
    struct start_page *start = start_page_open(init, domain);
    for (uint32_t i = 0; i < start->devices; i++)
        if (start->device[i].device.pin && start->device[i].device.line == line) {
            out->irq_bit = start->device[i].irq_bit;
            out->irq_slot = start->device[i].irq_slot;
            out->device.pin = out->device.vectors = 1;
        }
    start_page_close(init, domain);
}

void pin_give(struct init *init, struct claim *claim, uint32_t line, struct start_device *out,
              const char *name)
{
    struct child *child = &init->child[claim->device->domain];
    const uint32_t body = init->domain[claim->device->domain].body;
    if (line == 0 || line >= LINES)
        return;
    out->device.line = (uint8_t)line;
    pin_share(init, claim->device->domain, line, out);
    if (out->device.pin || child->irq_bits == SIGNAL_IRQS)
        return;
    uint32_t irq = slot_new(init), bit = SIGNAL_IRQ_FIRST + child->irq_bits;
    enum error error =
        sys_invoke(INIT_IRQS, OPERATION_irq_derive, init->next_vector++, irq, 0, 0, 0, NULL);
    if (!error)
        error =
            sys_invoke(irq, OPERATION_irq_bind, child->port, bit, line | IRQ_PIN_LEVEL, 0, 0, NULL);
    if (!error)
        error = sys_invoke(child->captable, OPERATION_captable_copy, irq, claim->slot, RIGHT_SIGNAL,
                           0, 0, NULL);
    if (!error && body)
        error = sys_invoke(init->child[body].captable, OPERATION_captable_copy, irq, claim->slot,
                           RIGHT_SIGNAL, 0, 0, NULL);
    if (error) {
        console_print("init: %s: interrupt line %u: %s", name, line, error_text(error));
        return;
    }
    child->irq_bits++;
    out->irq_bit = bit;
    out->irq_slot = (uint16_t)claim->slot++;
    out->device.pin = out->device.vectors = 1;
}

bool vector_bind(struct init *init, struct child *child, uint64_t how, struct invoked *message)
{
    uint32_t irq = slot_new(init), bit = SIGNAL_IRQ_FIRST + child->irq_bits;
    if (child->irq_bits == SIGNAL_IRQS ||
        sys_invoke(INIT_IRQS, OPERATION_irq_derive, init->next_vector++, irq, 0, 0, 0, NULL) ||
        sys_invoke(irq, OPERATION_irq_bind, child->port, bit, how, 0, 0, message))
        return false;
    child->irq_bits++;
    return true;
}

static void append(struct init *init, uint32_t domain, const struct start_device *device,
                   uint64_t distance)
{
    struct start_page *start = start_page_open(init, domain);
    struct start_device *to = &start->device[start->devices++];
    *to = *device;
    for (uint32_t i = 0; i < DEVICE_BARS; i++)
        if (to->device.bar[i].base && to->device.bus_kind != DEVICE_ISA)
            to->device.bar[i].base += distance;
    start_page_close(init, domain);
}

void device_append(struct init *init, struct claim *claim, const struct start_device *device)
{
    const uint32_t domain = claim->device->domain;
    append(init, domain, device, 0);
    if (init->domain[domain].body)
        append(init, init->domain[domain].body, device, body_distance(init, domain));
    init->child[domain].devices++;
}

static void check_required(const struct init *init, const struct claims *claims)
{
    for (uint32_t i = 0; i < claims->count; i++) {
        const struct image_device *device = claims->claim[i].device;
        const char *name = init->domain[device->domain].name;
        if (!device->required || claims->claim[i].given)
            continue;
        if (device->virtio)
            init_fail("no virtio device of type %u for %s (QEMU: -device ...)", device->virtio,
                      name);
        init_fail("no device %x:%x for %s (QEMU: -device ...)", device->vendor, device->id, name);
    }
}

void devices_grant(struct init *init)
{
    const struct image_device *device =
        (const void *)((const char *)init->image + init->image->devices.offset);
    struct claims claims = {.count = init->image->devices.count};
    if (claims.count > CLAIMS_MAX)
        init_fail("the image claims devices %u times, %u is the limit", claims.count, CLAIMS_MAX);
    for (uint32_t i = 0; i < claims.count; i++)
        claims.claim[i] = (struct claim){
            .device = &device[i], .address = device[i].address, .slot = device[i].slot};
    if (!claims.count)
        return;
    dma_start(init);
    bool pci = pci_scan(init, &claims), mmio = mmio_scan(init, &claims);
    if (!pci && !mmio)
        console_print("init: no PCI, and no %s on the command line: no devices%s (QEMU: -machine "
                      "microvm,acpi=off)",
                      MMIO_WORD_KEY, isa_give ? " but legacy ones" : "");
    if (isa_give)
        isa_give(init, &claims);
    check_required(init, &claims);
}
