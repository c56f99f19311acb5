/* SPDX-License-Identifier: ISC
 *
 * What is written in a picture's boxes: see picture_plan.h.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "motet/abi.h"
#include "tools/composer/isa.h"
#include "tools/composer/picture_text.h"

enum { SETTINGS_SHOWN = 3, SETTING_LETTERS = 36 };

__attribute__((format(printf, 2, 3))) static void add(struct picture_lines *lines,
                                                      const char *format, ...)
{
    if (lines->count == PICTURE_LINES_MAX)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(lines->text[lines->count++], PICTURE_LINE_BYTES, format, arguments);
    va_end(arguments);
}

static void add_heap(struct picture_lines *lines, const struct composition *c, uint32_t d)
{
    const struct image_domain *record = &c->domains[d].record;
    const unsigned kib = HEAP_BLOCK_BYTES / 1024;
    if (!record->heap_blocks)
        return;
    if (record->pager)
        add(lines, "heap to %u KiB", record->heap_blocks * kib);
    else
        add(lines, "heap to %u KiB, %u kept", record->heap_blocks * kib, record->heap_kept * kib);
}

static void add_files(struct picture_lines *lines, const struct composition *c,
                      const struct manifest_domain *domain)
{
    for (uint32_t i = 0; i < domain->file_count; i++) {
        for (uint32_t f = 0; f < c->file_count; f++) {
            if (!strcmp(c->files[f].name, domain->files[i].file))
                add(lines, "file %s, %" PRIu64 " B", domain->files[i].name, c->files[f].size);
        }
    }
}

static void add_settings(struct picture_lines *lines, const struct manifest_domain *domain)
{
    for (uint32_t i = 0; i < domain->setting_count && i < SETTINGS_SHOWN; i++) {
        const char *text = domain->settings[i].text;
        add(lines, "%.*s%s", SETTING_LETTERS, text, strlen(text) > SETTING_LETTERS ? "..." : "");
    }
    if (domain->setting_count > SETTINGS_SHOWN)
        add(lines, "and %u more settings", domain->setting_count - SETTINGS_SHOWN);
}

void picture_facts(const struct composition *c, uint32_t d, struct picture_lines *lines)
{
    const unsigned page = PAGE_BYTES / 1024;
    const struct composed_domain *domain = &c->domains[d];
    add(lines, "priority %u", domain->record.priority);
    add(lines, "memory %" PRIu64 " KiB", domain->memory_pages * page);
    add(lines, "kernel objects %" PRIu64 " KiB", domain->object_pages * page);
    if (domain->record.watchdog)
        add(lines, "watchdog %u us", domain->record.watchdog);
    if (domain->record.budget)
        add(lines, "%u of %u us", domain->record.budget, domain->record.period);
    if (domain->record.body)
        add(lines, "swappable: %" PRIu64 " KiB more",
            (c->domains[domain->record.body].memory_pages +
             c->domains[domain->record.body].object_pages) *
                page);
    add_heap(lines, c, d);
    add_files(lines, c, &c->manifest->domains[d]);
    if (domain->record.trace_page)
        add(lines, "reads the trace");
    add_settings(lines, &c->manifest->domains[d]);
}

void picture_device_lines(const struct image_device *device, struct picture_lines *lines)
{
    /* Virtio 1.2, section 5. */
    static const char *const types[] = {"", "network", "block", "console", "entropy"};
    lines->count = 0;
    if (device->ports) {
        add(lines, "%s, the %s", isa_at(device->port)->name, isa_at(device->port)->what);
        add(lines, "ports %#x to %#x", device->port, device->port + device->ports - 1);
        if (device->vectors)
            add(lines, "line %u", device->line);
        return;
    }
    if (device->virtio && device->virtio < sizeof types / sizeof types[0])
        add(lines, "virtio %u, %s", device->virtio, types[device->virtio]);
    else if (device->virtio)
        add(lines, "virtio %u", device->virtio);
    else if (device->id == device->id_last)
        add(lines, "PCI %04x:%04x", device->vendor, device->id);
    else
        add(lines, "PCI %04x:%04x-%04x", device->vendor, device->id, device->id_last);
    add(lines, "at most %u", device->most);
    if (device->vectors)
        add(lines, "%u interrupts each", device->vectors);
    if (device->required)
        add(lines, "required");
    if (device->contained)
        add(lines, "only contained");
}

void picture_connection_text(const struct composition *c, uint32_t connection,
                             char text[PICTURE_LINE_BYTES])
{
    const struct manifest_connection *drawn = &c->manifest->connections[connection];
    const struct endpoint *server = &drawn->server;
    const struct program_port *port =
        &c->domains[server->domain].program->servers[server->server].ports[server->port];
    snprintf(text, PICTURE_LINE_BYTES, "%s %u, %u slots", port->protocol, port->version,
             drawn->slots);
}

void picture_pool_size(const struct manifest_pool *pool, char text[PICTURE_LINE_BYTES])
{
    if (pool->size % 1024)
        snprintf(text, PICTURE_LINE_BYTES, "%u x %u B", pool->buffers, pool->size);
    else
        snprintf(text, PICTURE_LINE_BYTES, "%u x %u KiB", pool->buffers, pool->size / 1024);
}

static const char *plural(uint32_t count)
{
    return count == 1 ? "" : "s";
}

void picture_counts(const struct manifest *m, char text[PICTURE_LINE_BYTES])
{
    uint32_t domains = m->domain_count - 1; /* init isn't the manifest's */
    snprintf(text, PICTURE_LINE_BYTES, "%u domain%s, %u connection%s, %u pool%s", domains,
             plural(domains), m->connection_count, plural(m->connection_count), m->pool_count,
             plural(m->pool_count));
}

bool picture_owns(const struct manifest *m, const struct manifest_pool *pool,
                  const struct manifest_right *right)
{
    if (right->domain != pool->owner)
        return false;
    return right->server == START_EVERY_SERVER ||
           !strcmp(pool->owner_name, m->domains[right->domain].name) ||
           !strcmp(pool->owner_name, m->domains[right->domain].servers[right->server].text);
}

void picture_rights(uint8_t rights, char text[4])
{
    static const char letters[] = "rwd";
    unsigned used = 0;
    for (unsigned i = 0; i < 3; i++) {
        if (rights & 1u << i)
            text[used++] = letters[i];
    }
    text[used] = 0;
}

int picture_lines_width(const struct picture_lines *lines)
{
    size_t most = 0;
    for (uint32_t i = 0; i < lines->count; i++) {
        if (strlen(lines->text[i]) > most)
            most = strlen(lines->text[i]);
    }
    return (int)most * SVG_TEXT_ADVANCE;
}
