/* SPDX-License-Identifier: ISC
 *
 * Class protocol: a clock, version 1. Client: whoever wants to know what time it is. Server: a
 * driver.
 *
 * A clock is slow to read and coarse. So an answer says when it was true, by the time that every
 * domain reads without asking anybody (domain_time): a client asks once and computes what time it
 * is from then on, as far as it trusts the two to run alike.
 *
 * Nobody can set a clock: whoever could decides which certificates and signatures are valid, for
 * all clients, and nothing in an image knows better than the machine what time it is.
 *
 * | op   | direction        | idempotent | |
 * |------|------------------|------------|-|
 * | TIME | client to driver | yes        | what time is it? The reply has a struct clock_time |
 *
 * Errors: BAD_STATE, there is no device, or it is broken, its battery has failed, or what it shows
 * is no time: the reply is all zeros then.
 */
#ifndef MOTET_PROTO_CLOCK_H
#define MOTET_PROTO_CLOCK_H

#include "motet/msg.h"

#define CLOCK_PROTOCOL "clock"

enum { CLOCK_VERSION = 1 };

enum clock_op { CLOCK_TIME = 1 };

/* The reply to TIME. At `monotonic` it was at least seconds.nanoseconds, and less than `precision`
 * later than that: if the device is right. */
struct clock_time {
    uint64_t seconds;     /* since 1970-01-01 00:00:00 UTC, without leap seconds */
    uint64_t monotonic;   /* nanoseconds since boot, as domain_time has it */
    uint64_t precision;   /* nanoseconds, 1 or more */
    uint32_t nanoseconds; /* below 1,000,000,000 */
    uint32_t reserved;
};
_Static_assert(sizeof(struct clock_time) <= MSG_BYTES, "fits a message");

#endif
