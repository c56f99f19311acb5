/* SPDX-License-Identifier: ISC
 *
 * The only accesses to rings. Used by ipc/channel.[ch] and libos/channels.c, and by drivers for
 * what their devices have done; a simulator puts its own header in this one's place to delay
 * stores. Each caller says which write its access orders before which read. Nothing here checks:
 * what the peer wrote is checked in channel.c.
 *
 * On x86-64 all are plain moves; only the fence costs.
 */
#ifndef MOTET_IPC_BARRIER_H
#define MOTET_IPC_BARRIER_H

#include <stdint.h>

/* Writes an index; all earlier reads and writes of this side come before it (release). */
static inline void ring_publish(uint32_t *index, uint32_t value)
{
    __atomic_store_n(index, value, __ATOMIC_RELEASE);
}

/* Reads the peer's index; all later reads and writes of this side come after it (acquire). */
static inline uint32_t ring_read(const uint32_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/* Writes / reads a wish of struct ring: in no order with anything but through ring_fence. */
static inline void ring_wish_set(uint64_t *wish, uint64_t value)
{
    __atomic_store_n(wish, value, __ATOMIC_RELAXED);
}

static inline uint64_t ring_wish_get(const uint64_t *wish)
{
    return __atomic_load_n(wish, __ATOMIC_RELAXED);
}

/* Copies an entry (RING_ENTRY_BYTES) into or out of a ring. Each word is read and written once,
 * whatever the other side does meanwhile: what is looked at afterwards is the copy. In no order
 * with anything but through the indices. */
typedef uint64_t __attribute__((may_alias)) ring_word;

static inline void ring_word_copy(void *to, const void *from, int i)
{
    uint64_t word = __atomic_load_n((const ring_word *)from + i, __ATOMIC_RELAXED);
    __atomic_store_n((ring_word *)to + i, word, __ATOMIC_RELAXED);
}

/* Written out: a loop would cost as much again. */
static inline void ring_entry_copy(void *to, const void *from)
{
    ring_word_copy(to, from, 0);
    ring_word_copy(to, from, 1);
    ring_word_copy(to, from, 2);
    ring_word_copy(to, from, 3);
    ring_word_copy(to, from, 4);
    ring_word_copy(to, from, 5);
    ring_word_copy(to, from, 6);
    ring_word_copy(to, from, 7);
}

static inline void ring_entry_write(void *entry, const void *from)
{
    ring_entry_copy(entry, from);
}

static inline void ring_entry_read(void *to, const void *entry)
{
    ring_entry_copy(to, entry);
}

/* Reads the index that a device has written (acquire). */
static inline uint16_t device_index_read(const uint16_t *index)
{
    return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

/* A message inside a domain is about to be handled: a place where a simulator may step in. */
static inline void message_point(void)
{
}

/* Everything written before it is visible to the peer before anything after it is read. Out of line
 * (libos/kernel_x86_64.c): one call per round, and the place where a test or simulator lets the
 * other side run. */
void ring_fence(void);

#endif
