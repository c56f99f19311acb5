/* SPDX-License-Identifier: ISC
 *
 * From the first C instruction to init.
 */
#include <string.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/apic.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/arch/x86_64/instructions.h"
#include "kernel/arch/x86_64/uart.h"
#include "kernel/arch/x86_64/vtd.h"
#include "kernel/init.h"
#include "kernel/panic.h"
#include "motet/image.h"

extern uint32_t boot_protocol, boot_information;
extern const char kernel_build[];
void kernel_boot(void);

/* Two pages that init sees read-only. */
static _Alignas(PAGE_BYTES) union {
    struct kernel_info info;
    uint8_t page[PAGE_BYTES];
} info_page;
static _Alignas(PAGE_BYTES) uint8_t boot_page[PAGE_BYTES];

/* And these, whole pages too: kernel.ld puts nothing behind them. */
struct kernel_counters kernel_counters __attribute__((section(".bss.pages")));
_Static_assert(offsetof(struct kernel_counters, interrupts_spurious) == 0, "entry.S");

static struct boot_info boot_info;

static void info_fill(struct kernel_info *info, uint32_t features)
{
    info->magic = KERNEL_INFO_MAGIC;
    info->abi = ABI_VERSION;
    info->clock_base = arch_clock();
    info->clock_frequency = clock_frequency;
    info->clock_multiplier = (1000000000ull << 32) / clock_frequency;
    info->cpus = 1;
    info->cpu_features = features;
    for (int i = 0; i < 2; i++) {
        uint64_t random = 0; /* the instruction leaves 0 when it fails */
        if (features & CPU_RDRAND)
            __asm__ volatile("rdrand %0" : "=r"(random) : : "cc");
        info->seed[i] = random ^ arch_clock() * 0x9e3779b97f4a7c15ull;
    }
    for (size_t i = 0; i < sizeof(info->build) - 1 && kernel_build[i]; i++)
        info->build[i] = kernel_build[i];
}

/* Physical addresses that are no memory: from the end of low memory to the interrupt controllers,
 * and from the end of all memory to the end of what the processor can address. */
static void device_ranges(struct init_machine *machine)
{
    const uint64_t four_gib = 1ull << 32;
    uint64_t low = 0, high = four_gib;
    for (uint32_t i = 0; i < machine->memory_count; i++) {
        uint64_t end = machine->memory[i].end;
        if (end <= four_gib && end > low)
            low = end;
        if (end > high)
            high = end;
    }
    uint64_t limit = 1ull << (cpuid(0x80000008, 0).eax & 0xff);
    if (limit > 1ull << 44)
        limit = 1ull << 44; /* a capability counts pages in 32 bits */
    machine->device[machine->device_count++] = (struct memory_range){low, IOAPIC_PHYSICAL};
    if (limit > high)
        machine->device[machine->device_count++] = (struct memory_range){high, limit - PAGE_BYTES};
}

/* Every device is cut off from memory, if there is something that can; else it is said. */
static void iommu_find(void)
{
    struct dmar dmar;
    if (!boot_info.rsdp)
        return;
    const char *wrong = dmar_find(boot_info.rsdp, boot_reach, &dmar);
    for (uint32_t n = 0; n < dmar.count; n++)
        boot_map_device(DEVICE_PAGE_VTD + n, dmar.unit[n]);
    if (dmar.count)
        wrong = vtd_start(dmar.count, boot_pages_alloc(&boot_info, VTD_TABLE_PAGES));
    if (wrong)
        kprintf("no VT-d: %s", wrong);
}

static void init_start(void)
{
    static struct init_machine machine;
    machine.memory_count = boot_info.range_count;
    for (uint32_t i = 0; i < boot_info.range_count; i++)
        machine.memory[i] = boot_info.ranges[i];
    device_ranges(&machine);
    machine.image = (uint64_t)image_start - KERNEL_BASE;
    machine.info_page = (uint64_t)&info_page - KERNEL_BASE;
    machine.boot_page = (uint64_t)&boot_page - KERNEL_BASE;
    machine.counters = (uint64_t)&kernel_counters - KERNEL_BASE;
    machine.command_line = boot_info.command_line;
    init_create(&machine);
}

void kernel_boot(void)
{
    uart_start();
    boot_info_read((enum boot_protocol)boot_protocol, boot_information, &boot_info);
    uint32_t features = cpu_start();
    boot_map_memory(&boot_info);
    image_check(phys_to_virt((uint64_t)image_start - KERNEL_BASE),
                (uint64_t)(image_end - image_start));
    apic_start();
    clock_calibrate();
    info_fill(&info_page.info, features);
    kprintf("motet %s, %s, TSC %lu MHz by %s, %s, %s timer%s", kernel_build,
            boot_protocol == BOOT_PVH ? "PVH" : "Multiboot2",
            (unsigned long)(clock_frequency / 1000000), clock_reference(), apic_name(),
            apic_timer_name(), features & CPU_NX ? "" : ", no NX: data is executable");
    iommu_find();
    init_start();
    cpu_run();
}
