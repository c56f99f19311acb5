/* SPDX-License-Identifier: ISC
 *
 * A way to send between two processes, as linux.c uses it: two ends, 0 the source's, 1 the sink's.
 * All block until everything went; all end the program on errors.
 */
#ifndef MOTET_BENCH_PIPE_H
#define MOTET_BENCH_PIPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MESSAGE_BYTES = 64, BATCH_MAX = 256, BATCH_BYTES_MAX = 2 << 20, ANSWERS = 256 };

struct pipe_kind {
    const char *name;
    /* Before the fork. False: this kernel hasn't got it. */
    bool (*open)(void);
    /* After the fork, in both processes. */
    void (*enter)(int end);
    void (*close)(void);
    /* `count` pieces of `bytes` each, one behind the other in memory. */
    void (*send)(int end, const uint8_t *data, uint32_t count, uint32_t bytes);
    void (*receive)(int end, uint8_t *data, uint32_t count, uint32_t bytes);
};

extern const struct pipe_kind pipe_each, pipe_batch, stream_each, stream_batch, seqpacket_each,
    seqpacket_batch, memory_futex, memory_eventfd, uring_seqpacket;

#endif
