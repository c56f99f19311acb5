/* SPDX-License-Identifier: ISC
 *
 * See layout.h. In order: contents, then regions that domains share (rings, pools, files), then
 * domain by domain what it has of all that.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ipc/pool.h"
#include "libos/server.h"
#include "motet/abi.h"
#include "tools/composer/connections.h"
#include "tools/composer/heaps.h"
#include "tools/composer/isa.h"
#include "tools/composer/regions.h"
#include "tools/composer/swap_layout.h"
#include "tools/composer/swaps.h"

/* Regions shared by domains, by their number in the manifest. */
struct shared_regions {
    struct ring_regions rings;
    uint32_t pools[POOLS_MAX];
};

static uint64_t round_up(uint64_t value, uint64_t to)
{
    return (value + to - 1) / to * to;
}

/* Whether the constants begin in the page where the text ends, seen from the file. */
static bool shares_page(const struct elf *elf)
{
    uint64_t text_end = (elf->text.address + elf->text.bytes) % PAGE_BYTES;
    uint64_t begin = elf->rodata.address % PAGE_BYTES;
    return elf->rodata.bytes && text_end && begin >= text_end;
}

/* Of domains that can be swapped: contents only, each on pages of its own. */
static void add_replaceable(struct composition *c, const struct program *program)
{
    struct program_regions *p = &c->programs[c->program_count++];
    const struct elf *elf = &program->elf;
    p->program = program;
    p->text_offset = add_content(c, elf->file + elf->text.offset, elf->text.bytes);
    p->rodata_offset = add_content(c, elf->file + elf->rodata.offset, elf->rodata.bytes);
}

static void add_program(struct composition *c, const struct program *program)
{
    struct program_regions *p = &c->programs[c->program_count++];
    const struct elf *elf = &program->elf;
    uint64_t begin = elf->rodata.address % PAGE_BYTES;
    *p = (struct program_regions){.program = program, .shared_pages = shares_page(elf)};
    p->text_offset = c->content_pages * PAGE_BYTES;
    p->text_pages = (uint32_t)(pages_of(elf->text.bytes) - p->shared_pages);
    p->rodata_offset = p->text_offset + (uint64_t)p->text_pages * PAGE_BYTES + begin;
    if (elf->rodata.bytes)
        p->rodata_pages = (uint32_t)(pages_of(begin + elf->rodata.bytes) - p->shared_pages);
    const char *name = program->name;
    if (p->text_pages)
        p->text = add_region(c, IMAGE_CONTENT, p->text_pages, "text of %s", name);
    if (p->shared_pages)
        p->shared = add_region(c, IMAGE_CONTENT, 1, "text and constants of %s", name);
    if (p->rodata_pages)
        p->rodata = add_region(c, IMAGE_CONTENT, p->rodata_pages, "constants of %s", name);
    put_content(c, elf->file + elf->text.offset, elf->text.bytes, p->text_offset);
    put_content(c, elf->file + elf->rodata.offset, elf->rodata.bytes, p->rodata_offset);
}

static void add_programs(struct composition *c, struct program *const programs[])
{
    for (uint32_t d = 0; d < c->drawn_count; d++) {
        uint32_t known = 0;
        while (known < c->program_count && c->programs[known].program != programs[d])
            known++;
        c->domains[d].program = programs[d];
        if (known == c->program_count && c->domains[d].drawn->swap)
            add_replaceable(c, programs[d]);
        else if (known == c->program_count)
            add_program(c, programs[d]);
    }
}

/* init's own would tell nobody: if it dies, the machine ends. */
static bool read_symbols(struct composition *c)
{
    if (!c->manifest->symbols)
        return true;
    for (uint32_t i = 0; i < c->program_count; i++) {
        struct program_regions *p = &c->programs[i];
        if (p->program != c->domains[0].program && !symbols_read(&p->symbols, &p->program->elf))
            return report(c->manifest->at, "no memory for the symbols — close something");
    }
    return true;
}

