/* SPDX-License-Identifier: ISC
 *
 * The registers and root tables of VT-d. See vtd.h. Sections are the specification's.
 */
#include "kernel/arch/x86_64/vtd.h"

#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/iommu.h"

enum vtd_register { /* 10.4 */
                    VTD_VERSION = 0x00,
                    VTD_CAPABILITIES = 0x08,
                    VTD_EXTENDED = 0x10,
                    VTD_COMMAND = 0x18,
                    VTD_STATUS = 0x1c,
                    VTD_ROOT = 0x20,
                    VTD_CONTEXT = 0x28,
                    VTD_FAULT_STATUS = 0x34,
                    VTD_FAULT_CONTROL = 0x38, /* then data, address, upper address */
                    VTD_PROTECTED = 0x64,
};

enum {
    VERSION_MAJOR_LAST = 5, /* from 6 on there is no invalidation through registers (6.5.1) */
    LEVELS_3 = 1 << 1,      /* of the supported widths: 39 bits, */
    LEVELS_4 = 1 << 2,      /* 48 bits */
    FAULT_LOST = 1 << 0,
    FAULT_PENDING = 1 << 1,
    FAULT_RECORD_BYTES = 16,
    CONTEXT_PRESENT = 1 << 0,
    FUNCTIONS = 256,       /* of a bus */
    START_LOOKS = 1000000, /* at a register that should change: a tenth of a second at least */
    LOOKS = 32,            /* the same in a kernel entry; then MORE */
};

#define COMMAND_TRANSLATE   (1u << 31)
#define COMMAND_ROOT        (1u << 30)
#define COMMAND_ALL         (1u << 31 | 1u << 26 | 1u << 25) /* translation, queue, interrupts */
#define FAULT_MASKED        (1u << 31)
#define PROTECTED_ON        (1u << 31)
#define PROTECTED_STATUS    (1u << 0)
#define INVALIDATE          (1ull << 63) /* of both registers; cleared when it is over */
#define INVALIDATE_CONTEXTS (INVALIDATE | 1ull << 61)
#define INVALIDATE_ENTRIES  (INVALIDATE | 1ull << 60 | 1ull << 49 | 1ull << 48) /* and drain */
#define ADDRESS             (~0xfffull)

struct unit {
    uint32_t faults, fault_count; /* offset of the records; how many */
    uint32_t next_fault;
    uint32_t entries; /* offset of the register that invalidates translations */
};

static struct {
    struct unit unit[DMAR_UNITS_MAX];
    uint32_t units; /* 0: none is in use */
    uint64_t *root;
    uint32_t buses;    /* context tables in use, in order */
    uint32_t widths;   /* that all units have */
    bool stale_caches; /* a unit doesn't look into the processor's */
    bool contexts;     /* the invalidation under way is still that of context entries */
} vtd;

static uint32_t read32(uint32_t unit, uint32_t offset)
{
    return device_read32(DEVICE_PAGE_VTD + unit, offset);
}

static void write32(uint32_t unit, uint32_t offset, uint32_t value)
{
    device_write32(DEVICE_PAGE_VTD + unit, offset, value);
}

static bool wait32(uint32_t unit, uint32_t offset, uint32_t mask, uint32_t wanted)
{
    for (uint32_t i = 0; i < START_LOOKS; i++)
        if ((read32(unit, offset) & mask) == wanted)
            return true;
    return false;
}

/* --- start --- */

/* What the unit can do, with the bounds that later accesses rely on. */
static const char *unit_read(uint32_t n, uint32_t *domains, bool *large)
{
    struct unit *unit = &vtd.unit[n];
    uint32_t major = read32(n, VTD_VERSION) >> 4 & 0xf;
    uint64_t can = device_read64(DEVICE_PAGE_VTD + n, VTD_CAPABILITIES);
    uint64_t more = device_read64(DEVICE_PAGE_VTD + n, VTD_EXTENDED);
    uint32_t numbers = 16u << 2 * (can & 7);
    unit->faults = (uint32_t)(can >> 24 & 0x3ff) * 16;
    unit->fault_count = (uint32_t)(can >> 40 & 0xff) + 1;
    unit->entries = (uint32_t)(more >> 8 & 0x3ff) * 16 + 8;
    vtd.widths &= (uint32_t)(can >> 8 & 0x1f);
    vtd.stale_caches |= !(more & 1);
    *large &= can >> 34 & 1;
    iommu.caching |= can >> 7 & 1;
    if (numbers < *domains)
        *domains = numbers;
    if (major == 0 || major > VERSION_MAJOR_LAST || (can & 1 << 4)) /* or flushes write buffers */
        return "a unit's version isn't known";
    if (unit->faults + unit->fault_count * FAULT_RECORD_BYTES > PAGE_BYTES ||
        unit->entries + 8 > PAGE_BYTES)
        return "a unit's registers take more than a page";
    return !(vtd.widths & (LEVELS_3 | LEVELS_4)) || (can >> 16 & 0x3f) < 38
               ? "a unit has no 39-bit addresses"
               : NULL;
}

