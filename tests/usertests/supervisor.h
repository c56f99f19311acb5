/* SPDX-License-Identifier: ISC
 *
 * Between the parts of the supervisor: running the tests (supervisor.c) and what they must have met
 * (complete.c).
 */
#ifndef TESTS_USERTESTS_SUPERVISOR_H
#define TESTS_USERTESTS_SUPERVISOR_H

#include "tests/usertests/usertests.h"

extern const bool usertests_in_simulator;

/* The supervisor's entry, in init's place. */
_Noreturn void usertests_start(void);

extern const struct test tests[], planted_tests[];

/* How many tests there are in `tests`, and in `planted_tests`. */
extern const uint64_t test_count, planted_count;

/* Where a test's thread begins; `number` in `tests` or `planted_tests`. */
void test_run(uint64_t number);
void planted_run(uint64_t number);

/* Calls `missing(call or operation, error)` for each documented error that isn't in `met`. Returns
 * how many are documented. */
uint32_t errors_missing(const uint64_t met[MET],
                        void (*missing)(const char *what, const char *error));

#endif
