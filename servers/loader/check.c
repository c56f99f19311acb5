/* SPDX-License-Identifier: ISC
 *
 * See check.h. Everything is copied out of the file before it is looked at: nothing in there is
 * where it should be until that was checked.
 */
#include "servers/loader/check.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

#include "libos/crc.h"
#include "libos/server_file.h"
#include "libos/start.h"
#include "motet/abi.h"
#include "servers/loader/ed25519.h"

enum { HEADERS_MAX = 8 /* of the program: compose writes two */, DETAIL_PORT = 256 };

struct segment {
    uint64_t address;
    uint32_t offset, bytes; /* inside the file */
};

struct program {
    const struct swap_program *wanted;
    const uint8_t *file;
    uint32_t bytes;
    struct segment text, constants;
    struct swap_verdict *verdict;
};

static bool refuse(struct program *program, enum swap_refusal refusal, uint32_t detail)
{
    program->verdict->refusal = refusal;
    program->verdict->detail = detail;
    return false;
}

static bool copy_out(const struct program *program, uint64_t offset, void *out, uint32_t bytes)
{
    if (offset > program->bytes || bytes > program->bytes - offset)
        return false;
    memcpy(out, program->file + offset, bytes);
    return true;
}

/* --- the signature --- */

_Static_assert((int)SWAP_KEY_BYTES == (int)ED25519_KEY_BYTES, "a key is a key");
_Static_assert(sizeof((struct swap_signature){.magic = ""}.signature) == ED25519_SIGNATURE_BYTES,
               "and a signature a signature");

/* With a key in the manifest the file is what stands before the signature. */
static bool check_signature(struct program *program)
{
    static const uint8_t none[SWAP_KEY_BYTES];
    const uint8_t *key = program->wanted->key;
    struct swap_signature signature;
    if (!memcmp(key, none, sizeof(none)))
        return true;
    if (program->bytes < sizeof(signature))
        return refuse(program, SWAP_WRONG_SIGNATURE, SWAP_UNSIGNED);
    program->bytes -= (uint32_t)sizeof(signature);
    memcpy(&signature, program->file + program->bytes, sizeof(signature));
    if (memcmp(signature.magic, SWAP_SIGNATURE_MAGIC, sizeof(signature.magic)) != 0)
        return refuse(program, SWAP_WRONG_SIGNATURE, SWAP_UNSIGNED);
    return ed25519_is_right(signature.signature, key, program->file, program->bytes) ||
           refuse(program, SWAP_WRONG_SIGNATURE, SWAP_SIGNED_WRONG);
}

/* --- the file --- */

static bool take_segment(struct program *program, const Elf64_Phdr *header)
{
    const bool is_text = header->p_flags & PF_X;
    struct segment *segment = is_text ? &program->text : &program->constants;
    if (header->p_flags & PF_W)
        return refuse(program, SWAP_WRITABLE, 0);
    if (!(header->p_flags & PF_R) || segment->bytes || !header->p_filesz ||
        header->p_filesz != header->p_memsz || header->p_offset > program->bytes ||
        header->p_filesz > program->bytes - header->p_offset)
        return refuse(program, SWAP_NOT_ELF, 0);
    *segment =
        (struct segment){header->p_vaddr, (uint32_t)header->p_offset, (uint32_t)header->p_filesz};
    return true;
}

static bool read_segments(struct program *program, const Elf64_Ehdr *file)
{
    for (uint32_t i = 0; i < file->e_phnum; i++) {
        Elf64_Phdr header;
        if (file->e_phoff > program->bytes ||
            !copy_out(program, file->e_phoff + i * sizeof(header), &header, sizeof(header)))
            return refuse(program, SWAP_NOT_ELF, 0);
        if (header.p_type == PT_INTERP || header.p_type == PT_DYNAMIC || header.p_type == PT_TLS)
            return refuse(program, SWAP_NO_PROGRAM, 0);
        if (header.p_type == PT_LOAD && header.p_memsz && !take_segment(program, &header))
            return false;
    }
    return (program->text.bytes && program->constants.bytes) || refuse(program, SWAP_NO_PROGRAM, 0);
}

