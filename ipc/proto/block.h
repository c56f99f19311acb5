/* SPDX-License-Identifier: ISC
 *
 * Class protocol: block device, version 1. Client: who keeps something. Server: a driver.
 *
 * A block is BLOCK_BYTES, whatever the device's own are. Data lies in the buffers of a pool that
 * the client owns and on which the driver has the dma right: the device copies. A buffer is the
 * driver's from the request to its reply.
 *
 * Requests are independent: the device does them in any order, and replies come in any. What was
 * written is on the medium when a FLUSH that was sent after its reply is replied to.
 *
 * Bounds: as many requests at a time as the driver has room for; others wait in their rings.
 *
 * | op    | direction        | idempotent | |
 * |-------|------------------|------------|-|
 * | INFO  | client to driver | yes        | the reply says how large the device is |
 * | READ  | client to driver | yes        | blocks into a buffer |
 * | WRITE | client to driver | yes        | blocks from a buffer |
 * | FLUSH | client to driver | yes        | until all that was written is on the medium |
 *
 * Errors: BAD_ARGUMENT, no whole blocks, not all on the device, or not in a buffer that the device
 * reaches; NO_RIGHT, writing to a device that is read-only; BAD_STATE, there is no device, or it is
 * broken.
 */
#ifndef MOTET_PROTO_BLOCK_H
#define MOTET_PROTO_BLOCK_H

#include "ipc/pool.h"
#include "motet/msg.h"

#define BLOCK_PROTOCOL "block"

enum { BLOCK_VERSION = 1, BLOCK_BYTES = 512 };

enum block_op { BLOCK_INFO = 1, BLOCK_READ, BLOCK_WRITE, BLOCK_FLUSH };

/* The reply to INFO */
struct block_info {
    uint64_t blocks;
    uint32_t read_only; /* 1: WRITE is refused */
    uint32_t flushes;   /* 0: what was written is on the medium when it is replied to */
};

/* READ, WRITE and their replies; of FLUSH's reply only `failed` means something */
struct block_io {
    uint64_t block;         /* the first */
    struct buffer_ref data; /* a whole number of blocks, at least one */
    uint32_t failed; /* in a reply: 1: the medium couldn't; what is in the buffer means nothing */
    uint32_t reserved;
};

_Static_assert(sizeof(struct block_info) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct block_io) <= MSG_BYTES, "fits a message");

#endif
