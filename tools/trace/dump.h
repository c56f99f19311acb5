/* SPDX-License-Identifier: ISC
 *
 * A dump of a trace, as init's console key T prints it and the simulator's --trace writes it: lines
 * that begin with "trace", anywhere in a text.
 *
 *   trace begin VERSION FREQUENCY BASE     frequency in ticks per second, clock tick at boot: hex
 *   trace domain NUMBER NAME
 *   trace W W W W                          a record's four words, hexadecimal
 *   trace end
 *
 * A text may hold several dumps; the last complete one counts, or one that the text ends in.
 */
#ifndef TOOLS_TRACE_DUMP_H
#define TOOLS_TRACE_DUMP_H

#include <stdbool.h>
#include <stdio.h>

#include "motet/image.h"
#include "motet/trace.h"

struct dump {
    uint64_t frequency, base;
    char domain[IMAGE_DOMAINS_MAX][IMAGE_NAME_BYTES];
    struct trace_record *record; /* in the order in which they were written */
    size_t count;
};

/* False: there is none, or a line of it makes no sense; said on stderr, with its number. */
bool dump_read(struct dump *dump, FILE *file);

/* For trace_text: `context` is the dump. */
const char *dump_domain(const void *context, uint16_t domain);

/* Nanoseconds since boot. */
uint64_t dump_time(const struct dump *dump, const struct trace_record *record);

/* check.c: whether the records fit together, and what follows from them; see docs/trace.md. */
bool dump_check(const struct dump *dump);
void dump_summary(const struct dump *dump);

#endif
