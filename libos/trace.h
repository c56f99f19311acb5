/* SPDX-License-Identifier: ISC
 *
 * Reading the kernel's trace (motet/trace.h), and records as text. Used by init, by servers whose
 * manifest says `trace = true` (domain_trace), and by host tools. Any number may read at once: a
 * reader never stops the kernel from writing.
 */
#ifndef MOTET_LIBOS_TRACE_H
#define MOTET_LIBOS_TRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "motet/trace.h"

/* The reader's memory; zeroed, it begins with the oldest record that is there. */
struct trace_reader {
    uint64_t next; /* number of the record to read */
    uint64_t lost; /* records that were overwritten before they were read */
};

/* Copies the next record. False: there is none. Follows a ring that is attached anew. */
bool trace_read(struct trace_reader *reader, const struct trace_header *header,
                struct trace_record *record);

/* Goes on with the newest `count` records (or as many as there are); what is skipped isn't lost. */
void trace_newest(struct trace_reader *reader, const struct trace_header *header, uint64_t count);

/* The name of a domain's number. */
typedef const char *trace_name(const void *context, uint16_t domain);

enum { TRACE_TEXT_BYTES = 160 };

/* What happened, in a line; without its time. */
void trace_text(char text[TRACE_TEXT_BYTES], const struct trace_record *record, trace_name *name,
                const void *context);

/* As a line of a dump, which tools/trace reads: the record's four words. */
void trace_dump_line(char text[TRACE_TEXT_BYTES], const struct trace_record *record);

/* "switch", ...; "?" for a number that is none. */
const char *trace_event_name(unsigned event);
const char *trace_wake_name(unsigned why);
const char *trace_state_name(unsigned state); /* enum thread_state */

#endif
