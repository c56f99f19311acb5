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
static _Alignas(PAGE_BYTES) union {
    struct boot_page boot;
    uint8_t page[PAGE_BYTES];
} boot_page;

static struct boot_info boot_info;

static void image_check(void)
{
    const struct image_header *header = phys_to_virt((uint64_t)image_start - KERNEL_BASE);
    uint64_t room = (uint64_t)(image_end - image_start);
    if (room < sizeof(*header) || header->magic != IMAGE_MAGIC)
        panic("bad image: no composition behind the kernel (was this linked by make images?)");
    if (header->version != IMAGE_VERSION || header->header_bytes != sizeof(*header))
        panic("bad image: composition version %u, this kernel reads %u: build both together",
              header->version, IMAGE_VERSION);
    if (header->size < sizeof(*header) || header->size > room || header->size % 8)
        panic("bad image: it says %lu bytes, the file brought %lu", (unsigned long)header->size,
              (unsigned long)room);
    if (image_checksum(header + 1, header->size - sizeof(*header)) != header->checksum)
        panic("bad image: the checksum differs, the file was damaged or cut off");
}

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

void kernel_boot(void)
{
    uart_start();
    boot_info_read((enum boot_protocol)boot_protocol, boot_information, &boot_info);
    uint32_t features = cpu_start();
    boot_map_memory(&boot_info);
    image_check();
    apic_start();
    clock_calibrate();
    info_fill(&info_page.info, features);
    kprintf("motet %s, %s, TSC %lu MHz by %s, %s, %s timer%s", kernel_build,
            boot_protocol == BOOT_PVH ? "PVH" : "Multiboot2",
            (unsigned long)(clock_frequency / 1000000), clock_reference(), apic_name(),
            apic_timer_name(), features & CPU_NX ? "" : ", no NX: data is executable");
    init_create(&boot_info, &info_page.info, &boot_page.boot);
    cpu_run();
}
