/* SPDX-License-Identifier: ISC
 *
 * Domains that can be swapped while the image runs (docs/swap.md): what a manifest may say of them,
 * and what their programs must fit into. Where they lie is swap_layout.c's matter.
 *
 * Invariant: no address of such a domain, and no size of a room, depends on the program that it has
 * now. So whatever is linked later for the same manifest fits into the same places.
 */
#ifndef COMPOSE_SWAPS_H
#define COMPOSE_SWAPS_H

#include "tools/composer/layout.h"

/* Bytes, where the manifest doesn't say. */
enum {
    TEXT_ROOM = 64 * 1024,
    CONSTANTS_ROOM = 32 * 1024,
    STATE_ROOM = 64 * 1024,
    STACK_ROOM = 16 * 1024,
    STAGING_BYTES = 64 * 1024,
};

enum {
    ROOM_MAX = 512 * 4096, /* bytes: one page object */
    RATE_MAX = 10000000,   /* per second */
    BLACKOUT_MS = 50,      /* a swap takes no message for so long: docs/swap.md */
    BLACKOUT_TENTHS = 15,  /* of what comes meanwhile is to fit */
    STATE_ROOM_MAX = STATE_MAX,
};

/* Checks what the manifest says of swaps, once all domains are read; fills in rooms. */
void swaps_check(struct manifest *manifest);

/* Warns where what comes during a swap has no room, by the rates that the manifest states. */
void rates_check(const struct manifest *manifest);

/* Bytes of a domain's stack that doesn't depend on its program. */
uint64_t stack_room(const struct manifest_domain *domain);

/* Whether each program that can be replaced fits into its rooms, and the staging memory holds it.
 */
void swaps_check_programs(const struct manifest *manifest,
                          struct program *const programs[IMAGE_DOMAINS_MAX]);

/* Bytes of a program's servers' states, one behind the other. */
uint64_t states_bytes(const struct program *program);

/* Second bodies that the image has. */
uint32_t swap_count(const struct manifest *manifest);

#endif
