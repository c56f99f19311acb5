/* SPDX-License-Identifier: ISC
 *
 * The simulated machine's boot loader: puts a composition as it was made for production into
 * memory, moves each domain into a window of addresses of its own, and starts the kernel.
 */
#ifndef KERNEL_SIM_BOOT_H
#define KERNEL_SIM_BOOT_H

#include <setjmp.h>
#include <stdint.h>

#include "kernel/captable.h"
#include "motet/image.h"

/* All domains share one host process, so no two may have the same address: domain n > 0 has its
 * addresses moved up by n windows. init stays where it is. */
#define SIM_WINDOWS      0x200000000000ull /* 32 TiB: below USER_ADDRESS_END, nothing of the host's */
#define SIM_WINDOW_BYTES (4ull << 30)
#define SIM_STACK        0x38000000ull /* in a domain's window: the page behind its stack */
#define SIM_PAGER_STACK  0x38800000ull /* and behind its pager's */

enum {
    SIM_STACK_PAGES = 16, /* the host's compiler and the sanitizers take more than the target's */
    SIM_TICKS_PER_SECOND = 1000000000,
};
#define SIM_DEVICE_FIRST 0xe0000000ull
#define SIM_DEVICE_END   0xf0000000ull

struct sim_boot {
    const void *image; /* struct image_header and all behind it */
    uint64_t bytes;
    uint64_t pages; /* of the machine */
    const char *command_line;
    uint32_t domains; /* numbers of the IOMMU; 0: the machine has none */
    uint32_t slots;   /* channels hold so many messages at most (a power of two up to that) */
    uint64_t seed[2]; /* of the kernel information page */
    jmp_buf *panic;   /* where a panic goes; NULL: it ends the process */
};

/* Switches the machine on and leaves init ready to run. Panics as a real one does, also when the
 * image doesn't fit. */
void sim_boot(const struct sim_boot *boot);

/* init's capability table: with its first capability the derivation list begins. */
struct captable *sim_init_table(void);

/* The image in memory, as moved. */
const struct image_header *sim_image(void);

/* Which domain an address in a window belongs to; 0: init or none. */
static inline uint32_t sim_window(uint64_t address)
{
    return address < SIM_WINDOWS ? 0 : (uint32_t)((address - SIM_WINDOWS) / SIM_WINDOW_BYTES);
}

#endif