/* Whether a domain has the file as it is, for good. */
static bool stays(const struct composition *c, const struct content_file *file)
{
    for (uint32_t d = 1; d < c->drawn_count; d++) {
        const struct manifest_domain *drawn = c->domains[d].drawn;
        for (uint32_t i = 0; i < drawn->file_count; i++)
            if (!drawn->files[i].reload && !strcmp(drawn->files[i].file, file->name))
                return true;
    }
    return false;
}

static void add_files(struct composition *c)
{
    for (uint32_t i = 0; i < c->file_count; i++) {
        struct content_file *file = &c->files[i];
        if (!stays(c, file)) {
            file->offset = add_content(c, file->bytes, file->size);
            continue;
        }
        file->offset = c->content_pages * PAGE_BYTES;
        put_content(c, file->bytes, file->size, file->offset);
        file->region = add_region(c, IMAGE_CONTENT, pages_of(file->size), "file %s", file->name);
    }
}

static void add_shared(struct composition *c, struct shared_regions *shared)
{
    const struct manifest *m = c->manifest;
    add_rings(c, &shared->rings);
    for (uint32_t i = 0; i < m->pool_count; i++) {
        const struct manifest_pool *pool = &m->pools[i];
        shared->pools[i] = add_region(
            c, IMAGE_MEMORY, pages_of((uint64_t)pool->buffers * pool->size), "pool %s", pool->name);
    }
}

/* Text, then constants, where they were linked. Sets the cursor behind them. */
static void map_program(struct composition *c, uint32_t d)
{
    const struct program_regions *p = program_regions(c, c->domains[d].program);
    uint64_t text = p->program->elf.text.address;
    uint64_t rodata = p->program->elf.rodata.address / PAGE_BYTES * PAGE_BYTES;
    if (p->text_pages)
        map_at(c, d, p->text, IMAGE_READ | IMAGE_EXECUTE, text);
    text += (uint64_t)p->text_pages * PAGE_BYTES;
    if (p->shared_pages) {
        map_at(c, d, p->shared, IMAGE_READ | IMAGE_EXECUTE, text);
        map_at(c, d, p->shared, IMAGE_READ, rodata);
        text += PAGE_BYTES;
        rodata += PAGE_BYTES;
    }
    if (p->rodata_pages)
        map_at(c, d, p->rodata, IMAGE_READ, rodata);
    rodata += (uint64_t)p->rodata_pages * PAGE_BYTES;
    c->domains[d].cursor = (rodata > text ? rodata : text) + PAGE_BYTES;
}

uint64_t servers_stack_bytes(const struct program *program, const uint64_t given[SERVERS_MAX],
                             bool connected)
{
    uint64_t most = 0, sum = 0;
    for (uint32_t s = 0; s < program->server_count; s++) {
        uint64_t bytes = given[s] ? given[s] : program->servers[s].stack_bytes;
        sum += bytes;
        if (bytes > most)
            most = bytes;
    }
    return (connected ? sum : most) + STACK_MARGIN_BYTES;
}

static uint64_t stack_bytes(const struct composition *c, uint32_t d)
{
    const struct manifest_domain *drawn = c->domains[d].drawn;
    if (drawn->swap)
        return stack_room(drawn);
    if (drawn->stack)
        return drawn->stack;
    return servers_stack_bytes(c->domains[d].program, drawn->server_stack, queue_bytes(c, d) != 0);
}

/* Stack, private memory, log and counters. */
static void map_memory(struct composition *c, uint32_t d)
{
    struct composed_domain *domain = &c->domains[d];
    struct start_page *page = &domain->page;
    uint64_t stack, bytes = stack_bytes(c, d);
    page->private_bytes = LIBOS_PRIVATE_BYTES;
    for (uint32_t i = 0; i < domain->program->server_count; i++)
        page->private_bytes =
            state_end(page->private_bytes, domain->program->servers[i].state_size);
    if (domain->drawn->swap)
        page->private_bytes = LIBOS_PRIVATE_BYTES + domain->drawn->state_room;
    uint64_t queues = page->private_bytes;
    page->private_bytes += queue_bytes(c, d);
    map_own(c, d, bytes, "stack", &stack);
    domain->record.stack_top = stack + pages_of(bytes) * PAGE_BYTES;
    map_own(c, d, page->private_bytes, "private memory", &page->private_address);
    place_queues(c, d, page->private_address + queues);
    domain->record.log_region = (uint16_t)map_own(c, d, PAGE_BYTES, "log", &page->log_address);
    domain->record.counter_region =
        (uint16_t)map_own(c, d, PAGE_BYTES, "counters", &page->counters_address);
}

