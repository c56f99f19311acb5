/* SPDX-License-Identifier: ISC
 *
 * What holds of a trace: between two kernel entries (check_trace), and of one or some entries,
 * whose new records must tell exactly the switches that there were (the other two).
 */
#ifndef KERNEL_SIM_CHECK_TRACE_H
#define KERNEL_SIM_CHECK_TRACE_H

#include <stdbool.h>
#include <stdint.h>

struct cap;

/* Kernel, ring and capabilities agree; records are whole and in order of time. */
void check_trace(const struct cap *first);

/* Whether this page of the arena is the ring's. */
bool check_trace_page(uint64_t index);

/* An entry begins / has been made: its switches are a chain from who ran to who runs, each told
 * once. */
struct trace_before {
    uint64_t header; /* 0: switches aren't traced */
    uint64_t written;
    uint32_t running;
};
void check_trace_before(struct trace_before *before);
void check_trace_after(const struct trace_before *before);

#endif
