/* SPDX-License-Identifier: ISC
 *
 * What lets a domain be replaced while it runs: its servers' state as records, which the old
 * version writes when it has come to rest and the new one reads before it begins. Linked only into
 * domains whose manifest has `swap = true`. docs/swap.md.
 *
 * A server declares its records in one table beside its descriptor:
 *
 *   static const struct state_record records[] = {
 *       {.name = "counts", .id = 1, .version = 1, RECORD_OF(struct counter, counts)},
 *       {.name = "names", .id = 2, .version = 3, .oldest = 2, .bytes_max = 4096,
 *        .save = names_save, .load = names_load},
 *   };
 *   SERVER_SWAP(motet_server_counter, .records = records, .record_count = 2);
 *
 * Invariants:
 *  - what is saved is private: no pointer, no address, nothing of a start page. A pool is its
 *    number or its name, a connection its port and instance;
 *  - `start` runs in the new version as in any life, before anything is loaded; while
 *    domain_swaps(domain) it sends nothing and touches no device;
 *  - saving changes nothing: a server that was saved goes on if the swap fails;
 *  - who loads doesn't believe: a record may have been made by another version, or be damaged. What
 *    makes no sense is refused, and then the old version goes on as if nothing had been.
 */
#ifndef MOTET_LIBOS_SWAP_H
#define MOTET_LIBOS_SWAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "libos/server.h"
#include "motet/error.h"

struct libos;
struct start_page;

enum { STATE_RECORDS_MAX = 32 }; /* of a server */

struct state_record {
    const char *name;   /* for people: up to 23 characters */
    uint16_t id;        /* of this server's, never used for something else later; from 1 on */
    uint16_t version;   /* that is written */
    uint16_t oldest;    /* version that can still be read; 0: only `version` */
    uint16_t optional;  /* 1: a state without it is accepted (an older version had none), and a
                           version that doesn't know it goes on without */
    uint32_t offset;    /* without save and load: this part of the server's state, as it is */
    uint32_t bytes_max; /* of a record; without save and load exactly */

    /* Writes the record into `to` (bytes_max of them, 8-aligned, zeroed) and returns its length. */
    uint32_t (*save)(const void *state, void *to);

    /* Takes over a record of `version` (oldest to version; an older one may be shorter).
     * ERROR_BAD_ARGUMENT: it makes no sense; ERROR_LIMIT: more than there is room for. */
    enum error (*load)(void *state, uint32_t version, const void *from, uint32_t bytes);
};

/* A record that is one member of the state. */
#define RECORD_OF(type, member)                                                                    \
    .offset = offsetof(type, member), .bytes_max = sizeof(((type *)0)->member)

struct server_swap {
    const struct server *server;
    const struct state_record *records;
    uint32_t record_count;

    /* Can all that the server remembers be saved now? False: not in this round, something is under
     * way that can't be carried over; it is asked again after each round. NULL: always. */
    bool (*rest)(void *state);

    /* All records are loaded: look at them as a whole, compute what follows from them, set
     * deadlines (which were carried over too). Still nothing is sent. NULL: nothing to do. */
    enum error (*loaded)(void *state);
};

/* The linker drops it, and all that only it calls, where libos/swap.c isn't linked. Aligned by
 * hand: entries of one table stand close together. */
#define SERVER_SWAP(descriptor, ...)                                                               \
    __attribute__((section("motet_swaps"), used,                                                   \
                   aligned(8))) static const struct server_swap descriptor##_swap = {              \
        .server = &descriptor, __VA_ARGS__}

/* Whether this life takes over from another one (until `loaded` has returned). */
bool domain_swaps(const struct domain *domain);

/* What the loop calls: libos/run.c, libos/loop.c. */
struct swaps {
    /* After loop_start, in the place of restarts->begin: reads the records. Not OK: *server is
     * whose they were; the log says which record and why. */
    enum error (*begin)(struct libos *libos, uint32_t *server);

    /* Coming to rest was asked for. At the end of a round, before it is published: can it be now?
     * Asked again in each round until it can. */
    bool (*can_rest)(const struct libos *libos);

    /* The round is published. Saves the state and tells the supervisor. If this returns, the swap
     * has failed, and the domain goes on. */
    void (*rest)(struct libos *libos);
};

extern const struct swaps domain_swap;

#endif
