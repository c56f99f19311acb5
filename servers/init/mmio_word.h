/* SPDX-License-Identifier: ISC
 *
 * "virtio_mmio.device=SIZE@ADDRESS:LINE": how a virtual machine without PCI names its virtio
 * devices on the kernel's command line, one word each (Linux's kernel-parameters.txt). Text only;
 * mmio.c calls it. Refuses what isn't wholly a word of that form, and blocks that no driver could
 * be given: misaligned, too short, on parts of several pages, on a line that isn't one.
 */
#ifndef SERVERS_INIT_MMIO_WORD_H
#define SERVERS_INIT_MMIO_WORD_H

#include <stdbool.h>
#include <stdint.h>

#define MMIO_WORD_KEY "virtio_mmio.device"

struct mmio_block {
    uint64_t address; /* physical */
    uint32_t size;    /* bytes: 256 to 64 KiB; whole pages, or less than one and inside one */
    uint32_t line;    /* input of the I/O APIC, 1 to 23 */
};

/* Reads the part behind the '='. NULL: `block` is filled in; else what is wrong. */
const char *mmio_word_parse(const char *text, struct mmio_block *block);

/* The first and, inclusive, the last page of a block. */
static inline uint64_t mmio_first_page(const struct mmio_block *block)
{
    return block->address / 4096;
}

static inline uint64_t mmio_last_page(const struct mmio_block *block)
{
    return (block->address + block->size - 1) / 4096;
}

#endif