static uint8_t image_rights(uint8_t rights)
{
    return (uint8_t)(((rights & POOL_READ) ? IMAGE_READ : 0) |
                     ((rights & POOL_WRITE) ? IMAGE_WRITE : 0) |
                     ((rights & POOL_DMA) ? IMAGE_DMA : 0));
}

/* One server's name of a pool that is mapped at `address`. */
static void add_view(struct composition *c, uint32_t d, uint32_t number,
                     const struct manifest_right *right, uint8_t rights, uint64_t address)
{
    const struct manifest_pool *pool = &c->manifest->pools[number];
    struct start_page *page = &c->domains[d].page;
    struct start_pool *view = &page->pool[page->pools++];
    *view = (struct start_pool){.base = address,
                                .buffers = pool->buffers,
                                .buffer_size = pool->size,
                                .rights = rights,
                                .number = (uint8_t)number,
                                .server = (uint8_t)right->server};
    memcpy(view->name, right->name, sizeof view->name);
}

/* The servers of a domain can't be kept from each other's memory: the domain has what any of them
 * may do, once. */
static void map_pool(struct composition *c, uint32_t d, uint32_t number, uint32_t region)
{
    const struct manifest_pool *pool = &c->manifest->pools[number];
    const uint32_t first = c->domains[d].page.pools;
    struct image_mapping *mapping = NULL;
    uint8_t rights = 0;
    for (uint32_t i = 0; i < pool->right_count; i++)
        rights |= pool->rights[i].domain == d ? pool->rights[i].rights : 0;
    for (uint32_t i = 0; i < pool->right_count; i++) {
        if (pool->rights[i].domain != d)
            continue;
        if (!mapping && rights & (POOL_READ | POOL_WRITE))
            mapping = map_next(c, d, region, image_rights(rights));
        else if (!mapping)
            mapping = map_at(c, d, region, image_rights(rights), 0);
        add_view(c, d, number, &pool->rights[i], rights, mapping->address);
    }
    if (mapping && rights & POOL_DMA)
        mapping->pool = (uint8_t)(first + 1);
}

static void map_pools(struct composition *c, uint32_t d, const struct shared_regions *shared)
{
    for (uint32_t i = 0; i < c->manifest->pool_count; i++)
        map_pool(c, d, i, shared->pools[i]);
}

static bool map_files(struct composition *c, uint32_t d)
{
    const struct manifest_domain *drawn = c->domains[d].drawn;
    struct start_page *page = &c->domains[d].page;
    bool fits = true;
    for (uint32_t i = 0; i < drawn->file_count; i++) {
        const struct content_file *file = c->files;
        while (strcmp(file->name, drawn->files[i].file) != 0)
            file++;
        struct start_file *view = &page->file[page->files];
        uint32_t region = file->region;
        if (drawn->files[i].reload)
            fits &= add_file_room(c, d, page->files, file, &region);
        page->files++;
        view->address = map_next(c, d, region, IMAGE_READ)->address;
        view->size = (uint32_t)file->size; /* place_contents: an image is below 4 GiB */
        view->server = (uint8_t)drawn->files[i].server;
        memcpy(view->name, drawn->files[i].name, sizeof view->name);
    }
    return fits;
}

