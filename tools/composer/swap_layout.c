/* SPDX-License-Identifier: ISC
 *
 * See swap_layout.h.
 */
#include "tools/composer/swap_layout.h"

#include <stdlib.h>
#include <string.h>

#include "motet/abi.h"
#include "motet/swap.h"
#include "tools/composer/regions.h"
#include "tools/composer/swaps.h"

enum { STATE_EXTRA = 16 * 1024 /* headers, checksums and the libOS's own records */ };

static const char table_name[] = "swaps"; /* the loader's file */

/* A room in memory that begins as a copy of what the image has at `offset`. */
static uint32_t add_copy(struct composition *c, uint64_t room, uint64_t offset, uint64_t bytes,
                         const char *what, const char *name)
{
    uint32_t region = add_region(c, IMAGE_COPY, pages_of(room), "%s of %s", what, name);
    c->regions[region].offset = (uint32_t)offset;
    c->regions[region].bytes = (uint32_t)bytes;
    return region;
}

void map_rooms(struct composition *c, uint32_t d)
{
    struct composed_domain *domain = &c->domains[d];
    const struct manifest_domain *drawn = domain->drawn;
    const struct elf *elf = &domain->program->elf;
    const struct program_regions *p = program_regions(c, domain->program);
    uint32_t text =
        add_copy(c, drawn->text_room, p->text_offset, elf->text.bytes, "text", drawn->name);
    uint32_t constants = add_copy(c, drawn->constants_room, p->rodata_offset, elf->rodata.bytes,
                                  "constants", drawn->name);
    map_at(c, d, text, IMAGE_READ | IMAGE_EXECUTE, IMAGE_ADDRESS);
    map_at(c, d, constants, IMAGE_READ, IMAGE_ADDRESS + drawn->text_room);
    domain->record.program_region = (uint16_t)text;
    domain->record.constants_region = (uint16_t)constants;
    domain->memory_pages += c->regions[text].pages + c->regions[constants].pages;
    domain->cursor = IMAGE_ADDRESS + drawn->text_room + drawn->constants_room + PAGE_BYTES;
}

bool add_file_room(struct composition *c, uint32_t d, uint32_t n, const struct content_file *file,
                   uint32_t *region)
{
    struct composed_domain *domain = &c->domains[d];
    const struct manifest_file *drawn = &domain->drawn->files[n];
    bool fits = file->size <= drawn->room;
    if (!fits)
        report(drawn->at,
               "file \"%s\" has %llu bytes, its room %llu — give room = \"%lluK\"; or "
               "more, at most \"2M\"",
               drawn->name, (unsigned long long)file->size, (unsigned long long)drawn->room,
               (unsigned long long)pages_of(file->size) * PAGE_BYTES / 1024);
    *region = add_copy(c, drawn->room, file->offset, fits ? file->size : 0, "file", drawn->name);
    domain->record.files |= (uint8_t)(1u << n);
    domain->record.file_region[n] = (uint16_t)*region;
    domain->memory_pages += c->regions[*region].pages;
    return fits;
}

static void map_state(struct composition *c, uint32_t d)
{
    struct start_page *page = &c->domains[d].page;
    uint64_t queues = page->private_bytes - LIBOS_PRIVATE_BYTES - c->domains[d].drawn->state_room;
    page->state_bytes =
        (uint32_t)(pages_of(c->domains[d].drawn->state_room + queues + STATE_EXTRA) * PAGE_BYTES);
    c->domains[d].record.state_region = (uint16_t)map_own(
        c, d, page->state_bytes, "state that is handed over", &page->state_address);
}

static void map_staging(struct composition *c, uint32_t d, uint8_t rights)
{
    struct start_page *page = &c->domains[d].page;
    page->staging_address = map_next(c, d, c->staging_region, rights)->address;
    page->staging_bytes = (uint32_t)c->manifest->staging;
}

static void map_table(struct composition *c, uint32_t d)
{
    struct start_page *page = &c->domains[d].page;
    struct start_file *view = &page->file[page->files++];
    view->address = map_next(c, d, c->swaps_region, IMAGE_READ)->address;
    view->size = (uint32_t)(swap_count(c->manifest) * sizeof(struct swap_program));
    view->server = START_EVERY_SERVER;
    strcpy(view->name, table_name);
}

void map_swap_memory(struct composition *c, uint32_t d)
{
    const struct manifest *m = c->manifest;
    if (m->domains[d].swap)
        map_state(c, d);
    if (m->swaps && m->controller == d)
        map_staging(c, d, IMAGE_READ | IMAGE_WRITE);
    if (m->loader == d) {
        map_staging(c, d, IMAGE_READ);
        map_table(c, d);
    }
}

/* A port that the manifest connects, once. False: there are too many. */
static bool add_port(struct swap_server *out, const struct program_port *port, uint32_t number)
{
    for (uint32_t i = 0; i < out->ports; i++)
        if (!strcmp(out->port[i].name, port->name))
            return true;
    if (out->ports == SWAP_PORTS_MAX)
        return false;
    struct swap_port *to = &out->port[out->ports++];
    strcpy(to->name, port->name);
    strcpy(to->protocol, port->protocol);
    to->version = port->version;
    to->role = port->role;
    to->number = number;
    return true;
}

