/* SPDX-License-Identifier: ISC
 *
 * The kernel's trace and counters. With the boot setting trace=PAGES init hands the kernel a ring
 * of so many pages, names the domains' spaces by their numbers, and maps the ring read-only where
 * the manifest says `trace = true`. On the console it prints records, and what the kernel counted.
 */
#include <string.h>

#include "libos/clock.h"
#include "libos/syscall.h"
#include "motet/kernel_counters.h"
#include "servers/init/init.h"

#define COUNTERS_WINDOW (LOG_WINDOW + 0x100000) /* under the page table of the logs */
_Static_assert(IMAGE_DOMAINS_MAX * 2 * PAGE_BYTES <= 0x100000, "behind the logs");

enum { NEWEST = 40 }; /* records that the console shows: a screen */

static const struct kernel_counters *counters(void)
{
    return (const void *)COUNTERS_WINDOW;
}

static const struct trace_header *ring(void)
{
    return (const void *)TRACE_WINDOW;
}

/* --- the start --- */

static uint64_t pages_wanted(const struct init *init)
{
    const char *text = settings_get(&init->settings, "trace");
    uint64_t pages = text ? setting_number(text, TRACE_PAGES_MAX) : 0;
    if (text && !pages)
        console_print("init: trace: not a number of pages from 1 to %u: no trace", TRACE_PAGES_MAX);
    return pages;
}

/* The event of that name, TRACE_EVENT_COUNT: none. */
static unsigned event_named(const char *name, size_t length)
{
    unsigned event = TRACE_none + 1;
    while (event < TRACE_EVENT_COUNT && (strlen(trace_event_name(event)) != length ||
                                         memcmp(trace_event_name(event), name, length) != 0))
        event++;
    return event;
}

/* "switch,wake": the bits of these events; all without the setting. */
static uint32_t events_wanted(const struct init *init)
{
    const char *text = settings_get(&init->settings, "trace.events");
    uint32_t mask = 0;
    if (!text)
        return TRACE_EVENTS_ALL;
    while (*text) {
        size_t length = 0;
        while (text[length] && text[length] != ',')
            length++;
        unsigned event = event_named(text, length);
        if (event < TRACE_EVENT_COUNT)
            mask |= 1u << event;
        else
            console_print("init: trace.events: no such event in \"%s\"", text);
        text += length + (text[length] == ',');
    }
    return mask;
}

/* Where the manifest says so, the domain can read the ring. */
static void ring_share(struct init *init, uint32_t d, uint32_t slot)
{
    uint64_t address = start_address(init, d) + (uint64_t)init->domain[d].trace_page * PAGE_BYTES;
    uint32_t copy = object_copy(init, slot, RIGHT_READ, "trace", init->domain[d].name);
    object_map(init, copy, init->child[d].space, address, RIGHT_READ);
    struct start_page *start = start_page_open(init, d);
    start->trace_address = address;
    start_page_close(init, d);
}

static void mask_set(struct init *init, uint32_t mask)
{
    enum error error = sys_invoke(INIT_TRACE, OPERATION_trace_mask, 0, mask, 0, 0, 0, NULL);
    if (error)
        console_print("init: trace: %s", error_text(error));
    init->tracing = !error && mask;
}

void trace_start(struct init *init)
{
    object_map(init, INIT_COUNTERS, INIT_SPACE, COUNTERS_WINDOW, RIGHT_READ);
    uint64_t pages = pages_wanted(init);
    if (!pages)
        return;
    uint32_t slot = object_make(init, OBJECT_page, pages);
    enum error error = sys_invoke(INIT_TRACE, OPERATION_trace_attach, 0, slot, 0, 0, 0, NULL);
    if (error)
        init_fail("trace: %s", error_text(error));
    object_map(init, slot, INIT_SPACE, TRACE_WINDOW, RIGHT_READ);
    for (uint32_t d = 1; d < init->image->domains.count; d++) {
        sys_invoke(INIT_TRACE, OPERATION_trace_label, init->child[d].space, d, 0, 0, 0, NULL);
        if (init->domain[d].trace_page)
            ring_share(init, d, slot);
    }
    init->traced = true;
    init->trace_events = events_wanted(init);
    mask_set(init, init->trace_events);
    console_print("init: trace: the newest %u records, of events 0x%x", ring()->capacity - 1,
                  init->trace_events);
}

