/* SPDX-License-Identifier: ISC
 *
 * The trace of one CPU: a run of pages that user level gave (trace.attach), which the kernel fills
 * with records and others map read-only. First a header, then `capacity` records as a ring: record
 * number n, counted from 0, is at n % capacity.
 *
 * The kernel never reads the run, and forgets it when its capability goes. A record is complete
 * before `written` counts it. While the kernel writes record number `written`, the one that it
 * overwrites is not to be read: valid are the last capacity - 1. A reader copies a record, reads
 * `written` again, and so sees whether it was overtaken (libos/trace.h).
 */
#ifndef MOTET_TRACE_H
#define MOTET_TRACE_H

#include <stdint.h>

enum trace_event {
    TRACE_none,
#define TRACE_EVENT(name, ...) TRACE_##name,
#include "motet/trace.def"
    TRACE_EVENT_COUNT
};

enum trace_wake {
#define TRACE_WAKE(name) TRACE_WAKE_##name,
#include "motet/trace.def"
    TRACE_WAKE_COUNT
};

#define TRACE_EVENTS_ALL ((1u << TRACE_EVENT_COUNT) - (1u << (TRACE_none + 1)))

/* Threads and ports are known by the number of their page in physical memory; 0 is nobody. A domain
 * is the number that its space was given (trace.label), 0 without one. */
struct trace_record {
    uint64_t time; /* clock ticks */
    uint8_t event; /* enum trace_event */
    uint8_t cpu;
    uint16_t domain; /* of `thread` */
    uint32_t thread;
    uint64_t argument; /* this and the others as trace.def says */
    uint32_t other;
    uint16_t other_domain;
    uint16_t detail;
};
_Static_assert(sizeof(struct trace_record) == 32, "two in a cache line");

struct trace_header {
    uint32_t magic;
    uint16_t version;
    uint16_t cpu;
    uint32_t capacity;  /* records */
    uint32_t mask;      /* events that are recorded, a bit each; 0: tracing is off */
    uint64_t frequency; /* clock ticks per second */
    uint64_t written;   /* records since the run was attached */
    uint64_t reserved[4];
};
_Static_assert(sizeof(struct trace_header) == 64, "records begin on a cache line");

enum { TRACE_MAGIC = 0x63617274, TRACE_VERSION = 1 };

static inline uint64_t trace_capacity(uint64_t bytes)
{
    return (bytes - sizeof(struct trace_header)) / sizeof(struct trace_record);
}

#endif
