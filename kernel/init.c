/* SPDX-License-Identifier: ISC
 *
 * Making init: the first domain is built with the same functions that later serve its system calls,
 * and gets the capabilities for everything there is. See init.h.
 */
#include "kernel/init.h"

#include <string.h>

#include "kernel/arch.h"
#include "kernel/captable.h"
#include "kernel/iommu.h"
#include "kernel/panic.h"
#include "kernel/space.h"
#include "kernel/thread.h"
#include "kernel/untyped.h"
#include "motet/image.h"
#include "motet/kernel_counters.h"

enum { INIT_PRIORITY = 63, IOPORTS = 65536 };

void image_check(const struct image_header *header, uint64_t room)
{
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

/* What is being built. */
struct creation {
    struct captable *table;
    struct cap *last_root; /* the derivation list's end while there are only roots */
    uint32_t next_slot;
    struct space *space;
    const struct image_header *image;
};

static struct cap *slot_at(struct creation *c, uint64_t number)
{
    struct cap *slot;
    if (captable_free_slot(c->table, number, &slot) != OK)
        panic("init's capability table is too small");
    return slot;
}

/* A capability that is derived from nothing. */
static struct cap *root_cap(struct creation *c, uint64_t number, enum object type, uint8_t rights,
                            uint64_t address, uint64_t pages)
{
    struct cap *cap = slot_at(c, number);
    *cap = (struct cap){.type = (uint8_t)type,
                        .rights = rights,
                        .address = address,
                        .pages = (uint32_t)pages,
                        .prev = c->last_root};
    if (c->last_root)
        c->last_root->next = cap;
    c->last_root = cap;
    if (type == OBJECT_page)
        list_init(&cap->map.maps);
    return cap;
}

static void untyped_cap(struct creation *c, struct boot_page *boot, uint64_t address,
                        uint64_t pages, enum untyped_kind kind)
{
    if (boot->untyped_count == BOOT_UNTYPED_MAX || pages == 0)
        return;
    boot->untyped[boot->untyped_count] =
        (struct boot_untyped){.address = address, .pages = pages, .kind = kind};
    struct cap *cap = root_cap(c, INIT_UNTYPED + boot->untyped_count, OBJECT_untyped, RIGHT_CONTROL,
                               address, pages);
    cap->untyped.kind = kind;
    boot->untyped_count++;
}

static void memory_caps(struct creation *c, struct boot_page *boot,
                        const struct init_machine *machine)
{
    for (uint32_t i = 0; i < machine->memory_count; i++) {
        const struct memory_range *range = &machine->memory[i];
        uint64_t pages = (range->end - range->start) / PAGE_BYTES;
        boot->memory_bytes += pages * PAGE_BYTES;
        untyped_cap(c, boot, range->start, pages, UNTYPED_MEMORY);
    }
    for (uint32_t i = 0; i < machine->device_count; i++) {
        const struct memory_range *range = &machine->device[i];
        untyped_cap(c, boot, range->start, (range->end - range->start) / PAGE_BYTES,
                    UNTYPED_DEVICE);
    }
}

/* A new object from the first memory that has room. */
static struct cap *make(struct creation *c, const struct boot_page *boot, enum object type,
                        uint64_t pages, uint64_t number)
{
    struct cap *slot = slot_at(c, number);
    for (uint32_t i = 0; i < boot->untyped_count; i++) {
        if (boot->untyped[i].kind != UNTYPED_MEMORY)
            continue;
        enum error error;
        do
            error = untyped_retype(captable_slot(c->table, INIT_UNTYPED + i), type, pages, 0,
                                   c->table, slot);
        while (error == ERROR_MORE);
        if (error == OK)
            return slot;
    }
    panic("too little memory: no %lu pages for init (give the machine more, QEMU: -m)",
          (unsigned long)pages);
}

static void map(struct creation *c, const struct boot_page *boot, struct cap *page, uint64_t at,
                uint8_t rights)
{
    uint64_t level;
    enum error error;
    while ((error = space_map(c->space, page, at, rights, &level)) == ERROR_NO_TABLE) {
        struct cap *table = make(c, boot, OBJECT_table, 1, c->next_slot++);
        for (uint64_t i = 0; error == ERROR_NO_TABLE && i < page->pages; i++)
            if (space_map_table(c->space, table, at + i * PAGE_BYTES, &level) == OK)
                break;
    }
    if (error)
        panic("init's image can't be mapped at 0x%lx: error %d", (unsigned long)at, (int)error);
}

/* Pages of the image: nothing is copied, they stay where the loader put them. */
static struct cap *image_pages(struct creation *c, uint64_t offset, uint64_t pages)
{
    struct cap *slot = slot_at(c, c->next_slot++);
    struct cap *image = captable_slot(c->table, INIT_IMAGE);
    enum error error =
        untyped_retype(image, OBJECT_page, pages, image->address + offset, c->table, slot);
    if (error)
        panic("bad image: its tables point outside (error %d)", (int)error);
    return slot;
}

static const void *image_table(const struct creation *c, struct image_table table, uint64_t size)
{
    if (table.offset > c->image->size || table.count * size > c->image->size - table.offset)
        panic("bad image: a table lies outside");
    return (const char *)c->image + table.offset;
}

/* The pages in front of the first contents hold the tables. */
static uint64_t tables_pages(const struct image_header *image, const struct image_region *region)
{
    uint64_t end = image->size;
    for (uint32_t i = 0; i < image->regions.count; i++)
        if (region[i].kind == IMAGE_CONTENT && region[i].offset < end)
            end = region[i].offset;
    return end / PAGE_BYTES;
}

static struct cap *region_pages(struct creation *c, const struct boot_page *boot,
                                const struct image_region *region)
{
    return region->kind == IMAGE_CONTENT
               ? image_pages(c, region->offset, region->pages)
               : make(c, boot, OBJECT_page, region->pages, c->next_slot++);
}

/* Everything that the composition maps in domain 0, which shares no memory with others. */
static void map_regions(struct creation *c, const struct boot_page *boot)
{
    const struct image_region *region =
        image_table(c, c->image->regions, sizeof(struct image_region));
    const struct image_mapping *mapping =
        image_table(c, c->image->mappings, sizeof(struct image_mapping));
    map(c, boot, image_pages(c, 0, tables_pages(c->image, region)), INIT_IMAGE_ADDRESS, RIGHT_READ);
    for (uint32_t i = 0; i < c->image->regions.count; i++, region++) {
        if (region->first_mapping > c->image->mappings.count ||
            region->mappings > c->image->mappings.count - region->first_mapping)
            panic("bad image: region %u has mappings outside the table", i);
        for (uint32_t m = 0; m < region->mappings; m++) {
            const struct image_mapping *here = &mapping[region->first_mapping + m];
            if (here->domain == 0)
                map(c, boot, region_pages(c, boot, region), here->address, here->rights);
        }
    }
}

static const struct image_domain *init_domain(const struct creation *c)
{
    if (c->image->domains.count == 0)
        panic("bad image: no init");
    return image_table(c, c->image->domains, sizeof(struct image_domain));
}

/* Pages for the kernel's own use, cleared; from the largest range. */
static void *take_pages(struct init_machine *machine, uint64_t pages)
{
    struct memory_range *best = machine->memory;
    for (uint32_t i = 1; i < machine->memory_count; i++) {
        struct memory_range *range = &machine->memory[i];
        if (range->end - range->start > best->end - best->start)
            best = range;
    }
    if (machine->memory_count == 0 || best->end - best->start < pages * PAGE_BYTES)
        panic("too little memory for init's capability table (give the machine more, QEMU: -m)");
    void *first = phys_to_virt(best->start);
    best->start += pages * PAGE_BYTES;
    memset(first, 0, pages * PAGE_BYTES);
    return first;
}

/* As large as compose found that init will need it. */
static void table_create(struct creation *c, struct init_machine *machine)
{
    uint64_t pages = init_domain(c)->table_slots / SLOTS_PER_PAGE;
    if (pages == 0 || pages > CAPTABLE_PAGES_MAX)
        panic("bad image: a capability table of %lu pages for init", (unsigned long)pages);
    c->table = take_pages(machine, pages);
    captable_init(c->table, (uint32_t)pages, 0);
}

static void root_caps(struct creation *c, const struct init_machine *machine,
                      struct boot_page *boot)
{
    struct cap *table = root_cap(c, INIT_CAPTABLE, OBJECT_captable, RIGHT_ALL, 0, 0);
    table->object = c->table;
    table->pages = c->table->slots / SLOTS_PER_PAGE;
    struct cap *ports =
        root_cap(c, INIT_IOPORTS, OBJECT_ioport, RIGHT_READ | RIGHT_WRITE | RIGHT_CONTROL, 0, 0);
    ports->ioport.count = IOPORTS;
    root_cap(c, INIT_IRQS, OBJECT_irq, RIGHT_CONTROL | RIGHT_SIGNAL, 0, 0);
    root_cap(c, INIT_INFO_PAGE, OBJECT_page, RIGHT_READ, machine->info_page, 1);
    root_cap(c, INIT_BOOT_PAGE, OBJECT_page, RIGHT_READ, machine->boot_page, 1);
    root_cap(c, INIT_TRACE, OBJECT_trace, RIGHT_CONTROL, 0, 0);
    root_cap(c, INIT_COUNTERS, OBJECT_page, RIGHT_READ, machine->counters, KERNEL_COUNTER_PAGES);
    struct cap *image = root_cap(c, INIT_IMAGE, OBJECT_untyped, RIGHT_CONTROL, boot->image_address,
                                 boot->image_pages);
    image->untyped.kind = UNTYPED_IMAGE;
}

static void command_line_copy(struct boot_page *boot, const char *line)
{
    for (uint32_t i = 0; i < BOOT_COMMAND_LINE_BYTES - 1 && line[i]; i++)
        boot->command_line[i] = line[i];
}

void init_create(struct init_machine *machine)
{
    struct creation c = {.image = phys_to_virt(machine->image)};
    struct boot_page *boot = phys_to_virt(machine->boot_page);
    boot->image_address = machine->image;
    boot->image_pages = c.image->size / PAGE_BYTES;
    command_line_copy(boot, machine->command_line);
    table_create(&c, machine);
    root_caps(&c, machine, boot);
    memory_caps(&c, boot, machine);
    c.next_slot = INIT_UNTYPED + boot->untyped_count;
    if (iommu.domains)
        root_cap(&c, boot->iommu_slot = c.next_slot++, OBJECT_iommu, RIGHT_CONTROL, 0, 0);
    boot->slots = c.table->slots;

    c.space = make(&c, boot, OBJECT_space, SPACE_PAGES, INIT_SPACE)->object;
    struct thread *thread = make(&c, boot, OBJECT_thread, 1, INIT_THREAD)->object;
    map(&c, boot, captable_slot(c.table, INIT_BOOT_PAGE), INIT_BOOT_ADDRESS, RIGHT_READ);
    map(&c, boot, captable_slot(c.table, INIT_INFO_PAGE), INIT_BOOT_ADDRESS + PAGE_BYTES,
        RIGHT_READ);
    map_regions(&c, boot);
    boot->first_free_slot = c.next_slot;

    const struct image_domain *domain = init_domain(&c);
    enum error error = thread_configure(thread, c.space, c.table, INIT_PRIORITY, 0);
    ASSERT(error == OK);
    thread->vital = true;
    arch_registers_start(&thread->registers, domain->entry, domain->stack_top, 0);
    thread_resume(thread);
}
