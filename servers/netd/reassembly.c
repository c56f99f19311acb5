/* SPDX-License-Identifier: ISC
 *
 * Reassembly: see reassembly.h.
 */
#include <stddef.h>

#include "ipc/proto/netdev.h"
#include "servers/netd/reassembly.h"

enum { DATAGRAM_BYTES_MAX = 65535 };

COLD static struct reassembly_entry *entry_find(struct reassembly *reassembly,
                                                const struct fragment *fragment)
{
    const struct ipv4_header *header = fragment->header;
    for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        struct reassembly_entry *entry = &reassembly->entry[i];
        if (entry->expires && entry->id == header->id && entry->source == header->source &&
            entry->destination == header->destination && entry->protocol == header->protocol &&
            entry->interface == fragment->interface)
            return entry;
    }
    return NULL;
}

/* The entry that came first, of those of `source` (0: of all) other than `spare`; `*count` is how
 * many there are. */
COLD static struct reassembly_entry *entry_oldest(struct reassembly *reassembly, uint32_t source,
                                                  const struct reassembly_entry *spare,
                                                  uint32_t *count)
{
    struct reassembly_entry *oldest = NULL;
    *count = 0;
    for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        struct reassembly_entry *entry = &reassembly->entry[i];
        if (!entry->expires || entry == spare || (source && entry->source != source))
            continue;
        ++*count;
        if (!oldest || entry->expires < oldest->expires)
            oldest = entry;
    }
    return oldest;
}

static void entry_evict(struct reassembly *reassembly, struct pool_owner *owner,
                        struct reassembly_entry *entry, uint64_t *counters)
{
    reassembly_drop(reassembly, owner, entry);
    counters[COUNTER_REASSEMBLY_EVICTED]++;
}

static struct reassembly_entry *entry_new(struct reassembly *reassembly, struct pool_owner *owner,
                                          const struct fragment *fragment, uint64_t now,
                                          uint64_t *counters)
{
    const struct ipv4_header *header = fragment->header;
    uint32_t count;
    struct reassembly_entry *entry = entry_oldest(reassembly, header->source, NULL, &count);
    if (count >= REASSEMBLY_PER_SOURCE)
        entry_evict(reassembly, owner, entry, counters);
    entry = entry_oldest(reassembly, 0, NULL, &count);
    if (count >= REASSEMBLY_DATAGRAMS)
        entry_evict(reassembly, owner, entry, counters);
    for (entry = reassembly->entry; entry->expires;)
        entry++; /* one is free: at worst the one just dropped */
    entry->expires = now + REASSEMBLY_TIME;
    entry->source = header->source;
    entry->destination = header->destination;
    entry->id = header->id;
    entry->protocol = header->protocol;
    entry->interface = fragment->interface;
    entry->broadcast = fragment->broadcast;
    entry->end = entry->bytes = 0;
    entry->pieces = entry->header_length = 0;
    entry->refused = false;
    reassembly->used++;
    return entry;
}

COLD static void entry_release(struct reassembly *reassembly, struct pool_owner *owner,
                               struct reassembly_entry *entry)
{
    for (uint32_t i = 0; i < entry->pieces; i++)
        pool_take_back(owner, entry->piece[i].index, reassembly->holder);
    reassembly->held -= entry->pieces;
    entry->pieces = 0;
}

static void entry_refuse(struct reassembly *reassembly, struct pool_owner *owner,
                         struct reassembly_entry *entry)
{
    entry_release(reassembly, owner, entry);
    entry->refused = true;
}

/* Where a piece from `start` to `end` goes among the sorted ones: its index, or the counter of why
 * it can't (`*drop`). */
static uint32_t entry_place(const struct reassembly_entry *entry, uint32_t start, uint32_t end,
                            bool last, enum counter *drop)
{
    uint32_t i = 0;
    *drop = NO_DROP;
    if (entry->end && (end > entry->end || (last && end != entry->end)))
        *drop = COUNTER_FRAGMENT_OVERLAP;
    while (i < entry->pieces && entry->start[i] + (uint32_t)entry->piece[i].length <= start)
        i++;
    if (i == entry->pieces)
        return i;
    if (entry->start[i] == start && start + entry->piece[i].length == end)
        *drop = COUNTER_FRAGMENT_DUPLICATE;
    else if (entry->start[i] < end || last)
        *drop = COUNTER_FRAGMENT_OVERLAP;
    return i;
}

static void entry_insert(struct reassembly_entry *entry, uint32_t place, uint32_t start,
                         struct buffer_ref piece)
{
    uint32_t behind = entry->pieces - place;
    memmove(&entry->start[place + 1], &entry->start[place], behind * sizeof(entry->start[0]));
    memmove(&entry->piece[place + 1], &entry->piece[place], behind * sizeof(entry->piece[0]));
    entry->start[place] = (uint16_t)start;
    entry->piece[place] = piece;
    entry->pieces++;
    entry->bytes += piece.length;
}

/* Makes room for one more buffer, at the expense of the oldest other datagram. */
static bool buffers_allow(struct reassembly *reassembly, struct pool_owner *owner,
                          const struct reassembly_entry *entry, uint64_t *counters)
{
    while (reassembly->held >= reassembly->held_max) {
        uint32_t count;
        struct reassembly_entry *oldest = entry_oldest(reassembly, 0, entry, &count);
        if (!oldest)
            return false;
        entry_evict(reassembly, owner, oldest, counters);
    }
    return true;
}

