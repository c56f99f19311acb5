/* SPDX-License-Identifier: ISC
 *
 * See boot.h. Physical memory: the image, the kernel information page, the boot page, and then what
 * init gets.
 */
#include "kernel/arch/sim/boot.h"

#include <stddef.h>
#include <string.h>

#include "kernel/arch/sim/check.h"
#include "kernel/arch/sim/machine.h"
#include "kernel/arch/sim/user/processor.h"
#include "kernel/init.h"
#include "ipc/ring_layout.h"
#include "libos/pager.h"
#include "libos/start.h"

struct sim_servers sim_servers[IMAGE_DOMAINS_MAX];

static struct captable *init_table;

const struct image_header *sim_image(void)
{
    return (const struct image_header *)sim_memory;
}

struct captable *sim_init_table(void)
{
    return init_table;
}

static void *table(struct image_table where)
{
    return sim_memory + where.offset;
}

static uint64_t window(uint32_t domain)
{
    return domain ? SIM_WINDOWS + domain * SIM_WINDOW_BYTES : 0;
}

static void move(uint64_t *address, uint64_t by)
{
    if (*address)
        *address += by;
}

static void start_page_move(struct start_page *start, uint64_t by)
{
    move(&start->private_address, by);
    move(&start->log_address, by);
    move(&start->counters_address, by);
    move(&start->heap.address, by);
    move(&start->heap.state, by);
    for (int i = 0; i < start->paged; i++)
        move(&start->paged_domain[i].address, window(start->paged_domain[i].domain));
    for (int i = 0; i < start->conns; i++) {
        move(&start->conn[i].mine, by);
        move(&start->conn[i].theirs, by);
    }
    for (int i = 0; i < start->pools; i++)
        move(&start->pool[i].base, by);
    for (int i = 0; i < start->files; i++)
        move(&start->file[i].address, by);
    move(&start->state_address, by);
    move(&start->staging_address, by);
}

/* The template in the image isn't a whole page: what is cut off is zero. */
static void start_template_move(const struct image_domain *domain, uint64_t by, uint32_t slots)
{
    struct start_page start = {0};
    memcpy(&start, sim_memory + domain->start, domain->start_bytes);
    start_page_move(&start, by);
    for (int i = 0; i < start.conns; i++)
        while (start.conn[i].slots > slots && start.conn[i].slots > RING_SLOTS_MIN)
            start.conn[i].slots /= 2;
    memcpy(sim_memory + domain->start, &start, domain->start_bytes);
}

/* A stack becomes larger, and goes where there is room for that. Returns its top. */
static uint64_t stack_enlarge(uint32_t d, uint64_t end, struct image_region *region,
                              struct image_mapping *mapping)
{
    region->pages = SIM_STACK_PAGES;
    if (d)
        mapping->address = window(d) + end - SIM_STACK_PAGES * PAGE_BYTES;
    /* One word down, as if the first function had been called from address 0. */
    return mapping->address + SIM_STACK_PAGES * PAGE_BYTES - 8;
}

static void mappings_move(struct image_header *image, struct image_domain *domains)
{
    struct image_region *regions = table(image->regions);
    struct image_mapping *mappings = table(image->mappings);
    for (uint32_t r = 0; r < image->regions.count; r++) {
        struct image_region *region = &regions[r];
        for (uint32_t m = 0; m < region->mappings; m++) {
            struct image_mapping *mapping = &mappings[region->first_mapping + m];
            struct image_domain *domain = &domains[mapping->domain];
            uint64_t end = mapping->address + region->pages * (uint64_t)PAGE_BYTES;
            if (mapping->address && end == domain->stack_top)
                domain->stack_top = stack_enlarge(mapping->domain, SIM_STACK, region, mapping);
            else if (mapping->address && end == domain->pager_stack)
                domain->pager_stack =
                    stack_enlarge(mapping->domain, SIM_PAGER_STACK, region, mapping);
            else
                move(&mapping->address, window(mapping->domain));
        }
    }
}

