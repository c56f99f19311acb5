/* SPDX-License-Identifier: ISC
 *
 * The kernel's own address space: the direct map of all memory (not executable where there is NX),
 * the kernel where it is linked (text executable, constants read-only, data neither), and the
 * interrupt controllers and timers.
 */
#include <string.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/paging.h"
#include "kernel/panic.h"
#include "kernel/space.h"

#define GIB   (1ull << 30)
#define MIB_2 (2ull << 20)

extern uint64_t kernel_root[512], direct_pointers[512], kernel_pointers[512], boot_directory[512];

/* Tables of the first GiB, of which every machine has a part. */
static _Alignas(PAGE_BYTES) uint64_t direct_first[512], direct_first_pages[512];
static _Alignas(PAGE_BYTES) uint64_t kernel_directory[512], kernel_pages[512], device_pages[512];

static uint64_t kernel_physical(const void *address)
{
    return (uint64_t)address - KERNEL_BASE;
}

static uint64_t no_execute_bit(void)
{
    return no_execute ? PTE_NO_EXECUTE : 0;
}

static struct memory_range *largest_low_range(struct boot_info *info)
{
    struct memory_range *best = NULL;
    for (uint32_t i = 0; i < info->range_count; i++) {
        struct memory_range *range = &info->ranges[i];
        if (range->start >= GIB) /* not mapped yet */
            continue;
        if (!best || range->end - range->start > best->end - best->start)
            best = range;
    }
    return best;
}

void *boot_pages_alloc(struct boot_info *info, uint64_t pages)
{
    struct memory_range *range = largest_low_range(info);
    if (!range || range->end - range->start < pages * PAGE_BYTES)
        panic("too little memory: nothing is left to start init (give the machine more, QEMU: -m)");
    void *first = phys_to_virt(range->start);
    range->start += pages * PAGE_BYTES;
    memset(first, 0, pages * PAGE_BYTES);
    return first;
}

/* Rights of a page of the first 2 MiB, where kernel and image are: text and constants aren't
 * writable through the direct map either. */
static uint64_t first_pages_entry(uint64_t physical)
{
    uint64_t entry = physical | PTE_PRESENT | PTE_GLOBAL | PTE_ACCESSED | PTE_DIRTY;
    if (physical < 0x100000 || physical >= kernel_physical(kernel_rodata_end))
        entry |= PTE_WRITE;
    return entry;
}

static void map_first_gib(void)
{
    const uint64_t flags = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY;
    for (uint64_t i = 0; i < 512; i++) {
        uint64_t page = i * PAGE_BYTES;
        direct_first_pages[i] = first_pages_entry(page) | no_execute_bit();
        direct_first[i] = (i * MIB_2) | flags | PTE_LARGE | PTE_GLOBAL | no_execute_bit();
        if (page < 0x100000 || page >= kernel_physical(kernel_end))
            continue;
        kernel_pages[i] = first_pages_entry(page);
        if (page >= kernel_physical(kernel_text_end))
            kernel_pages[i] |= no_execute_bit();
    }
    direct_first[0] = kernel_physical(direct_first_pages) | flags;
    kernel_directory[0] = kernel_physical(kernel_pages) | flags;
    kernel_directory[511] = kernel_physical(device_pages) | flags;
}

static void map_gib(struct boot_info *info, uint64_t gib, bool large)
{
    const uint64_t flags = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_DIRTY;
    if (large) {
        direct_pointers[gib] = gib * GIB | flags | PTE_LARGE | PTE_GLOBAL | no_execute_bit();
        return;
    }
    uint64_t *directory = boot_pages_alloc(info, 1);
    for (uint64_t i = 0; i < 512; i++)
        directory[i] = (gib * GIB + i * MIB_2) | flags | PTE_LARGE | PTE_GLOBAL | no_execute_bit();
    direct_pointers[gib] = virt_to_phys(directory) | flags;
}

static bool has_gib_pages(void)
{
    return cpuid(0x80000001, 0).edx >> 26 & 1;
}

void boot_map_device(uint32_t page, uint64_t physical)
{
    device_pages[page] =
        physical | PTE_PRESENT | PTE_WRITE | PTE_ACCESSED | PTE_UNCACHED | no_execute_bit();
}

const void *boot_reach(uint64_t physical, uint64_t bytes)
{
    uint64_t end = physical + bytes;
    if (end < physical || end > BOOT_MEMORY_END)
        return NULL;
    for (uint64_t gib = physical / GIB; gib * GIB < end; gib++)
        if (!direct_pointers[gib])
            return NULL;
    return phys_to_virt(physical);
}

void boot_map_memory(struct boot_info *info)
{
    const uint64_t flags = PTE_PRESENT | PTE_WRITE | PTE_ACCESSED;
    bool large = has_gib_pages();
    map_first_gib();
    for (uint32_t i = 0; i < info->range_count; i++) {
        uint64_t last = (info->ranges[i].end - 1) / GIB;
        for (uint64_t gib = info->ranges[i].start / GIB; gib <= last; gib++)
            if (gib && !direct_pointers[gib])
                map_gib(info, gib, large);
    }
    boot_map_device(DEVICE_PAGE_APIC, APIC_PHYSICAL);
    boot_map_device(DEVICE_PAGE_IOAPIC, IOAPIC_PHYSICAL);
    boot_map_device(DEVICE_PAGE_HPET, HPET_PHYSICAL);
    direct_pointers[0] = kernel_physical(direct_first) | flags;
    kernel_pointers[510] = kernel_physical(kernel_directory) | flags;
    kernel_root[0] = 0;
    write_cr3(kernel_physical(kernel_root));
}

void arch_space_init(uint64_t *root)
{
    memcpy(&root[256], &kernel_root[256], 256 * sizeof(root[0]));
}

void arch_space_load(struct space *space)
{
    cpu_self()->space = space;
    write_cr3(space ? space->root_physical : kernel_physical(kernel_root));
}

void arch_flush(uint64_t address, uint64_t pages)
{
    enum { RELOAD_AT = 16 }; /* pages from which on a reload is cheaper than that many flushes */
    if (pages >= RELOAD_AT) {
        write_cr3(read_cr3()); /* user pages aren't global */
        return;
    }
    for (uint64_t i = 0; i < pages; i++)
        flush_page(address + i * PAGE_BYTES);
}
