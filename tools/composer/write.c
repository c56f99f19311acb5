/* SPDX-License-Identifier: ISC
 *
 * See write.h. All numbers are little-endian, as on the machines that compose runs on.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "motet/abi.h"
#include "tools/composer/regions.h"
#include "tools/composer/write.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "tables are written as they are");

static void put_string(uint8_t *block, uint32_t *at, const char *text)
{
    size_t bytes = strlen(text) + 1;
    memcpy(block + *at, text, bytes);
    *at += (uint32_t)bytes;
}

static void put_patterns(uint8_t *block, uint32_t *at, const struct program *program)
{
    for (uint32_t s = 0; s < program->server_count; s++) {
        for (uint32_t i = 0; i < program->servers[s].setting_count; i++)
            put_string(block, at, program->servers[s].settings[i]);
    }
    put_string(block, at, ""); /* ends the list */
}

static void put_names(uint8_t *block, uint32_t *at, const struct program *program)
{
    for (uint32_t s = 0; s < program->server_count; s++)
        put_string(block, at, program->servers[s].name);
    put_string(block, at, "");
}

static void put_strings(uint8_t *block, uint32_t *at, const struct program *program,
                        struct image_domain *record)
{
    record->settings = *at;
    put_patterns(block, at, program);
    record->servers = *at;
    put_names(block, at, program);
    if (version_bytes(program)) {
        record->version = *at;
        put_string(block, at, program->servers[0].version);
    }
}

static void put_symbols(const struct composition *c, const struct table_offsets *at, uint8_t *block)
{
    for (uint32_t i = 0; i < c->program_count; i++)
        if (at->symbols[i])
            symbols_put(&c->programs[i].symbols, block, at->symbols[i]);
}

static void put_domains(const struct composition *c, const struct table_offsets *at, uint8_t *block)
{
    uint32_t strings = at->strings;
    struct image_domain records[IMAGE_DOMAINS_MAX] = {0};
    for (uint32_t d = 0; d < c->domain_count; d++) {
        struct image_domain *record = &records[d];
        *record = c->domains[d].record;
        if (!record->second) {
            put_strings(block, &strings, c->domains[d].program, record);
        } else { /* its names are the first's, a version it has none yet */
            record->settings = records[record->body].settings;
            record->servers = records[record->body].servers;
        }
        record->symbols = at->symbols[program_regions(c, c->domains[d].program) - c->programs];
        if (d) {
            record->start = at->starts[d];
            record->start_bytes = start_page_bytes(&c->domains[d].page);
            memcpy(block + record->start, &c->domains[d].page, record->start_bytes);
        }
    }
    memcpy(block + at->domains, records, c->domain_count * sizeof records[0]);
}

static void put_connections(const struct composition *c, uint8_t *at)
{
    for (uint32_t i = 0; i < c->manifest->connection_count; i++) {
        if (is_direct(&c->manifest->connections[i]))
            continue;
        memcpy(at, &c->connections[i], sizeof c->connections[i]);
        at += sizeof c->connections[i];
    }
}

static void put_header(const struct composition *c, const struct table_offsets *at, uint8_t *block)
{
    struct image_header header = {
        .magic = IMAGE_MAGIC,
        .version = IMAGE_VERSION,
        .header_bytes = sizeof header,
        .size = c->block_bytes,
        .domains = {at->domains, c->domain_count},
        .regions = {at->regions, c->region_count},
        .mappings = {at->mappings, c->mapping_count},
        .connections = {at->connections, c->channel_count},
        .devices = {at->devices, c->device_count},
        .strings = {at->strings, at->string_bytes},
        .controller = c->manifest->controller,
        .loader = (uint16_t)c->manifest->loader,
        .staging_region = (uint16_t)c->staging_region,
    };
    memcpy(header.name, c->manifest->image, sizeof header.name);
    header.checksum = image_checksum(block + sizeof header, c->block_bytes - sizeof header);
    memcpy(block, &header, sizeof header);
}

uint8_t *block_make(const struct composition *c)
{
    struct table_offsets at = table_offsets(c);
    uint8_t *block = calloc(1, c->block_bytes);
    if (!block)
        return NULL;
    put_domains(c, &at, block);
    put_symbols(c, &at, block);
    memcpy(block + at.regions, c->regions, c->region_count * sizeof c->regions[0]);
    memcpy(block + at.mappings, c->mappings, c->mapping_count * sizeof c->mappings[0]);
    put_connections(c, block + at.connections);
    memcpy(block + at.devices, c->devices, c->device_count * sizeof c->devices[0]);
    for (uint32_t i = 0; i < c->content_count; i++)
        memcpy(block + c->contents[i].offset, c->contents[i].bytes, c->contents[i].size);
    put_header(c, &at, block);
    return block;
}

/* Opens the temporary file beside `path`; its name is the caller's to free, with a file. */
static FILE *open_beside(const char *path, char **temporary)
{
    *temporary = text_format("%s.new", path);
    FILE *file = fopen(*temporary, "wb");
    if (!file) {
        report((struct place){path, 0}, "can't be written (%s) — check the folder and its rights",
               strerror(errno));
        free(*temporary);
    }
    return file;
}

static bool put_in_place(FILE *file, char *temporary, const char *path)
{
    bool written = !ferror(file);
    written = !fclose(file) && written && !rename(temporary, path);
    if (!written)
        remove(temporary);
    free(temporary);
    return written || report((struct place){path, 0}, "can't be written (%s) — is the disk full?",
                             strerror(errno));
}

