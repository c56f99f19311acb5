/* SPDX-License-Identifier: ISC
 *
 * Protocol of the measurement: what bench/ipc/servers/source sends to bench/ipc/servers/sink, in
 * domains of Motet and in processes of the host alike. Client: source. Server: sink.
 *
 * The pool "payload" goes with a connection: owned and written by the source, read by the sink. A
 * transfer's payload, 8 bytes to 64 KiB, is in the message itself, in the pool, or absent. One of
 * 64 KiB is two pieces, since a reference has 16 bits of length.
 *
 * | op       | direction      | idempotent | |
 * |----------|----------------|------------|-|
 * | TRANSFER | client to sink | no         | one payload; answered if it says so |
 * | ANSWER   | sink to client | no         | how many transfers came, and the sum of their marks |
 * | PING     | both           | yes        | comes back as it is |
 */
#ifndef MOTET_BENCH_TRANSFER_H
#define MOTET_BENCH_TRANSFER_H

#include "ipc/pool.h"
#include "motet/msg.h"

#define TRANSFER_PROTOCOL "transfer"

enum { TRANSFER_VERSION = 1 };

enum transfer_op { TRANSFER = 1, TRANSFER_ANSWER, TRANSFER_PING };

/* Where the payload is, and who copies it. */
enum transfer_mode {
    MODE_MESSAGE, /* none: the message is all */
    MODE_INLINE,  /* in the message */
    MODE_SHARED,  /* in the pool; the sink uses it where it is: zero-copy */
    MODE_COPIED,  /* in the pool; the sink copies it first, since the source could change it */
    MODE_TWICE,   /* the source copies it into the pool, the sink out of it */
    MODE_COUNT
};

enum {
    TRANSFER_INLINE_MAX = 32, /* bytes */
    TRANSFER_PIECE_MAX = 32768,
    TRANSFER_PIECES = 2,
    TRANSFER_PAYLOAD_MAX = TRANSFER_PIECES * TRANSFER_PIECE_MAX,
    TRANSFER_MARK_BYTES =
        8, /* each payload begins with a number of its own, which the sink reads */
};

struct transfer {
    uint8_t mode;   /* enum transfer_mode */
    uint8_t answer; /* 1: answer now */
    uint8_t pieces; /* 0 to TRANSFER_PIECES */
    uint8_t bytes;  /* MODE_INLINE: length of `text` */
    uint32_t reserved;
    union {
        struct buffer_ref piece[TRANSFER_PIECES];
        uint8_t text[TRANSFER_INLINE_MAX];
    };
};
_Static_assert(sizeof(struct transfer) <= MSG_BYTES, "fits a message");

struct transfer_answer {
    uint64_t count; /* transfers since the last answer */
    uint64_t sum;   /* of their marks; without payload, of nothing */
};
_Static_assert(sizeof(struct transfer_answer) <= MSG_BYTES, "fits a message");

#endif
