/* SPDX-License-Identifier: ISC
 *
 * Making init, the first domain, out of the image. The machine (arch/) says what there is; nothing
 * else of booting is portable.
 */
#ifndef KERNEL_INIT_H
#define KERNEL_INIT_H

#include <stdint.h>

#include "motet/abi.h"

struct image_header;

enum { INIT_MEMORY_MAX = 32, INIT_DEVICES_MAX = 2 };

struct memory_range {
    uint64_t start, end; /* physical bytes, page-aligned, end beyond the last */
};

/* What the machine has and the kernel doesn't use itself. Addresses are physical and in the direct
 * map. */
struct init_machine {
    struct memory_range memory[INIT_MEMORY_MAX]; /* usable; no two overlap */
    uint32_t memory_count;
    struct memory_range device[INIT_DEVICES_MAX]; /* addresses that are no memory */
    uint32_t device_count;
    uint64_t image;           /* struct image_header, checked by image_check */
    uint64_t info_page;       /* struct kernel_info */
    uint64_t boot_page;       /* one zeroed page that becomes struct boot_page */
    uint64_t counters;        /* struct kernel_counters */
    const char *command_line; /* BOOT_COMMAND_LINE_BYTES at most, terminated */
};

/* Whether `room` bytes at `header` begin with a whole composition of this kernel's version. Panics
 * with the reason if they don't. */
void image_check(const struct image_header *header, uint64_t room);

/* Makes init's objects and leaves its thread ready to run. Takes what it needs from `memory`. */
void init_create(struct init_machine *machine);

#endif
