/* SPDX-License-Identifier: ISC
 *
 * See explain.h.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "motet/abi.h"
#include "tools/composer/explain.h"
#include "tools/composer/isa.h"
#include "tools/composer/picture_text.h"
#include "tools/composer/swaps.h"

static void explain_domains(FILE *out, const struct composition *c)
{
    fprintf(out, "image %s\n\nDOMAINS\n%-16s %8s %8s %8s %8s  %s\n", c->manifest->image, "name",
            "priority", "slots", "text", "const", "servers");
    for (uint32_t d = 0; d < c->drawn_count; d++) {
        const struct composed_domain *domain = &c->domains[d];
        fprintf(out, "%-16s %8u %8u %8" PRIu64 " %8" PRIu64 "  %s\n", domain->record.name,
                domain->record.priority, domain->record.table_slots,
                domain->program->elf.text.bytes, domain->program->elf.rodata.bytes,
                domain->program->name);
    }
}

static void explain_connections(FILE *out, const struct composition *c)
{
    fprintf(out,
            "\nWHO MAY TALK TO WHOM (each may also send to its supervisor, init)\n"
            "%-33s %-33s %5s  %-7s  %s\n",
            "client", "server", "slots", "by", "protocol");
    for (uint32_t i = 0; i < c->manifest->connection_count; i++) {
        const struct manifest_connection *connection = &c->manifest->connections[i];
        const struct endpoint *server = &connection->server;
        const struct program_port *port =
            &c->domains[server->domain].program->servers[server->server].ports[server->port];
        fprintf(out, "%-33s %-33s %5u  %-7s  %s %u\n", connection->client.text, server->text,
                connection->slots, transport_name(connection), port->protocol, port->version);
    }
}

/* Of whom it is: a server, or a domain. */
static void explain_right(FILE *out, const struct manifest *m, const struct manifest_pool *pool,
                          const struct manifest_right *right, const char *comma)
{
    char letters[4];
    picture_rights(right->rights, letters);
    fprintf(out, "%s%s %s", comma,
            right->server_name ? right->server_name : m->domains[right->domain].name, letters);
    if (strcmp(right->name, pool->name) != 0)
        fprintf(out, " as %s", right->name);
}

/* The owner first. */
static void explain_pool(FILE *out, const struct manifest *m, const struct manifest_pool *pool)
{
    const char *comma = "";
    fprintf(out, "%-16s %4u x %-8u ", pool->name, pool->buffers, pool->size);
    for (int owner = 1; owner >= 0; owner--) {
        for (uint32_t r = 0; r < pool->right_count; r++) {
            if (picture_owns(m, pool, &pool->rights[r]) != owner)
                continue;
            explain_right(out, m, pool, &pool->rights[r], comma);
            comma = ", ";
        }
    }
    fputc('\n', out);
}

static void explain_pools(FILE *out, const struct manifest *m)
{
    if (m->pool_count)
        fprintf(out, "\nWHO SHARES WHICH POOL (r read, w write, d device)\n%-16s %-15s %s\n",
                "pool", "buffers", "who, the owner first");
    for (uint32_t i = 0; i < m->pool_count; i++)
        explain_pool(out, m, &m->pools[i]);
}

/* "r-x" and so on; rings and pools say so themselves. */
static void rights_text(uint8_t rights, char text[5])
{
    static const char letters[] = "rwxd";
    for (unsigned i = 0; i < 4; i++)
        text[i] = (rights & (1u << i)) ? letters[i] : '-';
    text[4] = 0;
}

static void explain_doorbells(FILE *out, const struct composition *c, uint32_t d)
{
    for (uint32_t i = 0; i < c->manifest->connection_count; i++) {
        const struct manifest_connection *drawn = &c->manifest->connections[i];
        const struct image_connection *connection = &c->connections[i];
        if (is_direct(drawn))
            continue;
        if (connection->client == d)
            fprintf(out, "%6u  signal  wakes %s\n", connection->client_slot, drawn->server.text);
        if (connection->server == d)
            fprintf(out, "%6u  signal  wakes %s\n", connection->server_slot, drawn->client.text);
    }
}

