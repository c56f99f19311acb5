/* SPDX-License-Identifier: ISC
 *
 * Shared memory as a Linux program would write it by hand: a ring each way, every piece copied in
 * and out, nothing checked; who waits is woken by a futex or by an eventfd, once per batch.
 */
#include <limits.h>
#include <linux/futex.h>
#include <stdalign.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "bench/ipc/native/native.h"
#include "bench/ipc/native/pipe.h"

enum { RING_BYTES = 1 << 22 }; /* a whole batch fits: a power of two */

struct ring {
    alignas(64) uint32_t written; /* bytes, free-running; the futex */
    alignas(64) uint32_t waiting;
    alignas(64) uint8_t bytes[RING_BYTES];
};

static struct ring *rings; /* [0] there, [1] back */
static int wakers[2];      /* eventfd of who reads the ring; -1: by futex */
static uint32_t at[2];     /* this process's own place in each ring */

static bool memory_open(void)
{
    if (!rings)
        rings = shared_memory(2 * sizeof(*rings));
    for (int i = 0; i < 2; i++) {
        rings[i].written = rings[i].waiting = at[i] = 0;
        wakers[i] = -1;
    }
    return true;
}

static bool eventfd_open(void)
{
    memory_open();
    for (int i = 0; i < 2; i++)
        if ((wakers[i] = eventfd(0, 0)) < 0)
            give_up("eventfd");
    return true;
}

static void memory_enter(int end)
{
    (void)end;
}

static void memory_close(void)
{
    for (int i = 0; i < 2; i++)
        if (wakers[i] >= 0)
            close(wakers[i]);
}

static void wake(int number)
{
    struct ring *ring = &rings[number];
    uint64_t one = 1;
    if (!__atomic_exchange_n(&ring->waiting, 0, __ATOMIC_SEQ_CST))
        return;
    if (wakers[number] < 0)
        syscall(SYS_futex, &ring->written, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
    else if (write(wakers[number], &one, sizeof(one)) != sizeof(one))
        give_up("eventfd");
}

/* Waits until the ring has more than was read. */
static void wait_for_more(int number)
{
    struct ring *ring = &rings[number];
    uint64_t count;
    for (;;) {
        if (__atomic_load_n(&ring->written, __ATOMIC_ACQUIRE) != at[number])
            return;
        __atomic_store_n(&ring->waiting, 1, __ATOMIC_SEQ_CST);
        if (__atomic_load_n(&ring->written, __ATOMIC_SEQ_CST) != at[number] &&
            __atomic_exchange_n(&ring->waiting, 0, __ATOMIC_SEQ_CST))
            return;
        if (wakers[number] < 0)
            syscall(SYS_futex, &ring->written, FUTEX_WAIT, at[number], NULL, NULL, 0);
        else if (read(wakers[number], &count, sizeof(count)) != sizeof(count))
            give_up("eventfd");
    }
}

static void memory_send(int end, const uint8_t *data, uint32_t count, uint32_t bytes)
{
    struct ring *ring = &rings[end];
    for (; count; count--, data += bytes, at[end] += bytes)
        memcpy(ring->bytes + at[end] % RING_BYTES, data, bytes);
    __atomic_store_n(&ring->written, at[end], __ATOMIC_SEQ_CST);
    wake(end);
}

static void memory_receive(int end, uint8_t *data, uint32_t count, uint32_t bytes)
{
    int number = !end;
    for (; count; count--, data += bytes, at[number] += bytes) {
        wait_for_more(number); /* a batch is there as a whole */
        memcpy(data, rings[number].bytes + at[number] % RING_BYTES, bytes);
    }
}

const struct pipe_kind memory_futex = {.name = "shm_futex",
                                       .open = memory_open,
                                       .enter = memory_enter,
                                       .close = memory_close,
                                       .send = memory_send,
                                       .receive = memory_receive};
const struct pipe_kind memory_eventfd = {.name = "shm_eventfd",
                                         .open = eventfd_open,
                                         .enter = memory_enter,
                                         .close = memory_close,
                                         .send = memory_send,
                                         .receive = memory_receive};
