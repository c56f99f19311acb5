/* SPDX-License-Identifier: ISC
 *
 * A program of a domain of two servers, made by hand as `compose --program` writes it, and what the
 * composition demands of it: for tests that break it.
 */
#ifndef TESTS_UNIT_PROGRAM_IMAGE_H
#define TESTS_UNIT_PROGRAM_IMAGE_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "libos/server.h"
#include "libos/start.h"
#include "motet/abi.h"
#include "motet/swap.h"

enum { PROGRAM_TEXT = 0x402000, PROGRAM_CONSTANTS = 0x412000, PROGRAM_SERVERS = 2 };

/* struct server and struct server_port, with addresses for pointers. */
struct program_descriptor {
    uint32_t magic, abi;
    uint64_t name, version, state_size, stack_bytes;
    uint64_t ports, port_count, settings, setting_count, counters, counter_count;
    uint64_t start, signal, receive, deadline, batch_end, message, reclaim;
};

struct program_port_image {
    uint64_t name, protocol;
    uint32_t version, role;
};

struct program_constants {
    struct program_note note;
    uint64_t servers[PROGRAM_SERVERS];
    struct program_descriptor server[PROGRAM_SERVERS];
    struct program_port_image port[2]; /* of the first: the second one is connected */
    uint64_t counter[1];
    char names[6][16];
};

struct program_image {
    Elf64_Ehdr header;
    Elf64_Phdr segment[2];
    uint8_t text[128];
    struct program_constants constants;
};
_Static_assert(sizeof(struct program_descriptor) == sizeof(struct server), "libos/server.h");
_Static_assert(sizeof(struct program_port_image) == sizeof(struct server_port), "libos/server.h");

#define PROGRAM_ADDRESS(member) (PROGRAM_CONSTANTS + offsetof(struct program_constants, member))

static inline void program_image_servers(struct program_constants *constants)
{
    static const char *const names[] = {"first", "second", "1.2", "idle", "wire", "frames"};
    for (uint32_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        strcpy(constants->names[i], names[i]);
    for (uint32_t i = 0; i < PROGRAM_SERVERS; i++) {
        constants->servers[i] = PROGRAM_ADDRESS(server) + i * sizeof(constants->server[0]);
        constants->server[i] = (struct program_descriptor){.magic = SERVER_MAGIC,
                                                           .abi = SERVER_ABI,
                                                           .name = PROGRAM_ADDRESS(names) + i * 16,
                                                           .state_size = 100,
                                                           .stack_bytes = 1024,
                                                           .start = PROGRAM_TEXT + 32,
                                                           .receive = PROGRAM_TEXT + 64};
    }
    constants->server[0].version = PROGRAM_ADDRESS(names[2]);
    constants->server[0].ports = PROGRAM_ADDRESS(port);
    constants->server[0].port_count = 2;
    constants->server[1].counters = PROGRAM_ADDRESS(counter);
    constants->server[1].counter_count = 1;
    constants->counter[0] = PROGRAM_ADDRESS(names[3]);
    for (uint32_t i = 0; i < 2; i++)
        constants->port[i] = (struct program_port_image){
            .name = PROGRAM_ADDRESS(names) + (3 + i) * 16,
            .protocol = PROGRAM_ADDRESS(names[5]),
            .version = 7,
            .role = i,
        };
}

static inline Elf64_Phdr program_image_segment(uint64_t offset, uint64_t address, uint64_t bytes,
                                               uint32_t flags)
{
    return (Elf64_Phdr){.p_type = PT_LOAD,
                        .p_flags = flags,
                        .p_offset = offset,
                        .p_vaddr = address,
                        .p_paddr = address,
                        .p_filesz = bytes,
                        .p_memsz = bytes,
                        .p_align = 16};
}

static inline void program_image_make(struct program_image *image)
{
    memset(image, 0, sizeof(*image));
    image->header = (Elf64_Ehdr){.e_type = ET_EXEC,
                                 .e_machine = EM_X86_64,
                                 .e_version = EV_CURRENT,
                                 .e_entry = PROGRAM_TEXT + 16,
                                 .e_phoff = offsetof(struct program_image, segment),
                                 .e_ehsize = sizeof(image->header),
                                 .e_phentsize = sizeof(image->segment[0]),
                                 .e_phnum = 2};
    memcpy(image->header.e_ident, ELFMAG, SELFMAG);
    image->header.e_ident[EI_CLASS] = ELFCLASS64;
    image->header.e_ident[EI_DATA] = ELFDATA2LSB;
    image->header.e_ident[EI_VERSION] = EV_CURRENT;
    image->segment[0] = program_image_segment(offsetof(struct program_image, text), PROGRAM_TEXT,
                                              sizeof(image->text), PF_R | PF_X);
    image->segment[1] = program_image_segment(offsetof(struct program_image, constants),
                                              PROGRAM_CONSTANTS, sizeof(image->constants), PF_R);
    memset(image->text, 0x90, sizeof(image->text));
    image->constants.note =
        (struct program_note){.magic = PROGRAM_MAGIC,
                              .start_version = START_VERSION,
                              .state_format = STATE_FORMAT,
                              .abi = ABI_VERSION,
                              .server_abi = SERVER_ABI,
                              .servers = PROGRAM_ADDRESS(servers),
                              .servers_end = PROGRAM_ADDRESS(servers) + PROGRAM_SERVERS * 8};
    program_image_servers(&image->constants);
}

static inline void program_image_wanted(struct swap_program *wanted)
{
    *wanted = (struct swap_program){.domain = "both",
                                    .text_address = PROGRAM_TEXT,
                                    .constants_address = PROGRAM_CONSTANTS,
                                    .text_room = 4096,
                                    .constants_room = 4096,
                                    .state_room = 4096,
                                    .stack_room = 4096,
                                    .number = 3,
                                    .servers = PROGRAM_SERVERS,
                                    .server = {{.name = "first", .ports = 1}, {.name = "second"}}};
    wanted->server[0].port[0] = (struct swap_port){
        .name = "wire", .protocol = "frames", .version = 7, .role = 1, .number = 1};
}

#endif
