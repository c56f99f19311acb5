/* SPDX-License-Identifier: ISC
 *
 * init's start: from what the kernel gave to a running composition.
 */
#include "libos/syscall.h"
#include "servers/init/init.h"

enum { NUMBER_MAX = 9999999 }; /* of a setting: no product with a clock overflows */

void _start(void);

static const void *table(const struct image_header *image, struct image_table where)
{
    return (const char *)image + where.offset;
}

/* init has no writable static data either: its state is the first memory that compose gave it. */
static struct init *state_find(const struct image_header *image)
{
    const struct image_region *region = table(image, image->regions);
    const struct image_mapping *mapping = table(image, image->mappings);
    for (uint32_t i = 0; i < image->regions.count; i++)
        if (region[i].kind == IMAGE_MEMORY && mapping[region[i].first_mapping].domain == 0)
            return (struct init *)mapping[region[i].first_mapping].address;
    return 0;
}

/* A setting of init's own: a number from 1 on. 0: it isn't set, or is none, which is said. */
static uint64_t number_setting(const struct init *init, const char *key, const char *what)
{
    const char *text = settings_get(&init->settings, key);
    uint64_t number = text ? setting_number(text, NUMBER_MAX) : 0;
    if (text && !number)
        console_print("init: %s: not a number of %s from 1 on: not used", key, what);
    return number;
}

__attribute__((noreturn)) static void run(struct init *init, const struct image_header *image)
{
    init->boot = (const struct boot_page *)INIT_BOOT_ADDRESS;
    init->image = image;
    init->domain = table(image, image->domains);
    init->region = table(image, image->regions);
    init->mapping = table(image, image->mappings);
    init->next_slot = init->boot->first_free_slot;
    init->next_vector = IRQ_VECTOR_FIRST;
    init->spare_slot = slot_new(init);
    init->port = object_make(init, OBJECT_port, 1);
    if (control_begin)
        control_begin(init);
    if (image->domains.count > IMAGE_DOMAINS_MAX || image->regions.count > IMAGE_REGIONS_MAX)
        init_fail("the composition is larger than this init's tables");
    console_print("init: image %s, %lu KiB of memory", image->name,
                  (unsigned long)(init->boot->memory_bytes / 1024));
    console_start(init);
    boot_settings_read(init);
    boot_settings_report_unknown(init);
    init->stats_interval = number_setting(init, "stats.interval", "seconds");
    init->heap_limit = number_setting(init, "heap.limit", "KiB");
    domains_build(init);
    if (control_give)
        control_give(init);
    trace_start(init);
    if (has_devices())
        devices_grant(init);
    if (has_heaps())
        heaps_build(init);
    if (swap_begin)
        swap_begin(init);
    domains_run(init);
    supervise(init);
}

__attribute__((force_align_arg_pointer)) void _start(void)
{
    const struct image_header *image = (const struct image_header *)INIT_IMAGE_ADDRESS;
    run(state_find(image), image);
}
