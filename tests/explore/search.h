/* SPDX-License-Identifier: ISC
 *
 * Breadth-first search of a configuration's states. A state isn't kept as memory but as the way to
 * it: its predecessor and the action. To go there, the way back to the last common state is undone
 * and the rest performed anew; siblings follow each other, so that is one step mostly.
 *
 * In each new state all invariants are checked (kernel/arch/sim/check.h), in each step what it must
 * have done (check_step.h), that an error changed nothing, that translations were flushed, that no
 * right of a capability grew, and that the step ended after a bounded number of accesses.
 */
#ifndef EXPLORE_SEARCH_H
#define EXPLORE_SEARCH_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/explore/scene.h"

struct search_options {
    double seconds;        /* 0: no limit */
    int depth;             /* 0: no limit */
    uint64_t states;       /* 0: no limit */
    uint64_t memory_bytes; /* of all that is kept */
    uint64_t verify;       /* of so many merged states one is compared with its twin; 0: none */
    const char *save;      /* file for the way to what is wrong; NULL: not saved */
    bool progress;
};

enum { DEPTH_MAX = 64 };

struct search_result {
    bool violated;
    char violation[256];
    int violation_depth;
    bool complete; /* there are no more states */
    bool memory_full;
    int closed; /* all sequences of so many actions were tried */
    uint64_t states, transitions, unchanged, merged, verified;
    uint64_t level[DEPTH_MAX + 1]; /* states first reached at this depth */
    double seconds;
    uint64_t memory_bytes;
    uint32_t met[CALL_COUNT + OPERATION_COUNT]; /* bits: enum error, of each call and operation */
    uint32_t longest;                           /* loads and stores of one kernel entry */
    char longest_what[200];
};

void search_run(const struct configuration *configuration, const struct search_options *options,
                struct search_result *result);

/* Repeats a saved way, printing each step; a violation ends the process as a panic does. Returns
 * false if the file isn't one. */
bool search_replay(const char *file);

#endif
