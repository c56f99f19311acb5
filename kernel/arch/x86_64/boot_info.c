/* SPDX-License-Identifier: ISC
 *
 * Reading what PVH (Xen's start_info.h) or Multiboot2 (specification 2.0, section 3.6) left in
 * memory. All of it lies in the first GiB, which boot.S has mapped; its lengths are not trusted.
 */
#include <stdbool.h>

#include "kernel/arch.h"
#include "kernel/arch/x86_64/boot.h"
#include "kernel/panic.h"

enum { PVH_MAGIC = 0x336ec578, MAPPED_BYTES = 1 << 30 };

struct pvh_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t module_count;
    uint64_t modules;
    uint64_t command_line;
    uint64_t rsdp;
    uint64_t memory_map; /* from version 1 */
    uint32_t memory_map_entries;
    uint32_t reserved;
};

struct pvh_memory_entry {
    uint64_t address;
    uint64_t size;
    uint32_t type; /* as in E820: 1 is usable */
    uint32_t reserved;
};

struct multiboot_tag {
    uint32_t type;
    uint32_t size;
};

struct multiboot_memory_map {
    struct multiboot_tag tag;
    uint32_t entry_size;
    uint32_t entry_version;
};

struct multiboot_memory_entry {
    uint64_t address;
    uint64_t size;
    uint32_t type;
    uint32_t reserved;
};

enum {
    MULTIBOOT_TAG_END = 0,
    MULTIBOOT_TAG_COMMAND_LINE = 1,
    MULTIBOOT_TAG_MEMORY_MAP = 6,
    MULTIBOOT_TAG_ACPI_OLD = 14, /* a copy of ACPI's root pointer, of revision 0 */
    MULTIBOOT_TAG_ACPI_NEW = 15, /* of a later one; comes last */
};
enum { MEMORY_USABLE = 1, LOWEST_USED = 0x1000 };

/* What lies between two addresses in boot.S's mapping. */
static const void *mapped(uint64_t address, uint64_t bytes)
{
    if (address >= MAPPED_BYTES || bytes > MAPPED_BYTES - address)
        panic("boot information at 0x%lx is out of reach", (unsigned long)address);
    return phys_to_virt(address);
}

static bool overlaps(const struct boot_info *info, uint64_t start, uint64_t end)
{
    for (uint32_t i = 0; i < info->range_count; i++)
        if (start < info->ranges[i].end && end > info->ranges[i].start)
            return true;
    return false;
}

/* Takes the whole pages between two addresses. What isn't taken is said: two capabilities for one
 * page, or one for a page that isn't mapped, would be the kernel's end. */
static void add_range(struct boot_info *info, uint64_t start, uint64_t end)
{
    start = (start + PAGE_BYTES - 1) & ~(uint64_t)(PAGE_BYTES - 1);
    end &= ~(uint64_t)(PAGE_BYTES - 1);
    if (end > BOOT_MEMORY_END) {
        kprintf("memory from 512 GiB on isn't used");
        end = BOOT_MEMORY_END;
    }
    if (start >= end)
        return;
    if (info->range_count == INIT_MEMORY_MAX || overlaps(info, start, end)) {
        kprintf("memory from 0x%lx to 0x%lx isn't used: %s", (unsigned long)start,
                (unsigned long)end,
                info->range_count == INIT_MEMORY_MAX ? "there are too many pieces"
                                                     : "it was reported twice");
        return;
    }
    info->ranges[info->range_count++] = (struct memory_range){start, end};
}

/* Adds usable memory less the first page and what kernel and image occupy. */
static void add_usable(struct boot_info *info, uint64_t start, uint64_t size)
{
    uint64_t end = start + size;
    uint64_t kernel_first = 0x100000, kernel_last = (uint64_t)image_end - KERNEL_BASE;
    if (end < start)
        return;
    if (start < LOWEST_USED)
        start = LOWEST_USED;
    if (end <= kernel_first || start >= kernel_last) {
        add_range(info, start, end);
        return;
    }
    if (start < kernel_first)
        add_range(info, start, kernel_first);
    if (end > kernel_last)
        add_range(info, kernel_last, end);
}

static void copy_command_line(struct boot_info *info, const char *text, uint64_t limit)
{
    uint64_t i = 0;
    for (; i < limit && i < BOOT_COMMAND_LINE_BYTES - 1 && text[i]; i++)
        info->command_line[i] = text[i];
    info->command_line[i] = '\0';
    if (i == BOOT_COMMAND_LINE_BYTES - 1)
        kprintf("the command line is longer than %u bytes: the rest is ignored",
                BOOT_COMMAND_LINE_BYTES - 1);
}

static void read_pvh(uint32_t information, struct boot_info *info)
{
    const struct pvh_start_info *start = mapped(information, sizeof(*start));
    if (start->magic != PVH_MAGIC || start->version < 1)
        panic("the PVH loader gave no memory map (start information version 0 or damaged)");
    const struct pvh_memory_entry *entry =
        mapped(start->memory_map, start->memory_map_entries * sizeof(*entry));
    for (uint32_t i = 0; i < start->memory_map_entries; i++)
        if (entry[i].type == MEMORY_USABLE)
            add_usable(info, entry[i].address, entry[i].size);
    info->rsdp = start->rsdp;
    if (start->command_line)
        copy_command_line(info, mapped(start->command_line, 1), MAPPED_BYTES - start->command_line);
}

static void read_multiboot_map(const struct multiboot_memory_map *map, struct boot_info *info)
{
    if (map->entry_size < sizeof(struct multiboot_memory_entry))
        panic("Multiboot2 memory map has entries of %u bytes", map->entry_size);
    for (uint64_t at = sizeof(*map); at + map->entry_size <= map->tag.size; at += map->entry_size) {
        const struct multiboot_memory_entry *entry = (const void *)((const char *)map + at);
        if (entry->type == MEMORY_USABLE)
            add_usable(info, entry->address, entry->size);
    }
}

static void read_multiboot(uint32_t information, struct boot_info *info)
{
    const uint32_t *total = mapped(information, 8);
    const char *start = mapped(information, *total);
    uint64_t at = 8;
    while (at + sizeof(struct multiboot_tag) <= *total) {
        const struct multiboot_tag *tag = (const void *)(start + at);
        if (tag->type == MULTIBOOT_TAG_END || tag->size < sizeof(*tag) || tag->size > *total - at)
            return;
        if (tag->type == MULTIBOOT_TAG_MEMORY_MAP)
            read_multiboot_map((const void *)tag, info);
        else if (tag->type == MULTIBOOT_TAG_COMMAND_LINE)
            copy_command_line(info, (const char *)(tag + 1), tag->size - sizeof(*tag));
        else if (tag->type == MULTIBOOT_TAG_ACPI_OLD || tag->type == MULTIBOOT_TAG_ACPI_NEW)
            info->rsdp = virt_to_phys(tag + 1);
        at += (tag->size + 7) & ~7ull;
    }
}

void boot_info_read(enum boot_protocol protocol, uint32_t information, struct boot_info *info)
{
    if (protocol == BOOT_PVH)
        read_pvh(information, info);
    else
        read_multiboot(information, info);
    if (info->range_count == 0)
        panic("the boot loader reports no usable memory");
}
