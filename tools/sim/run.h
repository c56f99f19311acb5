/* SPDX-License-Identifier: ISC
 *
 * A whole run: boot, clients that ask while things go wrong, then a phase in which nothing goes
 * wrong any more and each client must get an answer, or the machine must have said what is dead.
 */
#ifndef TOOLS_SIM_RUN_H
#define TOOLS_SIM_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "tools/sim/options.h"

struct run_result {
    bool failed;
    char text[300]; /* what didn't hold */
};

struct sweep_totals {
    uint64_t messages, deaths, reported, steps;
    uint64_t boundary; /* where it failed */
};

/* Reads the image; once per process. False: said on stderr. */
bool run_start(const struct how *how);

/* Boots, or loads what `how` says; runs to the end or to how->until. The machine stays as it is
 * then. */
void run_scenario(const struct options *options, const struct how *how, struct run_result *result);

/* A calm scenario, and from each message boundary of it the future in which that domain dies there.
 */
void run_sweep(const struct options *options, const struct how *how, struct run_result *result,
               struct sweep_totals *totals);

/* For inspect.c: boots or loads; takes up to `steps` steps. False: it failed, *result says how. */
bool run_begin(const struct options *options, const struct how *how, struct run_result *result);
bool run_steps(uint64_t steps, struct run_result *result);

#endif
