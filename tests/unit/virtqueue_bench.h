/* SPDX-License-Identifier: ISC
 *
 * A virtqueue of either format over memory that a test reads and writes as a device would: for
 * tests that hold for both (virtio_virtqueue_test.c) and for those of one of them. The device here
 * does what it is told to; that it believes nothing that isn't there is checked.
 *
 * Chains that only `put` puts have one descriptor; so positions are the same in both formats.
 */
#ifndef MOTET_TESTS_VIRTQUEUE_BENCH_H
#define MOTET_TESTS_VIRTQUEUE_BENCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "libos/virtio/virtqueue_packed.h"

enum { ENTRIES = 8, BYTES = 4096 };
enum {
    AVAILABLE = 1 << VRING_PACKED_DESC_F_AVAIL,
    USED = 1 << VRING_PACKED_DESC_F_USED,
    WRAP = 1 << VRING_PACKED_EVENT_F_WRAP_CTR,
};

enum format { SPLIT, PACKED, FORMATS };

/* A place in a packed ring. */
struct place {
    uint16_t at;
    bool wrap;
};

/* A queue and what the device remembers of it. */
struct bench {
    struct virtqueue queue;
    struct virtqueue_packed packed;
    enum format format;
    uint16_t popped, used;           /* chains, modulo 2^16 */
    struct place next, done;         /* packed: what to take, what to overwrite */
    uint16_t length[ENTRIES];        /* packed: descriptors of the chain with that number */
    struct vring_desc desc[ENTRIES]; /* of the chain popped last */
    uint32_t count;
    _Alignas(16) uint8_t memory[BYTES];
};

static inline struct bench *bench_create(enum format format, uint32_t shift, bool event_idx)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    assert_non_null(bench);
    assert_true(virtqueue_bytes(ENTRIES) <= BYTES && virtqueue_packed_bytes(ENTRIES) <= BYTES);
    bench->format = format;
    bench->next.wrap = bench->done.wrap = true; /* 2.7.1 */
    if (format == PACKED)
        virtqueue_packed_init(&bench->packed, &bench->queue, bench->memory, ENTRIES, shift,
                              event_idx);
    else
        virtqueue_init(&bench->queue, bench->memory, ENTRIES, shift, event_idx);
    return bench;
}

/* The driver */

static inline void check(const struct bench *bench)
{
    assert_true(virtqueue_check(&bench->queue));
    assert_true(bench->format == SPLIT || virtqueue_packed_check(&bench->packed));
}

static inline void put_chain(struct bench *bench, uint32_t token, uint32_t reads, uint32_t writes)
{
    struct dma_segment segment[ENTRIES];
    for (uint32_t i = 0; i < reads + writes; i++)
        segment[i] = (struct dma_segment){token * 16ull + i, i + 1};
    if (bench->format == PACKED)
        virtqueue_packed_put(&bench->packed, token, segment, reads, writes);
    else
        virtqueue_put_chain(&bench->queue, token, segment, reads, writes);
    check(bench);
}

static inline void put(struct bench *bench, uint32_t token)
{
    put_chain(bench, token, 0, 1);
}

static inline bool publish(struct bench *bench)
{
    return bench->format == PACKED ? virtqueue_packed_publish(&bench->packed)
                                   : virtqueue_publish(&bench->queue);
}

static inline bool take(struct bench *bench, struct virtqueue_used *used)
{
    bool taken = bench->format == PACKED ? virtqueue_packed_take(&bench->packed, used)
                                         : virtqueue_take(&bench->queue, used);
    check(bench);
    return taken;
}

static inline bool arm(struct bench *bench)
{
    return bench->format == PACKED ? virtqueue_packed_arm(&bench->packed)
                                   : virtqueue_arm(&bench->queue, 1);
}

static inline void disarm(struct bench *bench)
{
    if (bench->format == PACKED)
        virtqueue_packed_disarm(&bench->packed);
    else
        virtqueue_disarm(&bench->queue);
}

/* The device */

static inline void place_step(struct place *place, uint32_t count)
{
    place->at = (uint16_t)(place->at + count);
    if (place->at >= ENTRIES) {
        place->at = (uint16_t)(place->at - ENTRIES);
        place->wrap = !place->wrap;
    }
}

static inline uint16_t place_word(struct place place)
{
    return (uint16_t)(place.at | (place.wrap ? WRAP : 0));
}

/* Copies a descriptor of the chain; false: it is the last one. */
static inline bool desc_copy(struct bench *bench, uint64_t address, uint32_t bytes, uint16_t flags)
{
    assert_true(bench->count < ENTRIES);
    assert_false(flags & (uint16_t) ~(VRING_DESC_F_NEXT | VRING_DESC_F_WRITE));
    bench->desc[bench->count++] =
        (struct vring_desc){.addr = address, .len = bytes, .flags = flags};
    return flags & VRING_DESC_F_NEXT;
}

