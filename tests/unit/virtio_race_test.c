/* SPDX-License-Identifier: ISC
 *
 * libos/virtio/virtqueue.c and virtqueue_packed.c with a device on another processor: both sides go
 * to sleep whenever there is nothing to do, and neither ever sleeps for good. Without the full
 * barriers where queues are published and interrupts asked for (or the ones of the devices below)
 * this test hangs sooner or later; it then fails after some seconds.
 */
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "libos/virtio/virtqueue_packed.h"

enum {
    ENTRIES = 8,
    CHAINS = 3000000,      /* that go round */
    PATIENCE_S = 10,       /* asleep for so long: for good */
    YIELDS_PER_LOOK = 1024 /* at the clock */
};

struct bench {
    struct virtqueue queue;
    struct virtqueue_packed packed;
    bool event_idx;
    bool notified, interrupted; /* what wakes the other side */
    bool failed;
    _Alignas(64) uint8_t memory[4096];
};

/* Sleeps until the other side sets `flag`. False: it didn't. */
static bool sleep_until(struct bench *bench, bool *flag)
{
    time_t end = time(NULL) + PATIENCE_S;
    for (uint32_t i = 0; !__atomic_exchange_n(flag, false, __ATOMIC_ACQ_REL); i++) {
        if (__atomic_load_n(&bench->failed, __ATOMIC_RELAXED))
            return false;
        if (i % YIELDS_PER_LOOK == 0 && time(NULL) > end) {
            __atomic_store_n(&bench->failed, true, __ATOMIC_RELAXED);
            return false;
        }
        sched_yield();
    }
    return true;
}

/* Uses one chain, as QEMU does: entry, index, full barrier, then whether to interrupt. */
static void device_use(struct bench *bench, uint16_t *used, uint16_t head)
{
    struct vring *ring = &bench->queue.ring;
    uint16_t old = (*used)++;
    ring->used->ring[old % ENTRIES] = (struct vring_used_elem){.id = head};
    __atomic_store_n(&ring->used->idx, *used, __ATOMIC_RELEASE);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    bool wanted;
    if (bench->event_idx)
        wanted = vring_need_event(__atomic_load_n(&vring_used_event(ring), __ATOMIC_RELAXED), *used,
                                  old);
    else
        wanted =
            !(__atomic_load_n(&ring->avail->flags, __ATOMIC_RELAXED) & VRING_AVAIL_F_NO_INTERRUPT);
    if (wanted)
        __atomic_store_n(&bench->interrupted, true, __ATOMIC_RELEASE);
}

/* Asks to be rung for the next chain. True: there is one already. */
static bool device_arm(struct bench *bench, uint16_t popped)
{
    struct vring *ring = &bench->queue.ring;
    if (bench->event_idx)
        __atomic_store_n(&vring_avail_event(ring), popped, __ATOMIC_RELAXED);
    else
        __atomic_store_n(&ring->used->flags, 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return __atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE) != popped;
}

static void *device(void *argument)
{
    struct bench *bench = argument;
    struct vring *ring = &bench->queue.ring;
    uint16_t popped = 0, used = 0;
    for (uint32_t done = 0; done < CHAINS; done++) {
        while (__atomic_load_n(&ring->avail->idx, __ATOMIC_ACQUIRE) == popped) {
            if (device_arm(bench, popped))
                break;
            if (!sleep_until(bench, &bench->notified))
                return NULL;
        }
        if (!bench->event_idx)
            __atomic_store_n(&ring->used->flags, VRING_USED_F_NO_NOTIFY, __ATOMIC_RELAXED);
        device_use(bench, &used, ring->avail->ring[popped++ % ENTRIES]);
    }
    return NULL;
}

/* Lets the two sides meet at ever other points of their loops. */
static void dawdle(uint32_t *seed)
{
    *seed = *seed * 1103515245 + 12345;
    for (volatile uint32_t i = *seed >> 16 & 255; i; i--)
        ;
}

/* The driver's side, as virtio_drv does it: publish, take all, arm, sleep. */
static void drive(struct bench *bench)
{
    struct virtqueue *queue = &bench->queue;
    struct virtqueue_used used;
    uint32_t put = 0, taken = 0, seed = 1;
    while (taken < CHAINS) {
        dawdle(&seed);
        for (uint32_t i = 0; i < 1 + put % 3 && put < CHAINS && !virtqueue_full(queue); i++)
            virtqueue_put(queue, put++);
        if (virtqueue_publish(queue))
            __atomic_store_n(&bench->notified, true, __ATOMIC_RELEASE);
        virtqueue_disarm(queue);
        do {
            while (virtqueue_take(queue, &used))
                taken++;
        } while (virtqueue_arm(queue, 1));
        bool more = put < CHAINS && !virtqueue_full(queue) && put % 4;
        if (taken < CHAINS && !more && virtqueue_outstanding(queue) &&
            !sleep_until(bench, &bench->interrupted))
            return;
    }
}

/* A packed queue, of chains of one descriptor: what the device knows of it. */
struct position {
    uint16_t at;
    bool wrap;
};

enum { AVAILABLE = 1 << VRING_PACKED_DESC_F_AVAIL, USED = 1 << VRING_PACKED_DESC_F_USED };

static uint16_t position_word(const struct position *position)
{
    return (uint16_t)(position->at | position->wrap << VRING_PACKED_EVENT_F_WRAP_CTR);
}

static void step(struct position *position)
{
    if (++position->at == ENTRIES) {
        position->at = 0;
        position->wrap = !position->wrap;
    }
}

