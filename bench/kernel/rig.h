/* SPDX-License-Identifier: ISC
 *
 * What the measuring programs in init's place share: the serial port, objects, threads in one of
 * two spaces. Both spaces map one run of pages at SHARED, read and write: the program's own struct,
 * which begins with a struct rig, and the threads' stacks from the end, one page each. Called by
 * bench/kernel/kbench.c and bench/ipc/root/. What fails ends the machine with a line that says so.
 */
#ifndef MOTET_BENCH_RIG_H
#define MOTET_BENCH_RIG_H

#include "libos/syscall.h"
#include "motet/image.h"

enum {
    SAMPLES = 65, /* odd: the median is one of them */
    WARM = 8,     /* runs before that count for nothing */
    PRIORITY_LOW = 10,
    PRIORITY_HIGH = 20,
    SHARED_PAGES = 16,
};
#define SHARED    0x60000000ull /* in both spaces */
#define RUN_BYTES (PAGE_RUN_MAX * 4096ull)

/* Slots that all threads use: they share init's table. */
struct rig {
    uint32_t next_slot;
    uint32_t second_space;
    uint32_t faults; /* port of the threads' faults */
    uint32_t stacks; /* pages given out */
};

static inline struct rig *rig(void)
{
    return (struct rig *)SHARED;
}

static inline uint32_t clock_low(void)
{
    uint32_t low;
    __asm__ volatile("rdtsc" : "=a"(low) : : "edx", "memory");
    return low;
}

/* A line on the serial port, at most 127 characters, raw. */
__attribute__((format(printf, 1, 2))) void print(const char *pattern, ...);

/* Ends the machine. */
_Noreturn void end(void);

void must(enum error error, const char *what);

/* Makes both spaces and what they share; first of all. */
void rig_make(void);

/* An object of memory in `slot`, which is returned. */
uint32_t make(uint32_t slot, enum object type, uint64_t pages);

/* Maps with tables as needed; returns the next free slot. */
uint32_t map(uint32_t next, uint32_t slot, uint32_t space, uint64_t address, uint8_t rights);

/* A port; the capability has the badge 1 and all rights. */
uint32_t port_make(void);

uint32_t thread_make(void (*entry)(void), uint32_t space, uint32_t priority);
void thread_start(uint32_t slot);

/* Sorts SAMPLES numbers: the first is the least then, the middle the median. */
void samples_sort(uint32_t *samples);

#endif
