/* SPDX-License-Identifier: ISC
 *
 * Rings in the memory of CPUs with store buffers (x86-TSO). A ring exists twice: as its owner has
 * written it and as everybody else sees it. A store goes from the one to the other by the store
 * buffer of the owner's CPU: in order, any time later. The owner sees its own at once. Called by
 * the production sources by way of tests/cpus/include/ipc/barrier.h, and by run.c.
 */
#ifndef CPUS_MEMORY_H
#define CPUS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CPUS = 3, RINGS = 4, STORES_MAX = 4096 };

struct ring;

/* One side's ring. */
struct ring_memory {
    struct ring *written, *seen;
    size_t bytes;
    int cpu; /* the owner's */
};

extern struct ring_memory ring_memory[RINGS];

/* Zeroed rings and empty store buffers. */
void memory_reset(void);
void memory_add(int ring, int cpu, size_t bytes);

/* The owner begins anew: it sees what everybody sees. */
void memory_reread(int cpu);

void memory_store(void *at, uint64_t value, uint32_t bytes);
uint64_t memory_load(const void *at, uint32_t bytes);

/* At most `count` stores leave the buffer. */
void memory_drain(int cpu, uint32_t count);
uint32_t memory_stores(int cpu);

/* Which ring that address is in, as written or as seen, and where in it. */
int memory_find(const void *at, size_t *offset);

/* run.c: anything may happen here; and what memory tells it. */
void run_point(void);
int run_cpu(void);
void run_stored(int ring, size_t offset, uint64_t value);
void run_loaded(int ring, size_t offset, uint64_t value);
void run_seen(int ring, size_t offset, uint64_t value);

#endif