static bool packed_available(const struct bench *bench, const struct position *position)
{
    const uint16_t flags =
        __atomic_load_n(&bench->packed.desc[position->at].flags, __ATOMIC_ACQUIRE);
    return !!(flags & AVAILABLE) == position->wrap && !!(flags & USED) != position->wrap;
}

/* Asks to be rung for the next chain. True: there is one already. */
static bool packed_device_arm(struct bench *bench, const struct position *position)
{
    struct vring_packed_desc_event *wish = bench->packed.theirs;
    const uint32_t flags =
        bench->event_idx ? VRING_PACKED_EVENT_FLAG_DESC : VRING_PACKED_EVENT_FLAG_ENABLE;
    __atomic_store_n((uint32_t *)(void *)wish, flags << 16 | position_word(position),
                     __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    return packed_available(bench, position);
}

/* Uses the chain there, the number-th: what it says, the flags, full barrier, then whether to
 * interrupt. Its address is its number: all of it was there when its flags were. */
static void packed_device_use(struct bench *bench, struct position *position, uint32_t number)
{
    struct vring_packed_desc *desc = &bench->packed.desc[position->at];
    const uint16_t word = position_word(position);
    if (desc->addr != number)
        __atomic_store_n(&bench->failed, true, __ATOMIC_RELAXED);
    desc->len = ~number;
    __atomic_store_n(&desc->flags, position->wrap ? AVAILABLE | USED : 0, __ATOMIC_RELEASE);
    step(position);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    const uint32_t wish = __atomic_load_n((uint32_t *)(void *)bench->packed.wish, __ATOMIC_RELAXED);
    const bool wanted = wish >> 16 == VRING_PACKED_EVENT_FLAG_DESC
                            ? (uint16_t)wish == word
                            : wish >> 16 == VRING_PACKED_EVENT_FLAG_ENABLE;
    if (wanted)
        __atomic_store_n(&bench->interrupted, true, __ATOMIC_RELEASE);
}

static void *packed_device(void *argument)
{
    struct bench *bench = argument;
    struct position position = {.wrap = true};
    for (uint32_t done = 0; done < CHAINS; done++) {
        while (!packed_available(bench, &position)) {
            if (packed_device_arm(bench, &position))
                break;
            if (!sleep_until(bench, &bench->notified))
                return NULL;
        }
        packed_device_use(bench, &position, done);
    }
    return NULL;
}

/* Takes all that is used. What the device said of each was there when its flags were. */
static uint32_t packed_take(struct bench *bench, uint32_t taken)
{
    struct virtqueue_used used;
    for (; virtqueue_packed_take(&bench->packed, &used); taken++)
        if (used.token != taken || used.length != ~taken)
            __atomic_store_n(&bench->failed, true, __ATOMIC_RELAXED);
    return taken;
}

/* As virtio_rng does it: give, publish, ask for an interrupt, take all, sleep. */
static void packed_drive(struct bench *bench)
{
    struct virtqueue_packed *queue = &bench->packed;
    uint32_t put = 0, taken = 0, seed = 1;
    while (taken < CHAINS) {
        do {
            dawdle(&seed);
            taken = packed_take(bench, taken);
            for (uint32_t i = 0; i < 1 + put % 3 && put < CHAINS && !virtqueue_full(&bench->queue);
                 i++, put++)
                virtqueue_packed_put(queue, put, &(struct dma_segment){put, 1}, 0, 1);
            virtqueue_packed_disarm(queue);
            if (virtqueue_packed_publish(queue))
                __atomic_store_n(&bench->notified, true, __ATOMIC_RELEASE);
        } while (virtqueue_packed_arm(queue));
        if (taken < put && !sleep_until(bench, &bench->interrupted))
            return;
    }
}

static struct bench *bench_make(bool event_idx)
{
    struct bench *bench = aligned_alloc(64, (sizeof(struct bench) + 63) & ~(size_t)63);
    assert_non_null(bench);
    memset(bench, 0, sizeof(*bench));
    bench->event_idx = event_idx;
    return bench;
}

static void check_race(bool event_idx)
{
    struct bench *bench = bench_make(event_idx);
    pthread_t thread;
    virtqueue_init(&bench->queue, bench->memory, ENTRIES, 0, event_idx);
    assert_int_equal(pthread_create(&thread, NULL, device, bench), 0);
    drive(bench);
    pthread_join(thread, NULL);
    assert_false(bench->failed);
    assert_null(bench->queue.fault);
    assert_true(virtqueue_check(&bench->queue));
    free(bench);
}

static void check_packed_race(bool event_idx)
{
    struct bench *bench = bench_make(event_idx);
    pthread_t thread;
    virtqueue_packed_init(&bench->packed, &bench->queue, bench->memory, ENTRIES, 0, event_idx);
    assert_int_equal(pthread_create(&thread, NULL, packed_device, bench), 0);
    packed_drive(bench);
    pthread_join(thread, NULL);
    assert_false(bench->failed);
    assert_null(bench->queue.fault);
    assert_true(virtqueue_packed_check(&bench->packed));
    free(bench);
}

static void with_event_idx_nobody_sleeps_for_good(void **state)
{
    (void)state;
    check_race(true);
}

static void with_flags_nobody_sleeps_for_good(void **state)
{
    (void)state;
    check_race(false);
}

static void in_a_packed_queue_nobody_sleeps_for_good(void **state)
{
    (void)state;
    check_packed_race(true);
    check_packed_race(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(with_event_idx_nobody_sleeps_for_good),
        cmocka_unit_test(with_flags_nobody_sleeps_for_good),
        cmocka_unit_test(in_a_packed_queue_nobody_sleeps_for_good),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
