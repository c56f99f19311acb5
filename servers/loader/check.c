/* SPDX-License-Identifier: ISC
 *
 * See check.h. Called by loader.c, and by tests.
 */
#include "servers/loader/check.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "libos/crc.h"
#include "libos/server.h"
#include "libos/start.h"
#include "motet/abi.h"

enum {
    SEGMENTS_MAX = 16,
    PORTS_MAX = 16, /* that a server may declare */
};

/* A part of the file, and where it belongs. */
struct segment {
    uint64_t address;
    uint32_t offset, bytes;
};

struct program {
    const uint8_t *file;
    uint32_t size;
    const struct swap_program *wanted;
    struct segment text, constants;
    uint64_t entry;
    uint32_t detail; /* of a refusal */
};

static bool copy_out(const struct program *program, uint64_t offset, void *out, uint64_t bytes)
{
    if (offset > program->size || bytes > program->size - offset)
        return false;
    memcpy(out, program->file + offset, bytes);
    return true;
}

/* What the program will see at `address`: of its constants only, and so is all that is looked at.
 */
static bool constant(const struct program *program, uint64_t address, void *out, uint64_t bytes)
{
    const struct segment *from = &program->constants;
    uint64_t inside = address - from->address;
    if (inside > from->bytes || bytes > from->bytes - inside)
        return false;
    memcpy(out, program->file + from->offset + inside, bytes);
    return true;
}

/* A terminated text of at most size - 1 bytes. */
static bool text_get(const struct program *program, const void *address, char *out, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        if (!constant(program, (uint64_t)(uintptr_t)address + i, &out[i], 1))
            return false;
        if (!out[i])
            return true;
    }
    return false;
}

static bool text_is(const struct program *program, const void *address, const char *wanted)
{
    char text[64];
    return text_get(program, address, text, sizeof(text)) && !strcmp(text, wanted);
}

static bool is_text(const struct program *program, const void *function)
{
    return (uint64_t)(uintptr_t)function - program->text.address < program->text.bytes;
}

/* NULL: the server has no such entry. */
static bool may_be_text(const struct program *program, const void *function)
{
    return !function || is_text(program, function);
}

/* The headers. */

static enum swap_refusal segment_take(struct program *program, const Elf64_Phdr *header)
{
    struct segment *to = header->p_flags & PF_X ? &program->text : &program->constants;
    if (!header->p_memsz)
        return SWAP_FINE;
    if (header->p_flags & PF_W)
        return SWAP_WRITABLE;
    if (header->p_filesz != header->p_memsz || to->bytes || header->p_offset > program->size ||
        header->p_filesz > program->size - header->p_offset)
        return SWAP_NOT_ELF;
    *to = (struct segment){.address = header->p_vaddr,
                           .offset = (uint32_t)header->p_offset,
                           .bytes = (uint32_t)header->p_filesz};
    return SWAP_FINE;
}

static enum swap_refusal segments_take(struct program *program)
{
    static const uint8_t ident[] = {ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB};
    Elf64_Ehdr header;
    if (!copy_out(program, 0, &header, sizeof(header)) ||
        memcmp(header.e_ident, ident, sizeof(ident)) != 0 || header.e_machine != EM_X86_64 ||
        header.e_type != ET_EXEC || header.e_phentsize != sizeof(Elf64_Phdr) ||
        header.e_phnum > SEGMENTS_MAX)
        return SWAP_NOT_ELF;
    program->entry = header.e_entry;
    for (uint32_t i = 0; i < header.e_phnum; i++) {
        Elf64_Phdr one;
        if (!copy_out(program, header.e_phoff + (uint64_t)i * sizeof(one), &one, sizeof(one)))
            return SWAP_NOT_ELF;
        enum swap_refusal refusal = SWAP_FINE;
        if (one.p_type == PT_LOAD)
            refusal = segment_take(program, &one);
        else if (one.p_type == PT_INTERP || one.p_type == PT_DYNAMIC)
            refusal = SWAP_NOT_ELF;
        if (refusal)
            return refusal;
    }
    return program->text.bytes && program->constants.bytes ? SWAP_FINE : SWAP_NOT_ELF;
}

static enum swap_refusal places_check(const struct program *program)
{
    const struct swap_program *wanted = program->wanted;
    if (program->text.address != wanted->text_address ||
        program->constants.address != wanted->constants_address)
        return SWAP_WRONG_PLACE;
    if (program->text.bytes > wanted->text_room ||
        program->constants.bytes > wanted->constants_room)
        return SWAP_TOO_LARGE;
    return program->entry - program->text.address < program->text.bytes ? SWAP_FINE : SWAP_NOT_ELF;
}

/* What it says of itself. */

static enum swap_refusal note_check(const struct program *program, struct program_note *note)
{
    if (!constant(program, program->constants.address, note, sizeof(*note)) ||
        note->magic != PROGRAM_MAGIC)
        return SWAP_NO_PROGRAM;
    if (note->start_version != START_VERSION || note->state_format != STATE_FORMAT ||
        note->abi != ABI_VERSION || note->server_abi != SERVER_ABI)
        return SWAP_WRONG_ABI;
    return SWAP_FINE;
}

static bool port_is(const struct program *program, const struct server_port *port,
                    const struct swap_port *wanted)
{
    return text_is(program, port->name, wanted->name) &&
           text_is(program, port->protocol, wanted->protocol) && port->version == wanted->version &&
           port->role == wanted->role;
}

