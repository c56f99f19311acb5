/* SPDX-License-Identifier: ISC
 *
 * What a program that can be swapped in says of itself, at the beginning of its constants. compose
 * has it linked where the manifest says `swap = true`. docs/swap.md.
 */
#include "libos/server.h"
#include "libos/start.h"
#include "motet/abi.h"
#include "motet/swap.h"

/* libos/domain.ld: the descriptors' addresses, in link order. */
extern const struct server *const __servers_start[], *const __servers_end[];

extern const struct program_note program_note;

__attribute__((section(PROGRAM_SECTION))) const struct program_note program_note = {
    .magic = PROGRAM_MAGIC,
    .start_version = START_VERSION,
    .state_format = STATE_FORMAT,
    .abi = ABI_VERSION,
    .server_abi = SERVER_ABI,
    .servers = (uint64_t)__servers_start,
    .servers_end = (uint64_t)__servers_end,
};
