/* SPDX-License-Identifier: ISC
 *
 * See swap_state.h. Only one of the two bodies runs, so what is in the region stands still; it may
 * have been written by any version, and be damaged.
 */
#include "libos/swap_state.h"

#include <string.h>

#include "libos/assert.h"
#include "libos/crc.h"
#include "motet/swap.h"

/* The bounds of what the linker gathered; none: no server of the domain can be swapped. */
extern const struct server_swap __start_motet_swaps[] __attribute__((weak));
extern const struct server_swap __stop_motet_swaps[] __attribute__((weak));

const struct server_swap *server_swap(const struct server *server)
{
    for (const struct server_swap *swap = __start_motet_swaps; swap < __stop_motet_swaps; swap++)
        if (swap->server == server)
            return swap;
    return NULL;
}

uint32_t holder_count(const struct libos *libos)
{
    return HOLDER_FIRST_SERVER + (uint32_t)(libos->domains_end - libos->domain);
}

struct holder holder_at(const struct libos *libos, uint32_t n)
{
    struct domain *domain = (struct domain *)libos->domain;
    if (n == HOLDER_LIBOS)
        return (struct holder){"", libos_records, LIBOS_RECORDS, (void *)libos, domain};
    domain += n - HOLDER_FIRST_SERVER;
    const struct server_swap *swap = server_swap(domain->server);
    return (struct holder){domain->server->name, swap ? swap->records : NULL,
                           swap ? swap->record_count : 0, domain->state, domain};
}

static uint64_t padded(uint64_t bytes)
{
    return (bytes + 7) & ~7ull;
}

/* --- writing --- */

struct writer {
    uint8_t *at, *end;
    uint32_t records;
    uint32_t check;
};

static void header_set(struct state_record_header *header, const struct holder *holder,
                       const struct state_record *record, uint32_t length)
{
    *header = (struct state_record_header){.id = record->id,
                                           .version = record->version,
                                           .length = length,
                                           .check = crc_add(0, header + 1, length),
                                           .optional = record->optional};
    for (uint32_t i = 0; i < sizeof(header->server) - 1 && holder->name[i]; i++)
        header->server[i] = holder->name[i];
}

static enum error record_save(struct writer *writer, const struct holder *holder,
                              const struct state_record *record)
{
    struct state_record_header *header = (struct state_record_header *)writer->at;
    const uint64_t room = (uint64_t)(writer->end - writer->at), most = padded(record->bytes_max);
    if (room < sizeof(*header) || room - sizeof(*header) < most) {
        domain_log(holder->domain, "no room for its state: record %s of up to %u bytes",
                   record->name, record->bytes_max);
        return ERROR_LIMIT;
    }
    uint8_t *to = (uint8_t *)(header + 1);
    uint32_t length = record->bytes_max;
    memset(to, 0, most);
    if (record->save)
        length = record->save(holder->state, to);
    else
        memcpy(to, (const uint8_t *)holder->state + record->offset, length);
    SERVER_ASSERT(length <= record->bytes_max);
    header_set(header, holder, record, length);
    writer->check = crc_add(writer->check, header, sizeof(*header));
    writer->at = to + padded(length);
    writer->records++;
    return OK;
}

static enum error holder_save(struct writer *writer, const struct holder *holder)
{
    enum error error = OK;
    for (uint32_t i = 0; i < holder->count && !error; i++)
        error = record_save(writer, holder, &holder->records[i]);
    return error;
}

enum error state_save(struct libos *libos, uint64_t rested, uint32_t *bytes)
{
    struct state_header *header = (struct state_header *)libos->start->state_address;
    uint8_t *end = (uint8_t *)header + libos->start->state_bytes;
    struct writer writer = {.at = (uint8_t *)(header + 1), .end = end};
    enum error error = OK;
    /* What is first in the region has the check of what is behind; so that is written first. */
    for (uint32_t n = 0; n < holder_count(libos) && !error; n++) {
        struct holder holder = holder_at(libos, n);
        error = holder_save(&writer, &holder);
    }
    *bytes = (uint32_t)(writer.at - (uint8_t *)header);
    *header = (struct state_header){.magic = STATE_MAGIC,
                                    .format = STATE_FORMAT,
                                    .bytes = *bytes,
                                    .records = writer.records,
                                    .check = writer.check,
                                    .rested = rested};
    header->check = crc_add(0, header, sizeof(*header));
    return error;
}