static bool read_file(struct program *program)
{
    static const uint8_t ident[] = {ELFMAG0,    ELFMAG1,     ELFMAG2,   ELFMAG3,
                                    ELFCLASS64, ELFDATA2LSB, EV_CURRENT};
    Elf64_Ehdr header;
    if (!copy_out(program, 0, &header, sizeof(header)) ||
        memcmp(header.e_ident, ident, sizeof(ident)) != 0 || header.e_machine != EM_X86_64 ||
        header.e_phentsize != sizeof(Elf64_Phdr) || header.e_phnum > HEADERS_MAX)
        return refuse(program, SWAP_NOT_ELF, 0);
    if (header.e_type != ET_EXEC)
        return refuse(program, SWAP_NO_PROGRAM, 0);
    program->verdict->entry = header.e_entry;
    return read_segments(program, &header);
}

static bool is_text(const struct program *program, uint64_t address)
{
    return address - program->text.address < program->text.bytes;
}

static bool check_place(struct program *program)
{
    const struct swap_program *wanted = program->wanted;
    if (program->text.bytes > wanted->text_room)
        return refuse(program, SWAP_TOO_LARGE, SWAP_PART_TEXT);
    if (program->constants.bytes > wanted->constants_room)
        return refuse(program, SWAP_TOO_LARGE, SWAP_PART_CONSTANTS);
    if (program->text.address != wanted->text_address)
        return refuse(program, SWAP_WRONG_PLACE, SWAP_PART_TEXT);
    if (program->constants.address != wanted->constants_address)
        return refuse(program, SWAP_WRONG_PLACE, SWAP_PART_CONSTANTS);
    return is_text(program, program->verdict->entry) || refuse(program, SWAP_NO_PROGRAM, 0);
}

/* --- what it says of itself, in its constants --- */

static bool read_constants(const struct program *program, uint64_t address, void *out,
                           uint32_t bytes)
{
    const struct segment *constants = &program->constants;
    const uint64_t into = address - constants->address;
    if (into > constants->bytes || bytes > constants->bytes - into)
        return false;
    memcpy(out, program->file + constants->offset + into, bytes);
    return true;
}

/* Fewer than PROGRAM_NAME_BYTES characters; zeros behind them. */
static bool read_name(const struct program *program, uint64_t address, char out[PROGRAM_NAME_BYTES])
{
    memset(out, 0, PROGRAM_NAME_BYTES);
    for (uint32_t i = 0; i < PROGRAM_NAME_BYTES; i++) {
        if (!read_constants(program, address + i, &out[i], 1))
            return false;
        if (!out[i])
            return true;
    }
    return false;
}

static bool check_note(struct program *program, struct program_note *note)
{
    if (!read_constants(program, program->constants.address, note, sizeof(*note)) ||
        note->magic != PROGRAM_MAGIC)
        return refuse(program, SWAP_NO_PROGRAM, 0);
    if (note->start_version != START_VERSION)
        return refuse(program, SWAP_WRONG_ABI, SWAP_ABI_START);
    if (note->state_format != STATE_FORMAT)
        return refuse(program, SWAP_WRONG_ABI, SWAP_ABI_STATE);
    if (note->abi != ABI_VERSION)
        return refuse(program, SWAP_WRONG_ABI, SWAP_ABI_KERNEL);
    if (note->server_abi != SERVER_ABI)
        return refuse(program, SWAP_WRONG_ABI, SWAP_ABI_SERVER);
    return true;
}

