/* SPDX-License-Identifier: ISC
 *
 * Channels: see channel.h. Called by libos/loop.c alone. Refuses indices of a peer that claim more
 * entries than a ring has.
 */
#include "ipc/channel.h"

void channel_take_over(struct channel *channel, struct ring *mine, const struct ring *theirs,
                       uint32_t slots, uint64_t *broken_count)
{
    *channel = (struct channel){
        .mine = mine,
        .theirs = theirs,
        .out = mine->entry,
        .in = theirs->entry,
        .mask = slots - 1,
        .produced = mine->produced,
        .put_end = mine->produced, /* the first put looks for room */
        .taken = mine->done,       /* [START_AT_DONE] what was in hand is taken again */
        /* [START_WITH_NEWS] An earlier life may have published and not rung any more. */
        .news = mine->generation ? NEWS_PUT | NEWS_TAKEN : 0,
        .broken_count = broken_count,
    };
}

void channel_begin(struct ring *mine)
{
    mine->current = mine->done;
    ring_publish(&mine->generation, mine->generation + 1);
}

bool channel_check(const struct channel *channel)
{
    uint32_t slots = channel->mask + 1;
    return (slots & channel->mask) == 0 && channel->produced - channel->mine->produced <= slots &&
           channel->put_end - channel->produced <= slots &&
           channel->taken - channel->mine->done <= slots &&
           (!channel->broken || channel->put_end == channel->produced);
}

static void channel_break(struct channel *channel)
{
    if (!channel->broken)
        ++*channel->broken_count;
    channel->broken = true;
    channel->short_of_room = false; /* none will come */
    channel->put_end = channel->produced;
}

void channel_mend(struct channel *channel, uint32_t taken)
{
    channel->broken = channel->short_of_room = false;
    channel->put_end = channel->produced;
    channel_took(channel, taken);
    channel_publish_taken(channel);
}

/* Looks for room again. */
static bool channel_refresh(struct channel *channel)
{
    /* [DONE_BEFORE_WRITE] Their reads of the entries that are done come before our writes over
     * them. */
    uint32_t done = ring_read(&channel->theirs->done);
    if (channel->produced - done > channel->mask + 1)
        channel_break(channel);
    if (channel->broken)
        return false;
    channel->put_end = done + channel->mask + 1;
    channel->short_of_room = channel->put_end == channel->produced;
    return !channel->short_of_room;
}

enum error channel_put(struct conn *conn, const struct msg *m)
{
    struct channel *channel = conn->transport;
    if (channel->produced == channel->put_end && !channel_refresh(channel))
        return ERROR_FULL;
    ring_entry_write(&channel->out[channel->produced & channel->mask], m);
    channel->produced++;
    return OK;
}

uint32_t channel_room(struct conn *conn)
{
    struct channel *channel = conn->transport;
    channel_refresh(channel);
    return channel->put_end - channel->produced;
}

uint32_t channel_arrived(struct channel *channel)
{
    if (channel->broken)
        return 0;
    /* [PRODUCED_BEFORE_ENTRY] Their writes of the entries come before our reads of them. */
    uint32_t arrived = ring_read(&channel->theirs->produced) - channel->taken;
    if (arrived <= channel->mask + 1)
        return arrived;
    channel_break(channel);
    return 0;
}

/* Is this wish on, and not rung for yet? If the peer has woken since, the number read may be an old
 * one: then its next wish was written after our index, and its own fence makes it see that. */
static bool wish_is_new(const uint64_t *wish, uint64_t *rung)
{
    uint64_t number = ring_wish_get(wish);
    /* [RING_ONCE] */
    if (!(number & 1) || number == *rung)
        return false;
    *rung = number;
    return true;
}

bool channel_bell_for_news(struct channel *channel)
{
    bool ring = false;
    /* RACE POINT: the caller's ring_fence orders our write of `produced` (`done`) before this read
     * of `sleeping` (`want_room`); the peer's orders its write of the wish before its read of the
     * index in channel_changed. So at least one of the two sees the other's write. */
    if (channel->news & NEWS_PUT)
        ring = wish_is_new(&channel->theirs->sleeping, &channel->sleeping_rung);
    /* [BOTH_KINDS_OF_NEWS] One doorbell for both, but both wishes are looked at. */
    if (channel->news & NEWS_TAKEN)
        ring |= wish_is_new(&channel->theirs->want_room, &channel->want_room_rung);
    channel->news = 0;
    return ring;
}
