/* SPDX-License-Identifier: ISC
 *
 * A peer of the stack has begun anew: what was lent to it comes back, what it had lent is
 * forgotten. Linked only into images with restarts (libos/restart.h).
 */
#include "libos/restart.h"
#include "servers/netd/netd.h"

extern const struct server motet_server_netd;

/* Longer than a client needs to open its sockets again. */
#define QUIET (1000 * 1000 * 1000ull) /* ns */

/* Until the clients have their sockets again, nobody is told that there are none. */
static void be_quiet(struct netd *netd)
{
    netd->icmp_limit.time = netd_now(netd) + QUIET;
}

/* The driver has reset its devices before it began: they have no buffer any more. */
static void driver_forget(struct netd *netd)
{
    for (uint32_t n = 0; n < netd->transmit.slots; n++)
        if (netd->transmit.slot[n].state == SLOT_SENT)
            output_done(netd, n);
    for (uint32_t i = 0; i < NETDEV_INTERFACES_MAX; i++) {
        struct interface *interface = &netd->interface[i];
        for (uint32_t index = 0; index < netd->receive.buffers; index++)
            pool_take_back(&netd->receive, index, (uint8_t)(RECEIVE_DRIVER + i));
        interface->up = interface->receives = interface->rx_split = false;
        interface->rx_lent = 0;
        interface_set_quota(interface, 0); /* until the driver reports it again */
    }
}

/* Frames with a client's payload may be with the device: its buffers are its own only afterwards.
 * An idle driver doesn't look what has been sent until something happens (docs/virtio_drv.md): so
 * something does, once. */
static bool client_forget(struct netd *netd, uint32_t number)
{
    struct client *client = &netd->client[number];
    if (client->sending) {
        if (!client->driver_asked)
            driver_open(netd);
        client->driver_asked = true;
        return false;
    }
    client->driver_asked = false;
    for (uint32_t socket = 0; socket < SOCK_PER_CLIENT; socket++)
        sockets_close(&netd->sockets, number * SOCK_PER_CLIENT + socket);
    be_quiet(netd);
    client->done_count = 0;
    pool_owner_init(&client->receive, client->receive_pool);
    return true;
}

static bool netd_restarted(void *state, struct conn *conn, enum restarted what)
{
    struct netd *netd = state;
    bool driver = conn == netd->net;
    if (what == RESTARTED_SELF) {
        be_quiet(netd);
        return true;
    }
    if (what == RESTARTED_RESUME) {
        if (driver)
            driver_open(netd); /* a client speaks first, sooner or later */
        return true;
    }
    if (!driver)
        return client_forget(netd, conn->instance);
    driver_forget(netd);
    return true;
}
SERVER_RESTARTED(motet_server_netd, netd_restarted);