/* The n-th of its ports is as the connections need it, if they do. */
static bool has_port(const struct program *program, const struct server *server,
                     const struct swap_port *wanted, uint32_t *number)
{
    for (uint32_t i = 0; i < server->port_count; i++) {
        struct server_port port;
        if (constant(program, (uint64_t)(uintptr_t)&server->ports[i], &port, sizeof(port)) &&
            port_is(program, &port, wanted)) {
            *number = i;
            return true;
        }
    }
    return false;
}

/* A start page names ports by their numbers: so they must be the same ones. */
static enum swap_refusal ports_check(struct program *program, const struct server *server,
                                     const struct swap_server *wanted)
{
    if (server->port_count > PORTS_MAX)
        return SWAP_NO_PROGRAM;
    for (uint32_t i = 0; i < wanted->ports; i++) {
        uint32_t number;
        program->detail = i;
        if (!has_port(program, server, &wanted->port[i], &number) ||
            number != wanted->port[i].number)
            return SWAP_WRONG_PORTS;
    }
    return SWAP_FINE;
}

static bool entries_check(const struct program *program, const struct server *server)
{
    return is_text(program, (const void *)(uintptr_t)server->start) &&
           may_be_text(program, (const void *)(uintptr_t)server->signal) &&
           may_be_text(program, (const void *)(uintptr_t)server->receive) &&
           may_be_text(program, (const void *)(uintptr_t)server->deadline) &&
           may_be_text(program, (const void *)(uintptr_t)server->batch_end) &&
           may_be_text(program, (const void *)(uintptr_t)server->message) &&
           may_be_text(program, (const void *)(uintptr_t)server->reclaim) &&
           (server->receive || !server->port_count);
}

static enum swap_refusal server_check(struct program *program, const struct server *server,
                                      const struct swap_server *wanted)
{
    if (server->magic != SERVER_MAGIC)
        return SWAP_NO_PROGRAM;
    if (server->abi != SERVER_ABI)
        return SWAP_WRONG_ABI;
    if (!text_is(program, server->name, wanted->name))
        return SWAP_WRONG_DOMAIN;
    if (!entries_check(program, server))
        return SWAP_NO_PROGRAM;
    return ports_check(program, server, wanted);
}

/* Servers that share a domain may call each other: their stacks lie on top of each other. */
struct needs {
    uint64_t state, stack;
};

static bool needs_add(const struct program *program, const struct server *server,
                      struct needs *needs)
{
    const struct swap_program *wanted = program->wanted;
    if (server->state_size > wanted->state_room || server->stack_bytes > wanted->stack_room)
        return false;
    needs->state = state_end(needs->state, server->state_size);
    needs->stack += server->stack_bytes;
    return needs->state <= wanted->state_room && needs->stack <= wanted->stack_room;
}

static void version_take(const struct program *program, const struct server *server,
                         struct swap_verdict *verdict)
{
    char text[PROGRAM_NAME_BYTES];
    if (!server->version || !text_get(program, server->version, text, sizeof(text)))
        return;
    for (uint32_t i = 0; text[i]; i++)
        verdict->version[i] = text[i];
}

static enum swap_refusal servers_check(struct program *program, const struct program_note *note,
                                       struct swap_verdict *verdict)
{
    const struct swap_program *wanted = program->wanted;
    struct needs needs = {0};
    uint32_t n = 0;
    if (note->servers_end - note->servers != wanted->servers * sizeof(uint64_t))
        return SWAP_WRONG_DOMAIN;
    for (; n < wanted->servers; n++) {
        struct server server;
        uint64_t address;
        if (!constant(program, note->servers + n * sizeof(address), &address, sizeof(address)) ||
            !constant(program, address, &server, sizeof(server)))
            return SWAP_NO_PROGRAM;
        program->detail = n;
        enum swap_refusal refusal = server_check(program, &server, &wanted->server[n]);
        if (refusal)
            return refusal;
        if (!needs_add(program, &server, &needs))
            return SWAP_TOO_LARGE;
        if (!n)
            version_take(program, &server, verdict);
    }
    return SWAP_FINE;
}

static enum swap_refusal judge(struct program *program, uint32_t check,
                               struct swap_verdict *verdict)
{
    struct program_note note;
    if (!program->wanted)
        return SWAP_WRONG_DOMAIN;
    if (crc_add(0, program->file, program->size) != check)
        return SWAP_WRONG_CHECKSUM;
    enum swap_refusal refusal = segments_take(program);
    if (!refusal)
        refusal = note_check(program, &note);
    if (!refusal)
        refusal = places_check(program);
    if (!refusal)
        refusal = servers_check(program, &note, verdict);
    return refusal;
}

const struct swap_program *loader_find(const struct swap_program *table, size_t bytes,
                                       uint32_t number)
{
    for (size_t i = 0; i < bytes / sizeof(*table); i++)
        if (table[i].number == number)
            return &table[i];
    return NULL;
}

void loader_check(const uint8_t *file, uint32_t size, uint32_t check,
                  const struct swap_program *wanted, struct swap_verdict *verdict)
{
    struct program program = {.file = file, .size = size, .wanted = wanted};
    *verdict = (struct swap_verdict){.refusal = SWAP_FINE};
    verdict->refusal = judge(&program, check, verdict);
    verdict->detail = verdict->refusal ? program.detail : 0;
    verdict->entry = program.entry;
    verdict->text_offset = program.text.offset;
    verdict->text_bytes = program.text.bytes;
    verdict->constants_offset = program.constants.offset;
    verdict->constants_bytes = program.constants.bytes;
}
