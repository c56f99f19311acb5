/* SPDX-License-Identifier: ISC
 *
 * Protocol of two test servers: requests (ipc/conn_port.h) that are answered in every way that
 * there is. An answer has w[1] = work_of(w[0]). MSG_CANCEL is part of it.
 *
 * | op      | how the answerer answers |
 * |---------|--------------------------|
 * | NOW     | at once |
 * | LATER   | a fiber of it does, after others had their turn |
 * | SLEEP   | another fiber, after w[2] nanoseconds; comes to it from the first |
 * | NEVER   | not at all, until it is cancelled |
 * | LIE     | with answers to nothing, of another operation, and twice: the right one among them |
 * | RESTART | not at all; says that it has started again, as its next life would |
 */
#ifndef TESTS_WORK_H
#define TESTS_WORK_H

#include "motet/msg.h"

#define WORK_PROTOCOL "work"

enum { WORK_VERSION = 1, WORK_LIES_UNKNOWN = 3, WORK_LIES_OP = 1 };

enum work_op { WORK_NOW = 1, WORK_LATER, WORK_SLEEP, WORK_NEVER, WORK_LIE, WORK_RESTART };

static inline uint64_t work_of(uint64_t value)
{
    return (value ^ (value << 7)) + 0x9e3779b9;
}

#endif
