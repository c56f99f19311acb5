/* SPDX-License-Identifier: ISC
 *
 * The two bodies of a domain that can be swapped: what is in them, which one runs, and who has the
 * staging memory. For swap.c. docs/swap.md.
 */
#ifndef SERVERS_INIT_SWAP_BODIES_H
#define SERVERS_INIT_SWAP_BODIES_H

#include "servers/init/init.h"
#include "servers/init/threads.h"

/* When the image boots: first bodies have the image's programs. */
void bodies_start(struct init *init);

/* The body of a domain that doesn't run. */
static inline uint32_t spare_of(const struct init *init, uint32_t domain)
{
    return init->bodies.second >> domain & 1 ? domain : init->domain[domain].body;
}

/* Where init holds that body. */
static inline struct child *spare_held(struct init *init, uint32_t domain)
{
    return &init->child[init->domain[domain].body];
}

/* What is told of a version is a word for people, and the program's own: printable, zeros behind.
 */
void version_put(char to[PROGRAM_NAME_BYTES], const char *version);

/* Bytes that a region holds. */
static inline uint64_t region_bytes(const struct init *init, uint32_t region)
{
    return init->region[region].pages * (uint64_t)PAGE_BYTES;
}

/* The mapping that a body has of a region; NULL: none. */
const struct image_mapping *mapping_of(const struct init *init, uint32_t region, uint32_t body);

/* Gives a domain the staging memory, as the manifest says, and takes it again. */
void staging_give(struct init *init, uint32_t domain);
void staging_take(struct init *init, uint32_t domain);

/* Puts a program into the spare body: out of the staging memory, as the verdict says (which was
 * checked), or the running body's. */
void program_put(struct init *init, uint32_t domain, const struct swap_verdict *verdict);
void program_repeat(struct init *init, uint32_t domain);

/* Where a new file goes: the region that the running body doesn't have as this file. */
uint32_t file_target(const struct init *init, uint32_t domain, uint32_t file);

/* Copies the first `bytes` of the staging memory to `at` in there. Returns the CRC-32 that goes on
 * from `check`. */
uint32_t file_put(struct init *init, uint32_t domain, uint32_t file, uint32_t at, uint32_t bytes,
                  uint32_t check);

/* The spare body has the running one's files, except `file` (START_FILES_MAX: no exception), which
 * is the new one of `bytes`. */
void files_give(struct init *init, uint32_t domain, uint32_t file, uint32_t bytes);

/* The spare body becomes the one that runs, with the receive end of the port, and the other way
 * round. Neither may be running. */
void bodies_exchange(struct init *init, uint32_t domain);

/* The counters that everybody sees are those of the other body from now on. */
void counters_exchange(struct init *init, uint32_t domain);

/* After that, and before the bodies change places: the spare body's counters go on from what the
 * one that ran has counted, by their names. */
void counters_carry(struct init *init, uint32_t domain);

/* The spare body is at its program's beginning, for `why`, with that priority. */
enum error spare_ready(struct init *init, uint32_t domain, enum start_swaps why, uint8_t priority);

/* It has begun: another life in this body takes over nothing. */
void body_begun(struct init *init, uint32_t domain);

#endif