/* Whatever the firmware left on is off, and what it wanted protected isn't any more. */
static bool unit_off(uint32_t n)
{
    write32(n, VTD_FAULT_CONTROL, FAULT_MASKED);
    write32(n, VTD_COMMAND, 0);
    if (!wait32(n, VTD_STATUS, COMMAND_ALL, 0))
        return false;
    if (!(read32(n, VTD_PROTECTED) & PROTECTED_STATUS))
        return true;
    write32(n, VTD_PROTECTED, 0);
    return wait32(n, VTD_PROTECTED, PROTECTED_STATUS, 0);
}

/* The root table is set; then what is remembered of any before is forgotten (6.6). */
static bool unit_prepare(uint32_t n)
{
    device_write64(DEVICE_PAGE_VTD + n, VTD_ROOT, virt_to_phys(vtd.root));
    write32(n, VTD_COMMAND, COMMAND_ROOT);
    return wait32(n, VTD_STATUS, COMMAND_ROOT, COMMAND_ROOT);
}

static const char *units_on(uint32_t units)
{
    for (uint32_t n = 0; n < units; n++)
        if (!unit_off(n) || !unit_prepare(n))
            return "a unit doesn't answer";
    vtd.units = units;
    arch_iommu_invalidate();
    for (uint32_t i = 0; !arch_iommu_invalidated(); i++)
        if (i == START_LOOKS / LOOKS)
            return "a unit doesn't answer";
    for (uint32_t n = 0; n < units; n++) {
        write32(n, VTD_COMMAND, COMMAND_TRANSLATE);
        if (!wait32(n, VTD_STATUS, COMMAND_TRANSLATE, COMMAND_TRANSLATE))
            return "a unit doesn't answer";
    }
    return NULL;
}

const char *vtd_start(uint32_t units, uint64_t *tables)
{
    const char *wrong = NULL;
    uint32_t domains = IOMMU_DOMAINS_MAX;
    bool large = true;
    vtd.root = tables;
    vtd.widths = ~0u;
    for (uint32_t n = 0; n < units && !wrong; n++)
        wrong = unit_read(n, &domains, &large);
    arch_iommu_written(tables, VTD_TABLE_PAGES * PAGE_BYTES);
    if (!wrong) {
        wrong = units_on(units);
        for (uint32_t n = 0; wrong && n < units; n++)
            unit_off(n);
    }
    if (wrong)
        vtd.units = 0;
    else
        iommu_start(domains, large, iommu.caching);
    return wrong;
}

/* --- tables (9.1, 9.3) --- */

void arch_iommu_written(const void *first, uint64_t bytes)
{
    enum { LINE = 64 };
    if (!vtd.stale_caches)
        return;
    for (uint64_t at = (uint64_t)first & ~(uint64_t)(LINE - 1); at < (uint64_t)first + bytes;
         at += LINE)
        cache_line_flush((const void *)at);
    memory_fence(); /* the lines are in memory before the unit's register is written */
}

/* The entry of a bus in the root table, a context table behind it; NULL: they are used up. */
static uint64_t *bus_entry(uint64_t bus)
{
    uint64_t *entry = vtd.root + 2 * bus;
    if (*entry)
        return entry;
    if (vtd.buses == VTD_BUSES)
        return NULL;
    *entry = (virt_to_phys(vtd.root) + ++vtd.buses * PAGE_BYTES) | CONTEXT_PRESENT;
    arch_iommu_written(entry, sizeof(*entry));
    return entry;
}

static uint64_t *context_entry(uint64_t source)
{
    const uint64_t *bus = bus_entry(source / FUNCTIONS);
    return bus ? (uint64_t *)phys_to_virt(*bus & ADDRESS) + 2 * (source % FUNCTIONS) : NULL;
}

