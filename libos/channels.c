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
    channel_init(&link->channel, (struct ring *)from->mine, (const struct ring *)from->theirs,
                 from->slots, &libos->counters[COUNT_BROKEN_CHANNELS]);
}

static struct link *first_channel(const struct libos *libos)
{
    return libos->links_by[START_CHANNEL];
}

static void channel_drain(struct libos *libos, struct link *link)
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
    struct domain *domain = link->domain;
    const struct server *server = domain->server;
    uint32_t left = count < LOOP_BATCH ? count : LOOP_BATCH;
    uint32_t first = left;
    domain->active = true;
    for (; left; left--) {
        struct msg m;
        channel_take(channel, &m);
        if (!server->receive(domain->state, &link->conn, &m)) {
            channel_untake(channel);
            channel->stalled = libos->stalled = true;
            break;
        }
    }
    domain->active = false;
    libos->happened |= left < first;
}

static void channels_drain(struct libos *libos)
{
    for (struct link *link = first_channel(libos); link; link = link->next)
        channel_drain(libos, link);
}

static void channels_publish(struct libos *libos)
{
    struct link *link, *first = first_channel(libos);
    for (link = first; link; link = link->next)
        DEBUG_ASSERT(channel_check(&link->channel));
    /* What was sent comes before the `done` of what it answers, over all connections. */
    for (link = first; link; link = link->next)
        channel_publish_put(&link->channel);
    for (link = first; link; link = link->next)
        channel_publish_taken(&link->channel);
    /* Indices before wishes: channel_bell_for_news says why. */
    ring_fence();
    for (link = first; link; link = link->next)
        if (channel_bell(&link->channel))
            ring_later(libos, link->doorbell);
}

static void channels_note_room(struct libos *libos)
{
    for (struct link *link = first_channel(libos); link; link = link->next)
        channel_note_room(&link->channel);
}

static void channels_awake(struct libos *libos)
{
    for (struct link *link = first_channel(libos); link; link = link->next)
        channel_awake(&link->channel);
}

static bool channels_sleep(struct libos *libos)
{
    struct link *link, *first = first_channel(libos);
    bool stalled = libos->stalled, changed = false;
    for (link = first; link; link = link->next)
        channel_sleep(&link->channel, stalled);
    /* Wishes before indices: channel_changed says why. */
    ring_fence();
    for (link = first; link; link = link->next)
        changed |= channel_changed(&link->channel, stalled);
    if (changed)
        channels_awake(libos);
    return !changed;
}

const struct transport channel_transport = {
    .open = channels_open,
    .drain = channels_drain,
    .publish = channels_publish,
    .note_room = channels_note_room,
    .sleep = channels_sleep,
    .awake = channels_awake,
};
