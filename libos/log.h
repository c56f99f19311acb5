/* SPDX-License-Identifier: ISC
 *
 * A domain's log: lines of text in one page that outlives the server. One writer (the domain, see
 * domain_log) overwrites the oldest lines; one reader (init) prints the new ones. Writing and
 * reading never wait for each other.
 *
 * Positions count bytes since the first start. Invariants, as long as the writer is honest:
 * written <= claimed <= written + LOG_LINE_BYTES, and text[p % LOG_BYTES] is byte p for every p
 * with claimed - LOG_BYTES <= p < written. The reader relies on none of it: whatever the page
 * holds, it reads inside the page and returns bounded printable text.
 */
#ifndef MOTET_LIBOS_LOG_H
#define MOTET_LIBOS_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    LOG_BYTES = 4096 - 64,
    LOG_LINE_BYTES = 160, /* two console lines, newline included; longer ones are cut */
};

struct log_page {
    uint64_t claimed; /* bytes before this minus LOG_BYTES may be overwritten */
    uint64_t written; /* bytes before this are complete lines */
    uint64_t lines;   /* how many lines that is */
    uint64_t reserved[5];
    char text[LOG_BYTES];
};
_Static_assert(sizeof(struct log_page) == 4096, "one page");

/* Appends a line: `length` bytes of text, cut at LOG_LINE_BYTES - 1, and a newline. */
void log_write(struct log_page *page, const char *text, size_t length);

/* The reader's memory of one page; zeroed at first. */
struct log_reader {
    uint64_t position; /* next byte to read */
    uint64_t lines;    /* read so far */
    uint64_t lost;     /* lines overwritten before they were read; brought up to date by a log_read
                          that returns false */
    bool in_line;      /* the next byte isn't the first of its line and the rest is to be skipped */
};

/* Copies the next new line, without newline and terminated, other than printable ASCII as '.', to
 * `line` (size 2 or more; the rest of a longer line comes as lines of its own). False when there is
 * none. */
bool log_read(struct log_reader *reader, const struct log_page *page, char *line, size_t size);

#endif
