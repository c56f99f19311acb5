/* SPDX-License-Identifier: ISC
 *
 * See restart.h. What a peer wrote into its ring is read once; one that lies loses its own
 * messages.
 */
#include "libos/restart.h"

#include <string.h>

#include "libos/heap.h"
#include "libos/kernel.h"
#include "libos/state.h"

/* The bounds of what the linker gathered; none: no server of the domain has an answer. */
extern const struct server_restarted __start_motet_restarts[] __attribute__((weak));
extern const struct server_restarted __stop_motet_restarts[] __attribute__((weak));

static bool handle(const struct link *link, enum restarted what)
{
    const struct server_restarted *entry = __start_motet_restarts;
    for (; entry < __stop_motet_restarts; entry++)
        if (entry->server == link->domain->server)
            return entry->handle(link->domain->state, (struct conn *)&link->conn, what);
    return true;
}

static void prepare(const struct start_page *start)
{
    if (!start->restarts && !start->swaps)
        return;
    memset((void *)start->private_address, 0, start->private_bytes);
    if (start->heap.state)
        memset((void *)start->heap.state, 0, sizeof(struct heap));
    if (start->swaps)
        return; /* its devices are as the other body left them */
    /* A pin may have been masked since the earlier life took its interrupt. */
    for (uint32_t i = 0; i < start->devices; i++)
        if (start->device[i].irq_slot)
            kernel_acknowledge(start->device[i].irq_slot);
}

static struct link *first_channel(const struct libos *libos)
{
    return libos->links_by[START_CHANNEL];
}

static void announce(struct link *link)
{
    struct ring *mine = link->channel.mine;
    link->life.announced = true;
    /* `begins` was written before. */
    ring_publish(&mine->announced, mine->generation);
    kernel_signal(link->doorbell);
}

/* To the servers at once, to the clients when no server is waited for. */
static void announce_due(struct libos *libos)
{
    bool waiting = false;
    for (struct link *link = first_channel(libos); link; link = link->next)
        waiting |= link->conn.role == CONN_CLIENT && link->life.waiting;
    for (struct link *link = first_channel(libos); link; link = link->next)
        if (!link->life.announced && (link->conn.role == CONN_CLIENT || !waiting))
            announce(link);
}

/* We speak to that life of the peer, from entry `at` on. */
static void accept(struct link *link, uint32_t life, uint32_t at)
{
    struct ring *mine = link->channel.mine;
    link->life.peer = life;
    mine->accepted_at = at;
    /* `accepted_at` is written before; the peer reads it after. */
    ring_publish(&mine->accepted, life);
}

/* Tells the servers that they have lived before. */
static void tell_servers(struct libos *libos)
{
    const struct server_restarted *entry = __start_motet_restarts;
    for (; entry < __stop_motet_restarts; entry++)
        for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++)
            if (entry->server == domain->server)
                entry->handle(domain->state, NULL, RESTARTED_SELF);
}

static void begin(struct libos *libos)
{
    if (libos->start->restarts)
        tell_servers(libos);
    for (struct link *link = first_channel(libos); link; link = link->next) {
        struct channel *channel = &link->channel;
        const uint32_t produced = ring_read(&channel->theirs->produced);
        if (produced - channel->taken > channel->mask + 1)
            channel_mend(channel, produced); /* an earlier life left nonsense in our ring */
        accept(link, ring_read(&channel->theirs->announced), channel->mine->produced);
        channel->mine->begins = channel->mine->produced;
        link->life.waiting = channel->mine->generation > 1;
    }
    announce_due(libos);
}

/* The peer has begun anew: `*arrived` becomes what may be taken of its entries. False: it isn't
 * accepted yet. */
static bool peer_began(struct libos *libos, struct link *link, uint32_t life, uint32_t *arrived)
{
    struct channel *channel = &link->channel;
    const uint32_t begins = __atomic_load_n(&channel->theirs->begins, __ATOMIC_RELAXED);
    uint32_t old = begins - channel->taken;
    if (!channel->broken && !link->life.waiting && old && old <= channel->mask + 1) {
        if (*arrived > old)
            *arrived = old;
        return false;
    }
    uint32_t at = channel->produced;
    *arrived = 0;
    if (link->life.peer && !handle(link, RESTARTED_FORGET))
        return false;
    libos->happened = true;
    link->life.resume = link->life.peer != 0;
    if (channel->broken)
        channel_mend(channel, begins); /* that was its earlier life */
    accept(link, life, at);
    kernel_signal(link->doorbell);
    return true;
}

/* We have begun anew, and the peer may not know it. Returns what may be taken of its entries. As
 * long as it hasn't accepted us they are none of ours, and dropped: to take what our earlier life
 * said it may need their room. */
static uint32_t peer_accepts(struct libos *libos, struct link *link, uint32_t arrived)
{
    struct channel *channel = &link->channel;
    if (ring_read(&channel->theirs->accepted) != channel->mine->generation) {
        channel_took(channel, channel->taken + arrived);
        return 0; /* the doorbell rings when it does */
    }
    const uint32_t at = __atomic_load_n(&channel->theirs->accepted_at, __ATOMIC_RELAXED);
    uint32_t old = at - channel->taken;
    if (channel->broken) {
        channel_mend(channel, at); /* on what was there before */
        arrived = old = 0;
    }
    if (old > channel->mask + 1)
        old = 0;
    uint32_t dropped = old < arrived ? old : arrived;
    channel_took(channel, channel->taken + dropped);
    if (dropped < old)
        return 0; /* the others aren't published yet */
    link->life.waiting = false;
    libos->happened = true;
    announce_due(libos);
    return arrived - dropped;
}

static void drain(struct libos *libos, struct link *link, uint32_t arrived)
{
    struct channel *channel = &link->channel;
    uint32_t life = ring_read(&channel->theirs->announced);
    bool began = life != link->life.peer;
    bool accepted = !began || peer_began(libos, link, life, &arrived);
    if (accepted && link->life.resume && handle(link, RESTARTED_RESUME)) {
        link->life.resume = false;
        libos->happened = true;
    }
    if (accepted && link->life.waiting)
        arrived = peer_accepts(libos, link, arrived);
    if (arrived)
        channel_drain(libos, link, arrived);
    else if (!accepted) /* it can't be yet; what happens in this round may be what it waits for */
        channel->stalled = libos->stalled = true;
    /* Were these the last ones of its earlier life? */
    libos->queued |= arrived && !accepted && !channel->stalled;
}

const struct restarts domain_restarts = {.prepare = prepare, .begin = begin, .drain = drain};