static bool add_claims(struct composition *c, uint32_t d)
{
    const struct manifest_domain *drawn = &c->manifest->domains[d];
    struct composed_domain *domain = &c->domains[d];
    if (drawn->claim_count && domain->cursor > DEVICE_WINDOW_BYTES)
        return report(drawn->at,
                      "domain \"%s\" drives devices and has %llu MiB of memory — give the large "
                      "files to a domain without devices",
                      drawn->name, (unsigned long long)domain->cursor >> 20);
    for (uint32_t i = 0; i < drawn->claim_count; i++) {
        const struct manifest_claim *claim = &drawn->claims[i];
        const struct isa_device *isa = claim->isa;
        /* Of a legacy device: its ports. init has one for its line, too. */
        uint32_t slots =
            isa ? 1 + claim->vectors : claim->most * (DEVICE_PAGE_SLOTS + claim->vectors);
        uint64_t address = i ? (uint64_t)i * DEVICE_WINDOW_BYTES : domain->cursor;
        c->devices[c->device_count++] = (struct image_device){
            .domain = (uint16_t)d,
            .virtio = (uint16_t)claim->virtio,
            .vendor = claim->vendor,
            .id = isa ? isa->pnp : claim->id,
            .line = isa ? isa->line : 0,
            .port = isa ? isa->port : 0,
            .ports = isa ? isa->ports : 0,
            .id_last = claim->id_last,
            .most = (uint8_t)claim->most,
            .vectors = (uint8_t)claim->vectors,
            .server = (uint8_t)claim->server,
            .required = claim->required,
            .contained = claim->contained,
            .address = address,
            .slot = domain->slots,
            .slots = slots,
        };
        count_tables(domain, address, 1);
        domain->slots += slots;
        domain->device_slots += slots;
    }
    return true;
}

/* Addresses only: what is there, and how large, is known when the image is booted. */
static void keep_trace(struct composition *c, uint32_t d)
{
    struct composed_domain *domain = &c->domains[d];
    if (!c->manifest->domains[d].trace)
        return;
    domain->record.trace_page = (uint32_t)((domain->cursor - START_ADDRESS) / PAGE_BYTES);
    count_tables(domain, domain->cursor, TRACE_PAGES_MAX);
    domain->cursor += (TRACE_PAGES_MAX + 1) * PAGE_BYTES;
    domain->trace_slots = 1;
}

enum { CONSOLE_SLOTS = 1 }; /* of init's table: the page for what is printed */

/* The controller's view: two pages for each domain, init included. */
static void keep_watch(struct composition *c, uint32_t d)
{
    struct composed_domain *domain = &c->domains[d];
    const uint32_t pages = 2 * c->domain_count;
    if (!c->manifest->domains[d].control)
        return;
    domain->record.watch_page = (uint32_t)((domain->cursor - START_ADDRESS) / PAGE_BYTES);
    count_tables(domain, domain->cursor, pages);
    domain->cursor += (pages + 1) * PAGE_BYTES;
    domain->watch_slots = pages + CONSOLE_SLOTS;
}

static void set_settings(struct start_page *page, const struct manifest_domain *drawn)
{
    char *out = page->settings;
    for (uint32_t i = 0; i < drawn->setting_count; i++) {
        size_t length = strlen(drawn->settings[i].text) + 1;
        memcpy(out, drawn->settings[i].text, length);
        out += length;
    }
}

static void map_start_page(struct composition *c, uint32_t d)
{
    struct composed_domain *domain = &c->domains[d];
    uint32_t region = add_region(c, IMAGE_MEMORY, 1, "start page");
    domain->record.start_region = (uint16_t)region;
    domain->memory_pages = 1;
    map_at(c, d, region, IMAGE_READ, START_ADDRESS);
    domain->page.magic = START_MAGIC;
    domain->page.version = START_VERSION;
    domain->page.domain = (uint16_t)d;
    domain->page.restarting = c->manifest->restarts;
    strcpy(domain->page.name, c->manifest->domains[d].name);
    set_settings(&domain->page, &c->manifest->domains[d]);
}

static bool set_table_slots(struct composed_domain *domain, const struct manifest_domain *drawn)
{
    uint64_t needed = round_up(domain->slots, SLOTS_PER_PAGE);
    domain->record.table_slots = drawn->table_slots ? drawn->table_slots : (uint32_t)needed;
    if (needed > SLOTS_PER_PAGE * CAPTABLE_PAGES_MAX)
        return report(drawn->at,
                      "domain \"%s\" needs %u capability slots — it can have %d: split "
                      "it",
                      drawn->name, domain->slots, SLOTS_PER_PAGE * CAPTABLE_PAGES_MAX);
    if (domain->record.table_slots < needed)
        return report(drawn->at,
                      "table_slots = %u is too few for the %u slots in use — give %llu, or drop "
                      "the key",
                      drawn->table_slots, domain->slots, (unsigned long long)needed);
    return true;
}

