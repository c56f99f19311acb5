/* SPDX-License-Identifier: ISC
 *
 * Records of a trace as text: see trace.h.
 */
#include <stdarg.h>

#include "libos/format.h"
#include "libos/trace.h"
#include "motet/abi.h"

__attribute__((format(printf, 2, 3))) static void print(char text[TRACE_TEXT_BYTES],
                                                        const char *pattern, ...)
{
    va_list arguments;
    va_start(arguments, pattern);
    format(text, TRACE_TEXT_BYTES, pattern, arguments);
    va_end(arguments);
}

/* The n-th of strings that follow each other, the last one empty; "?" beyond. */
static const char *word(const char *words, unsigned n)
{
    for (; *words; n--) {
        if (!n)
            return words;
        while (*words++)
            ;
    }
    return "?";
}

const char *trace_event_name(unsigned event)
{
    static const char names[] = "none\0"
#define TRACE_EVENT(name, ...) #name "\0"
#include "motet/trace.def"
        ;
    return word(names, event);
}

const char *trace_wake_name(unsigned why)
{
    static const char names[] =
#define TRACE_WAKE(name) #name "\0"
#include "motet/trace.def"
        ;
    return word(names, why);
}

const char *trace_state_name(unsigned state)
{
    return word("suspended\0ready\0running\0waiting\0faulted\0exhausted\0", state);
}

void trace_text(char text[TRACE_TEXT_BYTES], const struct trace_record *r, trace_name *name,
                const void *context)
{
    const char *event = trace_event_name(r->event);
    const char *thread = r->thread ? name(context, r->domain) : "nobody";
    const char *other = r->other ? name(context, r->other_domain) : "nobody";
    unsigned long argument = r->argument;
    switch (r->event) {
    case TRACE_switch:
    case TRACE_idle:
        if (r->other)
            print(text, "%s %s after %s (%s)", event, thread, other, trace_state_name(r->detail));
        else
            print(text, "%s %s after idling", event, thread);
        break;
    case TRACE_wake:
        print(text, "wake %s by %s (%s)", thread, r->other ? other : "interrupt",
              trace_wake_name(r->detail));
        break;
    case TRACE_send:
        print(text, "send %s to port 0x%lx, operation 0x%x, heard by %s", thread, argument,
              r->detail, other);
        break;
    case TRACE_signal:
        print(text, "signal %s to port 0x%lx, bit %u, heard by %s", thread, argument, r->detail,
              other);
        break;
    case TRACE_irq:
        print(text, "irq vector 0x%lx, bit %u, heard by %s, during %s", argument, r->detail, other,
              thread);
        break;
    case TRACE_fault:
        print(text, "fault %s exception %u error 0x%x address 0x%lx", thread, r->detail & 0xff,
              r->detail >> 8, argument);
        break;
    case TRACE_map:
    case TRACE_unmap:
        print(text, "%s %s %u pages of %s at 0x%lx, physical page 0x%x", event, thread,
              r->detail & 0xfff, name(context, r->other_domain), argument, r->other);
        break;
    case TRACE_budget:
        print(text, "budget %s used up, %u times", thread, r->detail);
        break;
    default:
        print(text, "event %u", r->event);
    }
}

void trace_dump_line(char text[TRACE_TEXT_BYTES], const struct trace_record *record)
{
    uint64_t words[sizeof(*record) / sizeof(uint64_t)];
    __builtin_memcpy(words, record, sizeof(words));
    print(text, "trace %lx %lx %lx %lx", (unsigned long)words[0], (unsigned long)words[1],
          (unsigned long)words[2], (unsigned long)words[3]);
}
