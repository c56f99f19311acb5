/* SPDX-License-Identifier: ISC
 *
 * From the composition's tables to domains that are ready to run.
 */
#include <string.h>

#include "libos/syscall.h"
#include "servers/init/init.h"
#include "servers/init/threads.h"

enum {
    SUPERVISOR_SHARE = 1, /* queue entries of init's port kept for each domain */
    DOMAIN_WINDOW = 2 * PAGE_BYTES,
};

/* Capabilities that every domain starts with: its own port, and one to reach init. The receive end
 * of a port is in one body at a time: the first's, at boot. */
static void give_ports(struct init *init, uint32_t d, struct child *child)
{
    const char *name = init->domain[d].name;
    enum error error = OK;
    if (!init->domain[d].second)
        error = sys_invoke(child->captable, OPERATION_captable_copy, child->port, SLOT_OWN_PORT,
                           RIGHT_WAIT, 0, 0, NULL);
    init_check(error, "port", name);
    uint64_t share = d <= PORT_SHARES ? SUPERVISOR_SHARE : 0;
    error = sys_invoke(child->captable, OPERATION_captable_mint, init->port, SLOT_SUPERVISOR,
                       RIGHT_SEND | RIGHT_SIGNAL, 1ull << d, share, NULL);
    init_check(error, "supervisor port", name);
}

static void domain_make(struct init *init, uint32_t d)
{
    const struct image_domain *domain = &init->domain[d];
    struct child *child = &init->child[d];
    uint64_t pages = (domain->table_slots + SLOTS_PER_PAGE - 1) / SLOTS_PER_PAGE;
    child->captable = object_make(init, OBJECT_captable, pages);
    child->space = object_make(init, OBJECT_space, SPACE_PAGES);
    child->thread = object_make(init, OBJECT_thread, 1);
    child->port =
        domain->second ? init->child[domain->body].port : object_make(init, OBJECT_port, 1);
    give_ports(init, d, child);
    if (has_devices())
        dma_space_make(init, d);
}

uint64_t start_address(const struct init *init, uint32_t d)
{
    const struct image_region *region = &init->region[init->domain[d].start_region];
    return init->mapping[region->first_mapping].address;
}

const struct image_mapping *mapping_at(const struct init *init, uint32_t body, uint64_t address,
                                       uint8_t rights, uint32_t *region)
{
    for (*region = 0; *region < init->image->regions.count; ++*region) {
        const struct image_region *there = &init->region[*region];
        const uint64_t pages = there->pages < PAGE_RUN_MAX ? there->pages : PAGE_RUN_MAX;
        for (uint32_t m = 0; m < there->mappings; m++) {
            const struct image_mapping *mapping = &init->mapping[there->first_mapping + m];
            if (mapping->domain == body && mapping->address &&
                (mapping->rights & rights) == rights &&
                address - mapping->address < pages * PAGE_BYTES)
                return mapping;
        }
    }
    return NULL;
}

/* A page capability has one mapping, and the first one of the kernel's page is init's own. */
static void info_page_share(struct init *init, uint32_t d)
{
    uint32_t copy = object_copy(init, INIT_INFO_PAGE, RIGHT_READ, "kernel information page",
                                init->domain[d].name);
    object_map(init, copy, init->child[d].space, start_address(init, d) + KERNEL_INFO_OFFSET,
               RIGHT_READ);
}

/* One run of at most PAGE_RUN_MAX pages of a region, given to all who have a mapping of it. */
static uint32_t run_build(struct init *init, const struct image_region *region, uint64_t first,
                          uint64_t pages)
{
    uint64_t bytes = first * PAGE_BYTES;
    uint32_t slot = region->kind == IMAGE_CONTENT
                        ? object_from_image(init, region->offset + bytes, pages)
                        : object_make(init, OBJECT_page, pages);
    if (room_fill && region->kind == IMAGE_COPY)
        room_fill(init, region, slot);
    for (uint32_t m = 0; m < region->mappings; m++) {
        const struct image_mapping *mapping = &init->mapping[region->first_mapping + m];
        const struct child *child = &init->child[mapping->domain];
        object_share(init, slot, mapping->rights, child->space,
                     mapping->address ? mapping->address + bytes : 0, child->captable,
                     mapping->slot + (uint32_t)(first / PAGE_RUN_MAX));
        if (has_devices() && mapping->rights & IMAGE_DMA)
            dma_map(init, slot, mapping->domain);
    }
    return slot;
}

/* Tells the domains that point devices at a pool where it is. */
static void pool_address(struct init *init, const struct image_region *region, uint64_t physical)
{
    for (uint32_t m = 0; m < region->mappings; m++) {
        const struct image_mapping *mapping = &init->mapping[region->first_mapping + m];
        if (!mapping->pool || !(mapping->rights & IMAGE_DMA))
            continue;
        struct start_page *start = start_page_open(init, mapping->domain);
        start->pool[mapping->pool - 1].physical = physical;
        start_page_close(init, mapping->domain);
    }
}

static void region_build(struct init *init, uint32_t r, uint32_t *slots)
{
    const struct image_region *region = &init->region[r];
    for (uint64_t first = 0; first < region->pages; first += PAGE_RUN_MAX) {
        uint64_t pages = region->pages - first;
        uint32_t slot = run_build(init, region, first, pages < PAGE_RUN_MAX ? pages : PAGE_RUN_MAX);
        if (first == 0)
            slots[r] = slot;
    }
}

