/* SPDX-License-Identifier: ISC
 *
 * See iommu.h.
 */
#include "kernel/arch/sim/iommu.h"

#include "kernel/arch/sim/machine.h"
#include "kernel/iommu.h"
#include "kernel/irq.h"

enum {
    ENTRIES = 512,
    READABLE = 1, /* bits of a second-level entry */
    WRITABLE = 2,
    LARGE = 128,
    NO_CONTEXT = 2, /* reasons, as VT-d has them */
    NOT_WRITABLE = 5,
    NOT_READABLE = 6,
};
#define PHYSICAL_BITS 0x000ffffffffff000ull

void sim_iommu_start(uint32_t domains, bool caching)
{
    sim.iommu = (struct sim_iommu){.present = true};
    iommu_start(domains, true, caching);
}

static struct sim_context *context_of(uint64_t source)
{
    for (int i = 0; i < SIM_CONTEXTS; i++)
        if (sim.iommu.context[i].root && sim.iommu.context[i].source == source)
            return &sim.iommu.context[i];
    return NULL;
}

static bool bus_known(uint8_t bus)
{
    for (int i = 0; i < sim.iommu.buses; i++)
        if (sim.iommu.bus[i] == bus)
            return true;
    if (sim.iommu.buses == SIM_BUSES)
        return false;
    sim.iommu.bus[sim.iommu.buses++] = bus;
    return true;
}

void arch_iommu_written(const void *first, uint64_t bytes)
{
    (void)first;
    (void)bytes;
}

enum error arch_iommu_assign(uint64_t source, uint64_t root, uint64_t domain)
{
    if (!bus_known((uint8_t)(source >> 8)))
        return ERROR_LIMIT;
    if (context_of(source))
        return ERROR_OCCUPIED;
    for (int i = 0; i < SIM_CONTEXTS; i++)
        if (!sim.iommu.context[i].root) {
            sim.iommu.context[i] = (struct sim_context){root, (uint16_t)source, (uint8_t)domain};
            return OK;
        }
    return ERROR_LIMIT;
}

void arch_iommu_unassign(uint64_t source)
{
    struct sim_context *context = context_of(source);
    ASSERT(context);
    context->root = 0;
}

void arch_iommu_invalidate(void)
{
    ASSERT(sim.iommu.present && !sim.iommu.running);
    sim.iommu.running = true;
    sim.iommu.begun++;
    sim.iommu.looked = 0;
    if (sim.iommu.began)
        sim.iommu.began();
}

void sim_iommu_finish(void)
{
    if (sim.iommu.running && sim.iommu.ended)
        sim.iommu.ended();
    sim.iommu.running = false;
}

bool arch_iommu_invalidated(void)
{
    if (!sim.iommu.slow && sim.iommu.looked++ >= sim.iommu.looks)
        sim_iommu_finish();
    return !sim.iommu.running;
}

bool arch_iommu_fault(struct iommu_fault *fault)
{
    if (!sim.iommu.faults)
        return false;
    *fault = sim.iommu.fault[0];
    if (sim.iommu.lost)
        fault->reason |= DMA_FAULT_LOST;
    sim.iommu.lost = false;
    sim.iommu.faults--;
    for (int i = 0; i < sim.iommu.faults; i++)
        sim.iommu.fault[i] = sim.iommu.fault[i + 1];
    return true;
}

static void *refuse(uint16_t source, uint64_t address, uint64_t reason, bool write)
{
    const struct sim_pin *pin = sim_pin(IRQ_PIN_IOMMU);
    if (sim.iommu.faults == SIM_FAULTS) {
        sim.iommu.lost = true;
        return NULL;
    }
    sim.iommu.fault[sim.iommu.faults++] = (struct iommu_fault){
        source, address & PHYSICAL_BITS, reason | (write ? 0 : DMA_FAULT_READ)};
    if (sim.iommu.faults == 1 && pin->open)
        irq_deliver(pin->vector);
    return NULL;
}

/* The entry that maps the address, of level 1, or of level 2 if it is a large one; 0: none. */
static uint64_t entry_of(uint64_t root, uint64_t address, uint64_t *page_bytes)
{
    const uint64_t *table = phys_to_virt(root);
    *page_bytes = PAGE_BYTES;
    for (int level = 4;; level--) {
        uint64_t entry = table[address >> (3 + 9 * level) & (ENTRIES - 1)];
        if (level == 1 || !(entry & READABLE))
            return entry;
        if (entry & LARGE) {
            *page_bytes = ENTRIES * PAGE_BYTES;
            return entry;
        }
        table = phys_to_virt(entry & PHYSICAL_BITS);
    }
}

void *sim_dma(uint16_t source, uint64_t address, uint64_t bytes, bool write)
{
    uint64_t physical = address, page_bytes;
    if (sim.iommu.present) {
        const struct sim_context *context = context_of(source);
        if (!context)
            return refuse(source, address, NO_CONTEXT, write);
        uint64_t entry =
            address < DMA_ADDRESS_END ? entry_of(context->root, address, &page_bytes) : 0;
        if (!(entry & READABLE) || (write && !(entry & WRITABLE)))
            return refuse(source, address, write ? NOT_WRITABLE : NOT_READABLE, write);
        physical = (entry & PHYSICAL_BITS) | address % page_bytes;
    }
    if (physical < SIM_MEMORY_FIRST || physical - SIM_MEMORY_FIRST + bytes > SIM_MEMORY_BYTES)
        return NULL;
    return phys_to_virt(physical);
}
