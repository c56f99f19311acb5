/* SPDX-License-Identifier: ISC
 *
 * See check_trace.h. Written from motet/trace.h, not from the kernel's code.
 */
#include "kernel/arch/sim/check_trace.h"

#include "kernel/arch/sim/machine.h"
#include "kernel/cap.h"

static uint32_t name_of(const void *object)
{
    return object ? (uint32_t)(virt_to_phys(object) / PAGE_BYTES) : 0;
}

static const struct trace_record *record_at(const struct trace_header *header, uint64_t number)
{
    return (const struct trace_record *)(header + 1) + number % header->capacity;
}

bool check_trace_page(uint64_t index)
{
    const struct trace_header *header = sim_cpu.trace.header;
    if (!header)
        return false;
    uint64_t first = ((uint64_t)header - (uint64_t)sim_memory) / PAGE_BYTES;
    uint64_t end =
        ((uint64_t)sim_cpu.trace.end - (uint64_t)sim_memory + PAGE_BYTES - 1) / PAGE_BYTES;
    return index >= first && index < end;
}

/* The capability that the ring lives by. */
static const struct cap *marked(const struct cap *first)
{
    const struct cap *found = NULL;
    for (const struct cap *cap = first; cap; cap = cap->next) {
        if (cap->type != OBJECT_page || !(cap->flags & CAP_TRACE))
            continue;
        ASSERT(!found && cap->type == OBJECT_page && !(cap->flags & CAP_DEVICE));
        found = cap;
    }
    return found;
}

static void check_records(const struct trace_header *header)
{
    const struct trace_record *last = NULL;
    uint64_t written = header->written;
    for (uint64_t n = written < 2 ? 0 : written - 2; n < written; n++) {
        const struct trace_record *record = record_at(header, n);
        ASSERT(record->event > TRACE_none && record->event < TRACE_EVENT_COUNT);
        ASSERT(record->cpu == header->cpu && record->time <= sim_clock);
        ASSERT(!last || last->time <= record->time);
        last = record;
    }
}

void check_trace(const struct cap *first)
{
    const struct trace *trace = &sim_cpu.trace;
    const struct trace_header *header = trace->header;
    const struct cap *page = marked(first);
    ASSERT((sim_cpu.steps.schedule == schedule) == (trace->mask == 0));
    ASSERT(!trace->interrupt && !(trace->mask & ~TRACE_EVENTS_ALL));
    ASSERT((header != NULL) == (page != NULL));
    if (!header) {
        ASSERT(!trace->mask);
        return;
    }
    ASSERT((void *)header == phys_to_virt(page->address));
    ASSERT(header->magic == TRACE_MAGIC && header->version == TRACE_VERSION && header->cpu == 0);
    ASSERT(header->capacity == page->pages * (PAGE_BYTES / sizeof(struct trace_record)) - 2);
    ASSERT(header->mask == trace->mask && header->frequency == sim_frequency);
    ASSERT(header->written == trace->written && trace->next == record_at(header, trace->written));
    ASSERT(trace->end == record_at(header, header->capacity - 1) + 1);
    ASSERT(!trace->mask || trace->running == sim_cpu.current);
    check_records(header);
}

/* --- one entry --- */

void check_trace_before(struct trace_before *before)
{
    const uint32_t switches = 1u << TRACE_switch | 1u << TRACE_idle;
    const struct trace *trace = &sim_cpu.trace;
    *before = (struct trace_before){0};
    if ((trace->mask & switches) != switches)
        return;
    before->header = (uint64_t)trace->header;
    before->written = trace->written;
    before->running = name_of(sim_cpu.current);
}

static bool is_switch(const struct trace_record *record)
{
    ASSERT(record->event != TRACE_idle || record->thread == 0);
    ASSERT(record->event != TRACE_switch || record->thread != 0);
    return record->event == TRACE_switch || record->event == TRACE_idle;
}

void check_trace_after(const struct trace_before *before)
{
    const struct trace *trace = &sim_cpu.trace;
    uint32_t running = before->running;
    const uint32_t switches = 1u << TRACE_switch | 1u << TRACE_idle;
    if (!before->header || (uint64_t)trace->header != before->header ||
        (trace->mask & switches) != switches)
        return;
    uint64_t first = before->written;
    ASSERT(trace->written - first < trace->header->capacity); /* else it can't be told */
    for (uint64_t n = first; n < trace->written; n++) {
        const struct trace_record *record = record_at(trace->header, n);
        if (!is_switch(record))
            continue;
        ASSERT(record->other == running && record->thread != running);
        ASSERT(record->detail != THREAD_RUNNING && record->detail <= THREAD_EXHAUSTED);
        running = record->thread;
    }
    ASSERT(running == name_of(sim_cpu.current));
}
