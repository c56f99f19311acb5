/* SPDX-License-Identifier: ISC
 *
 * Protocol: what QEMU's `edu` device can do, version 1. Client: whoever wants to see it. Server:
 * edu_drv. For learning how drivers are written: docs/tutorial-driver.md.
 *
 * No pools go with a connection: the bytes travel inside the messages. The driver serves one
 * request at a time; others wait in their rings.
 *
 * | op        | direction        | idempotent | |
 * |-----------|------------------|------------|-|
 * | FACTORIAL | client to driver | yes        | the reply has n! |
 * | STORE     | client to driver | yes        | bytes go into the device's buffer, by DMA |
 * | FETCH     | client to driver | yes        | the reply has bytes of that buffer, by DMA |
 *
 * Errors: BAD_ARGUMENT, beyond the bounds below; BAD_STATE, there is no device, or it is broken.
 */
#ifndef MOTET_PROTO_EDU_H
#define MOTET_PROTO_EDU_H

#include "motet/msg.h"

#define EDU_PROTOCOL "edu"

enum {
    EDU_VERSION = 1,
    EDU_FACTORIAL_MAX = 12,  /* 12! is the last one of 32 bits */
    EDU_BUFFER_BYTES = 4096, /* the device's */
    EDU_TRANSFER_BYTES = 32,
};

enum edu_op { EDU_FACTORIAL = 1, EDU_STORE, EDU_FETCH };

/* FACTORIAL and its reply */
struct edu_factorial {
    uint32_t n; /* 0 to EDU_FACTORIAL_MAX */
    uint32_t result;
};

/* STORE, FETCH and their replies */
struct edu_transfer {
    uint32_t offset; /* offset + length is at most EDU_BUFFER_BYTES */
    uint32_t length; /* 1 to EDU_TRANSFER_BYTES */
    uint8_t bytes[EDU_TRANSFER_BYTES];
};

_Static_assert(sizeof(struct edu_factorial) <= MSG_BYTES, "fits a message");
_Static_assert(sizeof(struct edu_transfer) <= MSG_BYTES, "fits a message");

#endif
