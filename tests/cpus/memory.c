/* SPDX-License-Identifier: ISC
 *
 * See memory.h.
 */
#include "tests/cpus/memory.h"

#include <stdlib.h>
#include <string.h>

struct store {
    int ring;
    uint32_t bytes;
    size_t offset;
    uint64_t value;
};

/* One per CPU. */
static struct buffer {
    struct store store[STORES_MAX];
    uint32_t first, count;
} buffers[CPUS];

struct ring_memory ring_memory[RINGS];

void memory_reset(void)
{
    for (int i = 0; i < RINGS; i++) {
        free(ring_memory[i].written);
        free(ring_memory[i].seen);
    }
    memset(ring_memory, 0, sizeof(ring_memory));
    memset(buffers, 0, sizeof(buffers));
}

void memory_add(int ring, int cpu, size_t bytes)
{
    struct ring_memory *memory = &ring_memory[ring];
    *memory = (struct ring_memory){
        .written = aligned_alloc(64, bytes),
        .seen = aligned_alloc(64, bytes),
        .bytes = bytes,
        .cpu = cpu,
    };
    if (!memory->written || !memory->seen)
        abort();
    memset(memory->written, 0, bytes);
    memset(memory->seen, 0, bytes);
}

void memory_reread(int cpu)
{
    for (int i = 0; i < RINGS; i++)
        if (ring_memory[i].written && ring_memory[i].cpu == cpu)
            memcpy(ring_memory[i].written, ring_memory[i].seen, ring_memory[i].bytes);
}

int memory_find(const void *at, size_t *offset)
{
    for (int i = 0; i < RINGS; i++) {
        const struct ring_memory *memory = &ring_memory[i];
        *offset = (size_t)((uintptr_t)at - (uintptr_t)memory->written);
        if (memory->written && *offset < memory->bytes)
            return i;
        *offset = (size_t)((uintptr_t)at - (uintptr_t)memory->seen);
        if (memory->seen && *offset < memory->bytes)
            return i;
    }
    abort();
}

void memory_store(void *at, uint64_t value, uint32_t bytes)
{
    run_point();
    struct buffer *buffer = &buffers[run_cpu()];
    if (buffer->count == STORES_MAX)
        memory_drain(run_cpu(), 1);
    struct store *store = &buffer->store[(buffer->first + buffer->count++) % STORES_MAX];
    *store = (struct store){.value = value, .bytes = bytes};
    store->ring = memory_find(at, &store->offset);
    memcpy(at, &value, bytes);
    run_stored(store->ring, store->offset, value);
}

uint64_t memory_load(const void *at, uint32_t bytes)
{
    run_point();
    uint64_t value = 0;
    size_t offset;
    memcpy(&value, at, bytes);
    int ring = memory_find(at, &offset);
    run_loaded(ring, offset, value);
    return value;
}

void memory_drain(int cpu, uint32_t count)
{
    struct buffer *buffer = &buffers[cpu];
    for (; count && buffer->count; count--, buffer->count--) {
        const struct store store = buffer->store[buffer->first];
        buffer->first = (buffer->first + 1) % STORES_MAX;
        memcpy((uint8_t *)ring_memory[store.ring].seen + store.offset, &store.value, store.bytes);
        run_seen(store.ring, store.offset, store.value);
    }
}

uint32_t memory_stores(int cpu)
{
    return buffers[cpu].count;
}
