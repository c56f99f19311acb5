/* SPDX-License-Identifier: ISC
 *
 * A channel: the transport of a connection between two domains. Two rings in shared pages, each
 * written by one side only; docs/ipc.md has the picture and the sleep/doorbell protocol. Comments
 * that begin with a [LABEL] stand at what it depends on: docs/model.md. Called by
 * libos/loop.c; servers see struct conn only.
 *
 * Invariants, all indices free-running and compared by subtraction:
 *  - done <= current <= the peer's produced, each at most `slots` apart;
 *  - an entry is written only between produced and the peer's done + slots, so never while the peer
 *    may read it;
 *  - whatever the peer writes into its ring is read once and checked; indices that break the above
 *    mark the channel broken: counted, nothing arrives, nothing can be put, until a side begins
 *    anew (libos/restart.h).
 *
 * Bounds: `slots` messages each way. Answer when full: ERROR_FULL, and nothing is changed.
 */
#ifndef MOTET_IPC_CHANNEL_H
#define MOTET_IPC_CHANNEL_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/barrier.h"
#include "ipc/conn.h"
#include "ipc/ring_layout.h"

/* One side's ring. Only that side writes it, the other reads it; fields that are read at different
 * times are on different cache lines. A wish is a number that grows: odd means that the wish is on,
 * and each new wish has a new number, so that the peer rings once for each. */
struct ring {
    alignas(64) uint32_t produced; /* entries before this index are there to take */
    alignas(64) uint32_t done;     /* of the other ring: entries before this may be overwritten */
    alignas(64) uint64_t sleeping; /* wish: ring when there is an entry to take */
    uint64_t want_room;            /* wish: ring when an entry was taken */
    alignas(64) uint32_t current;  /* of the other ring: entries from done up to this are in hand;
                                      after a crash the last of them is the suspect */
    uint32_t generation;           /* how often this side has started */
    uint32_t announced;            /* libos/restart.h: 0 in images without restarts */
    uint32_t begins;
    uint32_t accepted;
    uint32_t accepted_at;
    alignas(64) struct msg entry[];
};
_Static_assert(offsetof(struct ring, entry) == RING_HEADER_BYTES, "what compose allots");
_Static_assert(sizeof(struct msg) == RING_ENTRY_BYTES, "what compose allots");

enum channel_news { NEWS_PUT = 1, NEWS_TAKEN = 2 };

/* One side's private view. */
struct channel {
    struct ring *mine;
    const struct ring *theirs;
    struct msg *out;        /* mine->entry */
    const struct msg *in;   /* theirs->entry */
    uint32_t mask;          /* slots - 1 */
    uint32_t produced;      /* next entry to put; mine->produced tells the peer later */
    uint32_t put_end;       /* entries before this may be put, by their `done` as last read */
    uint32_t taken;         /* next entry to take; mine->done tells the peer later */
    uint32_t done_noted;    /* their `done` at the last channel_note_room */
    uint8_t news;           /* enum channel_news: what was published since the last channel_bell */
    bool stalled;           /* the receiver refused the next entry in this round */
    bool short_of_room;     /* the last look for room found none */
    bool broken;            /* the peer's indices made no sense */
    uint64_t sleeping_rung; /* their wishes for which the doorbell was rung */
    uint64_t want_room_rung;
    uint64_t *broken_count; /* counts channels found broken */
};

/* `slots` is a power of two from RING_SLOTS_MIN to RING_SLOTS_MAX. Goes on where the ring `mine`
 * was left by an earlier life of this side, or by its other body, and writes nothing; zeroed rings
 * are a first start. */
void channel_take_over(struct channel *channel, struct ring *mine, const struct ring *theirs,
                       uint32_t slots, uint64_t *broken_count);

/* A new life: the peer may know. */
void channel_begin(struct ring *mine);

static inline void channel_init(struct channel *channel, struct ring *mine,
                                const struct ring *theirs, uint32_t slots, uint64_t *broken_count)
{
    channel_take_over(channel, mine, theirs, slots, broken_count);
    channel_begin(mine);
}

/* The peer, or this side, has begun anew, and what stood in a ring before made no sense: goes on
 * with entry number `taken` as the next to take, and is broken no more. */
void channel_mend(struct channel *channel, uint32_t taken);

/* Whether this side's own invariants hold, whatever the peer wrote. */
bool channel_check(const struct channel *channel);

