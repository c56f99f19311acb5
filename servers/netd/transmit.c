/* SPDX-License-Identifier: ISC
 *
 * The slots of outgoing frames: see transmit.h.
 */
#include "servers/netd/transmit.h"

_Static_assert((TRANSMIT_SLOTS & (TRANSMIT_SLOTS - 1)) == 0, "cookies are slot plus use * slots");

void transmit_init(struct transmit *transmit, const struct pool *headers, uint32_t seed)
{
    transmit->headers = headers;
    transmit->slots = headers->buffers < TRANSMIT_SLOTS ? headers->buffers : TRANSMIT_SLOTS;
    transmit->free_count = transmit->slots;
    for (uint32_t i = 0; i < transmit->slots; i++) {
        transmit->free[i] = (uint8_t)(transmit->slots - 1 - i); /* slot 0 is taken first */
        transmit->slot[i].cookie = seed * TRANSMIT_SLOTS + i;
        transmit->slot[i].state = SLOT_FREE;
    }
}

int transmit_take(struct transmit *transmit, uint32_t reserve)
{
    if (transmit->free_count <= reserve)
        return -1;
    uint8_t n = transmit->free[--transmit->free_count];
    struct slot *slot = &transmit->slot[n];
    slot->payload = (struct buffer_ref){0};
    slot->flags = 0;
    slot->state = SLOT_TAKEN;
    slot->first = n;
    slot->parts = 1;
    slot->owner = PAYLOAD_NONE;
    return n;
}

void transmit_message(const struct transmit *transmit, uint32_t n, struct netdev_tx *tx)
{
    const struct slot *slot = &transmit->slot[n];
    tx->interface = slot->interface;
    tx->flags = slot->flags;
    tx->csum_start = ETHERNET_BYTES + IPV4_BYTES;
    tx->csum_offset = 6; /* in the UDP header */
    tx->cookie = slot->cookie;
    tx->segments = slot->payload.length ? 2 : 1;
    tx->segment[0] = (struct buffer_ref){
        .pool = transmit->headers->number, .index = (uint16_t)n, .length = slot->header_length};
    tx->segment[1] = slot->payload;
    tx->segment[2] = (struct buffer_ref){0};
}

int transmit_find(const struct transmit *transmit, uint32_t cookie)
{
    uint32_t n = cookie % TRANSMIT_SLOTS;
    const struct slot *slot = &transmit->slot[n];
    return n < transmit->slots && slot->state == SLOT_SENT && slot->cookie == cookie ? (int)n : -1;
}

static void slot_free(struct transmit *transmit, uint32_t n)
{
    transmit->slot[n].state = SLOT_FREE;
    transmit->free[transmit->free_count++] = (uint8_t)n;
}

bool transmit_release(struct transmit *transmit, uint32_t n, uint32_t *owner, uint32_t *index)
{
    struct slot *slot = &transmit->slot[n], *first = &transmit->slot[slot->first];
    uint32_t first_number = slot->first;
    slot->cookie += TRANSMIT_SLOTS;
    slot->state = SLOT_ENDED;
    if (slot != first)
        slot_free(transmit, n);
    if (--first->parts)
        return false;
    *owner = first->owner;
    *index = first->payload.index;
    slot_free(transmit, first_number);
    return *owner != PAYLOAD_NONE;
}

/* A slot in use, and the one that answers for its payload. */
static bool slot_check(const struct transmit *transmit, uint32_t n)
{
    const struct slot *slot = &transmit->slot[n];
    if (slot->state > SLOT_ENDED || slot->first >= transmit->slots ||
        slot->interface >= NETDEV_INTERFACES_MAX || slot->header_length > TRANSMIT_HEADER_BYTES)
        return false;
    const struct slot *first = &transmit->slot[slot->first];
    return first->state != SLOT_FREE && first->first == slot->first &&
           (slot == first || slot->state != SLOT_ENDED);
}

static bool free_check(const struct transmit *transmit)
{
    bool listed[TRANSMIT_SLOTS] = {false};
    for (uint32_t i = 0; i < transmit->free_count; i++) {
        uint32_t n = transmit->free[i];
        if (n >= transmit->slots || listed[n] || transmit->slot[n].state != SLOT_FREE)
            return false;
        listed[n] = true;
    }
    return true;
}

bool transmit_check(const struct transmit *transmit)
{
    uint32_t used = 0;
    uint8_t parts[TRANSMIT_SLOTS] = {0}; /* fragments not yet done, by their first slot */
    if (transmit->slots > TRANSMIT_SLOTS || transmit->free_count > transmit->slots)
        return false;
    for (uint32_t i = 0; i < transmit->slots; i++) {
        const struct slot *slot = &transmit->slot[i];
        if (slot->cookie % TRANSMIT_SLOTS != i)
            return false;
        if (slot->state == SLOT_FREE)
            continue;
        if (!slot_check(transmit, i))
            return false;
        used++;
        parts[slot->first] += slot->state != SLOT_ENDED;
    }
    for (uint32_t i = 0; i < transmit->slots; i++)
        if (transmit->slot[i].state != SLOT_FREE && transmit->slot[i].first == i &&
            (!parts[i] || transmit->slot[i].parts != parts[i]))
            return false;
    return free_check(transmit) && used + transmit->free_count == transmit->slots;
}