/* --- reading --- */

struct reader {
    const struct libos *libos;
    const uint8_t *at, *end;
    uint32_t check;             /* of the record headers so far */
    uint32_t seen[HOLDERS_MAX]; /* records of each holder, a bit for each of its table */
    uint32_t holder;            /* of the record that was looked at last */
};

static enum error refuse(const struct reader *reader, const struct holder *holder,
                         const struct state_record_header *header, const char *why)
{
    domain_log(holder->domain, "state refused: record %u of %s, version %u: %s", header->id,
               *holder->name ? holder->name : "the libOS", header->version, why);
    (void)reader;
    return ERROR_BAD_ARGUMENT;
}

static enum error refuse_version(const struct holder *holder, const struct state_record *record,
                                 uint32_t version, uint32_t oldest)
{
    domain_log(holder->domain,
               "state refused: record %s of %s is of version %u: this program reads %u to %u",
               record->name, *holder->name ? holder->name : "the libOS", version, oldest,
               record->version);
    return ERROR_VERSION;
}

static enum error damaged(const struct libos *libos, const char *what)
{
    domain_log((struct domain *)libos->domain, "state refused: it is damaged: %s", what);
    return ERROR_BAD_ARGUMENT;
}

/* The next record, inside the region and as it was written; NULL: damaged, and said. */
static const struct state_record_header *record_next(struct reader *reader)
{
    const struct state_record_header *header = (const void *)reader->at;
    const uint64_t room = (uint64_t)(reader->end - reader->at);
    const char *wrong = NULL;
    if (room < sizeof(*header) || padded(header->length) > room - sizeof(*header))
        wrong = "a record is longer than all";
    else if (header->server[sizeof(header->server) - 1])
        wrong = "a name doesn't end";
    else if (crc_add(0, header + 1, header->length) != header->check)
        wrong = "the check of a record";
    if (wrong) {
        damaged(reader->libos, wrong);
        return NULL;
    }
    reader->at = (const uint8_t *)(header + 1) + padded(header->length);
    for (const uint8_t *pad = (const uint8_t *)(header + 1) + header->length; pad < reader->at;
         pad++)
        if (*pad) {
            damaged(reader->libos, "bytes between records");
            return NULL;
        }
    return header;
}

/* Whose record it is: NULL and no holder: nobody's. */
static const struct state_record *
record_find(struct reader *reader, const struct state_record_header *header, struct holder *holder)
{
    for (uint32_t n = 0; n < holder_count(reader->libos); n++) {
        *holder = holder_at(reader->libos, n);
        if (strcmp(holder->name, header->server))
            continue;
        reader->holder = n;
        for (uint32_t i = 0; i < holder->count; i++)
            if (holder->records[i].id == header->id)
                return &holder->records[i];
        return NULL;
    }
    reader->holder = HOLDER_LIBOS;
    *holder = holder_at(reader->libos, HOLDER_LIBOS);
    holder->name = header->server;
    return NULL;
}

static enum error record_check(struct reader *reader, const struct state_record_header *header)
{
    struct holder holder;
    const struct state_record *record = record_find(reader, header, &holder);
    if (!record)
        return header->optional == 1
                   ? OK
                   : refuse(reader, &holder, header, "this program doesn't know it");
    const uint32_t oldest = record->oldest ? record->oldest : record->version;
    const uint32_t bit = 1u << (record - holder.records);
    if (header->version < oldest || header->version > record->version)
        return refuse_version(&holder, record, header->version, oldest);
    if (header->length > record->bytes_max ||
        (!record->load && header->length != record->bytes_max))
        return refuse(reader, &holder, header, "it has another length");
    if (reader->seen[reader->holder] & bit)
        return refuse(reader, &holder, header, "it is there twice");
    reader->seen[reader->holder] |= bit;
    return OK;
}

