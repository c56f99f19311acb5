/* SPDX-License-Identifier: ISC
 *
 * Class protocol: a source of entropy, version 1. Client: whoever needs random bytes. Server: a
 * driver.
 *
 * No pools go with a connection: the bytes travel inside the messages. Each byte is given out once.
 * A request waits in its ring until the driver has enough; a client that wants an answer by a
 * certain time sets itself a deadline.
 *
 * Bounds: ENTROPY_READ_MAX bytes in a message. Beyond, and for none: BAD_ARGUMENT, counted.
 *
 * | op   | direction        | idempotent | |
 * |------|------------------|------------|-|
 * | READ | client to driver | yes        | wants `length` bytes; the reply has exactly so many |
 *
 * Errors: BAD_ARGUMENT, see the bounds; BAD_STATE, there is no device, or it is broken: no bytes.
 */
#ifndef MOTET_PROTO_ENTROPY_H
#define MOTET_PROTO_ENTROPY_H

#include "motet/msg.h"

#define ENTROPY_PROTOCOL "entropy"

enum { ENTROPY_VERSION = 1, ENTROPY_READ_MAX = 40 };

enum entropy_op { ENTROPY_READ = 1 };

/* READ and its reply */
struct entropy_read {
    uint32_t length; /* 1 to ENTROPY_READ_MAX; 0 in a reply that says why there are none */
    uint8_t bytes[ENTROPY_READ_MAX];
};
_Static_assert(sizeof(struct entropy_read) <= MSG_BYTES, "fits a message");

#endif
