/* SPDX-License-Identifier: ISC
 *
 * Connections to other domains: the loop's part of ipc/channel.h. docs/ipc.md explains the
 * sleep/doorbell protocol. Called by loop.c by way of struct transport.
 */
#include "libos/assert.h"
#include "libos/state.h"

static void channels_open(struct libos *libos, struct link *link, const struct start_conn *from)
{
    link->conn.put = channel_put;
    link->conn.room = channel_room;
    link->conn.transport = &link->channel;
    link->doorbell = from->doorbell;
    struct ring *mine = (struct ring *)from->mine;
    channel_take_over(&link->channel, mine, (const struct ring *)from->theirs, from->slots,
                      &libos->counters[COUNT_BROKEN_CHANNELS]);
    if (!libos->takes_over)
        channel_begin(mine);
}

static struct link *first_channel(const struct libos *libos)
{
    return libos->links_by[START_CHANNEL];
}

/* At most LOOP_BATCH of those that arrived. Not inlined: most rounds have nothing to take from most
 * connections. `taken` is in a register while the server runs: nobody else looks at it. */
__attribute__((noinline)) void channel_drain(struct libos *libos, struct link *link,
                                             uint32_t arrived)
{
    struct channel *channel = &link->channel;
    struct domain *domain = link->domain;
    bool (*const receive)(void *, struct conn *, const struct msg *) = domain->server->receive;
    void *const state = domain->state;
    const uint32_t first = channel->taken;
    const uint32_t end = first + (arrived < LOOP_BATCH ? arrived : LOOP_BATCH);
    uint32_t taken = first;
    domain->active = true;
    do {
        struct msg m;
        channel_read(channel, taken, &m);
        if (!receive(state, &link->conn, &m)) {
            channel->stalled = libos->stalled = true;
            break;
        }
    } while (++taken != end);
    domain->active = false;
    channel_took(channel, taken);
    libos->happened |= taken != first;
}

static void channels_drain(struct libos *libos)
{
    for (struct link *link = first_channel(libos); link; link = link->next) {
        struct channel *channel = &link->channel;
        channel_awake(channel); /* [WISHES_END] if it slept, or was about to */
        channel->stalled = false;
        if (channel_room_came(channel)) {
            channel->short_of_room = false;
            libos->happened = true; /* [ROOM_IS_NEWS] the server may go on in batch_end */
        }
        uint32_t arrived = channel_is_empty(channel) ? 0 : channel_arrived(channel);
        if (libos->restarts)
            libos->restarts->drain(libos, link, arrived);
        else if (arrived)
            channel_drain(libos, link, arrived);
    }
}

/* One fence does for both: our indices before the peers' wishes (channel_bell_for_news says why),
 * and our wishes before the peers' indices (channel_changed says why). */
static bool channels_publish(struct libos *libos, bool sleep)
{
    struct link *link, *first = first_channel(libos);
    const bool stalled = libos->stalled;
    bool changed = false, news = sleep;
    /* [PUT_BEFORE_TAKEN] What was sent comes before the `done` of what it answers, over all
     * connections. */
    for (link = first; link; link = link->next) {
        DEBUG_ASSERT(channel_check(&link->channel));
        channel_publish_put(&link->channel);
    }
    for (link = first; link; link = link->next) {
        channel_publish_taken(&link->channel);
        news |= link->channel.news;
        if (sleep)
            channel_sleep(&link->channel, stalled);
    }
    if (!news)
        return false;
    ring_fence(); /* [FENCE] */
    for (link = first; link; link = link->next) {
        if (channel_bell(&link->channel))
            ring_later(libos, link->doorbell);
        if (sleep)
            changed |= channel_changed(&link->channel, stalled);
    }
    return sleep && !changed;
}

static void channels_note_room(struct libos *libos)
{
    for (struct link *link = first_channel(libos); link; link = link->next)
        channel_note_room(&link->channel);
}

const struct transport channel_transport = {
    .open = channels_open,
    .drain = channels_drain,
    .publish = channels_publish,
    .note_room = channels_note_room,
};