/* For struct conn; its `transport` is the channel. The peer sees what was put at channel_publish.
 */
enum error channel_put(struct conn *conn, const struct msg *m);
uint32_t channel_room(struct conn *conn);

/* How many entries can be taken; 0 when broken. */
uint32_t channel_arrived(struct channel *channel);

/* No more than a reason not to call it. */
static inline bool channel_is_empty(const struct channel *channel)
{
    return ring_read(&channel->theirs->produced) == channel->taken;
}

/* Taking: copies entry number `taken` out, from channel->taken on and below what channel_arrived
 * said; then channel_took says which is the next to take. */
static inline void channel_read(struct channel *channel, uint32_t taken, struct msg *m)
{
    ring_entry_read(m, &channel->in[taken & channel->mask]);
    /* [CURRENT_BEFORE_RECEIVE] Who dies of the entry has said before that it has it: for a
     * supervisor, after a crash. */
    ring_publish(&channel->mine->current, taken + 1);
}

static inline void channel_took(struct channel *channel, uint32_t taken)
{
    channel->taken = taken;
    if (channel->mine->current != taken) /* the last one was refused: it isn't in hand */
        ring_publish(&channel->mine->current, taken);
}

/* The end of a round, in four steps over all channels of the domain: what was put becomes visible;
 * what was taken becomes room (only then: a crash between the two repeats work and loses none);
 * ring_fence; and who must be rung? */
static inline void channel_publish_put(struct channel *channel)
{
    if (channel->mine->produced == channel->produced)
        return;
    /* [ENTRY_BEFORE_PRODUCED] Our writes of the entries come before the peer's reads of them. */
    ring_publish(&channel->mine->produced, channel->produced);
    channel->news |= NEWS_PUT;
}

static inline void channel_publish_taken(struct channel *channel)
{
    if (channel->mine->done == channel->taken)
        return;
    /* [READ_BEFORE_DONE] Our reads of the entries come before the peer's writes over them. */
    ring_publish(&channel->mine->done, channel->taken);
    channel->news |= NEWS_TAKEN;
}

bool channel_bell_for_news(struct channel *channel);

static inline bool channel_bell(struct channel *channel)
{
    return channel->news && channel_bell_for_news(channel);
}

static inline void wish_on(uint64_t *wish)
{
    ring_wish_set(wish, *wish + 1);
}

static inline void wish_off(uint64_t *wish)
{
    /* [NEW_NUMBER] The next wish isn't one that was rung for. */
    if (*wish & 1)
        ring_wish_set(wish, *wish + 1);
}

/* Has room come since the last look for room found none? */
static inline bool channel_room_came(const struct channel *channel)
{
    /* [ROOM_AS_IT_WAS] put_end is from the very look that failed. */
    return channel->short_of_room &&
           ring_read(&channel->theirs->done) != channel->put_end - channel->mask - 1;
}

/* Before sleeping, in three steps over all channels: say what to be rung for; ring_fence; did
 * anything change meanwhile? Afterwards, in any case, channel_awake. `any_room`, the same in all
 * steps: be rung for room even if some was left, because somebody may need more. */
static inline void channel_sleep(struct channel *channel, bool any_room)
{
    if (!channel->stalled) /* what comes behind a refused entry can't be taken anyway */
        wish_on(&channel->mine->sleeping);
    if (any_room || channel->short_of_room)
        wish_on(&channel->mine->want_room);
}

static inline bool channel_changed(const struct channel *channel, bool any_room)
{
    if (channel->broken)
        return false;
    /* RACE POINT: the caller's ring_fence orders our write of the wishes before these reads; see
     * channel_bell_for_news. */
    /* [LOOK_FOR_ENTRIES] */
    if (!channel->stalled && ring_read(&channel->theirs->produced) != channel->taken)
        return true;
    /* [LOOK_FOR_ANY_ROOM] */
    if (any_room && ring_read(&channel->theirs->done) != channel->done_noted)
        return true;
    /* [LOOK_FOR_ROOM] */
    return channel_room_came(channel);
}

static inline void channel_awake(struct channel *channel)
{
    wish_off(&channel->mine->sleeping);
    wish_off(&channel->mine->want_room);
}

/* For `any_room`: room that comes after this call makes channel_changed true. */
static inline void channel_note_room(struct channel *channel)
{
    channel->done_noted = ring_read(&channel->theirs->done);
}

#endif
