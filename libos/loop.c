/* SPDX-License-Identifier: ISC
 *
 * The loop of a domain: calls its servers' entry points and sleeps when nothing is left to do.
 * Called by run.c. How messages come and go is the transports' business (libos/transport.h).
 *
 * One round (loop_round): interrupts, deadlines, at most LOOP_BATCH messages of each connection;
 * batch_end if anything happened; everything sent and taken is published and doorbells are rung,
 * each at most once. A message that its server refused stalls its connection: it is offered again
 * in each round after anything happened, and while there are stalls any room wakes the domain. So
 * does room on a connection that was found full; that counts as something happening, so that
 * batch_end can send what it held back. Who was called by another server of the domain after its
 * own batch_end has one more in the next round. Nobody spins.
 *
 * A server is `active` while the loop or another server is in one of its entry points: nobody
 * calls it then.
 */
#include "libos/clock.h"
#include "libos/kernel.h"
#include "libos/state.h"
#include "motet/image.h"
#include "motet/rare.h"

enum {
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
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++)
        domain->active = false;
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
        libos->happened = domain->active = true;
        domain->server->signal(domain->state, device, bits);
        domain->active = false;
    }
}

/* One message to the domain's own port, for whoever wants such. */
RARE static void message_deliver(struct libos *libos)
{
    struct msg m = libos->message;
    bool wanted = false;
    libos->message.op = 0;
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        if (!domain->server->message)
            continue;
        libos->happened = wanted = domain->active = true;
        domain->server->message(domain->state, &m);
        domain->active = false;
    }
    if (!wanted)
        libos->counters[COUNT_PORT_MESSAGES]++;
}

/* The pager was asked for memory and has none that is free: the servers are asked in turn. */
RARE static void reclaim_deliver(struct libos *libos)
{
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        if (!domain->server->reclaim)
            continue;
        libos->happened = domain->active = true;
        domain->server->reclaim(domain->state);
        domain->active = false;
    }
    kernel_signal(libos->start->heap.slot + PAGER_SLOT_PORT);
}

RARE static void deadlines_deliver(struct libos *libos)
{
    uint64_t now = clock_nanoseconds(libos->info, kernel_clock());
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        if (domain->deadline - 1 >= now) /* later, or none */
            continue;
        domain_set_deadline(domain, 0);
        libos->happened = domain->active = true;
        domain->server->deadline(domain->state);
        domain->active = false;
    }
}

static void ring_owed(struct libos *libos)
{
    if (libos->owed)
        kernel_signal(libos->owed);
    libos->owed = 0;
}

void ring_later(struct libos *libos, uint64_t slot)
{
    ring_owed(libos); /* [ONE_BELL_OWED] the next takes its place */
    libos->owed = slot;
}

static uint64_t wait(struct libos *libos, uint64_t deadline)
{
    uint64_t doorbell = libos->owed;
    libos->owed = 0;
    libos->rounds = 0;
    return kernel_wait(doorbell, deadline, &libos->message); /* [BELL_IN_WAIT] */
}

static uint64_t deadline_ticks(const struct libos *libos)
{
    if (!libos->deadline)
        return 0;
    uint64_t ticks = kernel_clock(), now = clock_nanoseconds(libos->info, ticks);
    uint64_t length = libos->deadline > now ? libos->deadline - now : 0;
    return clock_deadline(ticks, length, libos->clock_scale);
}

/* Calls the servers for all that there is but messages of connections. */
static void round_deliver(struct libos *libos, uint64_t pending)
{
    if (pending >> SIGNAL_IRQ_FIRST)
        interrupts_deliver(libos, pending);
    if (pending >> (SIGNAL_CONTROL_FIRST + CONTROL_BIT_RECLAIM) & 1)
        reclaim_deliver(libos);
    if (pending >> (SIGNAL_CONTROL_FIRST + CONTROL_BIT_REST) & 1)
        libos->resting = libos->swaps;
    if (libos->message.op)
        message_deliver(libos);
    if (libos->deadline)
        deadlines_deliver(libos);
}

/* True if anything happened. Who is called by a later server, after its own batch_end, makes it
 * happen again: `turn` is how direct.c knows. */
static bool batch_ends(struct libos *libos)
{
    if (!libos->happened)
        return false;
    libos->happened = false;
    for (struct domain *domain = libos->domain; domain < libos->domains_end; domain++) {
        libos->turn = domain + 1;
        if (!domain->server->batch_end)
            continue;
        domain->active = true;
        domain->server->batch_end(domain->state);
        domain->active = false;
    }
    libos->turn = libos->domain;
    return true;
}

uint64_t loop_round(struct libos *libos, uint64_t pending)
{
    const struct transport *channels = libos->transport[START_CHANNEL];
    const struct transport *direct = libos->transport[START_DIRECT];
    const bool retry = libos->stalled, queued = libos->queued;
    libos->stalled = libos->queued = false;
    if (retry && channels)
        channels->note_room(libos); /* [NOTE_BEFORE_OFFER] */
    round_deliver(libos, pending);
    if (channels)
        channels->drain(libos);
    if (direct && (queued || retry))
        direct->drain(libos);
    bool happened = batch_ends(libos);
    if (libos->stalled)
        libos->counters[COUNT_STALLS]++;
    if (libos->log_new) {
        libos->log_new = false;
        ring_later(libos, SLOT_SUPERVISOR);
    }
    const struct swaps *rest = libos->resting;
    if (rest && !rest->can_rest(libos))
        rest = NULL;
    /* [OFFER_AGAIN] Stalls are offered once more before sleeping: after what happened, and with
     * the room noted from before the offer. */
    bool sleep = !libos->queued && !libos->happened && (!libos->stalled || (retry && !happened));
    if (channels)
        sleep = channels->publish(libos, sleep && !rest);
    if (rest) {
        ring_owed(libos);
        libos->resting = NULL;
        rest->rest(libos);
        return 0;
    }
    if (sleep)
        return wait(libos, deadline_ticks(libos));
    if (++libos->rounds == LOOP_ROUNDS_PER_WAIT)
        return wait(libos, 1); /* a time long past */
    ring_owed(libos);          /* [BELL_IF_AWAKE] */
    return 0;
}