static const struct server *linked(const char *name)
{
    for (const struct server *const *server = sim_linked; *server; server++)
        if (!strcmp((*server)->name, name))
            return *server;
    panic("the image has a server \"%s\" that this simulator wasn't linked with", name);
}

static void servers_find(const struct image_domain *domain, struct sim_servers *servers)
{
    const char *name = (const char *)sim_memory + domain->servers;
    *servers = (struct sim_servers){0};
    for (; *name; name += strlen(name) + 1)
        servers->server[servers->count++] = linked(name);
}

static void domains_move(struct image_header *image, uint32_t slots)
{
    struct image_domain *domains = table(image->domains);
    struct image_device *devices = table(image->devices);
    mappings_move(image, domains);
    for (uint32_t d = 1; d < image->domains.count; d++) {
        servers_find(&domains[d], &sim_servers[d]);
        start_template_move(&domains[d], window(d), slots);
        domains[d].entry = (uint64_t)sim_domain_start;
        move(&domains[d].heap_address, window(d));
        if (domains[d].pager_entry)
            domains[d].pager_entry = (uint64_t)pager_start;
    }
    domains[0].entry = (uint64_t)init_start;
    for (uint32_t i = 0; i < image->devices.count; i++)
        move(&devices[i].address, window(devices[i].domain));
}

static void info_fill(struct kernel_info *info, const uint64_t seed[2])
{
    *info = (struct kernel_info){
        .magic = KERNEL_INFO_MAGIC,
        .abi = ABI_VERSION,
        .clock_base = sim_clock,
        .clock_frequency = SIM_TICKS_PER_SECOND,
        .clock_multiplier = (1000000000ull << 32) / SIM_TICKS_PER_SECOND,
        .cpus = 1,
        .cpu_features = CPU_NX | CPU_SMEP | CPU_SMAP | CPU_UMIP | CPU_RDRAND,
        .seed = {seed[0], seed[1]},
        .build = "simulated",
    };
}

static void *page_at(uint64_t index)
{
    return memset(sim_memory + index * PAGE_BYTES, 0, PAGE_BYTES);
}

void sim_boot(const struct sim_boot *boot)
{
    uint64_t image_pages = (boot->bytes + PAGE_BYTES - 1) / PAGE_BYTES;
    struct init_machine machine = {.image = SIM_MEMORY_FIRST,
                                   .info_page = SIM_MEMORY_FIRST + image_pages * PAGE_BYTES,
                                   .command_line = boot->command_line,
                                   .memory_count = 1,
                                   .device_count = 1};
    sim_reset(boot->pages);
    sim.panic = boot->panic;
    if (boot->domains)
        sim_iommu_start(boot->domains, false);
    sim_frequency = SIM_TICKS_PER_SECOND;
    check_reset();
    image_check(boot->image, boot->bytes);
    if (image_pages + 2 + KERNEL_COUNTER_PAGES >= boot->pages)
        panic("too little memory: the image alone has %lu pages", (unsigned long)image_pages);
    memcpy(sim_memory, boot->image, boot->bytes);
    domains_move((struct image_header *)sim_memory, boot->slots);
    info_fill(page_at(image_pages), boot->seed);
    page_at(image_pages + 1);
    machine.boot_page = machine.info_page + PAGE_BYTES;
    machine.counters = machine.boot_page + PAGE_BYTES;
    for (uint64_t i = 0; i < KERNEL_COUNTER_PAGES; i++)
        page_at(image_pages + 2 + i);
    sim_counters = phys_to_virt(machine.counters);
    machine.memory[0] = (struct memory_range){machine.counters + KERNEL_COUNTER_PAGES * PAGE_BYTES,
                                              SIM_MEMORY_FIRST + boot->pages * PAGE_BYTES};
    machine.device[0] = (struct memory_range){SIM_DEVICE_FIRST, SIM_DEVICE_END};
    /* The kernel takes its table from the start of the largest range, which is the only one. */
    init_table = phys_to_virt(machine.memory[0].start);
    init_create(&machine);
    schedule(&sim_cpu);
}