static bool fragment_possible(const struct ipv4_header *header, uint32_t start)
{
    if (!header->length || start + header->length + header->header_length > DATAGRAM_BYTES_MAX)
        return false;
    return !(header->fragment & IPV4_MORE) || header->length % 8 == 0;
}

COLD bool reassembly_add(struct reassembly *reassembly, struct pool_owner *owner,
                         const struct fragment *fragment, uint64_t now, uint64_t *counters,
                         struct reassembly_entry **whole)
{
    const struct ipv4_header *header = fragment->header;
    uint32_t start = (header->fragment & IPV4_OFFSET) * 8u, end = start + header->length;
    bool last = !(header->fragment & IPV4_MORE);
    enum counter drop;
    *whole = NULL;
    if (!fragment_possible(header, start)) {
        counters[COUNTER_FRAGMENT_MALFORMED]++;
        return false;
    }
    struct reassembly_entry *entry = entry_find(reassembly, fragment);
    if (!entry)
        entry = entry_new(reassembly, owner, fragment, now, counters);
    if (entry->refused) {
        counters[COUNTER_FRAGMENT_REFUSED]++;
        return false;
    }
    uint32_t place = entry_place(entry, start, end, last, &drop);
    if (drop == NO_DROP &&
        (entry->pieces == REASSEMBLY_PIECES || !buffers_allow(reassembly, owner, entry, counters)))
        drop = COUNTER_FRAGMENT_REFUSED;
    if (drop != NO_DROP) {
        counters[drop]++;
        if (drop != COUNTER_FRAGMENT_DUPLICATE)
            entry_refuse(reassembly, owner, entry);
        return false;
    }
    entry_insert(entry, place, start, fragment->piece);
    reassembly->held++;
    if (last)
        entry->end = end;
    if (!start) {
        entry->header_length = header->header_length;
        memcpy(entry->header, fragment->bytes, header->header_length + TRANSPORT_BYTES);
    }
    if (entry->bytes == entry->end)
        *whole = entry;
    return true;
}

COLD struct reassembly_entry *reassembly_expired(struct reassembly *reassembly, uint64_t now)
{
    uint32_t count;
    if (!reassembly->used)
        return NULL;
    struct reassembly_entry *oldest = entry_oldest(reassembly, 0, NULL, &count);
    return oldest && oldest->expires <= now ? oldest : NULL;
}

COLD void reassembly_drop(struct reassembly *reassembly, struct pool_owner *owner,
                          struct reassembly_entry *entry)
{
    entry_release(reassembly, owner, entry);
    reassembly_free(reassembly, entry);
}

void reassembly_free(struct reassembly *reassembly, struct reassembly_entry *entry)
{
    reassembly->held -= entry->pieces;
    reassembly->used--;
    entry->pieces = 0;
    entry->expires = 0;
}

COLD uint64_t reassembly_deadline(const struct reassembly *reassembly)
{
    uint64_t earliest = 0;
    for (uint32_t i = 0; reassembly->used && i < REASSEMBLY_DATAGRAMS; i++) {
        uint64_t expires = reassembly->entry[i].expires;
        if (expires && (!earliest || expires < earliest))
            earliest = expires;
    }
    return earliest;
}

static bool pieces_check(const struct reassembly_entry *entry, const struct pool_owner *owner,
                         uint8_t holder)
{
    uint32_t before = 0, bytes = 0;
    for (uint32_t i = 0; i < entry->pieces; i++) {
        const struct buffer_ref *piece = &entry->piece[i];
        if (entry->start[i] < before || !piece->length || piece->index >= owner->buffers ||
            owner->holder[piece->index] != holder)
            return false;
        before = entry->start[i] + (uint32_t)piece->length;
        bytes += piece->length;
    }
    return bytes == entry->bytes && before <= DATAGRAM_BYTES_MAX &&
           (!entry->end || before <= entry->end);
}

static bool entry_check(const struct reassembly_entry *entry, const struct pool_owner *owner,
                        uint8_t holder)
{
    const bool first = entry->pieces && !entry->start[0];
    if (entry->pieces > REASSEMBLY_PIECES || entry->interface >= NETDEV_INTERFACES_MAX ||
        entry->header_length > IPV4_BYTES_MAX)
        return false;
    if (entry->refused)
        return !entry->pieces;
    return entry->pieces && first == (entry->header_length != 0) && entry->header_length % 4 == 0 &&
           pieces_check(entry, owner, holder);
}

bool reassembly_check(const struct reassembly *reassembly, const struct pool_owner *owner)
{
    uint32_t used = 0, held = 0;
    for (uint32_t i = 0; i < REASSEMBLY_DATAGRAMS; i++) {
        const struct reassembly_entry *entry = &reassembly->entry[i];
        if (!entry->expires)
            continue;
        used++;
        held += entry->pieces;
        if (!entry_check(entry, owner, reassembly->holder))
            return false;
    }
    return used == reassembly->used && held == reassembly->held && held <= reassembly->held_max;
}