/* --- on the console --- */

static bool traced(const struct init *init)
{
    if (!init->traced)
        console_print("init: no trace: boot with trace=PAGES");
    return init->traced;
}

void trace_switch(struct init *init)
{
    if (!traced(init))
        return;
    mask_set(init, init->tracing ? 0 : init->trace_events);
    console_print("init: trace is %s", init->tracing ? "on" : "off");
}

static const char *name_of(const void *context, uint16_t domain)
{
    const struct init *init = context;
    return domain < init->image->domains.count ? init->domain[domain].name : "?";
}

void trace_print(const struct init *init)
{
    const struct kernel_info *info = kernel_info();
    struct trace_reader reader = {0};
    struct trace_record record;
    char text[TRACE_TEXT_BYTES];
    if (!traced(init))
        return;
    console_print("init: trace:");
    trace_newest(&reader, ring(), NEWEST);
    for (int i = 0; i < NEWEST && trace_read(&reader, ring(), &record); i++) {
        uint64_t time = clock_nanoseconds(info, record.time), second = 1000000000;
        trace_text(text, &record, name_of, init);
        console_print("  %lu.%09lu %s", (unsigned long)(time / second),
                      (unsigned long)(time % second), text);
    }
    console_print("init: end of trace");
}

/* All that is there, for tools/trace. While it is printed nothing else runs, and interrupts are all
 * that can be recorded. */
void trace_dump(const struct init *init)
{
    const struct kernel_info *info = kernel_info();
    struct trace_reader reader = {0};
    struct trace_record record;
    char text[TRACE_TEXT_BYTES];
    if (!traced(init))
        return;
    trace_newest(&reader, ring(), UINT64_MAX);
    console_print("trace begin %u %lx %lx", TRACE_VERSION, (unsigned long)info->clock_frequency,
                  (unsigned long)info->clock_base);
    for (uint32_t d = 0; d < init->image->domains.count; d++)
        console_print("trace domain %u %s", d, init->domain[d].name);
    for (uint64_t left = ring()->capacity; left && trace_read(&reader, ring(), &record); left--) {
        trace_dump_line(text, &record);
        console_print("%s", text);
    }
    console_print("trace end");
}

/* --- what the kernel counted --- */

static void count_print(const char *name, uint64_t value)
{
    if (value)
        console_print("  kernel.%s %lu", name, (unsigned long)value);
}

static const char *row_name(uint32_t row)
{
    static const char names[] =
#define CALL(name, ...) #name "\0"
#include "motet/calls.def"
        "unknown_call\0"
#define OPERATION(object, name, ...) #object "." #name "\0"
#include "motet/calls.def"
        ;
    const char *name = names;
    for (; row; row--)
        name += strlen(name) + 1;
    return name;
}

void kernel_counters_print(void)
{
    const struct kernel_counters *c = counters();
    count_print("interrupts_spurious", c->interrupts_spurious);
    count_print("interrupts_unclaimed", c->interrupts_unclaimed);
    count_print("budgets_used_up", c->budgets_used_up);
    for (uint32_t cause = 0; cause < COUNTED_FAULTS; cause++)
        if (c->faults[cause])
            console_print("  kernel.fault_%u %lu", cause, (unsigned long)c->faults[cause]);
    for (uint32_t row = 0; row < COUNTED_ROWS; row++)
        for (uint32_t error = 0; error < ERROR_COUNT; error++)
            if (c->refused[row][error])
                console_print("  kernel.%s.%s %lu", row_name(row), error_name((enum error)error),
                              (unsigned long)c->refused[row][error]);
}