/* Log and counter pages stay mapped in init; the start page gets what compose wrote. */
static void windows_open(struct init *init, uint32_t d, const uint32_t *slots)
{
    const struct image_domain *domain = &init->domain[d];
    uint64_t window = LOG_WINDOW + d * DOMAIN_WINDOW;
    if (!domain->second) /* its log is the first's */
        object_map(init, slots[domain->log_region], INIT_SPACE, window, RIGHT_READ);
    object_map(init, slots[domain->counter_region], INIT_SPACE, window + PAGE_BYTES, RIGHT_READ);
    init->child[d].start_slot = slots[domain->start_region];
    struct start_page *start = start_page_open(init, d);
    memcpy(start, (const char *)init->image + domain->start, domain->start_bytes);
    boot_settings_give(init, d, start);
    start_page_close(init, d);
}

struct start_page *start_page_open(struct init *init, uint32_t domain)
{
    object_map(init, init->child[domain].start_slot, INIT_SPACE, SCRATCH_WINDOW,
               RIGHT_READ | RIGHT_WRITE);
    return (struct start_page *)SCRATCH_WINDOW;
}

void start_page_close(struct init *init, uint32_t domain)
{
    sys_invoke(init->child[domain].start_slot, OPERATION_page_unmap, 0, 0, 0, 0, 0, NULL);
}

static void doorbell(struct init *init, uint32_t from, uint32_t slot, uint32_t to, uint32_t bit)
{
    enum error error = sys_invoke(init->child[from].captable, OPERATION_captable_mint,
                                  init->child[to].port, slot, RIGHT_SIGNAL, 1ull << bit, 0, NULL);
    init_check(error, "doorbell", init->domain[from].name);
    if (init->domain[from].body && !init->domain[from].second)
        doorbell(init, init->domain[from].body, slot, to, bit);
}

static void connections_build(struct init *init)
{
    const struct image_connection *connection =
        (const void *)((const char *)init->image + init->image->connections.offset);
    for (uint32_t i = 0; i < init->image->connections.count; i++, connection++) {
        doorbell(init, connection->client, connection->client_slot, connection->server,
                 connection->server_bit);
        doorbell(init, connection->server, connection->server_slot, connection->client,
                 connection->client_bit);
    }
}

void domains_build(struct init *init)
{
    const struct image_header *image = init->image;
    uint32_t *slots = init->region_slots;
    for (uint32_t d = 1; d < image->domains.count; d++) {
        domain_make(init, d);
        info_page_share(init, d);
    }
    for (uint32_t r = 0; r < image->regions.count; r++)
        if (staging_build && r == image->staging_region)
            slots[r] = staging_build(init, &init->region[r]);
        else if (init->mapping[init->region[r].first_mapping].domain != 0)
            region_build(init, r, slots);
    for (uint32_t d = 1; d < image->domains.count; d++)
        windows_open(init, d, slots);
    for (uint32_t r = 0; r < image->regions.count; r++) {
        struct invoked info;
        if (slots[r] && sys_invoke(slots[r], OPERATION_page_info, 0, 0, 0, 0, 0, &info) == OK)
            pool_address(init, &init->region[r], info.a[0]);
    }
    connections_build(init);
}

/* A watched thread has no period: each wait gives it its time again. */
static enum error budget_give(uint32_t thread, const struct image_domain *domain)
{
    const uint32_t budget = domain->budget ? domain->budget : domain->watchdog;
    const uint64_t frequency = kernel_info()->clock_frequency;
    const uint64_t second = 1000000; /* microseconds */
    return sys_invoke(thread, OPERATION_thread_budget, budget * frequency / second,
                      domain->period * frequency / second, 0, 0, 0, NULL);
}

static void thread_start(struct init *init, uint32_t d, uint32_t thread, uint64_t entry,
                         uint64_t stack, uint64_t priority, uint64_t fault_slot)
{
    const struct image_domain *domain = &init->domain[d];
    const struct child *child = &init->child[d];
    enum error error = sys_invoke(thread, OPERATION_thread_configure, child->space, child->captable,
                                  priority, fault_slot, 0, NULL);
    if (!error)
        error = sys_invoke(thread, OPERATION_thread_set_registers, entry, stack,
                           start_address(init, d), 0, 0, NULL);
    if (!error && (domain->budget || domain->watchdog))
        error = budget_give(thread, domain);
    if (!error && control_account)
        error = control_account(init, d, thread);
    if (!error && begins_at_boot(init, d))
        error = thread_resume(thread);
    init_check(error, "thread", domain->name);
}

void domains_run(struct init *init)
{
    for (uint32_t d = 1; d < init->image->domains.count; d++) {
        const struct image_domain *domain = &init->domain[d];
        const struct child *child = &init->child[d];
        if (child->pager)
            thread_start(init, d, child->pager, domain->pager_entry, domain->pager_stack,
                         domain->pager_priority, SLOT_SUPERVISOR);
        thread_start(init, d, child->thread, domain->entry, domain->stack_top, domain->priority,
                     domain->fault_slot);
    }
}
