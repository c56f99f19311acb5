/* SPDX-License-Identifier: ISC
 *
 * What the boot protocols tell, in one form; and the steps from there to init's first instruction.
 */
#ifndef KERNEL_BOOT_H
#define KERNEL_BOOT_H

#include <stdint.h>

#include "kernel/init.h"
#include "motet/abi.h"

enum boot_protocol { BOOT_PVH = 1, BOOT_MULTIBOOT2 = 2 };

#define BOOT_MEMORY_END (512ull << 30) /* what the direct map's one table of GiB reaches */

struct boot_info {
    uint32_t range_count;
    struct memory_range ranges[INIT_MEMORY_MAX]; /* usable memory; no two overlap */
    uint64_t rsdp; /* physical address of ACPI's root pointer; 0: not told */
    char command_line[BOOT_COMMAND_LINE_BYTES];
};

/* Reads what the loader left at `information`. Panics if it makes no sense. */
void boot_info_read(enum boot_protocol protocol, uint32_t information, struct boot_info *info);

/* Kernel and image; from kernel.ld. */
extern char kernel_text_end[], kernel_rodata_end[], kernel_end[], image_start[], image_end[];

/* Maps all of memory in the direct map and write-protects the kernel. */
void boot_map_memory(struct boot_info *info);

/* Pages for the kernel before init exists, zeroed, from the largest range; never given back. */
void *boot_pages_alloc(struct boot_info *info, uint64_t pages);

/* Maps a page of registers for the kernel, as that device page (enum device_page). */
void boot_map_device(uint32_t page, uint64_t physical);

/* Memory in the direct map: NULL if not all of it is there. */
const void *boot_reach(uint64_t physical, uint64_t bytes);

/* Feature bits, segments, interrupt table, timer: this CPU. */
uint32_t cpu_start(void);

/* Finds the clock's and the timer's rates, in bounded time; and by what. */
void clock_calibrate(void);
const char *clock_reference(void);

/* Leaves the kernel to the thread that is ready. */
__attribute__((noreturn)) void cpu_run(void);

#endif
