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
    char command_line[BOOT_COMMAND_LINE_BYTES];
};

/* Reads what the loader left at `information`. Panics if it makes no sense. */
void boot_info_read(enum boot_protocol protocol, uint32_t information, struct boot_info *info);

/* Kernel and image; from kernel.ld. */
extern char kernel_text_end[], kernel_rodata_end[], kernel_end[], image_start[], image_end[];

/* Maps all of memory in the direct map and write-protects the kernel. */
void boot_map_memory(struct boot_info *info);

/* Feature bits, segments, interrupt table, timer: this CPU. */
uint32_t cpu_start(void);

/* Finds the clock's and the timer's rates, in bounded time; and by what. */
void clock_calibrate(void);
const char *clock_reference(void);

/* Leaves the kernel to the thread that is ready. */
__attribute__((noreturn)) void cpu_run(void);

#endif