enum error arch_iommu_assign(uint64_t source, uint64_t root, uint64_t domain)
{
    bool three = vtd.widths & LEVELS_3;
    uint64_t *context = context_entry(source);
    if (!context)
        return ERROR_LIMIT;
    if (context[0])
        return ERROR_OCCUPIED;
    context[1] = domain << 8 | (three ? 1 : 2);
    __asm__ volatile("" : : : "memory"); /* the half that says "present" comes last */
    context[0] = (three ? root + PAGE_BYTES : root) | CONTEXT_PRESENT; /* dmaspace.h */
    arch_iommu_written(context, 2 * sizeof(*context));
    return OK;
}

void arch_iommu_unassign(uint64_t source)
{
    uint64_t *context = context_entry(source);
    context[0] = 0;
    arch_iommu_written(context, 2 * sizeof(*context));
}

/* --- invalidation (6.5.1): context entries first, since translations depend on them --- */

static void all_write(bool contexts)
{
    vtd.contexts = contexts;
    for (uint32_t n = 0; n < vtd.units; n++)
        device_write64(DEVICE_PAGE_VTD + n, contexts ? VTD_CONTEXT : vtd.unit[n].entries,
                       contexts ? INVALIDATE_CONTEXTS : INVALIDATE_ENTRIES);
}

void arch_iommu_invalidate(void)
{
    all_write(true);
}

static bool all_done(void)
{
    uint64_t busy = 0;
    for (uint32_t n = 0; n < vtd.units; n++)
        busy |=
            device_read64(DEVICE_PAGE_VTD + n, vtd.contexts ? VTD_CONTEXT : vtd.unit[n].entries);
    return !(busy & INVALIDATE);
}

bool arch_iommu_invalidated(void)
{
    for (int i = 0; i < LOOKS; i++) {
        if (!all_done())
            continue;
        if (!vtd.contexts)
            return true;
        all_write(false);
    }
    return false;
}

/* --- faults (7.2.1) --- */

static bool fault_recorded(uint32_t n, uint32_t *record)
{
    *record = vtd.unit[n].faults + vtd.unit[n].next_fault * FAULT_RECORD_BYTES;
    return read32(n, *record + 12) >> 31;
}

/* Records are filled in turn: the next one is behind the last, or where the status says if that
 * isn't known. */
static bool fault_find(uint32_t n, uint32_t status, uint32_t *record)
{
    if (fault_recorded(n, record))
        return true;
    if (!(status & FAULT_PENDING))
        return false;
    vtd.unit[n].next_fault = (status >> 8 & 0xff) % vtd.unit[n].fault_count;
    return fault_recorded(n, record);
}

static bool fault_take(uint32_t n, struct iommu_fault *fault)
{
    uint32_t status = read32(n, VTD_FAULT_STATUS), record;
    bool found = fault_find(n, status, &record);
    if (found) {
        uint32_t kind = read32(n, record + 12);
        fault->source = read32(n, record + 8) & 0xffff;
        fault->address = device_read64(DEVICE_PAGE_VTD + n, record) & ADDRESS;
        fault->reason = (kind & DMA_FAULT_REASON) | (kind >> 30 & 1 ? DMA_FAULT_READ : 0);
        write32(n, record + 12, 1u << 31);
        vtd.unit[n].next_fault = (vtd.unit[n].next_fault + 1) % vtd.unit[n].fault_count;
        if (status & FAULT_LOST)
            fault->reason |= DMA_FAULT_LOST;
    }
    if (status & FAULT_LOST) /* only without it are others recorded again */
        write32(n, VTD_FAULT_STATUS, FAULT_LOST);
    return found;
}

bool arch_iommu_fault(struct iommu_fault *fault)
{
    for (uint32_t n = 0; n < vtd.units; n++)
        if (fault_take(n, fault))
            return true;
    return false;
}

enum error vtd_route(uint64_t vector)
{
    uint64_t address, data;
    if (!vtd.units)
        return ERROR_BAD_ARGUMENT;
    arch_irq_message(vector, &address, &data);
    for (uint32_t n = 0; n < vtd.units; n++) {
        write32(n, VTD_FAULT_CONTROL + 4, (uint32_t)data);
        write32(n, VTD_FAULT_CONTROL + 8, (uint32_t)address);
        write32(n, VTD_FAULT_CONTROL + 12, (uint32_t)(address >> 32));
    }
    vtd_mask(false);
    return OK;
}

void vtd_mask(bool masked)
{
    for (uint32_t n = 0; n < vtd.units; n++)
        write32(n, VTD_FAULT_CONTROL, masked ? FAULT_MASKED : 0);
}
