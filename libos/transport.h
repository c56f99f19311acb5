/* SPDX-License-Identifier: ISC
 *
 * What the loop knows of a transport: how the connections of one kind are opened, drained, and
 * slept over. A domain links the transports that its connections need and no other: compose asks
 * the linker for them (tools/composer/program.c), libos/start.c finds which came.
 *
 *   channel  libos/channels.c: between two domains
 *   direct   libos/direct.c: between two servers of one domain
 */
#ifndef MOTET_LIBOS_TRANSPORT_H
#define MOTET_LIBOS_TRANSPORT_H

#include <stdbool.h>

struct libos;
struct link;
struct start_conn;

enum {
    /* Messages taken from a connection before the others have their turn. As many as the answers to
     * a burst of 64 and what gives its buffers back: a buffer that comes back a round later than
     * the answer that it led to is missing for the next query. */
    LOOP_BATCH = 96,
};

struct transport {
    /* Fills in what of the link is the transport's: `put`, `room` and `transport` of its
     * connection, and its own part. The rest is set. */
    void (*open)(struct libos *libos, struct link *link, const struct start_conn *from);

    /* Calls `receive` for at most LOOP_BATCH messages of each connection. Sets `happened` if any
     * was taken or room came, `stalled` if one was refused or a peer's new life isn't accepted yet,
     * `queued` if more are left. */
    void (*drain)(struct libos *libos);

    /* The rest is NULL where nobody outside the domain is to be told or can change anything. */

    /* Shows the peers what was put and taken, and rings who sleeps. `sleep`: the domain has nothing
     * to do, which they are told too; true if nothing came meanwhile, so that it can. */
    bool (*publish)(struct libos *libos, bool sleep);

    /* Room that comes after this call makes `publish` false, if something is stalled. */
    void (*note_room)(struct libos *libos);
};

/* By enum start_transport; NULL: not linked. */
extern const struct transport channel_transport, direct_transport;

#endif