static bool entries_are_text(const struct program *program, const struct server_record *server)
{
    const uint64_t others[] = {server->signal,    server->receive, server->deadline,
                               server->batch_end, server->message, server->reclaim};
    for (uint32_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        if (others[i] && !is_text(program, others[i]))
            return false;
    return is_text(program, server->start) && (server->receive || !server->port_count);
}

static bool tables_are_inside(const struct program *program, const struct server_record *server)
{
    const uint64_t tables[][3] = {{server->ports, server->port_count, sizeof(struct port_record)},
                                  {server->settings, server->setting_count, sizeof(uint64_t)},
                                  {server->counters, server->counter_count, sizeof(uint64_t)}};
    const struct segment *constants = &program->constants;
    for (uint32_t i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        const uint64_t into = tables[i][0] - constants->address, count = tables[i][1];
        if (count && (into > constants->bytes || count > (constants->bytes - into) / tables[i][2]))
            return false;
    }
    return true;
}

static bool has_port(const struct program *program, const struct server_record *server,
                     const struct swap_port *wanted)
{
    struct port_record port;
    char name[PROGRAM_NAME_BYTES], protocol[PROGRAM_NAME_BYTES];
    return wanted->number < server->port_count &&
           read_constants(program, server->ports + wanted->number * sizeof(port), &port,
                          sizeof(port)) &&
           read_name(program, port.name, name) && !memcmp(name, wanted->name, sizeof(name)) &&
           read_name(program, port.protocol, protocol) &&
           !memcmp(protocol, wanted->protocol, sizeof(protocol)) &&
           port.version == wanted->version && port.role == wanted->role;
}

static bool check_ports(struct program *program, const struct server_record *server,
                        uint32_t number)
{
    const struct swap_server *wanted = &program->wanted->server[number];
    for (uint32_t i = 0; i < wanted->ports && i < SWAP_PORTS_MAX; i++)
        if (!has_port(program, server, &wanted->port[i]))
            return refuse(program, SWAP_WRONG_PORTS,
                          number + 1 + wanted->port[i].number * DETAIL_PORT);
    return true;
}

/* The descriptor at `address` is that of the server with that number. */
static bool check_server(struct program *program, uint64_t address, uint32_t number,
                         struct server_record *server)
{
    char name[PROGRAM_NAME_BYTES], version[PROGRAM_NAME_BYTES] = "";
    if (!read_constants(program, address, server, sizeof(*server)) ||
        server->magic != SERVER_MAGIC || server->abi != SERVER_ABI ||
        !read_name(program, server->name, name) ||
        (server->version && !read_name(program, server->version, version)) ||
        !entries_are_text(program, server) || !tables_are_inside(program, server))
        return refuse(program, SWAP_NO_PROGRAM, number + 1);
    if (memcmp(name, program->wanted->server[number].name, sizeof(name)) != 0)
        return refuse(program, SWAP_WRONG_DOMAIN, number + 1);
    if (number == 0)
        memcpy(program->verdict->version, version, sizeof(version));
    return check_ports(program, server, number);
}

/* Sums of what descriptors say can't overflow: each is looked at before it is added. */
static bool check_servers(struct program *program, const struct program_note *note)
{
    const struct swap_program *wanted = program->wanted;
    const uint64_t bytes = note->servers_end - note->servers;
    uint64_t state = 0, stack = 0;
    if (bytes % sizeof(uint64_t) || bytes / sizeof(uint64_t) != wanted->servers ||
        wanted->servers > SWAP_SERVERS_MAX)
        return refuse(program, SWAP_WRONG_DOMAIN, 0);
    for (uint32_t i = 0; i < wanted->servers; i++) {
        struct server_record server;
        uint64_t address;
        if (!read_constants(program, note->servers + i * sizeof(address), &address,
                            sizeof(address)))
            return refuse(program, SWAP_NO_PROGRAM, i + 1);
        if (!check_server(program, address, i, &server))
            return false;
        if (server.state_size > wanted->state_room ||
            (state = state_end(state, server.state_size)) > wanted->state_room)
            return refuse(program, SWAP_TOO_LARGE, SWAP_PART_STATE);
        if (server.stack_bytes > wanted->stack_room ||
            (stack += server.stack_bytes) > wanted->stack_room)
            return refuse(program, SWAP_TOO_LARGE, SWAP_PART_STACK);
    }
    return true;
}

static bool check(struct program *program)
{
    struct program_note note;
    return check_signature(program) && read_file(program) && check_place(program) &&
           check_note(program, &note) && check_servers(program, &note);
}

void loader_check(const struct swap_program *wanted, const uint8_t *file, uint32_t bytes,
                  uint32_t crc, struct swap_verdict *verdict)
{
    struct program program = {.wanted = wanted, .file = file, .bytes = bytes, .verdict = verdict};
    memset(verdict, 0, sizeof(*verdict));
    if (crc_add(0, file, bytes) != crc) {
        refuse(&program, SWAP_WRONG_CHECKSUM, 0);
        return;
    }
    if (!check(&program))
        return;
    verdict->text_offset = program.text.offset;
    verdict->text_bytes = program.text.bytes;
    verdict->constants_offset = program.constants.offset;
    verdict->constants_bytes = program.constants.bytes;
}

const struct swap_program *loader_find(const void *table, size_t bytes, uint32_t number)
{
    const struct swap_program *program = table;
    for (size_t i = 0; i < bytes / sizeof(*program); i++)
        if (program[i].number == number)
            return &program[i];
    return NULL;
}
