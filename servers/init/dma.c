/* SPDX-License-Identifier: ISC
 *
 * DMA: with an IOMMU each domain that claims devices has a DMA space. It maps what the manifest
 * grants that domain with `dma`, at physical addresses, which is what drivers are told; its devices
 * are assigned to it before they may become bus masters. A device that reaches for anything else is
 * stopped: it is a bus master no more.
 */
#include "libos/kernel.h"
#include "libos/syscall.h"
#include "servers/init/devices.h"

enum {
    FAULTS_AT_ONCE = 64, /* taken in a row; then init does something else */
    STRANGERS_TOLD = 8,  /* faults of devices that nobody has, in words */
    FAULT_NO_ROOT = 1,   /* reasons (VT-d specification, appendix A): nobody has the device */
    FAULT_NO_CONTEXT = 2,
};

bool dma_contained(const struct init *init)
{
    return init->boot->iommu_slot;
}

void dma_space_make(struct init *init, uint32_t domain)
{
    const struct image_device *device =
        (const void *)((const char *)init->image + init->image->devices.offset);
    bool claims = false;
    for (uint32_t i = 0; i < init->image->devices.count; i++)
        claims |= device[i].domain == domain;
    if (claims && dma_contained(init))
        init->child[domain].dmaspace = object_make(init, OBJECT_dmaspace, DMASPACE_PAGES);
}

void dma_map(struct init *init, uint32_t slot, uint32_t domain)
{
    const uint8_t rights = RIGHT_READ | RIGHT_WRITE;
    struct invoked info;
    if (!init->child[domain].dmaspace)
        return;
    const char *name = init->domain[domain].name;
    uint32_t copy = object_copy(init, slot, rights | RIGHT_DMA, "DMA space", name);
    init_check(sys_invoke(copy, OPERATION_page_info, 0, 0, 0, 0, 0, &info), "DMA space", name);
    object_map(init, copy, init->child[domain].dmaspace, info.a[0], rights);
}

bool dma_assign(struct init *init, uint32_t domain, uint16_t source, const char *name)
{
    struct child *child = &init->child[domain];
    enum error error = OK;
    if (!dma_contained(init))
        return true;
    do
        error = sys_invoke(init->boot->iommu_slot, OPERATION_iommu_assign, source, child->dmaspace,
                           0, 0, 0, NULL);
    while (error == ERROR_MORE);
    if (error)
        console_print("init: %s: left alone, the IOMMU can't contain it: %s", name,
                      error_text(error));
    else
        child->sources[child->devices] = source;
    return !error;
}

void dma_start(struct init *init)
{
    if (!dma_contained(init)) {
        console_print("init: DMA isn't contained: no IOMMU (QEMU: -machine q35 -device "
                      "intel-iommu)");
        return;
    }
    uint32_t irq = slot_new(init);
    enum error error =
        sys_invoke(INIT_IRQS, OPERATION_irq_derive, init->next_vector++, irq, 0, 0, 0, NULL);
    if (!error)
        error = sys_invoke(irq, OPERATION_irq_bind, init->port, DMA_BIT, IRQ_PIN_IOMMU, 0, 0, NULL);
    console_print("init: DMA is contained by VT-d; interrupts aren't: no interrupt remapping");
    if (error)
        console_print("init: DMA faults aren't reported: %s", error_text(error));
}

/* Whose device that is; NULL: nobody's. *bit is its place among those of the domain. */
static struct child *owner_of(struct init *init, uint16_t source, uint32_t *domain, uint32_t *bit)
{
    for (*domain = 1; *domain < init->image->domains.count; ++*domain)
        for (*bit = 0; *bit < init->child[*domain].devices; ++*bit)
            if (init->child[*domain].dmaspace && init->child[*domain].sources[*bit] == source)
                return &init->child[*domain];
    return NULL;
}

/* Whether the fault is worth a line: the first of each device is. */
static bool is_news(struct init *init, struct child *child, uint32_t bit)
{
    if (!child)
        return init->strangers++ < STRANGERS_TOLD;
    bool news = !(child->masters_stopped >> bit & 1);
    child->masters_stopped |= (uint8_t)(1u << bit);
    return news;
}

static void fault_handle(struct init *init, const struct invoked *fault)
{
    uint16_t source = (uint16_t)fault->a[0];
    uint32_t domain, bit, reason = fault->a[2] & DMA_FAULT_REASON;
    struct child *child = owner_of(init, source, &domain, &bit);
    struct device place = {
        .bus = (uint8_t)(source >> 8), .slot = source >> 3 & 31, .function = source & 7};
    char name[DEVICE_TEXT_BYTES];
    pci_master_stop(source);
    if (!is_news(init, child, bit))
        return;
    device_text(&place, name);
    console_print("init: %s of %s stopped: DMA %s address 0x%lx (%s, reason %u)", name,
                  child ? init->domain[domain].name : "nobody",
                  fault->a[2] & DMA_FAULT_READ ? "reading" : "writing", (unsigned long)fault->a[1],
                  reason == FAULT_NO_ROOT || reason == FAULT_NO_CONTEXT ? "it has no DMA space"
                                                                        : "not in its DMA space",
                  reason);
    if (child && restart_after_dma)
        restart_after_dma(init, domain);
}

uint64_t dma_faults(struct init *init)
{
    for (int i = 0; i < FAULTS_AT_ONCE; i++) {
        struct invoked fault = {{0}};
        sys_invoke(init->boot->iommu_slot, OPERATION_iommu_fault, 0, 0, 0, 0, 0, &fault);
        if (!fault.a[2])
            return 0;
        fault_handle(init, &fault);
    }
    return kernel_clock() + kernel_info()->clock_frequency;
}
