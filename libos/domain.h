/* SPDX-License-Identifier: ISC
 *
 * The services of the libOS to the servers in its domain. Everything a domain has was drawn in the
 * manifest and stands in its start page; nothing can be asked for that isn't there.
 */
#ifndef MOTET_LIBOS_DOMAIN_H
#define MOTET_LIBOS_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ipc/conn.h"
#include "ipc/pool.h"
#include "libos/device.h"
#include "motet/error.h"

struct domain;
struct trace_header;

/* The `instance`-th connection of the server's port `name`; NULL if the manifest has none. */
struct conn *domain_conn(struct domain *domain, const char *name, uint32_t instance);

/* How often the server at the other end has started, by its own word; 0: always the same;
 * CONN_BROKEN: libos_broken_channels counts this one. */
uint32_t domain_conn_generation(const struct conn *conn);

/* The pool with that image-wide number (from a reference) / with that name in the manifest; NULL if
 * this domain has no right on it. */
const struct pool *domain_pool(struct domain *domain, uint32_t number);
const struct pool *domain_pool_named(struct domain *domain, const char *name);

/* The n-th device granted to this domain; NULL beyond the last. */
const struct device *domain_device(struct domain *domain, uint32_t n);

/* Lets a device's pin interrupt again. Does nothing for MSI-X, MSI and pins that are
 * edge-triggered. */
void domain_acknowledge(struct domain *domain, const struct device *device);

/* A read-only file of the image (for instance the zone database); NULL if the manifest gives none.
 */
const void *domain_file(struct domain *domain, const char *name, size_t *size);

/* The text of a boot setting ("net0.ip"), NULL when it isn't set. */
const char *domain_setting(struct domain *domain, const char *key);

/* Zeroed memory from the domain's heap (`heap` in the manifest), in whole pages; NULL: more than
 * HEAP_BLOCK_BYTES, no room, or no heap of the domain's own. A page is found when it is touched
 * first. If the machine has none left then, the domain stops; `heap_kept` pages of it are always
 * there. */
void *domain_heap_alloc(struct domain *domain, size_t bytes);

/* Gives back what domain_heap_alloc gave for as many bytes; false: it never did. */
bool domain_heap_free(struct domain *domain, void *memory, size_t bytes);

/* All of the heap, for a domain whose heap another one serves (`pager` in the manifest); NULL:
 * none. */
void *domain_heap(struct domain *domain, size_t *size);

/* The server's counters: counter_count values in the order of its names, starting at 0. They live
 * in a page that the supervisor reads and that survives the server. */
uint64_t *domain_counters(struct domain *domain);

/* Appends a line to the domain's log. Understands %s %c %d %u %x %lu %lx %% and a field width with
 * zero padding ("%02x"); never waits; the oldest lines are overwritten, and counted. */
__attribute__((format(printf, 2, 3))) void domain_log(struct domain *domain, const char *format,
                                                      ...);

/* Monotonic nanoseconds since boot; costs no kernel entry. */
uint64_t domain_time(struct domain *domain);

/* Calls the server's `deadline` once, at or after `time` (nanoseconds as above; 0: never). */
void domain_set_deadline(struct domain *domain, uint64_t time);

/* The kernel's trace of the CPU, for libos/trace.h; NULL without `trace = true` in the manifest, or
 * when the image was booted without. */
const struct trace_header *domain_trace(struct domain *domain);

/* 64 random bits; see docs/architecture.md for what they're worth without an entropy source. */
uint64_t domain_random(struct domain *domain);

#endif
