/* SPDX-License-Identifier: ISC
 *
 * What lets a domain begin anew while its peers go on: linked into the domains of images whose
 * manifest has `restart` somewhere, and into no others. docs/restart.md.
 *
 * Each side says in its own ring which of its lives it is in (`announced`), from which entry on
 * that life speaks (`begins`), which life of the peer it speaks to (`accepted`), and from which
 * entry on
 * (`accepted_at`). Invariants:
 *  - a new life takes no entry of a peer that was meant for an earlier one;
 *  - a peer takes all entries of the earlier life, then forgets what it had with that
 *    (RESTARTED_FORGET), then accepts, and only then takes entries of the new one;
 *  - towards its clients a new life is silent until all of its servers have accepted it: by then
 *    nothing is under way any more that the earlier life passed on for a client.
 */
#ifndef MOTET_LIBOS_RESTART_H
#define MOTET_LIBOS_RESTART_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/server.h"

struct libos;
struct link;
struct start_page;

enum restarted {
    RESTARTED_FORGET, /* everything that was agreed with the peer is void: buffers lent are one's
                         own again. False: not yet, something of the peer's is still in use; it is
                         asked again in each round. Nothing may be sent on that connection */
    RESTARTED_RESUME, /* the peer begins now: say what a client says first. False: no room, again */
    RESTARTED_SELF,   /* after `start`, in a later life, once: no connection is meant (NULL) */
};

/* A server's answer to a peer that has begun anew. Without one it goes on as if nothing were. */
struct server_restarted {
    const struct server *server;
    bool (*handle)(void *state, struct conn *conn, enum restarted what);
};

/* Beside the server's descriptor, or in a file of its own. The linker drops it, and all that only
 * it calls, where libos/restart.c isn't linked. */
#define SERVER_RESTARTED(descriptor, function)                                                     \
    __attribute__((section("motet_restarts"),                                                      \
                   used)) static const struct server_restarted descriptor##_restarted = {          \
        &descriptor, function}

/* What the loop calls: libos/run.c, libos/channels.c. */
struct restarts {
    /* Before anything else: is this a later life? Then private memory is cleared. */
    void (*prepare)(const struct start_page *start);

    /* The servers have started. */
    void (*begin)(struct libos *libos);

    /* Once per round and channel: takes those of `arrived` entries that may be taken. */
    void (*drain)(struct libos *libos, struct link *link, uint32_t arrived);
};

extern const struct restarts domain_restarts;

#endif