static int by_slot(const void *left, const void *right)
{
    const struct image_mapping *const *a = left, *const *b = right;
    return ((*a)->slot > (*b)->slot) - ((*a)->slot < (*b)->slot);
}

static void explain_mapping(FILE *out, const struct composition *c, const struct image_mapping *m)
{
    uint32_t region = c->mapping_region[m - c->mappings];
    char rights[5], place[32] = "not mapped";
    rights_text(m->rights, rights);
    if (m->address)
        snprintf(place, sizeof place, "%#" PRIx64, m->address);
    fprintf(out, "%6u  %s    %-12s %7" PRIu64 " KiB  %s\n", m->slot, rights, place,
            (uint64_t)c->regions[region].pages * PAGE_BYTES / 1024, c->labels[region]);
}

static void explain_pages(FILE *out, const struct composition *c, uint32_t d)
{
    const struct image_mapping *own[MAPPINGS_MAX] = {0};
    uint32_t count = 0;
    for (uint32_t i = 0; i < c->mapping_count; i++) {
        if (c->mappings[i].domain == d)
            own[count++] = &c->mappings[i];
    }
    qsort(own, count, sizeof own[0], by_slot);
    for (uint32_t i = 0; i < count; i++)
        explain_mapping(out, c, own[i]);
}

/* One there is, whose ports and line are known. */
static void explain_isa(FILE *out, const struct image_device *device)
{
    const struct isa_device *isa = isa_at(device->port);
    fprintf(out, "%6u  device  ports %#x to %#x", device->slot, device->port,
            device->port + device->ports - 1);
    if (device->vectors)
        fprintf(out, ", line %u", device->line);
    fprintf(out, ": %s, the %s\n", isa->name, isa->what);
}

static void explain_claim(FILE *out, const struct image_device *device)
{
    if (device->virtio)
        fprintf(out, "virtio type %u", device->virtio);
    else
        fprintf(out, "PCI %04x:%04x-%04x", device->vendor, device->id, device->id_last);
}

static void explain_devices(FILE *out, const struct composition *c, uint32_t d)
{
    for (uint32_t i = 0; i < c->device_count; i++) {
        const struct image_device *device = &c->devices[i];
        if (device->domain != d)
            continue;
        if (device->ports) {
            explain_isa(out, device);
            continue;
        }
        fprintf(out, "%6u  device  BARs from %#llx, %u interrupts each: ", device->slot,
                (unsigned long long)device->address, device->vectors);
        explain_claim(out, device);
        fprintf(out, ", at most %u (slots to %u)%s%s\n", device->most,
                device->slot + device->slots - 1, device->required ? ", required" : "",
                device->contained ? ", contained" : "");
    }
}

static void explain_heap(FILE *out, const struct composition *c, uint32_t d)
{
    const struct image_domain *record = &c->domains[d].record;
    const struct start_page *page = &c->domains[d].page;
    const unsigned kib = HEAP_BLOCK_BYTES / 1024;
    if (record->heap_blocks && record->pager)
        fprintf(out, "        heap    %#-12" PRIx64 " %7u KiB  served by %s\n",
                record->heap_address, record->heap_blocks * kib,
                c->domains[record->pager].record.name);
    else if (record->heap_blocks)
        fprintf(out,
                "%6u  heap    %#-12" PRIx64 " %7u KiB  %u of them kept (its pager's slots to %u)\n",
                record->pager_slot, record->heap_address, record->heap_blocks * kib,
                record->heap_kept * kib, record->pager_slot + pager_slots(record->heap_blocks) - 1);
    for (uint32_t i = 0; i < page->paged; i++)
        fprintf(out, "%6u  pager   space and thread of %s\n", page->paged_domain[i].slot,
                page->paged_domain[i].name);
}

