/* SPDX-License-Identifier: ISC
 *
 * The loop of a domain: calls its servers' entry points, one at a time, and sleeps when nothing is
 * left to do. Called by start.c. docs/ipc.md explains the sleep/doorbell protocol.
 *
 * One round (loop_round): interrupts, deadlines, at most LOOP_BATCH messages of each connection;
 * batch_end if anything happened; everything sent and taken is published and doorbells are rung,
 * each at most once. A message that its server refused stalls its connection: it is offered again
 * in each round after anything happened, and while there are stalls any room wakes the domain. So
 * does room on a connection that was found full; that counts as something happening, so that
 * batch_end can send what it held back. Nobody spins.
 */
#include "libos/assert.h"
#include "libos/clock.h"
#include "libos/kernel.h"
#include "libos/state.h"
#include "motet/image.h"

enum {
    /* Messages taken from a connection before the others have their turn: as many as one round
     * with a peer of equal batch can hold, so that a burst costs one doorbell. */
    LOOP_BATCH = 64,
    /* Rounds without a wait before interrupts are asked for: a peer that never lets the domain
     * sleep delays them by this at most. */
    LOOP_ROUNDS_PER_WAIT = 8,
};

enum error loop_start(struct libos *libos, uint32_t *failed)
{
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        *failed = domain->number;
        enum error error = domain->server->start(domain->state, domain);
        if (error)
            return error;
    }
    return OK;
}

static void interrupts_deliver(struct libos *libos, uint64_t pending)
{
    const struct start_page *start = libos->start;
    uint32_t number[DOMAIN_SERVERS_MAX] = {0}; /* the next device of each server */
    for (uint32_t i = 0; i < start->devices; i++) {
        const struct start_device *from = &start->device[i];
        struct domain *domain = &libos->domain[from->server];
        uint32_t device = number[from->server]++;
        uint32_t bits = (uint32_t)(pending >> from->irq_bit) & ((1u << from->device.vectors) - 1);
        if (!bits || !domain->server->signal)
            continue;
        libos->happened = true;
        domain->server->signal(domain->state, device, bits);
    }
}

/* One message to the domain's own port, for whoever wants such. */
static void message_deliver(struct libos *libos)
{
    struct msg m = libos->message;
    bool wanted = false;
    libos->message.op = 0;
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        if (!domain->server->message)
            continue;
        domain->server->message(domain->state, &m);
        libos->happened = wanted = true;
    }
    if (!wanted)
        libos->counters[COUNT_PORT_MESSAGES]++;
}

/* The pager was asked for memory and has none that is free: the servers are asked in turn. */
static void reclaim_deliver(struct libos *libos)
{
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        if (!domain->server->reclaim)
            continue;
        libos->happened = true;
        domain->server->reclaim(domain->state);
    }
    kernel_signal(libos->start->heap.slot + PAGER_SLOT_PORT);
}

static void deadlines_deliver(struct libos *libos)
{
    uint64_t now = clock_nanoseconds(libos->info, kernel_clock());
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        if (domain->deadline - 1 >= now) /* later, or none */
            continue;
        domain_set_deadline(domain, 0);
        libos->happened = true;
        domain->server->deadline(domain->state);
    }
}

static void link_drain(struct libos *libos, struct link *link)
{
    struct channel *channel = &link->channel;
    channel->stalled = false;
    if (channel_room_came(channel)) {
        channel->short_of_room = false;
        libos->happened = true; /* the server may go on in batch_end */
    }
    uint32_t count = channel_arrived(channel);
    if (!count)
        return;
    const struct server *server = link->domain->server;
    void *state = link->domain->state;
    uint32_t left = count < LOOP_BATCH ? count : LOOP_BATCH;
    for (uint32_t first = left; left; left--) {
        struct msg m;
        channel_take(channel, &m);
        if (!server->receive(state, &link->conn, &m)) {
            channel_untake(channel);
            channel->stalled = libos->stalled = true;
            libos->happened |= left < first;
            return;
        }
    }
    libos->happened = true;
}

