/* SPDX-License-Identifier: ISC
 *
 * The cases that the source measures, one after the other: first a message that comes back, by
 * servers that do nothing else; then messages without payload, streams and echoes in batches of 1
 * to 256, then streams of all payloads that fit the mode and the pool.
 */
#ifndef MOTET_BENCH_CASES_H
#define MOTET_BENCH_CASES_H

#include <stdbool.h>
#include <stdint.h>

#include "bench/ipc/transfer.h"

enum {
    CASES_MAX = 1000, /* more than there are */
    CASE_BATCH_MAX = 256,
    CASE_PAYLOAD_MIN = 8,
    CASE_BYTES_MAX = 2 << 20, /* of one batch: what a pool holds */
};

enum pattern { PATTERN_PING, PATTERN_STREAM, PATTERN_ECHO, PATTERN_COUNT };

extern const char *const pattern_names[PATTERN_COUNT];
extern const char *const mode_names[MODE_COUNT];

struct measured {
    uint8_t pattern; /* enum pattern */
    uint8_t mode;    /* enum transfer_mode */
    uint32_t batch;
    uint32_t payload; /* bytes */
};

struct cases {
    struct measured now;
};

void cases_first(struct cases *cases);

/* Goes on to the next case; false: there is none. `is_short` leaves out most batches and payloads.
 */
bool cases_next(struct cases *cases, bool is_short);

#endif
