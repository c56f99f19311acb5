/* SPDX-License-Identifier: ISC
 *
 * A domain's counters: one page with a name and a value each, first the libOS's, then those of its
 * servers in link order. The domain writes them, init and host tools read them; the page outlives
 * the server. What a page holds is checked when read.
 */
#ifndef MOTET_LIBOS_COUNTERS_H
#define MOTET_LIBOS_COUNTERS_H

#include <stdbool.h>
#include <stdint.h>

enum {
    COUNTERS_MAX = 126, /* as many as one page holds */
    COUNTER_NAME_BYTES = 24,
    COUNTER_SERVERS_MAX = 8,
};

struct counter_page {
    uint32_t count;                           /* counters in use */
    uint16_t server_end[COUNTER_SERVERS_MAX]; /* where those of each server end; before the first
                                                 server's are the libOS's */
    uint16_t libos_end;
    uint16_t reserved[21];
    uint64_t value[COUNTERS_MAX];
    char name[COUNTERS_MAX][COUNTER_NAME_BYTES];
};
_Static_assert(sizeof(struct counter_page) == 4096, "one page");

/* Adds `count` counters; values that a former life of the domain left under the same number go on.
 * Returns the first of their values, NULL if they don't fit. Longer names are cut. */
uint64_t *counters_add(struct counter_page *page, const char *const *names, uint64_t count);

/* Which server's counter n of a page is, in link order; -1: the libOS's. */
int counters_server(const struct counter_page *page, uint32_t n);

/* Counter n of a page that somebody else writes: false beyond the last. The name is terminated and
 * printable. */
bool counters_read(const struct counter_page *page, uint32_t n, char name[COUNTER_NAME_BYTES],
                   uint64_t *value);

#endif
