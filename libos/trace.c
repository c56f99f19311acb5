/* SPDX-License-Identifier: ISC
 *
 * The reader: see trace.h.
 */
#include "libos/trace.h"

enum {
    TRIES = 8
}; /* each time it was overtaken by a whole ring; then it waits for its next turn */

/* The oldest record that isn't being overwritten when `written` are there. */
static uint64_t oldest(const struct trace_header *header, uint64_t written)
{
    return written < header->capacity ? 0 : written - (header->capacity - 1);
}

bool trace_read(struct trace_reader *reader, const struct trace_header *header,
                struct trace_record *record)
{
    for (int i = 0; i < TRIES && header->capacity; i++) {
        /* Acquire: the records are read after the number that counts them. */
        uint64_t written = __atomic_load_n(&header->written, __ATOMIC_ACQUIRE);
        uint64_t first = oldest(header, written);
        if (reader->next > written)
            reader->next = first;
        if (reader->next < first) {
            reader->lost += first - reader->next;
            reader->next = first;
        }
        if (reader->next == written)
            return false;
        *record = ((const struct trace_record *)(header + 1))[reader->next % header->capacity];
        /* The record is read before the number of those that may have overwritten it. */
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
        written = __atomic_load_n(&header->written, __ATOMIC_RELAXED);
        if (reader->next >= oldest(header, written) && reader->next < written) {
            reader->next++;
            return true;
        }
    }
    return false;
}

void trace_newest(struct trace_reader *reader, const struct trace_header *header, uint64_t count)
{
    uint64_t written = __atomic_load_n(&header->written, __ATOMIC_ACQUIRE);
    uint64_t first = oldest(header, written);
    reader->next = written - first > count ? written - count : first;
}