static void count_objects(struct composition *c, struct composed_domain *domain)
{
    enum { UPPERMOST_TABLE = 1 };
    const uint32_t threads = domain->record.pager_entry ? 2 : 1, ports = threads;
    domain->tables += UPPERMOST_TABLE;
    domain->object_pages = domain->record.table_slots / SLOTS_PER_PAGE + SPACE_PAGES + threads +
                           ports + domain->tables;
    c->object_pages += domain->object_pages;
}

static bool layout_domain(struct composition *c, uint32_t d, const struct shared_regions *shared)
{
    struct composed_domain *domain = &c->domains[d];
    const struct manifest_domain *drawn = domain->drawn;
    map_start_page(c, d);
    if (drawn->swap)
        map_rooms(c, d);
    else
        map_program(c, d);
    map_memory(c, d);
    map_rings(c, d, &shared->rings);
    map_pools(c, d, shared);
    bool fits = map_files(c, d);
    map_swap_memory(c, d);
    heap_layout(c, d);
    keep_trace(c, d);
    keep_watch(c, d);
    fits &= add_claims(c, d) && set_table_slots(domain, drawn);
    count_objects(c, domain);
    return fits;
}

/* init's table holds the original of every capability that it hands out. */
static bool set_init_slots(struct composition *c)
{
    /* captable, space, thread, port, the kernel information page */
    enum { OBJECTS_PER_DOMAIN = 5, PAGER_OBJECTS = 2, WORK_SLOTS = 64 };
    /* The dmaspace; per run of pages with dma a copy and, wherever it lies, two tables that no
     * other run needs. */
    enum { DMASPACE_SLOTS = 2, DMA_RUN_SLOTS = 3 };
    /* For what a swap moves about, and page tables of init's windows for it. */
    enum { SWAP_SLOTS = 32 };
    uint64_t slots = heap_blocks(c->manifest) + INIT_UNTYPED + BOOT_UNTYPED_MAX + WORK_SLOTS;
    for (uint32_t i = 0; i < c->region_count; i++)
        slots += (c->regions[i].pages + PAGE_RUN_MAX - 1) / PAGE_RUN_MAX;
    for (uint32_t d = 1; d < c->domain_count; d++)
        slots += OBJECTS_PER_DOMAIN + (c->domains[d].record.pager_entry ? PAGER_OBJECTS : 0) +
                 c->domains[d].tables + c->domains[d].device_slots + c->domains[d].trace_slots +
                 c->domains[d].watch_slots;
    if (c->manifest->swaps)
        slots += SWAP_SLOTS;
    for (uint32_t d = 1; d < c->drawn_count; d++)
        if (c->manifest->domains[d].claim_count)
            slots += DMASPACE_SLOTS + DMA_RUN_SLOTS * c->domains[d].dma_runs;
    c->domains[0].slots = (uint32_t)slots;
    return set_table_slots(&c->domains[0], &c->manifest->domains[0]);
}

static bool layout_init(struct composition *c)
{
    struct composed_domain *init = &c->domains[0];
    map_program(c, 0);
    if (init->cursor > INIT_PRIVATE_ADDRESS)
        return report(c->manifest->at,
                      "init is too large: it ends at %#llx — raise INIT_PRIVATE_ADDRESS in "
                      "libos/start.h",
                      (unsigned long long)init->cursor);
    uint32_t memory = add_region(c, IMAGE_MEMORY, pages_of(INIT_PRIVATE_BYTES), "private memory");
    uint32_t stack = add_region(c, IMAGE_MEMORY, pages_of(INIT_STACK_BYTES), "stack");
    map_at(c, 0, memory, IMAGE_READ | IMAGE_WRITE, INIT_PRIVATE_ADDRESS);
    map_at(c, 0, stack, IMAGE_READ | IMAGE_WRITE, INIT_STACK_ADDRESS);
    init->memory_pages = c->regions[memory].pages + c->regions[stack].pages;
    init->record.stack_top = INIT_STACK_ADDRESS + INIT_STACK_BYTES;
    return true;
}