bool file_write(const char *path, const void *bytes, uint64_t size)
{
    char *temporary;
    FILE *file = open_beside(path, &temporary);
    if (!file)
        return false;
    fwrite(bytes, 1, size, file);
    return put_in_place(file, temporary, path);
}

bool block_write(const struct composition *c, const char *path)
{
    uint8_t *block = block_make(c);
    if (!block)
        return report((struct place){path, 0}, "no memory to make it — close something");
    bool written = file_write(path, block, c->block_bytes);
    free(block);
    return written;
}

static void put_text(FILE *out, const char *text)
{
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fputc('\\', out);
        if ((unsigned char)*text < ' ')
            fprintf(out, "\\u%04x", *text);
        else
            fputc(*text, out);
    }
    fputc('"', out);
}

static void put_segment(FILE *out, const char *name, const struct elf_segment *segment,
                        uint64_t offset)
{
    fprintf(out,
            ",\n      \"%s\": {\"address\": %" PRIu64 ", \"bytes\": %" PRIu64
            ", \"offset\": %" PRIu64 "}",
            name, segment->address, segment->bytes, segment->bytes ? offset : 0);
}

static void put_domain(FILE *out, const struct composition *c, uint32_t d)
{
    const struct composed_domain *domain = &c->domains[d];
    const struct program_regions *p = program_regions(c, domain->program);
    fprintf(out, "%s\n    {\"name\": \"%s\", \"elf\": ", d ? "," : "", domain->record.name);
    put_text(out, domain->program->path);
    fprintf(out, ", \"servers\": [");
    for (uint32_t s = 0; s < domain->program->server_count; s++)
        fprintf(out, "%s\"%s\"", s ? ", " : "", domain->program->servers[s].name);
    fprintf(out, "],\n      \"entry\": %" PRIu64 ", \"stack_top\": %" PRIu64, domain->record.entry,
            domain->record.stack_top);
    put_segment(out, "text", &domain->program->elf.text, p->text_offset);
    put_segment(out, "rodata", &domain->program->elf.rodata, p->rodata_offset);
    fprintf(out,
            ",\n      \"private_address\": %" PRIu64 ", \"memory_bytes\": %" PRIu64
            ", \"object_bytes\": %" PRIu64 ", \"slots\": %u",
            d ? domain->page.private_address : (uint64_t)INIT_PRIVATE_ADDRESS,
            domain->memory_pages * PAGE_BYTES, domain->object_pages * PAGE_BYTES, domain->slots);
    if (domain->record.body)
        fprintf(out,
                ",\n      \"second_body\": {\"number\": %u, \"memory_bytes\": %" PRIu64
                ", \"object_bytes\": %" PRIu64 "}",
                domain->record.body, c->domains[domain->record.body].memory_pages * PAGE_BYTES,
                c->domains[domain->record.body].object_pages * PAGE_BYTES);
    fputc('}', out);
}

/* Each program's bytes once, however many domains run it. */
static void put_totals(FILE *out, const struct composition *c)
{
    uint64_t text = 0, rodata = 0, files = 0;
    for (uint32_t i = 0; i < c->program_count; i++) {
        text += c->programs[i].program->elf.text.bytes;
        rodata += c->programs[i].program->elf.rodata.bytes;
    }
    for (uint32_t i = 0; i < c->file_count; i++)
        files += c->files[i].size;
    fprintf(out,
            "  \"totals\": {\"text\": %" PRIu64 ", \"rodata\": %" PRIu64 ", \"files\": %" PRIu64
            ", \"tables\": %" PRIu64 ", \"padding\": %" PRIu64 ", \"size\": %" PRIu64
            ",\n    \"memory\": %" PRIu64 ", \"objects\": %" PRIu64 ", \"needed\": %" PRIu64 "}\n",
            text, rodata, files, c->tables_bytes,
            c->block_bytes - text - rodata - files - c->tables_bytes, c->block_bytes,
            c->memory_pages * PAGE_BYTES, c->object_pages * PAGE_BYTES, c->needed_bytes);
}

static void put_connection(FILE *out, const struct manifest_connection *connection, bool first)
{
    fprintf(out, "%s\n    {\"client\": \"%s\", \"server\": \"%s\", \"slots\": %u, ",
            first ? "" : ",", connection->client.text, connection->server.text, connection->slots);
    fprintf(out, "\"transport\": \"%s\"}", transport_name(connection));
}

bool map_write(const struct composition *c, const char *path)
{
    char *temporary;
    FILE *out = open_beside(path, &temporary);
    if (!out)
        return false;
    fprintf(out, "{\"image\": \"%s\",\n  \"domains\": [", c->manifest->image);
    for (uint32_t d = 0; d < c->drawn_count; d++)
        put_domain(out, c, d);
    fprintf(out, "],\n  \"connections\": [");
    for (uint32_t i = 0; i < c->manifest->connection_count; i++)
        put_connection(out, &c->manifest->connections[i], i == 0);
    fprintf(out, "],\n  \"files\": [");
    for (uint32_t i = 0; i < c->file_count; i++) {
        fprintf(out, "%s{\"name\": ", i ? ", " : "");
        put_text(out, c->files[i].name);
        fprintf(out, ", \"bytes\": %" PRIu64 ", \"offset\": %" PRIu64 "}", c->files[i].size,
                c->files[i].offset);
    }
    fprintf(out, "],\n");
    put_totals(out, c);
    fprintf(out, "}\n");
    return put_in_place(out, temporary, path);
}
