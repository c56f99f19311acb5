/* SPDX-License-Identifier: ISC
 *
 * The state region: writing it and reading it, for libos/swap.c. Its format is in motet/swap.h.
 */
#ifndef MOTET_LIBOS_SWAP_STATE_H
#define MOTET_LIBOS_SWAP_STATE_H

#include "libos/state.h"
#include "libos/swap.h"

/* Whose records these are: the libOS's, with struct libos as state, or a server's. */
struct holder {
    const char *name; /* "": the libOS */
    const struct state_record *records;
    uint32_t count;
    void *state;
    struct domain *domain; /* whose log says so */
};

enum { HOLDER_LIBOS, HOLDER_FIRST_SERVER, HOLDERS_MAX = HOLDER_FIRST_SERVER + DOMAIN_SERVERS_MAX };

uint32_t holder_count(const struct libos *libos);
struct holder holder_at(const struct libos *libos, uint32_t n);

/* A server's answer; NULL: it can't be swapped. */
const struct server_swap *server_swap(const struct server *server);

/* libos/swap_libos.c: the libOS's own. */
enum { LIBOS_RECORDS = 4, LIBOS_QUEUED_MAX = 64 };
extern const struct state_record libos_records[LIBOS_RECORDS];

/* Messages inside the domain that wait. */
uint32_t libos_queued(const struct libos *libos);

/* Fills the region. LIMIT: it is too small, the log says for what. *bytes: how much was used. */
enum error state_save(struct libos *libos, uint64_t rested, uint32_t *bytes);

/* Looks at all of the region first, and loads nothing of it unless all makes sense. Not OK: the log
 * says what doesn't, and *server whose it is. */
enum error state_load(struct libos *libos, uint32_t *server);

#endif