static void finish_init(struct composition *c)
{
    count_tables(&c->domains[0], INIT_IMAGE_ADDRESS, pages_of(c->tables_bytes));
    count_objects(c, &c->domains[0]);
}

static void name_domains(struct composition *c)
{
    for (uint32_t d = 0; d < c->drawn_count; d++) {
        struct composed_domain *domain = &c->domains[d];
        memcpy(domain->record.name, c->manifest->domains[d].name, IMAGE_NAME_BYTES);
        domain->record.priority = (uint8_t)c->manifest->domains[d].priority;
        domain->record.restarts_most = (uint8_t)c->manifest->domains[d].restart;
        domain->record.budget = c->manifest->domains[d].budget;
        domain->record.watchdog = c->manifest->domains[d].watchdog;
        domain->record.period = c->manifest->domains[d].period;
        domain->record.entry = domain->program->elf.header.e_entry;
        domain->record.fault_slot = SLOT_SUPERVISOR;
        domain->slots = SLOT_FIRST_FREE;
    }
}

/* Stable, so that a domain's own order stays. */
static void group_mappings(struct composition *c)
{
    static struct image_mapping grouped[MAPPINGS_MAX];
    uint32_t used = 0;
    for (uint32_t r = 0; r < c->region_count; r++) {
        c->regions[r].first_mapping = used;
        for (uint32_t i = 0; i < c->mapping_count; i++) {
            if (c->mapping_region[i] == r)
                grouped[used++] = c->mappings[i];
        }
        c->regions[r].mappings = (uint16_t)(used - c->regions[r].first_mapping);
    }
    for (uint32_t r = 0; r < c->region_count; r++) {
        for (uint32_t i = 0; i < c->regions[r].mappings; i++)
            c->mapping_region[c->regions[r].first_mapping + i] = r;
    }
    memcpy(c->mappings, grouped, used * sizeof grouped[0]);
}

uint32_t start_page_bytes(const struct start_page *page)
{
    const uint8_t *bytes = (const uint8_t *)page;
    size_t used = sizeof *page;
    while (used && !bytes[used - 1])
        used--;
    return (uint32_t)round_up(used, 8);
}

static uint32_t pattern_bytes(const struct program *program)
{
    uint32_t bytes = 0;
    for (uint32_t s = 0; s < program->server_count; s++) {
        for (uint32_t i = 0; i < program->servers[s].setting_count; i++)
            bytes += (uint32_t)strlen(program->servers[s].settings[i]) + 1;
    }
    return bytes + 1;
}

static uint32_t name_bytes(const struct program *program)
{
    uint32_t bytes = 0;
    for (uint32_t s = 0; s < program->server_count; s++)
        bytes += (uint32_t)strlen(program->servers[s].name) + 1;
    return bytes + 1;
}

uint32_t version_bytes(const struct program *program)
{
    const char *version = program->server_count ? program->servers[0].version : NULL;
    return version ? (uint32_t)strlen(version) + 1 : 0;
}

struct table_offsets table_offsets(const struct composition *c)
{
    struct table_offsets at = {.domains = sizeof(struct image_header)};
    at.regions = at.domains + c->domain_count * (uint32_t)sizeof(struct image_domain);
    at.mappings = at.regions + c->region_count * (uint32_t)sizeof(struct image_region);
    at.mappings = (uint32_t)round_up(at.mappings, 8);
    at.connections = at.mappings + c->mapping_count * (uint32_t)sizeof(struct image_mapping);
    at.devices = at.connections + c->channel_count * (uint32_t)sizeof(struct image_connection);
    at.strings = at.devices + c->device_count * (uint32_t)sizeof(struct image_device);
    for (uint32_t d = 0; d < c->drawn_count; d++)
        at.string_bytes += pattern_bytes(c->domains[d].program) +
                           name_bytes(c->domains[d].program) + version_bytes(c->domains[d].program);
    at.end = (uint32_t)round_up(at.strings + at.string_bytes, 8);
    for (uint32_t d = 1; d < c->domain_count; d++) {
        at.starts[d] = at.end;
        at.end += start_page_bytes(&c->domains[d].page);
    }
    for (uint32_t i = 0; i < c->program_count; i++) {
        if (!c->programs[i].symbols.count)
            continue;
        at.symbols[i] = at.end;
        at.end += (uint32_t)round_up(symbols_bytes(&c->programs[i].symbols), 8);
    }
    return at;
}