static void explain_capabilities(FILE *out, const struct composition *c)
{
    fprintf(out, "\nWHAT EACH DOMAIN STARTS WITH (capability slot, rights, address, size; the "
                 "kernel information page is mapped everywhere)\n");
    for (uint32_t d = 1; d < c->drawn_count; d++) {
        fprintf(out, "%s\n%6d  wait    its own port\n%6d  send    its supervisor, init\n",
                c->domains[d].record.name, SLOT_OWN_PORT, SLOT_SUPERVISOR);
        explain_doorbells(out, c, d);
        explain_pages(out, c, d);
        explain_heap(out, c, d);
        explain_devices(out, c, d);
        if (c->domains[d].record.trace_page)
            fprintf(out, "        read    the kernel's trace, if the image is booted with one\n");
        if (c->domains[d].record.watch_page)
            fprintf(out,
                    "        read    all logs, counters and the console's text; init answers it\n");
    }
}

static void explain_room(FILE *out, uint64_t bytes, uint64_t room)
{
    char text[40];
    snprintf(text, sizeof text, "%" PRIu64 " of %" PRIu64, bytes, room);
    fprintf(out, " %17s", text);
}

static void explain_swaps(FILE *out, const struct composition *c)
{
    const unsigned page = PAGE_BYTES / 1024;
    if (!c->manifest->swaps)
        return;
    fprintf(out,
            "\nWHAT CAN BE SWAPPED (docs/swap.md; bytes in use of the room for a new version; KiB "
            "that the second body costs)\n%-16s %17s %17s %17s %6s  files that can be replaced\n",
            "domain", "text", "constants", "states", "KiB");
    for (uint32_t e = c->drawn_count; e < c->domain_count; e++) {
        const struct composed_domain *second = &c->domains[e];
        const struct manifest_domain *drawn = second->drawn;
        fprintf(out, "%-16s", drawn->name);
        explain_room(out, second->program->elf.text.bytes, drawn->text_room);
        explain_room(out, second->program->elf.rodata.bytes, drawn->constants_room);
        explain_room(out, states_bytes(second->program), drawn->state_room);
        fprintf(out, " %6" PRIu64 " ", (second->memory_pages + second->object_pages) * page);
        for (uint32_t i = 0; i < drawn->file_count; i++)
            if (drawn->files[i].reload)
                fprintf(out, " %s (up to %" PRIu64 " KiB)", drawn->files[i].name,
                        drawn->files[i].room / 1024);
        fputc('\n', out);
    }
    if (c->manifest->swap_key_text)
        fprintf(out, "signed by the key %s only\n", c->manifest->swap_key_text);
    fprintf(out, "staging memory: %" PRIu64 " KiB; looked at by %s, asked for by %s\n",
            c->manifest->staging / 1024, c->domains[c->manifest->loader].record.name,
            c->domains[c->manifest->controller].record.name);
}

static void explain_memory(FILE *out, const struct composition *c)
{
    const unsigned page = PAGE_BYTES / 1024;
    uint64_t own = 0;
    fprintf(out, "\nMEMORY (KiB)\n%-16s %8s %8s\n", "domain", "memory", "objects");
    for (uint32_t d = 0; d < c->domain_count; d++) {
        const struct composed_domain *domain = &c->domains[d];
        own += domain->memory_pages;
        fprintf(out, "%-16s %8" PRIu64 " %8" PRIu64 "%s\n", domain->record.name,
                domain->memory_pages * page, domain->object_pages * page,
                domain->record.second ? "  second body" : "");
    }
    fprintf(out, "%-16s %8" PRIu64 "\n", "rings and pools", (c->memory_pages - own) * page);
    fprintf(out, "%-16s %8" PRIu64 "\n", "image", c->block_bytes / 1024);
    fprintf(out, "%-16s %8d\n", "kernel (about)", KERNEL_BYTES / 1024);
    fprintf(out, "%-16s %8" PRIu64 "\n", "in all", c->needed_bytes / 1024);
}

void explain(FILE *out, const struct composition *composition)
{
    explain_domains(out, composition);
    explain_connections(out, composition);
    explain_pools(out, composition->manifest);
    explain_capabilities(out, composition);
    explain_swaps(out, composition);
    explain_memory(out, composition);
}