static enum error header_check(const struct state_header *header, const struct libos *libos)
{
    if (header->magic != STATE_MAGIC)
        return damaged(libos, "no state");
    if (header->format != STATE_FORMAT) {
        domain_log((struct domain *)libos->domain,
                   "state refused: it is of format %u: this program reads %u", header->format,
                   STATE_FORMAT);
        return ERROR_VERSION;
    }
    if (header->bytes < sizeof(*header) || header->bytes > libos->start->state_bytes ||
        header->bytes % 8)
        return damaged(libos, "its length");
    return OK;
}

static enum error all_there(struct reader *reader)
{
    for (uint32_t n = 0; n < holder_count(reader->libos); n++) {
        struct holder holder = holder_at(reader->libos, n);
        for (uint32_t i = 0; i < holder.count; i++) {
            if (reader->seen[n] >> i & 1 || holder.records[i].optional)
                continue;
            reader->holder = n;
            domain_log(holder.domain, "state refused: record %s of %s is missing",
                       holder.records[i].name, *holder.name ? holder.name : "the libOS");
            return ERROR_NOT_FOUND;
        }
    }
    return OK;
}

static enum error records_check(struct reader *reader, const struct state_header *header)
{
    struct state_header first = *header;
    first.check = 0;
    for (uint32_t i = 0; i < header->records; i++) {
        const struct state_record_header *record = record_next(reader);
        if (!record)
            return ERROR_BAD_ARGUMENT;
        reader->check = crc_add(reader->check, record, sizeof(*record));
    }
    first.check = reader->check;
    if (reader->at != reader->end || crc_add(0, &first, sizeof(first)) != header->check)
        return damaged(reader->libos, "the check of all");
    return OK;
}

/* All is as it was written. Is it for this program? */
static enum error records_known(struct reader *reader, const struct state_header *header)
{
    enum error error = OK;
    reader->at = (const uint8_t *)(header + 1);
    for (uint32_t i = 0; i < header->records && !error; i++)
        error = record_check(reader, record_next(reader));
    return error ? error : all_there(reader);
}

static enum error record_load(struct reader *reader, const struct state_record_header *header)
{
    struct holder holder;
    const struct state_record *record = record_find(reader, header, &holder);
    if (!record)
        return OK;
    enum error error = OK;
    if (record->load)
        error = record->load(holder.state, header->version, header + 1, header->length);
    else
        memcpy((uint8_t *)holder.state + record->offset, header + 1, header->length);
    return error ? refuse(reader, &holder, header, error_name(error)) : OK;
}

static enum error records_load(struct reader *reader, const struct state_header *header)
{
    enum error error = OK;
    reader->at = (const uint8_t *)(header + 1);
    for (uint32_t i = 0; i < header->records && !error; i++) {
        const struct state_record_header *record = (const void *)reader->at;
        reader->at = (const uint8_t *)(record + 1) + padded(record->length);
        error = record_load(reader, record);
    }
    return error;
}

enum error state_load(struct libos *libos, uint32_t *server)
{
    const struct state_header *header = (const void *)libos->start->state_address;
    struct reader reader = {.libos = libos, .at = (const uint8_t *)(header + 1)};
    enum error error = header_check(header, libos);
    if (!error) {
        reader.end = (const uint8_t *)header + header->bytes;
        error = records_check(&reader, header);
    }
    if (!error)
        error = records_known(&reader, header);
    if (!error)
        error = records_load(&reader, header);
    *server = reader.holder > HOLDER_LIBOS ? reader.holder - HOLDER_FIRST_SERVER : 0;
    return error;
}