static bool add_ports(const struct composition *c, uint32_t d, struct swap_program *out)
{
    bool fits = true;
    for (uint32_t i = 0; i < c->manifest->connection_count; i++) {
        const struct manifest_connection *connection = &c->manifest->connections[i];
        const struct endpoint *ends[] = {&connection->client, &connection->server};
        for (size_t e = 0; e < 2; e++) {
            const struct program_server *servers = c->domains[d].program->servers;
            if (ends[e]->domain == d)
                fits &= add_port(&out->server[ends[e]->server],
                                 &servers[ends[e]->server].ports[ends[e]->port],
                                 (uint32_t)ends[e]->port);
        }
    }
    return fits || report(c->domains[d].drawn->at,
                          "domain \"%s\" can't be swapped: a server of it has more than %d ports "
                          "that are connected — split it",
                          c->domains[d].drawn->name, SWAP_PORTS_MAX);
}

/* What the composition demands of another program for domain d. */
static bool fill_program(const struct composition *c, uint32_t d, struct swap_program *out)
{
    const struct manifest_domain *drawn = c->domains[d].drawn;
    strcpy(out->domain, drawn->name);
    out->text_address = IMAGE_ADDRESS;
    out->constants_address = IMAGE_ADDRESS + drawn->text_room;
    out->text_room = (uint32_t)drawn->text_room;
    out->constants_room = (uint32_t)drawn->constants_room;
    out->state_room = (uint32_t)drawn->state_room;
    out->stack_room = (uint32_t)(stack_room(drawn) - STACK_MARGIN_BYTES);
    out->number = d;
    out->servers = drawn->server_count;
    memcpy(out->key, c->manifest->swap_key, sizeof(out->key));
    for (uint32_t s = 0; s < drawn->server_count; s++)
        strcpy(out->server[s].name, drawn->servers[s].text);
    return add_ports(c, d, out);
}

bool add_swap_shared(struct composition *c)
{
    const struct manifest *m = c->manifest;
    uint32_t count = swap_count(m), used = 0;
    bool fits = true;
    if (!count)
        return true;
    if (m->domains[m->loader].file_count == START_FILES_MAX)
        fits = report(m->domains[m->loader].at,
                      "domain \"%s\" has %d files, and the loader's table \"%s\" is one more — "
                      "drop one",
                      m->domains[m->loader].name, START_FILES_MAX, table_name);
    struct swap_program *table = calloc(count, sizeof *table); /* lives as long as the program */
    if (!table)
        return report(m->at, "no memory for the loader's table — close something");
    for (uint32_t d = 1; d < c->drawn_count; d++)
        if (m->domains[d].swap)
            fits &= fill_program(c, d, &table[used++]);
    put_content(c, (const uint8_t *)table, count * sizeof *table, c->content_pages * PAGE_BYTES);
    c->swaps_region =
        add_region(c, IMAGE_CONTENT, pages_of(count * sizeof *table), "file %s", table_name);
    c->staging_region = add_region(c, IMAGE_MEMORY, pages_of(m->staging), "staging memory");
    return fits;
}

/* Whether both bodies have the same region there. */
static bool is_shared(const struct composed_domain *domain, const struct image_mapping *mapping,
                      uint32_t region, uint32_t pages)
{
    const struct image_domain *record = &domain->record;
    bool own = region == record->start_region || region == record->counter_region ||
               region == record->program_region || region == record->constants_region ||
               mapping->address == domain->page.private_address ||
               mapping->address + (uint64_t)pages * PAGE_BYTES == record->stack_top;
    for (uint32_t i = 0; i < START_FILES_MAX; i++)
        own |= record->files >> i & 1 && region == record->file_region[i];
    return !own;
}

/* A region like that one, which begins empty. */
static uint32_t add_empty(struct composition *c, struct composed_domain *second, uint32_t like)
{
    struct image_domain *record = &second->record;
    const struct image_region *first = &c->regions[like];
    uint32_t region = add_region(c, first->kind, first->pages, "%s, second body", c->labels[like]);
    uint16_t *const places[] = {&record->start_region, &record->counter_region,
                                &record->program_region, &record->constants_region};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (*places[i] == like)
            *places[i] = (uint16_t)region;
    for (uint32_t i = 0; i < START_FILES_MAX; i++)
        if (record->files >> i & 1 && record->file_region[i] == like)
            record->file_region[i] = (uint16_t)region;
    second->memory_pages += first->pages;
    return region;
}

static void map_second(struct composition *c, uint32_t d, uint32_t e)
{
    const struct composed_domain *first = &c->domains[d];
    const uint32_t count = c->mapping_count;
    for (uint32_t i = 0; i < count; i++) {
        const struct image_mapping *mapping = &c->mappings[i];
        uint32_t region = c->mapping_region[i];
        if (mapping->domain != d)
            continue;
        if (!is_shared(first, mapping, region, c->regions[region].pages))
            region = add_empty(c, &c->domains[e], region);
        if (c->mapping_count == MAPPINGS_MAX)
            abort(); /* the manifest's own bounds keep below */
        c->mapping_region[c->mapping_count] = region;
        c->mappings[c->mapping_count] = *mapping;
        c->mappings[c->mapping_count++].domain = (uint16_t)e;
    }
}

static void add_second(struct composition *c, uint32_t d, uint32_t e)
{
    enum { PORT = 1 }; /* that is the first's */
    struct composed_domain *first = &c->domains[d], *second = &c->domains[e];
    *second = *first;
    first->record.body = (uint16_t)e;
    second->record.body = (uint16_t)d;
    second->record.second = 1;
    second->page.domain = (uint16_t)e;
    second->memory_pages = second->device_slots = second->dma_runs = 0;
    map_second(c, d, e);
    second->object_pages -= PORT;
    c->object_pages += second->object_pages;
}

void add_second_bodies(struct composition *c)
{
    uint32_t e = c->drawn_count;
    for (uint32_t d = 1; d < c->drawn_count; d++)
        if (c->domains[d].drawn->swap)
            add_second(c, d, e++);
}
