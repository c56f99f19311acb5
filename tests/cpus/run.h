/* SPDX-License-Identifier: ISC
 *
 * One run: domains with the production libOS, each on a CPU of its own, until all sleep. What
 * happens is drawn from the seed. Called by main.c; servers.c is what the domains do.
 */
#ifndef CPUS_RUN_H
#define CPUS_RUN_H

#include <stdbool.h>
#include <stdint.h>

#include "libos/server.h"

/* What domain 1 does with a message of domain 0. */
enum mode {
    MODE_ECHO,  /* one answer; refused when there is no room for it */
    MODE_TWICE, /* two, refused unless there is room for both: no look for room fails outright */
    MODE_HOLD,  /* none; one is held until batch_end, and the next refused while it is */
    MODE_RELAY, /* passed on to domain 2 */
    MODES
};

/* How the first life of domain 1 ends, for another to go on. */
enum end { END_NONE, END_PLANNED, END_CRASH, ENDS };

struct run {
    enum mode mode;
    enum end end;
    bool reluctant; /* domain 0 takes one answer per round */
    uint32_t slots, messages;
    uint32_t end_point;           /* of domain 1: when it ends */
    uint32_t drain, go_on;        /* one in so many points: stores leave a buffer; another CPU */
    uint32_t life;                /* of domain 1, from 1 */
    uint32_t sent;                /* by domain 0 */
    uint32_t handled[3], in_hand; /* messages that reached domain n; the one that 1 has now */
    uint32_t answered, answers;   /* what came back to domain 0: the last, and how many */
};
extern struct run run;

/* False: something didn't hold; *what says it. */
bool run_all(uint64_t seed, bool verbose, const char **what);

/* Ends the run. */
void run_fail(const char *format, ...) __attribute__((format(printf, 1, 2)));
uint32_t run_random(uint32_t below);

extern const struct server *const run_server[3];

/* Whether everything reached whom it should; else fails. */
void servers_finished(void);

#endif