/* Contents move behind the tables, whose size is known only now. */
static bool place_contents(struct composition *c)
{
    c->tables_bytes = table_offsets(c).end;
    if (pages_of(c->tables_bytes) > PAGE_RUN_MAX)
        return report(c->manifest->at,
                      "the image's tables have %llu KiB — they can have %d: drop "
                      "symbols = true",
                      (unsigned long long)c->tables_bytes >> 10, PAGE_RUN_MAX * PAGE_BYTES / 1024);
    uint64_t first = pages_of(c->tables_bytes) * PAGE_BYTES;
    c->block_bytes = first + c->content_pages * PAGE_BYTES;
    if (c->block_bytes > UINT32_MAX)
        return report(c->manifest->at, "the image has %llu MiB — it can have 4095 at most",
                      (unsigned long long)c->block_bytes >> 20);
    for (uint32_t i = 0; i < c->content_count; i++)
        c->contents[i].offset += first;
    for (uint32_t i = 0; i < c->program_count; i++) {
        c->programs[i].text_offset += first;
        c->programs[i].rodata_offset += first;
    }
    for (uint32_t i = 0; i < c->file_count; i++)
        c->files[i].offset += first;
    for (uint32_t i = 0; i < c->region_count; i++) {
        if (c->regions[i].kind == IMAGE_CONTENT || c->regions[i].bytes)
            c->regions[i].offset += (uint32_t)first;
    }
    return true;
}

static bool check_memory(struct composition *c)
{
    const struct manifest *m = c->manifest;
    c->needed_bytes =
        c->block_bytes + (c->memory_pages + c->object_pages) * PAGE_BYTES + KERNEL_BYTES;
    if (!m->memory || m->memory >= c->needed_bytes)
        return true;
    return report(m->memory_at,
                  "the image needs %llu KiB, memory = gives %llu KiB — see compose --explain; give "
                  "more, or make pools and rings smaller",
                  (unsigned long long)c->needed_bytes >> 10, (unsigned long long)m->memory >> 10);
}

/* Before any is made: at most as many as the tables hold. */
static bool check_regions(const struct composition *c)
{
    enum { PER_PROGRAM = 3, PER_DOMAIN = 7, STATE = 1, OF_SWAPS = 2, ONCE = 2 };
    const struct manifest *m = c->manifest;
    uint32_t most = c->domain_count * (PER_PROGRAM + PER_DOMAIN) + m->connection_count * 2 +
                    m->pool_count + c->file_count;
    uint32_t swapped = c->domain_count - c->drawn_count;
    most += swapped * (STATE + OF_SWAPS * START_FILES_MAX) + ONCE;
    return most <= IMAGE_REGIONS_MAX ||
           report(m->at,
                  "the image has up to %u pieces of memory — there can be %d: take out domains, "
                  "connections or pools",
                  most, IMAGE_REGIONS_MAX);
}

bool layout_image(struct composition *c, const struct manifest *manifest,
                  struct program *const programs[IMAGE_DOMAINS_MAX])
{
    static struct shared_regions shared;
    bool fits = true;
    c->manifest = manifest;
    c->drawn_count = manifest->domain_count;
    c->domain_count = c->drawn_count + swap_count(manifest);
    if (!check_regions(c))
        return false;
    for (uint32_t d = 0; d < c->drawn_count; d++)
        c->domains[d].drawn = &manifest->domains[d];
    add_programs(c, programs);
    fits &= read_symbols(c);
    name_domains(c);
    add_files(c);
    fits &= layout_init(c);
    add_shared(c, &shared);
    fits &= add_swap_shared(c);
    add_ends(c);
    for (uint32_t d = 1; d < c->drawn_count; d++)
        fits &= layout_domain(c, d, &shared);
    heap_layout_finish(c);
    add_second_bodies(c);
    fits = fits && set_init_slots(c);
    group_mappings(c);
    fits = fits && place_contents(c);
    finish_init(c);
    return fits && check_memory(c);
}