static void ring_owed(struct libos *libos)
{
    if (libos->owed)
        kernel_signal(libos->owed);
    libos->owed = 0;
}

/* The last doorbell of a round is held back: if the domain sleeps now, it is rung by the same
 * kernel entry that waits. */
static void ring_later(struct libos *libos, uint64_t slot)
{
    ring_owed(libos);
    libos->owed = slot;
}

/* Everything sent and taken is published, and who sleeps is rung. */
static void round_publish(struct libos *libos)
{
    struct link *link, *end = libos->links_end;
    for (link = libos->link; link < end; link++)
        DEBUG_ASSERT(channel_check(&link->channel));
    /* What was sent comes before the `done` of what it answers, over all connections. */
    for (link = libos->link; link < end; link++)
        channel_publish_put(&link->channel);
    for (link = libos->link; link < end; link++)
        channel_publish_taken(&link->channel);
    /* Indices before wishes: channel_bell_for_news says why. */
    ring_fence();
    for (link = libos->link; link < end; link++)
        if (channel_bell(&link->channel))
            ring_later(libos, link->doorbell);
    if (libos->log_new)
        ring_later(libos, SLOT_SUPERVISOR);
    libos->log_new = false;
}

static void awake(struct libos *libos)
{
    for (struct link *link = libos->link; link < libos->links_end; link++)
        channel_awake(&link->channel);
}

/* Tells the peers that we sleep. False: something came meanwhile, so we don't. */
static bool asleep(struct libos *libos)
{
    struct link *link, *end = libos->links_end;
    bool stalled = libos->stalled, changed = false;
    for (link = libos->link; link < end; link++)
        channel_sleep(&link->channel, stalled);
    /* Wishes before indices: channel_changed says why. */
    ring_fence();
    for (link = libos->link; link < end; link++)
        changed |= channel_changed(&link->channel, stalled);
    if (changed)
        awake(libos);
    return !changed;
}

static uint64_t wait(struct libos *libos, uint64_t deadline)
{
    uint64_t doorbell = libos->owed;
    libos->owed = 0;
    libos->rounds = 0;
    return kernel_wait(doorbell, deadline, &libos->message);
}

static uint64_t deadline_ticks(const struct libos *libos)
{
    if (!libos->deadline)
        return 0;
    uint64_t ticks = kernel_clock(), now = clock_nanoseconds(libos->info, ticks);
    uint64_t length = libos->deadline > now ? libos->deadline - now : 0;
    return clock_deadline(ticks, length, libos->clock_scale);
}

/* Calls the servers for all that there is. */
static void round_deliver(struct libos *libos, uint64_t pending)
{
    if (pending >> SIGNAL_IRQ_FIRST)
        interrupts_deliver(libos, pending);
    if (pending >> SIGNAL_CONTROL_FIRST & 1)
        reclaim_deliver(libos);
    if (libos->message.op)
        message_deliver(libos);
    if (libos->deadline)
        deadlines_deliver(libos);
    for (struct link *link = libos->link; link < libos->links_end; link++)
        link_drain(libos, link);
    if (!libos->happened)
        return;
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++)
        if (domain->server->batch_end)
            domain->server->batch_end(domain->state);
}

uint64_t loop_round(struct libos *libos, uint64_t pending)
{
    bool retry = libos->stalled;
    libos->stalled = false;
    if (retry)
        for (struct link *link = libos->link; link < libos->links_end; link++)
            channel_note_room(&link->channel);
    round_deliver(libos, pending);
    round_publish(libos);

    bool happened = libos->happened;
    libos->happened = false;
    if (libos->stalled)
        libos->counters[COUNT_STALLS]++;
    /* Stalls are offered once more before sleeping: after what happened, and with the room noted
     * from before the offer. */
    bool may_sleep = !libos->stalled || (retry && !happened);
    if (may_sleep && asleep(libos)) {
        pending = wait(libos, deadline_ticks(libos));
        awake(libos);
        return pending;
    }
    if (++libos->rounds == LOOP_ROUNDS_PER_WAIT)
        return wait(libos, 1); /* a time long past */
    ring_owed(libos);
    return 0;
}