static inline int split_pop(struct bench *bench)
{
    const struct vring *ring = &bench->queue.ring;
    if (bench->popped == ring->avail->idx)
        return -1;
    const uint16_t head = ring->avail->ring[bench->popped++ % ENTRIES];
    const struct vring_desc *desc = &ring->desc[head];
    while (desc_copy(bench, desc->addr, desc->len, desc->flags))
        desc = &ring->desc[desc->next];
    return head;
}

static inline bool packed_available(const struct bench *bench)
{
    const uint16_t flags = bench->packed.desc[bench->next.at].flags;
    return !!(flags & AVAILABLE) == bench->next.wrap && !!(flags & USED) != bench->next.wrap;
}

static inline int packed_pop(struct bench *bench)
{
    const struct vring_packed_desc *desc;
    uint16_t flags;
    if (!packed_available(bench))
        return -1;
    do {
        assert_true(packed_available(bench)); /* a chain is there as a whole */
        desc = &bench->packed.desc[bench->next.at];
        flags = desc->flags & (uint16_t) ~(AVAILABLE | USED);
        place_step(&bench->next, 1);
    } while (desc_copy(bench, desc->addr, desc->len, flags));
    assert_true(desc->id < ENTRIES);
    bench->length[desc->id] = (uint16_t)bench->count;
    return desc->id;
}

/* The device takes the next chain; -1: there is none. */
static inline int device_pop(struct bench *bench)
{
    bench->count = 0;
    return bench->format == PACKED ? packed_pop(bench) : split_pop(bench);
}

static inline void device_use(struct bench *bench, uint32_t id, uint32_t length)
{
    struct vring *ring = &bench->queue.ring;
    if (bench->format == PACKED) {
        struct vring_packed_desc *desc = &bench->packed.desc[bench->done.at];
        desc->id = (uint16_t)id;
        desc->len = length;
        desc->flags = bench->done.wrap ? AVAILABLE | USED : 0;
        place_step(&bench->done, id < ENTRIES && bench->length[id] ? bench->length[id] : 1);
        return;
    }
    ring->used->ring[bench->used++ % ENTRIES] = (struct vring_used_elem){.id = id, .len = length};
    ring->used->idx = bench->used;
}

static inline bool packed_interrupts(const struct bench *bench, uint16_t count)
{
    const struct vring_packed_desc_event wish = *bench->packed.wish;
    if (wish.flags != VRING_PACKED_EVENT_FLAG_DESC)
        return wish.flags == VRING_PACKED_EVENT_FLAG_ENABLE;
    uint16_t at = wish.off_wrap & (uint16_t)~WRAP;
    assert_true(at < ENTRIES && bench->queue.event_idx);
    if (!!(wish.off_wrap & WRAP) != bench->done.wrap)
        at = (uint16_t)(at - ENTRIES);
    return vring_need_event(at, bench->done.at, (uint16_t)(bench->done.at - count));
}

/* Would a device that has just used so many descriptors interrupt? */
static inline bool device_interrupts(const struct bench *bench, uint16_t count)
{
    const struct vring *ring = &bench->queue.ring;
    if (bench->format == PACKED)
        return packed_interrupts(bench, count);
    if (!bench->queue.event_idx)
        return !(ring->avail->flags & VRING_AVAIL_F_NO_INTERRUPT);
    return vring_need_event(vring_used_event(ring), ring->used->idx,
                            (uint16_t)(ring->used->idx - count));
}

/* It wants to be rung when the driver passes the position that is `ahead` of where it puts now. */
static inline void device_asks(struct bench *bench, int ahead)
{
    struct vring *ring = &bench->queue.ring;
    if (bench->format == PACKED) {
        struct place place = {bench->packed.put_at, bench->packed.put_wrap};
        place_step(&place, (uint32_t)(ahead + 2 * ENTRIES) % ENTRIES);
        if (((ahead + 2 * ENTRIES) / ENTRIES) % 2)
            place.wrap = !place.wrap;
        *bench->packed.theirs = (struct vring_packed_desc_event){
            .off_wrap = place_word(place), .flags = VRING_PACKED_EVENT_FLAG_DESC};
        return;
    }
    vring_avail_event(ring) = (uint16_t)(bench->queue.put + ahead);
}

/* Without event indices: whether it wants to be rung at all. */
static inline void device_wants(struct bench *bench, bool wants)
{
    if (bench->format == PACKED)
        bench->packed.theirs->flags =
            wants ? VRING_PACKED_EVENT_FLAG_ENABLE : VRING_PACKED_EVENT_FLAG_DISABLE;
    else
        bench->queue.ring.used->flags = wants ? 0 : VRING_USED_F_NO_NOTIFY;
}

/* Lets `count` chains go round, so that all counts stand there. */
static inline void turn(struct bench *bench, uint32_t count)
{
    struct virtqueue_used used;
    for (uint32_t i = 0; i < count; i++) {
        put(bench, i);
        publish(bench);
        device_use(bench, (uint32_t)device_pop(bench), 0);
        assert_true(take(bench, &used));
        assert_int_equal(used.token, i);
    }
}

#endif
